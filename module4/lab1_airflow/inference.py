"""Predict a day's flights with the model in production.

Each run is for one day of 2013 and writes one partition, `<store>/predictions/date=<day>`. Running it again writes the
same partition. Running past days on purpose is called a backfill:

    airflow backfill create --dag-id inference --from-date 2013-03-11 --to-date 2013-03-24
"""

from airflow.sdk import dag, task

from module4.lab1_airflow import common
from shared import steps
from shared.storage import Summary


@task
def load_batch(config_json: str, day: str, folder: str) -> Summary:
    """Build the features of the flights scheduled on that day."""
    return steps.load_batch(config_json, day, f"{folder}/load_batch")


@task(inlets=[common.PRODUCTION_MODEL])
def load_model(config_json: str, registry: str, folder: str) -> Summary:
    """Copy the production model, so that a deployment in the meantime does not disturb this run."""
    return steps.load_model(config_json, registry, f"{folder}/load_model")


@task
def predict(config_json: str, batch: str, model: str, folder: str) -> Summary:
    """Predict each flight's probability of being late."""
    return steps.predict(config_json, batch, model, f"{folder}/predict")


@task
def save_predictions(config_json: str, predictions: str, partitions: str) -> Summary:
    """Write the day's partition, replacing an earlier one."""
    return steps.save_predictions(config_json, predictions, partitions)


@dag(
    schedule="@daily",
    **common.DATA_YEAR,
    max_active_runs=4,  # days do not depend on each other
    params=common.PARAMS,
    default_args=common.DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["late-arrival"],
)
def inference() -> None:
    """Wire the tasks; the first two run in parallel."""
    batch = load_batch(common.CONFIG, common.DAY, common.FOLDER)["uri"]
    model = load_model(common.CONFIG, common.REGISTRY, common.FOLDER)["uri"]
    predictions = predict(common.CONFIG, batch, model, common.FOLDER)["uri"]
    save_predictions(common.CONFIG, predictions, "{{ params.store }}/predictions")


inference_dag = inference()
