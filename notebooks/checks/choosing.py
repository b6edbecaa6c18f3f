"""Checks of lesson 8: the student's functions on rows as `module4.compare` makes them."""

from collections.abc import Callable, Iterator
from typing import Any

from notebooks.checks import Exercises, Finding, expect, must

check = Exercises()

Row = dict[str, Any]

ROWS: list[Row] = [
    {"platform": "modal", "status": "ok", "seconds": 45.0},
    {"platform": "airflow", "status": "failed", "seconds": 3.0},
    {"platform": "python", "status": "ok", "seconds": 20.0},
    {"platform": "dagster", "status": "ok", "seconds": 23.5},
    {"platform": "kubeflow", "status": "differs in data", "seconds": 21.0},
]
CAN = {
    "python": set(),
    "airflow": {"schedule", "history"},
    "kubeflow": {"containers"},
    "dagster": {"schedule", "history"},
    "modal": {"schedule", "containers"},
}


@check.exercise(1)
def over_python(answer: Callable[[list[Row]], dict[str, float]]) -> Iterator[Finding]:
    """Rows in another order, one failed, one that did other work."""
    yield must(callable(answer), "it is a function", "Define `def over_python(rows):` and return a dictionary.")
    found = answer([dict(row) for row in ROWS])
    yield must(isinstance(found, dict), "it returns a dictionary", f"It returned a {type(found).__name__}.")
    yield expect(
        not {"airflow", "kubeflow"} & {*found},
        "only runs that ended well count",
        "A run that failed after three seconds is in it, or one that did other work: look at status.",
    )
    yield expect("python" not in found, "plain Python is left out", "Python over Python is 0, and no platform.")
    right = {"modal": 25.0, "dagster": 3.5}
    got = {name: found.get(name) for name in right}
    yield expect(
        got == right,
        "the seconds are those above plain Python's",
        f"For 45.0 and 23.5 seconds, and 20.0 of plain Python, you said {got}. Subtract, and find plain Python by its "
        "name, not by its place.",
    )


@check.exercise(2)
def choose(answer: Callable[[list[Row], dict[str, set[str]], set[str]], str | None]) -> Iterator[Finding]:
    """Needs first, then speed, and None when nobody can."""
    yield must(
        callable(answer), "it is a function", "Define `def choose(rows, can, needs):` and return a name or None."
    )
    rows = [dict(row) for row in ROWS]
    chosen = answer(rows, CAN, {"schedule"})
    yield expect(
        chosen == "dagster",
        "the fastest of those that can",
        f"Who has a schedule: dagster in 23.5 s, modal in 45 s, and airflow, which failed. You said {chosen!r}.",
    )
    chosen = answer(rows, CAN, {"schedule", "containers"})
    yield expect(
        chosen == "modal",
        "every need counts",
        f"Both a schedule and containers: only modal has them. You said {chosen!r}. A set is in another with <=.",
    )
    chosen = answer(rows, CAN, {"teleport"})
    yield expect(chosen is None, "None if nobody can", f"Nobody can teleport, and you said {chosen!r}.")
    chosen = answer(rows, CAN, set())
    yield expect(
        chosen == "python",
        "without needs, the fastest of all",
        f"Nothing is needed; python is fastest. You said {chosen!r}.",
    )
