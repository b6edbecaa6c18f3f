"""Images and Compose stacks: the files read, and compared with each other and with what they promise."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra import engine, image, stack

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
DOCKERFILE = (INFRA / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text())
CONTAINERS: dict[str, Any] = yaml.safe_load((INFRA / "compose.containers.yaml").read_text())
INSTANCES = {path.parent.name: yaml.safe_load(path.read_text()) for path in INFRA.glob("dagster_home/*/dagster.yaml")}
SERVICES = sorted(COMPOSE["services"])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DIGEST = r"@sha256:[0-9a-f]{64}"


def instructions(name: str) -> list[str]:
    """The arguments of every such instruction of the Dockerfile, continuation lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in text.splitlines() if line.startswith(f"{name} ")]


def image_environment() -> dict[str, str]:
    pairs = [pair for line in instructions("ENV") for pair in shlex.split(line)]
    return dict(pair.split("=", 1) for pair in pairs)


# One lock, several groups


def entries(path: Path) -> dict[str, str]:
    """Each requirement of a file with its hashes, by its name and marker; comments dropped, lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        requirement, *hashes = line.split("--hash=")
        parsed = Requirement(requirement)
        found[f"{canonicalize_name(parsed.name)} {parsed.specifier}"] = " ".join(sorted(map(str.strip, hashes)))
    return found


@pytest.mark.parametrize("path", sorted((INFRA / "requirements").iterdir()), ids=lambda path: path.stem)
def test_an_image_installs_a_part_of_the_one_lock(path: Path) -> None:
    lock = entries(ROOT / "requirements.lock")
    assert entries(path).items() <= lock.items(), "make lock"


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ("build", PROJECT["dependency-groups"]["build"]),
        ("components", PROJECT["dependency-groups"]["components"]),
        ("steps", PROJECT["project"]["dependencies"]),
        (
            "services",
            [
                *PROJECT["project"]["dependencies"],
                *(
                    line
                    for name in ("platforms", "services", "course")
                    for line in PROJECT["project"]["optional-dependencies"][name]
                ),
            ],
        ),
    ],
)
def test_an_image_installs_what_pyproject_lists(part: str, wanted: list[str]) -> None:
    installed = {name.partition(" ")[0] for name in entries(INFRA / "requirements" / f"{part}.txt")}
    assert {canonicalize_name(Requirement(line).name) for line in wanted} <= installed


def test_steps_bring_no_orchestrator() -> None:
    installed = {name.partition(" ")[0] for name in entries(INFRA / "requirements/steps.txt")}
    assert not installed & {"apache-airflow", "dagster", "modal", "kfp", "jupyterlab", "pytest", "setuptools", "uv"}


# Images


def test_the_base_is_pinned_and_the_builder_may_replace_it() -> None:
    (base,) = instructions("ARG")
    assert re.fullmatch(rf"BASE_IMAGE=python:3\.\d+-slim{DIGEST}", base)
    stages = [line.split() for line in instructions("FROM")]
    names = {stage[2] for stage in stages}
    assert {stage[0] for stage in stages} - names == {"${BASE_IMAGE}"}


def test_the_targets_are_those_that_make_image_builds() -> None:
    built = {line.split()[2] for line in instructions("FROM")}
    assert set(image.TARGETS) <= built
    assert image.TARGETS == {"steps": engine.STEPS_IMAGE, "services": engine.SERVICES_IMAGE}


def stage(name: str) -> list[str]:
    """The lines of one stage of the Dockerfile, continuation lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    parts = re.split(r"^FROM .* AS (\w+)\n", text, flags=re.MULTILINE)
    return parts[parts.index(name) + 1].splitlines()


@pytest.mark.parametrize("name", [*image.TARGETS])
def test_an_image_runs_as_an_unprivileged_number(name: str) -> None:
    assert [line for line in stage(name) if line.startswith("USER")] == ["USER 10001"]


@pytest.mark.parametrize("name", [*image.TARGETS])
def test_a_change_of_code_installs_nothing_again(name: str) -> None:
    lines = stage(name)
    code = min(number for number, line in enumerate(lines) if re.match("COPY (shared|module4|infra|notebooks) ", line))
    assert not [line for line in lines[code:] if "install" in line]
    assert not [line for line in stage("base") if re.match("COPY (shared|module4|notebooks) ", line)]


