"""Checks of lesson 5: what Modal knows of the student's functions, and a real run of the student's app."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import modal

from module4.platforms import ROOT
from notebooks.checks import Exercises, Finding, expect, kind_of, must

check = Exercises()


def _is_function(answer: object) -> Finding:
    return must(
        isinstance(answer, modal.Function),
        "it is a Modal function",
        f"It is {kind_of(answer)}. Write @my_app.function(...) above the function, with parentheses.",
    )


@check.exercise(1, "forecast")
def forecast(answer: Any) -> Iterator[Finding]:
    """Processors, time and retries."""
    yield _is_function(answer)
    info = answer.info()
    yield expect(info.cpu == 2, "it gets 2 processors", f"It asks for cpu={info.cpu}; say cpu= in the decorator.")
    yield expect(
        info.timeout == 300,
        "it is stopped after five minutes",
        f"The timeout is {info.timeout} seconds, and five minutes are 300.",
    )
    yield expect(
        info.max_retries == 3,
        "it is tried three times more",
        f"max_retries is {info.max_retries}. Give the decorator retries=, a number or modal.Retries(...).",
    )


@check.exercise(2, "nightly")
def nightly(answer: Any) -> Iterator[Finding]:
    """A schedule and a volume."""
    yield _is_function(answer)
    info = answer.info()
    yield must(
        info.schedule,
        "Modal calls it automatically",
        "It has no schedule. Give the decorator schedule=modal.Cron(...).",
    )
    yield expect(
        re.match(r"Cron\('0?0 0?5 \* \* \*', [\w/]+\)", str(info.schedule)),  # in any time zone
        "every day at 05:00",
        f"The schedule is {info.schedule}. modal.Cron takes minute hour day month weekday; a modal.Period counts from "
        "the deployment on, so it has no time of day.",
    )
    volumes = {path: volume.name for path, volume in info.volumes.items()}
    yield expect(
        volumes == {"/forecasts": "forecasts"},
        "the container sees the Volume at /forecasts",
        f"It sees {volumes or 'none'}: what it writes elsewhere is gone when it ends. volumes= takes "
        "{path: modal.Volume.from_name(...)}.",
    )


@check.exercise(3, "my_file")
def at_once(answer: Any) -> Iterator[Finding]:
    """Run the app on this machine and look at when the calls were under way."""
    yield must(isinstance(answer, str), "it is the text of a file", "Put the whole app into a string.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scores.py")
        path.write_text(answer, encoding="utf-8")
        command = [sys.executable, "-m", "infra.modal_local", "run", "--containers=3", "--", "modal", "run", str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stdout + done.stderr)  # without colours
    yield must(
        done.returncode == 0,
        "modal run runs it",
        f"It ended with status {done.returncode}: {' '.join(said.strip().splitlines()[-1:])}",
    )
    spans = [(float(begin), float(end)) for begin, end in re.findall(r"span (\d+\.\d+) (\d+\.\d+)", said)]
    yield must(
        len(spans) == 3,
        "three calls ran in containers",
        f"{len(spans)} calls of score ran. Leave its print as it is, call it once per airport, and ask for all "
        "results: .map() begins when its results are asked for.",
    )
    yield expect(
        re.search(r"\bsum 9\b", said),
        "the sum is right",
        "main should print `sum` and the sum of what the calls returned.",
    )
    most = max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)
    yield expect(
        most > 1,
        f"{most} calls were under way at once" if most > 1 else "calls are under way at once",
        "They ran one after the other: .remote() waits for its result. .map() takes the whole list.",
    )
