"""The container engine on this machine: found, asked, and a sentence with the remedy if there is none."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STEPS_IMAGE, SERVICES_IMAGE = "one-pipeline:dev", "one-pipeline-services:dev"


class InfraError(Exception):
    """Something outside this project is missing or refuses. The message names it and says what to do."""


@contextmanager
def exit_on_infra_error(command: str) -> Iterator[None]:
    """Print an InfraError as one line that starts with the command's name, and end with exit status 1."""
    try:
        yield
    except InfraError as error:
        print(f"{command}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def output(command: Sequence[str], timeout: float = 60) -> str | None:
    """Return what a command prints, or None if it is missing, fails or takes longer than `timeout` seconds."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def check_engine() -> None:
    """Raise InfraError if no container engine answers."""
    if not shutil.which("docker"):
        raise InfraError(
            "docker not found. Install Docker or Podman's docker command: https://docs.docker.com/get-docker"
        )
    if not output(["docker", "version", "--format", "{{.Server.Version}}"]):
        raise InfraError("no Docker engine answers. Start Docker, and check that you may use it: docker version")


def compose_command() -> list[str]:
    """Return the command of Docker Compose 2, as a plug-in or in its old spelling. Raises InfraError without one."""
    for command in (["docker", "compose"], ["docker-compose"]):
        version = output([*command, "version", "--short"])
        if version and not version.lstrip("v").startswith(("0.", "1.")):
            return command
    raise InfraError("Docker Compose 2 not found. Install it: https://docs.docker.com/compose/install")


def image_size(image: str) -> int | None:
    """Return an image's size in bytes, or None if the engine does not have it."""
    found = output(["docker", "image", "inspect", image])
    return int(json.loads(found)[0]["Size"]) if found else None
