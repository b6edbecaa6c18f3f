"""Planned failures."""

from pathlib import Path
from uuid import uuid4

from shared.config import Fault


def fail_once(step: str, store: str) -> Fault:
    """Return a new fault, which makes the first attempt at `step` fail and lets the next one succeed."""
    return Fault(step=step, kind="fail", state=f"{store}/faults/{uuid4().hex}")


def failed_attempts(fault: Fault) -> int:
    """Return how many attempts have failed because of the fault."""
    folder = Path(fault.state)
    return len(list(folder.iterdir())) if folder.exists() else 0
