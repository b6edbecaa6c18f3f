"""A lesson's concept questions: `questions/LESSON.yaml` holds them, and `check_answers` judges a student's letters.

A question is a mapping with `ask`, `options` (a mapping from letter to text), `answer` (the right letter), `because`
(why it is right) and `hint` (for those who chose a wrong one; it does not give the answer away).
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from notebooks.course import progress

QUESTIONS = Path(__file__).with_name("questions")
FIELDS = {"ask", "options", "answer", "because", "hint"}


@dataclass(frozen=True)
class Question:
    """A multiple-choice question."""

    ask: str
    options: dict[str, str]
    answer: str
    because: str
    hint: str


@cache
def read_questions(lesson: str) -> tuple[Question, ...]:
    """Return a lesson's questions. Raises ValueError, naming file and question, if one is not complete."""
    path = QUESTIONS / f"{lesson}.yaml"
    questions = []
    for number, fields in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")), start=1):
        if set(fields) != FIELDS or fields["answer"] not in fields["options"]:
            raise ValueError(f"{path}: question {number} needs {', '.join(sorted(FIELDS))}; answer names an option.")
        questions.append(Question(**fields))
    return tuple(questions)


def to_markdown(lesson: str) -> str:
    """Return a lesson's questions as Markdown, without their answers."""
    parts = []
    for number, question in enumerate(read_questions(lesson), start=1):
        options = [f"   - **{letter}** {text}" for letter, text in question.options.items()]
        parts.append("\n".join([f"{number}. {question.ask}", *options]))
    return "\n\n".join(parts)


@dataclass(frozen=True)
class Judged:
    """A question and the student's choice."""

    number: int
    question: Question
    chosen: str

    @property
    def verdict(self) -> str:
        """`right`, `wrong`, or `open` if no letter was given."""
        return "open" if not self.chosen else "right" if self.chosen == self.question.answer else "wrong"

    @property
    def remark(self) -> str:
        """The comment on the choice."""
        if not self.chosen:
            return "not answered yet"
        if self.chosen not in self.question.options:
            return f"{self.chosen!r} is not one of {', '.join(self.question.options)}."
        return self.question.because if self.verdict == "right" else self.question.hint


@dataclass(frozen=True)
class Quiz:
    """Judged answers. In a notebook it shows itself."""

    answers: tuple[Judged, ...]
    unknown: tuple[str, ...] = ()

    @property
    def right(self) -> int:
        """How many answers are right."""
        return sum(answer.verdict == "right" for answer in self.answers)

    @property
    def title(self) -> str:
        """The result in one line."""
        return f"Questions: {self.right} of {len(self.answers)} right"

    def __repr__(self) -> str:
        signs = {"right": "[ OK ]", "wrong": "[FAIL]", "open": "[ -- ]"}
        lines = [f"  {signs[one.verdict]} {one.number} {one.chosen}: {one.remark}" for one in self.answers]
        return "\n".join([self.title, *lines, *(f"  [FAIL] {text}" for text in self.unknown)])

    def _repr_html_(self) -> str:
        color = "#1a7f37" if self.right == len(self.answers) else "#b35900"
        signs = {"right": "✓", "wrong": "✗", "open": "·"}
        items = [
            f"{signs[one.verdict]} {one.number} {html.escape(one.chosen)}: {html.escape(one.remark)}"
            for one in self.answers
        ]
        items += [f"✗ {html.escape(text)}" for text in self.unknown]
        return (
            f'<div style="border-left: 4px solid {color}; padding: 0.2em 0.8em"><strong>{self.title}</strong>'
            f'<ul style="list-style: none; padding-left: 0">{"".join(f"<li>{item}</li>" for item in items)}</ul></div>'
        )


def check_answers(lesson: str, answers: Mapping[Any, Any]) -> Quiz:
    """Judge one letter per question number; upper case, spaces and missing numbers are fine."""
    questions = read_questions(lesson)
    given = {str(number).strip(): str(letter or "").strip().lower() for number, letter in answers.items()}
    judged = [Judged(number, one, given.pop(str(number), "")) for number, one in enumerate(questions, start=1)]
    unknown = [f"There is no question {number}: this lesson has {len(questions)}." for number in sorted(given)]
    quiz = Quiz(tuple(judged), tuple(unknown))
    progress.record(lesson, questions=quiz.right)
    return quiz
