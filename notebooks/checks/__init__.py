"""The building blocks of an exercise's check: findings about the student's own object, each with a hint.

A check is a generator. It yields a finding for everything that must be true. The first `must` that fails ends it,
because later findings would only confuse. An answer that is still the stub is "not done yet", which is not an error.

A check tries an answer out; it does not read its source. The student's code gets fresh copies of all arguments
(`call`), so no answer can spoil the check for itself or for the next answer.
"""

import ast
import copy
import html
import inspect
import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

from notebooks.course import progress

MISSING = object()


@dataclass(frozen=True)
class Finding:
    """One thing that is true of the answer, or not yet true; then `hint` says what to look at."""

    passed: bool
    what: str
    hint: str
    final: bool = False


def expect(passed: object, what: str, hint: str) -> Finding:
    """Return a finding after which the check continues, passed or not."""
    return Finding(bool(passed), what, hint)


def must(passed: object, what: str, hint: str) -> Finding:
    """Return a finding without which the rest makes no sense: if it fails, the check ends."""
    return Finding(bool(passed), what, hint, final=True)


Check = Callable[..., Iterator[Finding]]


class AnswerError(Exception):
    """The student's code raised an error; the message says which, and for which arguments."""


def call(function: Callable[..., Any], **arguments: object) -> Any:
    """Call the student's function with fresh copies of the arguments and return its result.

    The arguments are passed by name if the function knows their names, and by position otherwise.
    Raises AnswerError, naming the arguments, if the function does.
    """
    return call_as_is(function, **copy.deepcopy(arguments))


def call_as_is(function: Callable[..., Any], **arguments: Any) -> Any:
    """Call the student's function as `call` does, but with these very arguments: what it does to them is seen."""
    positional = () if _takes_names(function, arguments) else tuple(arguments.values())
    try:
        return function(*positional, **({} if positional else arguments))
    except (Exception, SystemExit) as error:
        shown = ", ".join(f"{name}={short(value)}" for name, value in arguments.items())
        raise AnswerError(f"For {shown} it raised {type(error).__name__}: {error}.") from error


