"""Watch the model in production, and have it trained again when it has aged.

A run is for one Monday of 2013 and looks at the weeks before it: how far the flights and the predictions have moved
from what the model was trained on, and how well the predictions match what happened. If they no longer do, the run
makes an event of the asset `retraining`, which carries the configuration to train with. That event starts `training`.
"""

# Type checkers cannot follow what a promised result holds:
# mypy: disable-error-code="arg-type, call-arg, index"
from typing import Any

from airflow.sdk import dag, task

from module4.lab1_airflow import settings
from module4.lab1_airflow.settings import CONFIG, DAY, FOLDER, REGISTRY, Summary
from shared import steps


@task(inlets=[settings.PRODUCTION_MODEL])
def measure_drift(config: str, registry: str, day: str, folder: str) -> Summary:
    """Compare the weeks before the day with those that the model was trained on."""
    return steps.measure_drift(config, registry, day, f"{folder}/measure_drift")


@task(outlets=[settings.DECISION])
def decide_retraining(config: str, drift: str, folder: str, outlet_events: Any) -> Summary:
    """Decide, and if the model is outdated, ask for a new one."""
    decision = steps.decide_retraining(config, drift, f"{folder}/decide_retraining")
    if decision["retrain"]:
        why = {"config": decision["config"], "reasons": decision["reasons"]}
        outlet_events[settings.DECISION].add(settings.RETRAINING, extra=why)
    return decision


@dag(
    schedule="0 0 * * MON",
    **settings.YEAR,
    max_active_runs=1,  # a week is judged after the one before it
    params=settings.PARAMS,
    default_args=settings.DEFAULTS,
    doc_md=__doc__,
    tags=["late-arrival"],
)
def monitoring() -> None:
    """Wire the tasks."""
    drift = measure_drift(CONFIG, REGISTRY, DAY, FOLDER)["uri"]
    decide_retraining(CONFIG, drift, FOLDER)


monitoring_dag = monitoring()