def test_images_copy_only_from_the_checkout_and_only_what_the_build_may_see() -> None:
    assert instructions("ADD") == []
    copied = [[word for word in line.split() if not word.startswith("--")] for line in instructions("COPY")]
    sources = [
        source
        for words, line in zip(copied, instructions("COPY"), strict=True)
        if "--from=" not in line
        for source in words[:-1]
    ]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {source.split("/")[0] for source in sources} == allowed


def test_secrets_do_not_enter_a_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored.index("infra/.env") > ignored.index("!infra")
    assert subprocess.run(["git", "check-ignore", "-q", "infra/.env"], cwd=ROOT).returncode == 0


def test_packages_are_installed_with_hashes_and_bytecode_and_without_an_installer() -> None:
    install = (INFRA / "install.sh").read_text()
    assert "--require-hashes" in install
    assert "--compile-bytecode" in install
    assert "--without-pip /opt/venv" in DOCKERFILE
    assert not [line for line in instructions("COPY") if "/installer" in line]


def test_images_carry_no_secret() -> None:
    assert [name for name in image_environment() if re.search("KEY|TOKEN|SECRET|PASSWORD", name)] == []


def test_images_write_below_tmp_only_and_report_nothing_home() -> None:
    environment = image_environment()
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR", "AIRFLOW_HOME"):
        assert environment[name].startswith("/tmp"), name
    assert environment["DAGSTER_DISABLE_TELEMETRY"] == "yes"


def test_the_image_of_the_steps_is_their_command_line() -> None:
    assert [json.loads(line) for line in instructions("ENTRYPOINT")] == [["python", "-m", "shared"]]


def test_build_secrets_are_files_and_are_named_as_in_the_dockerfile() -> None:
    command = image.build_command("steps", "other:1", "arm64", {"ca": "/ca.pem", "uv": "/uv.toml"})
    assert {"--build-arg=BASE_IMAGE=other:1", "--platform=linux/arm64", "--secret=id=ca,src=/ca.pem"} <= {*command}
    named = {*re.findall(r"--mount=type=secret,id=(\w+)", DOCKERFILE)}
    assert named == {"ca", "uv"}


def test_trimming_keeps_the_packages_and_their_metadata(tmp_path: Path) -> None:
    kept = ["a/__init__.py", "a-1.dist-info/METADATA", "a/code.so", "botocore/data/s3/x.json"]
    kept += ["botocore/data/endpoints.json", "pyarrow/libarrow.so.1"]
    removed = ["a/tests/test_x.py", "a/x.pyi", "a/x.h", "botocore/data/ec2/x.json", "pyarrow/libarrow_flight.so.1"]
    for name in [*kept, *removed, "matplotlib/mpl-data/sample_data/x"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["sh", INFRA / "trim.sh", tmp_path], check=True)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


@pytest.mark.skipif(sys.platform != "linux", reason="pgrep.sh reads /proc, which only Linux has")
def test_the_images_pgrep_finds_what_airflow_looks_for() -> None:
    process = subprocess.Popen(["sh", "-c", "trap 'exit 7' INT; while sleep 0.1; do :; done", "the-sidecar"])
    try:
        command = f"kill -2 $(sh {INFRA}/pgrep.sh -u $(id -u) -f the-sidecar)"
        # Airflow's command, as Airflow runs it; its own shell is found too, so it may end by the signal.
        subprocess.run(["sh"], input=command, text=True, timeout=60)
        assert process.wait(60) == 7
    finally:
        process.kill()
    other = subprocess.run(["sh", INFRA / "pgrep.sh", "-u", "4242", "-f", "."], capture_output=True, text=True)
    assert (other.returncode, other.stdout) == (1, "")


