"""Run one engine's tasks that do nothing in a new process, and measure it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from module4.benchmark.engines.noop import SHAPE, WORK
from module4.measure import Measured, measured_process


@dataclass(frozen=True)
class Engine:
    """A platform's way to run tasks: its lightest one has the platform's name."""

    name: str
    platform: str
    mode: str
    module: str
    options: tuple[str, ...] = ()


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("python", "python", "one process", "python"),
        Engine("make", "make", "a process per task", "make"),
        Engine("airflow", "airflow", "dag.test()", "airflow"),
        Engine("kubeflow", "kubeflow", "kfp.local, a process per task", "kubeflow"),
        Engine("dagster", "dagster", "one process", "dagster"),
        Engine("dagster-processes", "dagster", "a process per step", "dagster", ("processes",)),
        Engine("modal", "modal", "modal run on loopback", "modal"),
    )
}
# With the services that a real installation runs; a run begins when their API is asked for it.
SERVED = {
    engine.name: engine
    for engine in (
        Engine("airflow-scheduler", "airflow", "four services, a process per task", "airflow_scheduler"),
        Engine("dagster-daemon", "dagster", "web server and daemon, a process per step", "dagster_daemon"),
    )
}


def run(engine: Engine, shape: str, folder: Path, log: Path, work: float = 0.0) -> Measured:
    """Run a shape (see Shape.parse) with `work` seconds of CPU per task; the engine's files go to `folder`."""
    command = [sys.executable, "-m", f"module4.benchmark.engines.{engine.module}", str(folder), *engine.options]
    folder.mkdir(parents=True, exist_ok=True)
    return since_trigger(measured_process(command, log, environment={SHAPE: shape, WORK: str(work)}))


def since_trigger(measured: Measured) -> Measured:
    """Return the part of a run that begins when it was triggered, if services had to be started before."""
    events = measured.events
    if not events or events[0]["state"] != "triggered":
        return measured
    begin, rest = events[0]["time"], events[1:]
    if not rest:
        return replace(measured, startup_seconds=None, events=rest)
    end = max(event["time"] for event in rest)
    return replace(measured, seconds=end - begin, startup_seconds=rest[0]["time"] - begin, events=rest)


def starts_and_ends(measured: Measured, names: Sequence[str] = ()) -> list[tuple[float, float]]:
    """Return start and end (seconds since 1970) of each finished task of these names, or of all, in order of starts."""
    ends = [event for event in measured.events if event["state"] == "finished"]
    return sorted((end["time"] - end["seconds"], end["time"]) for end in ends if not names or end["step"] in names)
