"""Checks of lesson 8: the student's functions, tried on rows like those of `module4.compare`."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from notebooks.checks import Exercises, Finding, call, expect, must, saw, to_number

check = Exercises()

Row = dict[str, Any]
Can = dict[str, set[str]]

TOLERANCE = 0.051  # seconds: an answer may round to a tenth, as the lesson's table does
TABLES = 40  # generated tables


def _rows(*runs: tuple[str, str, float]) -> list[Row]:
    """Return rows with the columns of the lesson's table."""
    plain = next((seconds for platform, _, seconds in runs if platform == "python"), None)
    return [
        {
            "platform": platform,
            "title": platform.title(),
            "mode": "any",
            "status": status,
            "fingerprint": "1fdff17562a0" if status == "ok" else None,
            "seconds": seconds,
            "startup_seconds": 1.0,
            "step_seconds": seconds / 2,
            "over_python_seconds": None if plain is None else round(seconds - plain, 2),
            "peak_memory_mib": 500,
        }
        for platform, status, seconds in runs
    ]


ROWS = _rows(
    ("modal", "ok", 45.0),
    ("airflow", "failed", 3.0),
    ("python", "ok", 20.0),
    ("dagster", "ok", 23.5),
    ("kubeflow", "differs in data", 21.0),
    ("make", "ok", 18.5),
)
CAN: Can = {
    "python": set(),
    "make": set(),
    "airflow": {"schedule", "history"},
    "kubeflow": {"containers"},
    "dagster": {"schedule", "history"},
    "modal": {"schedule", "containers"},
}


@check.exercise(1, "over_python")
def over_python(answer: Callable[[list[Row]], dict[str, float]]) -> Iterator[Finding]:
    """Rows in any order, one failed, one that did other work, one faster than plain Python."""
    yield must(callable(answer), "it is a function", "Define `def over_python(rows):` and return a dictionary.")
    found = call(answer, rows=ROWS)
    yield must(isinstance(found, Mapping), "it returns a dictionary", f"{saw(found)} That is not a dictionary.")
    yield expect(
        not {"airflow", "kubeflow"} & {*found},
        "only runs that ended well count",
        "It includes a run that failed after three seconds, or one that did different work: look at status.",
    )
    yield expect(
        "python" not in found, "plain Python is left out", "It is what the others are compared with: leave it out."
    )
    right = _over_python(ROWS)
    yield expect(
        _close(found, right),
        "the seconds are those above plain Python's",
        f"Plain Python took 20.0 s; the right answer is {right}. {saw(dict(found))} Subtract, and find plain Python by "
        "its name, not by its place; a faster platform gets a negative number.",
    )
    chance = random.Random(2013)
    for _ in range(TABLES):
        rows, _unused = _generate(chance)
        found, right = call(answer, rows=rows), _over_python(rows)
        if not _close(found, right):
            said = [(row["platform"], row["status"], row["seconds"]) for row in rows]
            yield expect(False, "it is right for other rows", f"For {said}, the right answer is {right}. {saw(found)}")
            return
    yield expect(True, f"it is right for {TABLES} other tables", "")


def _over_python(rows: list[Row]) -> dict[str, float]:
    plain = next(row["seconds"] for row in rows if row["platform"] == "python")
    return {
        row["platform"]: round(row["seconds"] - plain, 2)
        for row in rows
        if row["status"] == "ok" and row["platform"] != "python"
    }


def _close(found: Any, right: dict[str, float]) -> bool:
    return (
        isinstance(found, Mapping)
        and {*found} == {*right}
        and all(_is_close(found[name], seconds) for name, seconds in right.items())
    )


def _is_close(found: Any, seconds: float) -> bool:
    number = to_number(found)
    return number is not None and abs(number - seconds) <= TOLERANCE


def _generate(chance: random.Random) -> tuple[list[Row], Can]:
    names = chance.sample(["airflow", "kubeflow", "dagster", "modal", "make"], chance.randint(0, 5))
    runs = [
        (name, chance.choice(["ok", "ok", "ok", "failed", "differs in model"]), chance.randint(20, 3000) / 10)
        for name in names
    ]
    runs.insert(chance.randint(0, len(runs)), ("python", "ok", chance.randint(20, 1500) / 10))
    kinds = ["schedule", "history", "containers"]
    return _rows(*runs), {name: {*chance.sample(kinds, chance.randint(0, 3))} for name in [*names, "python"]}


