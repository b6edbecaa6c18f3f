"""The control plane, driven only through Modal's own command and library."""

import itertools
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from subprocess import PIPE, STDOUT, CompletedProcess, Popen
from typing import Any

import psutil
import pytest

from tests.processes import running_after

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "modal_apps"
LOCAL = [sys.executable, "-m", "infra.modal_local"]
MODAL = [sys.executable, "-m", "modal"]

Variables = Mapping[str, str]


def start(*options: str, folder: Path) -> tuple[Popen[str], dict[str, str]]:
    process = Popen(
        [*LOCAL, "serve", *options],
        cwd=ROOT,
        stdout=PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), "HOME_OF_STUDENT": "private", "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout
    variables = {}
    for line in iter(process.stdout.readline, "# ready\n"):
        assert line, "the control plane did not start"
        name, _, value = line.removeprefix("export ").strip().partition("=")
        variables[name] = value.strip("'")
    return process, variables


def end(process: Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


@pytest.fixture(scope="module")
def plane() -> Iterator[Variables]:
    """One control plane for all tests of this file that can share one."""
    with tempfile.TemporaryDirectory() as folder:
        process, variables = start("--speed", "120", folder=Path(folder))
        try:
            yield variables
        finally:
            end(process)


def run(*command: str, env: Variables, timeout: float = 60) -> CompletedProcess[str]:
    return subprocess.run(command, cwd=APPS, env={**os.environ, **env}, capture_output=True, text=True, timeout=timeout)


@pytest.fixture
def case(plane: Variables) -> Callable[..., Any]:
    def run_case(name: str, app: str = "everything.py") -> Any:
        return result_of(run(*MODAL, "run", app, "--case", name, env=plane))

    return run_case


def result_of(ended: CompletedProcess[str]) -> Any:
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(next(line[7:] for line in ended.stdout.splitlines() if line.startswith("RESULT ")))


def test_calls_return_what_the_functions_return(case: Callable[..., Any]) -> None:
    assert case("basics") == {
        "remote": 43,
        "local": 8,
        "map": [1, 3, 5, 7, 9],
        "unordered": [0, 2, 4, 6, 8],
        "starmap": [3, 7],
        "nested": 12,
        "large": 3 * 2**20,
        "sent": 3 * 2**20,
        "generator": [0, 1, 2, 3, 4],
    }


def test_spawned_calls_are_collected_later(case: Callable[..., Any]) -> None:
    assert case("spawned") == {"get": 10, "again": 10, "gather": [2, 4]}


def test_a_map_runs_in_several_processes_at_the_same_time(case: Callable[..., Any]) -> None:
    (one, begin, end), (other, other_begin, other_end) = case("parallel")
    assert one != other
    assert max(begin, other_begin) < min(end, other_end)


def test_exceptions_keep_their_types(case: Callable[..., Any]) -> None:
    assert case("errors") == {
        "value": "ValueError: a value error",
        "own": "OwnError: a own error",
        "key": "KeyError: 'a key error'",
        "map": ["ValueError", "OwnError"],
    }


def test_retries_wait_between_tries_whoever_makes_them(case: Callable[..., Any]) -> None:
    result = case("retried")
    for name, tries in {**result, "map": result["map"][0]}.items():
        assert len(tries) == 3, name
        if name != "map":  # there the client rounds the time down to whole seconds
            assert 0.9 < tries[1] - tries[0] < 4, name


def test_a_function_that_takes_too_long_is_stopped(case: Callable[..., Any]) -> None:
    assert case("timeouts") == "True too_long took longer than its timeout of 1 s and was stopped."


def test_a_crashed_container_is_reported(case: Callable[..., Any]) -> None:
    exited, killed = case("crashes")
    assert "of crash crashed: exit status 7" in exited
    assert "of crash crashed: killed by SIGKILL" in killed


def test_secrets_and_the_images_variables_are_set_and_nothing_private_is(case: Callable[..., Any]) -> None:
    assert case("secrets") == ["from a secret", "test", None, None]


def test_a_volume_changes_for_others_only_after_commit_and_reload(case: Callable[..., Any]) -> None:
    assert case("volumes") == {"before": None, "not committed": None, "not reloaded": None, "reloaded": "two"}


def test_a_class_enters_once_and_leaves(case: Callable[..., Any]) -> None:
    result = case("classes")
    assert [result[name][1] for name in ("first", "second", "other")] == [15, 18, 20]
    assert result["first"][0] == result["second"][0] == result["left"]
    assert result["first"][0] != result["other"][0]


def test_a_container_sees_only_what_was_uploaded(case: Callable[..., Any]) -> None:
    seen = case("sees")
    assert [name for name in seen["files"] if not name.startswith((".", "__pycache__"))] == ["everything.py"]
    assert seen["cwd"] == "/root"
    assert seen["found"] == {"shared": False, "module4": False, "infra": False, "pandas": True}


def test_a_missing_local_source_fails_as_in_the_cloud(plane: Variables) -> None:
    without = run(*MODAL, "run", "needs_helper.py", "--how", "alone", env=plane)
    assert without.returncode == 1
    assert "ModuleNotFoundError" in without.stdout + without.stderr
    given = run(*MODAL, "run", "needs_helper.py", "--how", "with-source", env=plane)
    assert "hello from the helper" in given.stdout, given.stdout + given.stderr


def test_secrets_come_from_the_shell_a_file_and_by_name(plane: Variables) -> None:
    env = {**plane, "FROM_SHELL": "a variable"}
    missing = run(*MODAL, "run", "with_secrets.py", env=env)
    assert missing.returncode == 1
    assert "Secret 'account' not found" in " ".join((missing.stdout + missing.stderr).split())
    assert run(*MODAL, "secret", "create", "account", "PASSWORD=by name", env=plane).returncode == 0
    listed = run(*MODAL, "secret", "list", "--json", env=plane)
    assert "account" in listed.stdout
    assert "by name" not in listed.stdout
    given = run(*MODAL, "run", "with_secrets.py", env=env)
    assert "['a variable', 'a file', 'by name']" in given.stdout, given.stdout + given.stderr


def test_a_queue_has_partitions_and_can_be_cleared(case: Callable[..., Any]) -> None:
    assert case("queue", "more.py") == {
        "seen": ["a", "b", "c"],
        "first": "a",
        "rest": ["b", "c"],
        "empty": None,
        "lengths": [0, 1, 0],
    }


def test_inputs_run_in_batches_or_side_by_side_in_one_container(case: Callable[..., Any]) -> None:
    batches = case("batched", "more.py")
    assert [value for value, _ in batches] == [0, 2, 4, 6, 8, 10]
    assert max(size for _, size in batches) == 4
    processes, begins, ends = zip(*case("concurrent", "more.py"), strict=True)
    assert len(set(processes)) == 1
    assert max(begins) < min(ends)


def test_options_can_be_changed_for_a_call(case: Callable[..., Any]) -> None:
    result = case("options", "more.py")
    (one, _, end), (other, begin, _) = sorted(result.pop("alone"), key=lambda nap: nap[1])
    assert one == other
    assert end <= begin
    assert result == {"timeout": "timeout", "env": "now", "unchanged": None}


def test_a_cancelled_call_ends_and_is_not_tried_again(case: Callable[..., Any]) -> None:
    assert case("cancelled", "more.py") == {"said": "The call was cancelled.", "quick": True, "begun again": 0}


def test_a_crash_keeps_what_was_written_to_a_volume(case: Callable[..., Any]) -> None:
    assert case("crash_keeps_files", "more.py") == "written"


def test_large_values_take_a_bounded_part_of_the_disk(tmp_path: Path) -> None:
    """Eighteen MiB of results fit into eight if they are fetched; if not, a call is refused."""
    local = [*LOCAL, "run", "--blob-mib", "8", "--", "modal", "run", "-q", str(APPS / "more.py"), "--case"]
    assert result_of(run(*local, "many_large", env=here(tmp_path))) == 18 * 2**20
    *refused, last = result_of(run(*local, "large_uncollected", env=here(tmp_path)))
    assert last == str(3 * 2**20)
    assert "keeps 8 MiB of large inputs and outputs" in refused[0]


def test_logs_are_streamed_and_what_is_not_given_is_said(tmp_path: Path) -> None:
    result = run(*LOCAL, "run", "--", "modal", "run", str(APPS / "everything.py"), "--case", "sees", env=here(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"not emulated here: image builds, GPUs", result.stderr.splitlines()[0])
    assert "see asks for GPU A10G" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_calls_are_written_at_the_end(tmp_path: Path) -> None:
    history, temporary = tmp_path / "calls.jsonl", tmp_path / "tmp"
    temporary.mkdir()
    command = [*LOCAL, "run", f"--calls={history}", "--", "modal", "run", "-q", str(APPS / "called.py")]
    result = run(*command, env=here(temporary))
    assert result.returncode == 0, result.stdout + result.stderr
    rows = [json.loads(line) for line in history.read_text().splitlines()]
    assert [(row["function"], row["status"], row["attempts"]) for row in rows] == [
        ("outer", "success", 1),
        ("inner", "success", 1),
        ("inner", "success", 1),
        ("inner", "failure", 2),
    ]
    outer, *inner = rows
    assert {row["parent"] for row in inner[:2]} == {outer["input"]}
    assert outer["parent"] is inner[2]["parent"] is None
    assert len({row["input"] for row in rows}) == 4
    assert all(row["submitted"] < row["finished"] for row in rows)
    assert outer["submitted"] < min(row["submitted"] for row in inner[:2])
    assert max(row["finished"] for row in inner[:2]) < outer["finished"] < inner[2]["submitted"]
    assert outer["container"] not in {row["container"] for row in inner}
    limits = [(row["max_containers"], row["inputs_per_container"]) for row in rows]
    assert limits == [(None, 1), *[(2, 3)] * 3]


def test_a_file_for_the_calls_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    result = run(*LOCAL, "run", f"--calls={tmp_path}/none/calls.jsonl", "--", "true", env=here(tmp_path))
    assert result.returncode == 2
    assert "none/calls.jsonl' cannot be written; name a file in a folder that exists" in result.stderr


def here(folder: Path) -> dict[str, str]:
    return {"TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}


def test_a_function_prints_to_the_clients_terminal(plane: Variables) -> None:
    result = run(*MODAL, "run", "everything.py::double", "--value", "7", env=plane)
    assert "doubling 7" in result.stdout, result.stdout + result.stderr


def test_deployed_functions_are_called_by_name_and_schedules_fire(plane: Variables) -> None:
    assert run(*MODAL, "deploy", "scheduled.py", env=plane).returncode == 0
    listed = run(*MODAL, "app", "list", "--json", env=plane)
    assert "scheduled" in listed.stdout
    assert "deployed" in listed.stdout
    code = """
import modal, time
seen = modal.Function.from_name("scheduled", "seen")
for _ in range(60):
    ticks = seen.remote()
    if min(ticks.values()) >= 2:
        break
    time.sleep(0.2)
print(min(ticks.values()) >= 2, ticks)
"""
    called = run(sys.executable, "-c", code, env=plane)
    assert called.stdout.startswith("True"), called.stdout + called.stderr
    stopped = run(*MODAL, "app", "stop", "scheduled", "--yes", env=plane)
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    gone = run(sys.executable, "-c", code, env=plane)
    assert "NotFoundError" in gone.stderr


def test_a_deployed_function_is_kept_warm(plane: Variables) -> None:
    assert run(*MODAL, "deploy", "warm.py", env=plane).returncode == 0
    code = """
import modal, time
ready = modal.Function.from_name("warm", "ready")
begin = time.monotonic()
while not (running := ready.get_current_stats().num_total_runners) and time.monotonic() < begin + 20:
    time.sleep(0.1)
print(running, ready.remote())
"""
    called = run(sys.executable, "-c", code, env=plane)
    assert called.stdout.split() == ["1", "ready"], called.stdout + called.stderr
    assert run(*MODAL, "app", "stop", "warm", "--yes", env=plane).returncode == 0


def test_the_volume_command_lists_and_gets(plane: Variables, tmp_path: Path) -> None:
    (tmp_path / "sent.txt").write_text("content")
    for command in (
        ["create", "parcels"],
        ["put", "parcels", str(tmp_path / "sent.txt"), "/box/sent.txt"],
        ["ls", "parcels", "/box"],
        ["get", "parcels", "/box/sent.txt", str(tmp_path / "got.txt")],
    ):
        result = run(*MODAL, "volume", *command, env=plane)
        assert result.returncode == 0, result.stdout + result.stderr
        assert command[0] != "ls" or "box/sent.txt" in result.stdout
    assert (tmp_path / "got.txt").read_text() == "content"


def test_another_token_is_refused(plane: Variables) -> None:
    result = run(*MODAL, "app", "list", env={**plane, "MODAL_TOKEN_SECRET": "as-guessed"})
    assert result.returncode != 0
    assert "Token refused" in " ".join((result.stdout + result.stderr).split())


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["shell"], "Sandboxes and `modal shell` are not emulated by infra.modal_local (RPC AuthTokenGet)."),
        (["nfs", "list"], "Network file systems are not emulated by infra.modal_local"),
        (["run", "-e", "dev", "warm.py::ready"], "There is no environment 'dev': infra.modal_local has one, 'main'."),
        (["workspace", "members", "list"], "It was written for modal 1.6.4"),
    ],
)
def test_what_is_not_emulated_fails_at_once_and_says_so(plane: Variables, command: list[str], says: str) -> None:
    begin = time.monotonic()
    result = run(*MODAL, *command, env=plane)
    assert result.returncode != 0
    assert says in said_by(result)
    assert time.monotonic() - begin < 40


