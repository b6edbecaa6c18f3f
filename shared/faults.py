"""Planned failures: one switch for every platform, in the configuration (`fault`), off by default.

A fault takes effect inside the step's function, after the step has reported its start and before it reads or writes
anything; a fault of the store, as the step's artifact is written. Attempts are counted in files, because a killed
process remembers nothing.
"""

import os
import signal
import time
from typing import Any, get_args
from uuid import uuid4

from shared import store_faults
from shared.config import STORE_FAULTS, Fault, FaultKind, PipelineConfig
from shared.errors import ConfigError, InjectedFault
from shared.storage import create_mark

HANG_SECONDS = 3600
FORM = f"STEP:KIND[:TIMES], e.g. train:fail:2; KIND is one of {', '.join(get_args(FaultKind))}."


def parse_fault(text: str, store: str) -> dict[str, Any]:
    """Parse STEP:KIND or STEP:KIND:TIMES, as typed; each call returns a new folder to count attempts in."""
    step, kind, times = [*text.split(":"), "1"][:3] if text.count(":") in (1, 2) else ("", "", "")
    if not times.isdecimal():
        raise ConfigError(f"break: {text!r} is not of the form STEP:KIND or STEP:KIND:TIMES, such as train:fail:2.")
    return {"step": step, "kind": kind, "times": int(times), "state": f"{store}/faults/{uuid4().hex[:12]}"}


def inject_fault(config: PipelineConfig, step: str) -> None:
    """Fail, hang, kill this process, or let its store fail, if the configuration breaks this attempt at `step` so.

    Raises InjectedFault for the kind "fail". Parallel tasks of one step share a count.
    """
    fault = config.fault
    store_faults.plan(None)  # an earlier step may have ended before it wrote anything
    if fault is None or fault.step != step:
        return
    attempt = _next_attempt(fault)
    if attempt > fault.times:
        return
    if fault.kind in STORE_FAULTS:
        store_faults.plan(fault.kind)
        return
    if fault.kind == "hang":
        time.sleep(HANG_SECONDS)
    if fault.kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise InjectedFault(f"{step}: broken on purpose, attempt {attempt} of {fault.times} that the configuration breaks.")


def _next_attempt(fault: Fault) -> int:
    """Return this attempt's number, from 1 to `times` + 1; two processes never get the same one."""
    for attempt in range(1, fault.times + 1):
        if create_mark(f"{fault.state}/{fault.step}-{attempt}"):
            return attempt
    return fault.times + 1
