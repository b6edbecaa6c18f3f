"""The Modal lab without an account: the functions' settings, read through Modal's API, and what the commands say."""

import ast
import inspect
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess

import modal
import pytest

from module4.contract import graph_differences
from module4.lab4_modal import inference, monitoring, training
from module4.lab4_modal import run as lab
from module4.measure import measured_run
from module4.platforms import ROOT
from shared import pipeline, steps
from shared.config import PipelineConfig, preset
from shared.errors import PipelineError
from shared.graph import GRAPHS, INFERENCE, MONITORING, SEARCH, TRAINING
from tests.contract import modal_graph

LAB = ROOT / "module4" / "lab4_modal"
FILES = {app.__name__.rpartition(".")[2]: app for app in (training, inference, monitoring)}
FUNCTIONS = {
    f"{file}.{name}": value
    for file, app in FILES.items()
    for name, value in vars(app).items()
    if isinstance(value, modal.Function)
}
SMALL = preset("tiny", trials=1, baseline={"max_iter": 5})
MODAL_RUN = ["-m", "modal", "run", "-m", "module4.lab4_modal.training"]


@pytest.fixture
def no_account(tmp_path: Path) -> dict[str, str]:
    """An environment in which Modal finds no token."""
    (tmp_path / "modal.toml").touch()
    return {"MODAL_CONFIG_PATH": str(tmp_path / "modal.toml"), "MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}


def test_the_functions_are_the_steps() -> None:
    names = {
        "training": {*TRAINING.names, *SEARCH.names, "pipeline"},
        "inference": {*INFERENCE.names, "predict_day", "every_morning"},
        "monitoring": {*MONITORING.names, "watch", "every_week"},
    }
    assert set(FUNCTIONS) == {f"{file}.{name}" for file, those in names.items() for name in those}


def test_the_calls_of_every_app_are_the_declared_graph() -> None:
    graphs = modal_graph.read_graphs()
    assert set(graphs) == set(GRAPHS)
    for name, graph in graphs.items():
        assert graph_differences(graph, GRAPHS[name]) == [], name


def test_two_functions_have_a_schedule() -> None:
    schedules = {name: function.info().schedule for name, function in FUNCTIONS.items()}
    assert {name: str(schedule) for name, schedule in schedules.items() if schedule} == {
        "inference.every_morning": "Cron('30 5 * * *', America/New_York)",
        "monitoring.every_week": "Cron('0 6 * * mon', America/New_York)",
    }


def test_a_gpu_is_asked_for_by_an_option() -> None:
    with_gpu = training.train.with_options(gpu="L40S").info()
    assert (with_gpu.gpus, with_gpu.cpu) == ([("L40S", 1)], training.train.info().cpu)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_limit_and_the_volume_and_no_gpu(name: str) -> None:
    info = FUNCTIONS[name].info()
    assert 300 <= info.timeout <= 3600
    assert {path: volume.name for path, volume in info.volumes.items()} == {"/store": "training-store"}
    assert info.gpus == []


def test_what_can_fail_is_tried_again() -> None:
    tries = {name: function.info().max_retries for name, function in FUNCTIONS.items()}
    assert tries.pop("training.hyperparameter_search") == 1
    callers = {"pipeline", "propose_trials", "predict_day", "every_morning", "watch", "every_week"}
    assert {name.partition(".")[2] for name, retries in tries.items() if not retries} == callers
    assert {retries for retries in tries.values() if retries} == {2}


def test_the_entrypoint_stores_on_the_volume() -> None:
    store = inspect.signature(training.main.info.raw_f).parameters["store"].default
    assert store in training.train.info().volumes


@pytest.mark.parametrize("file", FILES)
def test_the_container_gets_all_it_imports(file: str) -> None:
    """The image adds `shared`, Modal adds the app's package; anything else of this repository would be missing."""
    tree = ast.walk(ast.parse((LAB / f"{file}.py").read_text()))
    ours = {name for node in tree for name in imported_modules(node) if (ROOT / name.partition(".")[0]).is_dir()}
    assert {name for name in ours if name.partition(".")[0] != "shared"} <= {
        "module4.lab4_modal.training",
        "module4.lab4_modal.inference",
    }


def imported_modules(node: ast.AST) -> list[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    return names + ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])


def older_and_newer() -> list[tuple[str, str]]:
    table = (LAB / "README.md").read_text().partition("| then | now |")[2].partition("##")[0]
    return re.findall(r"^\| `(.+)` \| `(.+)` \|$", table, re.MULTILINE)


