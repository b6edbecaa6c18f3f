"""Run a student's app with the real `modal run` on this machine, and read which calls the control plane saw."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.processes import supervised
from module4.platforms import ROOT
from notebooks.course.shell import plain_environment

LIMIT_SECONDS = 100.0


@dataclass(frozen=True)
class Call:
    """One call in a container: from when it was asked for until its result was there, in seconds since the epoch.

    `room` is how many containers its function may have, `capacity` how many calls one of them takes.
    """

    function: str
    begin: float
    end: float
    room: float
    capacity: int


@dataclass(frozen=True)
class AppRun:
    """How an app's run ended (`status` is None if it took too long), what it printed, and its calls.

    `leaves` are the calls that succeeded and called nothing themselves.
    """

    status: int | None
    seconds: float
    printed: str
    error: str
    leaves: tuple[Call, ...]

    @property
    def together(self) -> tuple[Call, ...]:
        """The calls that were under way together when these were most: asked for, and without a result yet.

        A busy machine may start the containers one after the other, which is not the student's fault.
        """
        moments = [call.begin for call in self.leaves]
        return max(
            (tuple(one for one in self.leaves if one.begin <= moment < one.end) for moment in moments),
            key=len,
            default=(),
        )

    @property
    def told(self) -> str:
        """The lines that the app itself printed, but for the times."""
        lines = [line for line in self.printed.splitlines() if not line.startswith("span ")]
        return "\n".join(line for line in lines if line.strip())


def run_app(text: str, seconds: float = LIMIT_SECONDS) -> AppRun:
    """Write an app to a temporary file and run it against a control plane, for at most `seconds`.

    A run that succeeded is not repeated for the same text.
    """
    run = _known.get(text) or _run_app(text, seconds)
    if run.status == 0:
        _known[text] = run
    return run


_known: dict[str, AppRun] = {}


def _run_app(text: str, seconds: float) -> AppRun:
    with tempfile.TemporaryDirectory() as folder:
        app, calls = Path(folder, "scores.py"), Path(folder, "calls.jsonl")
        app.write_text(text, encoding="utf-8")
        plane = [sys.executable, "-m", "infra.modal_local", "run", "--containers=3", f"--calls={calls}"]
        process = subprocess.Popen(
            supervised([*plane, "--", "modal", "run", "-q", str(app)]),
            cwd=ROOT,
            env=plain_environment(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begin = time.monotonic()
        try:
            printed, errors = process.communicate(timeout=seconds)
            status: int | None = process.returncode
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            printed, errors = process.communicate()
            status = None
        known = [json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()] if calls.exists() else []
    return AppRun(status, time.monotonic() - begin, _plain(printed), _last_line(errors), _leaves(known))


def _leaves(calls: list[dict[str, Any]]) -> tuple[Call, ...]:
    parents = {call["parent"] for call in calls}
    return tuple(
        Call(
            function=call["function"],
            begin=call["submitted"],
            end=call["finished"],
            room=call["max_containers"] or float("inf"),
            capacity=call["inputs_per_container"],
        )
        for call in calls
        if call["input"] not in parents and call["status"] == "success"
    )


def _last_line(errors: str) -> str:
    """Return the line that says what went wrong: the last one that is not the control plane's."""
    lines = [line.strip(" │╭╰─╮╯") for line in _plain(errors).splitlines() if not line.startswith("infra.modal_local")]
    return next((line for line in reversed(lines) if line), "nothing was printed.")


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
