"""The steps by URI: the whole pipeline in one process, twice; and a step that is killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shared import artifacts, pipeline, steps
from shared.config import PipelineConfig
from shared.errors import ArtifactError, ConfigError
from shared.evaluation import Evaluation
from shared.fingerprint import table_digest
from shared.registry import Registry
from shared.storage import open_artifact

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def first(small: PipelineConfig, store: str) -> dict[str, Any]:
    """The fingerprint of the whole pipeline, run into `store`."""
    return pipeline.run(small, store, "one")


@pytest.fixture
def folder(first: dict[str, Any], store: str) -> str:
    return f"{store}/runs/one"


def test_the_run_leaves_one_artifact_per_step(folder: str) -> None:
    assert sorted(path.name for path in Path(folder).iterdir()) == [
        "deploy",
        "evaluate",
        "hyperparameter_search",
        "load_data",
        "preprocess",
        "train",
    ]
    for path in Path(folder).iterdir():
        open_artifact(str(path))


def test_the_fingerprint_is_that_of_the_evaluation(first: dict[str, Any], folder: str) -> None:
    assert set(first) == {"fingerprint", "data", "hyperparameters", "metrics", "predictions", "model"}
    assert steps.read_fingerprint(f"{folder}/deploy") == first
    assert open_artifact(f"{folder}/evaluate").read_json("fingerprint.json") == first


def test_running_again_gives_the_same_and_leaves_the_tables_untouched(
    small: PipelineConfig, store: str, first: dict[str, Any], folder: str
) -> None:
    # The other two name the champion, and only now there is one.
    kept = ("load_data", "preprocess", "train", "hyperparameter_search")
    before = {name: os.stat(f"{folder}/{name}").st_ino for name in kept}
    assert pipeline.run(small, store, "one") == first
    assert {name: os.stat(f"{folder}/{name}").st_ino for name in kept} == before
    registry = Registry(f"{store}/registry", "late-arrival")
    assert len(registry.versions()) == 1
    evaluation = artifacts.load(f"{folder}/evaluate", Evaluation)
    assert evaluation.champion is not None
    assert evaluation.champion["version"] == registry.versions()[0]  # the first run's winner was compared


def test_the_order_in_which_trials_end_does_not_matter(small: PipelineConfig, folder: str, tmp_path: Path) -> None:
    config, features = small.to_json(), f"{folder}/preprocess"
    trials = steps.propose_trials(config)
    random.Random(1).shuffle(trials)
    results = [steps.run_trial(config, features, trial) for trial in trials]
    steps.select_best(config, features, results, f"{tmp_path}/candidate")
    assert open_artifact(f"{tmp_path}/candidate").files == open_artifact(f"{folder}/hyperparameter_search").files


def test_a_bucket_gives_the_same(small: PipelineConfig, folder: str, first: dict[str, Any], s3_store: str) -> None:
    config, remote = small.to_json(), s3_store
    features = f"{remote}/preprocess"
    artifacts.save(artifacts.load(f"{folder}/preprocess", pd.DataFrame), features)
    baseline = steps.train(config, features, f"{remote}/train")
    results = [steps.run_trial(config, features, trial) for trial in steps.propose_trials(config)]
    candidate = steps.select_best(config, features, results, f"{remote}/search")
    evaluation = steps.evaluate(
        config, features, baseline["uri"], candidate["uri"], f"{remote}/registry", f"{remote}/evaluate"
    )
    deployment = steps.deploy(config, evaluation["uri"], f"{remote}/registry", f"{remote}/deploy", "test", "1")
    assert steps.read_fingerprint(deployment["uri"]) == first


def test_what_steps_return_is_small_json(small: PipelineConfig, folder: str) -> None:
    for name in ("load_data", "preprocess", "train", "evaluate", "deploy"):
        assert len(json.dumps(open_artifact(f"{folder}/{name}").summary)) < 2000
    trials = steps.propose_trials(small.to_json())
    assert [json.loads(trial)["number"] for trial in trials] == [0, 1, 2]


def test_the_tables_summary_counts_its_rows(first: dict[str, Any], folder: str, tiny_flights: pd.DataFrame) -> None:
    assert open_artifact(f"{folder}/load_data").summary["rows"] == len(tiny_flights)


@pytest.mark.parametrize(
    ("step", "arguments"),
    [
        (steps.preprocess, ["missing", "out"]),
        (steps.train, ["missing", "out"]),
        (steps.run_trial, ["missing", "{}"]),
        (steps.select_best, ["missing", [], "out"]),
        (steps.evaluate, ["missing", "b", "c", "r", "out"]),
        (steps.deploy, ["missing", "r", "out"]),
    ],
)
def test_a_step_without_its_input_says_so_and_writes_nothing(
    step: Any, arguments: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtifactError, match=r"^missing: there is no complete artifact"):
        step("tiny", *arguments)
    assert not list(tmp_path.iterdir())


def test_a_step_with_an_impossible_configuration_says_so_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Invalid JSON"):
        steps.load_data("{", f"{tmp_path}/out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("output", ["file/deploy", "precious"])
def test_nothing_is_promoted_when_the_outcome_cannot_be_written(
    small: PipelineConfig, folder: str, tmp_path: Path, output: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").write_text("years of work")
    with pytest.raises(ArtifactError, match=output):
        steps.deploy(small.to_json(), f"{folder}/evaluate", f"{tmp_path}/registry", f"{tmp_path}/{output}")
    assert not (tmp_path / "registry").exists()


def test_a_registry_that_is_a_file_is_refused(small: PipelineConfig, folder: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for arguments in (
        ["evaluate", f"{folder}/preprocess", f"{folder}/train", f"{folder}/hyperparameter_search"],
        ["deploy", f"{folder}/evaluate"],
        ["load_model"],
    ):
        name, *inputs = arguments
        with pytest.raises(ArtifactError, match=r"/file/.*(Not a directory|File exists).* A file is where a folder is"):
            getattr(steps, name)(small.to_json(), *inputs, f"{tmp_path}/file", f"{tmp_path}/out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


# What a step imports is what it costs a platform that starts a process for each

HEAVY = {"pandas", "sklearn", "skops", "matplotlib", "wandb"}


@pytest.mark.parametrize(
    ("step", "arguments", "needed"),
    [
        ("propose_trials", [], set()),
        ("deploy", ["{folder}/evaluate", "{new}/registry", "{new}/deploy"], set()),
        ("preprocess", ["{folder}/load_data", "{new}/preprocess"], {"pandas"}),
        ("load_batch", ["2013-03-06", "{new}/batch"], {"pandas"}),
        ("run_trial", ["{folder}/preprocess", "{trial}"], {"pandas", "sklearn"}),
        ("train", ["{folder}/preprocess", "{new}/train"], {"pandas", "sklearn", "skops"}),
    ],
)
def test_a_step_imports_only_what_it_uses(
    small: PipelineConfig,
    folder: str,
    tmp_path: Path,
    run_python: Callable[..., subprocess.CompletedProcess[str]],
    step: str,
    arguments: list[str],
    needed: set[str],
) -> None:
    values = {"folder": folder, "new": str(tmp_path), "trial": steps.propose_trials(small.to_json())[0]}
    given = [small.to_json(), *(values["trial"] if text == "{trial}" else text.format(**values) for text in arguments)]
    code = f"""