def _takes_names(function: Callable[..., Any], arguments: dict[str, Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return named >= set(arguments)


def to_number(value: Any) -> float | None:
    """Return a number of any class as a float: also a Decimal, a Fraction, and a NumPy array without dimensions.

    Text, truth values, infinities and NaN, and what has dimensions, are not numbers here: they give None.
    """
    of_numpy = getattr(getattr(value, "dtype", None), "kind", "") in ("f", "i", "u") and value.ndim == 0
    if isinstance(value, bool) or not (of_numpy or isinstance(value, Real | Decimal)):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def short(value: object, length: int = 120) -> str:
    """Return the value as Python writes it, shortened if it is long: the text '3' looks different from the number 3."""
    text = repr(value)
    return text if len(text) <= length else f"{text[:length]}…"


def kind_of(value: object) -> str:
    """Return the name of the value's type with its article: "an int", "a list"."""
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def saw(value: object) -> str:
    """Say what an answer returned, and ask for a forgotten `return`."""
    if value is None:
        return "It returned None. Is the `return` missing?"
    return f"It returned {short(value)}."


@dataclass(frozen=True)
class Result:
    """What the check of one exercise found. In a notebook it shows itself."""

    exercise: int
    findings: tuple[Finding, ...]
    note: str = ""

    @property
    def done(self) -> bool:
        """Whether the student has begun: the stub gives no findings."""
        return bool(self.findings)

    @property
    def right(self) -> bool:
        """Whether every finding passed."""
        return self.done and all(finding.passed for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The result in a few words."""
        return "right" if self.right else "not right yet" if self.done else "not done yet"

    def __repr__(self) -> str:
        lines = [f"Exercise {self.exercise}: {self.verdict}"]
        lines += [f"  {self.note}"] if self.note else []
        for finding in self.findings:
            lines.append(f"  {'[ OK ]' if finding.passed else '[FAIL]'} {finding.what}")
            lines += [] if finding.passed else [f"         Hint: {finding.hint}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        color = "#1a7f37" if self.right else "#b35900" if self.done else "#6e7781"
        items = "".join(
            f"<li>{'✓' if finding.passed else '✗'} {html.escape(finding.what)}"
            + ("" if finding.passed else f"<br><em>Hint: {html.escape(finding.hint)}</em>")
            + "</li>"
            for finding in self.findings
        )
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return (
            f'<div style="border-left: 4px solid {color}; padding: 0.2em 0.8em">'
            f"<strong>Exercise {self.exercise}: {self.verdict}</strong>{note}"
            f'<ul style="list-style: none; padding-left: 0">{items}</ul></div>'
        )


class Exercises:
    """The checks of one lesson: `check(2)` judges the answer to its second exercise.

    Each check names the variables that hold its answer. They are looked up in the notebook, so that a missing name
    gives a sentence and not a NameError.
    """

    def __init__(self) -> None:
        self.checks: dict[int, Check] = {}
        self.names: dict[int, tuple[str, ...]] = {}
        self.errors: dict[int, tuple[tuple[object, ...], str]] = {}  # of the answers' cells, with the answers

    def exercise(self, number: int, *names: str) -> Callable[[Check], Check]:
        """Decorate the check of exercise `number`, whose answer is in the variables called `names`."""

        def add(check: Check) -> Check:
            self.checks[number], self.names[number] = check, names
            return check

        return add

    def __call__(self, number: int, *answers: object) -> Result:
        """Judge the given answers, or else those in the notebook. A student's code never makes it raise."""
        result = self._judge(number, answers)
        if result.done:
            lesson = self.checks[number].__module__.rpartition(".")[2]
            progress.record(lesson, exercise=number, verdict=result.verdict)
        return result

    def _judge(self, number: int, answers: tuple[object, ...]) -> Result:
        if number not in self.checks:
            return Result(number, (), f"This lesson has the exercises {', '.join(map(str, sorted(self.checks)))}.")
        names = self.names[number]
        found = answers or tuple(_notebook().get(name, MISSING) for name in names)
        error = "" if answers else self._error(number, found)
        if all(answer is MISSING or answer is None or answer is ... for answer in found):
            return Result(number, (), _not_done(names))
        missing = [name for name, answer in zip(names, found, strict=False) if answer is MISSING or answer is None]
        if missing:
            sentence = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} still to be written."
            return Result(number, (must(False, f"there are {' and '.join(names)}", sentence),))
        if error:
            sentence = f"The cell with your answer ended with {error}. Correct it, and run the cell again."
            return Result(number, (must(False, "the cell with your answer runs to its end", sentence),))
        return Result(number, tuple(_until_the_end(self.checks[number], found)))

    def _error(self, number: int, found: tuple[object, ...]) -> str:
        """Return the error of the cell that defines the answer, if it had one, as long as the answer is the same."""
        last = _last_cell()
        if last and {*self.names[number]} & _defined(last.info.raw_cell):
            error = last.error_before_exec or last.error_in_exec
            self.errors[number] = (found, f"{type(error).__name__}: {error}".rstrip(" .") if error else "")
        judged, sentence = self.errors.get(number, ((), ""))
        same = len(judged) == len(found) and all(map(operator.is_, judged, found))
        return sentence if same else ""


def _last_cell() -> Any:
    """Return what IPython knows about the cell that ran before this one."""
    from IPython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call]
    return shell.last_execution_result if shell else None


def _defined(source: str | None) -> set[str]:
    """Return the names that a cell assigns, or defines as functions or classes; none if it is not Python."""
    try:
        tree = ast.parse(source or "")
    except SyntaxError:
        return set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return assigned | {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def _notebook() -> dict[str, Any]:
    from IPython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call]
    return dict(shell.user_ns) if shell else {}


def _not_done(names: tuple[str, ...]) -> str:
    which = " and ".join(f"`{name}`" for name in names) or "The answer"
    return (
        f"{which} {'do' if len(names) > 1 else 'does'} not exist yet. Write your answer in the cell above and run it. "
        "If that cell ends with an error, correct it first. If it calls your function, the function must return."
    )


def _until_the_end(check: Check, answers: tuple[object, ...]) -> Iterator[Finding]:
    try:
        for finding in check(*answers):
            yield finding
            if finding.final and not finding.passed:
                return
    except AnswerError as error:
        yield expect(False, "your answer can be tried out", str(error))
    except Exception as error:
        yield expect(
            False,
            "your answer can be tried out",
            f"Trying it ended with {type(error).__name__}: {error}. Run it by hand, as the task describes.",
        )
