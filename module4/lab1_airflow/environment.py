"""The environment of a self-contained Airflow. Airflow reads it once, when it is first imported."""

import os
import sys
from datetime import timedelta
from pathlib import Path

from upath import UPath

from module4.platforms import ROOT, WORKSPACE
from shared.errors import ConfigError
from shared.storage import is_local

LAB = Path(__file__).parent
# Where the DAGs keep their artifacts unless a run's parameter `store` says otherwise: a folder or a URI.
STORE = os.environ.get("PIPELINE_STORE") or str(WORKSPACE / "airflow")


def airflow_home(store: str) -> Path:
    """Return the folder of Airflow's database and logs: inside the store, so that two stores never share a database."""
    path = UPath(store)
    folder = Path(path.path).absolute() if is_local(path) else WORKSPACE / "airflow"
    return folder / "airflow_home"


def airflow_environment(home: Path, port: int = 8080) -> dict[str, str]:
    """Return the variables that Airflow needs to keep everything in `home` and to serve its UI on `port`."""
    return {
        "AIRFLOW_HOME": str(home),
        # SQLite has one writer at a time: the others wait, longer than the usual five seconds if they must.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.absolute()}/airflow.db?timeout=60",
        "AIRFLOW__CORE__DAGS_FOLDER": str(LAB),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        # Steps take seconds here, and somebody is watching: look more often than a busy site would.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        # Everything listens on this machine only, so the UI needs no password.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        # `airflow` starts `airflow` again, and both import this project and airflow_local_settings.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), str(LAB / "config"), os.environ.get("PYTHONPATH")])),
    }


def step_timeout() -> timedelta:
    """Return how long one attempt of a step may take. Raises ConfigError if STEP_TIMEOUT is not a number of seconds."""
    seconds = os.environ.get("STEP_TIMEOUT") or "900"
    if not seconds.isdecimal() or not int(seconds):
        raise ConfigError(f"STEP_TIMEOUT: {seconds!r} is not a whole number of seconds above 0, such as 60.")
    return timedelta(seconds=int(seconds))
