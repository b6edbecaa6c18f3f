"""Planned failures: the requested attempts at the requested step, and no others."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared import faults
from shared.config import PipelineConfig, preset
from shared.errors import ConfigError, InjectedFault
from shared.trials import propose_trials

RunPython = Callable[..., subprocess.CompletedProcess[str]]


def broken(state: str, step: str = "propose_trials", kind: str = "fail", times: int = 1) -> PipelineConfig:
    return preset("tiny", fault={"step": step, "kind": kind, "times": times, "state": state})


@pytest.fixture(params=["path", "s3"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "faults") if request.param == "path" else f"{request.getfixturevalue('s3_store')}/faults"


@pytest.mark.parametrize("times", [1, 2])
def test_the_first_attempts_fail_and_the_next_succeeds(state: str, times: int) -> None:
    config = broken(state, times=times)
    for attempt in range(1, times + 1):
        with pytest.raises(InjectedFault, match=f"propose_trials: broken on purpose, attempt {attempt} of {times}"):
            propose_trials(config)
    assert propose_trials(config) == propose_trials(preset("tiny"))


def test_other_steps_are_spared(tmp_path: Path) -> None:
    assert len(propose_trials(broken(str(tmp_path / "faults"), step="train"))) == 2
    assert not (tmp_path / "faults").exists()


def test_a_run_with_another_folder_counts_anew(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with pytest.raises(InjectedFault):
            propose_trials(broken(str(tmp_path / name)))


def test_a_failed_attempt_is_announced(tmp_path: Path, events: Callable[[], list[dict[str, Any]]]) -> None:
    with pytest.raises(InjectedFault):
        propose_trials(broken(str(tmp_path / "faults")))
    assert [event["state"] for event in events()] == ["started", "failed"]


def test_a_killed_process_remembers_that_it_was_killed(tmp_path: Path, run_python: RunPython) -> None:
    config = broken(str(tmp_path / "faults"), kind="kill").to_json()
    assert run_python("-m", "shared", "propose_trials", config).returncode == -9
    again = run_python("-m", "shared", "propose_trials", config)
    assert again.returncode == 0
    assert len(again.stdout.splitlines()) == 2


def test_a_hanging_attempt_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "HANG_SECONDS", 0.3)
    begin = time.perf_counter()
    with pytest.raises(InjectedFault):
        propose_trials(broken(str(tmp_path / "faults"), kind="hang"))
    assert time.perf_counter() - begin >= 0.3


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"step": "dance", "kind": "fail", "state": "s"}, r"fault\.step: .*choose one of load_data"),
        ({"step": "hyperparameter_search", "kind": "fail", "state": "s"}, r"fault\.step"),
        ({"step": "train", "kind": "explode", "state": "s"}, r"fault\.kind"),
        ({"step": "train", "kind": "fail", "times": 0, "state": "s"}, r"fault\.times"),
        ({"step": "train", "kind": "fail"}, r"fault\.state"),
    ],
)
def test_an_impossible_fault_is_refused(fault: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError, match=field):
        preset("tiny", fault=fault)


@pytest.mark.parametrize("text", ["train", "train:fail:1:1", "train:fail:often"])
def test_the_commands_switch_explains_its_form(text: str, run_python: RunPython) -> None:
    done = run_python("-m", "module4", "run", "python", "--break", text)
    assert done.returncode == 1
    assert "is not of the form STEP:KIND or STEP:KIND:TIMES" in done.stderr


def test_the_commands_switch_breaks_the_step(tmp_path: Path, run_python: RunPython) -> None:
    done = run_python("-m", "module4", "run", "python", "--break", "load_data:fail", "--store", str(tmp_path))
    assert done.returncode == 1
    assert "step load_data failed: InjectedFault: load_data: broken on purpose, attempt 1 of 1" in done.stderr
