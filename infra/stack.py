"""`python -m infra.stack COMMAND`: the services of infra/compose.yaml, for `make up`, `down`, `logs` and `status`."""

import argparse
import json
import os
import secrets
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.engine import (
    ROOT,
    SERVICES_IMAGE,
    InfraError,
    check_engine,
    compose_command,
    exit_on_infra_error,
    image_size,
    output,
)

PROJECT = "one-pipeline"
PROFILES = ("airflow", "dagster", "storage", "jupyter")
FILES = {"processes": ("compose.yaml",), "docker": ("compose.yaml", "compose.containers.yaml")}
# A profile's port on this machine: the variable that changes it, and what it is otherwise.
PORTS = {
    "airflow": ("AIRFLOW_PORT", 8080),
    "dagster": ("DAGSTER_PORT", 3000),
    "storage": ("S3_PORT", 9000),
    "jupyter": ("JUPYTER_PORT", 8888),
}
BUCKET = "s3://course"
SOCKET = "/var/run/docker.sock"
START_SECONDS = 900  # even a slow laptop has started everything by then


def _token() -> str:
    return secrets.token_hex(32)  # 64 characters: what Airflow wants to sign its tokens with


def _fernet_key() -> str:
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


SECRETS: dict[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": _token,
    "AIRFLOW_DB_PASSWORD": _token,
    "DAGSTER_DB_PASSWORD": _token,
    "AIRFLOW_JWT_SECRET": _token,
    "AIRFLOW_SECRET_KEY": _token,
    "AIRFLOW_FERNET_KEY": _fernet_key,
    "AIRFLOW_PASSWORD": lambda: secrets.token_urlsafe(12),
    "S3_ACCESS_KEY": lambda: secrets.token_hex(10),
    "S3_SECRET_KEY": _token,
    "JUPYTER_TOKEN": _token,
}


def read_environment(file: Path) -> dict[str, str]:
    """Return the variables of a file with lines NAME=value; a missing file has none."""
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def ensure_secrets(file: Path) -> dict[str, str]:
    """Write the secrets that `file` lacks, keep the others, and return all. Only this user may read the file."""
    known = read_environment(file)
    missing = {name: make() for name, make in SECRETS.items() if not known.get(name)}
    if missing or not file.exists():
        values = {"COMPOSE_PROJECT_NAME": PROJECT, **known, **missing}
        text = "# Made by `make up`. The volumes remember these: remove this file only after make down VOLUMES=1.\n"
        text += "".join(f"{name}={value}\n" for name, value in values.items())
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
        new.replace(file)
    file.chmod(0o600)
    return read_environment(file)


def parse_profiles(text: str) -> list[str]:
    """Return the profiles in a list like "airflow storage". Raises InfraError if there is none, or one is unknown."""
    names = text.replace(",", " ").split()
    for name in names:
        if name not in PROFILES:
            raise InfraError(f"PROFILE: {name!r} is not one of {', '.join(PROFILES)}.")
    if not names:
        raise InfraError(f"PROFILE: name one or more of {', '.join(PROFILES)}, such as PROFILE=airflow.")
    return names


