"""Execute the lessons' solutions into reports/lessons: `python -m notebooks.tools.execute [LESSON …]`.

`--measure` also writes each lesson's running time, in seconds, to `notebooks/tools/measured.json`. It is part of the
minutes that each lesson states.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import papermill

from module4.platforms import REPORTS, WORKSPACE
from notebooks.tools.build import FOLDER, MEASURED, SOLUTIONS, lessons

EXECUTED = REPORTS / "lessons"


class LessonError(Exception):
    """A lesson did not run to its end; the message names the lesson and the cell."""


def keep_home_clean(folder: Path) -> None:
    """Let Jupyter, IPython and matplotlib keep their files in `folder`, not in the home folder."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        os.environ.setdefault(name, str(folder / name.lower()))


def execute(lesson: str, folder: Path, **parameters: str) -> int:
    """Execute a solution into `folder` and return the seconds it took. Raises LessonError, naming the cell."""
    begin = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(SOLUTIONS / f"{lesson}.ipynb"),
            str(folder / f"{lesson}.ipynb"),
            parameters=parameters,
            cwd=str(FOLDER),
            progress_bar=False,
            kernel_name="python3",
        )
    except papermill.PapermillExecutionError as error:
        first = error.source.strip().splitlines()[0] if error.source.strip() else ""
        raise LessonError(
            f"{lesson}, cell {error.cell_index} ({first!r}): {error.ename}: {error.evalue}\n"
            + "\n".join(error.traceback[-6:])
        ) from None
    return round(time.perf_counter() - begin)


def main(words: Sequence[str] | None = None) -> int:
    """Execute the requested lessons, several at a time."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.tools.execute", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", choices=[*lessons(), []], metavar="LESSON", help="default: all")
    parser.add_argument("--folder", type=Path, default=EXECUTED, help="where the executed notebooks go")
    parser.add_argument("--preset", help="default: the lesson's own, tiny")
    parser.add_argument("--store", help="a folder or URI; default: below workspace/")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--measure", action="store_true", help="run one at a time and record the seconds")
    options = parser.parse_args(words)
    keep_home_clean(WORKSPACE / "jupyter")
    parameters = {name: value for name in ("preset", "store") if (value := getattr(options, name))}
    names = options.lessons or lessons()
    failed = 0
    with ThreadPoolExecutor(1 if options.measure else options.workers) as pool:
        futures = {name: pool.submit(execute, name, options.folder, **parameters) for name in names}
        for name, future in futures.items():
            try:
                seconds = future.result()
            except LessonError as error:
                failed += 1
                print(error, file=sys.stderr)
                continue
            print(f"{name}: {seconds} s", flush=True)
            if options.measure:
                _keep(name, seconds)
    return int(failed > 0)


def _keep(lesson: str, seconds: int) -> None:
    measured = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    known = {name: value for name, value in {**measured, lesson: seconds}.items() if name in lessons()}
    MEASURED.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
