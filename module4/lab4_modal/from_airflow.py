"""An Airflow DAG whose task runs the deployed Modal app: Airflow keeps the schedule, Modal brings the machines.

Importing this file needs no account; the call does. Airflow reads DAG files over and over, so the function is looked
up in the task, not here.
"""

from airflow.sdk import Param, dag, task

from shared.storage import Summary


@dag(schedule=None, catchup=False, params={"config": Param("tiny", type="string")})
def training_on_modal() -> None:
    """Train on Modal; `config` is a preset's name or a whole configuration as JSON."""

    @task
    def train(config: str) -> Summary:
        import modal

        summary: Summary = modal.Function.from_name("training", "pipeline").remote(config)
        return summary

    train("{{ params.config }}")


training_on_modal_dag = training_on_modal()
