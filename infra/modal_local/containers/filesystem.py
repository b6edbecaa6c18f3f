"""How a container gets files of its own: three ways, of which the best that works on this machine is chosen."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

BOOT = Path(__file__).with_name("boot.py")
COMMAND = [sys.executable, "-I", "-S", "-u", str(BOOT)]
WAYS = ("mount", "user", "redirect")  # best first: namespaces as root, namespaces as anyone, translated paths


async def best_way() -> str:
    """Try the ways in order and return the first that works here."""
    for way in WAYS[:2]:
        if sys.platform == "linux" and (way == "user" or os.geteuid() == 0) and await _works(way):
            return way
    return "redirect"


async def _works(way: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        (root / "probe").write_text("seen")
        (Path(folder) / "new").mkdir()
        spec = write_spec(Path(folder), way, {"/root": root}, read_only=["/root"], probe=True)
        process = await asyncio.create_subprocess_exec(
            *COMMAND, str(spec), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await process.communicate()
        return process.returncode == 0 and output.strip() == b"seen"


def write_spec(folder: Path, way: str, grafts: Mapping[str, Path], keep: Iterable[str] = (), **more: Any) -> Path:
    """Write the file that tells `boot.py` what to do, and return it; paths in `keep` stay visible below grafts."""
    spec = {
        "paths": way,
        "new_root": str(folder / "new"),
        "grafts": {path: str(source) for path, source in grafts.items()},
        "keep": [sys.base_prefix, sys.prefix, str(BOOT.parent), str(folder), *keep],
        **more,
    }
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    return path


def graft_point(path: PurePosixPath) -> PurePosixPath:
    """Return the folder to graft so that a file can be at `path`: the highest that the machine does not have."""
    if path.is_relative_to("/root"):
        return PurePosixPath("/root")
    for folder in reversed(path.parents):
        if not Path(folder).exists():
            return folder
    return path
