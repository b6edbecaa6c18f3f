"""Predict a day's flights with the model in production.

A run is for one day of 2013 and writes one partition, `<store>/predictions/date=<day>`: run again, it writes the same.
Runs for days that have passed are called a backfill:

    python -m module4.lab1_airflow backfill create --dag-id inference --from-date 2013-03-11 --to-date 2013-03-24
"""

# Type checkers cannot follow what a promised result holds:
# mypy: disable-error-code="arg-type, call-arg, index"
from airflow.sdk import dag, task

from module4.lab1_airflow import settings
from module4.lab1_airflow.settings import CONFIG, DAY, FOLDER, REGISTRY, Summary
from shared import steps


@task
def load_batch(config: str, day: str, folder: str) -> Summary:
    """Make the features of the flights that are scheduled on the day."""
    return steps.load_batch(config, day, f"{folder}/load_batch")


@task(inlets=[settings.PRODUCTION_MODEL])
def load_model(config: str, registry: str, folder: str) -> Summary:
    """Copy the model that is in production: a deployment in the meantime does not disturb this run."""
    return steps.load_model(config, registry, f"{folder}/load_model")


@task
def predict(config: str, batch: str, model: str, folder: str) -> Summary:
    """Give each flight its probability of being late."""
    return steps.predict(config, batch, model, f"{folder}/predict")


@task
def save_predictions(config: str, predictions: str, partitions: str) -> Summary:
    """Write the day's partition, in place of an earlier one."""
    return steps.save_predictions(config, predictions, partitions)


@dag(
    schedule="@daily",
    **settings.YEAR,
    max_active_runs=4,  # days do not depend on each other
    params=settings.PARAMS,
    default_args=settings.DEFAULTS,
    doc_md=__doc__,
    tags=["late-arrival"],
)
def inference() -> None:
    """Wire the tasks; the first two run side by side."""
    batch = load_batch(CONFIG, DAY, FOLDER)["uri"]
    model = load_model(CONFIG, REGISTRY, FOLDER)["uri"]
    predictions = predict(CONFIG, batch, model, FOLDER)["uri"]
    save_predictions(CONFIG, predictions, "{{ params.store }}/predictions")


inference_dag = inference()
