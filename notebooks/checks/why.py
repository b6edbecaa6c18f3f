"""Checks of lesson 1: the student's Makefile, read by Make itself, and the student's own scheduler."""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from notebooks.checks import Exercises, Finding, expect, must

check = Exercises()

Ready = Callable[[dict[str, set[str]], set[str]], set[str]]

GRAPH: dict[str, set[str]] = {"a": set(), "b": {"a"}, "c": {"a"}, "d": {"b", "c"}}


@check.exercise(1)
def makefile(answer: object) -> Iterator[Finding]:
    """Let Make read it, look at its database, and make the report."""
    yield must(isinstance(answer, str), "it is a text", "Write the whole Makefile as one string.")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Makefile").write_text(str(answer).lstrip("\n"))
        for name in ("metrics.json", "slices.json"):
            Path(folder, name).write_text(name)
        database = _make(folder, "-pq", "report.txt")
        yield must(
            "missing separator" not in database.stderr,
            "Make can read it",
            "Make says: missing separator. Before the command there must be a tab, no spaces.",
        )
        rule = re.search(r"(?<!# Not a target:\n)^report\.txt:(.*)$", database.stdout, re.MULTILINE)
        yield must(rule, "there is a rule for report.txt", "Left of the colon stands the file to make: report.txt.")
        needs = rule[1].split() if rule else []
        yield expect(
            {"metrics.json", "slices.json"} <= {*needs},
            "it is made from both files",
            f"Make knows of {', '.join(needs) or 'nothing'}. Without both right of the colon it will not make the "
            "report again when they change.",
        )
        made = _make(folder, "report.txt")
        report = Path(folder, "report.txt")
        yield expect(
            report.exists() and report.read_text() == "metrics.jsonslices.json",
            "make report.txt makes it",
            f"It did not write both files into report.txt. {made.stderr.strip()} The command stands below the rule.",
        )


def _make(folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=20)


@check.exercise(2)
def ready(answer: Ready) -> Iterator[Finding]:
    """Try the function on a diamond: a, then b and c side by side, then d."""
    yield must(callable(answer), "it is a function", "Define `def ready(needs, done):` and return a set.")
    start = answer(GRAPH, set())
    yield must(isinstance(start, set), "it returns a set", f"It returned a {type(start).__name__}.")
    yield expect(
        start == {"a"}, "at the start, what needs nothing can start", f"Nothing is done; you said {_text(start)}."
    )
    middle = answer(GRAPH, {"a"})
    yield expect(
        middle == {"b", "c"},
        "what can run side by side starts together, and nothing starts twice",
        f"a is done; b and c need only a, but you said {_text(middle)}. Is something in it that is done already?",
    )
    late = answer(GRAPH, {"a", "b"})
    yield expect(
        late == {"c"},
        "a step waits for everything that it needs",
        f"a and b are done, so c can start, and d cannot, for it needs c too; but you said {_text(late)}. One of "
        "several needs is not enough, and more may be done than a step needs.",
    )
    yield expect(
        answer(GRAPH, {*GRAPH}) == set(), "at the end there is nothing to do", "All are done: return an empty set."
    )


def _text(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
