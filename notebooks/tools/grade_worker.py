"""Play one student's lesson in this process, which `notebooks.tools.grade` starts and limits: not for people.

The process imports a copy of the course without checks and solutions. Each answer's cells run twice: first in a fork,
which then judges the answer, and afterwards here, so that no answer meets what judging another one left behind. The
grader sends the checks only when the answer's cells have run, once per exercise, with a word that the verdict must
repeat. After a right verdict the fork also judges wrong answers, chosen at random: if one of them is accepted now, the
student's code has tampered with the check.
"""

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, TextIO


class _OutOfTime(BaseException):
    """A cell took too long; not an Exception, so that a student's `except Exception` does not catch it."""


class _Checks(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import the instructor's checks from the text that the grader sent."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = sources

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self.sources:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=name == "notebooks.checks")

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.sources[module.__name__], "<checks>", "exec"), module.__dict__)


def main(arguments: Sequence[str]) -> None:
    """Read the work from the first message of the grader, do it, and report each verdict as it is found."""
    channel = socket.socket(fileno=int(arguments[0])).makefile("rw", encoding="utf-8", newline="\n")
    work = json.loads(channel.readline())
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.io import capture_output

    with capture_output():
        shell = InteractiveShell.instance()
        shell.run_cell("import matplotlib; matplotlib.use('agg')")
    _module(work["sandbox"]).limit(work["memory"], map(Path, work["hidden"]), map(Path, work["writable"]))
    before = _functions()
    for group in work["groups"]:
        cells, seconds = group["cells"], work["cell_seconds"]
        first = next((place for place, cell in enumerate(cells) if cell["own"]), len(cells))
        _run_cells(shell, cells[:first], seconds, channel)
        for number in group["judge"]:
            _judge_in_fork(number, shell, channel, before, cells[first:], seconds, work["judge_seconds"])
        _run_cells(shell, cells[first:], seconds, channel)
    _send(channel, {"done": True})
    os._exit(0)  # without waiting for what the student's code may have started


def _module(path: str) -> Any:
    """Import a file of the course's tools, which the student's code cannot import."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run_cells(shell: Any, cells: list[dict[str, Any]], seconds: float, channel: TextIO | None = None) -> None:
    """Run cells and report their errors, if there is a channel. Some have a second version, in case the first fails."""
    from IPython.utils.io import capture_output

    for cell in cells:
        errors = []
        for code in cell["codes"]:
            with capture_output():
                errors.append(_run(shell, code, seconds))
            if not errors[-1]:
                break
        if channel and errors[0]:
            _send(channel, {"error": errors[0], "cell": cell["cell"], "number": cell["number"]})


def _run(shell: Any, code: str, seconds: float) -> str:
    """Run a cell and return its error, if it had one."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _OutOfTime(f"stopped after {seconds:g} seconds")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        done = shell.run_cell(code.replace("%matplotlib inline\n", ""))
        error = done.error_before_exec or done.error_in_exec
    except BaseException as raised:  # IPython lets some of them through
        error = raised
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    name = "TimeoutError" if isinstance(error, _OutOfTime) else type(error).__name__
    return f"{name}: {error}" if error else ""


def _judge_in_fork(
    number: int,
    shell: Any,
    channel: TextIO,
    before: dict[str, dict[str, Any]],
    cells: list[dict[str, Any]],
    cell_seconds: float,
    seconds: float,
) -> None:
    """Run the answer's cells and judge it in a fork, within `seconds` and what the cells may take."""
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            _run_cells(shell, cells, cell_seconds)
            _judge(number, shell, channel, before)
        except BaseException as error:
            with suppress(BaseException):
                _send(channel, {"lost": number, "why": f"judging it ended with {type(error).__name__}: {error}"})
        finally:
            os._exit(0)
    give_up = time.monotonic() + seconds + cell_seconds * len(cells)
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > give_up:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            _send(channel, {"lost": number, "why": f"no verdict within {seconds:g} seconds"})
            return
        time.sleep(0.05)


def _judge(number: int, shell: Any, channel: TextIO, before: dict[str, dict[str, Any]]) -> None:
    sys.settrace(None)
    sys.setprofile(None)
    for name, functions in before.items():
        sys.modules[name].__dict__.update(functions)
    last = shell.last_execution_result
    _send(channel, {"request": number})
    job = json.loads(channel.readline())
    for name in [name for name in sys.modules if name.startswith("notebooks.checks")]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Checks(job["checks"]))
    from IPython.utils.io import capture_output

    with capture_output():
        check = importlib.import_module(job["module"]).check
        shell.last_execution_result = last
        result = check(number)
        findings = [[bool(one.passed), str(one.what), str(one.hint)] for one in result.findings]
        accepted = []
        for code in job["wrong"] if result.verdict == "right" else []:
            shell.run_cell(job["stub"])
            shell.run_cell(code)
            accepted.append(check(number).verdict == "right")
    _send(
        channel,
        {
            "exercise": number,
            "word": job["word"],
            "verdict": str(result.verdict),
            "note": str(result.note),
            "findings": findings,
            "accepted": sum(accepted),
            "tried": len(accepted),
        },
    )


def _functions() -> dict[str, dict[str, Any]]:
    """Return what Python's own modules hold, before any of the student's code could replace it."""
    ours = {"__main__", "logging", "signal", "sys", "threading", "warnings"}  # libraries change them rightly
    names = [name for name in sys.modules if name.partition(".")[0] in sys.stdlib_module_names - ours]
    kept = {name: sys.modules[name] for name in names if isinstance(sys.modules[name], ModuleType)}
    held = {name: {key: one for key, one in vars(module).items() if callable(one)} for name, module in kept.items()}
    return held | {"builtins": {key: one for key, one in vars(builtins).items() if callable(one)}}


def _send(channel: TextIO, message: dict[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