def said_by(result: CompletedProcess[str]) -> str:
    return " ".join((result.stdout + result.stderr).split())


def test_what_an_app_asks_for_is_recorded_once_and_the_rest_runs(tmp_path: Path) -> None:
    result = run(*LOCAL, "run", "--", "modal", "run", "-q", str(APPS / "asks.py"), env=here(tmp_path))
    resources, *called, bucket, page, method, cluster = result_of(result)
    assert resources == [
        "/application/code",
        "/python/bin:",
    ]  # the image's working folder, and its PATH after the containers' Python
    assert called == ["called", "called", resources]
    assert "bucket mounts are not emulated" in bucket
    assert "clusters are not emulated" in cluster
    for refused in (page, method):
        assert "/not-served/" in refused
    told = [line.removeprefix("infra.modal_local: ") for line in result.stderr.splitlines()[1:]]
    version = ".".join(map(str, sys.version_info[:3]))
    assert sorted(told) == sorted(
        [
            "resources asks for GPU H100:8, 1 to 4 CPUs, 512 MiB, a disk of 600000 MiB, cloud aws,"
            " region us-east or eu-west, memory snapshots: recorded, not given.",
            "an image of 1 build step built on python:3.13.0-slim-bookworm: recorded, not built;"
            f" this Python {version} runs it.",
            "ranked asks for GPU H100:2 or GPU A100, a blocked network: recorded, not given.",
            "bucket mounts the bucket my-bucket at /bucket, and bucket mounts are not emulated:"
            " recorded, but it cannot be called.",
            "page is a web endpoint: recorded, not served.",
            "Server.page is a web endpoint: recorded, not served.",
            "cluster needs a cluster of 2 containers, and clusters are not emulated:"
            " recorded, but it cannot be called.",
            "ranked has a schedule, which starts only when the app is deployed.",
        ]
    )


