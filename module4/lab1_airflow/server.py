"""Airflow's services and its UI, on this machine only, until Ctrl-C."""

import fcntl
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import psutil

from infra.processes import interrupt_on_stop_signals, supervised, tree
from module4.ports import check_port
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
MINUTE = 60
SECONDS_TO_STALL = 180  # even a service that waits for others uses some CPU time in three minutes

Service = subprocess.Popen[bytes]


def serve(environment: dict[str, str], user: str = "") -> None:
    """Run Airflow with its UI until SIGINT, SIGTERM or SIGHUP; the services' output goes to files in its home.

    `environment` is Airflow's. Only `user` can log in, with a password from a file; if empty, everyone on this machine
    is an administrator. Raises PipelineError with the cause when a service ends or does not become ready.
    """
    url, home = environment["AIRFLOW__API__BASE_URL"], Path(environment["AIRFLOW_HOME"])
    check_port(int(environment["AIRFLOW__API__PORT"]), "ui-airflow")
    interrupt_on_stop_signals()
    logs = _make_folder(home / "logs", private=bool(user))
    with _only_one(home):
        password = _write_password(Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), user)
        print(f"Airflow is starting, which takes half a minute. Its output goes to {logs}", flush=True)
        if _start(["db", "migrate"], environment, logs).wait():
            raise PipelineError(
                f"Airflow's database cannot be used. See why in {logs}/db.log, or remove it: make clean"
            )
        services = {name: _start([name, *options], environment, logs) for name, options in SERVICES.items()}
        try:
            _trigger_first_run(Api(url, user, password), Startup(services, logs))
            print(f"Airflow is ready: {url}/dags/training/runs/{FIRST_RUN}    (Ctrl-C stops it)", flush=True)
            if user:
                print(f"User {user}, password {password}", flush=True)
            while not _ended(services):
                time.sleep(1)
            raise PipelineError(f"Airflow's {_ended(services)} ended. See why in {logs}.")
        except KeyboardInterrupt:
            print("Airflow is stopping.", flush=True)
        finally:
            for service in services.values():
                service.terminate()
            for service in services.values():
                service.wait()


class Startup:
    """The services while they start: which have ended, and whether the one we wait for is still doing something."""

    def __init__(self, services: dict[str, Service], logs: Path) -> None:
        self.services, self.logs = services, logs
        self.begin = self.reported = self.worked = time.monotonic()
        self.cpu_seconds: dict[str, float] = {}

    def wait_for(self, name: str, problem: str) -> None:
        """Wait a second for the service `name`, which has the `problem`; print that once a minute.

        Raises PipelineError if a service has ended, or if this one has used no CPU time for SECONDS_TO_STALL.
        """
        if ended := _ended(self.services):
            raise PipelineError(f"Airflow's {ended} ended while starting. See why in {self.logs}.")
        now, used = time.monotonic(), _cpu_seconds(self.services[name])
        if used != self.cpu_seconds.get(name):
            self.worked, self.cpu_seconds[name] = now, used
        if now - self.worked > SECONDS_TO_STALL:
            minutes = SECONDS_TO_STALL // MINUTE
            raise PipelineError(
                f"Airflow's {name} {problem}; it has done nothing for {minutes} minutes. See {self.logs}."
            )
        if now - self.reported > MINUTE:
            minutes = round((now - self.begin) / MINUTE)
            print(f"Still starting after {minutes} min: the {name} {problem} yet.", flush=True)
            self.reported = now
        time.sleep(1)


class Api:
    """Airflow's REST API, asked directly and not through a proxy. Methods raise OSError; HTTPError is a kind of it."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self.token = url, ""
        self.login = {"username": user, "password": password} if user else None
        self.open = build_opener(ProxyHandler({})).open

    def log_in(self) -> None:
        """Get the token that the other requests carry."""
        self.token = self.ask("auth/token", self.login)["access_token"]

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer to a GET, or to a POST if there is a `body`."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with self.open(Request(f"{self.url}/{path}", data, headers), timeout=30) as answer:
            return json.load(answer)


def _trigger_first_run(api: Api, startup: Startup) -> None:
    """Trigger one training run as soon as Airflow knows the DAG, so that there is something to look at."""
    begin = datetime.now(UTC)
    while True:
        try:
            api.log_in()
            _refuse_broken_dag(api.ask("api/v2/importErrors")["import_errors"], begin)
            api.ask("api/v2/dags/training/dagRuns", {"dag_run_id": FIRST_RUN, "logical_date": None})
            return
        except HTTPError as error:
            if error.code == 409:  # the run exists from an earlier start
                return
            if error.code == 404:
                startup.wait_for("dag-processor", "has not read training.py")
            else:
                startup.wait_for("api-server", f"answers {error.code} ({error.reason}) and is not ready")
        except OSError:
            startup.wait_for("api-server", "does not answer")


def _refuse_broken_dag(import_errors: list[dict[str, Any]], begin: datetime) -> None:
    """Raise PipelineError if Airflow has failed since `begin` to import training.py."""
    for error in import_errors:
        if error["filename"].endswith("training.py") and datetime.fromisoformat(error["timestamp"]) >= begin:
            raise PipelineError(f"Airflow cannot import training.py: {error['stack_trace'].strip().splitlines()[-1]}")


def _make_folder(folder: Path, private: bool) -> Path:
    """Create the folder for logs inside Airflow's home; if `private`, other users cannot look into the home."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if private:
            folder.parent.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"store: {folder} cannot be created: {error.strerror}. Set PIPELINE_STORE.") from None
    return folder


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold a lock while Airflow runs: two schedulers cannot share a SQLite database."""
    with (home / "ui.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"store: Airflow already runs in {home}. Stop it, or set PIPELINE_STORE.") from None
        yield


def _write_password(file: Path, user: str) -> str:
    """Return the password of `user` from `file`, which only this user can read; write a new one if there is none."""
    if not user:
        return ""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(file.read_text(encoding="utf-8"))[user])
    file.unlink(missing_ok=True)
    password = secrets.token_urlsafe(12)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as new:
        json.dump({user: password}, new)
    return password


def _start(command: list[str], environment: dict[str, str], logs: Path) -> Service:
    # In another session, so that Ctrl-C reaches only this program. The supervisor ends the service, and all that it
    # started, when this program ends, however that happens.
    with (logs / f"{command[0]}.log").open("ab") as log:
        return subprocess.Popen(
            supervised([sys.executable, "-m", "airflow", *command]),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _ended(services: dict[str, Service]) -> str:
    return ", ".join(name for name, process in services.items() if process.poll() is not None)


def _cpu_seconds(service: Service) -> float:
    """Return the CPU time that a service's processes have used, without its supervisor's."""
    seconds = 0.0
    for process in tree(service.pid):
        with suppress(psutil.Error):
            if "infra.processes" not in process.cmdline():
                times = process.cpu_times()
                seconds += times.user + times.system
    return seconds