@check.exercise(2, "choose")
def choose(answer: Callable[[list[Row], Can, set[str]], str | None]) -> Iterator[Finding]:
    """Needs first, then speed, and None when no platform can."""
    yield must(
        callable(answer), "it is a function", "Define `def choose(rows, can, needs):` and return a name or None."
    )
    rows = [row for row in ROWS if row["platform"] != "make"]
    for needs, right, what, hint in (
        (
            {"schedule"},
            "dagster",
            "the fastest of those that can",
            "A schedule: dagster in 23.5 s, modal in 45 s, and airflow, which failed.",
        ),
        (
            {"schedule", "containers"},
            "modal",
            "every need counts",
            "Both a schedule and containers: only modal has them. A set is contained in another with <=.",
        ),
        (
            {"containers"},
            "modal",
            "only runs that ended well count",
            "Containers: modal, and kubeflow, which is faster but made a different model.",
        ),
        ({"teleport"}, None, "None if no platform can", "No platform can teleport."),
        (set(), "python", "without needs, the fastest of all", "Nothing is needed, and python is the fastest."),
    ):
        found = call(answer, rows=rows, can=CAN, needs=needs)
        said = f"It returned {found!r}."
        yield expect(_is_one_of(found, {right}), what, f"{hint} The right answer is {right!r}. {said}")
    chance = random.Random(2013)
    for _ in range(TABLES):
        table, can = _generate(chance)
        needs = {*chance.sample(["schedule", "history", "containers"], chance.randint(0, 2))}
        able = [row for row in table if row["status"] == "ok" and needs <= can[row["platform"]]]
        fastest = min((row["seconds"] for row in able), default=None)
        rights = {row["platform"] for row in able if row["seconds"] == fastest} or {None}
        found = call(answer, rows=table, can=can, needs=needs)
        if not _is_one_of(found, rights):
            said = [(row["platform"], row["status"], row["seconds"]) for row in table]
            hint = (
                f"For {said}, can={can} and needs={needs or 'set()'}, the right answer is {sorted(map(repr, rights))}."
            )
            yield expect(False, "it is right for other tables", f"{hint} It returned {found!r}.")
            return
    yield expect(True, f"it is right for {TABLES} other tables", "")


def _is_one_of(found: Any, rights: Iterable[str | None]) -> bool:
    """Tell whether it is one of these names, or None where that is right; NumPy's text is text."""
    return (found is None or isinstance(found, str)) and found in rights


# By case: the platforms that fit, and why others do not.
FITTING: dict[str, tuple[set[str], str]] = {
    "a": (
        {"make"},
        "Three steps and no schedule: all that is needed is to skip what is done, with little overhead. A larger "
        "platform would work, but you would run and learn more than the case asks for.",
    ),
    "b": (
        {"airflow", "dagster"},
        "A schedule and a backfill: only two columns of the table have both.",
    ),
    "c": (
        {"modal"},
        "Fan-out on machines that you rent while the trials run. The other platforms need machines that are yours.",
    ),
    "d": (
        {"kubeflow"},
        "Containers and lineage, on a Kubernetes that is there: one column has both.",
    ),
    "e": (
        {"dagster"},
        "Checks that stop a run, and lineage: one column has both.",
    ),
    "f": (
        {"python"},
        "Nothing is needed, so the cost decides, and plain Python is what all others are compared with.",
    ),
}


@check.exercise(3, "CASES")
def cases(answer: Mapping[str, str]) -> Iterator[Finding]:
    """A platform for each of the six cases, with the reason."""
    yield must(
        isinstance(answer, Mapping) and {*answer} == {*FITTING},
        "it is a dictionary with the keys a to f",
        'Write one entry for each case: CASES = {"a": "…", "b": "…", …}.',
    )
    platforms = {"python", "make", "airflow", "kubeflow", "dagster", "modal"}
    unknown = [f"{case}: {name!r}" for case, name in answer.items() if name not in platforms]
    yield must(
        not unknown, "each value is a platform", f"Not a platform: {', '.join(unknown)}. The names are lower case."
    )
    for case, (fitting, why) in FITTING.items():
        yield expect(
            answer[case] in fitting, f"case {case}: {answer[case]} fits", f"Case {case}, {answer[case]}: {why}"
        )
