"""Shows folders at other paths to Python code on systems without namespaces (macOS, some locked-down Linux).

It replaces `open` and the functions of `os` by versions that translate paths. Other programs, and C code that opens
files itself (a database, a native Parquet reader), do not see the folders.

This file is the `sitecustomize` module of the containers' Python, so all Python processes of a container run it.
"""

import builtins
import errno
import io
import json
import os
from functools import wraps
from typing import Any

READING = [
    *("access", "chdir", "listdir", "lstat", "readlink", "scandir", "stat", "statvfs"),
    *("getxattr", "listxattr"),
]
CHANGING = [
    *("chmod", "chown", "lchown", "mkdir", "mkfifo", "mknod", "remove", "rmdir", "setxattr", "removexattr"),
    *("truncate", "unlink", "utime"),
]
TWO_PATHS = {"link": 1, "rename": 0, "replace": 0, "symlink": 1}  # the index of the first path that changes
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def install(grafts: "dict[str, str]", read_only: "list[str]") -> None:
    """From now on, translate every path below a key of `grafts`, and refuse changes below `read_only` with OSError."""

    def translate(path: Any) -> Any:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return path  # a file descriptor
        text = os.fsdecode(path)
        for target, source in grafts.items():
            if _below(text, target):
                moved = source + text[len(target) :]
                return os.fsencode(moved) if isinstance(path, bytes) else moved
        return path

    # After `chdir` to one of the folders, relative paths resolve to real ones.
    protected = [*read_only, *(translate(path) for path in read_only)]

    def check(path: Any) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            text = os.path.abspath(os.fsdecode(path))
            if any(_below(text, folder) for folder in protected):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    for name in [*READING, *CHANGING]:
        if hasattr(os, name):
            _replace(os, name, 1, translate, check if name in CHANGING else None)
    for name, first in TWO_PATHS.items():
        _replace(os, name, 2, translate, check, first)
    _replace(io, "open", 1, translate, check)
    _replace(os, "open", 1, translate, check)
    builtins.open = io.open


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _opens_for_reading(name: str, module: Any, args: Any, kwargs: Any) -> bool:
    """Whether this is a call of `open` that cannot change the file."""
    if name != "open":
        return False
    if module is os:
        return not ((args[1] if len(args) > 1 else kwargs.get("flags", 0)) & WRITING_FLAGS)
    return not {*"wax+"}.intersection(args[1] if len(args) > 1 else kwargs.get("mode", "r"))


def _replace(module: Any, name: str, paths: int, translate: Any, check: Any = None, first: int = 0) -> None:
    original = getattr(module, name)

    @wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        given = [*args[:paths], *(kwargs[key] for key in ("path", "src", "dst", "file") if key in kwargs)]
        if check and not _opens_for_reading(name, module, args, kwargs):
            for path in given[first:]:
                check(path)
        moved = [translate(value) for value in args[:paths]]
        for key in ("path", "src", "dst", "file"):
            if key in kwargs:
                kwargs[key] = translate(kwargs[key])
        return original(*moved, *args[paths:], **kwargs)

    setattr(module, name, wrapper)
    for supported in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        if original in supported:
            supported.add(wrapper)


if "MODAL_LOCAL_REDIRECTED" in os.environ:
    install(**json.loads(os.environ["MODAL_LOCAL_REDIRECTED"]))
