"""The same pipeline with a container per task, if there is a Docker engine with the image."""

import os
from pathlib import Path

import docker
import pytest

from module4.lab2_kubeflow.components import IMAGE
from module4.lab2_kubeflow.run import docker_runner, run
from shared.config import preset
from shared.errors import PipelineError
from shared.version import code_version


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(PipelineError, match="no Docker engine answers"):
        docker_runner(tmp_path)


def test_containers_make_the_same_model(tmp_path: Path) -> None:
    try:
        client = docker.from_env()
        tags = {tag for image in client.images.list() for tag in image.tags}
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker engine answers: {error}")
    if IMAGE not in tags:
        pytest.skip(f"the image {IMAGE} is not there: make image")
    command = ["python", "-c", "from shared.version import code_version; print(code_version())"]
    inside = client.containers.run(IMAGE, command, entrypoint="", remove=True).decode().strip()
    if inside != code_version():
        pytest.skip(f"the image {IMAGE} holds other code ({inside}): make image")
    fingerprint = run(preset("tiny"), str(tmp_path), docker=True)
    assert str(fingerprint["fingerprint"]).startswith("fcef926d4333b562")
    assert os.stat(tmp_path / "registry").st_uid == os.getuid()
