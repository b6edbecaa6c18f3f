"""Fill the folder where students work, and open JupyterLab there: `python -m notebooks.tools.lab`, or `make lab`.

The folder is `student/`, which git ignores. It is laid out like the repository, so that the links between pages work:
the lessons are copies, and everything else that they lead to is linked. What a student has written is never touched. If
a lesson was updated, the new version replaces the copy only if nobody has changed that; otherwise it comes beside it.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

from module4.platforms import ROOT, WORKSPACE
from module4.ports import check_port
from notebooks.course.progress import STUDENT
from notebooks.tools.build import FOLDER, is_edited, lessons
from shared.errors import ConfigError

LINKED = (
    "module4/lab*",
    "module4/CHOOSING.md",
    "tests/browser/test_*.py",
    "tests/infra/test_modal_local.py",
    "tests/labs/test_*.py",
    "tests/unit/test_benchmark.py",
    "module4/images",
    "notebooks/GLOSSARY.md",
    "infra/*.md",
    "infra/modal_local/README.md",
    "notebooks/course/*.py",
    "notebooks/course/draft_platform/*",
)


class RoomError(Exception):
    """The student's folder cannot be filled; the message says why, and what to do."""


def fill(student: Path) -> list[str]:
    """Bring what is missing or new into the student's folder and say what, a sentence each. Raises RoomError."""
    try:
        return [*_copy_lessons(student / "notebooks"), *_link(student)]
    except OSError as error:
        raise RoomError(
            f"{error.filename or student}: {error.strerror}. Make it writable, or choose another place: "
            "export PIPELINE_WORKSPACE=$HOME/pipeline"
        ) from None


def _copy_lessons(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for lesson in lessons():
        text = (FOLDER / f"{lesson}.ipynb").read_text(encoding="utf-8")
        place = folder / f"{lesson}.ipynb"
        if not os.path.lexists(place):
            _write(place, text)
            yield f"{place.name}: new"
            continue
        mine = _read(place)
        if _digest(mine) == _digest(text):
            continue
        if not is_edited(mine):
            _write(place, text)
            yield f"{place.name}: updated; you had not changed it"
            continue
        yield from _bring_beside(place, text)


def _bring_beside(place: Path, text: str) -> Iterator[str]:
    """Write a lesson beside the student's, under the first name that is free or holds an older, unchanged update."""
    number = 1
    while True:
        beside = place.with_suffix(f".new{number if number > 1 else ''}.ipynb")
        old = _read(beside) if os.path.lexists(beside) else None
        if old is not None and _digest(old) == _digest(text):
            return
        if old is None or not is_edited(old):
            break
        number += 1
    _write(beside, text)
    yield (
        f"{place.name}: the lesson was updated. Yours is as you left it; the new version is beside it: {beside.name}. "
        f"To move to it, copy your answers there, and give it the name {place.name}."
    )


def _digest(text: str) -> str:
    """Return the digest of the version that a notebook came from: it survives the student's changes."""
    try:
        return str(json.loads(text)["metadata"]["course"]["digest"])
    except (ValueError, KeyError, TypeError):
        return ""


def _read(path: Path) -> str:
    """Return a student's file, whatever it holds; a folder or what cannot be read is the student's, and is not ours."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _link(student: Path) -> Iterator[str]:
    """Link the pages, pictures and code that lessons and labs lead to."""
    for pattern in LINKED:
        for path in sorted(ROOT.glob(pattern)):
            place = student / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            target = os.path.relpath(path, place.parent.resolve())
            if place.is_symlink() and os.readlink(place) != target:
                place.unlink()  # the checkout or the folder was moved
            if not os.path.lexists(place):
                place.symlink_to(target)
            elif not place.is_symlink():
                yield f"{place.relative_to(student)}: yours; the course's is {path}"


def jupyterlab(student: Path, port: int, base_url: str = "") -> list[str]:
    """Return the command that opens JupyterLab in the student's folder, on this machine only.

    Behind a proxy, such as JupyterHub's, every path starts with `base_url`, requests name the proxy's host, and this
    machine has no browser.
    """
    command = [sys.executable, "-m", "jupyterlab", "--ip", "127.0.0.1", f"--port={port}"]
    command += [f"--ServerApp.root_dir={student}", f"--ServerApp.preferred_dir={student / 'notebooks'}"]
    command += ["--LanguageServerManager.autodetect=False", "--LabApp.extension_manager=readonly"]
    command += ["--allow-root"] if os.getuid() == 0 else []
    if base_url:
        base_url = f"/{base_url.strip('/')}/"
        command += [f"--ServerApp.base_url={base_url}", "--ServerApp.allow_remote_access=True", "--no-browser"]
        command += ["--ServerApp.port_retries=0"]  # the proxy sends requests to this port, and to no other
    return command


def hub_url(port: int) -> str:
    """Return the path at which JupyterHub shows a port of this machine; empty if this is not JupyterHub."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return f"{prefix.rstrip('/')}/proxy/absolute/{port}/" if prefix else ""


def environment() -> dict[str, str]:
    """Return the variables for JupyterLab: it keeps its files in the workspace, and kernels find the course's code."""
    jupyter = WORKSPACE / "jupyter"
    places = {f"JUPYTER_{name}_DIR": str(jupyter / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"IPYTHONDIR": str(jupyter / "ipython"), "JUPYTER_CONFIG_PATH": str(FOLDER / "lab")}
    return {**os.environ, **places, "PYTHONPATH": str(ROOT)}


def main(words: Sequence[str] | None = None) -> int:
    """Fill the folder, say what changed, and become JupyterLab."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.tools.lab", description=__doc__.splitlines()[0])
    parser.add_argument("--fill-only", action="store_true", help="do not open JupyterLab")
    parser.add_argument("--port", type=int, default=8888)
    parser.add_argument("--base-url", default="", help="behind a proxy: the path at which it shows JupyterLab")
    options = parser.parse_args(words)
    try:
        for sentence in fill(STUDENT):
            print(sentence, flush=True)
        if options.fill_only:
            return 0
        base_url = options.base_url or hub_url(options.port)
        if base_url and not re.fullmatch(r"/[\w./%@~+-]*", base_url):
            raise RoomError(f"BASE_URL: {base_url!r} is not a path. Write one, such as /user/me/proxy/absolute/8888/")
        if base_url:
            check_port(options.port, "lab")
            print(f"Open https://YOUR-HUB/{base_url.strip('/')}/lab in your browser.", flush=True)
    except (RoomError, ConfigError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    command = jupyterlab(STUDENT, options.port, base_url)
    os.execve(command[0], command, environment())


if __name__ == "__main__":
    sys.exit(main())
