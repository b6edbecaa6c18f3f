"""The instructor's page, typed section by section, because each demo must work alone."""

import pytest

from module4.platforms import ROOT
from tests.pages.reader import Terminal, blocks, type_page

PAGE = "module4/INSTRUCTOR.md"
SECTIONS = list(dict.fromkeys(block.section for block in blocks((ROOT / PAGE).read_text(encoding="utf-8"))))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_section_runs(section: str, terminal: Terminal) -> None:
    type_page(PAGE, terminal, section)


def test_there_is_a_demo_per_platform() -> None:
    assert {"Make", "Airflow", "Kubeflow Pipelines", "Dagster", "Modal", "Back to the beginning"} <= set(SECTIONS)
