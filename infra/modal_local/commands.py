"""The commands: run one program against a control plane, or keep one running until Ctrl-C."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.modal_local.control_plane import Options, Plane, control_plane

END_SECONDS = 8


async def run(command: list[str], options: Options) -> int:
    """Run a command against a control plane of its own and return its exit code."""
    if not command:
        print("infra.modal_local: run what? For example: run -- modal run my_app.py", file=sys.stderr)
        return 2
    stop = _signals()
    async with control_plane(options) as plane:
        print(plane.introduce(), file=sys.stderr, flush=True)
        try:
            process = await asyncio.create_subprocess_exec(*command, env=_environment(os.environ, plane))
        except OSError as error:
            print(f"infra.modal_local: {command[0]}: {error.strerror}", file=sys.stderr)
            return 127
        return await _until_end(process, stop)


async def _until_end(process: asyncio.subprocess.Process, stop: asyncio.Event) -> int:
    """Wait for a command; after Ctrl-C give it time to say goodbye."""
    ended = asyncio.ensure_future(process.wait())
    await asyncio.wait([ended, asyncio.ensure_future(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        if not _has_terminal():  # a terminal's Ctrl-C has reached the command already
            process.send_signal(signal.SIGINT)
        await asyncio.wait([ended], timeout=END_SECONDS)
        if not ended.done():
            process.kill()
    code = await ended
    return code if code >= 0 else 128 - code


async def serve(options: Options) -> int:
    """Run a control plane until Ctrl-C; its first lines on stdout are for a shell's `eval` or `source`."""
    stop = _signals()
    async with control_plane(options) as plane:
        print(plane.introduce(), file=sys.stderr, flush=True)
        for name, value in plane.environment().items():
            print(f"export {name}={shlex.quote(value)}")
        print("# ready", flush=True)
        await stop.wait()
    return 0


def _environment(environment: Mapping[str, str], plane: Plane) -> dict[str, str]:
    """Return the variables for a command: without a real account's, and with this Python's commands in reach."""
    kept = {name: value for name, value in environment.items() if not name.startswith("MODAL_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, **plane.environment(), "PATH": path}


def _signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _has_terminal() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
