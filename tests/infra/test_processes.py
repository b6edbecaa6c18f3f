"""Processes end with the process that started them: tried with real ones, killed in every way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra import processes
from infra.processes import signal_name, supervised, without_proxy
from tests.processes import processes_of, running_after

ROOT = Path(__file__).parents[2]
# A parent that runs the rest of its command line under a supervisor, and waits for it.
PARENT = "import subprocess, sys; from infra.processes import supervised; subprocess.run(supervised(sys.argv[1:]))"
# A parent that ignores polite signals, with a child in a new session and an orphan in another.
STUBBORN = "trap '' TERM INT HUP; setsid sleep 977 & (setsid sleep 977 &); sleep 977; sleep 977"
RunPython = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="setsid(1) is a command of Linux")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for process in in_place(tmp_path):
        process.kill()


def in_place(place: Path) -> list[psutil.Process]:
    """All processes that work in the folder."""
    return [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(place)]


def start(place: Path, *command: str, count: int) -> subprocess.Popen[bytes]:
    """Start a command in the folder, and wait until `count` processes work there."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=place, env=env, start_new_session=True)
    give_up = time.monotonic() + 20
    while len(in_place(place)) < count:
        assert time.monotonic() < give_up, processes_of(place)
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_supervised_command_ends_with_its_parent(stop: signal.Signals, place: Path) -> None:
    parent = start(place, sys.executable, "-c", PARENT, "sh", "-c", "setsid sleep 977 & sleep 977", count=6)
    parent.send_signal(stop)
    parent.wait()
    assert running_after(in_place(place), 10) == []


def test_a_supervisor_whose_parent_is_gone_at_the_start_ends_at_once(place: Path) -> None:
    """The command is asked to stop at the moment it starts: the request must not be lost."""
    command = [sys.executable, "-m", "infra.processes", "--parent=1", "--seconds=60", "--", "sleep", "977"]
    process = start(place, *command, count=0)
    assert process.wait(timeout=50) == -signal.SIGTERM
    assert running_after(in_place(place), 10) == []


@pytest.mark.parametrize("stop", processes.STOP_SIGNALS)
def test_a_stopped_supervisor_leaves_nothing_not_even_what_ignores_it(stop: signal.Signals, place: Path) -> None:
    supervisor = start(place, *supervised(["sh", "-c", STUBBORN], seconds=0.5), count=6)
    supervisor.send_signal(stop)
    assert supervisor.wait(timeout=60) == -signal.SIGKILL
    assert in_place(place) == []


@pytest.mark.parametrize("which", [0, 1])
def test_either_process_of_a_supervisor_may_be_killed(which: int, place: Path) -> None:
    supervisor = start(place, *supervised(["sh", "-c", "(setsid sleep 977 &); sleep 977; sleep 977"]), count=5)
    [supervisor, *psutil.Process(supervisor.pid).children()][which].kill()
    supervisor.wait(timeout=60)
    assert running_after(in_place(place), 10) == []


def test_what_a_command_leaves_behind_ends_when_it_ends(place: Path) -> None:
    done = subprocess.run(
        supervised(["sh", "-c", "setsid sleep 977 & exit 3"]), cwd=place, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 3
    assert in_place(place) == []


def test_a_command_may_take_its_time_to_stop(place: Path) -> None:
    polite = "trap 'sleep 1; touch said-goodbye; exit 7' TERM; sleep 977 & wait"
    supervisor = start(place, *supervised(["sh", "-c", polite]), count=4)
    supervisor.terminate()
    assert supervisor.wait(timeout=60) == 7
    assert (place / "said-goodbye").exists()
    assert in_place(place) == []


def test_a_command_is_asked_by_the_signal_that_it_understands(place: Path) -> None:
    python = "import time\ntry: time.sleep(977)\nexcept KeyboardInterrupt: print('interrupted')"
    command = supervised([sys.executable, "-c", python], stop=signal.SIGINT)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as supervisor:
        while len(psutil.Process(supervisor.pid).children()) < 1:
            time.sleep(0.05)
        time.sleep(0.5)
        supervisor.terminate()
        assert supervisor.communicate(timeout=20)[0] == "interrupted\n"


def test_a_supervisor_ends_by_the_signal_that_ended_its_command() -> None:
    done = subprocess.run(supervised(["sh", "-c", "kill -KILL $$"]), cwd=ROOT)
    assert signal_name(done.returncode) == "SIGKILL"


def test_a_process_that_watches_its_parent_may_say_goodbye(place: Path) -> None:
    child = (
        "import infra.processes as p, time; p.interrupt_on_stop_signals(); p.end_with_parent()\n"
        "try: time.sleep(977)\nfinally: open('said-goodbye', 'w').close()"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = start(place, sys.executable, "-c", parent, count=2)
    time.sleep(0.5)
    process.kill()
    process.wait()
    assert running_after(in_place(place), 10) == []
    assert (place / "said-goodbye").exists()


def test_trees_are_stopped_with_what_their_leaders_left_behind(place: Path) -> None:
    first = start(place, "sh", "-c", "sleep 977 & sleep 977", count=3)
    second = start(place, "sh", "-c", "sleep 977 & kill -KILL $$", count=4)
    second.wait()
    processes.stop_tree(first.pid, second.pid, seconds=5)
    first.wait()
    assert in_place(place) == []


def test_kill_tree_does_not_wait_for_politeness(place: Path) -> None:
    process = start(place, "sh", "-c", "trap '' TERM; setsid sleep 977 & sleep 977; sleep 977", count=3)
    processes.kill_tree(process.pid)
    process.wait()
    assert in_place(place) == []


@pytest.mark.parametrize("stop", processes.STOP_SIGNALS)
def test_every_stop_signal_runs_the_finally_blocks(stop: signal.Signals) -> None:
    code = (
        "import time; from infra.processes import interrupt_on_stop_signals as i; i()\n"
        "try: print('ready', flush=True); time.sleep(977)\n"
        "except KeyboardInterrupt: print('stopped')\nfinally: print('cleaned')"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(stop)
        assert process.stdout.read() == "stopped\ncleaned\n"


def test_nohup_keeps_its_promise() -> None:
    code = (
        "import os, signal; from infra.processes import interrupt_on_stop_signals as i; i();"
        "os.kill(os.getpid(), signal.SIGHUP); print('still here')"
    )
    done = subprocess.run(["nohup", sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "still here\n"


def test_a_command_that_is_missing_or_wrong_is_a_sentence(run_python: RunPython) -> None:
    done = run_python("-m", "infra.processes", "no-such-command")
    assert (done.returncode, done.stderr) == (127, "no-such-command: No such file or directory\n")
    assert "the command is missing" in run_python("-m", "infra.processes").stderr


@pytest.mark.parametrize(
    ("status", "name"),
    [(-9, "SIGKILL"), (137, "SIGKILL"), (143, "SIGTERM"), (0, None), (1, None), (128, None), (255, None)],
)
def test_the_signal_behind_a_status_is_named(status: int, name: str | None) -> None:
    assert signal_name(status) == name


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "a.edu, localhost"}, "a.edu,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "a.edu", "no_proxy": "b.edu"}, "a.edu,b.edu,127.0.0.1,localhost,::1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_this_machine_is_reached_without_a_proxy(environment: dict[str, str], expected: str) -> None:
    assert without_proxy(environment) == {"NO_PROXY": expected, "no_proxy": expected}
