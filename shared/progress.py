"""Report which step runs and how long it takes, to the log and to a file that `module4` watches; break it if asked."""

import json
import logging
import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from shared import faults
from shared.config import PipelineConfig

logger = logging.getLogger("shared")

EVENTS_FILE = "PIPELINE_EVENTS"  # environment variable: a file for one JSON line per start or end of a step

P = ParamSpec("P")
R = TypeVar("R")


def logged_step(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a step's function: report its start, its end or failure, and its wall time in seconds.

    If one of the arguments is a configuration with a fault for this step, the fault is injected.
    """
    step = function.__name__

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        begin = time.perf_counter()
        _emit(step, "started")
        try:
            for argument in (*args, *kwargs.values()):
                if isinstance(argument, PipelineConfig):
                    faults.inject_fault(argument, step)
            result = function(*args, **kwargs)
        except BaseException as error:
            _emit(step, "failed", seconds=time.perf_counter() - begin, error=f"{type(error).__name__}: {error}")
            raise
        _emit(step, "finished", seconds=time.perf_counter() - begin)
        return result

    return wrapper


def _emit(step: str, state: str, **details: Any) -> None:
    seconds = f" after {details['seconds']:.2f} s" if "seconds" in details else ""
    logger.info("%s %s%s", step, state, seconds)
    if path := os.environ.get(EVENTS_FILE):
        event = {"step": step, "state": state, "time": time.time(), "pid": os.getpid(), **details}
        # One short write in append mode, so that lines from parallel processes do not mix.
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
