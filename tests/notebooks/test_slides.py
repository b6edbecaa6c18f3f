"""Slides: everything is there, solutions are not, and the file needs nothing but a browser."""

import re
from pathlib import Path

import nbformat
import pytest

from notebooks.tools import slides
from notebooks.tools.build import SOLUTIONS, lessons, read_source, tags
from tests.browser.chromium import needs_chromium, open_page, started
from tests.notebooks.executed import execute_once


@pytest.mark.parametrize("lesson", lessons())
def test_every_section_is_a_slide_and_no_solution_is_shown(lesson: str, tmp_path: Path) -> None:
    page = slides.make(lesson, SOLUTIONS / f"{lesson}.ipynb", tmp_path).read_text(encoding="utf-8")
    source = read_source(lesson)
    text = "\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    titles = [slides._markdown.renderInline(title) for title in re.findall(r"^#{1,3} (.+)$", text, re.MULTILINE)]
    shown = re.findall(r"<h1>(.*?)</h1>", page)
    assert [title for title in titles if title not in shown] == []
    assert "SOLUTION" not in page
    for cell in source.cells:
        if {"exercise", "questions"} & {*tags(cell)}:
            (solution,) = re.findall(r"# BEGIN SOLUTION\n(.*?)# STUB", cell.source, re.DOTALL)
            assert slides._code(solution) not in page
    assert re.findall(r"""(?:src|href)=["'](?!data:|https?:|#)[^"']+""", page) == [], "one file, alone"
    assert re.findall(r"<(?:img|script|link)[^>]+https?:", page) == [], "no network"


def test_a_slide_shows_first_sentences_and_the_notes_hold_all() -> None:
    text = "## One\n\nFirst is short. Second is not shown; see [lab](../lab.md).\n\n- a list. With two.\n\n"
    text += "| a | b |\n|---|---|\n| c | d. E |\n"
    cells = [
        nbformat.v4.new_markdown_cell(text),
        nbformat.v4.new_code_cell("import os\n\nx = 1\nx", outputs=[nbformat.v4.new_output("stream", text="<b>")]),
        nbformat.v4.new_markdown_cell("After the code."),
        nbformat.v4.new_code_cell("answer = 7", metadata={"tags": ["exercise"]}),
    ]
    one, two = slides.to_slides(nbformat.v4.new_notebook(cells=cells))
    shown, notes = "".join(one.shown), "".join(one.notes)
    assert "First is short." in shown
    assert "Second" not in shown
    assert "With two" in shown
    assert "<td>d. E</td>" in shown
    assert "Second is not shown; see lab" in notes
    assert "import os" not in shown
    assert "x = 1" in shown
    assert "&lt;b&gt;" in shown
    assert (one.title, two.title) == ("One", "One")
    assert "After the code." in two.shown[0]
    assert "answer" not in "".join(two.shown)


@needs_chromium
def test_the_slides_turn_in_a_browser_with_notes_and_on_paper(tmp_path_factory: pytest.TempPathFactory) -> None:
    lesson = lessons()[0]
    executed = execute_once(lesson, tmp_path_factory).notebook
    path = slides.make(lesson, executed, tmp_path_factory.mktemp("slides"))
    with started() as browser:
        page = open_page(browser)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        sections = page.locator("section")
        seen = sections.filter(visible=True)
        assert seen.count() == 1
        assert page.locator("section img").count() >= 1
        assert seen.locator("h1").inner_text().startswith("0 ·")
        page.keyboard.press("ArrowRight")
        second = seen.locator("h1").inner_text()
        assert not second.startswith("0 ·")
        assert not seen.locator("aside").is_visible()
        page.keyboard.press("n")
        assert seen.locator("aside").is_visible()
        with page.expect_popup() as popup:
            page.keyboard.press("p")
        presenter = popup.value
        presenter.locator("section.current").wait_for()
        assert presenter.locator("section.current h1").inner_text() == second
        page.keyboard.press("End")
        count = sections.count()
        presenter.locator("footer", has_text=f"{count} / {count}").wait_for()
        page.emulate_media(media="print")
        assert sections.filter(visible=True).count() == count
        assert {url for url in asked if not url.startswith(("file:", "data:"))} == set()
