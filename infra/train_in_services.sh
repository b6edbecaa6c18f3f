#!/bin/sh
# Trains once on Airflow and on Dagster, in the running stacks of `make up` or, with the argument `cluster`, in the cluster
# of `make cluster-up` (or of KUBECONTEXT), and checks that all end in one fingerprint. For a check by hand, or CI.
set -eu
cd "$(dirname "$0")"
where=${1:-stacks}
case $where in
stacks)
    compose() { docker compose --profile airflow --profile dagster --profile storage "$@"; }
    inside() { compose exec -T "$@"; }
    running=$(compose ps --services --status running)
    job=training workspace=/app/infra/dagster_home/workspace.yaml remedy="make logs"
    ;;
cluster)
    inside() {
        service=$1 && shift
        kubectl --context "${KUBECONTEXT:-kind-one-pipeline}" --namespace one-pipeline exec "deploy/$service" -- "$@"
    }
    running=$(kubectl --context "${KUBECONTEXT:-kind-one-pipeline}" --namespace one-pipeline get deployments --output name)
    job=training_in_pods workspace=/dagster/workspace.yaml remedy="kubectl get pods --namespace one-pipeline"
    ;;
*) echo "train: where? Write stacks or cluster, got '$where'" >&2 && exit 2 ;;
esac

# Prints the fingerprints below a folder of the store, a volume or a bucket, seen from inside a service: one for each run.
fingerprints() {
    inside "$1" python -c '
import json, os, sys
from upath import UPath
runs = UPath(os.environ["PIPELINE_STORE"]) / "runs"
for path in runs.glob(f"*/{sys.argv[1]}/**/fingerprint.json"):
    print(json.loads(path.read_text())["fingerprint"])' "$2"
}

# Starts a run in a service, and waits for one fingerprint more than before, for 15 minutes at most.
train() {
    service=$1 step=$2 && shift 2
    before=$(fingerprints "$service" "$step" | wc -l)
    begin=$(date +%s)
    inside "$service" "$@" >/dev/null
    until found=$(fingerprints "$service" "$step") && [ "$(echo "$found" | grep -c .)" -gt "$before" ]; do
        [ $(($(date +%s) - begin)) -lt 900 ] || { echo "train: no model from $service in 15 minutes. See: $remedy" >&2 && exit 1; }
        sleep 5
    done
    echo "$found" | sort -u | sed "s/^/$service $(($(date +%s) - begin))s /"
}

results=$(
    case $running in *airflow-scheduler*) train airflow-scheduler deploy airflow dags trigger "$job" ;; esac
    case $running in *dagster-web*) train dagster-web deployment dagster job launch -w "$workspace" -j "$job" ;; esac
)
[ -n "$results" ] || { echo "train: neither Airflow nor Dagster runs there. See: $remedy" >&2 && exit 1; }
echo "$results"
[ "$(echo "$results" | awk '{print $3}' | sort -u | wc -l)" -eq 1 ] || { echo "train: not one fingerprint" >&2; exit 1; }
