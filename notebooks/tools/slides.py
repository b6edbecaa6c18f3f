"""Make slides from the lessons: `python -m notebooks.tools.slides [LESSON …]`, or `make slides`.

Each lesson becomes one HTML file that needs no network and no other file. A slide shows a heading, the first sentence
of each paragraph, tables, code, and what the code printed or drew; the presenter's notes hold the whole text. Arrow
keys turn the slides, `n` shows the notes, and `p` opens them in a second window that follows. Printing gives all slides
with their notes: a handout, or a PDF. Solutions and questions are left out, so that slides can come before exercises.
"""

import argparse
import html
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from markdown_it import MarkdownIt
from markdown_it.token import Token

from module4.platforms import REPORTS, WORKSPACE
from notebooks.tools.build import SOLUTIONS, build, lessons, tags
from notebooks.tools.execute import EXECUTED, LessonError, execute, keep_home_clean

SLIDES = REPORTS / "slides"
TEMPLATE = Path(__file__).with_name("slides.html")
CODE_LINES, PRINTED_LINES = 14, 12  # what a projector can show; the rest is in the lesson
HIDDEN = {"check", "questions", "injected-parameters", "parameters", "exercise"}
SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z`*\[])")

_markdown = MarkdownIt("commonmark", {"html": True}).enable("table")


@dataclass
class Slide:
    """What everybody sees, and what the presenter reads; both are HTML."""

    title: str
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def to_slides(notebook: Any) -> Iterator[Slide]:
    """Yield a lesson's slides: each heading begins one, and so does each text that follows code."""
    slide, after_code = Slide(""), False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for title, text in _sections(str(cell.source)):
                if title or after_code:
                    if slide.shown or slide.notes:
                        yield slide
                    slide = Slide(title or slide.title)
                after_code = False
                slide.shown.append(_short(text))
                slide.notes.append(_render(text))
        elif not HIDDEN & {*tags(cell)}:
            shown = [_code(str(cell.source)), *(_output(one) for one in cell.get("outputs", []))]
            slide.shown += filter(None, shown)
            after_code = after_code or bool(any(shown))
    yield slide


def _sections(text: str) -> list[tuple[str, str]]:
    """Split a Markdown cell at its headings; what comes before the first one has no title."""
    parts = re.split(r"^#{1,3} (.+)$", text, flags=re.MULTILINE)
    titled = [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    return [(title, body) for title, body in titled if title or body.strip()]


def _short(text: str) -> str:
    """Return what a slide shows of a text: the first sentence of each paragraph, and tables, lists and code whole."""
    tokens = _markdown.parse(_plain_links(re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)))
    for token in tokens:
        if token.type == "inline" and token.level == 1 and token.content:
            first = SENTENCE.split(token.content)[0]
            inside: list[Token] = _markdown.parseInline(first)
            token.children = inside[0].children
    return str(_markdown.renderer.render(tokens, _markdown.options, {}))


def _render(text: str) -> str:
    return str(_markdown.render(_plain_links(text)))


def _plain_links(text: str) -> str:
    """Return a text in which links to other files are words: a single file has none beside it."""
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text)


def _code(source: str) -> str:
    """Return code without imports and settings, which a slide need not show."""
    lines = [line for line in source.splitlines() if not re.match(r"(?:%|import |from \S+ import )", line)]
    text = "\n".join(lines).strip("\n")
    return f"<pre><code>{html.escape(_cut(text, CODE_LINES))}</code></pre>" if text else ""


def _output(output: Any) -> str:
    """Return an output as HTML: a picture, a table or a text."""
    if output.output_type == "stream":
        return f'<pre class="printed">{html.escape(_cut(output.text.strip(), PRINTED_LINES))}</pre>'
    data = output.get("data", {})
    if "image/png" in data:
        return f'<img alt="" src="data:image/png;base64,{"".join(data["image/png"].split())}">'
    if "text/html" in data:
        return f'<div class="table">{re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.DOTALL)}</div>'
    text = data.get("text/markdown") or data.get("text/plain", "")
    return f'<pre class="printed">{html.escape(_cut(text, PRINTED_LINES))}</pre>' if text else ""


def _cut(text: str, most: int) -> str:
    lines = text.splitlines()
    return "\n".join(lines if len(lines) <= most else [*lines[: most - 1], "…"])


def to_page(lesson: str, slides: Sequence[Slide]) -> str:
    """Return all slides of a lesson as one page."""
    parts = [
        f'<section><h1>{_markdown.renderInline(slide.title)}</h1><div class="shown">{"".join(slide.shown)}</div>'
        f"<aside>{''.join(slide.notes)}</aside></section>"
        for slide in slides
    ]
    page = TEMPLATE.read_text(encoding="utf-8")
    return page.replace("{{title}}", html.escape(lesson)).replace("{{slides}}", "\n".join(parts))


def make(lesson: str, executed: Path, target: Path) -> Path:
    """Write a lesson's slides, with what the executed lesson printed and drew, and return the file."""
    notebook = nbformat.reads(build(lesson, solution=True), as_version=4)
    outputs = {cell.id: cell.get("outputs", []) for cell in nbformat.read(executed, as_version=4).cells}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = outputs.get(cell.id, [])
    path = target / f"{lesson}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_page(lesson, list(to_slides(notebook))), encoding="utf-8")
    return path


def _execute_if_old(lesson: str, folder: Path) -> Path:
    path = folder / f"{lesson}.ipynb"
    if not path.exists() or path.stat().st_mtime < (SOLUTIONS / path.name).stat().st_mtime:
        print(f"{lesson}: executing it", flush=True)
        execute(lesson, folder)
    return path


def main(words: Sequence[str] | None = None) -> int:
    """Make the slides of the requested lessons, and execute first what was not executed since it changed."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.tools.slides", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", choices=[*lessons(), []], metavar="LESSON", help="default: all")
    parser.add_argument("--executed", type=Path, default=EXECUTED, help="where the executed notebooks are")
    parser.add_argument("--target", type=Path, default=SLIDES, help="where the slides go (%(default)s)")
    options = parser.parse_args(words)
    keep_home_clean(WORKSPACE / "jupyter")
    try:
        for lesson in options.lessons or lessons():
            print(make(lesson, _execute_if_old(lesson, options.executed), options.target), flush=True)
    except LessonError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
