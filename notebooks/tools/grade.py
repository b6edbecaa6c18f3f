"""Grade submitted lessons: `python -m notebooks.tools.grade FOLDER`, or `make grade FOLDER=submissions`.

FOLDER has a folder per student, named as in your gradebook, with the notebooks anywhere in it; or notebooks that a
learning platform named `STUDENT_01_why.ipynb`. The result is in `reports/grades/`: `gradebook.csv` (a row per student,
a column of points per lesson), `grades.csv` (a row per student and lesson), and a page per student.

Each notebook runs in a separate process, with limits of time and memory, in a copy of the course without checks and
solutions. The checks are the instructor's. What protects them is described in `notebooks/tools/grade_worker.py` and
`notebooks/tools/sandbox.py`.
"""

import argparse
import csv
import html
import json
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import psutil

from infra.processes import kill_tree, tree
from module4.platforms import REPORTS, ROOT, WORKSPACE
from notebooks.course.progress import STUDENT, topic
from notebooks.tools import build, judge, sandbox
from notebooks.tools.build import FOLDER, lessons, points, read_source, tags, to_stub

GRADES = REPORTS / "grades"
STAGED = ("shared", "module4", "infra", "notebooks/__init__.py", "notebooks/course")
NOT_GRADED = ("09_platform",)  # its answer is a folder of code, which is not in the notebook
WRONG_ANSWERS = 3  # judged after a right one, to see whether the check still refuses them
PROCESSES = 100
POLL_SECONDS = 0.2
NOTEBOOK_BYTES = 50 * 2**20
DECOY = '''"""The instructor's checks judge the answers, after these cells have run."""

check = lambda number, *answers: f"Exercise {number}: judged later"
'''


class GradeError(Exception):
    """The submissions cannot be graded; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What one student's notebook may take: seconds in all, per cell and per verdict, and bytes of memory."""

    seconds: float = 300
    cell_seconds: float = 60
    judge_seconds: float = 120
    memory: int = 4 * 2**30


@dataclass
class Verdict:
    """What the check said to one answer."""

    text: str
    findings: list[tuple[bool, str, str]] = field(default_factory=list)


@dataclass
class Grade:
    """A student's result in one lesson."""

    student: str
    lesson: str
    status: str = "graded"
    remark: str = ""
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0

    @property
    def points(self) -> int:
        """The points of the exercises that are right; none if the checks were tampered with."""
        right = [number for number, verdict in self.verdicts.items() if verdict.text == "right"]
        return 0 if self.status == "tampered" else sum(points_of(self.lesson).get(number, 0) for number in right)


points_of = cache(points)