# Compose


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_confined(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert not {"privileged", "pid", "ipc", "devices", "cap_add"} & service.keys()
    assert service.get("network_mode") in (None, "none")


@pytest.mark.parametrize("name", SERVICES)
def test_a_port_is_open_to_this_machine_only_and_can_be_changed(name: str) -> None:
    for port in COMPOSE["services"][name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+", port)


def test_the_ports_are_those_that_make_status_prints() -> None:
    published = {
        port for service in COMPOSE["services"].values() for port in re.findall(r"\{.*\}", str(service.get("ports")))
    }
    assert published == {f"{{{variable}:-{port}}}" for variable, port in stack.PORTS.values()}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_uses_a_fixed_image_and_declared_volumes(name: str) -> None:
    service = COMPOSE["services"][name]
    default = re.fullmatch(r"\$\{\w+:-(.+)\}", service["image"])
    assert default
    assert default[1] == engine.SERVICES_IMAGE or re.search(DIGEST, default[1])
    named = {volume.split(":")[0] for volume in service.get("volumes", []) if not volume.startswith(("/", "."))}
    assert named <= set(COMPOSE["volumes"])
    files = [volume.split(":")[0] for volume in service.get("volumes", []) if volume.startswith(".")]
    assert all((INFRA / file).is_file() for file in files)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_stays_is_watched_and_starts_again(name: str) -> None:
    service = COMPOSE["services"][name]
    if service["restart"] == "no":
        return
    assert service["restart"] == "unless-stopped"
    assert int(service["healthcheck"]["start_period"].rstrip("s")) >= 120
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


def test_the_memory_limits_of_everything_that_stays_fit_8_gib() -> None:
    limits = [
        int(service["mem_limit"][:-1]) * {"m": 1, "g": 1024}[service["mem_limit"][-1]]
        for service in COMPOSE["services"].values()
        if service["restart"] != "no"
    ]
    assert sum(limits) <= 8 * 1024


def test_every_profile_is_known_and_every_dependency_is_in_it() -> None:
    profiles = {profile for service in COMPOSE["services"].values() for profile in service["profiles"]}
    assert profiles == {*stack.PROFILES, "steps"}
    for name, service in COMPOSE["services"].items():
        for needed in service.get("depends_on", {}):
            assert {*service["profiles"]} <= {*COMPOSE["services"][needed]["profiles"]}, name


def test_no_secret_is_written_down_and_each_has_a_maker() -> None:
    text = (INFRA / "compose.yaml").read_text() + (INFRA / "compose.containers.yaml").read_text()
    needed = {*re.findall(r"\$\{(\w+):\?", text)}
    assert needed - {"DOCKER_GROUP"} == {*stack.SECRETS}
    for service in COMPOSE["services"].values():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD$|SECRET|TOKEN|_KEY$|KEY_ID", variable):
                assert str(value).startswith("${"), variable


def test_secrets_are_made_once_kept_and_private(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("AIRFLOW_PASSWORD=mine\nEXTRA=kept\n")
    file.chmod(0o644)
    first = stack.ensure_secrets(file)
    assert (first["AIRFLOW_PASSWORD"], first["EXTRA"]) == ("mine", "kept")
    assert {*stack.SECRETS} <= {*first}
    assert file.stat().st_mode & 0o777 == 0o600
    assert stack.ensure_secrets(file) == first
    other = stack.ensure_secrets(tmp_path / "other")
    assert not {first[name] for name in stack.SECRETS} & {other[name] for name in stack.SECRETS}
    assert all(len(other[name]) >= 16 for name in stack.SECRETS)


def test_airflows_services_share_their_secrets_and_find_the_api() -> None:
    services = [service for name, service in COMPOSE["services"].items() if name.startswith("airflow")]
    for variable in ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY"):
        assert len({service["environment"][variable] for service in services}) == 1
    for service in services:
        assert service["environment"]["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-api:8080/execution/"
        assert service["environment"]["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://")
        assert (ROOT / service["environment"]["AIRFLOW__CORE__DAGS_FOLDER"].removeprefix("/app/")).is_dir()


def test_airflow_accepts_its_own_services_and_no_other_host() -> None:
    plugin = "module4/lab1_airflow/config/plugins/loopback_only.py"
    code = f"import runpy; print(runpy.run_path({plugin!r})['INTERNAL'])"
    url = {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://airflow-api:8080/execution/"}
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, cwd=ROOT, env={**os.environ, **url}, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "airflow-api"


# Dagster's instances


@pytest.mark.parametrize("name", sorted(INSTANCES))
def test_an_instance_keeps_the_labs_limits_and_reports_nothing_home(name: str) -> None:
    lab = yaml.safe_load((ROOT / "module4/lab3_dagster/dagster.yaml").read_text())
    for key in ("telemetry", "nux", "concurrency", "freshness"):
        assert INSTANCES[name][key] == lab[key], key
    assert INSTANCES[name]["storage"] == {"postgres": {"postgres_url": {"env": "DAGSTER_PG_URL"}}}
    assert INSTANCES[name]["run_monitoring"]["enabled"] is True


@pytest.mark.parametrize("name", sorted(INSTANCES))
def test_an_instances_launcher_accepts_its_configuration(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("dagster_docker", "dagster_postgres"):
        pytest.importorskip(module, reason="not installed: make setup")
    from dagster._core.instance.config import dagster_instance_config
    from dagster._core.instance.ref import configurable_class_data

    environment = COMPOSE["services"]["dagster-daemon"]["environment"]
    for variable in environment:
        monkeypatch.setenv(variable, "x")
    home = INFRA / "dagster_home" / name
    config, _ = dagster_instance_config(str(home))
    launcher = configurable_class_data(config["run_launcher"]).rehydrate(as_type=object)  # type: ignore[type-abstract]
    assert launcher.supports_check_run_worker_health


def test_a_run_container_gets_the_daemons_environment_and_volumes() -> None:
    launcher = INSTANCES["containers"]["run_launcher"]["config"]
    daemon = COMPOSE["services"]["dagster-daemon"]
    assert {*launcher["env_vars"]} <= {*daemon["environment"]}
    assert launcher["network"] == COMPOSE["networks"]["default"]["name"]
    names = {name: volume["name"] for name, volume in COMPOSE["volumes"].items()}
    mounted = [volume.split(":") for volume in daemon["volumes"]]
    assert launcher["container_kwargs"]["volumes"] == [f"{names[name]}:{folder}" for name, folder in mounted]
    assert CONTAINERS["services"]["dagster-daemon"]["volumes"][:2] == daemon["volumes"]
    options = launcher["container_kwargs"]
    assert (options["read_only"], options["cap_drop"]) == (True, ["ALL"])


def test_the_instances_are_where_compose_looks_for_them() -> None:
    home = COMPOSE["services"]["dagster-web"]["environment"]["DAGSTER_HOME"]
    assert home == "/app/infra/dagster_home/${DAGSTER_LAUNCHER:-processes}"
    assert {*INSTANCES} >= {"processes", "containers"}
    workspace = yaml.safe_load((INFRA / "dagster_home/workspace.yaml").read_text())
    (server,) = (entry["grpc_server"] for entry in workspace["load_from"])
    code = COMPOSE["services"][server["host"]]
    assert str(server["port"]) in code["entrypoint"]
    assert code["entrypoint"][:3] == ["dagster", "api", "grpc"]  # what WatchedRunLauncher can ask


# The commands


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("target", ["image", "up", "down", "status", "logs"])
def test_without_an_engine_one_sentence_says_so(target: str, tmp_path: Path) -> None:
    said = make(target, "PROFILE=airflow", DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert said.returncode != 0
    assert re.match(rf"{target}: (no Docker engine answers|docker not found)\. ?\S.*\n", said.stderr)
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("profile", ["", "airflow nope", "Airflow"])
def test_a_wrong_profile_is_refused_before_anything_runs(profile: str) -> None:
    said = make("up", f"PROFILE={profile}", DOCKER_HOST="unix:///nobody.sock")
    assert said.returncode != 0
    assert said.stderr.startswith("up: PROFILE: ")


def test_a_missing_certificate_is_named() -> None:
    said = make("image", "CA=/no/such.pem")
    assert said.stderr.startswith("image: CA: /no/such.pem is not a file.")


def test_the_profile_storage_puts_every_store_into_the_bucket() -> None:
    assert stack.settings(["airflow", "storage"], "processes", {}) == {"PIPELINE_STORE": stack.BUCKET}
    assert stack.settings(["airflow", "storage"], "processes", {"PIPELINE_STORE": "s3://mine"}) == {}
    assert stack.settings(["airflow"], "processes", {}) == {}


@pytest.mark.parametrize(
    ("container", "state"),
    [
        ({"State": "running", "Health": "starting"}, "starting"),
        ({"State": "running", "Health": ""}, "running"),
        ({"State": "exited", "ExitCode": 0}, "done"),
        ({"State": "exited", "ExitCode": 137}, "failed with exit status 137"),
        ({"State": "restarting"}, "restarting"),
    ],
)
def test_a_containers_state_is_one_word(container: dict[str, object], state: str) -> None:
    assert stack.state_of(container) == state


def compose_command() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and not subprocess.run([*command, "version"], capture_output=True).returncode:
            return command
    return None


@pytest.mark.parametrize("launcher", [*stack.FILES])
def test_compose_accepts_the_files(launcher: str, tmp_path: Path) -> None:
    command = compose_command()
    if command is None:
        pytest.skip("no Docker Compose on this machine")
    values = {**stack.ensure_secrets(tmp_path / ".env"), "DOCKER_GROUP": "1"}
    files = [f"--file={INFRA / name}" for name in stack.FILES[launcher]]
    profiles = [f"--profile={name}" for name in stack.PROFILES]
    subprocess.run([*command, *files, *profiles, "config", "--quiet"], check=True, env={**os.environ, **values})
