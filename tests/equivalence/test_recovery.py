"""A platform whose orchestrator is killed, or whose store fails, makes the same model, as the fault matrix says."""

from pathlib import Path

import pytest

from module4.benchmark.parts import faults
from module4.benchmark.session import Place
from shared import pipeline
from shared.config import preset


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    return pipeline.run(preset("tiny"), str(tmp_path_factory.mktemp("reference")))["fingerprint"]


@pytest.mark.parametrize(
    ("platform", "fault", "recovery", "killed"),
    [
        ("python", faults.ORCHESTRATOR, faults.SAME_COMMAND, "the pipeline's process"),
        ("make", faults.ORCHESTRATOR, faults.SAME_COMMAND, "make"),
        ("dagster", "train:refuse", faults.BY_ITSELF, None),
        ("kubeflow", "train:half", faults.BY_ITSELF, None),
    ],
)
def test_the_platform_recovers_with_the_same_model(
    platform: str, fault: str, recovery: str, killed: str | None, reference: str, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    values = faults.measure(platform, fault, Place(tmp_path / "store", tmp_path / "log"))
    found = {name: values[name] for name in ("recovery", "fingerprint", "production_untouched", "killed")}
    assert found == {
        "recovery": recovery,
        "fingerprint": reference,
        "production_untouched": True,
        "killed": killed,
    }, (tmp_path / "log").read_text(encoding="utf-8")[-3000:]
    assert not [*tmp_path.rglob(".partial")]
