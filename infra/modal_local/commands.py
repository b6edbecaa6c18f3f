"""The commands: run one command against a new control plane, or keep a control plane running until Ctrl-C."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.modal_local.control_plane import Options, Plane, control_plane
from infra.modal_local.supervisor import INTERRUPT, KILL, supervised
from infra.processes import STOP_SIGNALS, end_with_parent

END_SECONDS = 8


async def run(command: list[str], options: Options) -> int:
    """Run a command against a new control plane and return its exit status."""
    if not command:
        print("infra.modal_local: run what? For example: run -- modal run my_app.py", file=sys.stderr)
        return 2
    stop = _stop_on_signals()
    async with control_plane(options) as plane:
        print(plane.introduce(), file=sys.stderr, flush=True)
        process = await asyncio.create_subprocess_exec(
            *supervised(command, plane.lifeline, own_session=False),
            env=_environment(os.environ, plane),
            pass_fds=[plane.lifeline],
        )
        return await _wait(process, stop)


async def _wait(process: asyncio.subprocess.Process, stop: "asyncio.Queue[signal.Signals]") -> int:
    """Return a command's exit status. When told to stop, give the command time to stop first."""
    ended = asyncio.ensure_future(process.wait())
    stopped = asyncio.ensure_future(stop.get())
    await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        if not (stopped.result() == signal.SIGINT and _has_terminal()):  # a terminal's Ctrl-C reaches the command too
            process.send_signal(INTERRUPT)
        again = asyncio.ensure_future(stop.get())
        await asyncio.wait([ended, again], timeout=END_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.send_signal(KILL)
    status = await ended
    return status if status >= 0 else 128 - status


async def serve(options: Options) -> int:
    """Run a control plane until Ctrl-C. The first lines on stdout are for a shell's `eval` or `source`."""
    stop = _stop_on_signals()
    async with control_plane(options) as plane:
        print(plane.introduce(), file=sys.stderr, flush=True)
        for name, value in plane.environment().items():
            print(f"export {name}={shlex.quote(value)}")
        print("# ready", flush=True)
        await stop.get()
    return 0


def _environment(environment: Mapping[str, str], plane: Plane) -> dict[str, str]:
    """Return the command's variables: without those of a real account, and with this Python's commands on the PATH."""
    kept = {name: value for name, value in environment.items() if not name.startswith("MODAL_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, **plane.environment(), "PATH": path}


def _stop_on_signals() -> "asyncio.Queue[signal.Signals]":
    """Return a queue of the stop signals that arrive. SIGTERM also arrives when this process's parent is gone.

    Under `nohup`, which ignores SIGHUP, this process outlives its parent.
    """
    received: asyncio.Queue[signal.Signals] = asyncio.Queue()
    stay = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or not stay:
            asyncio.get_running_loop().add_signal_handler(number, received.put_nowait, number)
    if not stay:
        end_with_parent()
    return received


def _has_terminal() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
