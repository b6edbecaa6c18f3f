"""Image, Compose file and cluster: read and compared with what they promise, without Docker where possible."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "infra/Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "infra/compose.yaml").read_text())
KIND: dict[str, Any] = yaml.safe_load((ROOT / "infra/kind.yaml").read_text())
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def instructions(name: str) -> list[str]:
    """The arguments of every such instruction of the Dockerfile, continuation lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in text.splitlines() if line.startswith(f"{name} ")]


def image_environment() -> dict[str, str]:
    pairs = [pair for line in instructions("ENV") for pair in shlex.split(line)]
    return dict(pair.split("=", 1) for pair in pairs)


def test_image_has_one_base_that_the_builder_may_replace() -> None:
    assert instructions("FROM") == ["${BASE_IMAGE}"]
    (base,) = instructions("ARG")
    assert re.fullmatch(r"BASE_IMAGE=python:3\.\d+-slim", base)


def test_image_runs_as_an_unprivileged_number() -> None:
    assert [int(user) > 0 for user in instructions("USER")] == [True]


def test_image_copies_only_from_the_checkout_and_only_what_the_build_may_see() -> None:
    assert instructions("ADD") == []
    sources = [source for line in instructions("COPY") for source in line.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert {line[1:] for line in IGNORED if line.startswith("!")} == set(sources)


def test_image_installs_from_the_lock_with_hashes_and_bytecode() -> None:
    install = next(line for line in instructions("RUN") if "requirements.lock" in line)
    assert "--require-hashes" in install
    assert "--compile-bytecode" in install


def test_image_carries_no_secret() -> None:
    assert [name for name in image_environment() if re.search("KEY|TOKEN|SECRET|PASSWORD", name)] == []


def test_image_writes_below_tmp_only_and_reports_nothing_home() -> None:
    environment = image_environment()
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR", "AIRFLOW_HOME"):
        assert environment[name].startswith("/tmp"), name
    assert environment["DAGSTER_DISABLE_TELEMETRY"] == "yes"


def test_image_is_the_command_line_of_the_steps() -> None:
    assert [json.loads(line) for line in instructions("ENTRYPOINT")] == [["python", "-m", "shared"]]


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_service_is_confined(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
    for port in service.get("ports", []):
        assert str(port).startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_service_uses_a_fixed_image_and_declared_volumes(name: str) -> None:
    service = COMPOSE["services"][name]
    tag = service["image"].rpartition(":")[2]
    assert tag not in ("latest", service["image"])
    assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])


def test_training_builds_this_image_and_writes_to_the_store() -> None:
    training = COMPOSE["services"]["training"]
    build = training["build"]
    assert (ROOT / "infra" / build["context"] / build["dockerfile"]).resolve() == ROOT / "infra/Dockerfile"
    assert training["command"][-2:] == ["--store", "/store"]
    assert training["volumes"] == ["store:/store"]


def compose_command() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and not subprocess.run([*command, "version"], capture_output=True).returncode:
            return command
    return None


def test_compose_accepts_the_file() -> None:
    command = compose_command()
    if command is None:
        pytest.skip("no Docker Compose on this machine")
    subprocess.run([*command, "-f", ROOT / "infra/compose.yaml", "config", "--quiet"], check=True)


def test_cluster_is_one_control_plane_and_one_worker() -> None:
    assert (KIND["kind"], KIND["apiVersion"]) == ("Cluster", "kind.x-k8s.io/v1alpha4")
    assert [node["role"] for node in KIND["nodes"]] == ["control-plane", "worker"]


def test_cluster_listens_on_this_machine_only() -> None:
    mappings = [mapping for node in KIND["nodes"] for mapping in node.get("extraPortMappings", [])]
    assert {mapping["listenAddress"] for mapping in mappings} == {"127.0.0.1"}
    assert KIND["networking"]["apiServerAddress"] == "127.0.0.1"
    # Kubernetes refuses node ports outside this range.
    assert all(30000 <= mapping["containerPort"] <= 32767 for mapping in mappings)


def test_workflow_may_read_only_and_knows_no_secret() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "secrets." not in (ROOT / ".github/workflows/ci.yml").read_text()


def test_workflow_and_local_ci_run_the_same_commands_on_every_accepted_python() -> None:
    (job,) = WORKFLOW["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert "make check test" in commands
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("\nmake check test")
    accepted = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert accepted is not None
    assert job["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in range(int(accepted[1]), int(accepted[2]))]
