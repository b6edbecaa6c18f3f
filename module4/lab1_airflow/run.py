"""Run the DAG headless: `dag.test()` runs scheduler, API and tasks in this one process, on a database of its own."""

import os
import sys
from pathlib import Path

from upath import UPath

from module4.platforms import ROOT, WORKSPACE
from shared import steps
from shared.config import PipelineConfig
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint
from shared.storage import is_local


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run the training DAG once and return the fingerprint. Raises PipelineError, naming the task, if it fails."""
    os.environ.update(environment(home(store)))

    from airflow.utils.db import upgradedb

    from module4.lab1_airflow.training import training_dag

    upgradedb()  # what `airflow db migrate` does: makes the tables the first time, and finds nothing to do later
    dag_run = training_dag.test(run_conf={"config": config.to_json(), "store": store})
    if dag_run.state != "success":
        failed = ", ".join(sorted(task.task_id for task in dag_run.get_task_instances(state="failed")))
        raise PipelineError(f"Airflow run {dag_run.run_id}: {dag_run.state}; failed: {failed or 'no task'}.")
    return steps.read_fingerprint(f"{store}/runs/{dag_run.run_id}/deploy")


def home(store: str) -> Path:
    """Return where Airflow keeps its database and logs: in the store, so that two stores never share a database."""
    path = UPath(store)
    folder = Path(path.path).absolute() if is_local(path) else WORKSPACE / "airflow"
    return folder / "airflow_home"


def environment(home: Path) -> dict[str, str]:
    """Return the settings of a self-contained Airflow; it reads them when it is first imported."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        # Everything listens on this machine only, so the UI needs no password.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        # `airflow` starts `airflow` again, and both import this project.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }
