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

import nbformat
from sphinx.cmd.build import build_main

from module4.platforms import REPORTS, ROOT
from notebooks.tools.build import FOLDER, lessons, tags
from notebooks.tools.execute import EXECUTED

SITE = REPORTS / "site"
FILES = (
    "module4/INSTRUCTOR.md",
    "module4/lab*/**/*",
    "module4/images/*.png",
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
        (target / "notebooks" / path.name).write_text(to_page(path), encoding="utf-8")
    (target / "pictures.md").write_text(pictures(target / "module4" / "images"), encoding="utf-8")


def to_page(path: Path) -> str:
    """Return an executed solution as a page, with links as in the student's copy and folded solutions."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in tags(cell)]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\(\.\./", "](", cell.source)
        if {"exercise", "questions"} & {*tags(cell)}:
            cell.metadata["tags"] = [*tags(cell), "hide-input"]
    return str(nbformat.writes(notebook))


def pictures(folder: Path) -> str:
    """Return a page with all screenshots of the platforms' web pages."""
    found = sorted(folder.glob("*.png"))
    parts = [f"## {path.stem.replace('-', ' ')}\n\n![{path.stem}](module4/images/{path.name})\n" for path in found]
    return "\n".join(["# Pictures of the user interfaces\n", *(parts or ["None have been taken yet.\n"])])


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
