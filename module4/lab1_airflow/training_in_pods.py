"""Train in Kubernetes: the graph of `training`, with a pod for each step.

A pod runs `python -m shared STEP …` in the project's image. It needs nothing but the image and the store: no network,
no rights in the cluster, no writable disk but `/tmp`. While it runs, its task is *deferred*: the triggerer waits for
all pods in one process, and no worker is held.

| parameter | meaning |
|---|---|
| `config` | `tiny`, `lab`, `full`, or a whole configuration as JSON |
| `store`  | folder of a volume that all pods mount, or a URI such as `s3://bucket/folder` |

What a pod is like (image, resources, volumes, secrets, service account) stands in `pod.yaml`. Which cluster and
namespace it is, and the image of the sidecar that hands over results, stands in the connection `kubernetes_default`.
"""

# Type checkers cannot follow what a promised result holds:
# mypy: disable-error-code="attr-defined, index"
import os
from pathlib import Path
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import Param, dag, task_group

from module4.lab1_airflow import settings
from module4.lab1_airflow.settings import CONFIG, FOLDER, REGISTRY

IN_PODS = {
    **settings.DEFAULTS,
    "pod_template_file": os.environ.get("PIPELINE_POD") or str(Path(__file__).with_name("pod.yaml")),
    "deferrable": True,
    "do_xcom_push": True,
    "startup_timeout_seconds": 600,  # a node may have to be started, and the image is large
}
RESULTS = "{{ ti.xcom_pull(task_ids='hyperparameter_search.run_trial') | join('\n') }}"


def step(name: str, *arguments: Any) -> KubernetesPodOperator:
    """Return a task that runs a step whose summary has a `uri`."""
    return KubernetesPodOperator(task_id=name, arguments=[name, *arguments], multiple_outputs=True)


def as_environment(trial: str) -> dict[str, str]:
    """Hand a trial to its pod: Kubernetes puts the variable where the arguments say $(TRIAL)."""
    return {"TRIAL": trial}


@task_group
def hyperparameter_search(features: Any, baseline: KubernetesPodOperator) -> KubernetesPodOperator:
    """Refine around the baseline: trials side by side, then the best of them."""
    trials = KubernetesPodOperator(task_id="propose_trials", arguments=["propose_trials", CONFIG])
    results = KubernetesPodOperator.partial(
        task_id="run_trial", arguments=["run_trial", CONFIG, features, "$(TRIAL)"], max_active_tis_per_dagrun=4
    ).expand(env_vars=trials.output.map(as_environment))
    best = step("select_best", CONFIG, features, RESULTS, f"{FOLDER}/hyperparameter_search")
    baseline >> trials
    results >> best  # a template is text: it makes no edge
    return best


@dag(
    schedule=None,
    max_active_runs=1,
    params={**settings.PARAMS, "store": Param("/store", type="string", minLength=1)},
    default_args=IN_PODS,
    doc_md=__doc__,
    tags=["late-arrival", "kubernetes"],
)
def training_in_pods() -> None:
    """Wire the tasks: giving one's output to another makes the edge."""
    flights = step("load_data", CONFIG, f"{FOLDER}/load_data").output["uri"]
    features = step("preprocess", CONFIG, flights, f"{FOLDER}/preprocess").output["uri"]
    train = step("train", CONFIG, features, f"{FOLDER}/train")
    baseline, candidate = train.output["uri"], hyperparameter_search(features, train).output["uri"]
    evaluation = step("evaluate", CONFIG, features, baseline, candidate, REGISTRY, f"{FOLDER}/evaluate").output["uri"]
    step(
        "deploy", CONFIG, evaluation, REGISTRY, f"{FOLDER}/deploy", "--platform", "airflow", "--run-id", "{{ run_id }}"
    )


training_in_pods_dag = training_in_pods()
