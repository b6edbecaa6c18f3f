"""Temporary folders. Those that a killed control plane leaves behind are removed by the next one."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = "lock"
BEING_MADE_SECONDS = 10


@contextmanager
def temporary_folder(prefix: str, parent: Path) -> Iterator[Path]:
    """Yield a new private folder, locked as long as its process runs; first remove those of killed processes."""
    for path in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            _remove_abandoned(path)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(path: Path) -> None:
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        return
    with (path / LOCK).open() as lock:
        # A folder gets its lock file a moment before it is locked.
        if time.time() - os.fstat(lock.fileno()).st_mtime > BEING_MADE_SECONDS:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
