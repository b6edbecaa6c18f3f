"""What a change of each lab costs: a new step, a schedule, a test of one step, and a mistake in the wiring.

A change is a diff in `changes/`, which is applied to a copy of the checkout; then the copy is used.
"""

import ast
import difflib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from module4.benchmark.parts.code import LABS, code_line_numbers, code_lines
from module4.benchmark.parts.rerun import copy_checkout
from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.measure import describe_failed_step, measured_process, measured_run
from module4.platforms import PLATFORMS, ROOT
from shared.config import preset

CHANGES = Path(__file__).parents[1] / "changes"
NEW_STEP = "describe_features"  # what step.patch adds behind `preprocess`
LIMIT = 300.0  # seconds for one command or run
ERROR_LENGTH = 160

# What makes a lab start its training by the clock: a file, and the names of functions, arguments or variables in it.
# Modal's clock starts the monitoring, which starts the training when it is needed.
SCHEDULES: dict[str, dict[str, tuple[str, ...]]] = {
    "airflow": {"training.py": ("schedule", "catchup")},
    "kubeflow": {"submit.py": ("schedule",)},
    "dagster": {"automation.py": ("weekly_training", "SCHEDULES"), "definitions.py": ("schedules",)},
    "modal": {"monitoring.py": ("every_week",)},
}

_AIRFLOW = (
    "import sys; from module4.lab1_airflow.environment import configure_airflow; configure_airflow(sys.argv[1]); "
    "from module4.lab1_airflow import environment; "
)
# What each platform checks before anything runs, in order. The argument is an empty folder.
BEFORE_RUN: dict[str, dict[str, str]] = {
    "make": {
        "compile": "import os, sys; from module4.lab0_make.run import make; "
        "sys.exit(make(sys.argv[1], ['make', '-n', 'deploy'], {**os.environ, 'PIPELINE_CONFIG': 'tiny'}))"
    },
    "airflow": {
        "import": _AIRFLOW + "import module4.lab1_airflow.training",
        "compile": _AIRFLOW + "from airflow.dag_processing.dagbag import DagBag; "
        "bag = DagBag(environment.LAB / 'training.py'); sys.exit('\\n'.join(bag.import_errors.values()) or 0)",
    },
    "kubeflow": {
        "import": "import module4.lab2_kubeflow.pipelines",
        "compile": "import sys, pathlib; from module4.lab2_kubeflow.compile import compile_all; "
        "compile_all(pathlib.Path(sys.argv[1], 'compiled'))",
    },
    "dagster": {
        "import": "import module4.lab3_dagster.assets",
        "compile": "import dagster; from module4.lab3_dagster.definitions import defs; "
        "dagster.Definitions.validate_loadable(defs)",
    },
    "modal": {"import": "import module4.lab4_modal.training"},
}


def cases(plan: Plan) -> list[Case]:
    """Return a case per lab."""
    return [Case(name, partial(measure, name)) for name in (("make", "dagster") if plan.quick else LABS)]


def measure(platform: str, place: Place) -> Values:
    """Make each change of a lab; what could not be measured is None, or False if it should have worked."""
    return {
        **measure_step(platform, place),
        "schedule_lines": schedule_lines(platform),
        **measure_test(platform, place),
        **measure_mistake(platform, place),
    }


def measure_step(platform: str, place: Place) -> Values:
    """Add a step to the lab, and run the pipeline: it must run the step and make the same model as without it."""
    lab = LABS[platform]
    checkout = copy_checkout(place.folder / "step")
    if not (apply_patch("shared", checkout) and apply_patch(f"{platform}-step", checkout)):
        return {"step_lines": None, "step_works": False}
    plain = measured_run("python", preset("tiny"), str(place.folder / "plain"), place.log, limit=LIMIT)
    run = measured_run(platform, preset("tiny"), str(place.folder / "stepped"), place.log, folder=checkout, limit=LIMIT)
    finished = {event["step"] for event in run.events if event["state"] == "finished"}
    works = run.succeeded and NEW_STEP in finished and run.fingerprint == plain.fingerprint
    return {"step_lines": changed_lines(ROOT / "module4" / lab, checkout / "module4" / lab), "step_works": works}


def apply_patch(name: str, checkout: Path) -> bool:
    """Apply the diff `name` to a copy of the checkout; return whether it could be."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    # In a folder of a repository Git would look for the files in the repository.
    environment["GIT_CEILING_DIRECTORIES"] = str(checkout.resolve().parent)
    if not shutil.which("git"):
        return False
    command = ["git", "apply", str(CHANGES / f"{name}.patch")]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True).returncode == 0


def changed_lines(before: Path, after: Path) -> int:
    """Return how many lines of code were added or removed between two versions of a lab's folder."""
    changed = 0
    for path in sorted(before.rglob("*")):
        if path.suffix == ".py" or path.stem == "Makefile":
            old, new = code_lines(path), code_lines(after / path.relative_to(before))
            changed += sum(line.startswith(("+ ", "- ")) for line in difflib.ndiff(old, new))
    return changed


