"""Train a model that predicts late flights.

It runs every Monday, and when monitoring finds that the model has aged. The model is compared with the one in
production, and deployed if it passes the quality gate.

| parameter | meaning |
|---|---|
| `config` | `tiny`, `lab`, `full`, or a whole configuration as JSON |
| `store`  | folder or URI; artifacts go to `<store>/runs/<run id>/<step>`, models to `<store>/registry` |

Small values travel between tasks as XComs. Tables and models stay in the store: tasks pass on their URI.
"""

# Airflow imports this file every few seconds only to see the graph: `steps` imports what is heavy when a task runs.
# A task that is called here gives a promise of its result, an XComArg; type checkers cannot follow what it promises:
# mypy: disable-error-code="arg-type, call-arg, index"
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task, task_group

from module4.lab1_airflow import settings
from module4.lab1_airflow.settings import FOLDER, REGISTRY, Summary
from shared import steps


@task
def load_data(config: str, folder: str) -> Summary:
    """Read, validate and join the sources."""
    return steps.load_data(config, f"{folder}/load_data")


@task
def preprocess(config: str, flights: str, folder: str) -> Summary:
    """Turn the flights into features, split by weeks."""
    return steps.preprocess(config, flights, f"{folder}/preprocess")


@task
def train(config: str, features: str, folder: str) -> Summary:
    """Fit the baseline."""
    return steps.train(config, features, f"{folder}/train")


@task
def propose_trials(config: str) -> list[str]:
    """List the trials; Airflow makes one task of each."""
    return steps.propose_trials(config)


@task(max_active_tis_per_dagrun=2)  # a trial uses every core: many at once only hinder each other
def run_trial(config: str, features: str, trial: str) -> str:
    """Score one trial on the validation weeks."""
    return steps.run_trial(config, features, trial)


@task
def select_best(config: str, features: str, results: list[str], folder: str) -> Summary:
    """Fit the best trial's model again."""
    return steps.select_best(config, features, results, f"{folder}/hyperparameter_search")


@task
def evaluate(config: str, features: str, baseline: str, candidate: str, registry: str, folder: str) -> Summary:
    """Compare baseline, candidate and champion on the test weeks."""
    return steps.evaluate(config, features, baseline, candidate, registry, f"{folder}/evaluate")


@task(outlets=[settings.PROMOTION])
def deploy(config: str, evaluation: str, registry: str, folder: str, run_id: str, outlet_events: Any) -> Summary:
    """Stage the winner; promote it to production if it passed the gate, and then let other DAGs know."""
    outcome = steps.deploy(config, evaluation, registry, f"{folder}/deploy", platform="airflow", run_id=run_id)
    if outcome["in_production"]:
        outlet_events[settings.PROMOTION].add(settings.PRODUCTION_MODEL, extra={"version": outcome["version"]})
    return outcome


@task_group
def hyperparameter_search(config: str, features: Any, baseline: Any) -> Any:
    """Refine around the baseline: trials side by side, then the best of them."""
    trials = propose_trials(config)
    baseline >> trials  # no data goes this way, but the search begins where the baseline stands
    results = run_trial.partial(config=config, features=features).expand(trial=trials)
    return select_best(config, features, results, FOLDER)


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * MON", timezone="UTC"), assets=settings.RETRAINING
    ),
    catchup=False,  # Mondays of the past would all train the same model
    max_active_runs=1,  # the registry allows one deployment at a time
    params=settings.PARAMS,
    default_args=settings.DEFAULTS,
    user_defined_macros={"wanted_config": settings.wanted_config},
    doc_md=__doc__,
    tags=["late-arrival"],
)
def training() -> None:
    """Wire the tasks: passing one's result to another makes the edge. Airflow fills the templates when a task runs."""
    config = "{{ wanted_config(params, triggering_asset_events) }}"
    flights = load_data(config, FOLDER)["uri"]
    features = preprocess(config, flights, FOLDER)["uri"]
    baseline = train(config, features, FOLDER)["uri"]
    candidate = hyperparameter_search(config, features, baseline)["uri"]
    evaluation = evaluate(config, features, baseline, candidate, REGISTRY, FOLDER)["uri"]
    deploy(config, evaluation, REGISTRY, FOLDER)  # Airflow knows the names `run_id` and `outlet_events` and fills them


training_dag = training()