import json, sys
from shared import steps
steps.{step}(*json.loads(sys.argv[1]))
print(*sorted({HEAVY!r} & {{*sys.modules}}))
"""
    finished = run_python("-c", code, json.dumps(given))
    assert finished.returncode == 0, finished.stderr
    assert {*finished.stdout.split()} == needed


# Being killed


def run_until(command: list[str], events: Path, state: str) -> int:
    """Start a step, kill it as soon as it reports `state`, and return its exit status."""
    environment = {**os.environ, "PIPELINE_EVENTS": str(events), "OMP_NUM_THREADS": "1"}
    events.unlink(missing_ok=True)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 60
        while not (events.exists() and f'"{state}"' in events.read_text(encoding="utf-8")):
            assert process.poll() is None, "the step ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        return process.wait()


def test_a_killed_step_leaves_nothing_half_written_and_runs_again(
    tiny: PipelineConfig, tiny_flights: pd.DataFrame, tiny_features: pd.DataFrame, tmp_path: Path
) -> None:
    flights, output = f"{tmp_path}/flights", tmp_path / "run" / "features"
    artifacts.save(tiny_flights, flights)
    command = [sys.executable, "-m", "shared", "preprocess", tiny.to_json(), flights, str(output)]
    assert run_until(command, tmp_path / "events", "started") == -signal.SIGKILL  # in the middle of computing
    assert not output.parent.exists()
    for _ in range(2):  # before, while or after writing
        run_until(command, tmp_path / "events", "finished")
        if output.exists():
            assert open_artifact(str(output)).read("table.parquet")
    assert steps.preprocess(tiny.to_json(), flights, str(output))["digest"] == table_digest(tiny_features)
    pd.testing.assert_frame_equal(artifacts.load(str(output), pd.DataFrame), tiny_features, check_exact=True)
    assert [path.name for path in output.parent.iterdir()] == ["features"]


@pytest.mark.parametrize("step", ["preprocess", "train", "predict"])
def test_a_table_of_another_step_is_named(step: str, tmp_path: Path) -> None:
    artifacts.save(pd.DataFrame({"date": [1]}), f"{tmp_path}/table")
    calls: dict[str, tuple[str, Callable[[str, str], object]]] = {
        "preprocess": ("load_data", lambda table, output: steps.preprocess("tiny", table, output)),
        "train": ("preprocess", lambda table, output: steps.train("tiny", table, output)),
        "predict": ("predict", lambda table, output: steps.save_predictions("tiny", table, output)),
    }
    producer, call = calls[step]
    with pytest.raises(ArtifactError, match=rf"table: has no column .*\. Give the output of {producer}\."):
        call(f"{tmp_path}/table", f"{tmp_path}/output")
    assert not (tmp_path / "output").exists()
