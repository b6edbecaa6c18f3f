"""Run the pipeline on this machine with kfp.local: a process per task, where a cluster has a pod per task."""

import builtins
import logging
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath

from module4.platforms import ROOT
from shared import steps
from shared.config import PipelineConfig
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint
from shared.storage import is_local


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run the training pipeline below `store` (a local folder) and return the run's fingerprint."""
    from kfp import local

    from module4.lab2_kubeflow.pipeline import training

    folder = local_folder(store)
    # Without use_venv=False KFP would build an environment for every task. Local caching is off unless asked for.
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(folder / "runs"))
    with _tasks_find_this_python(), _output_left_as_found():
        try:
            finished = training(config=config.to_json(), registry=str(folder / "registry"))
        except RuntimeError as error:
            raise PipelineError(explain(error)) from error
    return steps.read_fingerprint(finished.output.path)


def local_folder(store: str) -> Path:
    """Return the store as a path. Raises PipelineError when it is not on this machine."""
    path = UPath(store)
    if not is_local(path):
        raise PipelineError(f"store: kfp.local writes to folders of this machine only, got {store!r}.")
    return Path(path.path).absolute()


def explain(error: RuntimeError) -> str:
    """Return KFP's error without its colours and with the steps' own names: KFP writes hyphens for underscores."""
    text = re.sub(r"\x1b\[\d+m", "", str(error))
    tasks = re.sub(r"-(?=[a-z])", "_", text.partition("Inner task failed:")[2]).strip(" .")
    return f"Kubeflow Pipelines: {tasks} failed; the traceback is in the task's output above." if tasks else text


@contextmanager
def _tasks_find_this_python() -> Iterator[None]:
    """Let tasks find this Python on PATH, and `shared` beside it.

    In a task's command KFP replaces each "python3", even inside of a path, by `sys.executable`, and quotes nothing: a
    checkout in "My Course" could not run. Replaced by itself it does no harm.
    """
    for name, first in (("PATH", sysconfig.get_path("scripts")), ("PYTHONPATH", str(ROOT))):
        os.environ[name] = os.pathsep.join(filter(None, [first, os.environ.get(name)]))
    executable, sys.executable = sys.executable, "python3"
    try:
        yield
    finally:
        sys.executable = executable


@contextmanager
def _output_left_as_found() -> Iterator[None]:
    """Put `print` and the root logger back: with two trials at once KFP forgets to, and a notebook stays indented."""
    root, original = logging.getLogger(), builtins.print
    level, handlers = root.level, root.handlers[:]
    try:
        yield
    finally:
        builtins.print = original
        root.setLevel(level)
        root.handlers[:] = handlers
