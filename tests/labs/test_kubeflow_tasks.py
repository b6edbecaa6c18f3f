"""Tasks' processes have a time limit and say how they were killed; a refusal comes before any task."""

import signal
import sys
import time
from pathlib import Path

import pytest

from module4.lab2_kubeflow.run import run_inference, run_monitoring, run_task
from shared.config import preset
from shared.errors import ConfigError, PipelineError


def command(code: str) -> list[str]:
    return [sys.executable, "-c", code, "select-best"]


def test_a_task_that_takes_too_long_is_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEP_TIMEOUT", "2")
    begin = time.monotonic()
    assert run_task(command("import time; time.sleep(600)")) != 0
    assert time.monotonic() - begin < 60
    assert "select_best: stopped after 2 s" in capsys.readouterr().out


def test_the_signal_that_killed_a_task_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code = f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"
    assert run_task(command(code)) != 0
    assert "select_best: its process was killed by SIGKILL" in capsys.readouterr().out


def test_output_and_status_of_a_task_come_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_task(command("import os; print('größer', os.environ['X'])"), {"X": "y"}) == 0
    assert "größer y" in capsys.readouterr().out
    assert run_task(command("raise SystemExit(3)")) == 3


@pytest.mark.parametrize("run", [run_inference, run_monitoring])
@pytest.mark.parametrize(("day", "message"), [("2013-99-01", "day: "), ("2013-03-12", "production")])
def test_nothing_runs_for_a_wrong_day_or_without_a_model(run: object, day: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=message):
        run(preset("tiny"), str(tmp_path / "store"), day)  # type: ignore[operator]
    assert not (tmp_path / "store" / "runs").exists()


def test_a_limit_that_is_not_a_number_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEP_TIMEOUT", "soon")
    with pytest.raises(ConfigError, match="STEP_TIMEOUT: 'soon'"):
        run_task(command("pass"))
