"""Grading: good and bad submissions get what they deserve, and nobody can make the grader stop, lie or tell.

All students hand in lesson 1, because its checks start no platform, and all are graded by one command.
"""

import csv
import re
import shutil
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from module4.platforms import ROOT
from notebooks.tools import grade, sandbox
from notebooks.tools.build import SOLUTIONS, lessons, points
from notebooks.tools.grade import Grade, GradeError, Limits
from tests.processes import processes_of

LESSON = "01_why"
READY = """
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and above <= done}
"""
NEVER = "    while True:\n        pass\n"
CHECKS = ROOT / "notebooks" / "checks" / "why.py"
HIDDEN = f"""
import subprocess
from pathlib import Path
import notebooks.checks.why

def found():
    texts = [Path(notebooks.checks.why.__file__).read_text()]
    for path in {[str(CHECKS), str(SOLUTIONS / "01_why.ipynb"), str(ROOT / "tests/notebooks/variants/01_why.py")]}:
        texts.append(subprocess.run(["cat", path], capture_output=True, text=True).stdout)
        try:
            texts.append(Path(path).read_text())
        except OSError:
            pass
    return "".join(texts)

seen = found()
"""
WRITE = f"""
from pathlib import Path
for path in ({str(ROOT / "notebooks/checks/planted.py")!r}, {str(ROOT / "planted.py")!r}):
    try:
        Path(path).write_text("planted")
    except OSError:
        pass
"""
CHANNEL = """
import json, os, socket
for name in os.listdir("/proc/self/fd"):
    try:
        channel = socket.socket(fileno=os.dup(int(name)))
        channel.sendall(json.dumps(MESSAGE).encode() + b"\\n")
    except (OSError, ValueError):
        pass
"""
VERDICT = {"exercise": 2, "word": "guessed", "verdict": "right", "findings": [], "accepted": 0, "tried": 3, "note": ""}

# What each student's cell for exercise 2 holds, and the points they get; exercise 1 (one point) is right for all.
ANSWERS: dict[str, tuple[str, int]] = {
    "good": (READY, 3),
    "wrong": ("def ready(needs, done):\n    return {n for n in needs if n not in done}", 1),
    "mistyped": ("def ready(needs, done)\n    return done", 1),
    "uses all": ("import builtins\nbuiltins.all = lambda items: True\nready = lambda needs, done: set()", 1),
    "other checks": ("import notebooks.checks.why as w\nw.check = lambda n: 1\nready = lambda needs, done: set()", 1),
    "print the verdict": ("print('Exercise 2: right')\nready = lambda needs, done: set()", 1),
    "leaves a process": (f"import subprocess\nsubprocess.Popen(['sleep', '317'], start_new_session=True)\n{READY}", 3),
    "writes": (WRITE + READY, 3),
    "looks": (HIDDEN + f"assert 'def makefile' not in seen and 'SOLUTION' not in seen\n{READY}", 3),
    "=1+1": (READY, 3),
}
TAMPERED = {
    "asks for the checks": CHANNEL.replace("MESSAGE", "{'request': 2}") + READY,
    "sends a verdict": CHANNEL.replace("MESSAGE", repr(VERDICT)) + "ready = lambda needs, done: set()",
    "changes the check": """
import sys
def ready(needs, done):
    frame = sys._getframe()
    while frame:
        if "Finding" in frame.f_globals:
            frame.f_globals["Finding"].passed = property(lambda self: True, lambda self, value: None)
        frame = frame.f_back
    return set()
""",
}


def submit(folder: Path, student: str, answer: str, lesson: str = LESSON) -> Path:
    """Hand in the lesson's solution, with another answer to exercise 2."""
    notebook = nbformat.read(SOLUTIONS / f"{lesson}.ipynb", as_version=4)
    exercises = [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]
    exercises[1].source = answer
    path = folder / student / "student" / "notebooks" / f"{lesson}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the grades of everybody who behaves, or tries not to."""
    folder, target = tmp_path_factory.mktemp("submissions"), tmp_path_factory.mktemp("grades")
    for student, (answer, _) in ANSWERS.items():
        submit(folder, student, answer)
    for student, answer in TAMPERED.items():
        submit(folder, student, answer)
    submit(folder, "crash", "import os\nos._exit(3)")
    submit(folder, "kills the grader", "import os\nos.kill(os.getppid(), 9)")  # the others are graded nevertheless
    (folder / "missing" / "02_airflow").mkdir(parents=True)
    submit(folder, "broken", READY).write_text("{not JSON")
    path = submit(folder, "linked", READY)
    path.rename(folder.parent / "elsewhere.ipynb")
    path.symlink_to(folder.parent / "elsewhere.ipynb")
    other = submit(folder, "without ids", READY)
    notebook = nbformat.read(other, as_version=4)
    for cell in notebook.cells:
        cell.id = f"x{hash(cell.source)}"[:20].replace("-", "m")
        cell.metadata = {}
    notebook.cells = [cell for cell in notebook.cells if "check(2)" not in cell.source]
    nbformat.write(notebook, other)
    other.rename(folder / "lovelace_123_456_01_why-1.ipynb")
    shutil.rmtree(folder / "without ids")
    assert grade.main([str(folder), LESSON, "--target", str(target), "--workers", "2"]) == 0
    return target


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["student"].removeprefix("'"): row for row in csv.DictReader(file)}


@pytest.mark.parametrize("student", ANSWERS)
def test_an_answer_gets_its_points(student: str, graded: Path) -> None:
    row = rows(graded / "grades.csv")[student]
    assert (row["status"], row["points"], row["max_points"]) == ("graded", str(ANSWERS[student][1]), "3"), row
    assert (row["exercise_1"], row["exercise_2"] == "right") == ("right", row["points"] == "3")


