"""Watch the model in production, and trigger its retraining when it has aged.

Each run is for one Monday of 2013 and looks back at the weeks before it: how far the flights and the predictions have
drifted from the training data, and how well the predictions match what happened. If they no longer match, the run
updates the asset `retraining`. The event carries the configuration to train with, and it triggers `training`.
"""

from typing import Any

from airflow.sdk import dag, task

from module4.lab1_airflow import common
from shared import steps
from shared.storage import Summary


@task(inlets=[common.PRODUCTION_MODEL])
def measure_drift(config_json: str, registry: str, day: str, folder: str) -> Summary:
    """Compare the weeks before the day with those the model was trained on."""
    return steps.measure_drift(config_json, registry, day, f"{folder}/measure_drift")


@task(outlets=[common.DECISION])
def decide_retraining(config_json: str, drift: str, folder: str, outlet_events: Any) -> Summary:
    """Decide whether the model is outdated, and if so, request a new one."""
    decision = steps.decide_retraining(config_json, drift, f"{folder}/decide_retraining")
    if decision["retrain"]:
        why = {"config": decision["config"], "reasons": decision["reasons"]}
        outlet_events[common.DECISION].add(common.RETRAINING, extra=why)
    return decision


@dag(
    schedule="0 0 * * MON",
    **common.DATA_YEAR,
    max_active_runs=1,  # a week is judged after the one before it
    params=common.PARAMS,
    default_args=common.DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["late-arrival"],
)
def monitoring() -> None:
    """Wire the tasks."""
    drift = measure_drift(common.CONFIG, common.REGISTRY, common.DAY, common.FOLDER)["uri"]
    decide_retraining(common.CONFIG, drift, common.FOLDER)


monitoring_dag = monitoring()
