"""Print what a student has done, lesson by lesson: `python -m notebooks.tools.progress`, or `make progress`."""

import sys
from pathlib import Path

from notebooks.course import progress
from notebooks.course.progress import Done
from notebooks.course.quiz import QUESTIONS, read_questions
from notebooks.tools.build import lessons, points

WORDS = {"right": "right", "not right yet": "tried"}


def to_table(done: dict[str, Done]) -> str:
    """Return a line per lesson: its exercises one by one, its questions, and its points."""
    head = ("lesson", "exercises", "questions", "points")
    rows, total, possible = [], 0, 0
    for lesson in lessons():
        mine, worth = done.get(progress.topic(lesson), Done()), points(lesson)
        marks = [f"{number} {WORDS.get(mine.exercises.get(number, ''), '-')}" for number in worth]
        reached = sum(worth[number] for number in worth if mine.exercises.get(number) == "right")
        asked = len(read_questions(lesson)) if (QUESTIONS / f"{lesson}.yaml").exists() else 0
        rows.append((lesson, ", ".join(marks), f"{mine.questions} of {asked}", f"{reached} of {sum(worth.values())}"))
        total, possible = total + reached, possible + sum(worth.values())
    rows.append(("all", "", "", f"{total} of {possible}"))
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(line.rstrip() for line in lines)


def main(student: Path = progress.STUDENT) -> int:
    """Print the table, and where to begin if nothing was done yet."""
    done = progress.read(student)
    print(to_table(done))
    if not done:
        print("\nNothing yet: make lab opens the lessons, and their checks write down what you have done.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
