"""The comparison: what it measures, what it prints, when it fails."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from module4.compare import _rich_table, compare_platforms, make_rows, to_markdown
from module4.measure import Run, measured_run
from module4.platforms import ROOT
from module4.runs import new_log, own_folder
from module4.timeline import Bar, bars_from_events, draw_timeline
from shared.config import preset
from shared.faults import parse_fault
from shared.fingerprint import make_fingerprint

PARTS: dict[str, Any] = {
    "data": {"test": "d1"},
    "hyperparameters": {"max_iter": 1},
    "metrics": {"roc_auc": 0.7},
    "predictions": "p1",
    "model": "m1",
}


def made_run(platform: str, seconds: float = 1.0, **changed: Any) -> Run:
    fingerprint = make_fingerprint({**PARTS, **changed})
    events = [{"step": "load_data", "state": "finished", "time": 0.5, "seconds": 0.25}]
    return Run(platform, seconds, 0.5, 3 * 2**20, fingerprint, None, Path("log"), events)


def test_runs_that_agree_pass_and_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare_platforms(preset("tiny"), [made_run("python"), made_run("airflow", 4.0)], tmp_path)
    assert "2 runs, one model" in capsys.readouterr().out
    written = json.loads((tmp_path / "compare-tiny.json").read_text())
    assert [run["platform"] for run in written["runs"]] == ["python", "airflow"]
    assert written["runs"][1]["over_python_seconds"] == 3.0
    assert (tmp_path / "compare-tiny.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("part", PARTS)
def test_a_differing_fingerprint_fails_and_names_the_part(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [made_run("python"), made_run("airflow", **{part: "other"})]
    assert not compare_platforms(preset("tiny"), runs, tmp_path)
    assert f"Airflow: differs in {part}" in capsys.readouterr().out


def test_a_failed_platform_fails_the_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = Run("dagster", 1.0, None, 0, None, None, Path("log"), [])
    assert not compare_platforms(preset("tiny"), [made_run("python"), failed], tmp_path)
    assert "Dagster: failed" in capsys.readouterr().out


def test_the_table_tells_time_over_python() -> None:
    table = to_markdown(make_rows([made_run("python", 2.0), made_run("make", 5.0)]))
    assert "+3.0 s (2.5×)" in table


def test_a_failing_step_is_named_with_its_error_and_the_log(tmp_path: Path) -> None:
    run = measured_run("python", preset("tiny", data_folder=str(tmp_path)), str(tmp_path / "store"), tmp_path / "log")
    assert not run.succeeded
    explanation = run.explain_failure()
    assert "python: step load_data failed: DataError" in explanation
    assert "airlines.csv: cannot be read" in explanation
    assert str(tmp_path / "log") in explanation


def test_a_run_is_measured_from_outside(tmp_path: Path) -> None:
    begin = time.perf_counter()
    seen: list[str] = []
    run = measured_run(
        "python", preset("tiny"), str(tmp_path / "store"), tmp_path / "log", lambda event: seen.append(event["step"])
    )
    assert 0 < (run.startup_seconds or 0) < run.seconds <= time.perf_counter() - begin
    assert run.peak_memory > 100 * 2**20  # pandas and scikit-learn alone need this
    assert seen[0] == "load_data"
    assert seen[-1] == "deploy"
    assert "preprocess finished" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "luigi"], "platform: no platform is called 'luigi'"),
        (["run", "python", "--preset", "huge"], "preset: no preset is called 'huge'"),
        (["compare", "--platforms", "python,luigi"], "platforms: unknown luigi"),
        (["run", "python", "--tracking", "loud"], "tracking: Input should be 'disabled', 'offline' or 'online'"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: list[str], message: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "module4", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 1
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_the_timeline_has_a_bar_per_step_in_the_order_of_starts() -> None:
    events = [
        {"step": "a", "state": "started", "time": 1.0},
        {"step": "a", "state": "finished", "time": 3.0, "seconds": 2.0},
        {"step": "b", "state": "failed", "time": 2.5, "seconds": 2.0},
    ]
    bars = bars_from_events(events)
    assert bars == [Bar("a", 1.0, 3.0), Bar("b", 0.5, 2.5)]
    axis = draw_timeline(bars, "run").axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["b", "a"]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_stopped_run_leaves_no_process(stop: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "module4", "run", "python", "--store", str(tmp_path / "store")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not workers(tmp_path):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(stop)
    assert process.wait(timeout=60) != 0
    give_up = time.monotonic() + 10  # after SIGKILL nobody is left to wait for the worker's end
    while workers(tmp_path) and time.monotonic() < give_up:
        time.sleep(0.1)
    assert workers(tmp_path) == []
    assert not (tmp_path / "store" / "registry").exists()


def test_a_step_that_hangs_is_named_with_what_to_press(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "module4", "run", "python", "--break", "load_data:hang", "--store", str(tmp_path)]
    env = {**os.environ, "PIPELINE_QUIET_SECONDS": "1", "PIPELINE_WORKSPACE": str(tmp_path / "moved")}
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.terminate()
    assert re.search(r"load_data +has been running for \d+ s. Wait, or press Ctrl-C to stop.", line)
    assert [path.name for path in (tmp_path / "moved" / "logs").glob("*.log") if path.is_symlink()] == [
        "python-tiny.log"
    ]


def test_a_killed_process_is_named_with_its_signal_and_what_to_do(tmp_path: Path) -> None:
    fault = parse_fault("load_data:kill", str(tmp_path))
    run = measured_run("python", preset("tiny", fault=fault), str(tmp_path / "store"), tmp_path / "log")
    explanation = run.explain_failure()
    assert "step load_data did not end" in explanation
    assert "ended by SIGKILL" in explanation
    assert "run the same command again" in explanation


def test_an_error_is_said_once(tmp_path: Path) -> None:
    fault = parse_fault("load_data:fail", str(tmp_path))
    run = measured_run("python", preset("tiny", fault=fault), str(tmp_path / "store"), tmp_path / "log")
    assert run.explain_failure().count("broken on purpose") == 1


def test_two_runs_have_folders_and_logs_of_their_own(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from module4.runs import own_folder, new_log; place = pathlib.Path(sys.argv[1])\n"
        "with own_folder(place) as folder: (folder / 'kept').touch(); print(folder, flush=True); sys.stdin.readline()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        with own_folder(tmp_path) as ours:
            assert ours != theirs
            assert (theirs / "kept").exists()
            assert (tmp_path / "latest").resolve() == ours
        other.kill()
    with own_folder(tmp_path):
        assert not theirs.exists()  # its run is dead
        assert not ours.exists()


def test_logs_are_kept_for_a_while(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"make-tiny-20130101-0000{number:02d}-1.log").touch()
    log = new_log(tmp_path, "make-tiny")
    assert (tmp_path / "make-tiny.log").resolve() == log
    assert len([path for path in tmp_path.glob("*.log") if not path.is_symlink()]) == 10


def test_a_workspace_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finished = subprocess.run(
        [sys.executable, "-m", "module4", "run", "python"],
        cwd=ROOT,
        env={**os.environ, "PIPELINE_WORKSPACE": str(tmp_path / "file")},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 1
    assert "PIPELINE_WORKSPACE" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("width", [60, 80, 119, 120, 200])
def test_no_terminal_is_too_narrow_for_the_fingerprint(width: int) -> None:
    rows = make_rows([made_run("python"), made_run("modal", 4.0), made_run("kubeflow", 100.0)])
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(_rich_table(rows, "title", width))
    assert console.export_text().count(rows[0]["fingerprint"][:12]) == 3


def workers(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "module4.worker" in words and str(folder / "store") in words:
            found.append(process.pid)
    return found
