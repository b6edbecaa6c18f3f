"""Lessons executed once per test session, whichever worker needs them first."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from module4.platforms import ROOT


class Executed(NamedTuple):
    """An executed lesson: where its notebook, its store, and the home folder are that it was given."""

    notebook: Path
    store: Path
    home: Path


def execute_once(lesson: str, factory: pytest.TempPathFactory) -> Executed:
    """Execute a solution with papermill, at preset tiny, or return what another test has executed already."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "lessons"
    shared.mkdir(exist_ok=True)
    done = Executed(shared / f"{lesson}.ipynb", shared / f"{lesson}-store", shared / f"{lesson}-home")
    with (shared / f"{lesson}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failure = shared / f"{lesson}.failed"
        if failure.exists():
            pytest.fail(failure.read_text())
        if not done.notebook.exists():
            done.home.mkdir(exist_ok=True)
            result = run_lesson(lesson, shared / f"{lesson}-new", done.store, done.home)
            if result.returncode:
                failure.write_text(result.stderr)
                pytest.fail(result.stderr)
            (shared / f"{lesson}-new" / done.notebook.name).rename(done.notebook)
    return done


def run_lesson(lesson: str, folder: Path, store: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Execute a lesson as `make lessons` does, with another home folder."""
    words = [sys.executable, "-m", "notebooks.tools.execute", lesson, "--folder", str(folder)]
    return subprocess.run(
        [*words, "--preset", "tiny", "--store", str(store)],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
