"""Each check of the doctor with made-up input, and the real command once."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra import doctor
from infra.doctor import ABSENT, FAIL, GIB, OK

ACCEPTED = range(11, 14)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 13, 9)])
def test_accepted_python(version: tuple[int, ...]) -> None:
    assert doctor.check_python(version, ACCEPTED) == (OK, "Python", ".".join(map(str, version)))


@pytest.mark.parametrize("version", [(2, 12, 0), (3, 8, 18), (3, 10, 13), (3, 14, 0)])
def test_refused_python_says_what_to_install(version: tuple[int, ...]) -> None:
    check = doctor.check_python(version, ACCEPTED)
    assert check.status == FAIL
    assert "install Python 3.11 to 3.13" in check.text


def test_accepted_versions_come_from_pyproject() -> None:
    assert doctor.accepted_minors('x = 1\nrequires-python = ">=3.9,<3.12"\n') == range(9, 12)


def test_unreadable_range_is_refused() -> None:
    with pytest.raises(ValueError, match="requires-python"):
        doctor.accepted_minors('requires-python = "~=3.11"')


@pytest.mark.parametrize("first_line", ["GNU Make 3.81", "GNU Make 4.4.1"])
def test_gnu_make(first_line: str) -> None:
    assert doctor.check_make(first_line + "\nCopyright") == (OK, "make", first_line)


@pytest.mark.parametrize("output", [None, "", "GNU Make 3.80", "bmake 20240101"])
def test_other_make_is_refused_with_a_remedy(output: str | None) -> None:
    check = doctor.check_make(output)
    assert check.status == FAIL
    assert "install GNU make" in check.text


def test_git_is_optional() -> None:
    assert doctor.check_git("git version 2.39.5").status == OK
    assert doctor.check_git(None).status == ABSENT


@pytest.mark.parametrize(
    ("system", "release", "root", "status", "words"),
    [
        ("Linux", "6.1.0-amd64", "/mnt/data/course", OK, "Linux"),
        ("Darwin", "25.0", "/Users/me/course", OK, "macOS"),
        ("Linux", "5.15.167-microsoft-standard-WSL2", "/home/me/course", OK, "WSL"),
        ("Linux", "5.15.167-microsoft-standard-WSL2", "/mnt/c/course", ABSENT, "clone into your WSL home"),
        ("Windows", "11", "C:/course", FAIL, "wsl --install"),
    ],
)
def test_system(system: str, release: str, root: str, status: str, words: str) -> None:
    check = doctor.check_system(system, release, Path(root))
    assert check.status == status
    assert words in check.text


@pytest.mark.parametrize(("machine", "status"), [("x86_64", OK), ("arm64", OK), ("aarch64", OK), ("riscv64", FAIL)])
def test_architecture(machine: str, status: str) -> None:
    assert doctor.check_architecture(machine).status == status


@pytest.mark.parametrize(
    ("gib", "installed", "status"), [(5.1, False, OK), (4.9, False, FAIL), (4.9, True, OK), (0.9, True, FAIL)]
)
def test_disk_needs_more_before_the_installation(gib: float, installed: bool, status: str) -> None:
    assert doctor.check_disk(int(gib * GIB), installed).status == status


@pytest.mark.parametrize(("gib", "status"), [(16.0, OK), (3.8, OK), (3.0, FAIL)])
def test_memory(gib: float, status: str) -> None:
    assert doctor.check_memory(int(gib * GIB)).status == status


def test_memory_of_this_machine_is_plausible() -> None:
    assert GIB // 2 < doctor.memory_bytes() < 2**50


def test_listening_port_is_busy_until_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert doctor.port_is_busy(port)
    assert not doctor.port_is_busy(port)


def test_busy_port_names_whom_it_disturbs_but_is_no_failure() -> None:
    check = doctor.check_port(8080, "Airflow", busy=True)
    assert check.status == ABSENT
    assert "Airflow" in check.text
    assert doctor.check_port(8080, "Airflow", busy=False).status == OK


@pytest.mark.parametrize(
    ("client", "server", "status", "words"),
    [
        ("/usr/bin/docker", "28.2.2", OK, "engine 28.2.2"),
        ("/usr/bin/docker", None, ABSENT, "not reachable"),
        (None, None, ABSENT, "not found"),
    ],
)
def test_docker(client: str | None, server: str | None, status: str, words: str) -> None:
    check = doctor.check_docker(client, server)
    assert check.status == status
    assert words in check.text


@pytest.mark.parametrize(
    ("plugin", "standalone", "expected"),
    [
        ("2.40.0", "2.1.0", (OK, "compose", "docker compose 2.40.0")),
        (None, "2.1.0", (OK, "compose", "docker-compose 2.1.0")),
    ],
)
def test_either_compose_will_do(plugin: str | None, standalone: str, expected: tuple[str, str, str]) -> None:
    assert doctor.check_compose(plugin, standalone) == expected


def test_absent_tools_are_optional() -> None:
    assert doctor.check_compose(None, None).status == ABSENT
    assert doctor.check_tool("kind", None, "Kubernetes", "a page") == (
        ABSENT,
        "kind",
        "not found (optional, for Kubernetes): a page",
    )
    assert doctor.check_tool("kind", "kind v0.30.0\nmore", "Kubernetes", "a page") == (
        OK,
        "kind",
        "kind v0.30.0",
    )


@pytest.mark.parametrize(
    ("installed", "report", "status", "words"),
    [
        (False, None, ABSENT, "make setup"),
        (True, None, FAIL, "broken"),
        (True, "[]", OK, "matches requirements.lock"),
        (True, json.dumps(["numpy 1.0, locked ==2.0"]), FAIL, "numpy 1.0, locked ==2.0"),
    ],
)
def test_environment(installed: bool, report: str | None, status: str, words: str) -> None:
    check = doctor.check_environment(".venv", installed, report)
    assert check.status == status
    assert words in check.text


def test_lock_differences_names_wrong_and_missing_packages_and_honours_markers() -> None:
    lock = (
        "pytest==0.1 \\\n    --hash=sha256:00\n    # via nobody\n"
        "no-such-package==1.0 \\\n    --hash=sha256:00\n"
        "only-elsewhere==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    assert doctor.lock_differences(lock) == [
        f"pytest {pytest.__version__}, locked ==0.1",
        "no-such-package missing, locked ==1.0",
    ]


def test_missing_failing_and_working_commands() -> None:
    assert doctor.output_of("no-such-command") is None
    assert doctor.output_of(sys.executable, "-c", "raise SystemExit(1)") is None
    assert doctor.output_of(sys.executable, "-c", "print('hello')") == "hello"


def test_the_command_reports_every_topic_and_exits_by_its_failures() -> None:
    done = subprocess.run([sys.executable, doctor.__file__], capture_output=True, text=True)
    lines = done.stdout.split("\n\n")[0].splitlines()
    assert all(line.startswith((OK, ABSENT, FAIL)) for line in lines)
    topics = {line[7:20].strip() for line in lines}
    assert topics >= {
        "Python",
        "make",
        "disk",
        "memory",
        "environment",
        "port 8080",
        "Docker",
        "kind",
        "architecture",
    }
    assert done.returncode == any(line.startswith(FAIL) for line in lines)
    assert done.stderr == ""
