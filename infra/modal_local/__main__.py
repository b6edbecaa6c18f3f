"""`python -m infra.modal_local run -- modal run …`, `… serve` and `… bench`."""

import argparse
import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.modal_local.equipment import inherited
from infra.modal_local.sandbox import WAYS
from infra.modal_local.server import Options, Plane, control_plane

END_SECONDS = 8


def main() -> None:
    """Run the command that was asked for."""
    arguments = _parser().parse_args()
    options = Options(
        state=arguments.state,
        volumes=dict(arguments.volume),
        port=arguments.port,
        containers=arguments.containers,
        passed_on=inherited(arguments.pass_env),
        paths=arguments.paths,
        speed=arguments.speed,
        blob_mib=arguments.blob_mib,
    )
    if arguments.command == "run":
        command = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
        sys.exit(asyncio.run(run(command, options)))
    if arguments.command == "serve":
        sys.exit(asyncio.run(serve(options)))
    from infra.modal_local.bench import measure

    asyncio.run(measure(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.modal_local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "run": "start, run a command against it, end",
        "serve": "start, print the variables for a shell, run until Ctrl-C",
        "bench": "measure boot, warm call and map",
    }.items():
        command = commands.add_parser(name, help=text)
        _add_options(command)
        if name == "run":
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    return parser


def _add_options(command: argparse.ArgumentParser) -> None:
    add, default = command.add_argument, Options()
    add("--state", type=Path, help="a folder that keeps Volumes; default: a temporary one")
    add("--volume", type=_volume, action="append", default=[], metavar="NAME=FOLDER", help="where one Volume is kept")
    add("--port", type=int, default=0, help="default: any free one")
    add("--containers", type=int, default=default.containers, help="how many may work at the same time (%(default)s)")
    add("--pass-env", action="append", default=[], metavar="NAME", help="a variable that containers inherit")
    add("--paths", choices=["auto", *WAYS], default="auto", help="how containers get files of their own")
    add("--blob-mib", type=int, default=default.blob_mib, help="disk for large inputs and outputs (%(default)s)")
    add("--speed", type=float, default=1.0, help="how fast the schedules' clock runs (%(default)s)")


def _volume(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FOLDER")
    return name, Path(folder)


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


if __name__ == "__main__":
    main()
