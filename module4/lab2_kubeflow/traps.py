"""Two traps to fall into here, where it costs nothing: a cached result of old code, and a branch that is not taken.

Both pipelines end in what KFP calls a success.
"""

import os
import shutil
from pathlib import Path

from kfp import dsl

from module4.lab2_kubeflow.components import component
from module4.lab2_kubeflow.lineage import last_run
from module4.lab2_kubeflow.run import RUNS, local_runner
from shared.version import code_version


@component
def compute(code: str) -> int:
    """Return what a package computes. KFP sees this text, but not the package's."""
    import borrowed

    return borrowed.compute()


@dsl.pipeline
def computing(code: str = "") -> int:
    """One cached task."""
    return compute(code=code).output


def stale_cache(folder: Path) -> dict[str, int]:
    """Change a package between runs; return each run's result, with and without the version as a parameter."""
    package = folder / "package"
    package.mkdir(parents=True, exist_ok=True)
    found = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(package), found]))
    results = {}
    for answer in (1, 2):
        (package / "borrowed.py").write_text(f"def compute():\n    return {answer}\n", encoding="utf-8")
        for name, version in (("without version", ""), ("with version", code_version(package))):
            with local_runner(folder):
                results[f"the package returns {answer}, {name}"] = computing(code=version).output
    os.environ["PYTHONPATH"] = found
    return results


@component
def forecast(text: str) -> str:
    """Say something."""
    return text


@component
def warn() -> None:
    """Say that it looks bad."""
    print("Expect delays.")


@dsl.pipeline
def warning(text: str) -> None:
    """Warn unless the forecast is "on time"."""
    said = forecast(text=text)
    with dsl.If(said.output != "on time"):
        warn()


def false_branch(folder: Path) -> dict[str, bool]:
    """Return whether each forecast led to a warning: kfp.local puts the text between quotes and evaluates it."""
    came = {}
    for text in ("on time", "late", "it's late"):
        with local_runner(folder):
            warning(text=text)
        came[text] = (last_run(folder / RUNS) / "warn").exists()
    return came


def show(folder: Path) -> None:
    """Fall into both traps and print the results. `folder` is emptied: an old cache would change what happens."""
    shutil.rmtree(folder, ignore_errors=True)
    results, came = stale_cache(folder), false_branch(folder)  # first: KFP prints a lot while they run
    print("\nA cached component returns what a package returns. The results:")
    for name, number in results.items():
        print(f"  {name}: {number}")
    print("\nA warning, unless the forecast is 'on time'. Did it come?")
    for text, warned in came.items():
        print(f"  {text}: {'yes' if warned else 'no'}")
