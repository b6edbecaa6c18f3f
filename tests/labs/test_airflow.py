"""The Airflow lab. Importing Airflow takes over logging and environment, so it runs in separate processes.

This file is also their program: `python -m tests.labs.test_airflow FUNCTION FOLDER` prints what a function returns.
"""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from module4.platforms import ROOT, WORKSPACE
from shared.config import preset
from shared.errors import ArtifactError, ConfigError, PipelineError
from shared.graph import GRAPHS, SEARCH, TRAINING

LAB = ROOT / "module4" / "lab1_airflow"
XCOM_LIMIT = 4096
DAG_FILES = ("training", "training_in_pods", "training_on_modal", "inference", "monitoring")

# module4.lab1_airflow.run is imported in functions: it imports pandas, and one test checks that no DAG file does.


def in_own_process(function: Any, folder: Path, **environ: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.labs.test_airflow", function.__name__, str(folder)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environ}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "log": done.stdout + done.stderr}


# Reading the DAG file ---------------------------------------------------------------------------------------------


def read_dag_files(folder: Path) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    contacts: list[str] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        path = str(arguments[0]) if event == "open" else ""
        own = path.startswith(str(ROOT)) and "site-packages" not in path and "__pycache__" not in path
        outside = event in ("sqlite3.connect", "socket.connect", "socket.getaddrinfo", "subprocess.Popen")
        if outside or (own and not path.endswith((".py", ".airflowignore"))):
            contacts.append(f"{event} {arguments}")

    sys.addaudithook(note)
    bag = DagBag(LAB)
    return {
        "errors": bag.import_errors,
        "contacts": [
            contact for contact in contacts if "__pycache__" not in contact and ".airflowignore" not in contact
        ],
        "modules": sorted({name.partition(".")[0] for name in sys.modules}),
        "written": [str(path) for path in folder.rglob("*.db*")],
        "dags": {name: _describe_dag(dag) for name, dag in bag.dags.items()},
    }


def _describe_dag(dag: Any) -> dict[str, Any]:
    waits_for = getattr(dag.timetable, "asset_condition", None)
    return {
        **{name: getattr(dag, name) for name in ("max_active_runs", "catchup", "doc_md")},
        "begin": dag.start_date and dag.start_date.isoformat(),
        "end": dag.end_date and dag.end_date.isoformat(),
        "cron": getattr(getattr(dag.timetable, "timetable", dag.timetable), "expression", None),
        "starts_by": getattr(waits_for, "name", None),
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "tasks": {task.task_id: _describe(task) for task in dag.tasks},
    }


def _describe(task: Any) -> dict[str, Any]:
    policy = task.partial_kwargs["retry_policy"] if task.is_mapped else task.retry_policy
    callbacks = task.on_failure_callback
    return {
        "retries": task.retries,
        "delays": [task.retry_delay.total_seconds(), task.max_retry_delay.total_seconds()],
        "backoff": task.retry_exponential_backoff,
        "timeout": task.execution_timeout.total_seconds(),
        "at_once": task.max_active_tis_per_dagrun,
        "on_failure": [callback.__name__ for callback in (callbacks if isinstance(callbacks, list) else [callbacks])],
        "wrong_config": policy.evaluate(ConfigError("trials"), 1, task.retries).action.value,
        "full_disk": policy.evaluate(ArtifactError("no space left"), 1, task.retries).action.value,
    }


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from module4.lab1_airflow.environment import airflow_environment

    folder = tmp_path_factory.mktemp("airflow-parse")
    return in_own_process(read_dag_files, folder, **airflow_environment(folder))


def test_the_dag_files_are_read_without_errors(bag: dict[str, Any]) -> None:
    assert bag["errors"] == {}
    assert {*bag["dags"]} == {*GRAPHS, "training_in_pods", "training_on_modal"}


def test_reading_the_dag_files_touches_neither_files_nor_database_nor_network(bag: dict[str, Any]) -> None:
    assert bag["contacts"] == []
    assert bag["written"] == []


def test_reading_the_dag_files_imports_nothing_heavy(bag: dict[str, Any]) -> None:
    assert {"pandas", "sklearn", "pyarrow", "matplotlib", "skops"}.isdisjoint(bag["modules"])


def import_alone(folder: Path) -> dict[str, Any]:
    from importlib import import_module

    from airflow.sdk import DAG, Asset, task  # noqa: F401  names that come from Airflow are not the file's own

    begin = time.process_time()
    import_module(f"module4.lab1_airflow.{os.environ['DAG_FILE']}")
    return {"seconds": time.process_time() - begin}


@pytest.mark.parametrize("name", DAG_FILES)
def test_a_dag_file_is_imported_in_less_than_two_seconds_of_its_own(name: str, tmp_path: Path) -> None:
    from module4.lab1_airflow.environment import airflow_environment

    settings = {**airflow_environment(tmp_path), "DAG_FILE": name}
    assert in_own_process(import_alone, tmp_path, **settings)["seconds"] < 2


@pytest.mark.parametrize("name", DAG_FILES)
def test_a_dag_file_fits_on_two_screens(name: str) -> None:
    assert len((LAB / f"{name}.py").read_text().splitlines()) <= 110


def test_training_runs_by_time_and_by_event_one_run_at_a_time(bag: dict[str, Any]) -> None:
    training = bag["dags"]["training"]
    assert (training["cron"], training["starts_by"]) == ("0 6 * * MON", "retraining")
    assert training["catchup"] is False
    assert training["max_active_runs"] == 1


def test_the_other_dags_live_in_the_year_of_the_data(bag: dict[str, Any]) -> None:
    for name, cron in (("inference", "0 0 * * *"), ("monitoring", "0 0 * * MON")):
        dag = bag["dags"][name]
        assert (dag["begin"], dag["end"]) == ("2013-01-01T00:00:00+00:00", "2014-01-01T00:00:00+00:00")
        assert (dag["catchup"], dag["cron"]) == (False, cron)


def test_pods_start_only_when_asked(bag: dict[str, Any]) -> None:
    assert bag["dags"]["training_in_pods"]["cron"] is None
    assert bag["dags"]["training_in_pods"]["max_active_runs"] == 1


@pytest.mark.parametrize("name", DAG_FILES)
def test_every_dag_is_documented_and_its_parameters_have_a_schema(name: str, bag: dict[str, Any]) -> None:
    dag = bag["dags"][name]
    assert len(dag["doc_md"]) > 200
    assert dag["params"]["config"]["type"] == "string"
    assert dag["params"]["config"]["examples"] == ["tiny", "lab", "full"]
    assert name == "training_on_modal" or dag["params"]["store"]["minLength"] == 1  # Modal's store is a volume


def test_every_step_is_a_task(bag: dict[str, Any]) -> None:
    inner = {*TRAINING.names, *(f"{SEARCH.name}.{name}" for name in SEARCH.names)} - {SEARCH.name}
    assert {*bag["dags"]["training"]["tasks"]} == {*bag["dags"]["training_in_pods"]["tasks"]} == inner


@pytest.mark.parametrize("name", DAG_FILES)
def test_every_task_has_retries_with_a_capped_backoff_a_timeout_and_a_callback(name: str, bag: dict[str, Any]) -> None:
    for task in bag["dags"][name]["tasks"].values():
        assert (task["retries"], task["backoff"], task["delays"]) == (2, 2, [5, 60])
        limit = timedelta(hours=1) if name == "training_on_modal" else timedelta(minutes=15)
        assert task["timeout"] == limit.total_seconds()
        assert task["on_failure"] == ["record_failure"]


def test_trials_do_not_flood_the_machine(bag: dict[str, Any]) -> None:
    tasks = {**bag["dags"]["training"]["tasks"], **bag["dags"]["inference"]["tasks"]}
    limits = {name: task["at_once"] for name, task in tasks.items() if task["at_once"]}
    assert limits == {"hyperparameter_search.run_trial": 2}


@pytest.mark.parametrize("name", DAG_FILES)
def test_only_what_may_pass_is_tried_again(name: str, bag: dict[str, Any]) -> None:
    for task in bag["dags"][name]["tasks"].values():
        assert task["wrong_config"] == "fail"
        assert task["full_disk"] == "default"


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


# Where Airflow keeps its files ------------------------------------------------------------------------------------


def test_two_stores_never_share_a_database(tmp_path: Path) -> None:
    from module4.lab1_airflow.environment import airflow_home

    assert airflow_home(str(tmp_path / "a")) == tmp_path / "a" / "airflow_home"
    assert airflow_home(f"file://{tmp_path}/b") == tmp_path / "b" / "airflow_home"
    assert airflow_home("s3://bucket/store") == WORKSPACE / "airflow" / "airflow_home"


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment as on a university's machine, where another Airflow project is set up too."""
    for name, value in {
        "AIRFLOW_HOME": "/elsewhere",
        "AIRFLOW__CORE__PLUGINS_FOLDER": "/elsewhere/plugins",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__AUTH_MANAGER": "elsewhere.AuthManager",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "exit 1",
        "_AIRFLOW_WWW_USER_PASSWORD": "x",
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": "kubernetes://",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "socks5://127.0.0.1:9",
        "NO_PROXY": "intranet.example",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("foreign")
def test_variables_of_another_project_do_not_count_and_this_machine_needs_no_proxy(tmp_path: Path) -> None:
    from module4.lab1_airflow.environment import airflow_environment

    environment = airflow_environment(tmp_path)
    assert not [value for value in environment.values() if "elsewhere" in value or value == "CeleryExecutor"]
    assert {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", "_AIRFLOW_WWW_USER_PASSWORD"}.isdisjoint(environment)
    assert environment["AIRFLOW_CONN_KUBERNETES_DEFAULT"] == "kubernetes://"
    assert environment["NO_PROXY"] == environment["no_proxy"] == "intranet.example,127.0.0.1,localhost,::1"
    assert (environment["HTTP_PROXY"], "ALL_PROXY" in environment) == ("http://127.0.0.1:9", False)


def serve_in_this_process(folder: Path) -> dict[str, Any]:
    """Airflow's database, DAG files and web server in an odd folder, with a password, asked without a network."""
    from module4.lab1_airflow.environment import airflow_environment, airflow_home
    from module4.lab1_airflow.server import _write_password

    os.environ["PIPELINE_STORE"] = str(folder)
    environment = airflow_environment(airflow_home(str(folder)), 8080, password=True)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ |= environment | {"AIRFLOW__API_AUTH__JWT_SECRET": 64 * "x"}  # a server would write one into its home
    passwords = Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    passwords.parent.mkdir(parents=True)
    password = _write_password(passwords, "admin")

    from airflow.utils.db import upgradedb

    upgradedb()
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    web, answers = create_app(), {}
    for host in ("127.0.0.1:8080", "localhost:8080", "rebound.example", "127.0.0.1.rebound.example"):
        client = TestClient(web, base_url=f"http://{host}")
        right, wrong = ({"username": "admin", "password": word} for word in (password, "wrong"))
        answers[host] = [
            client.get("/auth/token").status_code,
            client.post("/auth/token", json=wrong).status_code,
            client.post("/auth/token", json=right).status_code,
            client.get("/api/v2/dags").status_code,
        ]
    return {
        "answers": answers,
        "mode": oct(passwords.stat().st_mode),
        "again": _write_password(passwords, "admin") == password,
        "files": sorted(path.name for path in passwords.parent.iterdir()),
    }


@pytest.mark.usefixtures("foreign")
def test_a_password_and_the_hosts_name_guard_airflow_in_a_folder_of_any_name(tmp_path: Path) -> None:
    served = in_own_process(serve_in_this_process, tmp_path / "it's é? 100% #1 {x}")
    nobody, wrong, right, without_token = served["answers"]["127.0.0.1:8080"]
    assert (nobody >= 400, wrong, right, without_token) == (True, 401, 201, 401)
    assert served["answers"]["localhost:8080"] == served["answers"]["127.0.0.1:8080"]
    assert served["answers"]["rebound.example"] == [400] * 4
    assert served["answers"]["127.0.0.1.rebound.example"] == [400] * 4
    assert (served["mode"], served["again"]) == ("0o100600", True)
    assert {"airflow.db", "passwords.json"} <= {*served["files"]}


def test_a_name_that_airflow_would_change_is_refused() -> None:
    from module4.lab1_airflow.environment import airflow_home

    with pytest.raises(ConfigError, match="store: Airflow replaces the variable"):
        airflow_home("/tmp/$HOME/store")


def test_nothing_listens_beyond_this_machine() -> None:
    from module4.lab1_airflow.environment import airflow_environment

    assert airflow_environment(Path("home"))["AIRFLOW__API__HOST"] == "127.0.0.1"


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
