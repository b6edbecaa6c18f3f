"""Run the pipeline on this machine with kfp.local: a process per task, where a cluster has a pod per task."""

import builtins
import logging
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from typing import Any

from infra.processes import signal_name, supervised
from module4.lab2_kubeflow.cluster import TIMEOUT_SECONDS
from module4.platforms import ROOT
from shared import places, steps
from shared.config import PipelineConfig
from shared.errors import ConfigError, PipelineError
from shared.fingerprint import Fingerprint
from shared.inference import parse_day
from shared.registry import Registry
from shared.storage import Summary
from shared.version import code_version

RUNS = "runs"  # below the store: a folder per run, and KFP's cache


def run(config: PipelineConfig, store: str, docker: bool = False) -> Fingerprint:
    """Run the training pipeline below `store` (a local folder) and return the run's fingerprint.

    With `docker` every task is a container of the image instead of a process of this Python.
    """
    from module4.lab2_kubeflow.pipelines import training

    folder = local_folder(store)
    with local_runner(folder, docker):
        finished = training(config=config.to_json(), registry=str(folder / "registry"), code=code_version())
    return steps.read_fingerprint(finished.output.path)


def run_inference(config: PipelineConfig, store: str, day: str, docker: bool = False) -> Summary:
    """Predict the flights of `day` with the store's model in production; return what was saved and where.

    Raises PipelineError before any task starts when the day is not in the data, or no model is in production.
    """
    from module4.lab2_kubeflow.pipelines import inference

    parse_day(day, config)
    Registry(str(local_folder(store) / "registry"), config.model_name).get_champion()
    folder = local_folder(store)
    with local_runner(folder, docker):
        finished = inference(
            config=config.to_json(),
            day=day,
            registry=str(folder / "registry"),
            partitions=str(folder / "predictions"),
            code=code_version(),
        )
    return dict(finished.output.metadata)


def run_monitoring(config: PipelineConfig, store: str, day: str, docker: bool = False) -> None:
    """Check the store's model in production as of `day`, and retrain it if it is outdated.

    Raises PipelineError before any task starts: see `run_inference`.
    """
    from module4.lab2_kubeflow.pipelines import monitoring

    parse_day(day, config)
    Registry(str(local_folder(store) / "registry"), config.model_name).get_champion()
    folder = local_folder(store)
    with local_runner(folder, docker):
        monitoring(config=config.to_json(), day=day, registry=str(folder / "registry"), code=code_version())


@contextmanager
def local_runner(folder: Path, docker: bool = False) -> Iterator[None]:
    """Run pipelines that are called inside the block on this machine, with their files below `folder`."""
    from kfp import local

    step_timeout()  # refused before work
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PipelineError(f"store: cannot write to {folder} ({error.strerror}). Choose another folder.") from None
    # Without use_venv=False KFP would build an environment for every task.
    runner = docker_runner(folder) if docker else local.SubprocessRunner(use_venv=False)
    local.init(runner=runner, pipeline_root=str(folder / RUNS), enable_caching=True)
    with _tasks_find_this_python(), _tasks_are_watched(), _output_left_as_found():
        try:
            yield
        except (
            RuntimeError,
            ValueError,
        ) as error:  # ValueError: a container was gone before KFP could ask how it ended
            raise PipelineError(explain(error)) from error


def docker_runner(folder: Path) -> Any:
    """Return KFP's runner of containers. Raises PipelineError when no Docker engine answers."""
    import docker
    from kfp import local

    try:
        docker.from_env().ping()
    except docker.errors.DockerException as error:
        raise PipelineError(f"runner: no Docker engine answers ({error}). Start one, or leave out --runner.") from None
    folder.mkdir(parents=True, exist_ok=True)
    return local.DockerRunner(
        entrypoint="",  # Docker puts a command behind the image's entry point, Kubernetes in its place
        user=f"{os.getuid()}:{os.getgid()}",
        mounts=[docker.types.Mount(str(folder), str(folder), type="bind")],  # KFP itself mounts only the runs
        network_mode="none",
    )


