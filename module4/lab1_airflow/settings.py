"""What the DAG files have in common: parameters, retries, what happens on failure, and the assets between DAGs."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, AssetAlias, ExceptionRetryPolicy, Param, RetryAction, RetryRule

from module4.lab1_airflow.run import STORE, step_timeout
from shared.config import DATA_BEGIN, DATA_END, PRESETS
from shared.errors import ConfigError, DataError, ModelError, RegistryError

Summary = dict[str, Any]  # a task that is declared to return a dict gives one XCom per key: `flights["uri"]` is one

PARAMS = {
    "config": Param("tiny", type="string", pattern=rf"^({'|'.join(PRESETS)}|\{{[\s\S]*\}})$", examples=[*PRESETS]),
    "store": Param(STORE, type="string", minLength=1),
}

# Templates: Airflow fills them when a task runs. `ds` is the day that the run is for.
DAY = "{{ ds }}"
CONFIG, REGISTRY, FOLDER = "{{ params.config }}", "{{ params.store }}/registry", "{{ params.store }}/runs/{{ run_id }}"

# One DAG tells another that something has changed by an event of an asset, and the event carries what to know about it.
# A task that has an asset as its outlet makes an event whenever it succeeds. These tasks decide whether they make one,
# and an alias is how Airflow lets them.
PRODUCTION_MODEL, RETRAINING = Asset("production-model"), Asset("retraining")
PROMOTION, DECISION = AssetAlias("promotion"), AssetAlias("decision")


def wanted_config(params: Mapping[str, Any], triggering_asset_events: Mapping[Any, Any]) -> str:
    """Return the configuration that the event which started this run carries, or else the run's parameter."""
    events = [event for events in triggering_asset_events.values() for event in events]
    return str(events[-1].extra["config"] if events else params["config"])


def note_failure(context: Mapping[str, Any]) -> None:
    """Add a line to failures.jsonl in Airflow's home. A team would have a message sent: providers bring notifiers."""
    task = context["ti"]
    note = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **{"dag": task.dag_id, "run": task.run_id, "task": task.task_id, "attempt": task.try_number},
        "error": f"{type(context['exception']).__name__}: {context['exception']}",
    }
    with (Path(os.environ["AIRFLOW_HOME"]) / "failures.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(note) + "\n")


# The data is of one year. Its days are past, so none of them is due, and Airflow runs those that it is asked for.
YEAR: dict[str, Any] = {
    "start_date": datetime.combine(DATA_BEGIN, time(), UTC),
    "end_date": datetime.combine(DATA_END, time(), UTC),
    "catchup": False,
}

# A full disk or a lost connection may pass: such a task is tried again after 5 to 10, then after 10 to 20 seconds
# (Airflow spreads them). A wrong configuration or a broken file stays what it is: that task fails at once.
LASTING: list[type[BaseException] | str] = [ConfigError, DataError, ModelError, RegistryError]
DEFAULTS: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=1),
    "retry_policy": ExceptionRetryPolicy([RetryRule(LASTING, RetryAction.FAIL, reason="would fail again")]),
    "execution_timeout": step_timeout(),  # a step that hangs is ended, and tried again
    "on_failure_callback": note_failure,
}
