"""An Airflow DAG whose task runs the deployed Modal app: Airflow keeps the schedule, Modal brings the machines.

Importing this file needs no account; the call does. Airflow reads DAG files over and over, so the function is looked
up in the task, not here.
"""

from airflow.sdk import dag, task

from shared.config import preset
from shared.storage import Summary


@dag(schedule=None, catchup=False)
def training_on_modal() -> None:
    """Train on Modal."""

    @task
    def train(preset_name: str) -> Summary:
        import modal

        summary: Summary = modal.Function.from_name("training", "pipeline").remote(preset(preset_name).to_json())
        return summary

    train("tiny")


training_on_modal_dag = training_on_modal()