@pytest.mark.parametrize(("older", "newer"), older_and_newer())
def test_the_table_of_older_tutorials_is_right(older: str, newer: str) -> None:
    app, image = modal.App("table"), modal.Image.debian_slim()
    names = {"modal": modal, "app": app, "image": image, "volume": training.volume, "secret": modal.Secret.from_dict()}
    names["f"] = app.function(serialized=True)(len)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((AttributeError, TypeError, modal.exception.DeprecationError)):
            eval(older, names)
        eval(newer, names)


def test_the_table_of_older_tutorials_is_there() -> None:
    assert len(older_and_newer()) > 10


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


def test_the_cloud_is_refused_without_a_token(
    run_python: Callable[..., CompletedProcess[str]], no_account: dict[str, str]
) -> None:
    result = run_python("-m", "module4.lab4_modal", "run", "--cloud", env=no_account)
    assert result.returncode == 1
    assert result.stdout == ""
    (said,) = result.stderr.splitlines()
    assert said.startswith("error: cloud: Modal finds no token. Run `.venv/bin/modal setup` once, or set")


def make_lab(*words: str, **variables: str) -> CompletedProcess[str]:
    """What make would run: with `-n` it only prints it."""
    return subprocess.run(
        ["make", "-n", "lab-modal", *words], cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True
    )


@pytest.mark.parametrize("value", ["0", "1", "aws"])
def test_what_a_shell_exports_neither_goes_to_the_cloud_nor_asks_for_a_gpu(value: str) -> None:
    said = make_lab(CLOUD=value, GPU=value).stdout
    assert "module4.lab4_modal run" in said
    assert "--cloud" not in said
    assert "--gpu" not in said


def test_what_is_typed_after_make_does() -> None:
    assert '--gpu "L40S" --cloud' in make_lab("CLOUD=1", "GPU=L40S").stdout


@pytest.mark.parametrize("value", ["0", "aws", "", "yes", "11"])
def test_cloud_is_1_or_refused(value: str) -> None:
    result = make_lab(f"CLOUD={value}")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"CLOUD={value}: write CLOUD=1 for Modal's cloud, or leave it out" in result.stderr


@pytest.mark.parametrize("gpu", ["0", "1", "none", "L40S:0", "L40S:9", "L40S:", ":2", "A100,H100", "--cloud"])
def test_what_is_not_a_gpu_is_refused(run_python: Callable[..., CompletedProcess[str]], gpu: str) -> None:
    result = run_python("-m", "module4.lab4_modal", "run", f"--gpu={gpu}")
    assert result.returncode == 1
    (said,) = result.stderr.splitlines()
    assert said.startswith(f"error: gpu: {gpu!r} is not a GPU of Modal's; choose T4, ")


@pytest.mark.parametrize("gpu", ["T4", "l40s", "A100-80GB:2", "H100!:8"])
def test_gpus_are_named_as_modal_names_them(gpu: str) -> None:
    assert lab.check_gpu(gpu) == gpu


@pytest.mark.parametrize("day", ["2013-05-06/../../../escape", "../../escape", "2013-02-30", "2014-01-01", "/etc", ""])
@pytest.mark.filterwarnings("ignore:.* is executing locally")
def test_a_day_is_checked_before_it_becomes_a_folder(day: str, tmp_path: Path) -> None:
    store = tmp_path / "a" / "b" / "c" / "store"
    with modal_graph.watched_calls():
        for entry in (inference.predict_day, monitoring.watch):
            with suppress(PipelineError):
                entry.local(day, "tiny", str(store))
    assert list(tmp_path.rglob("*escape*")) == []


def test_a_killed_step_runs_again_and_the_model_is_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], reference: str
) -> None:
    """Attempts are counted on the volume, so the count must survive the killed container."""
    store = tmp_path / "store"
    fault = {"step": "train", "kind": "kill", "times": 1, "state": f"{store}/faults"}
    config = SMALL.model_copy(update={"fault": preset("tiny", fault=fault).fault})
    assert lab.run(config, str(store), "--gpu=L40S")["fingerprint"] == reference
    assert sorted(path.name for path in (store / "faults").iterdir()) == ["train-1"]
    said = capfd.readouterr()
    assert "train asks for GPU L40S, 4 CPUs: recorded, not given." in said.err
    assert "trial 1 of 1 is scored" in said.out


@pytest.fixture(scope="module")
def reference(store: Path) -> str:
    """The fingerprint that plain Python gets."""
    return str(steps.read_fingerprint(f"{store}/runs/python/deploy")["fingerprint"])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model in production; the control plane keeps it as the apps' Volume."""
    folder = tmp_path_factory.mktemp("modal") / "store"
    pipeline.run(SMALL, str(folder))
    return folder


