"""Folders and files on a disk: each appears whole, under its name, in one step.

What is being written is prepared in `.partial/` beside its place. Its writer holds a lock of the operating system on
it; the lock ends with the process, so the next writer can tell what dead processes left behind, and removes only that.
"""

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout, lock_descriptor

PARTIAL = ".partial"
ATTEMPTS = 100  # against writers of the same place that are faster; each attempt lost is another one's success
SWEPT_AT_ONCE = 100  # so that a writer never pays for all that hundreds of dead ones left
LOCK_SECONDS = 60


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """Yield a new folder below `parent`, on the same disk; it is removed at the end, with what dead writers left."""
    parent.mkdir(parents=True, exist_ok=True)
    root = parent / PARTIAL
    claimed, descriptor = _claim(root)
    try:
        folder = claimed / "content"
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(claimed, ignore_errors=True)
        os.close(descriptor)
        _sweep(root)
        with suppress(OSError):  # others are still writing
            root.rmdir()


def publish(folder: Path, place: Path) -> None:
    """Give a folder made by `staging` its name; a folder that has the name is replaced in the same moment.

    Of several writers at once the last one wins. Where the disk cannot swap two folders, readers may find none for the
    blink of an eye, and the next writer puts back what a writer killed in that moment had moved away.
    """
    for attempt in range(ATTEMPTS):
        try:
            folder.rename(place)  # also takes the place of an empty folder
            return
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        try:
            if _swap(folder, place):
                return
            replaced = folder.parent / f"replaced-{attempt}"
            replaced.mkdir()
            place.rename(replaced / place.name)
        except FileNotFoundError:  # another writer moved it away
            continue
    raise TimeoutError(errno.ETIMEDOUT, "other processes keep replacing it")


@contextmanager
def locked(
    path: Path, seconds: float | None = None, before_waiting: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold the lock of a file or folder that one process at a time may change.

    If another process holds it, call `before_waiting` once, then wait. Raises TimeoutError when others hold it for
    `seconds` (default: a minute).
    """
    seconds = LOCK_SECONDS if seconds is None else seconds
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"), seconds, poll_interval=0.01, fallback_to_soft=False)
    try:
        try:
            lock.acquire(0)
        except Timeout:
            if before_waiting:
                before_waiting()
            lock.acquire()
    except Timeout:
        raise TimeoutError(errno.ETIMEDOUT, f"another process has held its lock for {seconds} s") from None
    try:
        yield
    finally:
        lock.release()


class FolderReader:
    """Reads the files of one folder, even while another folder takes its name."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self) -> "FolderReader":
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._descriptor)

    def read(self, name: str) -> bytes:
        """Return the content of a file in the folder."""
        with open(name, "rb", opener=lambda path, flags: os.open(path, flags, dir_fd=self._descriptor)) as file:
            return file.read()

    def was_replaced(self) -> bool:
        """Whether another folder has the name by now, so that files of this one may be gone."""
        try:
            return not os.path.samestat(os.stat(self._place), os.fstat(self._descriptor))
        except FileNotFoundError:
            return True


def _claim(root: Path) -> tuple[Path, int]:
    """Make a folder and lock it; another name is tried when a sweeping process was faster than the lock."""
    for _ in range(ATTEMPTS):
        folder = root / uuid4().hex
        with suppress(FileNotFoundError):
            folder.mkdir(parents=True)
            descriptor = os.open(folder, os.O_RDONLY)
            if _lock(descriptor) is not False and folder.exists():
                return folder, descriptor
            os.close(descriptor)
    raise TimeoutError(errno.ETIMEDOUT, "its folder is removed again and again")


def _sweep(root: Path) -> None:
    """Remove what dead writers left."""
    with suppress(OSError), os.scandir(root) as entries:
        for entry in islice(entries, SWEPT_AT_ONCE):
            with suppress(OSError):
                descriptor = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY)
                if _lock(descriptor):
                    _put_back(Path(entry.path))
                    shutil.rmtree(entry.path, ignore_errors=True)
                os.close(descriptor)


def _put_back(claimed: Path) -> None:
    for replaced in claimed.glob("replaced-*/*"):
        with suppress(OSError):  # its name is in use again
            replaced.rename(claimed.parents[1] / replaced.name)


def _lock(descriptor: int) -> bool | None:
    """Return whether the lock was free and is now ours; None where the disk has no locks, as some network shares."""
    try:
        return lock_descriptor(descriptor, blocking=False)
    except OSError:
        return None


def _swap(first: Path, second: Path) -> bool:
    """Exchange the names of two folders in one step; return False where that is not possible.

    Python has no function for it. Linux and macOS have, under two names.
    """
    name, here = ("renameatx_np", -2) if sys.platform == "darwin" else ("renameat2", -100)
    exchange = 2  # RENAME_SWAP there, RENAME_EXCHANGE here
    rename = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if rename is None:
        return False
    if rename(here, os.fsencode(first), here, os.fsencode(second), ctypes.c_uint(exchange)) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(second))
