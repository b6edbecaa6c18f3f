"""Show folders at other paths to Python code, where the system gives no namespaces (macOS, locked-down Linux).

The functions of `os` and `open` are replaced by ones that translate the paths they are given. So code in C that opens
files itself (a database, a native Parquet reader given a path) and other programs do not see the folders.

This file is the `sitecustomize` of the containers' Python, so other Python processes of a container see them too.
"""

import builtins
import io
import json
import os
from functools import wraps
from typing import Any

ONE_PATH = [
    *("access", "chdir", "chmod", "chown", "lchown", "listdir", "lstat", "mkdir", "open", "readlink", "remove"),
    *("rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime"),
    *("getxattr", "setxattr", "listxattr", "removexattr"),
]
TWO_PATHS = ["link", "rename", "replace", "symlink"]


def install(grafts: "dict[str, str]") -> None:
    """Translate, from now on, every path below a key of `grafts`."""

    def translate(path: Any) -> Any:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return path  # a file descriptor
        text = os.fsdecode(path)
        for target, source in grafts.items():
            if text == target or text.startswith(f"{target}/"):
                moved = source + text[len(target) :]
                return os.fsencode(moved) if isinstance(path, bytes) else moved
        return path

    for name in ONE_PATH:
        if hasattr(os, name):
            _replace(os, name, 1, translate)
    for name in TWO_PATHS:
        _replace(os, name, 2, translate)
    _replace(io, "open", 1, translate)
    builtins.open = io.open


def _replace(module: Any, name: str, paths: int, translate: Any) -> None:
    original = getattr(module, name)

    @wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
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
    install(json.loads(os.environ["MODAL_LOCAL_REDIRECTED"]))