Command = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def deployed(store: Path) -> Iterator[Command]:
    """Run commands against one control plane on which the training app is deployed, with a fast clock."""
    # A day takes four seconds; containers stay warm from test to test.
    options = ["--volume", f"training-store={store}", "--speed", "20000", "--containers", "8"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.modal_local", "serve", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in iter(process.stdout.readline, "# ready\n"):
        assert line, "the control plane did not start"
        name, _, value = line.removeprefix("export ").strip().partition("=")
        environment[name] = value.strip("'")

    def run(*arguments: str | Path) -> CompletedProcess[str]:
        result = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result

    try:
        run("-m", "modal", "deploy", "-m", "module4.lab4_modal.training")
        yield run
    finally:
        process.terminate()
        assert process.wait(30) == 0


def wait_for(path: Path, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.2)


CALL_FROM_OTHERS = """
import os, sys
from pathlib import Path
from module4.lab1_airflow.environment import airflow_environment
folder, config = sys.argv[1:]
os.environ.update(airflow_environment(Path(folder)))
import dagster as dg
from airflow.utils.db import upgradedb
upgradedb()
from module4.lab3_dagster.modal_training import model_from_modal
from module4.lab1_airflow.training_on_modal import training_on_modal_dag

chosen = dg.RunConfig(ops={"model_from_modal": {"config": {"config": config}}})
result = dg.materialize([model_from_modal], run_config=chosen)
metadata = result.asset_materializations_for_node("model_from_modal")[0].metadata
run = training_on_modal_dag.test(run_conf={"config": config})
summary = run.get_task_instance("train").xcom_pull(task_ids="train")
print("RESULT", run.state, summary["fingerprint"], metadata["fingerprint"].value)
"""


def test_airflow_and_dagster_call_the_deployed_pipeline(deployed: Command, tmp_path: Path, reference: str) -> None:
    """Both run for real, against the control plane; both get the model that plain Python gets."""
    (tmp_path / "call.py").write_text(CALL_FROM_OTHERS)
    (tmp_path / "airflow").mkdir()
    # The model gets a different name, or the champion of the other tests would take part in the comparison.
    config = SMALL.model_copy(update={"model_name": "late-arrival-elsewhere"})
    said = deployed(tmp_path / "call.py", tmp_path / "airflow", config.to_json()).stdout
    _, state, one, other = next(line for line in said.splitlines() if line.startswith("RESULT")).split()
    assert (state, one, other) == ("success", reference, reference)


def test_monitoring_starts_the_training_when_the_model_is_outdated(deployed: Command, store: Path) -> None:
    """That it does not do so otherwise is shown by the contract test, which watches all calls."""
    options = ["--day", "2013-07-08", "--config-json", SMALL.to_json()]
    said = deployed("-m", "modal", "run", "-q", "-m", "module4.lab4_modal.monitoring", *options).stdout
    call = re.search(r"retraining: (fc-\w+)", said)
    assert call, said
    code = f"import modal; print(modal.FunctionCall.from_id('{call[1]}').get(timeout=500)['version'])"
    version = deployed("-c", code).stdout.strip()
    wait_for(store / "registry" / "late-arrival" / "versions" / version)
    assert len(list((store / "registry" / "late-arrival" / "versions").iterdir())) == 2


def test_predictions_are_made_on_schedule_and_for_any_days(deployed: Command, store: Path) -> None:
    days = ["--first", "2013-03-12", "--days", "1", "--config-json", SMALL.to_json()]
    said = deployed("-m", "modal", "run", "-q", "-m", "module4.lab4_modal.inference", *days).stdout
    assert re.findall(r"^(2013-03-1\d): 0\.\d{3} late", said, re.MULTILINE) == ["2013-03-12"]
    deployed("-m", "modal", "deploy", "-m", "module4.lab4_modal.inference")
    today = inference.today_in_2013()
    wait_for(store / "predictions" / f"date={today}" / "manifest.json")
    deployed("-m", "modal", "app", "stop", "inference", "--yes")


@pytest.mark.skipif(
    not os.environ.get("MODAL_LIVE_TEST"),
    reason="runs in the Modal cloud, which costs money: set MODAL_LIVE_TEST=1 with a token (MODAL_TOKEN_ID/SECRET)",
)
def test_the_same_file_runs_in_the_cloud() -> None:
    """The first time Modal builds the image, which takes minutes."""
    command = [sys.executable, "-m", "module4.lab4_modal", "run", "--cloud"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3600)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^fingerprint [0-9a-f]{64}$", result.stdout, re.MULTILINE)
