#!/bin/sh
# Trains once in every running stack of `make up` and checks that all end in one fingerprint. For a check by hand, or CI.
set -eu
cd "$(dirname "$0")"
compose() { docker compose --profile airflow --profile dagster --profile storage "$@"; }
running=$(compose ps --services --status running)

# Prints the newest fingerprint below a folder of the store, a volume or a bucket, seen from inside a service.
fingerprint() {
    compose exec -T "$1" python -c '
import json, os, sys
from upath import UPath
runs = UPath(os.environ["PIPELINE_STORE"]) / "runs"
for path in runs.glob(f"*/{sys.argv[1]}/**/fingerprint.json"):
    print(json.loads(path.read_text())["fingerprint"])' "$2"
}

# Waits until a service sees a fingerprint, for 15 minutes at most.
wait_for() {
    tries=0
    until found=$(fingerprint "$1" "$2") && [ -n "$found" ]; do
        tries=$((tries + 1))
        [ $tries -lt 90 ] || { echo "train: no fingerprint from $1 after 15 minutes. See why: make logs" >&2; exit 1; }
        sleep 10
    done
    echo "$found" | sort -u | sed "s/^/$1 /"
}

case $running in *airflow-scheduler*) compose exec -T airflow-scheduler airflow dags trigger training >/dev/null ;; esac
case $running in
*dagster-web*)
    compose exec -T dagster-web dagster job launch -w /app/infra/dagster_home/workspace.yaml -j training >/dev/null
    ;;
esac
results=$(
    case $running in *airflow-scheduler*) wait_for airflow-scheduler deploy ;; esac
    case $running in *dagster-web*) wait_for dagster-web deployment ;; esac
)
echo "$results"
[ "$(echo "$results" | awk '{print $2}' | sort -u | wc -l)" -eq 1 ] || { echo "train: not one fingerprint" >&2; exit 1; }