def schedule_lines(platform: str) -> int | None:
    """Return how many lines of code the lab's schedule takes, or None if there is nothing that could keep one."""
    if platform not in SCHEDULES:
        return None
    files = SCHEDULES[platform].items()
    return sum(
        len(named_lines(ROOT / "module4" / LABS[platform] / file, name)) for file, names in files for name in names
    )


def named_lines(path: Path, name: str) -> set[int]:
    """Return the numbers of the lines that hold the code of a function, keyword argument or variable."""
    spans = [range(first, last + 1) for first, last in _spans(ast.parse(path.read_text(encoding="utf-8")), name)]
    return code_line_numbers(path) & {number for span in spans for number in span}


def _spans(tree: ast.Module, name: str) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        elif (isinstance(node, ast.keyword) and node.arg == name) or (
            isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in node.targets)
        ):
            first = node.lineno
        else:
            continue
        yield first, node.end_lineno or node.lineno


def measure_test(platform: str, place: Place) -> Values:
    """Run the unit test of one step in a new process, with nothing that belongs to this project's other tests."""
    path = CHANGES / "tests_of_a_step" / f"test_{platform}.py"
    options = ["-q", "-c", os.devnull, "--noconftest", "-p", "no:cacheprovider", f"--rootdir={place.folder}"]
    command = [sys.executable, "-m", "pytest", *options, f"--basetemp={place.folder / 'pytest'}", str(path)]
    plain = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    measured = measured_process(command, place.log, environment=plain, limit=LIMIT)
    passed = measured.status == 0
    return {"test_lines": len(code_lines(path)), "test_seconds": round(measured.seconds, 2) if passed else None}


def measure_mistake(platform: str, place: Place, run: bool = True) -> Values:
    """Let `evaluate` ask for an output that `train` does not have; return what notices it, when, and with what words.

    With `run` false, the pipeline is not run when nothing noticed it before.
    """
    checkout = copy_checkout(place.folder / "mistake")
    if not apply_patch(f"{platform}-mistake", checkout):
        return noticed(None, None, "the change does not fit the lab")
    for stage, code in BEFORE_RUN[platform].items():
        folder = place.folder / f"mistake-{stage}"
        folder.mkdir()
        command = [sys.executable, "-c", code, str(folder)]
        checked = measured_process(command, place.log, folder=checkout, limit=LIMIT)
        if checked.status:
            return noticed(stage, checked.seconds, _text(place))
    if not run:
        return noticed(None, None, "")
    store = str(place.folder / "mistaken")
    made = measured_run(platform, preset("tiny"), store, place.log, folder=checkout, limit=LIMIT)
    if made.succeeded:
        return noticed(None, None, "")
    return noticed("run", made.seconds, describe_failed_step(made.events) or _text(place))


def noticed(stage: str | None, seconds: float | None, output: str) -> Values:
    """Return the values of a mistake."""
    return {
        "mistake_noticed": stage,
        "mistake_seconds": seconds and round(seconds, 2),
        "mistake_error": error_line(output),
    }


def error_line(output: str) -> str:
    """Return the last line that says what is wrong, or the last line at all, shortened."""
    lines = [re.sub(r"\x1b\[[0-9;]*m|[`|]", "", line).strip(" │\t") for line in output.splitlines()]
    lines = [line for line in lines if line]
    # The last sentence of a failed run is this course's own: it names the run, and not the reason.
    said = [
        line for line in lines if re.search(r"\w(Error|Found)\b.*: |: \*\*\* ", line) and "PipelineError" not in line
    ]
    text = re.sub(r"^(\w+\.)+(?=\w+: )", "", [*lines, *said][-1] if lines else "")  # without an error's package
    return text if len(text) <= ERROR_LENGTH else f"{text[: ERROR_LENGTH - 1]}…"


def _text(place: Place) -> str:
    return place.log.read_text(encoding="utf-8", errors="replace")


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per lab; an error is shown as code."""
    return [
        {
            "platform": platform,
            "title": PLATFORMS[platform].title,
            **runs[0],
            "mistake_error": f"`{error}`" if (error := runs[0]["mistake_error"]) else None,
        }
        for platform, runs in measurements.items()
    ]


PART = Part("Changing it", cases, rows)
