"""The Modal lab without an account: the functions' settings, read through Modal's API, and what the commands say."""

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import modal
import pytest

from module4.lab4_modal import training
from module4.measure import measured_run
from module4.platforms import ROOT
from shared import pipeline, steps
from shared.config import PipelineConfig, preset
from shared.graph import SEARCH, TRAINING

LAB = ROOT / "module4" / "lab4_modal"
FUNCTIONS = {name: value for name, value in vars(training).items() if isinstance(value, modal.Function)}
MODAL_RUN = ["-m", "modal", "run", "-m", "module4.lab4_modal.training"]


@pytest.fixture
def no_account(tmp_path: Path) -> dict[str, str]:
    """An environment in which Modal finds no token."""
    (tmp_path / "modal.toml").touch()
    return {"MODAL_CONFIG_PATH": str(tmp_path / "modal.toml"), "MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}


def test_the_functions_are_the_steps() -> None:
    assert set(FUNCTIONS) == {*TRAINING.names, *SEARCH.names, "pipeline"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_limit_and_the_volume_and_no_gpu(name: str) -> None:
    info = FUNCTIONS[name].info()
    assert 300 <= info.timeout <= 3600
    assert {path: volume.name for path, volume in info.volumes.items()} == {"/store": "training-store"}
    assert info.gpus == []


def test_what_can_fail_is_tried_again() -> None:
    tries = {name: function.info().max_retries for name, function in FUNCTIONS.items()}
    assert {name for name, retries in tries.items() if not retries} == {
        "propose_trials",
        "hyperparameter_search",
        "pipeline",
    }
    assert {retries for retries in tries.values() if retries} == {2}


def test_the_entrypoint_stores_on_the_volume() -> None:
    store = inspect.signature(training.main.info.raw_f).parameters["store"].default
    assert store in training.train.info().volumes


def test_the_container_gets_all_it_imports() -> None:
    """The image adds `shared`; anything else of this repository would be missing in the cloud, and only there."""
    tree = ast.walk(ast.parse((LAB / "training.py").read_text()))
    imported = {name for node in tree for name in imported_packages(node)} - sys.stdlib_module_names
    assert imported == {"modal", "shared"}


def imported_packages(node: ast.AST) -> list[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return [name.partition(".")[0] for name in names]


@pytest.mark.filterwarnings("ignore:The propose_trials function is executing locally")
def test_local_is_the_plain_call(tiny: PipelineConfig) -> None:
    assert training.propose_trials.local(tiny.to_json()) == steps.propose_trials(tiny.to_json())


def test_a_failing_step_is_named(tmp_path: Path) -> None:
    result = measured_run("modal", preset("tiny", data_folder=str(tmp_path)), str(tmp_path / "store"), tmp_path / "log")
    assert not result.succeeded
    assert "load_data failed: DataError" in result.explain_failure()


def test_without_a_token_modal_says_what_the_readme_quotes(
    run_python: Callable[..., CompletedProcess[str]], no_account: dict[str, str]
) -> None:
    result = run_python(*MODAL_RUN, env=no_account)
    said = " ".join((result.stdout + result.stderr).split())
    assert result.returncode == 1
    quoted = "Token missing. Could not authenticate client."
    assert quoted in said
    assert quoted in (LAB / "README.md").read_text()


def test_the_command_has_the_entrypoints_options(
    run_python: Callable[..., CompletedProcess[str]], no_account: dict[str, str]
) -> None:
    result = run_python(*MODAL_RUN, "--help", env=no_account)
    assert result.returncode == 0
    assert "--preset" in result.stdout
    assert "--store" in result.stdout


CALL_FROM_OTHERS = """
import os, sys
from pathlib import Path
from module4.lab1_airflow.run import environment
os.environ.update(environment(Path(sys.argv[1])))
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = "module4/lab4_modal"
import dagster as dg
from airflow.utils.db import upgradedb
upgradedb()
from module4.lab4_modal.from_dagster import model_from_modal
from module4.lab4_modal.from_airflow import training_on_modal_dag

result = dg.materialize([model_from_modal])
metadata = result.asset_materializations_for_node("model_from_modal")[0].metadata
run = training_on_modal_dag.test()
summary = run.get_task_instance("train").xcom_pull(task_ids="train")
print("RESULT", run.state, summary["fingerprint"], metadata["fingerprint"].value)
"""


def test_airflow_and_dagster_call_the_deployed_pipeline(tmp_path: Path) -> None:
    """Both run for real, against the control plane; both get the model that plain Python gets."""
    script = tmp_path / "run.sh"
    script.write_text('set -e\n"$1" -m modal deploy -m module4.lab4_modal.training\n"$1" "$2" "$3"\n')
    (tmp_path / "call.py").write_text(CALL_FROM_OTHERS)
    (tmp_path / "airflow").mkdir()
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "infra.modal_local",
            "run",
            "--",
            "sh",
            str(script),
            sys.executable,
            tmp_path / "call.py",
            tmp_path / "airflow",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    _, state, one, other = next(line for line in result.stdout.splitlines() if line.startswith("RESULT")).split()
    reference = pipeline.run(preset("tiny"), str(tmp_path / "reference"))["fingerprint"]
    assert (state, one, other) == ("success", reference, reference)


@pytest.mark.skipif(
    not os.environ.get("MODAL_LIVE_TEST"),
    reason="runs in the Modal cloud, which costs money: set MODAL_LIVE_TEST=1 with a token (MODAL_TOKEN_ID/SECRET)",
)
def test_the_same_file_runs_in_the_cloud(run_python: Callable[..., CompletedProcess[str]]) -> None:
    result = run_python(*MODAL_RUN)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "fingerprint " in result.stdout
