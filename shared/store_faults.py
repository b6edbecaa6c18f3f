"""Planned failures of a store: they strike where an artifact's files are written, and look like real ones.

`shared.faults` plans one as a step starts, and `shared.storage` lets it strike as that step's artifact is written.
"""

import errno
import os
import signal
from contextvars import ContextVar
from pathlib import Path
from uuid import uuid4

from shared import s3
from shared.config import FaultKind
from shared.places import Place

_planned: ContextVar[FaultKind | None] = ContextVar("planned", default=None)


def plan(kind: FaultKind | None) -> None:
    """Let the next artifact that this thread writes fail; None takes the plan back."""
    _planned.set(kind)


def strike(folder: Path, place: Place) -> None:
    """Do what is planned, once, to an artifact on its way to `place`; its files so far are in `folder`.

    Raises the OSError of a store that refuses, or of a full disk; or kills this process in the middle of the writing.
    """
    kind = _planned.get()
    _planned.set(None)
    if kind == "refuse" and not isinstance(place, Path):
        raise s3.refusal()
    if kind == "refuse":
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if kind == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if kind == "half":
        _leave_half(folder, place)
        os.kill(os.getpid(), signal.SIGKILL)


def _leave_half(folder: Path, place: Place) -> None:
    """Cut a file short on its disk. A bucket has no half objects: there, a whole one is left without a manifest."""
    file = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    if isinstance(place, Path):
        os.truncate(file, file.stat().st_size // 2)
    else:
        s3.write(place / uuid4().hex / file.name, file.read_bytes())
