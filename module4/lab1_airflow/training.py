"""Train a model that predicts late flights.

The model is compared with the one in production, and deployed if it passes the quality gate.

| parameter | meaning |
|---|---|
| `config` | `tiny`, `lab`, `full`, or a whole configuration as JSON |
| `store`  | folder or URI; artifacts go to `<store>/runs/<run id>/<step>`, models to `<store>/registry` |

Small values travel between tasks as XComs. Tables and models stay in the store: tasks pass on their URI.
"""

# Airflow imports this file every few seconds only to see the graph: `steps` imports what is heavy when a task runs.
# A task that is called here gives a promise of its result, an XComArg; type checkers cannot follow what it promises:
# mypy: disable-error-code="arg-type, call-arg, index"
from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, Param, RetryAction, RetryRule, dag, task, task_group

from module4.platforms import WORKSPACE
from shared import steps
from shared.config import PRESETS
from shared.errors import ConfigError, DataError, ModelError, RegistryError

Summary = dict[str, Any]  # a task that is declared to return a dict gives one XCom per key: `flights["uri"]` is one

# A full disk or a lost connection may pass: such a task is tried again after 5 to 10, then after 10 to 20 seconds
# (Airflow spreads them). A wrong configuration or a broken file stays what it is: that task fails at once.
LASTING: list[type[BaseException] | str] = [ConfigError, DataError, ModelError, RegistryError]
RETRIES = {
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=1),
    "retry_policy": ExceptionRetryPolicy([RetryRule(LASTING, RetryAction.FAIL, reason="would fail again")]),
}

PARAMS = {
    "config": Param("tiny", type="string", pattern=rf"^({'|'.join(PRESETS)}|\{{[\s\S]*\}})$", examples=[*PRESETS]),
    "store": Param(str(WORKSPACE / "airflow"), type="string", minLength=1),
}


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


@task
def deploy(config: str, evaluation: str, registry: str, folder: str, run_id: str) -> Summary:
    """Stage the winner; promote it to production if it passed the gate."""
    return steps.deploy(config, evaluation, registry, f"{folder}/deploy", platform="airflow", run_id=run_id)


@task_group
def hyperparameter_search(config: str, features: Any, baseline: Any, folder: str) -> Any:
    """Refine around the baseline: trials side by side, then the best of them."""
    trials = propose_trials(config)
    baseline >> trials  # no data goes this way, but the search begins where the baseline stands
    results = run_trial.partial(config=config, features=features).expand(trial=trials)
    return select_best(config, features, results, folder)


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,  # the registry allows one deployment at a time
    params=PARAMS,
    default_args={**RETRIES, "execution_timeout": timedelta(hours=1)},
    doc_md=__doc__,
    tags=["late-arrival"],
)
def training() -> None:
    """Wire the tasks: passing one's result to another makes the edge. Airflow fills the templates when a task runs."""
    config = "{{ params.config }}"
    folder, registry = "{{ params.store }}/runs/{{ run_id }}", "{{ params.store }}/registry"
    flights = load_data(config, folder)["uri"]
    features = preprocess(config, flights, folder)["uri"]
    baseline = train(config, features, folder)["uri"]
    candidate = hyperparameter_search(config, features, baseline, folder)["uri"]
    evaluation = evaluate(config, features, baseline, candidate, registry, folder)["uri"]
    deploy(config, evaluation, registry, folder)  # Airflow knows the name `run_id` and fills it


training_dag = training()
