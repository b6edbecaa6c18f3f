"""Checks of lesson 1: the student's Makefile, run by Make itself, and the student's own scheduler."""

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

from notebooks.checks import AnswerError, Exercises, Finding, call, call_as_is, expect, kind_of, must, saw, short

check = Exercises()

Ready = Callable[[dict[str, set[str]], set[str]], set[str]]

SOURCES = ("metrics.json", "slices.json")
GRAPHS = 40  # generated graphs
MAKE_SECONDS = 10  # concatenating two files takes a hundredth of that


@check.exercise(1, "my_makefile")
def makefile(answer: object) -> Iterator[Finding]:
    """Have Make build the report, and rebuild it when one of the files changes."""
    yield must(isinstance(answer, str), "it is text", f"It is {kind_of(answer)}. Write the Makefile as one string.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Make forgives an empty line at the beginning, which a text in triple quotes has.
        (folder / "Makefile").write_text(str(answer).lstrip("\n"), encoding="utf-8")
        contents = {source: f"{source} 1\n" for source in SOURCES}
        _write(folder, contents, age=30)
        made = _make(folder)
        yield must(
            "missing separator" not in made.stderr,
            "Make can read it",
            "Make says: missing separator. Before the command there must be a tab, not spaces.",
        )
        yield expect("ircular" not in made.stderr, "nothing is made from itself", made.stderr.strip())
        report = folder / "report.txt"
        yield must(
            report.exists() and report.read_text() == "".join(contents.values()),
            "make report.txt writes both files into it",
            f"Make says: {_last(made)}. report.txt is {_content(report)}. Left of the colon is the file to make, right "
            "of it what it is made from, and the command is on the next line.",
        )
        for source in SOURCES:
            contents[source] = f"{source} 2\n"
            _age(report, 20)
            _write(folder, {source: contents[source]}, age=10)
            again = _make(folder)
            yield expect(
                report.read_text() == "".join(contents.values()),
                f"when {source} changes, make makes the report again",
                f"{source} is newer than report.txt. Make said: {_last(again)}. Then report.txt is {_content(report)}. "
                "Both files belong right of the colon, and the command must replace the report.",
            )
            _age(folder / source, 30)
        before = report.stat().st_mtime_ns
        _make(folder)
        yield expect(
            report.stat().st_mtime_ns == before,
            "when nothing changes, nothing is made",
            "It writes the report each time. Is something right of the colon that never exists?",
        )


def _make(folder: Path) -> subprocess.CompletedProcess[str]:
    # This notebook may itself have been started by make, whose variables are not meant for this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    process = subprocess.Popen(
        ["make", "report.txt"],
        cwd=folder,
        env={**environment, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, errors = process.communicate(timeout=MAKE_SECONDS)
    except subprocess.TimeoutExpired:
        raise AnswerError(f"make report.txt had not ended after {MAKE_SECONDS} seconds, and was stopped.") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # make, and the commands that it started
        process.wait()
    return subprocess.CompletedProcess(process.args, process.returncode, printed, errors)


def _write(folder: Path, contents: dict[str, str], age: int) -> None:
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
        _age(folder / name, age)


def _age(path: Path, seconds: int) -> None:
    """Make a file look as if it was written a few seconds ago, because file systems have coarse clocks."""
    if path.exists():
        then = time.time() - seconds
        os.utime(path, (then, then))


def _content(path: Path) -> str:
    return short(path.read_text(encoding="utf-8")) if path.exists() else "missing"


def _last(made: subprocess.CompletedProcess[str]) -> str:
    lines = (made.stderr.strip() or made.stdout.strip() or "nothing").splitlines()
    return lines[-1].removesuffix(".")


@check.exercise(2, "ready")
def ready(answer: Ready) -> Iterator[Finding]:
    """Try the function on a diamond (a, then b and c in parallel, then d), and on generated graphs."""
    yield must(callable(answer), "it is a function", "Define `def ready(needs, done):` and return a set.")
    diamond: dict[str, set[str]] = {"a": set(), "b": {"a"}, "c": {"a"}, "d": {"b", "c"}}
    start = call(answer, needs=diamond, done=set())
    yield must(isinstance(start, Set), "it returns a set", f"{saw(start)} That is not a set.")
    for done, what, hint in (
        (set(), "at the start, what needs nothing can start", "Nothing is done, and only a needs nothing."),
        (
            {"a"},
            "steps that can run in parallel start together, and no step starts twice",
            "a is done, and b and c need only a. A step that is already done does not start again.",
        ),
        (
            {"a", "b"},
            "a step waits for everything that it needs",
            "a and b are done, so c can start; d cannot, because it needs c too. One of several needs is not enough, "
            "and more steps may be done than a step needs.",
        ),
        ({"a", "b", "c"}, "the last one starts when the others are done", "d needs b and c, and both are done."),
        ({*diamond}, "at the end there is nothing left to do", "All steps are done."),
    ):
        found, right = call(answer, needs=diamond, done=done), _ready(diamond, done)
        yield expect(
            found == right, what, f"{hint} For done={_text(done)}, the right answer is {_text(right)}. {saw(found)}"
        )
    yield from _on_generated_graphs(answer)
    needs, done = {name: set(above) for name, above in diamond.items()}, {"a"}
    first = set(call_as_is(answer, needs=needs, done=done))
    second = set(call_as_is(answer, needs=needs, done=done))
    yield expect(
        first == second == {"b", "c"} and done == {"a"},
        "asked twice, it gives the same answer: only the orchestrator decides what is done",
        f"For done={{'a'}} it first returned {_text(first)} and then {_text(second)}; done is {_text(done)} now. "
        "Saying what can start does not finish it: leave `done` unchanged.",
    )


def _on_generated_graphs(answer: Ready) -> Iterator[Finding]:
    """Look for a graph on which the answer is wrong, among small ones with various steps done."""
    chance = random.Random(2013)
    for _ in range(GRAPHS):
        names = [f"step_{number}" for number in range(chance.randint(0, 6))]
        needs: dict[str, set[str]] = {}
        for name in chance.sample(names, len(names)):
            needs[name] = {other for other in needs if chance.random() < 0.4}
        shuffled = dict(chance.sample(sorted(needs.items()), len(needs)))
        done = _finished(needs, chance)
        found, right = call(answer, needs=shuffled, done=done), _ready(needs, done)
        if found != right:
            hint = f"For needs={shuffled} and done={_text(done)}, the right answer is {_text(right)}. {saw(found)}"
            yield expect(False, "it is right for other graphs too", hint)
            return
    yield expect(True, f"it is right for {GRAPHS} other graphs too", "")


def _finished(needs: dict[str, set[str]], chance: random.Random) -> set[str]:
    done: set[str] = set()
    for name, above in needs.items():
        if above <= done and chance.random() < 0.5:
            done.add(name)
    return done


def _ready(needs: dict[str, set[str]], done: set[str]) -> set[str]:
    return {name for name, above in needs.items() if name not in done and above <= done}


def _text(names: Any) -> str:
    return "{" + ", ".join(map(repr, sorted(names))) + "}" if names else "set()"
