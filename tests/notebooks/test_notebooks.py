"""Every lesson runs, and the notebooks are what their sources make.

nbmake runs the students' copies too, as they stand (see pyproject.toml): up to the exercises, which say "not done yet".
What is slow is tagged, and left out there: the same cells run here, in the solutions.
"""

import json
import math
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from module4.platforms import ROOT
from notebooks.checks import AnswerError, Exercises, Finding, call, expect, must, to_number, why
from notebooks.course import quiz
from notebooks.tools import build, execute
from tests.notebooks.executed import execute_once, run_lesson
from tests.processes import processes_of

LESSONS = build.lessons()
PLATFORM_LESSONS = [lesson for lesson in LESSONS if lesson[:2] in ("00", "01", "02", "03", "04", "05")]
FINGERPRINT = 64  # hexadecimal digits


def outputs_of(cell: Any) -> list[Any]:
    return list(cell.get("outputs", []))


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in outputs_of(cell)]


def texts(notebook: Any) -> list[str]:
    return [output.get("data", {}).get("text/plain", "") for output in outputs(notebook)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_papermill_runs_the_solution(lesson: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    executed = execute_once(lesson, tmp_path_factory)
    notebook = nbformat.read(executed.notebook, as_version=4)
    assert any(executed.store.rglob("*.json")), "the lesson must write below its parameter `store`"
    kinds = {kind for output in outputs(notebook) for kind in output.get("data", {})}
    assert "text/html" in kinds, "a table"
    drawn = [
        output["data"]
        for output in outputs(notebook)
        if "```mermaid" in output.get("data", {}).get("text/markdown", "")
    ]
    assert drawn or "image/png" in kinds, "a picture"
    source = dict(enumerate(build.read_source(lesson).cells))
    pictured = [
        cell.id for cell in notebook.cells if any("image/png" in output.get("data", {}) for output in outputs_of(cell))
    ]
    assert [name for name in pictured if not source[int(name[-2:])].metadata.get("alt")] == [], (
        "write alt=… for the site"
    )
    verdicts = [text.splitlines()[0] for text in texts(notebook) if text.startswith("Exercise ")]
    assert verdicts == [f"Exercise {number}: right" for number in range(1, len(verdicts) + 1)]
    assert 2 <= len(verdicts) <= 4


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_leaves_nothing_behind(lesson: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    executed = execute_once(lesson, tmp_path_factory)
    assert [path for path in executed.home.rglob("*") if path.is_file()] == [], "written into the home folder"
    assert processes_of(executed.store) == []


def test_every_platform_lesson_ends_with_the_same_model(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = {
        lesson: {
            text.strip("'")
            for text in texts(nbformat.read(execute_once(lesson, tmp_path_factory).notebook, as_version=4))
            if re.fullmatch(rf"'[0-9a-f]{{{FINGERPRINT}}}'", text)
        }
        for lesson in PLATFORM_LESSONS
    }
    assert len(set.union(*found.values())) == 1, found


def test_the_measured_times_are_those_of_all_lessons_and_below_a_minute() -> None:
    measured = json.loads(build.MEASURED.read_text())
    assert sorted(measured) == LESSONS
    assert {lesson: seconds for lesson, seconds in measured.items() if seconds >= 60} == {}


def test_the_notebooks_are_what_their_sources_make_without_outputs() -> None:
    assert build.stale() == [], "run make lessons"


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_student_gets_the_same_cells_but_for_the_exercises(lesson: str) -> None:
    student, solution = (
        nbformat.reads(build.build(lesson, solution=which), as_version=4).cells for which in (False, True)
    )
    assert [cell.id for cell in student] == [
        f"{lesson.replace('_', '-')}-{number:02d}" for number in range(len(student))
    ]
    assert [cell.id for cell in student] == [cell.id for cell in solution]
    for mine, theirs in zip(student, solution, strict=True):
        exercise = bool({"exercise", "questions"} & {*build.tags(theirs)})
        assert "SOLUTION" not in mine.source + theirs.source
        if theirs.cell_type == "code":
            assert (mine.source != theirs.source) == exercise
    parameters = [cell.source for cell in student if "parameters" in build.tags(cell)]
    assert [re.findall(r"^(\w+) =", text, re.MULTILINE)[:2] for text in parameters] == [["preset", "store"]]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_its_parts_in_order(lesson: str) -> None:
    text = "\n".join(cell.source for cell in build.read_source(lesson).cells if cell.cell_type == "markdown")
    parts = [
        "**You will be able to**",
        "**Time.** {{minutes}}",
        "## Look at it",
        "## Break it",
        "## Exercise 1",
        "## Exercise 2",
    ]
    parts += ["## To remember", "**Read on.**"]
    places = [text.find(part) for part in parts]
    assert [part for part in parts if part not in text] == []
    assert places == sorted(places)
    assert "https://" in text[places[-1] :]


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_cell_swallows_an_error(lesson: str) -> None:
    cells = [cell.source for cell in build.read_source(lesson).cells if cell.cell_type == "code"]
    assert [text for text in cells if text.startswith("%%capture")] == []


@pytest.mark.parametrize("path", sorted((build.FOLDER / "checks").glob("*.py")), ids=lambda path: path.stem)
def test_a_lessons_checks_import_its_own_platform_alone(path: Path) -> None:
    imported = set(
        re.findall(r"^\s*(?:from|import) (airflow|kfp|dagster|modal)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert imported <= {{"kubeflow": "kfp"}.get(path.stem, path.stem)}


def test_a_check_stops_at_what_must_be_and_survives_every_answer() -> None:
    check = Exercises()

    @check.exercise(1)
    def one(answer: Any) -> Iterator[Finding]:
        yield must(isinstance(answer, list), "a list", "Make a list.")
        yield expect(answer[0] == 1, "begins with one", "Look at the first.")

    assert check(1, None).verdict == check(1, ...).verdict == "not done yet"
    assert check(1, [1]).verdict == "right"
    assert "Make a list." in repr(check(1, 7))
    assert "Look at the first." not in repr(check(1, 7))
    assert "IndexError" in repr(check(1, []))
    assert "✗ begins with one" in check(1, [2])._repr_html_()


def test_a_check_calls_with_fresh_arguments_by_their_names() -> None:
    given = {"needs": {"a": {1}}, "done": {2}}

    def by_name(*, done: set[int], needs: dict[str, set[int]]) -> Any:
        needs["a"].add(3)
        return needs, done

    assert call(by_name, **given) == ({"a": {1, 3}}, {2})
    assert call(lambda *arguments: arguments, **given) == ({"a": {1}}, {2})
    assert call(lambda first, second: second, **given) == {2}
    with pytest.raises(AnswerError, match=r"For needs=\{'a': \{1\}\}, done=\{2\} it raised SystemExit"):
        call(lambda needs, done: sys.exit(1), **given)


def test_a_check_knows_that_the_answers_cell_failed() -> None:
    """In a separate process, because IPython has one shell per process."""
    program = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.io import capture_output

shell = InteractiveShell.instance()
answer = "def ready(needs, done):\\n    return {n for n, a in needs.items() if n not in done and a <= done}\\n"
cells = ["check(2)", answer + "ready(1)", "check(2)", "1 / 0", "check(2)", answer, "check(2)", "1 / 0", "check(2)"]
shell.run_cell("from notebooks.checks.why import check")
for cell in cells:
    with capture_output():
        result = shell.run_cell(cell).result
    if result is not None:
        hints = " ".join(finding.hint for finding in result.findings)
        print(result.verdict, "TypeError: ready() missing" in hints)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    wrong, right = "not right yet True", "right False"
    assert done.stdout.splitlines() == ["not done yet False", wrong, wrong, right, right]


@pytest.mark.parametrize("number", [1, np.float32(1), np.array(1), Decimal(1), Fraction(1), np.int8(1)])
def test_a_number_may_be_of_any_class(number: Any) -> None:
    assert to_number(number) == 1


@pytest.mark.parametrize(
    "other", ["1", True, np.True_, None, 1 + 0j, math.nan, math.inf, np.array([1.0]), [1], Decimal("NaN")]
)
def test_what_is_no_number_is_not_taken_for_one(other: Any) -> None:
    assert to_number(other) is None


def test_a_makefile_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "MAKE_SECONDS", 1)
    begin = time.monotonic()
    result = why.check(1, "report.txt: metrics.json slices.json\n\tsleep 300\n")
    assert time.monotonic() - begin < 60
    assert result.verdict == "not right yet"
    assert "had not ended after 1 seconds" in repr(result)


def test_a_failing_lesson_names_itself_and_the_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_code_cell("x / 0")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=build.METADATA)
    nbformat.write(notebook, tmp_path / "99_broken.ipynb")
    monkeypatch.setattr(execute, "SOLUTIONS", tmp_path)
    with pytest.raises(execute.LessonError, match=r"(?s)99_broken, cell 1 \('x / 0'\): ZeroDivisionError"):
        execute.execute("99_broken", tmp_path / "out")


def test_a_wrong_name_is_refused_before_anything_runs(tmp_path: Path) -> None:
    done = run_lesson("12_nothing", tmp_path / "out", tmp_path / "store", tmp_path)
    assert done.returncode == 2
    assert "02_airflow" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("source", "solutions"):
        shutil.copytree(build.FOLDER / name, tmp_path / name)
    shutil.copy(build.FOLDER / "00_start.ipynb", tmp_path)
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setattr(build, "SOURCES", tmp_path / "source")
    monkeypatch.setattr(build, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(build, "KEPT", tmp_path / "student" / "notebooks")
    monkeypatch.setattr(sys, "argv", ["build"])
    for path in (tmp_path / "source").glob("*.py"):
        if path.stem != "00_start":
            path.unlink()
            (tmp_path / "solutions" / f"{path.stem}.ipynb").unlink()
    return tmp_path


def test_outputs_edits_and_orphans_are_found_and_repaired(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.stale() == []
    notebook = nbformat.read(copy / "00_start.ipynb", as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="secret")]
    nbformat.write(notebook, copy / "00_start.ipynb")
    (copy / "solutions" / "98_orphan.ipynb").write_text("{}")
    monkey = sys.argv
    sys.argv = [*monkey, "--check"]
    assert build.main() == 1
    assert "00_start.ipynb: differs from its source" in capsys.readouterr().out
    sys.argv = monkey
    assert build.main() == 0
    assert build.stale() == [copy / "solutions" / "98_orphan.ipynb"], "it is for people to remove"
    assert "secret" not in (copy / "00_start.ipynb").read_text()


def test_building_keeps_what_somebody_has_written(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson, answer = copy / "00_start.ipynb", "an answer"
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells[-1].source = answer
    nbformat.write(notebook, lesson)
    others = [copy / "00_start-Copy1.ipynb", copy / "notes.ipynb"]
    for other in others:
        shutil.copy(lesson, other)
    assert build.main() == 0
    assert answer not in lesson.read_text()
    (kept,) = (copy / "student" / "notebooks").glob("00_start-edited-*.ipynb")
    assert answer in kept.read_text()
    assert kept.name in capsys.readouterr().out
    assert all(answer in other.read_text() for other in others)
    assert build.main() == 0
    assert answer in kept.read_text()


def test_a_notebook_that_nobody_edited_is_not_kept(copy: Path) -> None:
    source = copy / "source" / "00_start.py"
    source.write_text(source.read_text().replace("Is this machine ready?", "Is your machine ready?"))
    assert build.main() == 0
    assert "Is your machine ready?" in (copy / "00_start.ipynb").read_text()
    assert not (copy / "student").exists()


TERMS = re.findall(r"^## (.+)$", (build.FOLDER / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("term", TERMS)
def test_a_lesson_of_the_glossary_links_its_term(term: str) -> None:
    glossary = (build.FOLDER / "GLOSSARY.md").read_text(encoding="utf-8")
    entry = glossary.partition(f"## {term}\n")[2].partition("\n## ")[0]
    (lesson,) = re.findall(r"\]\((\w+)\.ipynb\)", entry)
    link = f"](GLOSSARY.md#{term.lower().replace(' ', '-')})"
    assert any(link in cell.source for cell in build.read_source(lesson).cells)


ASKED = sorted(path.stem for path in quiz.QUESTIONS.glob("*.yaml"))


@pytest.mark.parametrize("lesson", ASKED)
def test_a_lessons_questions_are_judged_both_ways(lesson: str) -> None:
    questions = quiz.read_questions(lesson)
    assert 6 <= len(questions) <= 10
    right = {number: question.answer for number, question in enumerate(questions, start=1)}
    assert quiz.check_answers(lesson, right).right == len(questions)
    assert len({*right.values()}) > 1, "the right letter must not always be the same"
    untouched = quiz.check_answers(lesson, dict.fromkeys(right, ""))
    assert (untouched.right, {answer.verdict for answer in untouched.answers}) == (0, {"open"})
    for number, question in enumerate(questions, start=1):
        assert len({*question.options.values()}) == len(question.options) >= 3
        for letter in {*question.options} - {question.answer}:
            judged = quiz.check_answers(lesson, {number: letter}).answers[number - 1]
            assert (judged.verdict, judged.remark) == ("wrong", question.hint)
            assert question.because not in judged.remark


def test_answers_may_be_untidy_and_nothing_raises() -> None:
    (lesson, *_), first = ASKED, quiz.read_questions(ASKED[0])[0]
    assert quiz.check_answers(lesson, {"1": f" {first.answer.upper()} "}).right == 1
    odd = quiz.check_answers(lesson, {1: "z", 2: None, 3: 4, 99: "a"})
    assert odd.right == 0
    assert "'z' is not one of a, b, c." in repr(odd)
    assert "There is no question 99" in odd._repr_html_()


def test_an_exercise_without_a_stub_is_refused(copy: Path) -> None:
    source = copy / "source" / "00_start.py"
    source.write_text(source.read_text().replace("# STUB", "# NOTHING"))
    with pytest.raises(ValueError, match="00_start: a cell tagged exercise needs BEGIN SOLUTION"):
        build.files()
