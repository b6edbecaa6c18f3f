"""What a store holds, damaged at any place: a sentence, or the right answer; never a traceback, and nothing is written.

The files are those of a real run. In a file inside an artifact the manifest's checksum is redone, so that only the
content is wrong.
"""

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import artifacts, pipeline, steps
from shared.config import PipelineConfig
from shared.deployment import Deployment
from shared.errors import PipelineError
from shared.evaluation import Evaluation
from shared.fitted import Fitted
from shared.registry import Champion, Registry
from shared.storage import new_artifact, open_artifact
from tests.unit.test_malformed import examples

KINDS = [pd.DataFrame, Fitted, Evaluation, Champion, Deployment]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def run(small: PipelineConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store after a whole run, with the model that `load_model` copied."""
    store = tmp_path_factory.mktemp("store")
    pipeline.run(small, str(store))
    steps.load_model(small.to_json(), f"{store}/registry", f"{store}/runs/python/load_model")
    return store


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Return the way to every value inside of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *path) for key, item in inner for path in paths(item))]


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """Return a JSON value with one value inside of it replaced or removed."""
    *way, last = [None, *draw(st.sampled_from(paths(whole)))]
    value = {None: copy.deepcopy(whole)}
    holder: Any = value
    for key in way:
        holder = holder[key]
    if last is not None and draw(st.booleans()):
        del holder[last]
    else:
        holder[last] = draw(VALUES)
    return value[None]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def try_all(*asks: Callable[[], object]) -> None:
    for ask in asks:
        try:
            ask()
        except PipelineError as error:
            assert str(error).endswith((".", ")")), error  # noqa: PT017


@examples(60)
@given(data=st.data())
def test_a_damaged_manifest(run: Path, tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "evaluate"
    shutil.copytree(run / "runs/python/evaluate", folder, dirs_exist_ok=True)
    manifest = data.draw(damaged(json.loads((folder / "manifest.json").read_bytes())))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    before = everything(tmp_path)
    try_all(*(lambda kind=kind: artifacts.load(str(folder), kind) for kind in KINDS))
    assert everything(tmp_path) == before


@examples(60)
@given(data=st.data())
def test_a_damaged_file_or_summary_of_an_artifact(
    run: Path, tmp_path: Path, small: PipelineConfig, data: st.DataObject
) -> None:
    step, name = data.draw(
        st.sampled_from(
            [
                ("evaluate", "evaluation.json"),
                ("evaluate", "fingerprint.json"),
                ("deploy", "fingerprint.json"),
                *((step, "") for step in ("evaluate", "deploy", "train", "load_model")),
            ]
        )
    )
    artifact = open_artifact(f"{run}/runs/python/{step}")
    uri = f"{tmp_path}/{step}"
    summary = (
        artifact.summary if name else data.draw(damaged(artifact.summary).filter(lambda value: type(value) is dict))
    )
    with new_artifact(uri, summary) as folder:
        for file in artifact.files:
            content = artifact.read(file)
            if file == name:
                content = json.dumps(data.draw(damaged(json.loads(content)))).encode()
            (folder / file).write_bytes(content)
    text = small.to_json()
    try_all(
        *(lambda kind=kind: artifacts.load(uri, kind) for kind in KINDS),
        lambda: steps.deploy(text, uri, f"{tmp_path}/registry", f"{tmp_path}/out"),
    )
    try_all(Registry(f"{tmp_path}/registry", small.model_name).find_champion)


@examples(60)
@given(data=st.data())
def test_a_damaged_registry(run: Path, tmp_path: Path, small: PipelineConfig, data: st.DataObject) -> None:
    root = tmp_path / "registry"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(run / "registry", root)
    path = data.draw(st.sampled_from(sorted(root.rglob("*.json"))))
    path.write_text(json.dumps(data.draw(damaged(json.loads(path.read_bytes())))))
    before = everything(root)
    registry = Registry(str(root), small.model_name)
    try_all(
        registry.aliases,
        registry.find_champion,
        registry.versions,
        lambda: registry.metadata("production"),
        lambda: registry.load("staging"),
        lambda: steps.load_model(small.to_json(), str(root), f"{tmp_path}/model"),
    )
    assert everything(root) == before
    try_all(lambda: registry.promote("staging"), lambda: registry.stage("production"), registry.rollback)


@pytest.mark.parametrize("kind", KINDS)
def test_an_artifact_of_another_step_is_never_taken(run: Path, kind: type) -> None:
    makers = {pd.DataFrame: {"load_data", "preprocess"}, Fitted: {"train", "hyperparameter_search"}}
    makers |= {Evaluation: {"evaluate"}, Champion: {"load_model"}, Deployment: {"deploy"}}
    taken = set()
    for folder in (run / "runs/python").iterdir():
        try:
            artifacts.load(str(folder), kind)
            taken.add(folder.name)
        except PipelineError as error:
            assert str(error).endswith("Give the output of the right step.")  # noqa: PT017
    assert taken == makers[kind]
