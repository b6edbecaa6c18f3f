"""A task that does nothing, or computes for a while, and reports when: what every engine runs here.

It imports almost nothing, so that what is measured is the engine. `python -m module4.benchmark.engines.noop NAME` runs
one task, for engines that start programs.
"""

import json
import os
import socket
import sys
import time
from dataclasses import dataclass

EVENTS_FILE = "PIPELINE_EVENTS"  # the same variable, and the same lines, as the steps' own
SHAPE, WORK = "BENCHMARK_SHAPE", "BENCHMARK_WORK"  # environment variables: see Shape.parse; seconds of CPU per task


@dataclass(frozen=True)
class Shape:
    """A pipeline of tasks that run one after the other, with a search in the middle if `trials` is above 0.

    A search is propose_trials, then `trials` times run_trial in parallel, then select_best.
    """

    before: tuple[str, ...]
    trials: int = 0
    after: tuple[str, ...] = ()

    @property
    def tasks(self) -> int:
        """How many tasks run."""
        return len(self.before) + len(self.after) + (self.trials + 2 if self.trials else 0)

    @classmethod
    def parse(cls, text: str) -> "Shape":
        """Return the shape called `training`, `chain:N` (N tasks) or `parallel:N` (a search of N trials)."""
        kind, _, count = text.partition(":")
        if kind == "chain":
            return cls(tuple(f"step_{number}" for number in range(1, int(count) + 1)))
        if kind == "parallel":
            return cls((), int(count))
        return cls(("load_data", "preprocess", "train"), 6, ("evaluate", "deploy"))


def shape() -> Shape:
    """Return the shape that the environment asks for."""
    return Shape.parse(os.environ.get(SHAPE, "training"))


def do(name: str) -> str:
    """Report the start of the task `name`, use as many seconds of CPU as the environment says, report its end."""
    begin = time.time()
    emit({"step": name, "state": "started", "time": begin, "pid": os.getpid()})
    until = time.thread_time() + float(os.environ.get(WORK, "0"))
    while time.thread_time() < until:
        pass
    end = time.time()
    emit({"step": name, "state": "finished", "time": end, "pid": os.getpid(), "seconds": end - begin})
    return name


def emit(event: dict[str, object]) -> None:
    """Add a line to the file of events, if the environment names one."""
    if path := os.environ.get(EVENTS_FILE):
        with open(path, "a", encoding="utf-8") as file:  # one short write, so that lines do not mix
            file.write(json.dumps(event) + "\n")


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    do(sys.argv[1])
