"""Train in Kubernetes: the graph of `training`, with a pod for each step.

A pod runs `python -m shared STEP …` in the project's image. It needs only the image and the store: no network, no
permissions in the cluster, no writable disk except `/tmp`. While it runs, its task is *deferred*: the triggerer waits
for all pods in one process, and no worker is blocked.

| parameter | meaning |
|---|---|
| `config` | `tiny`, `lab`, `full`, or a whole configuration as JSON |
| `store`  | folder of a volume that all pods mount, or a URI such as `s3://bucket/folder` |

The file `pod.yaml` describes the pod: image, resources, volumes, secrets, service account. The connection
`kubernetes_default` names the cluster, the namespace, and the image of the sidecar that returns the results.
"""

import os
from pathlib import Path
from typing import Any

from airflow.sdk import Param, dag, task_group

from module4.lab1_airflow import common
from module4.lab1_airflow.pods import StepOperator

IN_PODS = {
    **common.DEFAULT_ARGS,
    "pod_template_file": os.environ.get("PIPELINE_POD") or str(Path(__file__).with_name("pod.yaml")),
    "image": os.environ.get("PIPELINE_IMAGE") or None,  # that of the file, unless the cluster's registry has another
    "deferrable": True,
    "do_xcom_push": True,
    "startup_timeout_seconds": 600,  # a node may have to start first, and the image is large
    "startup_check_interval_seconds": 1,  # Airflow's own numbers, 5 and 2, double the time of a short step
    "poll_interval": 1,
}
RESULTS = "{{ ti.xcom_pull(task_ids='hyperparameter_search.run_trial') | join('\n') }}"


def step(name: str, *arguments: Any) -> StepOperator:
    """Return the task that runs one step; each key of the step's summary becomes an XCom."""
    return StepOperator(task_id=name, arguments=[name, *arguments], multiple_outputs=True)


def as_environment(trial: str) -> dict[str, str]:
    """Pass a trial to its pod as a variable: Kubernetes substitutes it for $(TRIAL) in the arguments."""
    return {"TRIAL": trial}


@task_group
def hyperparameter_search(features: Any, baseline: StepOperator) -> StepOperator:
    """Refine around the baseline: run the trials in parallel, then take the best."""
    trials = StepOperator(task_id="propose_trials", arguments=["propose_trials", common.CONFIG])
    results = StepOperator.partial(
        task_id="run_trial", arguments=["run_trial", common.CONFIG, features, "$(TRIAL)"], max_active_tis_per_dagrun=4
    ).expand(env_vars=trials.output.map(as_environment))
    best = step("select_best", common.CONFIG, features, RESULTS, f"{common.FOLDER}/hyperparameter_search")
    baseline >> trials
    results >> best  # a template is only text: it draws no arrow
    return best


@dag(
    schedule=None,
    max_active_runs=1,
    params={**common.PARAMS, "store": Param("/store", type="string", minLength=1)},
    default_args=IN_PODS,
    doc_md=__doc__,
    tags=["late-arrival", "kubernetes"],
)
def training_in_pods() -> None:
    """Wire the tasks: passing one task's output to another draws the arrow."""
    flights = step("load_data", common.CONFIG, f"{common.FOLDER}/load_data").output["uri"]
    features = step("preprocess", common.CONFIG, flights, f"{common.FOLDER}/preprocess").output["uri"]
    train = step("train", common.CONFIG, features, f"{common.FOLDER}/train")
    baseline, candidate = train.output["uri"], hyperparameter_search(features, train).output["uri"]
    evaluate = step(
        "evaluate", common.CONFIG, features, baseline, candidate, common.REGISTRY, f"{common.FOLDER}/evaluate"
    )
    origin = "--platform", "airflow", "--run-id", "{{ run_id }}"
    step("deploy", common.CONFIG, evaluate.output["uri"], common.REGISTRY, f"{common.FOLDER}/deploy", *origin)


training_in_pods_dag = training_in_pods()
