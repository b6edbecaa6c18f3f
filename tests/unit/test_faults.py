"""Planned failures: the requested attempts at the requested step, and no others."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

from shared import artifacts, faults
from shared.config import FaultKind, PipelineConfig, preset
from shared.deployment import deploy
from shared.errors import ArtifactError, ConfigError, InjectedFault
from shared.evaluation import Evaluation
from shared.fingerprint import table_digest
from shared.places import parse_place
from shared.registry import Registry
from shared.storage import open_artifact
from shared.trials import propose_trials

RunPython = Callable[..., subprocess.CompletedProcess[str]]
TABLE = pd.DataFrame({"x": range(1000)})


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


# Faults of the store


def write_as_step(config: PipelineConfig, uri: str, step: str = "train") -> None:
    """What a step's function and its storing do, on a small table."""
    faults.inject_fault(config, step)
    artifacts.save(TABLE, uri)


WRITE_AS_STEP = """
import sys
from shared.config import parse
from tests.unit.test_faults import write_as_step
write_as_step(parse(sys.argv[1]), sys.argv[2])
"""


NO_SPACE = "(No space left on device). Free some space, or choose another store."
REFUSED_ON_DISK = "(Permission denied). Choose a store that you may use, or change its permissions."
REFUSED_IN_BUCKET = "(Access Denied.). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may use this store."


@pytest.mark.parametrize(
    ("kind", "disk", "bucket"), [("refuse", REFUSED_ON_DISK, REFUSED_IN_BUCKET), ("full", NO_SPACE, NO_SPACE)]
)
def test_a_store_that_fails_says_so_once_and_is_left_as_it_was(state: str, kind: str, disk: str, bucket: str) -> None:
    config, uri = broken(state, step="train", kind=kind), f"{state}-store/train"
    with pytest.raises(ArtifactError) as caught:
        write_as_step(config, uri)
    assert str(caught.value) == f"{uri}: cannot be written {bucket if uri.startswith('s3:') else disk}"
    with pytest.raises(ArtifactError, match="there is no complete artifact"):
        open_artifact(uri)
    write_as_step(config, uri)
    pd.testing.assert_frame_equal(artifacts.load(uri, pd.DataFrame), TABLE)


def test_a_process_that_dies_while_writing_leaves_half_a_file_and_no_artifact(
    tmp_path: Path, run_python: RunPython
) -> None:
    config, uri = broken(f"{tmp_path}/faults", step="train", kind="half").to_json(), f"{tmp_path}/store/train"
    assert run_python("-c", WRITE_AS_STEP, config, uri).returncode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "store").iterdir()] == [".partial"]
    (half,) = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    size = half.stat().st_size
    assert run_python("-c", WRITE_AS_STEP, config, uri).returncode == 0
    assert size == (tmp_path / "store/train/table.parquet").stat().st_size // 2
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["train"]
    pd.testing.assert_frame_equal(artifacts.load(uri, pd.DataFrame), TABLE)


def test_in_a_bucket_it_leaves_an_object_without_a_manifest(s3_store: str, run_python: RunPython) -> None:
    config, uri = broken(f"{s3_store}/faults", step="train", kind="half").to_json(), f"{s3_store}/store/train"
    assert run_python("-c", WRITE_AS_STEP, config, uri).returncode == -signal.SIGKILL
    assert [path.name for path in parse_place(uri).rglob("*") if path.is_file()] == ["table.parquet"]
    with pytest.raises(ArtifactError, match="there is no complete artifact"):
        open_artifact(uri)
    assert run_python("-c", WRITE_AS_STEP, config, uri).returncode == 0
    pd.testing.assert_frame_equal(artifacts.load(uri, pd.DataFrame), TABLE)


def test_a_step_that_died_while_writing_is_repeated(
    tmp_path: Path, run_python: RunPython, tiny_flights: pd.DataFrame
) -> None:
    words = "-m", "shared", "load_data", broken(f"{tmp_path}/faults", "load_data", "half").to_json(), f"{tmp_path}/one"
    assert run_python(*words).returncode == -signal.SIGKILL
    assert run_python(*words).returncode == 0
    assert open_artifact(f"{tmp_path}/one").summary["digest"] == table_digest(tiny_flights)


def test_a_store_fails_in_its_step_alone(tmp_path: Path) -> None:
    faults.inject_fault(broken(f"{tmp_path}/faults", step="train", kind="full"), "train")  # and nothing is written
    write_as_step(preset("tiny"), f"{tmp_path}/one", "evaluate")


def test_a_registry_whose_store_refuses_changes_nothing(judged: Evaluation, tmp_path: Path) -> None:
    registry, config = (
        Registry(f"{tmp_path}/registry", "late-arrival"),
        broken(f"{tmp_path}/faults", "deploy", "refuse"),
    )
    with pytest.raises(ArtifactError, match="Permission denied"):
        deploy(config, judged, registry)
    assert registry.aliases() == {"history": [], "records": {}}
    version = deploy(config, judged, registry).version
    assert registry.versions() == [version]


# The configuration and the commands


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"step": "dance", "kind": "fail", "state": "s"}, r"fault\.step: .*choose one of load_data"),
        ({"step": "hyperparameter_search", "kind": "fail", "state": "s"}, r"fault\.step"),
        ({"step": "train", "kind": "explode", "state": "s"}, r"fault\.kind"),
        ({"step": "train", "kind": "fail", "times": 0, "state": "s"}, r"fault\.times"),
        ({"step": "train", "kind": "fail"}, r"fault\.state"),
        (
            {"step": "run_trial", "kind": "half", "state": "s"},
            r"fault\.kind: .*writes no artifact, so its store cannot",
        ),
        ({"step": "propose_trials", "kind": "full", "state": "s"}, r"fault\.kind: .*; choose fail, hang or kill"),
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


def test_the_commands_help_names_every_kind(run_python: RunPython) -> None:
    for command in (("module4", "run"), ("module4.lab1_airflow", "break")):
        shown = run_python("-m", *command, "--help", env={"COLUMNS": "300"}).stdout
        assert f"KIND is one of {', '.join(get_args(FaultKind))}." in shown
