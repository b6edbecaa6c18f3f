"""What the DAG files share: parameters, retries, the callback for failures, and the assets between the DAGs."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, AssetAlias, ExceptionRetryPolicy, Param, RetryAction, RetryRule

from module4.lab1_airflow.environment import step_timeout
from module4.platforms import default_store
from shared.config import DATA_BEGIN, DATA_END, PRESETS
from shared.errors import ConfigError, DataError, ModelError, RegistryError

PARAMS = {
    "config": Param("tiny", type="string", pattern=rf"^({'|'.join(PRESETS)}|\{{[\s\S]*\}})$", examples=[*PRESETS]),
    "store": Param(default_store("airflow"), type="string", minLength=1),
}

# Templates: Airflow renders them when a task runs. `ds` is the day that the run is for.
DAY = "{{ ds }}"
CONFIG, REGISTRY, FOLDER = "{{ params.config }}", "{{ params.store }}/registry", "{{ params.store }}/runs/{{ run_id }}"

# One DAG triggers another through an asset: a task updates the asset, which creates an event, and the event carries
# what the other DAG needs to know. A task with an asset as its outlet updates it whenever it succeeds. Our tasks decide
# whether to update it, and for that Airflow has aliases.
PRODUCTION_MODEL, RETRAINING = Asset("production-model"), Asset("retraining")
PROMOTION, DECISION = AssetAlias("promotion"), AssetAlias("decision")


def requested_config(params: Mapping[str, Any], triggering_asset_events: Mapping[Any, Any]) -> str:
    """Return the configuration from the asset event that started this run, or else the run's own parameter."""
    events = [event for events in triggering_asset_events.values() for event in events]
    return str(events[-1].extra["config"] if events else params["config"])


def record_failure(context: Mapping[str, Any]) -> None:
    """Add a line to failures.jsonl in Airflow's home. A team would send a message: providers bring notifiers."""
    task = context["ti"]
    failure = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **{"dag": task.dag_id, "run": task.run_id, "task": task.task_id, "attempt": task.try_number},
        "error": f"{type(context['exception']).__name__}: {context['exception']}",
    }
    with (Path(os.environ["AIRFLOW_HOME"]) / "failures.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(failure) + "\n")


# The data covers one year. All its days are in the past, so Airflow runs only the days that you ask for.
DATA_YEAR: dict[str, Any] = {
    "start_date": datetime.combine(DATA_BEGIN, time(), UTC),
    "end_date": datetime.combine(DATA_END, time(), UTC),
    "catchup": False,
}

# A full disk or a lost connection may recover: such a task is retried after 5 to 10 seconds, then after 10 to 20
# (Airflow spreads them). A wrong configuration, a broken file or a missing token will not: that task fails at once.
PERMANENT: list[type[BaseException] | str] = [
    ConfigError,
    DataError,
    ModelError,
    RegistryError,
    "modal.exception.AuthError",
]
DEFAULT_ARGS: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=1),
    "retry_policy": ExceptionRetryPolicy([RetryRule(PERMANENT, RetryAction.FAIL, reason="would fail again")]),
    "execution_timeout": step_timeout(),  # a step that hangs is stopped and retried
    "on_failure_callback": record_failure,
}
