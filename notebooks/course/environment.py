"""Set what a platform needs before it is imported: where it keeps its records, and what its processes can import.

Each function changes the variables of this process only, and keeps everything in the lesson's store.
"""

import os
import sysconfig
from pathlib import Path

import pandas as pd

from module4.platforms import ROOT, WORKSPACE


def open_store(lesson: str, store: str = "") -> str:
    """Return the folder or URI for a lesson's artifacts: `store`, or the lesson's own place below `workspace/`.

    From here on, tables are shown in full.
    """
    pd.options.display.max_colwidth = None
    return store or str(WORKSPACE / "notebooks" / lesson)


def prepare_airflow(store: str) -> None:
    """Give Airflow its configuration, with a database in the store. Call it before the first import of Airflow."""
    from module4.lab1_airflow.environment import configure_airflow

    configure_airflow(store, AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR")


def prepare_kubeflow() -> None:
    """Let the processes that replace containers find this environment's programs and the course's code."""
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    os.environ["PYTHONPATH"] = str(ROOT)


def prepare_dagster(store: str) -> None:
    """Give Dagster a home for its records in the store. Only its errors are logged."""
    import logging

    from module4.lab3_dagster.run import prepare_home

    os.environ |= {"DAGSTER_HOME": str(prepare_home(store)), "DAGSTER_DISABLE_TELEMETRY": "yes"}
    logging.getLogger("dagster").setLevel(logging.CRITICAL)


def prepare_wandb(store: str) -> None:
    """Make Weights & Biases write below the store and print nothing."""
    Path(store).mkdir(parents=True, exist_ok=True)
    folders = ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR")
    os.environ |= dict.fromkeys(folders, store)
    os.environ |= {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}


def log_out_of_wandb(store: str) -> None:
    """Make sure that W&B finds neither a key nor a server, as on a machine where nobody has logged in."""
    os.environ |= {"WANDB_BASE_URL": "http://127.0.0.1:9", "NETRC": f"{store}/netrc"}
    os.environ.pop("WANDB_API_KEY", None)
