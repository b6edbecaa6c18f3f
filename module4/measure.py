"""Run one platform in a separate process and measure it from outside: time, memory, steps."""

import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from infra.processes import signal_name, supervised
from module4.platforms import PLATFORMS, ROOT, WORKSPACE
from module4.runs import make_folder
from shared.config import PipelineConfig
from shared.fingerprint import Fingerprint
from shared.progress import EVENTS_FILE

SAMPLE_SECONDS = 0.1
LOG_LINES_SHOWN = 25
QUIET_SECONDS = "PIPELINE_QUIET_SECONDS"  # environment variable: how long to wait before naming a running step (60)

Event = dict[str, Any]

NO_TELEMETRY = {"DAGSTER_DISABLE_TELEMETRY": "yes", "WANDB_ERROR_REPORTING": "false"}
# W&B's records go neither into the checkout nor into the home folder, unless the environment says so.
WANDB_FOLDERS = {name: str(WORKSPACE) for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR")}


@dataclass(frozen=True)
class Run:
    """One measured run. Times in seconds of wall time, memory in bytes; `events` are the steps' starts and ends."""

    platform: str
    seconds: float
    startup_seconds: float | None
    peak_memory: int
    fingerprint: Fingerprint | None
    error: str | None
    log: Path
    events: list[Event] = field(repr=False)
    ended_by: str | None = None  # the signal that ended the platform's process
    store: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the pipeline ran to its end."""
        return self.fingerprint is not None

    def explain_failure(self) -> str:
        """Return which step failed, or was running when its process ended, and which command to type next."""
        step = describe_failed_step(self.events)
        lines = [f"{self.platform}: {step}"] if step else []
        if self.ended_by:
            lines.append(f"{self.platform}: its process was ended by {self.ended_by}.")
        if self.error and self.error not in step:
            lines.append(f"{self.platform}: {self.error}")
        elif not lines:
            lines += [f"{self.platform}: ended without a result; its last lines:", *self._log_end()]
        again = PLATFORMS[self.platform].again.format(store=shlex.quote(self.store), python=shlex.quote(sys.executable))
        lines.append(f"To continue, run the same command again: {again}")
        return "\n".join([*lines, f"Full log: {self.log}"])

    def _log_end(self) -> list[str]:
        return [f"    {line}" for line in self.log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:]]


@dataclass(frozen=True)
class Measured:
    """One measured process: see Run; `status` is its exit status, negative if a signal ended it."""

    seconds: float
    startup_seconds: float | None
    peak_memory: int
    events: list[Event] = field(repr=False)
    status: int = 0


def measured_process(
    command: Sequence[str],
    log: Path,
    on_event: Callable[[Event], None] = lambda event: None,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    limit: float = math.inf,
) -> Measured:
    """Run a command in `folder`, with `environment` added to this process's, its output in `log`; measure it.

    Nothing that the command started outlives this call, nor this process, however it ends. After `limit` seconds it is
    stopped.
    """
    make_folder(log.parent)
    make_folder(WORKSPACE)
    with tempfile.TemporaryDirectory() as temporary, log.open("wb") as output:
        events_file = Path(temporary, "events.jsonl")
        events_file.touch()
        Path(temporary, "tmp").mkdir()
        begin, begin_time = time.perf_counter(), time.time()
        process = subprocess.Popen(
            supervised(command),
            cwd=folder,
            # Some platforms leave temporary files behind; in this folder they are deleted with it.
            env={
                **WANDB_FOLDERS,
                **os.environ,
                **NO_TELEMETRY,
                EVENTS_FILE: str(events_file),
                "TMPDIR": str(Path(temporary, "tmp")),
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            peak, events = _watch(process, events_file, on_event, limit)
        finally:
            process.terminate()  # stops whatever is left, even after Ctrl-C
            process.wait()
        seconds = time.perf_counter() - begin
    return Measured(seconds, events[0]["time"] - begin_time if events else None, peak, events, process.returncode)


def measured_run(
    name: str,
    config: PipelineConfig,
    store: str,
    log: Path,
    on_event: Callable[[Event], None] = lambda event: None,
    folder: Path = ROOT,
    limit: float = math.inf,
) -> Run:
    """Run the platform `name` of the checkout in `folder` below the URI `store`, as `measured_process` does.

    `on_event` is called as steps start and end, and now and then with the state "running" for a step that takes long.
    """
    with tempfile.TemporaryDirectory() as temporary:
        result = Path(temporary, "result.json")
        command = [sys.executable, "-m", "module4.worker", name, config.to_json(), store, str(result)]
        measured = measured_process(command, log, on_event, folder=folder, limit=limit)
        outcome = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    return Run(
        name,
        measured.seconds,
        measured.startup_seconds,
        measured.peak_memory,
        outcome.get("fingerprint"),
        outcome.get("error"),
        log,
        measured.events,
        signal_name(measured.status),
        store,
    )


def describe_failed_step(events: Sequence[Event]) -> str:
    """Return which step failed, and why, or which did not end; empty when the events know of neither."""
    for event in events:
        if event["state"] == "failed":
            return f"step {event['step']} failed: {event['error']}"
    steps = ", ".join(sorted({event["step"] for event in unfinished_steps(events)}))
    return f"step {steps} did not end: its process was killed." if steps else ""


def unfinished_steps(events: Sequence[Event]) -> list[Event]:
    """Return the starts of steps that neither finished nor failed, including those whose process has ended."""
    open_steps: dict[tuple[str, int], Event] = {}
    for event in events:
        key = event["step"], event.get("pid", 0)
        if event["state"] == "started":
            open_steps[key] = event
        else:
            open_steps.pop(key, None)
    return list(open_steps.values())


def _watch(
    process: subprocess.Popen[bytes], events_file: Path, on_event: Callable[[Event], None], limit: float
) -> tuple[int, list[Event]]:
    """Sample the memory of the process and its descendants, and pass events on, until the process ends.

    After `limit` seconds it is stopped.
    """
    peak, events, running, unfinished = 0, list[Event](), True, ""
    quiet = float(os.environ.get(QUIET_SECONDS) or 60)
    speak, stop = time.monotonic() + quiet, time.monotonic() + limit
    with events_file.open(encoding="utf-8") as written:
        while running:
            running = process.poll() is None  # first, so that the last events are read after the end
            peak = max(peak, _memory(process.pid))
            *lines, unfinished = (unfinished + written.read()).split("\n")
            for line in lines:
                events.append(json.loads(line))
                on_event(events[-1])
                speak = time.monotonic() + quiet
            if time.monotonic() > speak:
                speak += quiet
                for event in _longest(events):
                    on_event({**event, "state": "running", "seconds": time.time() - event["time"]})
            if running and time.monotonic() > stop:
                process.terminate()
            if running:
                time.sleep(SAMPLE_SECONDS)
    return peak, events


def _longest(events: Sequence[Event]) -> list[Event]:
    """Return the step that has been running longest, if any is running."""
    alive = [event for event in unfinished_steps(events) if psutil.pid_exists(event.get("pid", 0))]
    return sorted(alive, key=lambda event: float(event["time"]))[:1]


def _memory(pid: int) -> int:
    """Return the memory of what a supervisor supervises; shared pages count once where the system says so (Linux)."""
    total = 0
    try:
        for supervisor in psutil.Process(pid).children():
            for process in supervisor.children(recursive=True):
                try:
                    memory = process.memory_full_info()
                    total += getattr(memory, "pss", memory.rss)
                except psutil.Error:
                    continue  # ended since it was listed, or not ours to look into
    except psutil.Error:
        pass
    return total
