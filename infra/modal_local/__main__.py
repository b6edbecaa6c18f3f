"""Run Modal's command on this machine, without an account."""

import argparse
import asyncio
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

from grpclib.exceptions import GRPCError

from infra.modal_local.bench import measure
from infra.modal_local.commands import run, serve
from infra.modal_local.containers.filesystem import WAYS
from infra.modal_local.containers.preparation import inherited
from infra.modal_local.control_plane import Options
from infra.modal_local.errors import explain
from infra.modal_local.names import check_name


def main() -> None:
    """Run the command that was asked for."""
    parser = _parser()
    arguments = parser.parse_args()
    volumes = dict(arguments.volume)
    if len(volumes) < len(arguments.volume):
        parser.error("argument --volume: each Volume can be in one folder only")
    options = Options(
        state=arguments.state,
        volumes=volumes,
        port=arguments.port,
        containers=arguments.containers,
        inherited=inherited(arguments.pass_env),
        paths=arguments.paths,
        speed=arguments.speed,
        blob_mib=arguments.blob_mib,
        calls=arguments.calls,
    )
    commands = {"serve": serve, "bench": measure}
    try:
        if arguments.command == "run":
            command = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
            sys.exit(asyncio.run(run(command, options)))
        sys.exit(asyncio.run(commands[arguments.command](options)))
    except OSError as error:
        sys.exit(f"infra.modal_local: {explain(error)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.modal_local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "run": "start a control plane, run a command against it, stop",
        "serve": "start a control plane, print the variables for another shell, run until Ctrl-C",
        "bench": "measure how long a container, a call and a map take",
    }.items():
        command = commands.add_parser(name, help=text)
        _add_options(command)
        if name == "run":
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    return parser


def _add_options(command: argparse.ArgumentParser) -> None:
    add, default = command.add_argument, Options()
    add("--state", type=_folder, metavar="FOLDER", help="keep Volumes in this folder; default: a temporary one")
    add("--volume", type=_volume, action="append", default=[], metavar="NAME=FOLDER", help="keep one Volume there")
    add("--port", type=_number(int, 0, 65535), default=0, help="default: any free one")
    add(
        "--containers",
        type=_number(int, 1),
        default=default.containers,
        help="how many may run at the same time (%(default)s)",
    )
    add("--pass-env", action="append", default=[], metavar="NAME", help="a variable that containers inherit")
    add("--paths", choices=["auto", *WAYS], default="auto", help="how containers get files of their own")
    add(
        "--blob-mib",
        type=_number(int, 1),
        default=default.blob_mib,
        help="disk space for large inputs and outputs, in MiB (%(default)s)",
    )
    add("--calls", type=_new_file, metavar="FILE", help="where to write, at the end, a line of JSON for each call")
    add("--speed", type=_number(float, 0.001), default=1.0, help="how fast the schedules' clock runs (%(default)s)")


def _number(kind: type, least: float, most: float = math.inf) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value: float = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most or math.isinf(value):
            limits = f"from {least:g} to {most:g}" if most < math.inf else f"of at least {least:g}"
            raise argparse.ArgumentTypeError(f"{text!r} is not a number {limits}")
        return value

    return parse


def _folder(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    existing = next(one for one in (path, *path.parents) if one.exists())
    if not text or not existing.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder{f': {existing} is a file' if text else ''}")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{text!r}: nothing can be written in {existing}")
    return path


def _volume(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FOLDER")
    try:
        return check_name("Volume", name), _folder(folder)
    except GRPCError as error:
        raise argparse.ArgumentTypeError(str(error.message)) from None


def _new_file(text: str) -> Path:
    path = Path(text).absolute()
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written; name a file in a folder that exists")
    return path


if __name__ == "__main__":
    main()
