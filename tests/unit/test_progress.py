"""Events: what a watcher of the running steps reads."""

import json
import logging
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.progress import logged_step

Events = Callable[[], list[dict[str, Any]]]


@logged_step
def divide(first: int, second: int = 1) -> float:
    """Divide."""
    return first / second


def test_a_step_that_succeeds_is_started_and_finished(events: Events) -> None:
    assert divide(6, second=3) == 2
    started, finished = events()
    assert (started["step"], started["state"], started["pid"]) == ("divide", "started", os.getpid())
    assert (finished["step"], finished["state"]) == ("divide", "finished")
    assert finished["seconds"] >= 0
    assert finished["time"] >= started["time"]


def test_a_step_that_fails_says_why_and_the_error_goes_on(events: Events) -> None:
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)
    assert [event["state"] for event in events()] == ["started", "failed"]
    assert events()[1]["error"] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_step_has_failed(events: Events, error: type[BaseException]) -> None:
    @logged_step
    def interrupted() -> None:
        raise error("two\nlines")

    with pytest.raises(error):
        interrupted()
    assert events()[-1]["error"] == f"{error.__name__}: two\nlines"


def test_nothing_is_written_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("PIPELINE_EVENTS", raising=False)
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.INFO, logger="shared"):
        divide(1)
    assert not list(tmp_path.iterdir())
    assert caplog.messages[0] == "divide started"
    assert caplog.messages[1].startswith("divide finished after 0.0")


def test_the_function_keeps_its_name_and_text() -> None:
    assert (divide.__name__, divide.__doc__) == ("divide", "Divide.")


def test_events_of_parallel_processes_do_not_mix(
    tmp_path: Path, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path = tmp_path / "events.jsonl"
    code = """
import multiprocessing
from shared.progress import logged_step

@logged_step
def work(text):
    pass

def many(text):
    for _ in range(200):
        work(text)

with multiprocessing.get_context("fork").Pool(4) as pool:
    pool.map(many, "abcd", chunksize=1)
"""
    assert run_python("-c", code, env={"PIPELINE_EVENTS": str(path)}).returncode == 0
    parsed = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(parsed) == 4 * 200 * 2