def find_submissions(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """Return each student's notebooks by lesson, the best candidate first. Raises GradeError if there are none.

    Symbolic links are not followed: a submission could contain one to a file of the instructor's.
    """
    if not folder.is_dir():
        raise GradeError(f"FOLDER: {folder} is not a folder. It holds a folder per student.")
    found: dict[str, dict[str, list[Path]]] = {}
    flat = re.compile(rf"(?P<student>.+?)[-_ ](?P<lesson>{'|'.join(lessons())})(?:[-_ ].*| \(\d+\))?")
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.name.startswith((".", "__")):
            continue
        if entry.is_dir():
            mine = found.setdefault(entry.name, {})
            for path in _notebooks_in(entry):
                mine.setdefault(path.stem, []).append(path)
        elif entry.suffix == ".ipynb" and (match := flat.fullmatch(entry.stem)):
            found.setdefault(match["student"], {}).setdefault(match["lesson"], []).append(entry)
    if not found:
        raise GradeError(f"FOLDER: {folder} holds no submissions: no folder per student, no STUDENT_LESSON.ipynb.")
    for mine in found.values():
        for paths in mine.values():
            paths.sort(key=lambda path: (len(path.parts), -path.stat().st_mtime))
    return found


def _notebooks_in(folder: Path) -> Iterator[Path]:
    for base, folders, names in os.walk(folder):  # does not follow links
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        for name in names:
            path = Path(base, name)
            if path.suffix == ".ipynb" and path.stem in lessons() and path.is_file() and not path.is_symlink():
                yield path


def stage(target: Path) -> None:
    """Copy the course without its checks, solutions and tests; in their place are checks that judge nothing."""
    ignore = shutil.ignore_patterns("__pycache__", "questions", "*.png")
    for name in STAGED:
        source, place = ROOT / name, target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy(source, place)
    (target / "notebooks" / "course" / "quiz.py").write_text("check_answers = lambda *_: None\n", encoding="utf-8")
    (target / "notebooks" / "checks").mkdir()
    for path in (FOLDER / "checks").glob("*.py"):
        (target / "notebooks" / "checks" / path.name).write_text(DECOY, encoding="utf-8")


# What runs, and in which order ----------------------------------------------------------------------------------------


def plan(lesson: str, text: str, store: str) -> dict[str, Any]:
    """Return the cells of a submitted notebook that run, in groups; each group ends with the exercises to judge.

    Slow cells and questions do not run: no exercise needs them. If a given cell was changed and fails, the lesson's own
    version runs too. An exercise is judged where its last check is. Raises GradeError if it is not a notebook.
    """
    try:
        notebook = nbformat.reads(text, as_version=4)
        code = [(str(cell.get("id", "")), str(cell.source)) for cell in notebook.cells if cell.cell_type == "code"]
    except Exception as error:
        raise GradeError(f"not a notebook: {' '.join(str(error).split())[:120]}") from None
    given = {cell.id: cell for cell in nbformat.reads(build.build(lesson, solution=False), as_version=4).cells}
    by_source = {cell.source: cell for cell in given.values()}
    last = {number: place for place, (_, source) in enumerate(code) for number in _checked(source)}
    cells: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []
    for place, (name, source) in enumerate(code):
        if judged := [one for one in _checked(source) if last[one] == place and one in points_of(lesson)]:
            groups.append({"cells": cells, "judge": judged})
            cells = []
        known = given.get(name) or by_source.get(source)
        marked = set(tags(known)) if known else set()
        if _checked(source) or {"skip-execution", "questions", "check"} & marked or not source.strip():
            continue
        codes = [source]
        if "parameters" in marked:
            codes = [f"preset, store = 'tiny', {store!r}"]
        elif known and known.cell_type == "code" and "exercise" not in marked and known.source != source:
            codes = [source, known.source]
        own = not known or (known.source != source and "parameters" not in marked)
        first = next((line for line in source.splitlines() if line.strip()), "")
        cells.append({"number": place + 1, "cell": first[:80], "codes": codes, "own": own})
    left = [number for number in points_of(lesson) if number not in last]
    return {"groups": [*groups, {"cells": cells, "judge": left}]}


def _checked(source: str) -> list[int]:
    """Return the exercises that a cell checks."""
    return [int(number) for number in re.findall(r"^check\((\d+)\)\s*$", source, re.MULTILINE)]


@cache
def _checks() -> dict[str, str]:
    """Return the instructor's checks, by their modules' names."""
    paths = [path for path in (FOLDER / "checks").glob("*.py") if path.stem != "__init__"]
    texts = {f"notebooks.checks.{path.stem}": path.read_text(encoding="utf-8") for path in paths}
    return texts | {"notebooks.checks": (FOLDER / "checks" / "__init__.py").read_text(encoding="utf-8")}


@cache
def _exercises(lesson: str) -> dict[int, tuple[str, list[str]]]:
    """Return each exercise's untouched cell, and cells with wrong answers."""
    sources = [cell.source for cell in read_source(lesson).cells if "exercise" in tags(cell)]
    variants = judge.read_variants(judge.VARIANTS / f"{lesson}.py")
    found = {}
    for number, source in enumerate(sources, start=1):
        wrong = [one.code for one in variants if one.exercise == number and one.kind == "wrong" and not one.raises]
        cells = [build.SOLUTION.sub(lambda _, code=code: f"{code}\n", source) for code in wrong]
        found[number] = (to_stub(source), cells)
    return found


# One student's lesson -------------------------------------------------------------------------------------------------


def grade(
    student: str, lesson: str, paths: Sequence[Path], stage: Path, hidden: Sequence[Path], limits: Limits
) -> Grade:
    """Run a student's lesson in a limited process and return what the checks say; it never raises."""
    result, begin = Grade(student, lesson), time.monotonic()
    if not paths:
        result.status = "missing"
        return result
    if len(paths) > 1:
        result.remark = f"{len(paths)} notebooks have this name; graded: {paths[0]}"
    with tempfile.TemporaryDirectory(dir=stage.parent, ignore_cleanup_errors=True) as work:
        try:
            if paths[0].stat().st_size > NOTEBOOK_BYTES:
                raise GradeError("the notebook is larger than 50 MiB")
            text = paths[0].read_text(encoding="utf-8")
            todo = plan(lesson, text, f"{work}/store")
            _play(result, todo, Path(work), stage, hidden, limits)
        except (GradeError, OSError, ValueError) as error:
            result.status, result.remark = "unreadable", str(error)
    result.seconds = time.monotonic() - begin
    return result


def _play(result: Grade, todo: dict[str, Any], work: Path, stage: Path, hidden: Sequence[Path], limits: Limits) -> None:
    mine, its = socket.socketpair()
    for name in ("home", "tmp", "notebooks", "store"):
        (work / name).mkdir()
    todo |= {
        "memory": limits.memory,
        "cell_seconds": limits.cell_seconds,
        "judge_seconds": limits.judge_seconds,
        "sandbox": str(Path(__file__).with_name("sandbox.py")),
        "hidden": [str(path) for path in hidden],
        "writable": [str(work)],
    }
    command = [sys.executable, "-P", str(Path(__file__).with_name("grade_worker.py")), str(its.fileno())]
    with mine, (work / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=work / "notebooks",
            env=_environment(work, stage),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[its.fileno()],
            start_new_session=True,
        )
        its.close()
        try:
            _Conversation(result, mine, process, limits).hold(todo)
        finally:
            kill_tree(process.pid)
            process.wait()


def _environment(work: Path, stage: Path) -> dict[str, str]:
    """Return the variables of a student's process: nothing of the instructor's, such as keys, is among them."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")}
    return kept | {
        "HOME": str(work / "home"),
        "TMPDIR": str(work / "tmp"),
        "IPYTHONDIR": str(work / "home" / "ipython"),
        "MPLCONFIGDIR": str(work / "home" / "matplotlib"),
        "PIPELINE_WORKSPACE": str(work / "workspace"),
        "PYTHONPATH": str(stage),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "WANDB_ERROR_REPORTING": "false",
    }


class _Tampered(Exception):
    """A message that no honest submission sends."""


@dataclass
class _Conversation:
    """What is said between the grader and a student's process. Nothing that the process says is trusted."""

    result: Grade
    channel: socket.socket
    process: subprocess.Popen[bytes]
    limits: Limits
    words: dict[int, str] = field(default_factory=dict)

    def hold(self, todo: dict[str, Any]) -> None:
        """Send the work, answer requests, and note the verdicts, until the end or a limit."""
        self._send(todo)
        end, buffer = time.monotonic() + self.limits.seconds, b""
        self.channel.settimeout(POLL_SECONDS)
        try:
            while True:
                try:
                    data = self.channel.recv(2**16)
                except TimeoutError:
                    data = None
                if data == b"":
                    self._stop("crashed", f"its process ended with status {self.process.wait(10)}")
                    return
                buffer += data or b""
                if len(buffer) > NOTEBOOK_BYTES:
                    raise _Tampered("it sent more than any verdict is long")
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    if self._take(line):
                        return
                if time.monotonic() > end:
                    self._stop("out of time", f"stopped after {self.limits.seconds:g} seconds")
                    return
                if why := self._uses_too_much():
                    self._stop("out of memory", why)
                    return
        except _Tampered as why:
            self._stop("tampered", str(why))
        except (OSError, subprocess.TimeoutExpired) as error:
            self._stop("crashed", f"its process no longer answers: {error}")

    def _stop(self, status: str, remark: str) -> None:
        self.result.status, self.result.remark = status, "; ".join(filter(None, [self.result.remark, remark]))

    def _take(self, line: bytes) -> bool:
        """Act on a message, and return whether it is the last one. Raises _Tampered."""
        try:
            message = json.loads(line)
            if "request" in message:
                self._answer(int(message["request"]))
            elif "exercise" in message:
                self._note(message)
            elif "lost" in message:
                self.result.verdicts.setdefault(int(message["lost"]), Verdict(f"no verdict: {message['why']}"[:300]))
            elif "error" in message:
                self.result.errors.append(f"cell {int(message['number'])}, {message['cell']}: {message['error']}"[:500])
            return "done" in message
        except (ValueError, TypeError, KeyError) as error:
            raise _Tampered(f"it sent a message that the grader does not know: {error}") from None

    def _answer(self, number: int) -> None:
        exercises = _exercises(self.result.lesson)
        if number in self.words or number not in exercises:
            raise _Tampered(f"its code asked for the checks of exercise {number}")
        stub, wrong = exercises[number]
        self.words[number] = secrets.token_hex(16)
        chosen = random.SystemRandom().sample(wrong, min(WRONG_ANSWERS, len(wrong)))
        module = f"notebooks.checks.{topic(self.result.lesson)}"
        job = {"checks": _checks(), "module": module, "word": self.words[number], "stub": stub, "wrong": chosen}
        self._send(job)

    def _note(self, message: dict[str, Any]) -> None:
        number = int(message["exercise"])
        if number in self.result.verdicts or not secrets.compare_digest(
            str(message["word"]), self.words.get(number, secrets.token_hex(16))
        ):
            raise _Tampered(f"its code sent a verdict for exercise {number}")
        if message["verdict"] == "right" and (message["accepted"] or not all(one[0] for one in message["findings"])):
            raise _Tampered(
                f"after its answer, the check of exercise {number} accepted {message['accepted']} wrong answers"
            )
        findings = [(bool(passed), str(what), str(hint)) for passed, what, hint in message["findings"]]
        self.result.verdicts[number] = Verdict(str(message["verdict"]), findings)

    def _uses_too_much(self) -> str:
        used = count = 0
        for process in tree(self.process.pid):
            with suppress(psutil.Error):
                used, count = used + process.memory_info().rss, count + 1
        if used > self.limits.memory:
            return f"its processes used more than {self.limits.memory / 2**30:g} GiB"
        return f"it started more than {PROCESSES} processes" if count > PROCESSES else ""

    def _send(self, message: dict[str, Any]) -> None:
        self.channel.settimeout(60)
        self.channel.sendall(json.dumps(message).encode() + b"\n")
        self.channel.settimeout(POLL_SECONDS)


# What comes out -------------------------------------------------------------------------------------------------------


def grade_all(folder: Path, names: Sequence[str], limits: Limits, workers: int = 2) -> Iterator[Grade]:
    """Grade every student's lessons and yield the grades, student by student. Raises GradeError."""
    submissions = find_submissions(folder)
    with tempfile.TemporaryDirectory(prefix="grade-", ignore_cleanup_errors=True) as place:
        course = Path(place, "course")
        course.mkdir()
        stage(course)
        hidden = [FOLDER, ROOT / "tests", ROOT / ".git", STUDENT, REPORTS, WORKSPACE, folder]
        jobs = [(student, lesson, mine.get(lesson, [])) for student, mine in submissions.items() for lesson in names]
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(lambda job: grade(*job, course, hidden, limits), jobs)


def write(grades: Sequence[Grade], names: Sequence[str], target: Path) -> None:
    """Write both tables and the students' pages."""
    target.mkdir(parents=True, exist_ok=True)
    most = max(len(points_of(lesson)) for lesson in names)
    students = list(dict.fromkeys(one.student for one in grades))
    head = ["student", "lesson", "status", "points", "max_points", *(f"exercise_{n}" for n in range(1, most + 1))]
    rows = [_row(one, most) for one in grades]
    _write_csv(target / "grades.csv", [*head, "seconds", "remark"], rows)
    columns = [f"{lesson} ({sum(points_of(lesson).values())})" for lesson in names]
    possible = sum(sum(points_of(lesson).values()) for lesson in names)
    table = []
    for student in students:
        mine = {one.lesson: one.points for one in grades if one.student == student}
        table.append([student, *(mine[lesson] for lesson in names), sum(mine.values())])
    _write_csv(target / "gradebook.csv", ["student", *columns, f"total ({possible})"], table)
    for number, student in enumerate(students, start=1):
        page = to_page(student, [one for one in grades if one.student == student])
        (target / f"{number:03d}-{re.sub(r'[^A-Za-z0-9_-]+', '-', student)[:80]}.html").write_text(
            page, encoding="utf-8"
        )


def _row(one: Grade, most: int) -> list[object]:
    verdicts = [one.verdicts[n].text if n in one.verdicts else "" for n in range(1, most + 1)]
    possible = sum(points_of(one.lesson).values())
    remark = "; ".join(filter(None, [one.remark, *one.errors]))
    return [one.student, one.lesson, one.status, one.points, possible, *verdicts, round(one.seconds, 1), remark]


def _write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([[_cell(value) for value in row] for row in rows])


def _cell(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula: names and errors are the students' to choose."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


STYLE = "body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem} li{margin:.3rem 0}"


def to_page(student: str, grades: Sequence[Grade]) -> str:
    """Return a student's page: points, verdicts and hints."""
    total = sum(one.points for one in grades)
    possible = sum(sum(points_of(one.lesson).values()) for one in grades)
    parts = [f"<h1>{html.escape(student)}</h1><p>{total} of {possible} points</p>"]
    for one in grades:
        worth = points_of(one.lesson)
        parts.append(f"<h2>{one.lesson}: {one.points} of {sum(worth.values())} points</h2>")
        remarks = [one.status if one.status != "graded" else "", one.remark]
        parts += [f"<p>{html.escape(text)}</p>" for text in remarks if text]
        if one.status == "missing":
            continue
        for number, count in worth.items():
            verdict = one.verdicts.get(number, Verdict("not judged"))
            parts.append(f"<h3>Exercise {number} ({count}): {html.escape(verdict.text)}</h3><ul>")
            parts += [
                f"<li>{'✓' if passed else '✗'} {html.escape(what)}"
                + ("" if passed else f"<br><em>{html.escape(hint)}</em>")
                for passed, what, hint in verdict.findings
            ]
            parts.append("</ul>")
        parts += [f"<p>Error: <code>{html.escape(text)}</code></p>" for text in one.errors]
    title = f"<title>{html.escape(student)}</title><style>{STYLE}</style>"
    return f'<!doctype html><html lang="en"><meta charset="utf-8">{title}\n' + "\n".join(parts) + "\n</html>\n"


def main(words: Sequence[str] | None = None) -> int:
    """Grade, print a line per student and lesson, and write the tables and pages."""
    graded = [lesson for lesson in lessons() if lesson not in NOT_GRADED]
    parser = argparse.ArgumentParser(prog="python -m notebooks.tools.grade", description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="the submissions: a folder per student")
    parser.add_argument("lessons", nargs="*", choices=[*graded, []], metavar="LESSON", help="default: all but the last")
    parser.add_argument("--target", type=Path, default=GRADES, help="where tables and pages go (%(default)s)")
    parser.add_argument("--seconds", type=float, default=Limits.seconds, help="for one notebook (%(default)s)")
    parser.add_argument(
        "--memory", type=float, default=Limits.memory / 2**30, help="GiB for one notebook (%(default)s)"
    )
    parser.add_argument("--workers", type=int, default=2, help="notebooks at a time (%(default)s)")
    options = parser.parse_args(words)
    names = options.lessons or graded
    limits = Limits(options.seconds, min(60, options.seconds), min(120, options.seconds), int(options.memory * 2**30))
    if not sandbox.landlock_version():
        print("This system cannot hide files from a submission (that takes Linux 5.13): see the instructor's page.")
    grades = []
    try:
        if not options.folder:
            raise GradeError("FOLDER: which one? For example: make grade FOLDER=submissions")
        for one in grade_all(Path(options.folder).resolve(), names, limits, options.workers):
            possible = sum(points_of(one.lesson).values())
            print(f"{one.student}, {one.lesson}: {one.points} of {possible}, {one.status}", flush=True)
            grades.append(one)
            if len(grades) % len(names) == 0:  # a student is complete: what is done is never lost
                write(grades, names, options.target)
    except GradeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.target / 'gradebook.csv'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
