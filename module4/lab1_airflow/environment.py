"""The environment of a self-contained Airflow. Airflow reads it once, when it is first imported."""

import json
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from infra.processes import without_proxy
from module4.platforms import ROOT, WORKSPACE
from shared.errors import ConfigError
from shared.places import local_folder

LAB = Path(__file__).parent
# Airflow's variables of the caller's environment belong to another project, except for connections, which DAGs use by
# their names.
FOREIGN, OURS = ("AIRFLOW_", "_AIRFLOW_"), "AIRFLOW_CONN_"
# The connection for pods, and where `make cluster-up` leaves one. It names a kubeconfig, so KUBECONFIG is not passed
# on: Airflow's triggerer refuses two.
CONNECTION, CLUSTER = "AIRFLOW_CONN_KUBERNETES_DEFAULT", ROOT / "infra" / "kubernetes" / ".secrets" / "airflow.json"

# For laptops that are slow or busy: a service that answers late is not dead. Airflow's own limits, 5 to 50 seconds, are
# made for machines that do nothing else.
PATIENCE = {
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "120",
    "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "100",
    "AIRFLOW__WORKERS__SOCKET_CLEANUP_TIMEOUT": "300",
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "600",
    "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "600",
    "AIRFLOW__DAG_PROCESSOR__HEALTH_CHECK_THRESHOLD": "300",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "300",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "900",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "3600",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "300",
    "AIRFLOW__TRIGGERER__RUNNER_HEALTH_CHECK_THRESHOLD": "300",
}


def airflow_home(store: str) -> Path:
    """Return the folder of Airflow's database and logs: inside the store, so that two stores never share a database.

    Raises ConfigError if Airflow cannot use a folder of that name.
    """
    folder = local_folder(store) or WORKSPACE / "airflow"
    if os.path.expandvars(folder) != str(folder):
        raise ConfigError(f"store: Airflow replaces the variable in {str(folder)!r}; choose a folder without a $ sign.")
    return folder / "airflow_home"


def airflow_environment(home: Path, port: int = 8080, *, password: bool = False) -> dict[str, str]:
    """Return this process's environment, changed so that Airflow keeps everything in `home` and serves `port`.

    With `password` the UI asks for one; without, everybody on this machine is an administrator.
    """
    home = home.absolute()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) or name.startswith(OURS)
        # A SOCKS proxy stops Airflow's HTTP client even for addresses that need no proxy.
        if not (name.upper() == "ALL_PROXY" and value.startswith("socks"))
        if not (name == "KUBECONFIG" and cluster_connection(os.environ))
    }
    return {
        **inherited,
        **without_proxy(inherited),  # the services talk to each other over HTTP on this machine
        **PATIENCE,
        **cluster_connection(inherited),
        # Every path is set here. Airflow derives the others from its home, and fails if that has a % sign in it.
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(LAB),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(LAB / "config" / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        # SQLite has one writer at a time: the others wait, longer than the usual five seconds if they must.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{quote(str(home))}/airflow.db?timeout=60",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Two warnings that nobody here can act on: about the Kubernetes provider, and about drawing graphs as files.
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "airflow.cli.cli_parser=ERROR",
        "PYTHONWARNINGS": ",".join(filter(None, ["ignore:Could not import graphviz", inherited.get("PYTHONWARNINGS")])),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        # Steps take seconds here, and somebody is watching: look more often than a busy site would.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        # A worker may notice the end of its task only with its next heartbeat. If a deferred task has resumed before
        # that, the scheduler takes it for a lost one and retries it (https://github.com/apache/airflow/issues/72716).
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # Everything listens on this machine only.
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": str(not password),
        # `airflow` starts `airflow` again, and both import this project and airflow_local_settings.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), str(LAB / "config"), os.environ.get("PYTHONPATH")])),
    }


def cluster_connection(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what `make cluster-up` left for pods, unless `environment` names a connection.

    It is a connection, whose sidecar has the image of the steps.
    """
    if CONNECTION in environment or not CLUSTER.is_file():
        return {}
    text = CLUSTER.read_text(encoding="utf-8")
    return {CONNECTION: text, "PIPELINE_IMAGE": json.loads(text)["extra"]["xcom_sidecar_container_image"]}


def configure_airflow(store: str, **options: str) -> None:
    """Change this process's environment into that of the Airflow whose home is in `store`, and add `options`.

    Call it before the first import of Airflow.
    """
    environment = {**airflow_environment(airflow_home(store)), **options}
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def step_timeout() -> timedelta:
    """Return how long one attempt of a step may take. Raises ConfigError if STEP_TIMEOUT is not a number of seconds."""
    seconds = os.environ.get("STEP_TIMEOUT") or "900"
    if not (seconds.isascii() and seconds.isdecimal()) or not 0 < int(seconds) <= 86400:
        raise ConfigError(f"STEP_TIMEOUT: {seconds!r} is not a whole number of seconds from 1 to 86400, such as 60.")
    return timedelta(seconds=int(seconds))
