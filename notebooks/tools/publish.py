"""Build the course site from executed lessons, without a network: `python -m notebooks.tools.publish`, or `make site`.

The pages are laid out in a temporary folder as in the repository, so that the links between them keep working.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from sphinx.cmd.build import build_main

from module4.platforms import REPORTS, ROOT
from notebooks.tools.build import FOLDER, SOLUTION, describe_minutes, lessons, read_source, tags
from notebooks.tools.execute import EXECUTED

SITE = REPORTS / "site"
FILES = (
    "module4/CHOOSING.md",
    "tests/browser/test_*.py",
    "tests/infra/test_modal_local.py",
    "tests/labs/test_*.py",
    "tests/unit/test_benchmark.py",
    "module4/INSTRUCTOR.md",
    "module4/lab*/**/*",
    "module4/images/*.png",
    "infra/*.md",
    "infra/modal_local/README.md",
    "notebooks/GLOSSARY.md",
    "notebooks/course/*.py",
)


def lay_out(executed: Path, target: Path) -> None:
    """Copy all pages and all files they link to. Raises FileNotFoundError if a lesson was not executed."""
    shutil.copytree(FOLDER / "site", target, dirs_exist_ok=True)
    for pattern in FILES:
        for path in ROOT.glob(pattern):
            place = target / path.relative_to(ROOT)
            if path.is_file() and "__pycache__" not in path.parts:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place)
    for lesson in lessons():
        path = executed / f"{lesson}.ipynb"
        if not path.exists():
            raise FileNotFoundError(
                f"{path}: {lesson} was not executed; run python -m notebooks.tools.execute {lesson}."
            )
        (target / "notebooks" / path.name).write_text(to_page(path, lesson), encoding="utf-8")
    start = target / "index.md"
    start.write_text(fill_start_page(start.read_text(encoding="utf-8")), encoding="utf-8")
    (target / "pictures.md").write_text(pictures(target / "module4" / "images"), encoding="utf-8")


def fill_start_page(text: str) -> str:
    """Return the start page with the comparison's table from the README, and a table of the lessons with minutes."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    comparison = re.search(r"^\| platform \|.*?\n\n", readme, re.DOTALL | re.MULTILINE)
    rows = ["| lesson | minutes |", "|---|---|"]
    for lesson in lessons():
        notebook = read_source(lesson)
        title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        minutes = re.search(r"\d+", describe_minutes(lesson, notebook))
        rows.append(f"| [{title}](notebooks/{lesson}.ipynb) | {minutes[0] if minutes else ''} |")
    filled = text.replace("{{comparison}}\n", comparison[0].rstrip() + "\n" if comparison else "")
    return filled.replace("{{lessons}}", "\n".join(rows))


def to_page(path: Path, lesson: str) -> str:
    """Return an executed solution as a page: links as in the student's copy, pictures with texts, folded solutions."""
    notebook = nbformat.read(path, as_version=4)
    source = {f"{lesson.replace('_', '-')}-{n:02d}": cell for n, cell in enumerate(read_source(lesson).cells)}
    cells = []
    for cell in notebook.cells:
        if "injected-parameters" in tags(cell):
            continue
        written = source.get(cell.id)
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\(\.\./", "](", cell.source)
        if written and (text := written.metadata.get("alt")):
            cell.metadata["mystnb"] = {"image": {"alt": text}}
        cells += _fold(cell, written.source) if {"exercise", "questions"} & {*tags(cell)} and written else [cell]
    notebook.cells = cells
    return str(nbformat.writes(notebook))


def _fold(cell: Any, source: str) -> list[Any]:
    """Return an exercise's cell in parts: what is given stays visible, and only the solution is folded."""
    parts, end = [], 0
    for match in SOLUTION.finditer(source):
        parts += [(source[end : match.start()], False), (match["solution"], True)]
        end = match.end()
    parts = [(text.strip("\n"), hidden) for text, hidden in [*parts, (source[end:], False)] if text.strip()]
    cells = []
    for number, (text, hidden) in enumerate(parts):
        last = number == len(parts) - 1
        part = nbformat.v4.new_code_cell(
            text,
            id=cell.id if last else f"{cell.id}-{number}",
            outputs=cell.outputs if last else [],
            execution_count=cell.execution_count,
        )
        part.metadata["tags"] = [*tags(cell), *(["hide-input"] if hidden else [])]
        cells.append(part)
    return cells


def pictures(folder: Path) -> str:
    """Return a page with all pictures, each with the text that says what is seen."""
    places = [ROOT / "README.md", *ROOT.glob("module4/*/README.md"), *ROOT.glob("module4/*.md")]
    pages = [path.read_text(encoding="utf-8") for path in places]
    shown = {
        Path(place).stem: text for page in pages for text, place in re.findall(r"!\[([^]]+)\]\(([^)]+\.png)\)", page)
    }
    parts = [
        f"## {path.stem.replace('-', ' ')}\n\n![{shown[path.stem]}](module4/images/{path.name})\n"
        for path in sorted(folder.glob("*.png"))
    ]
    return "\n".join(["# Pictures\n", *(parts or ["None have been taken yet.\n"])])


def main(words: Sequence[str] | None = None) -> int:
    """Build the site; a warning counts as an error, because it usually means a broken link."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.tools.publish", description=__doc__.splitlines()[0])
    parser.add_argument("--executed", type=Path, default=EXECUTED, help="where the executed notebooks are")
    parser.add_argument("--target", type=Path, default=SITE)
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        try:
            lay_out(options.executed, Path(folder, "pages"))
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
            return 1
        shutil.rmtree(options.target, ignore_errors=True)
        status = build_main(
            ["-q", "-W", "--keep-going", "-d", f"{folder}/doctrees", f"{folder}/pages", str(options.target)]
        )
    print(f"{options.target / 'index.html'}" if status == 0 else "the site has broken pages; see above")
    return status


if __name__ == "__main__":
    sys.exit(main())