def settings(profiles: Sequence[str], launcher: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the choice of profiles and launcher sets; the caller's own ones come first."""
    chosen: dict[str, str] = {}
    if "storage" in profiles:
        chosen["PIPELINE_STORE"] = BUCKET
    if launcher == "docker":
        chosen["DAGSTER_LAUNCHER"] = "containers"
        try:
            chosen["DOCKER_GROUP"] = str(os.stat(environment.get("DOCKER_SOCKET", SOCKET)).st_gid)
        except OSError as error:
            raise InfraError(f"LAUNCHER=docker needs the engine's socket: {error}. Name it: DOCKER_SOCKET=…") from None
    return {name: value for name, value in chosen.items() if not environment.get(name)}


class Stack:
    """The services of one choice of profiles and launcher."""

    def __init__(self, profiles: Sequence[str], launcher: str = "processes") -> None:
        check_engine()
        self.profiles = profiles
        self.values = ensure_secrets(ROOT / "infra" / ".env")
        self.environment = {**os.environ, **settings(profiles, launcher, os.environ)}
        files = [f"--file={ROOT / 'infra' / name}" for name in FILES[launcher]]
        self.command = [*compose_command(), *files, *(f"--profile={profile}" for profile in profiles)]

    def compose(self, *arguments: str) -> int:
        """Run a command of Compose and return its exit status."""
        return subprocess.run([*self.command, *arguments], env=self.environment).returncode

    def states(self) -> dict[str, str]:
        """Return each service's state: running, healthy, starting, done, or why it is not."""
        listed = subprocess.run(
            [*self.command, "ps", "--all", "--format", "json"], env=self.environment, capture_output=True, text=True
        )
        if listed.returncode:
            raise InfraError(f"Compose does not list its services: {listed.stderr.strip()}")
        text = listed.stdout.strip()
        # One object per line; before Compose 2.21, one list of all.
        found = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
        return {container["Service"]: state_of(container) for container in found}

    def up(self) -> None:
        """Start the services and wait until all are healthy. Raises InfraError, with the reason, if one is not."""
        image = self.environment.get("SERVICES_IMAGE", SERVICES_IMAGE)
        if image_size(image) is None:
            raise InfraError(f"the image {image} is not there. Build it: make image")
        running = self.states()
        for profile in self.profiles:
            variable, port = self.port(profile)
            if not running and is_busy(port):
                raise InfraError(f"port {port} is busy. Stop what uses it, or choose another: {variable}={port + 1}")
        if self.compose("up", "--detach", "--remove-orphans"):
            raise InfraError("Compose did not start the services; the reason is above. See more: make logs")
        self.wait()
        self.status()

    def wait(self) -> None:
        """Wait until every service is healthy or has done its work."""
        begin, said = time.monotonic(), ""
        while True:
            states = self.states()
            waiting = sorted(name for name, state in states.items() if state not in ("healthy", "running", "done"))
            for name in waiting:
                if states[name].startswith("failed"):
                    self.compose("logs", "--tail=20", name)
                    raise InfraError(f"{name} {states[name]}; its last lines are above.")
            if not waiting:
                return
            if time.monotonic() - begin > START_SECONDS:
                raise InfraError(f"not healthy after {START_SECONDS} s: {', '.join(waiting)}. See why: make logs")
            if said != (said := ", ".join(waiting)):
                print(f"after {time.monotonic() - begin:3.0f} s waiting for: {said}", flush=True)
            time.sleep(2)

    def port(self, profile: str) -> tuple[str, int]:
        """Return the variable and the number of a profile's port on this machine."""
        variable, port = PORTS[profile]
        return variable, int(self.environment.get(variable) or port)

    def status(self) -> None:
        """Print the services' states, and the addresses and passwords of those that run."""
        states = self.states()
        if not states:
            print("Nothing runs. Start something: make up PROFILE=airflow")
        for name, state in sorted(states.items()):
            print(f"{name:<24}{state}")
        notes = {
            "airflow-api": ("airflow", f"user admin, password {self.values['AIRFLOW_PASSWORD']}"),
            "dagster-web": ("dagster", ""),
            "storage": ("storage", f"S3; the bucket is {BUCKET}, the keys are in infra/.env"),
            "jupyter": ("jupyter", f"token {self.values['JUPYTER_TOKEN']}"),
        }
        for service, (profile, note) in notes.items():
            if states.get(service) in ("healthy", "running"):
                print(f"http://127.0.0.1:{self.port(profile)[1]}    {service} {note}".rstrip())


def state_of(container: Mapping[str, object]) -> str:
    """Return one word, or a sentence, for what Compose says of a container."""
    state, health = str(container.get("State", "")), str(container.get("Health", ""))
    if state == "exited":
        code = container.get("ExitCode", 0)
        return "done" if code == 0 else f"failed with exit status {code}"
    if state in ("dead", "removing"):
        return f"failed: {state}"
    return health or state


def is_busy(port: int) -> bool:
    """Return whether anything on this machine listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "logs", "status"])
    parser.add_argument("--profile", default="", help=f"one or more of {', '.join(PROFILES)}")
    parser.add_argument("--launcher", default="processes", choices=[*FILES], help="how Dagster starts a run")
    parser.add_argument("--volumes", action="store_true", help="down: remove all data too")
    options = parser.parse_args()
    with exit_on_infra_error(options.command):
        everything = options.command != "up" and not options.profile
        stack = Stack(PROFILES if everything else parse_profiles(options.profile), options.launcher)
        if options.command == "up":
            stack.up()
        elif options.command == "status":
            stack.status()
        elif options.command == "logs":
            stack.compose("logs", "--follow", "--tail=100")
        else:
            down(stack, options.volumes)


def down(stack: Stack, volumes: bool) -> None:
    """Stop and remove the services, and the runs that Dagster's launcher started; with `volumes`, the data too."""
    runs = output(["docker", "ps", "--all", "--quiet", "--filter", "label=dagster/run_id"]) or ""
    for run in runs.split():
        output(["docker", "rm", "--force", run])
    if stack.compose("down", "--remove-orphans", *(["--volumes"] if volumes else [])):
        raise InfraError("Compose did not stop everything; the reason is above.")


if __name__ == "__main__":
    main()
