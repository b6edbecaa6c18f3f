"""Limit what this process, and every process it starts, can do: memory, and (on Linux) which files it sees and changes.

Files are hidden with Landlock, which Linux has since 5.13 and which needs no rights: https://docs.kernel.org/userspace-api/landlock.html
The course's own modules are not imported here: this file also runs where they are not installed.
"""

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on all of Linux's architectures
_PATH_BENEATH, _NO_NEW_PRIVILEGES = 1, 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_SIGNALS = 1 << 1  # to processes outside
FILE_BYTES = 2**30


def landlock_version() -> int:
    """Return the version of Landlock that this system offers, or 0 if it offers none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, 1)))


def limit(memory: int, hidden: Iterable[Path], writable: Iterable[Path]) -> None:
    """Give this process at most `memory` bytes, hide some folders from it, and let it write only into others.

    Where there is no Landlock, only the memory is limited. Raises OSError if the limits cannot be set.
    """
    for kind, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_FSIZE, FILE_BYTES), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError):  # the system's own limit is lower
            resource.setrlimit(kind, (most, most))
    if version := landlock_version():
        _hide(version, [path.resolve() for path in hidden], [path.resolve() for path in writable])


def _hide(version: int, hidden: list[Path], writable: list[Path]) -> None:
    every = (1 << 13) - 1 | (1 << 13 if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    fields = [every, 0, _SIGNALS][: 3 if version >= 6 else 1]
    attributes = struct.pack(f"{len(fields)}Q", *fields)
    ruleset = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    for path in _visible(Path("/"), hidden):
        _allow(ruleset, path, _READ)
    for path in [*writable, Path("/dev")]:
        _allow(ruleset, path, every)
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _visible(folder: Path, hidden: list[Path]) -> Iterator[Path]:
    """Return the highest folders and files that neither are hidden nor contain anything hidden."""
    for path in folder.iterdir():
        if path in hidden or path.is_symlink():
            continue  # what a link leads to has its own place
        if any(one.is_relative_to(path) for one in hidden):
            yield from _visible(path, hidden)
        else:
            yield path


def _allow(ruleset: int, path: Path, access: int) -> None:
    with suppress(OSError):  # it has just been removed, or nobody may open it
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rights = access if path.is_dir() else access & _OF_FILES
            _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, handle), 0)
        finally:
            os.close(handle)


def _call(number: int, *arguments: int | bytes) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = int(library.syscall(ctypes.c_long(number), *values))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
