"""Run one platform in a process of its own and measure it from outside: time, memory, steps."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from module4.platforms import ROOT, WORKSPACE
from shared.config import PipelineConfig
from shared.fingerprint import Fingerprint
from shared.progress import EVENTS_FILE

SAMPLE_SECONDS = 0.1
LOG_LINES_SHOWN = 25

Event = dict[str, Any]

NO_TELEMETRY = {"DAGSTER_DISABLE_TELEMETRY": "yes", "WANDB_ERROR_REPORTING": "false"}
# W&B's records, unless the environment says where: not in the checkout, not in the home folder.
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

    @property
    def succeeded(self) -> bool:
        """Whether the pipeline ran to its end."""
        return self.fingerprint is not None

    def explain_failure(self) -> str:
        """Return which step failed and the end of the log."""
        failed = next((event for event in self.events if event["state"] == "failed"), None)
        lines = [f"{self.platform}: step {failed['step']} failed: {failed['error']}"] if failed else []
        if self.error:
            lines.append(f"{self.platform}: {self.error}")
        else:
            lines += [f"{self.platform}: ended without a result; its last lines:", *self._log_end()]
        return "\n".join([*lines, f"Full log: {self.log}"])

    def _log_end(self) -> list[str]:
        return [f"    {line}" for line in self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]]


def measured_run(
    name: str, config: PipelineConfig, store: str, log: Path, on_event: Callable[[Event], None] = lambda event: None
) -> Run:
    """Run the platform `name` below the URI `store`, its output in `log`; call `on_event` as steps start and end."""
    log.parent.mkdir(parents=True, exist_ok=True)
    WORKSPACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, log.open("wb") as output:
        events_file, result, temporary = (Path(folder) / name for name in ("events.jsonl", "result.json", "tmp"))
        events_file.touch()
        temporary.mkdir()
        begin, begin_time = time.perf_counter(), time.time()
        process = subprocess.Popen(
            [sys.executable, "-m", "module4.worker", name, config.to_json(), store, str(result)],
            cwd=ROOT,
            # Some platforms leave temporary files behind: here they go with the folder.
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
            _end(process)
        seconds = time.perf_counter() - begin
        outcome = json.loads(result.read_text()) if result.exists() else {}
    startup = events[0]["time"] - begin_time if events else None
    return Run(name, seconds, startup, peak, outcome.get("fingerprint"), outcome.get("error"), log, events)


def _watch(
    process: subprocess.Popen[bytes], events_file: Path, on_event: Callable[[Event], None]
) -> tuple[int, list[Event]]:
    """Sample the memory of the process and its descendants, and pass events on, until the process ends."""
    peak, events, running, unfinished = 0, [], True, ""
    with events_file.open(encoding="utf-8") as written:
        while running:
            running = process.poll() is None  # first, so that the last events are read after the end
            peak = max(peak, _memory(process.pid))
            *lines, unfinished = (unfinished + written.read()).split("\n")
            for line in lines:
                events.append(json.loads(line))
                on_event(events[-1])
            if running:
                time.sleep(SAMPLE_SECONDS)
    return peak, events


def _memory(pid: int) -> int:
    """Return the memory of a process and its descendants; shared pages count once where the system tells (Linux)."""
    total = 0
    try:
        for process in [(parent := psutil.Process(pid)), *parent.children(recursive=True)]:
            try:
                memory = process.memory_full_info()
                total += getattr(memory, "pss", memory.rss)
            except psutil.Error:
                continue  # ended since it was listed, or not ours to look into
    except psutil.Error:
        pass
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave no process behind, also after Ctrl-C."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM if process.poll() is None else signal.SIGKILL)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
