"""How runs are executed: retries, resuming from a failure, processes, limits, Pipes. One fingerprint."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from module4.lab3_dagster import executors, pipes
from module4.lab3_dagster.assets import ASSETS
from module4.lab3_dagster.resources import overrides, resources
from module4.lab3_dagster.resume import resume_last_failure
from module4.lab3_dagster.run import prepare_home, run
from shared import faults, steps
from shared import pipeline as plain
from shared.config import PipelineConfig, preset
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint

RunPython = Callable[..., subprocess.CompletedProcess[str]]

SMALL = {
    "baseline": {"max_iter": 5},
    "gate": {"min_roc_auc": 0, "max_calibration_error": 1, "min_origin_roc_auc": 0},
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Fingerprint:
    return plain.run(preset("tiny", **SMALL), str(tmp_path_factory.mktemp("reference")))


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(prepare_home(str(tmp_path))))
    with dg.DagsterInstance.get() as instance:
        yield instance


def execute(job: Any, instance: dg.DagsterInstance, config: PipelineConfig, store: Path, **options: Any) -> Any:
    run_config = {**overrides(config.to_json(), str(store)), **executors.QUIET}
    return dg.execute_job(dg.reconstructable(job), instance, run_config, **options)


def started(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [str(record.step_key) for record in instance.get_run_step_stats(run_id)]


def broken(step: str, times: int, folder: Path) -> PipelineConfig:
    return preset("tiny", fault={"step": step, "kind": "fail", "times": times, "state": str(folder / "state")}, **SMALL)


def test_a_step_that_fails_once_is_tried_again(
    instance: dg.DagsterInstance, tmp_path: Path, reference: Fingerprint
) -> None:
    with execute(executors.training, instance, broken("train", 1, tmp_path), tmp_path) as result:
        assert result.success
        restarted = [event for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_RESTARTED]
        assert [event.step_key for event in restarted] == ["baseline"]
        assert steps.read_fingerprint(f"{tmp_path}/runs/{result.run_id}/deployment") == reference


def test_from_failure_only_what_failed_runs_again(
    instance: dg.DagsterInstance, tmp_path: Path, reference: Fingerprint
) -> None:
    config = broken("evaluate", 3, tmp_path)
    with execute(executors.training, instance, config, tmp_path) as failed:
        assert not failed.success
    assert "baseline" in started(instance, failed.run_id)

    success, names = resume_last_failure(instance)
    assert success
    assert {*names} == {"evaluation", "evaluation_quality_gate", "evaluation_beats_the_champion", "deployment"}
    (resumed,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
    assert resumed.parent_run_id == failed.run_id
    assert steps.read_fingerprint(f"{tmp_path}/runs/{resumed.run_id}/deployment") == reference


def test_a_run_whose_process_was_killed_is_resumed(
    instance: dg.DagsterInstance, tmp_path: Path, reference: Fingerprint, run_python: RunPython
) -> None:
    fault = {"step": "evaluate", "kind": "kill", "times": 1, "state": f"{tmp_path}/state"}
    config = preset("tiny", fault=fault, **SMALL).to_json()
    program = "import sys; from module4.lab3_dagster.run import run; from shared.config import parse"
    killed = run_python("-c", f"{program}; run(parse(sys.argv[1]), sys.argv[2])", config, str(tmp_path))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    success, names = resume_last_failure(instance)
    assert success
    assert "evaluation" in names
    assert "baseline" not in names
    (resumed,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
    assert steps.read_fingerprint(f"{tmp_path}/runs/{resumed.run_id}/deployment") == reference


def test_a_run_that_may_be_alive_is_not_resumed(instance: dg.DagsterInstance) -> None:
    instance.create_run_for_job(executors.training(), status=dg.DagsterRunStatus.STARTED)  # no event names a process
    with pytest.raises(PipelineError, match="no training run has failed here"):
        resume_last_failure(instance)


def test_a_run_that_takes_too_long_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: Callable[[], list[dict[str, Any]]]
) -> None:
    """The daemon of `make ui-dagster` reads the same limit from the same file."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    settings = yaml.safe_load((prepare_home(str(tmp_path)) / "dagster.yaml").read_text())["run_monitoring"]
    assert settings["enabled"]
    assert 0 < settings["max_runtime_seconds"] < faults.HANG_SECONDS
    hang = time.sleep
    monkeypatch.setattr(faults.time, "sleep", lambda seconds: (signal.raise_signal(signal.SIGALRM), hang(seconds)))
    fault = {"step": "load_data", "kind": "hang", "times": 1, "state": f"{tmp_path}/state"}
    with pytest.raises(
        PipelineError, match=r"the run was stopped after 1800 s\. To allow more, change max_runtime_seconds"
    ):
        run(preset("tiny", fault=fault, **SMALL), str(tmp_path))
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    assert [event["state"] for event in events()] == ["started", "failed"]
    with dg.DagsterInstance.from_config(f"{tmp_path}/dagster_home") as instance:
        (record,) = instance.get_runs()
    assert record.is_finished


def test_there_must_be_a_run_to_resume(instance: dg.DagsterInstance) -> None:
    with pytest.raises(PipelineError, match="no training run has failed here"):
        resume_last_failure(instance)


def test_a_process_per_step_makes_the_same_model_and_trials_keep_to_their_pool(
    instance: dg.DagsterInstance, tmp_path: Path, reference: Fingerprint
) -> None:
    instance.event_log_storage.set_concurrency_slots("trials", 1)
    config = preset("tiny", **SMALL)
    with execute(executors.training_in_processes, instance, config, tmp_path) as result:
        assert result.success
        assert steps.read_fingerprint(f"{tmp_path}/runs/{result.run_id}/deployment") == reference
        pids = [event.pid for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_START]
    assert os.getpid() not in pids
    assert len({*pids}) == len(pids) > len(ASSETS)
    trials = [record for record in instance.get_run_step_stats(result.run_id) if "run_trial" in record.step_key]
    first, second = sorted(trials, key=lambda record: float(record.start_time or 0))
    assert float(first.end_time or 0) <= float(second.start_time or 0)


def test_another_process_trains_the_same_model(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    bound = resources(preset("tiny", **SMALL).to_json(), str(tmp_path))
    dg.materialize(ASSETS, selection=["flights", "features", "baseline"], resources=bound, instance=instance)
    result = dg.materialize(
        [*ASSETS, pipes.external_baseline, pipes.same_model_as_baseline],
        selection=dg.AssetSelection.assets("external_baseline"),
        resources={**bound, "processes": dg.PipesSubprocessClient()},
        instance=instance,
    )
    (check,) = result.get_asset_check_evaluations()
    assert check.check_name == "same_model_as_baseline"
    assert check.passed
    (event,) = result.asset_materializations_for_node("external_baseline")
    assert event.metadata["uri"].value == f"{tmp_path}/runs/{result.run_id}/external_baseline"
    assert 0.5 < event.metadata["roc_auc"].value < 1