@pytest.mark.parametrize("student", TAMPERED)
def test_who_tampers_gets_nothing_and_is_named(student: str, graded: Path) -> None:
    row = rows(graded / "grades.csv")[student]
    assert (row["status"], row["points"]) == ("tampered", "0"), row
    assert "exercise 2" in row["remark"]


def test_what_cannot_be_run_is_a_row(graded: Path) -> None:
    found = rows(graded / "grades.csv")
    crash = found["crash"]
    assert (crash["exercise_1"], crash["points"]) == ("right", "1"), "what came before counts"
    assert crash["status"] == "crashed"
    assert "status 3" in crash["remark"]
    assert (found["broken"]["status"], found["broken"]["points"]) == ("unreadable", "0")
    assert [found[name]["status"] for name in ("missing", "linked")] == ["missing", "missing"]


def test_a_notebook_without_ids_and_check_cells_is_graded_too(graded: Path) -> None:
    row = rows(graded / "grades.csv")["lovelace_123_456"]
    assert (row["status"], row["points"]) == ("graded", "3")


def test_the_gradebook_has_a_row_per_student_and_a_column_per_lesson(graded: Path) -> None:
    lines = list(csv.reader((graded / "gradebook.csv").open(encoding="utf-8", newline="")))
    assert lines[0] == ["student", "01_why (3)", "total (3)"]
    assert len(lines) == 1 + len(ANSWERS) + len(TAMPERED) + 6
    assert ["good", "3", "3"] in lines
    assert ["'=1+1", "3", "3"] in lines, "a spreadsheet would calculate it"


def test_every_student_has_a_page_with_hints_and_without_the_checks(graded: Path) -> None:
    (good,), (wrong,), (looks,) = (list(graded.glob(f"*-{name}.html")) for name in ("good", "wrong", "looks"))
    assert "3 of 3 points" in good.read_text()
    assert re.search(r"Exercise 2 \(2\): not right yet.*<em>", wrong.read_text(), re.DOTALL)
    assert "def makefile" not in looks.read_text()


def test_nothing_is_changed_and_nothing_keeps_running(graded: Path) -> None:
    assert graded.exists()
    assert not (ROOT / "planted.py").exists()
    assert not (CHECKS.parent / "planted.py").exists()
    assert processes_of(Path("sleep 317")) == []
    assert processes_of(Path("grade_worker.py")) == []


needs_landlock = pytest.mark.skipif(not sandbox.landlock_version(), reason="this system has no Landlock")


@needs_landlock
def test_the_checks_cannot_be_read_from_the_disk(tmp_path: Path) -> None:
    """The same files are readable without the sandbox: the test of the submission that looks for them can fail."""
    scope: dict[str, Any] = {}
    exec(HIDDEN, scope)
    assert "def makefile" in scope["seen"]


QUICK = Limits(seconds=60, cell_seconds=5, judge_seconds=5, memory=2**30)


@pytest.fixture
def one(tmp_path: Path) -> Any:
    """Grade one submission with tight limits."""

    def run(answer: str, limits: Limits) -> Grade:
        submit(tmp_path / "submissions", "student", answer)
        (result,) = grade.grade_all(tmp_path / "submissions", [LESSON], limits)
        return result

    return run


LOOPS = f"""
def ready(needs, done):
{NEVER}

while True:
    try:
        while True:
            pass
    except Exception:
        pass
"""


def test_an_endless_loop_costs_one_exercise(one: Any) -> None:
    result = one(LOOPS, QUICK)
    assert result.points == 1
    assert "stopped after 5" in str(result.errors)
    assert result.verdicts[2].text != "right"


def test_a_notebook_has_a_limit_too(one: Any) -> None:
    begin = time.monotonic()
    result = one(f"def ready(needs, done):\n{NEVER}", Limits(seconds=15, judge_seconds=500))
    assert time.monotonic() - begin < 120
    assert result.status == "out of time"
    assert "stopped after 15 seconds" in result.remark


def test_memory_is_limited(one: Any) -> None:
    result = one("data = []\nwhile True:\n    data.append(bytearray(2**26))", QUICK)
    assert result.points <= 1
    assert result.status == "out of memory" or "MemoryError" in str(result.errors)


def test_what_is_no_folder_of_submissions_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, message in ((tmp_path / "nowhere", "is not a folder"), (tmp_path, "holds no submissions")):
        assert grade.main([str(folder)]) == 1
        assert message in capsys.readouterr().err
    assert grade.main([""]) == 1
    assert "make grade FOLDER=submissions" in capsys.readouterr().err
    with pytest.raises(GradeError):
        grade.find_submissions(tmp_path)


@pytest.mark.parametrize("lesson", lessons())
def test_every_exercise_is_judged_once_after_its_answer(lesson: str) -> None:
    text = (SOLUTIONS / f"{lesson}.ipynb").read_text(encoding="utf-8")
    groups = grade.plan(lesson, text, "/store")["groups"]
    assert [number for group in groups for number in group["judge"]] == [*points(lesson)]
    for group in groups[:-1]:
        assert sum(cell["own"] for cell in group["cells"]) == 1, "the answer"
        assert all(len(cell["codes"]) == 1 for cell in group["cells"])
    codes = [code for group in groups for cell in group["cells"] for code in cell["codes"]]
    assert not any("check(1)" in code or "check_answers" in code for code in codes)


def test_a_wandb_run_is_judged_in_the_process_that_started_it(tmp_path: Path) -> None:
    path = tmp_path / "ada" / "06_tracking.ipynb"
    path.parent.mkdir()
    path.write_text((SOLUTIONS / path.name).read_text(encoding="utf-8"), encoding="utf-8")
    (result,) = grade.grade_all(tmp_path, ["06_tracking"], Limits())
    assert result.points == 3, result
