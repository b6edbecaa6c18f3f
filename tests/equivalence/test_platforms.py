"""The promise: the same pipeline gives the same model on every platform, bit for bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from module4.measure import Run, measured_run
from module4.platforms import PLATFORMS, ROOT
from shared import steps
from shared.config import preset
from shared.fingerprint import Fingerprint

CONFIG = preset("tiny")


def run(platform: str, folder: Path) -> Run:
    result = measured_run(platform, CONFIG, str(folder / "store"), folder / "log")
    assert result.succeeded, result.explain_failure()
    return result


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Fingerprint:
    fingerprint = run("python", tmp_path_factory.mktemp("reference")).fingerprint
    assert fingerprint
    return fingerprint


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name != "python"])
def test_the_platform_makes_the_same_model(platform: str, reference: Fingerprint, tmp_path: Path) -> None:
    assert run(platform, tmp_path).fingerprint == reference


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_change_the_model(threads: int, reference: Fingerprint, tmp_path: Path) -> None:
    code = (
        "import json, sys; from shared import config, pipeline;"
        "print(json.dumps(pipeline.run(config.parse(sys.argv[1]), sys.argv[2])))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, CONFIG.to_json(), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(finished.stdout) == reference


def test_the_order_of_trials_does_not_change_the_model(reference: Fingerprint, tmp_path: Path) -> None:
    text, registry = CONFIG.to_json(), str(tmp_path / "registry")
    flights = steps.load_data(text, str(tmp_path / "load_data"))["uri"]
    features = steps.preprocess(text, flights, str(tmp_path / "preprocess"))["uri"]
    results = [steps.run_trial(text, features, trial) for trial in reversed(steps.propose_trials(text))]
    baseline = steps.train(text, features, str(tmp_path / "train"))["uri"]
    candidate = steps.select_best(text, features, results, str(tmp_path / "search"))["uri"]
    evaluation = steps.evaluate(text, features, baseline, candidate, registry, str(tmp_path / "evaluate"))["uri"]
    assert (
        steps.read_fingerprint(steps.deploy(text, evaluation, registry, str(tmp_path / "deploy"))["uri"]) == reference
    )


def test_a_second_run_gives_the_same_fingerprint_although_a_champion_stands_now(
    reference: Fingerprint, tmp_path: Path
) -> None:
    run("python", tmp_path)
    assert run("python", tmp_path).fingerprint == reference


def test_other_settings_make_another_model(reference: Fingerprint, tmp_path: Path) -> None:
    other = measured_run("python", preset("tiny", seed=1), str(tmp_path / "store"), tmp_path / "log").fingerprint
    assert other
    assert other["data"] == reference["data"]
    assert other["model"] != reference["model"]
