"""Remember what a student has done: each verdict is a line in `progress.jsonl`, in the folder where students work.

Lines are only ever added, so that several kernels can write at once and nothing that was done is forgotten: not when a
lesson is updated, and not when an answer is changed later. Nothing is written by a notebook that runs elsewhere.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from module4.platforms import ROOT, WORKSPACE

# Git ignores it. It moves with the workspace, because then the checkout may be read-only.
STUDENT = (WORKSPACE if os.environ.get("PIPELINE_WORKSPACE") else ROOT) / "student"
RECORD = "progress.jsonl"


@dataclass
class Done:
    """What a student has done of a lesson: the best verdict per exercise, and the most right answers to questions."""

    exercises: dict[int, str] = field(default_factory=dict)
    questions: int = 0


def record(lesson: str, **verdict: Any) -> None:
    """Add a line to the student's record, if this process works in the student's folder. It never raises."""
    with suppress(OSError):
        if not Path.cwd().is_relative_to(STUDENT.resolve()):
            return
        line = json.dumps({"lesson": lesson, **verdict, "at": time.strftime("%Y-%m-%dT%H:%M:%S%z")})
        with (STUDENT / RECORD).open("ab") as file:
            file.write(f"{line}\n".encode())  # one short write, so that lines of two kernels do not mix


def read(student: Path) -> dict[str, Done]:
    """Return what was recorded, by the part of the lesson's name after its number: `airflow`. Bad lines are skipped."""
    found: dict[str, Done] = {}
    for line in _lines(student / RECORD):
        done = found.setdefault(topic(str(line.get("lesson"))), Done())
        if isinstance(right := line.get("questions"), int):
            done.questions = max(done.questions, right)
        elif isinstance(number := line.get("exercise"), int) and done.exercises.get(number) != "right":
            done.exercises[number] = str(line.get("verdict"))
    return found


def topic(lesson: str) -> str:
    """Return a lesson's name without its number."""
    number, _, rest = lesson.partition("_")
    return rest if number.isdigit() else lesson


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in text.splitlines():
        with suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict):
                yield value
