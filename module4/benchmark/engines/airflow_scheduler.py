"""Airflow with its services, as `make ui-airflow` starts them: the scheduler runs what the API was asked for."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from infra.processes import supervised
from module4.benchmark.engines.noop import emit, free_port
from module4.lab1_airflow.environment import airflow_environment, airflow_home
from module4.lab1_airflow.server import SERVICES, Api

DAG = "noop"
SETTLE_SECONDS = 5  # so that what the services do after their start is not measured


def main() -> None:
    """Start the services, run the DAG once, stop them; Airflow's files are in the folder named on the command line."""
    home = airflow_home(sys.argv[1])
    home.mkdir(parents=True, exist_ok=True)
    environment = airflow_environment(home, free_port())
    environment["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(__file__).with_name("dags"))
    airflow = [sys.executable, "-m", "airflow"]
    subprocess.run([*airflow, "db", "migrate"], env=environment, check=True)
    services = [
        subprocess.Popen(supervised([*airflow, name, *options]), env=environment) for name, options in SERVICES.items()
    ]
    try:
        sys.exit(_run(Api(environment["AIRFLOW__API__BASE_URL"], "", "")) != "success")
    finally:
        for service in services:
            service.terminate()
        for service in services:
            service.wait()


def _run(api: Api) -> str:
    """Trigger the DAG as soon as Airflow knows it; return the run's state when it has ended."""
    while not _knows_dag(api):
        time.sleep(1)
    time.sleep(SETTLE_SECONDS)
    emit({"step": DAG, "state": "triggered", "time": time.time()})
    run: dict[str, Any] = api.ask(f"api/v2/dags/{DAG}/dagRuns", {"logical_date": None})
    while run["state"] in ("queued", "running"):
        time.sleep(0.5)
        run = api.ask(f"api/v2/dags/{DAG}/dagRuns/{run['dag_run_id']}")
    return str(run["state"])


def _knows_dag(api: Api) -> bool:
    try:
        api.log_in()
        api.ask(f"api/v2/dags/{DAG}")
    except HTTPError as error:
        if error.code != 404:
            raise
        return False
    except OSError:  # it does not answer yet
        return False
    return True


if __name__ == "__main__":
    main()
