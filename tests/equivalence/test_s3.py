"""The same model from a store in a bucket, on every platform that can use one: the server is a real one."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from module4.measure import measured_run
from module4.platforms import PLATFORMS
from shared import pipeline
from shared.config import preset
from shared.faults import parse_fault
from shared.fingerprint import Fingerprint
from shared.registry import Registry
from tests.s3_server import BUCKET, s3_server

ON_FILES_ONLY = {"make", "kubeflow"}  # Make compares the times of files; kfp.local keeps artifacts in a folder
CONFIG = preset("tiny")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture
def store(server: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    for name, value in {**server, "PIPELINE_WORKSPACE": str(tmp_path / "workspace")}.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Fingerprint:
    return pipeline.run(CONFIG, str(tmp_path_factory.mktemp("reference")))


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name not in ON_FILES_ONLY])
def test_the_platform_makes_the_same_model_in_a_bucket(
    platform: str, store: str, reference: Fingerprint, tmp_path: Path
) -> None:
    result = measured_run(platform, CONFIG, store, tmp_path / "log")
    assert result.succeeded, result.explain_failure()
    assert result.fingerprint == reference
    assert Registry(f"{store}/registry", CONFIG.model_name).find_champion()


@pytest.mark.parametrize("kind", ["kill", "half", "refuse"])
def test_a_run_broken_in_a_bucket_is_repeated(kind: str, store: str, reference: Fingerprint, tmp_path: Path) -> None:
    config = preset("tiny", fault=parse_fault(f"evaluate:{kind}", store))
    assert not measured_run("python", config, store, tmp_path / "log").succeeded
    assert measured_run("python", config, store, tmp_path / "log").fingerprint == reference
