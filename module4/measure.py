"""Run one platform in a separate process and measure it from outside: time, memory, steps."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
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


def measured_run(
    name: str, config: PipelineConfig, store: str, log: Path, on_event: Callable[[Event], None] = lambda event: None
) -> Run:
    """Run the platform `name` below the URI `store`, its output in `log`; call `on_event` as steps start and end.

    Now and then `on_event` is also called with the state "running" for a step that takes long. Nothing that the
    platform started outlives this call, nor this process, however it ends.
    """
    make_folder(log.parent)
    make_folder(WORKSPACE)
    with tempfile.TemporaryDirectory() as folder, log.open("wb") as output:
        events_file, result, temporary = (Path(folder) / name for name in ("events.jsonl", "result.json", "tmp"))
        events_file.touch()
        temporary.mkdir()
        begin, begin_time = time.perf_counter(), time.time()
        process = subprocess.Popen(
            supervised([sys.executable, "-m", "module4.worker", name, config.to_json(), store, str(result)]),
            cwd=ROOT,
            # Some platforms leave temporary files behind; in this folder they are deleted with it.
            env={
                **WANDB_FOLDERS,
                **os.environ,
                **NO_TELEMETRY,
                EVENTS_FILE: str(events_file),
                "TMPDIR": str(temporary),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            peak, events = _watch(process, events_file, on_event)
        finally:
            process.terminate()  # stops whatever is left, even after Ctrl-C
            process.wait()
        seconds = time.perf_counter() - begin
        outcome = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    startup = events[0]["time"] - begin_time if events else None
    ended_by = signal_name(process.returncode)
    return Run(
        name, seconds, startup, peak, outcome.get("fingerprint"), outcome.get("error"), log, events, ended_by, store
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
    process: subprocess.Popen[bytes], events_file: Path, on_event: Callable[[Event], None]
) -> tuple[int, list[Event]]:
    """Sample the memory of the process and its descendants, and pass events on, until the process ends."""
    peak, events, running, unfinished = 0, list[Event](), True, ""
    quiet = float(os.environ.get(QUIET_SECONDS) or 60)
    speak = time.monotonic() + quiet
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
