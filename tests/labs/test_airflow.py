"""The Airflow lab. Airflow takes over logging and settings when it is imported: it runs in processes of its own.

This file is also their program: `python -m tests.labs.test_airflow FUNCTION FOLDER` prints what a function returns.
"""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from module4.platforms import ROOT, WORKSPACE
from shared.config import preset
from shared.errors import ArtifactError, ConfigError, PipelineError
from shared.graph import SEARCH, TRAINING

LAB = ROOT / "module4" / "lab1_airflow"
XCOM_LIMIT = 4096

# module4.lab1_airflow.run is imported in functions: it imports pandas, and one test looks whether the DAG file does.


def in_own_process(function: Any, folder: Path, **environ: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.labs.test_airflow", function.__name__, str(folder)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environ}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "log": done.stdout + done.stderr}


# Reading the DAG file ---------------------------------------------------------------------------------------------


def read_dag_file(folder: Path) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    contacts: list[str] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("sqlite3.connect", "socket.connect", "subprocess.Popen"):
            contacts.append(f"{event} {arguments}")

    sys.addaudithook(note)
    bag = DagBag(LAB)
    (dag,) = bag.dags.values()
    return {
        "errors": bag.import_errors,
        "contacts": contacts,
        "modules": sorted({name.partition(".")[0] for name in sys.modules}),
        "written": [str(path) for path in folder.rglob("*.db*")],
        "dag": {name: getattr(dag, name) for name in ("dag_id", "max_active_runs", "catchup", "schedule", "doc_md")},
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "tasks": {task.task_id: _describe(task) for task in dag.tasks},
    }


def _describe(task: Any) -> dict[str, Any]:
    policy = task.partial_kwargs["retry_policy"] if task.is_mapped else task.retry_policy
    return {
        "retries": task.retries,
        "delays": [task.retry_delay.total_seconds(), task.max_retry_delay.total_seconds()],
        "backoff": task.retry_exponential_backoff,
        "timeout": task.execution_timeout.total_seconds(),
        "at_once": task.max_active_tis_per_dagrun,
        "wrong_config": policy.evaluate(ConfigError("trials"), 1, task.retries).action.value,
        "full_disk": policy.evaluate(ArtifactError("no space left"), 1, task.retries).action.value,
    }


@pytest.fixture(scope="module")
def dag_file(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from module4.lab1_airflow.run import environment

    folder = tmp_path_factory.mktemp("airflow-parse")
    return in_own_process(read_dag_file, folder, **environment(folder))


def test_the_dag_file_is_read_without_errors(dag_file: dict[str, Any]) -> None:
    assert dag_file["errors"] == {}
    assert dag_file["dag"]["dag_id"] == TRAINING.name


def test_reading_the_dag_file_touches_neither_database_nor_network(dag_file: dict[str, Any]) -> None:
    assert dag_file["contacts"] == []
    assert dag_file["written"] == []


def test_reading_the_dag_file_imports_nothing_heavy(dag_file: dict[str, Any]) -> None:
    assert {"pandas", "sklearn", "pyarrow", "matplotlib", "skops"}.isdisjoint(dag_file["modules"])


def test_one_run_at_a_time_and_only_when_asked(dag_file: dict[str, Any]) -> None:
    assert dag_file["dag"]["max_active_runs"] == 1
    assert dag_file["dag"]["schedule"] is None
    assert dag_file["dag"]["catchup"] is False
    assert "`config`" in dag_file["dag"]["doc_md"]


def test_the_parameters_have_a_schema(dag_file: dict[str, Any]) -> None:
    assert dag_file["params"]["config"]["type"] == "string"
    assert dag_file["params"]["config"]["examples"] == ["tiny", "lab", "full"]
    assert dag_file["params"]["store"]["minLength"] == 1


def test_every_task_has_retries_with_a_capped_backoff_and_a_timeout(dag_file: dict[str, Any]) -> None:
    expected = {*TRAINING.names, *(f"{SEARCH.name}.{name}" for name in SEARCH.names)} - {SEARCH.name}
    assert set(dag_file["tasks"]) == expected
    for name, task in dag_file["tasks"].items():
        assert task["retries"] == 2, name
        assert task["backoff"] == 2, name
        assert task["delays"] == [5, 60], name
        assert task["timeout"] == timedelta(hours=1).total_seconds(), name


def test_trials_do_not_flood_the_machine(dag_file: dict[str, Any]) -> None:
    limits = {name: task["at_once"] for name, task in dag_file["tasks"].items() if task["at_once"]}
    assert limits == {"hyperparameter_search.run_trial": 2}


def test_only_what_may_pass_is_tried_again(dag_file: dict[str, Any]) -> None:
    for name, task in dag_file["tasks"].items():
        assert task["wrong_config"] == "fail", name
        assert task["full_disk"] == "default", name


# Running it -------------------------------------------------------------------------------------------------------


def run_good_and_bad(folder: Path) -> dict[str, Any]:
    from module4.lab1_airflow.run import run

    config = preset("tiny")
    fingerprint = run(config, str(folder / "good"))

    from airflow.models.dagrun import DagRun
    from airflow.models.xcom import XComModel
    from airflow.sdk.exceptions import ParamValidationError
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from module4.lab1_airflow.training import training_dag

    with create_session() as session:
        (dag_run,) = session.scalars(select(DagRun)).all()
        instances = {f"{task.task_id}[{task.map_index}]": task.state for task in dag_run.get_task_instances()}
        xcoms = {f"{row.task_id}[{row.map_index}].{row.key}": row.value for row in session.scalars(select(XComModel))}
        run_id = dag_run.run_id
    refused = []
    try:
        training_dag.test(run_conf={"config": "huge", "store": str(folder / "unknown")})
    except ParamValidationError as error:
        refused.append(str(error))
    try:
        run(config.model_copy(update={"trials": 0}), str(folder / "bad"))
    except PipelineError as error:
        refused.append(str(error))
    return {
        "fingerprint": fingerprint,
        "run_id": run_id,
        "instances": instances,
        "xcoms": xcoms,
        "refused": refused,
        "stores": sorted(path.name for path in folder.iterdir()),
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("airflow-run")
    return {**in_own_process(run_good_and_bad, folder), "folder": folder}


def test_every_step_leaves_its_artifact_below_airflows_own_run_id(runs: dict[str, Any]) -> None:
    folder = runs["folder"] / "good" / "runs" / runs["run_id"]
    assert {path.name for path in folder.iterdir()} == set(TRAINING.names)
    assert json.loads((folder / "deploy" / "fingerprint.json").read_text()) == runs["fingerprint"]


def test_every_trial_is_a_task(runs: dict[str, Any]) -> None:
    trials = {name for name in runs["instances"] if "run_trial" in name}
    assert trials == {"hyperparameter_search.run_trial[0]", "hyperparameter_search.run_trial[1]"}
    assert set(runs["instances"].values()) == {"success"}


def test_xcoms_are_small_and_tables_travel_by_uri(runs: dict[str, Any]) -> None:
    sizes = {name: len(json.dumps(value)) for name, value in runs["xcoms"].items()}
    assert {name: size for name, size in sizes.items() if size >= XCOM_LIMIT} == {}
    store = runs["folder"] / "good"
    assert runs["xcoms"]["preprocess[-1].uri"] == f"{store}/runs/{runs['run_id']}/preprocess"


def test_a_parameter_that_is_no_configuration_is_refused_by_its_schema(runs: dict[str, Any]) -> None:
    assert "param config: 'huge' does not match" in runs["refused"][0]
    assert "unknown" not in runs["stores"]


def test_a_wrong_field_is_named_before_anything_is_written(runs: dict[str, Any]) -> None:
    assert "failed: load_data" in runs["refused"][1]
    assert "trials: Input should be greater than or equal to 1 (got 0)" in runs["log"]
    assert "bad" not in runs["stores"]


# Where Airflow keeps its things -----------------------------------------------------------------------------------


def test_two_stores_never_share_a_database(tmp_path: Path) -> None:
    from module4.lab1_airflow.run import home

    assert home(str(tmp_path / "a")) == tmp_path / "a" / "airflow_home"
    assert home(f"file://{tmp_path}/b") == tmp_path / "b" / "airflow_home"
    assert home("s3://bucket/store") == WORKSPACE / "airflow" / "airflow_home"


def test_nothing_listens_beyond_this_machine() -> None:
    from module4.lab1_airflow.run import environment

    assert environment(Path("home"))["AIRFLOW__API__HOST"] == "127.0.0.1"


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
