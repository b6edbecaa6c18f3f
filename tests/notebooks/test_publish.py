"""The course site's pages: what is folded, what the pictures say, and the start page."""

from pathlib import Path

import nbformat

from module4.platforms import PLATFORMS
from notebooks.tools import build, publish

LESSON = "02_airflow"


def page(tmp_path: Path) -> list[nbformat.NotebookNode]:
    """A lesson's page, made from its solution."""
    path = tmp_path / f"{LESSON}.ipynb"
    path.write_text(build.build(LESSON, solution=True))
    return list(nbformat.reads(publish.to_page(path, LESSON), as_version=4).cells)


def test_what_is_given_is_seen_and_the_solution_is_folded(tmp_path: Path) -> None:
    cells = [cell for cell in page(tmp_path) if "exercise" in build.tags(cell)]
    folded = [cell.source for cell in cells if "hide-input" in build.tags(cell)]
    seen = "\n".join(cell.source for cell in cells if "hide-input" not in build.tags(cell))
    assert len(folded) == len(build.points(LESSON))
    assert '@dag(schedule="0 5 * * *"' in folded[0]
    assert "def count_flights()" in seen
    assert "@dag(" not in seen
    assert "STUB" not in seen + "".join(folded)
    assert next(cell.source for cell in page(tmp_path) if "questions" in build.tags(cell)).startswith("from notebooks")


def test_a_picture_says_what_is_seen(tmp_path: Path) -> None:
    texts = [cell.metadata["mystnb"]["image"]["alt"] for cell in page(tmp_path) if "mystnb" in cell.metadata]
    assert texts == [cell.metadata["alt"] for cell in build.read_source(LESSON).cells if "alt" in cell.metadata]
    assert all(text[0].isupper() and text.endswith(".") for text in texts)
    assert texts


def test_the_start_page_has_the_comparison_and_the_minutes_of_every_lesson() -> None:
    text = publish.fill_start_page((build.FOLDER / "site" / "index.md").read_text(encoding="utf-8"))
    assert "{{" not in text
    assert text.count("| 1fdff17562a0 |") == len(PLATFORMS)
    minutes = [line.split("|")[2].strip() for line in text.splitlines() if line.startswith("| [") and ".ipynb" in line]
    assert len(minutes) == len(build.lessons())
    assert all(number.isdigit() for number in minutes)
