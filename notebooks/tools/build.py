"""Make the notebooks from their sources: `python -m notebooks.tools.build`, or `make lessons`; `--check` only compares.

A source is a Python file in jupytext's percent format. It can be executed, and it is the solution. From cells tagged
`exercise`, the student gets what comes after `# STUB` instead of what comes before it:

    # BEGIN SOLUTION
    answer = 42
    # STUB
    # answer = None
    # END SOLUTION

An exercise is worth one point, or as many as the first line of its cell says: `# %% tags=["exercise"] points=2`.

Cells tagged `slow` run in the solution, and when the student runs them; the test of the student's copy skips them,
because the same cells run in the solution. `{{minutes}}` becomes the time that the lesson takes, and a Markdown cell
with `{{questions}}` gets the lesson's concept questions, followed by a cell for their answers.

Every notebook contains its own digest. One that someone has edited since is first copied to where students work, so
that nobody loses an answer when the notebooks are built. A notebook without a source is left alone.
"""

import argparse
import hashlib
import json
import math
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from notebooks.course.progress import STUDENT
from notebooks.course.quiz import read_questions, to_markdown

FOLDER = Path(__file__).parents[1]
SOURCES = FOLDER / "source"
SOLUTIONS = FOLDER / "solutions"
KEPT = STUDENT / "notebooks"  # where edited notebooks are kept: where students work
MEASURED = Path(__file__).with_name("measured.json")

WORDS_PER_MINUTE = 130  # people read technical prose slowly; words of code count too
EXERCISE_MINUTES = 5
QUESTION_MINUTES = 0.5

QUESTIONS = "{{questions}}"
DIGEST = re.compile(r'"digest": "(?P<digest>[0-9a-f]*)"')
ANSWERS = """\
from notebooks.course.quiz import check_answers

# BEGIN SOLUTION
answers = {right}
# STUB
# answers = {none}  # a letter for each question
# END SOLUTION
check_answers({lesson!r}, answers)"""

SOLUTION = re.compile(
    r"^[ ]*# BEGIN SOLUTION\n(?P<solution>.*?)^[ ]*# STUB\n(?P<stub>.*?)^[ ]*# END SOLUTION\n?",
    re.DOTALL | re.MULTILINE,
)
EXERCISE = re.compile(r"^## Exercise (?P<number>\d+): .+$", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

Notebook = Any  # nbformat has no types


def lessons() -> list[str]:
    """Return the lessons' names in reading order."""
    return sorted(path.stem for path in SOURCES.glob("*.py"))


def read_source(lesson: str) -> Notebook:
    """Return the source as a notebook whose exercises hold both solution and stub. Raises ValueError with advice."""
    notebook = jupytext.read(SOURCES / f"{lesson}.py", fmt="py:percent")
    notebook.cells = [new for cell in notebook.cells for new in _with_questions(lesson, cell)]
    for cell in notebook.cells:
        exercise, marked = bool({"exercise", "questions"} & {*tags(cell)}), bool(SOLUTION.search(cell.source))
        if exercise != marked:
            raise ValueError(
                f"{lesson}: a cell tagged exercise needs BEGIN SOLUTION, STUB and END SOLUTION, and only such a cell "
                f"has them: {cell.source.splitlines()[:1]}"
            )
    return notebook


def _with_questions(lesson: str, cell: Notebook) -> list[Notebook]:
    """Return the cell. If it asks for the questions, fill them in and add a cell for the answers."""
    if cell.cell_type != "markdown" or QUESTIONS not in cell.source:
        return [cell]
    cell.source = cell.source.replace(QUESTIONS, to_markdown(lesson))
    right = {number: question.answer for number, question in enumerate(read_questions(lesson), start=1)}
    source = ANSWERS.format(right=_literal(right), none=_literal(dict.fromkeys(right, "")), lesson=lesson)
    return [cell, nbformat.v4.new_code_cell(source, metadata={"tags": ["questions"]})]


def _literal(answers: dict[int, str]) -> str:
    return "{" + ", ".join(f'{number}: "{letter}"' for number, letter in answers.items()) + "}"


def tags(cell: Notebook) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", []))


def points(lesson: str) -> dict[int, int]:
    """Return what each exercise is worth: `points=2` in the first line of its cell, or else one point."""
    cells = [cell for cell in read_source(lesson).cells if "exercise" in tags(cell)]
    return {number: int(cell.metadata.get("points", 1)) for number, cell in enumerate(cells, start=1)}


def to_solution(source: str) -> str:
    """Return an exercise's code with the solution."""
    return _tidy(SOLUTION.sub(lambda match: match["solution"], source))


def to_stub(source: str) -> str:
    """Return an exercise's code as the student gets it."""
    return _tidy(SOLUTION.sub(lambda match: re.sub(r"^( *)# ?", r"\1", match["stub"], flags=re.MULTILINE), source))


def _tidy(source: str) -> str:
    """Leave no empty lines where a marker stood: none at the ends, and two at most in between."""
    return re.sub(r"\n{4,}", "\n\n\n", source.strip("\n"))


def build(lesson: str, *, solution: bool) -> str:
    """Return the text of the student's notebook or of its solution: the same cells, with the same ids."""
    notebook = read_source(lesson)
    minutes = describe_minutes(lesson, notebook)
    cells, worth = [], points(lesson)
    for number, cell in enumerate(notebook.cells):
        new = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
        text = EXERCISE.sub(lambda title: _with_points(title, worth), cell.source.replace("{{minutes}}", minutes))
        text = (to_solution(text) if solution else to_stub(text)) if SOLUTION.search(text) else text
        if solution and cell.cell_type == "markdown":
            text = re.sub(r"\]\((?!https?:|#)", "](../", text)  # the solutions are one folder deeper
        kept = [tag for tag in tags(cell) if tag != "slow"]
        kept += ["skip-execution"] if "slow" in tags(cell) and not solution else []
        metadata = {"tags": kept} if kept else {}
        cells.append(new(text, id=f"{lesson.replace('_', '-')}-{number:02d}", metadata=metadata))
    course = {"course": {"digest": "", "lesson": lesson}}
    return sign(nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=METADATA | course)) + "\n")


