"""Files that belong to one run: a folder that no other run empties, and a log that no other run writes."""

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from shared.errors import ConfigError

LOGS_KEPT = 10  # of each name
LOCK = ".lock"  # held until the folder's run has ended, however it ends


@contextmanager
def own_folder(parent: Path) -> Iterator[Path]:
    """Make a folder below `parent` for one run; `parent/latest` links to the newest one.

    It stays after the run, so that you can look at it, until another run begins. Folders of runs that are still alive
    are left alone. Raises ConfigError if nothing can be written there.
    """
    make_folder(parent)
    _remove_dead(parent)
    folder = parent / _unique_name()
    folder.mkdir()
    with (folder / LOCK).open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _link(parent / "latest", folder.name)
        yield folder


def new_log(folder: Path, name: str) -> Path:
    """Return a new, empty file for one run's output; `folder/name.log` links to the newest one.

    Raises ConfigError if nothing can be written there.
    """
    make_folder(folder)
    older = sorted(folder.glob(f"{name}-[0-9]*.log"))
    for log in older[: max(0, len(older) - LOGS_KEPT + 1)]:
        log.unlink(missing_ok=True)
    log = folder / f"{name}-{_unique_name()}.log"
    log.touch()
    _link(folder / f"{name}.log", log.name)
    return log


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold a folder's lock. If another process holds it, print that once and wait.

    Children that inherit file descriptors hold it too, so it is released only when the last of them has ended.
    """
    with (folder / LOCK).open("w", encoding="utf-8") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"Another run is using {folder}. Waiting for it to end; press Ctrl-C to stop waiting.", file=sys.stderr
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


_ADVICE = {
    "workspace": "Choose a folder that you may write to: export PIPELINE_WORKSPACE=$HOME/pipeline",
    "store": "Choose a folder that you may write to.",
}


def make_folder(folder: Path, what: Literal["workspace", "store"] = "workspace") -> None:
    """Make a folder below the workspace or a store. Raises ConfigError, with advice, if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise ConfigError(f"{what}: {folder} cannot be written ({error.strerror}). {_ADVICE[what]}") from None


def _remove_dead(parent: Path) -> None:
    for folder in parent.glob("[0-9]*"):
        with suppress(OSError), (folder / LOCK).open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its run is alive
            shutil.rmtree(folder, ignore_errors=True)


def _unique_name() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**9:09d}-{os.getpid()}"


def _link(link: Path, target: str) -> None:
    temporary = link.with_name(f".{link.name}-{os.getpid()}")
    with suppress(OSError):  # a convenience; some file systems have no links
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(link)
