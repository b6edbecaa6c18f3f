"""Make the notebooks from their sources: `python -m notebooks.tools.build`, or `make lessons`; `--check` only compares.

A source is a Python file in jupytext's percent format, and runs as the solution. In cells tagged `exercise`, the
student gets what stands after `# STUB` instead of what stands before it:

    # BEGIN SOLUTION
    answer = 42
    # STUB
    # answer = None
    # END SOLUTION

Cells tagged `slow` are run in the solution, and by the student; the test of the student's copy leaves them out, because
they are the same there. `{{minutes}}` becomes the time that the lesson takes, from `notebooks/tools/measured.json`.
"""

import argparse
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat

FOLDER = Path(__file__).parents[1]
SOURCES = FOLDER / "source"
SOLUTIONS = FOLDER / "solutions"
MEASURED = Path(__file__).with_name("measured.json")

WORDS_PER_MINUTE = 130  # technical prose is read slowly; lines of code count as words too
EXERCISE_MINUTES = 5

SOLUTION = re.compile(
    r"^[ ]*# BEGIN SOLUTION\n(?P<solution>.*?)^[ ]*# STUB\n(?P<stub>.*?)^[ ]*# END SOLUTION\n?",
    re.DOTALL | re.MULTILINE,
)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

Notebook = Any  # nbformat has no types


def lessons() -> list[str]:
    """Return the lessons' names in reading order."""
    return sorted(path.stem for path in SOURCES.glob("*.py"))


def read_source(lesson: str) -> Notebook:
    """Return the source as a notebook, its exercises still holding solution and stub. Raises ValueError with advice."""
    notebook = jupytext.read(SOURCES / f"{lesson}.py", fmt="py:percent")
    for cell in notebook.cells:
        exercise, marked = "exercise" in tags(cell), bool(SOLUTION.search(cell.source))
        if exercise != marked:
            raise ValueError(
                f"{lesson}: a cell tagged exercise needs BEGIN SOLUTION, STUB and END SOLUTION, and only such a cell "
                f"has them: {cell.source.splitlines()[:1]}"
            )
    return notebook


def tags(cell: Notebook) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", []))


def to_solution(source: str) -> str:
    """Return an exercise's code with the solution."""
    return _tidy(SOLUTION.sub(lambda match: match["solution"], source))


def to_stub(source: str) -> str:
    """Return an exercise's code as the student finds it."""
    return _tidy(SOLUTION.sub(lambda match: re.sub(r"^( *)# ?", r"\1", match["stub"], flags=re.MULTILINE), source))


def _tidy(source: str) -> str:
    """Leave no empty lines where a marker stood: none at the ends, and two at most in between."""
    return re.sub(r"\n{4,}", "\n\n\n", source.strip("\n"))


def build(lesson: str, *, solution: bool) -> str:
    """Return the text of the student's notebook or of its solution: the same cells, with the same ids."""
    notebook = read_source(lesson)
    minutes = describe_minutes(lesson, notebook)
    cells = []
    for number, cell in enumerate(notebook.cells):
        new = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
        text = cell.source.replace("{{minutes}}", minutes)
        text = (to_solution(text) if solution else to_stub(text)) if "exercise" in tags(cell) else text
        if solution and cell.cell_type == "markdown":
            text = re.sub(r"\]\((?!https?:|#)", "](../", text)  # the solutions lie one folder deeper
        kept = [tag for tag in tags(cell) if tag != "slow"]
        kept += ["skip-execution"] if "slow" in tags(cell) and not solution else []
        metadata = {"tags": kept} if kept else {}
        cells.append(new(text, id=f"{lesson.replace('_', '-')}-{number:02d}", metadata=metadata))
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=METADATA)) + "\n"


def describe_minutes(lesson: str, notebook: Notebook) -> str:
    """Return how long the lesson takes: counted words, the measured run, and five minutes for each exercise."""
    seconds = json.loads(MEASURED.read_text()).get(lesson, 0) if MEASURED.exists() else 0
    words = sum(len(re.sub(r"https?://\S+", "", cell.source).split()) for cell in notebook.cells)
    exercises = sum("exercise" in tags(cell) for cell in notebook.cells)
    reading = math.ceil(words / WORDS_PER_MINUTE)
    total = reading + EXERCISE_MINUTES * exercises + math.ceil(seconds / 60)
    runs = f"{seconds} seconds to run, " if seconds else ""
    return f"About {total} minutes: {reading} to read, {runs}{EXERCISE_MINUTES} for each of {exercises} exercises."


def files() -> dict[Path, str]:
    """Return every generated notebook with its text."""
    made = {FOLDER / f"{lesson}.ipynb": build(lesson, solution=False) for lesson in lessons()}
    return made | {SOLUTIONS / f"{lesson}.ipynb": build(lesson, solution=True) for lesson in lessons()}


def stale() -> list[Path]:
    """Return the notebooks that are not what their source makes, and those that have no source."""
    made = files()
    there = {*FOLDER.glob("*.ipynb"), *SOLUTIONS.glob("*.ipynb")}
    changed = {path for path, text in made.items() if path not in there or path.read_text(encoding="utf-8") != text}
    return sorted(changed | (there - set(made)))


def main() -> int:
    """Write what is not up to date; with `--check`, tell it and end with status 1."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.tools.build", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 if anything is not up to date")
    check, made = parser.parse_args().check, files()
    SOLUTIONS.mkdir(exist_ok=True)
    old = stale()
    for path in old:
        name = path.relative_to(FOLDER.parent)
        if check:
            print(f"{name}: is not what its source makes, or has outputs; run make lessons")
        elif path in made:
            path.write_text(made[path], encoding="utf-8")
            print(f"{name}: written")
        else:
            path.unlink()
            print(f"{name}: removed, it has no source")
    return int(check and bool(old))


if __name__ == "__main__":
    sys.exit(main())