def _with_points(title: re.Match[str], worth: dict[int, int]) -> str:
    """Return an exercise's title, and below it how many points it is worth."""
    count = worth.get(int(title["number"]), 1)
    return f"{title[0]}\n\n*{count} point{'s' if count > 1 else ''}*"


def sign(text: str) -> str:
    """Return a notebook's text with its own digest filled in."""
    blank = DIGEST.sub('"digest": ""', text, count=1)
    return blank.replace('"digest": ""', f'"digest": "{hashlib.sha256(blank.encode()).hexdigest()}"', 1)


def is_edited(text: str) -> bool:
    """Return whether someone has changed a notebook since it was built; one without a digest counts as changed."""
    return not DIGEST.search(text) or sign(text) != text


def describe_minutes(lesson: str, notebook: Notebook) -> str:
    """Return how long the lesson takes: reading, five minutes per exercise, half a minute per question, and the run."""
    seconds = json.loads(MEASURED.read_text()).get(lesson, 0) if MEASURED.exists() else 0
    words = sum(len(re.sub(r"https?://\S+", "", cell.source).split()) for cell in notebook.cells)
    exercises = sum("exercise" in tags(cell) for cell in notebook.cells)
    asked = any("questions" in tags(cell) for cell in notebook.cells)
    questions = len(read_questions(lesson)) if asked else 0
    reading, answering = math.ceil(words / WORDS_PER_MINUTE), math.ceil(QUESTION_MINUTES * questions)
    total = reading + EXERCISE_MINUTES * exercises + answering + math.ceil(seconds / 60)
    runs = f", {seconds} seconds to run" if seconds else ""
    asks = f", {answering} for {questions} questions" if questions else ""
    return (
        f"About {total} minutes: {reading} to read (at {WORDS_PER_MINUTE} words a minute){runs}, "
        f"{EXERCISE_MINUTES} for each of {exercises} exercises{asks}."
    )


def files() -> dict[Path, str]:
    """Return every generated notebook with its text."""
    made = {FOLDER / f"{lesson}.ipynb": build(lesson, solution=False) for lesson in lessons()}
    return made | {SOLUTIONS / f"{lesson}.ipynb": build(lesson, solution=True) for lesson in lessons()}


def stale() -> list[Path]:
    """Return the notebooks that differ from what their source makes, and the solutions that have no source."""
    made = files()
    changed = {path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text}
    return sorted(changed | ({*SOLUTIONS.glob("*.ipynb")} - {*made}))


def keep(path: Path) -> Path | None:
    """Copy a notebook that someone has edited to where students work, unless it is there already; return the copy."""
    if not path.exists() or not is_edited(text := path.read_text(encoding="utf-8")):
        return None
    copy = KEPT / f"{path.stem}-edited-{hashlib.sha256(text.encode()).hexdigest()[:8]}.ipynb"
    copy.parent.mkdir(parents=True, exist_ok=True)
    if not copy.exists():
        shutil.copyfile(path, copy)
    return copy


def main() -> int:
    """Write the notebooks that are not up to date; with `--check`, only report them and exit with status 1."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.tools.build", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 if anything is not up to date")
    check, made = parser.parse_args().check, files()
    SOLUTIONS.mkdir(exist_ok=True)
    old = stale()
    for path in old:
        name = path.relative_to(FOLDER.parent)
        if path not in made:
            print(f"{name}: no source makes it; remove it, or give it a source")
        elif check:
            print(f"{name}: differs from its source, or has outputs; run make lessons")
        else:
            if copy := keep(path):
                print(f"{name}: was edited; your version is now {copy}")
            path.write_text(made[path], encoding="utf-8")
            print(f"{name}: written")
    return int(check and bool(old))


if __name__ == "__main__":
    sys.exit(main())
