"""The promise: the same pipeline gives the same model on every platform, bit for bit."""

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from module4.measure import Run, measured_run
from module4.platforms import PLATFORMS, ROOT
from shared import steps
from shared.config import PipelineConfig, preset
from shared.fingerprint import Fingerprint

CONFIG = preset("tiny")


# What a student's shell may hold. Each value has MARK in it, which no run may write anywhere.
MARK = "k9f3Qz7XwB2m"
SECRETS = {
    "AWS_ACCESS_KEY_ID": f"AKIA{MARK}",
    "AWS_SECRET_ACCESS_KEY": f"aws-{MARK}",
    "AWS_SESSION_TOKEN": f"session-{MARK}",
    "WANDB_API_KEY": f"{MARK:0<40}",
    "MODAL_TOKEN_ID": f"ak-{MARK}",
    "MODAL_TOKEN_SECRET": f"as-{MARK}",
    "KFP_TOKEN": f"kfp-{MARK}",
    "AIRFLOW__CORE__FERNET_KEY": f"fernet-{MARK}",
    "AIRFLOW_CONN_WAREHOUSE": f"postgres://me:{MARK}@127.0.0.1/db",
    "DAGSTER_CLOUD_API_TOKEN": f"user:{MARK}",
    "DATABASE_URL": f"postgres://me:{MARK}@127.0.0.1/db",
}


def run(platform: str, folder: Path, config: PipelineConfig = CONFIG) -> Run:
    result = measured_run(platform, config, str(folder / "store"), folder / "log")
    assert result.succeeded, result.explain_failure()
    return result


def run_with_secrets(platform: str, folder: Path, config: PipelineConfig = CONFIG) -> Run:
    """Run where home, workspace and temporary files are below `folder`, with secrets in the environment."""
    places = {"HOME": "home", "PIPELINE_WORKSPACE": "workspace", "WANDB_DIR": "workspace", "WANDB_CACHE_DIR": "cache"}
    for name in places.values():
        (folder / name).mkdir(parents=True, exist_ok=True)
    with (
        patch.dict(os.environ, {**SECRETS, **{name: str(folder / place) for name, place in places.items()}}),
        patch("module4.measure.WORKSPACE", folder / "workspace"),
        patch("module4.measure.tempfile.TemporaryDirectory", lambda: kept_folder(folder / "temporary")),
    ):
        for name in [name for name in os.environ if name.startswith("XDG_")]:
            del os.environ[name]  # they would lead out of the home folder
        return run(platform, folder, config)


@contextmanager
def kept_folder(folder: Path) -> Iterator[str]:
    folder.mkdir(exist_ok=True)
    yield tempfile.mkdtemp(dir=folder)


def files_with_secrets(folder: Path) -> list[str]:
    """Return the files with a secret in them, plain or in base64, which has three forms of any text."""
    encoded = [base64.b64encode(b"x" * shift + MARK.encode())[4 if shift else 0 : -4] for shift in range(3)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 20  # this looks at the right place
    return [str(path) for path in files for form in (MARK.encode(), *encoded) if form in path.read_bytes()]


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Fingerprint:
    """Of plain Python, tracked by W&B, offline."""
    folder = tmp_path_factory.mktemp("reference")
    fingerprint = run_with_secrets("python", folder, preset("tiny", tracking="offline")).fingerprint
    assert fingerprint
    assert [*(folder / "workspace").rglob("*.wandb")]
    assert files_with_secrets(folder) == []
    return fingerprint


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name != "python"])
def test_the_platform_makes_the_same_model_and_writes_no_secret(
    platform: str, reference: Fingerprint, tmp_path: Path
) -> None:
    assert run_with_secrets(platform, tmp_path).fingerprint == reference
    assert files_with_secrets(tmp_path) == []


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / str(number)).write_text("")
    (tmp_path / "plain").write_bytes(b"\x00" + SECRETS["DATABASE_URL"].encode() + b"\x00")
    for shift in range(3):
        (tmp_path / f"encoded-{shift}").write_bytes(base64.b64encode(b"x" * shift + SECRETS["KFP_TOKEN"].encode()))
    found = {Path(name).name for name in files_with_secrets(tmp_path)}
    assert found == {"plain", "encoded-0", "encoded-1", "encoded-2"}


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
