"""What an exercise's check is made of: findings about the student's own object, each with a hint.

A check is a generator. It yields a finding per thing that must be true; the first `must` that fails ends it, because
what comes after would only confuse. An answer that is still the stub is "not done yet", which is no error.
"""

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is true of the answer, or not yet; then `hint` says what to look at."""

    passed: bool
    what: str
    hint: str
    final: bool = False


def expect(passed: object, what: str, hint: str) -> Finding:
    """Return a finding; the check goes on, whatever it is."""
    return Finding(bool(passed), what, hint)


def must(passed: object, what: str, hint: str) -> Finding:
    """Return a finding without which the rest makes no sense: if it fails, the check ends here."""
    return Finding(bool(passed), what, hint, final=True)


Check = Callable[..., Iterator[Finding]]


@dataclass(frozen=True)
class Result:
    """What the check of one exercise found. In a notebook it shows itself."""

    exercise: int
    findings: tuple[Finding, ...]

    @property
    def done(self) -> bool:
        """Whether the student has begun: the stub gives no findings."""
        return bool(self.findings)

    @property
    def right(self) -> bool:
        """Whether all is as it must be."""
        return self.done and all(finding.passed for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The result in a few words."""
        return "right" if self.right else "not right yet" if self.done else "not done yet"

    def __repr__(self) -> str:
        lines = [f"Exercise {self.exercise}: {self.verdict}"]
        for finding in self.findings:
            lines.append(f"  {'[ OK ]' if finding.passed else '[FAIL]'} {finding.what}")
            lines += [] if finding.passed else [f"         Hint: {finding.hint}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        colour = "#1a7f37" if self.right else "#b35900" if self.done else "#6e7781"
        items = "".join(
            f"<li>{'✓' if finding.passed else '✗'} {html.escape(finding.what)}"
            + ("" if finding.passed else f"<br><em>Hint: {html.escape(finding.hint)}</em>")
            + "</li>"
            for finding in self.findings
        )
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 0.2em 0.8em">'
            f"<strong>Exercise {self.exercise}: {self.verdict}</strong>"
            f'<ul style="list-style: none; padding-left: 0">{items}</ul></div>'
        )


class Exercises:
    """The checks of one lesson: `check(2, answer)` judges the answer to its second exercise."""

    def __init__(self) -> None:
        self.checks: dict[int, Check] = {}

    def exercise(self, number: int) -> Callable[[Check], Check]:
        """Decorate the check of exercise `number`."""

        def add(check: Check) -> Check:
            self.checks[number] = check
            return check

        return add

    def __call__(self, number: int, *answers: object) -> Result:
        """Judge the answers; never raises for what a student wrote."""
        if all(answer is None or answer is ... for answer in answers):
            return Result(number, ())
        return Result(number, tuple(_until_the_end(self.checks[number], answers)))


def _until_the_end(check: Check, answers: tuple[object, ...]) -> Iterator[Finding]:
    try:
        for finding in check(*answers):
            yield finding
            if finding.final and not finding.passed:
                return
    except Exception as error:
        yield expect(
            False,
            "your answer can be tried out",
            f"Trying it ended with {type(error).__name__}: {error}. Run it by hand, as the task describes.",
        )
