"""Airflow's services and its UI, on this machine only, until Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil

from shared.errors import ConfigError, PipelineError

# `airflow standalone` starts these too. But its log servers, which nothing here needs, listen to the whole network, and
# when SIGTERM stops it, the services stay behind.
SERVICES = {
    "api-server": [],
    "dag-processor": [],
    "scheduler": ["--skip-serve-logs"],
    "triggerer": ["--skip-serve-logs"],
}
FIRST_RUN = "first-run"
SECONDS_TO_START, SECONDS_TO_STOP = 180, 10


def serve(environment: dict[str, str]) -> None:
    """Run Airflow with its UI until Ctrl-C or SIGTERM; the services' output goes to files in its home."""
    url, logs = environment["AIRFLOW__API__BASE_URL"], Path(environment["AIRFLOW_HOME"]) / "logs"
    _refuse_used_port(int(environment["AIRFLOW__API__PORT"]))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both signals stop it in the same way
    logs.mkdir(parents=True, exist_ok=True)
    print(f"Airflow is starting, which takes half a minute. Its output goes to {logs}", flush=True)
    if _start(["db", "migrate"], environment, logs).wait():
        raise PipelineError(f"Airflow's database cannot be used. See why in {logs}/db.log, or remove it: make clean")
    services = {name: _start([name, *options], environment, logs) for name, options in SERVICES.items()}
    try:
        _trigger_first_run(url)
        print(f"Airflow is ready: {url}/dags/training/runs/{FIRST_RUN}    (Ctrl-C stops it)", flush=True)
        while not _ended(services):
            time.sleep(1)
        raise PipelineError(f"Airflow's {_ended(services)} ended. See why in {logs}.")
    except KeyboardInterrupt:
        print("Airflow stops.", flush=True)
    finally:
        _stop(list(services.values()))


def _refuse_used_port(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigError(f"PORT: {port} is in use. Choose another one: make ui-airflow PORT={port + 1}")


def _start(command: list[str], environment: dict[str, str], logs: Path) -> subprocess.Popen[bytes]:
    # Each service has its own session: Ctrl-C reaches only this program, which then stops the services.
    with (logs / f"{command[0]}.log").open("ab") as log:
        return subprocess.Popen(
            ["airflow", *command], env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def _ended(services: dict[str, subprocess.Popen[bytes]]) -> str:
    return ", ".join(name for name, process in services.items() if process.poll() is not None)


def _trigger_first_run(url: str) -> None:
    """Ask for one training run as soon as Airflow knows the DAG, so that there is something to look at."""
    body = json.dumps({"dag_run_id": FIRST_RUN, "logical_date": None}).encode()
    give_up = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < give_up:
        time.sleep(1)
        try:
            with urlopen(f"{url}/auth/token", timeout=30) as answer:
                token = json.load(answer)["access_token"]
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            urlopen(Request(f"{url}/api/v2/dags/training/dagRuns", body, headers), timeout=30).close()
            return
        except HTTPError as error:
            if error.code == 409:  # it was there before
                return
        except OSError:  # nobody listens yet
            continue
    raise PipelineError(f"Airflow did not know the DAG `training` after {SECONDS_TO_START} s.")


def _stop(services: list[subprocess.Popen[bytes]]) -> None:
    """End the services and everything they started; processes that do not stop in time are killed."""
    for service in services:
        service.terminate()
    give_up = time.monotonic() + SECONDS_TO_STOP
    while _started_by(services) and time.monotonic() < give_up:
        time.sleep(0.2)
    while alive := _started_by(services):  # one that is killed may have started another just before
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=1)
    for service in services:
        service.wait()


def _started_by(services: list[subprocess.Popen[bytes]]) -> list[psutil.Process]:
    """Return what runs in the services' sessions: also the children of those that have ended already."""
    sessions = {service.pid for service in services}
    return [process for process in psutil.process_iter() if _session(process) in sessions]


def _session(process: psutil.Process) -> int | None:
    with suppress(psutil.NoSuchProcess, OSError):
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getsid(process.pid)
    return None
