"""The benchmark's changes of the labs, run: the new step works, and a mistake stops a run at the latest."""

from pathlib import Path

import pytest

from module4.benchmark.parts import changes
from module4.benchmark.parts.code import LABS
from module4.benchmark.session import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "scratch").mkdir()
    return Place(tmp_path / "scratch", tmp_path / "log")


@pytest.mark.parametrize("platform", LABS)
def test_a_pipeline_with_a_new_step_makes_the_same_model(platform: str, place: Place) -> None:
    values = changes.measure_step(platform, place)
    assert values["step_works"], place.log.read_text(encoding="utf-8")[-3000:]


@pytest.mark.parametrize("platform", ["airflow", "modal"])
def test_a_mistake_is_noticed_by_the_run_at_the_latest(platform: str, place: Place) -> None:
    values = changes.measure_mistake(platform, place)
    assert values["mistake_noticed"] == "run", values
    assert "Error: " in values["mistake_error"]