def test_a_detached_app_is_told_that_it_ends(tmp_path: Path) -> None:
    command = ["modal", "run", "-q", "--detach", str(APPS / "warm.py") + "::ready"]
    result = run(*LOCAL, "run", "--", *command, env=here(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "The detached app 'warm' ends with this control plane" in result.stderr


def test_versions_can_be_called_listed_and_brought_back(plane: Variables) -> None:
    for number in ("one", "two"):
        assert run(*MODAL, "deploy", "versions.py", env={**plane, "NUMBER": number}).returncode == 0
    code = """
import modal
def function(version=None): return modal.Function.from_name("versions", "number", version=version)
def method(version=None): return modal.Cls.from_name("versions", "Model", version=version)().number
print(*(one.remote() for one in (function(), function(1), function(2), method(), method(1))))
settings = function().autoscaler.update(min_containers=1, max_containers=3, scaledown_window=20)
settings = function().autoscaler.update(max_containers=2)
print(settings.min_containers, settings.max_containers, settings.scaledown_window)
try:
    function(9).hydrate()
except modal.exception.NotFoundError as error:
    print(error)
"""
    called = run(sys.executable, "-c", code, env=plane)
    assert called.returncode == 0, called.stderr
    assert called.stdout.splitlines()[:2] == ["two one two two one", "1 2 20"]
    assert "The app 'versions' has no version 9" in called.stdout
    assert run(*MODAL, "app", "rollback", "versions", env=plane).returncode == 0
    assert run(sys.executable, "-c", code, env=plane).stdout.splitlines()[0] == "one one two one one"
    history = json.loads(run(*MODAL, "app", "history", "versions", "--json", env=plane).stdout)
    assert [one["version"] for one in history] == ["v3", "v2", "v1"]
    refused = run(*MODAL, "app", "rollback", "versions", "v9", env=plane)
    assert "The app 'versions' has no version 9" in said_by(refused)
    assert run(*MODAL, "app", "stop", "versions", "--yes", env=plane).returncode == 0


def test_dicts_queues_and_environments_are_listed(plane: Variables) -> None:
    for kind, name in (("dict", "listed-dict"), ("queue", "listed-queue")):
        assert run(*MODAL, kind, "create", name, env=plane).returncode == 0
        assert name in run(*MODAL, kind, "list", "--json", env=plane).stdout
    assert "main" in run(*MODAL, "environment", "list", env=plane).stdout


@pytest.mark.parametrize("paths", ["auto", "user", "redirect"])
def test_volumes_keep_links_and_what_is_read_only(tmp_path: Path, paths: str) -> None:
    """In a folder whose name is longer than a socket's may be, and with a proxy that does not answer."""
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    dead = dict.fromkeys(("HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    command = [*LOCAL, "run", f"--paths={paths}", "--", "modal", "run", "-q", str(APPS / "volumes.py")]
    assert result_of(run(*command, env={**here(folder), **dead})) == {
        "below": ["below"],
        "shared": {"a": 1},
        "large": 3_000_000,
        "refused": ["Read-only file system"],
        "found": {
            **{"v1": "folder", "empty": "folder", "inner": "folder"},
            **{"latest": "v1", "file": "v1/deep/file", "broken": "nowhere"},
        },
        "through link": "one",
    }
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--state FILE", "argument --state: 'FILE' is not a folder: FILE is a file"),
        ("--state FILE/below", "argument --state: 'FILE/below' is not a folder: FILE is a file"),
        ("--volume a=FILE", "argument --volume: 'FILE' is not a folder: FILE is a file"),
        ("--volume ..=FOLDER", "argument --volume: Volume '..': a name has at most 64 characters"),
        ("--volume a=FOLDER --volume a=OTHER", "argument --volume: each Volume can be in one folder only"),
        ("--volume FOLDER", "is not NAME=FOLDER"),
        ("--port 99999", "argument --port: '99999' is not a number from 0 to 65535"),
        ("--speed nan", "argument --speed: 'nan' is not a number of at least 0.001"),
        ("--containers 0", "argument --containers: '0' is not a number of at least 1"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(tmp_path: Path, options: str, says: str) -> None:
    (tmp_path / "FILE").touch()
    words = [word.replace("FILE", str(tmp_path / "FILE")) for word in options.split()]
    result = run(*LOCAL, "serve", *words, env=here(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert says.replace("FILE", str(tmp_path / "FILE")) in result.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["FILE"]


def test_a_port_that_is_taken_and_a_folder_that_cannot_be_made_are_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = run(*LOCAL, "serve", "--port", str(other.getsockname()[1]), env=here(tmp_path))
    impossible = run(*LOCAL, "serve", "--state", "/proc/state", env=here(tmp_path))
    for result in (taken, impossible):
        assert (result.returncode, result.stdout) == (1, "")
    assert "address already in use" in taken.stderr.splitlines()[-1]
    assert impossible.stderr.splitlines()[-1].startswith("infra.modal_local: /proc/state")
    assert list(tmp_path.iterdir()) == []


def test_volumes_outlive_it_in_a_named_folder_and_paths_can_be_translated(tmp_path: Path) -> None:
    state, temporary = tmp_path / "state", tmp_path / "tmp"
    temporary.mkdir()
    options = ["--state", str(state), "--paths", "redirect"]
    command = ["modal", "run", "-q", str(APPS / "everything.py"), "--case", "volumes"]
    result = run(*LOCAL, "run", *options, "--", *command, env=here(temporary))
    assert '"reloaded": "two"' in result.stdout, result.stdout + result.stderr
    assert (state / "volumes" / "shelf" / "a.txt").read_text() == "two"
    assert list(temporary.iterdir()) == []


SLEEPS = itertools.count(os.getpid() * 1000)  # seconds that nothing else on this machine sleeps for
COMMAND = ["modal", "run", str(APPS / "processes.py"), "--how"]


def sleepers(seconds: str) -> list[psutil.Process]:
    """Return the processes that a test's containers left behind."""
    return [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", seconds]]


ENDS = {
    "crash": "crashed: killed by SIGKILL",
    "exit": "crashed: exit status 7",
    "segfault": "crashed: killed by SIGSEGV",
    "unsupervised": "crashed: killed by SIGKILL",
    "return": "returned",
}


@pytest.mark.parametrize("paths", ["auto", "redirect"])
def test_processes_that_containers_start_delay_nothing_and_see_what_containers_see(tmp_path: Path, paths: str) -> None:
    seconds = str(next(SLEEPS))
    words = [*COMMAND, ",".join(["helpers", *ENDS]), "--seconds", seconds]
    result = result_of(run(*LOCAL, "run", f"--paths={paths}", "--", *words, env=here(tmp_path), timeout=180))
    assert running_after(sleepers(seconds), 0) == []
    assert list(tmp_path.iterdir()) == []
    helpers = result.pop("helpers")
    assert helpers["joblib"] == helpers["spawned"] == [0, 1, 4, 9]
    assert helpers["child"] == helpers["named"]
    assert helpers["child"].startswith("None /")  # the checkout cannot be imported
    assert helpers["flags"] == [0, 0]
    for how, (said, took) in result.items():
        assert ENDS[how] in said
        assert took < 30, how  # its timeout is two minutes, and what it left behind sleeps longer


@pytest.mark.parametrize(
    ("number", "how", "paths"),
    [
        (signal.SIGINT, "stay", "auto"),
        (signal.SIGINT, "ignore", "redirect"),
        (signal.SIGTERM, "stay", "auto"),
        (signal.SIGHUP, "stay", "redirect"),
        (signal.SIGKILL, "stay", "auto"),
        (signal.SIGKILL, "ignore", "redirect"),
    ],
)
def test_nothing_outlives_it(tmp_path: Path, number: signal.Signals, how: str, paths: str) -> None:
    """Not what containers left behind in groups and sessions of their own, not the command, not its children."""
    seconds = str(next(SLEEPS))
    words = shlex.join([*COMMAND, how, "--seconds", seconds])
    command = ["sh", "-c", f"setsid sleep {seconds}0 & {words}; true"]
    process, others = start_run(tmp_path, f"--paths={paths}", "--", *command)
    asleep = [*sleepers(seconds), *sleepers(f"{seconds}0")]
    assert len(asleep) == 5
    process.send_signal(number)
    process.communicate(timeout=60)
    assert running_after([*others, *asleep], 5) == []
    assert number == signal.SIGKILL or list(tmp_path.iterdir()) == []


def start_run(folder: Path, *words: str) -> tuple[Popen[str], list[psutil.Process]]:
    """Start `run` with a function that stays; return the process and those below it."""
    environment = {**os.environ, **here(folder)}
    process = Popen([*LOCAL, "run", *words], cwd=ROOT, env=environment, stdout=PIPE, stderr=STDOUT, text=True)
    assert process.stdout
    assert any("it stays" in line for line in process.stdout), "the function was not called"
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("words", [["run", "--", "sleep", "1000"], ["serve"]])
def test_it_ends_with_its_parent(tmp_path: Path, words: list[str]) -> None:
    code = f"import subprocess; subprocess.run({[*LOCAL, *words]!r})"
    environment = {**os.environ, **here(tmp_path)}
    with Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stderr=PIPE, stdout=PIPE, text=True) as parent:
        assert parent.stderr
        assert "infra.modal_local: modal" in parent.stderr.readline()
        below = psutil.Process(parent.pid).children(recursive=True)
        assert below
        parent.kill()
        assert running_after(below, 10) == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_control_plane_leaves_the_next_one_removes(tmp_path: Path) -> None:
    process, _ = start(folder=tmp_path)
    opened = {Path(file.path) for file in psutil.Process(process.pid).open_files() if file.path.endswith("/lock")}
    process.kill()
    process.wait(10)
    assert len(opened) == 2  # its own folder and the one with its sockets
    assert all(lock.exists() for lock in opened)
    for lock in opened:
        os.utime(lock, (0, 0))  # it is not being made just now
    end(start(folder=tmp_path)[0])
    assert not any(lock.parent.exists() for lock in opened)