def local_folder(store: str) -> Path:
    """Return the store as a path. Raises PipelineError when it is not on this machine."""
    folder = places.local_folder(store)
    if folder is None:
        raise PipelineError(f"store: kfp.local writes to folders of this machine only, got {store!r}.")
    return folder


def explain(error: Exception) -> str:
    """Return KFP's error without its colors and with the steps' own names: KFP writes hyphens for underscores."""
    text = re.sub(r"\x1b\[\d+m", "", str(error))
    tasks = re.sub(r"-(?=[a-z])", "_", text.partition("Inner task failed:")[2]).strip(" .")
    return (
        f"Kubeflow Pipelines: {tasks} failed; its output says why. Run it again: finished tasks come from the cache."
        if tasks
        else text
    )


@contextmanager
def _tasks_find_this_python() -> Iterator[None]:
    """Let tasks find this Python on PATH, and `shared` beside it.

    In a task's command, KFP replaces every "python3", even inside a path, with `sys.executable`, and does not quote it,
    so a checkout in "My Course" could not run. It does no harm to replace "python3" with "python3".
    """
    paths = {"PATH": sysconfig.get_path("scripts"), "PYTHONPATH": str(ROOT)}
    before = {name: os.environ[name] for name in paths if name in os.environ}
    os.environ.update({name: os.pathsep.join(filter(None, [first, before.get(name)])) for name, first in paths.items()})
    executable, sys.executable = sys.executable, "python3"
    try:
        yield
    finally:
        sys.executable = executable
        for name in paths.keys() - before:
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _tasks_are_watched() -> Iterator[None]:
    """Run the tasks' processes with `run_task`: KFP's own function has no time limit and hides how a process ended."""
    from kfp.local import subprocess_task_handler

    original = subprocess_task_handler.run_local_subprocess
    subprocess_task_handler.run_local_subprocess = run_task
    try:
        yield
    finally:
        subprocess_task_handler.run_local_subprocess = original


def run_task(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
    """Run a task's command, print its output, and return its exit status.

    The command is stopped when this process ends, or after STEP_TIMEOUT seconds (default: as on a cluster). If it runs
    longer than a minute, a line says so, and if a signal kills it, the line names the signal.
    """
    name = full_command[-1].replace("-", "_")  # KFP's last argument: --function_to_execute NAME
    limit = step_timeout()
    timers: list[Timer] = []

    def every_minute(minutes: int, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            print(f"{name} has been running for {minutes} min. It is stopped after {limit} s; to stop now: Ctrl-C")

    with subprocess.Popen(
        supervised(full_command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **(env_vars or {})},
    ) as process:
        expired = Event()

        def stop() -> None:
            expired.set()
            process.terminate()

        timers += [Timer(limit, stop), *(Timer(60.0 * n, every_minute, (n, process)) for n in (1, 5, 15))]
        for timer in timers:
            timer.daemon = True
            timer.start()
        try:
            for line in process.stdout or ():
                print(line, end="")
            status = process.wait()
        finally:
            for timer in timers:
                timer.cancel()
            if process.poll() is None:
                process.terminate()
    if expired.is_set():
        print(f"{name}: stopped after {limit} s, the limit that STEP_TIMEOUT sets.")
    elif killed := signal_name(status):
        print(f"{name}: its process was killed by {killed}.")
    print()
    return status


def step_timeout() -> int:
    """Return how many seconds an attempt of a task may take. Raises ConfigError if STEP_TIMEOUT is not a number."""
    text = os.environ.get("STEP_TIMEOUT") or str(TIMEOUT_SECONDS)
    if not text.isdecimal() or int(text) == 0:
        raise ConfigError(f"STEP_TIMEOUT: {text!r} is not a whole number of seconds above 0, such as 60.")
    return int(text)


@contextmanager
def _output_left_as_found() -> Iterator[None]:
    """Restore `print` and the root logger: with two trials at once KFP forgets to, and a notebook stays indented."""
    root, original = logging.getLogger(), builtins.print
    level, handlers = root.level, root.handlers[:]
    try:
        yield
    finally:
        builtins.print = original
        root.setLevel(level)
        root.handlers[:] = handlers
