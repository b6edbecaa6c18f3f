"""`python -m infra.modal_local run -- modal run …`, `… serve` and `… bench`."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from infra.modal_local.bench import measure
from infra.modal_local.commands import run, serve
from infra.modal_local.containers.filesystem import WAYS
from infra.modal_local.containers.preparation import inherited
from infra.modal_local.control_plane import Options


def main() -> None:
    """Run the command that was asked for."""
    arguments = _parser().parse_args()
    options = Options(
        state=arguments.state,
        volumes=dict(arguments.volume),
        port=arguments.port,
        containers=arguments.containers,
        inherited=inherited(arguments.pass_env),
        paths=arguments.paths,
        speed=arguments.speed,
        blob_mib=arguments.blob_mib,
        calls=arguments.calls,
    )
    if arguments.command == "run":
        command = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
        sys.exit(asyncio.run(run(command, options)))
    if arguments.command == "serve":
        sys.exit(asyncio.run(serve(options)))
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
    add("--calls", type=_new_file, metavar="FILE", help="where to write, at the end, a line of JSON for each call")
    add("--speed", type=float, default=1.0, help="how fast the schedules' clock runs (%(default)s)")


def _volume(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FOLDER")
    return name, Path(folder)


def _new_file(text: str) -> Path:
    path = Path(text).absolute()
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written; name a file in a folder that exists")
    return path


if __name__ == "__main__":
    main()
