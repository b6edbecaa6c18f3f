"""`python -m module4.lab1_airflow COMMAND …` is the `airflow` command with this lab's settings.

Two commands are added: `ui` starts everything until Ctrl-C, and `break STEP:KIND` triggers a training run that fails.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil

from module4.lab1_airflow.run import STORE, environment, home, step_timeout
from shared.config import preset
from shared.errors import ConfigError, PipelineError, exit_on_error
from shared.faults import parse_fault

# `airflow standalone` starts these too, but its log servers listen to the whole network, and nothing here needs them;
# and it leaves them behind when it is told to stop by SIGTERM.
SERVICES = {
    "api-server": [],
    "dag-processor": [],
    "scheduler": ["--skip-serve-logs"],
    "triggerer": ["--skip-serve-logs"],
}
FIRST_RUN = "first-run"
SECONDS_TO_START, SECONDS_TO_STOP = 180, 10


def serve(settings: dict[str, str]) -> None:
    """Run Airflow with its UI until Ctrl-C or SIGTERM; the services' output goes to files in its home."""
    url, logs = settings["AIRFLOW__API__BASE_URL"], Path(settings["AIRFLOW_HOME"]) / "logs"
    _refuse_used_port(int(settings["AIRFLOW__API__PORT"]))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to stop by either signal is the same
    logs.mkdir(parents=True, exist_ok=True)
    print(f"Airflow starts; this takes half a minute. Its output is in {logs}", flush=True)
    if _start(["db", "migrate"], settings, logs).wait():
        raise PipelineError(f"Airflow's database cannot be used. See why in {logs}/db.log, or remove it: make clean")
    services = {name: _start([name, *options], settings, logs) for name, options in SERVICES.items()}
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


def _start(command: list[str], settings: dict[str, str], logs: Path) -> subprocess.Popen[bytes]:
    # In a session of its own: Ctrl-C reaches only this program, which stops the services one after the other.
    with (logs / f"{command[0]}.log").open("ab") as log:
        return subprocess.Popen(
            ["airflow", *command], env=settings, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
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
    """End the services and whatever they started; who does not end in time is killed."""
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


def main(arguments: list[str]) -> None:
    """Run one command."""
    settings = {**os.environ, **environment(home(STORE), int(os.environ.get("PORT") or 8080))}
    match arguments:
        case ["ui"]:
            step_timeout()  # wrong, it would be found by the DAG files one by one
            serve(settings)
            return
        case ["break", fault]:
            config = preset("tiny", fault=parse_fault(fault, STORE)).to_json()
            arguments = ["dags", "trigger", "training", "--conf", json.dumps({"config": config})]
        case ["backfill", *_]:
            settings["SQLITE_BEGIN_AS_WRITER"] = "yes"  # see config/airflow_local_settings.py
    os.execvpe("airflow", ["airflow", *arguments], settings)


if __name__ == "__main__":
    with exit_on_error():
        main(sys.argv[1:])
