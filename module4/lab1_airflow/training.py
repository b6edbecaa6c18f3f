"""Train a model that predicts late flights.

It runs every Monday, and whenever monitoring finds that the model has aged. The new model is compared with the one in
production and deployed if it passes the quality gate.

| parameter | meaning |
|---|---|
| `config` | `tiny`, `lab`, `full`, or a whole configuration as JSON |
| `store`  | folder or URI; artifacts go to `<store>/runs/<run id>/<step>`, models to `<store>/registry` |

Small values travel between tasks as XComs. Tables and models stay in the store, and tasks pass their URIs.
"""

# Airflow imports this file every few seconds just to see the graph, so `steps` imports heavy packages only when a task
# runs. A `Summary` is a dict: Airflow stores one XCom per key, and `flights["uri"]` is one of them.
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task, task_group

from module4.lab1_airflow import common
from shared import steps
from shared.storage import Summary


@task
def load_data(config_json: str, folder: str) -> Summary:
    """Read, validate and join the sources."""
    return steps.load_data(config_json, f"{folder}/load_data")


@task
def preprocess(config_json: str, flights: str, folder: str) -> Summary:
    """Turn the flights into features, split by weeks."""
    return steps.preprocess(config_json, flights, f"{folder}/preprocess")


@task
def train(config_json: str, features: str, folder: str) -> Summary:
    """Fit the baseline."""
    return steps.train(config_json, features, f"{folder}/train")


@task
def propose_trials(config_json: str) -> list[str]:
    """List the trials; Airflow creates one task for each."""
    return steps.propose_trials(config_json)


@task(max_active_tis_per_dagrun=2)  # a trial uses every core: more at once would only slow each other down
def run_trial(config_json: str, features: str, trial: str) -> str:
    """Score one trial on the validation weeks."""
    return steps.run_trial(config_json, features, trial)


@task
def select_best(config_json: str, features: str, results: list[str], folder: str) -> Summary:
    """Refit the best trial's model."""
    return steps.select_best(config_json, features, results, f"{folder}/hyperparameter_search")


@task
def evaluate(config_json: str, features: str, baseline: str, candidate: str, registry: str, folder: str) -> Summary:
    """Compare baseline, candidate and champion on the test weeks."""
    return steps.evaluate(config_json, features, baseline, candidate, registry, f"{folder}/evaluate")


@task(outlets=[common.PROMOTION])
def deploy(config_json: str, evaluation: str, registry: str, folder: str, run_id: str, outlet_events: Any) -> Summary:
    """Stage the winner; promote it to production if it passed the gate, and then update the asset."""
    outcome = steps.deploy(config_json, evaluation, registry, f"{folder}/deploy", platform="airflow", run_id=run_id)
    if outcome["in_production"]:
        outlet_events[common.PROMOTION].add(common.PRODUCTION_MODEL, extra={"version": outcome["version"]})
    return outcome


@task_group
def hyperparameter_search(config_json: str, features: Any, baseline: Any) -> Any:
    """Refine around the baseline: run the trials in parallel, then take the best."""
    trials = propose_trials(config_json)
    baseline >> trials  # no data flows here, but the search starts only once there is a baseline
    results = run_trial.partial(config_json=config_json, features=features).expand(trial=trials)
    return select_best(config_json, features, results, common.FOLDER)


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * MON", timezone="UTC"), assets=common.RETRAINING
    ),
    catchup=False,  # past Mondays would all train the same model
    max_active_runs=1,  # the registry allows one deployment at a time
    params=common.PARAMS,
    default_args=common.DEFAULT_ARGS,
    user_defined_macros={"requested_config": common.requested_config},
    doc_md=__doc__,
    tags=["late-arrival"],
)
def training() -> None:
    """Wire the tasks: passing one task's result to another draws the arrow. Templates are rendered at run time."""
    config_json = "{{ requested_config(params, triggering_asset_events) }}"
    flights = load_data(config_json, common.FOLDER)["uri"]
    features = preprocess(config_json, flights, common.FOLDER)["uri"]
    baseline = train(config_json, features, common.FOLDER)["uri"]
    candidate = hyperparameter_search(config_json, features, baseline)["uri"]
    evaluation = evaluate(config_json, features, baseline, candidate, common.REGISTRY, common.FOLDER)["uri"]
    # Airflow passes `run_id` and `outlet_events` by name.
    deploy(config_json, evaluation, common.REGISTRY, common.FOLDER)


training_dag = training()
