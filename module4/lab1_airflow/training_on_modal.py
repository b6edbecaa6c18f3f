"""Train on Modal: Airflow keeps the schedule and the history, Modal provides the machines.

The only task calls the function `pipeline` of the Modal app `training`. The app must be deployed (lab 4 shows how), and
Airflow's environment needs Modal's token. Without a token the task fails at once and says so.

| parameter | meaning |
|---|---|
| `config` | `tiny`, `lab`, `full`, or a whole configuration as JSON |

The artifacts stay on the app's volume. The summary that the task returns has the fingerprint and the version.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from module4.lab1_airflow import common
from shared.storage import Summary


@task(execution_timeout=timedelta(hours=1))  # not one step but the whole pipeline
def train(config_json: str) -> Summary:
    """Run the whole pipeline in Modal's cloud and wait for its summary."""
    # Lab 1 alone may import another platform, and only here: this task is a call from one to the other. The import is
    # inside the task because Airflow reads this file every few seconds, and only the task needs Modal.
    import modal

    summary: Summary = modal.Function.from_name("training", "pipeline").remote(config_json)
    return summary


@dag(
    schedule=None,
    max_active_runs=1,
    params={"config": common.PARAMS["config"]},
    default_args=common.DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["late-arrival", "modal"],
)
def training_on_modal() -> None:
    """Wire the only task."""
    train(common.CONFIG)


training_on_modal_dag = training_on_modal()
