"""Kubeflow Pipelines: what is compiled is fit for a cluster and runs as it is; a failure names its step."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml
from threadpoolctl import threadpool_limits

from module4.lab2_kubeflow.pipeline import IMAGE
from module4.lab2_kubeflow.run import explain, local_folder
from shared import pipeline, steps
from shared.config import PipelineConfig, preset
from shared.errors import PipelineError

RunPython = Callable[..., CompletedProcess[str]]

SECRETS = {"WANDB_API_KEY": "fake-wandb-key", "AWS_SECRET_ACCESS_KEY": "fake-aws-key"}

COMPILE = """
import sys
from pathlib import Path
from module4.lab2_kubeflow.pipeline import compile_pipeline
compile_pipeline(Path(sys.argv[1]))
"""

RUN_COMPILED = """
import sys
from kfp import components, local
path, config, store = sys.argv[1:]
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=f"{store}/runs")
finished = components.load_component_from_file(path)(config=config, registry=f"{store}/registry")
print(finished.output.path)
"""

RUN = """
import sys
from module4.lab2_kubeflow.run import run
from shared.config import parse
run(parse(sys.argv[1]), sys.argv[2])
"""


@pytest.fixture(scope="module")
def compiled(run_python: RunPython, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kubeflow") / "pipeline.yaml"
    run_python("-c", COMPILE, str(path), env=SECRETS, check=True)
    return path


@pytest.fixture(scope="module")
def spec(compiled: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(compiled.read_text()))


@pytest.fixture(scope="module")
def tasks(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every task that becomes a pod, also those inside of loops and inner pipelines."""
    graphs = [component["dag"] for component in (spec["root"], *spec["components"].values()) if "dag" in component]
    pods = {name for name, component in spec["components"].items() if "executorLabel" in component}
    return {
        name: task for graph in graphs for name, task in graph["tasks"].items() if task["componentRef"]["name"] in pods
    }


def test_compiling_again_gives_the_same_bytes(compiled: Path, run_python: RunPython, tmp_path: Path) -> None:
    run_python("-c", COMPILE, str(tmp_path / "again.yaml"), env={"PYTHONHASHSEED": "1"}, check=True)
    assert (tmp_path / "again.yaml").read_bytes() == compiled.read_bytes()


def test_compiled_file_holds_no_secret_of_the_environment(compiled: Path) -> None:
    assert [name for name, value in SECRETS.items() if value in compiled.read_text()] == []


def test_only_what_touches_the_registry_is_never_cached(tasks: dict[str, dict[str, Any]]) -> None:
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert set(tasks) - cached == {"evaluate", "deploy"}


def test_every_task_is_tried_again_and_waits_longer_each_time(tasks: dict[str, dict[str, Any]]) -> None:
    assert len(tasks) == 8
    for name, task in tasks.items():
        policy = task["retryPolicy"]
        assert policy["maxRetryCount"] > 0, name
        assert policy["backoffDuration"] != "0s", name
        assert policy["backoffFactor"] > 1, name


def test_every_task_reserves_its_share_of_a_node(spec: dict[str, Any]) -> None:
    executors = spec["deploymentSpec"]["executors"]
    assert len(executors) == 8
    for name, executor in executors.items():
        assert set(executor["container"]["resources"]) >= {"resourceCpuLimit", "resourceMemoryLimit"}, name


def test_every_task_starts_from_the_project_image_and_installs_nothing(compiled: Path, spec: dict[str, Any]) -> None:
    executors = spec["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {IMAGE}
    assert "pip install" not in compiled.read_text()


def test_compiled_file_alone_gives_the_reference_fingerprint(
    compiled: Path, run_python: RunPython, tiny: PipelineConfig, tmp_path: Path
) -> None:
    done = run_python(
        "-c", RUN_COMPILED, str(compiled), tiny.to_json(), str(tmp_path), env={"TMPDIR": str(tmp_path)}, check=True
    )
    # After a loop kfp.local may leave `print` indented; `run` repairs that.
    fingerprint = steps.read_fingerprint(done.stdout.splitlines()[-1].strip())
    with threadpool_limits(1):
        assert fingerprint == pipeline.run(tiny, str(tmp_path / "reference"))


def test_failing_step_is_named(run_python: RunPython, tmp_path: Path) -> None:
    # A path with "python3" in it: kfp.local must not rewrite what it passes on.
    config = preset("tiny", data_folder=str(tmp_path / "no python3 here"))
    done = run_python("-c", RUN, config.to_json(), str(tmp_path / "store"), env={"TMPDIR": str(tmp_path)})
    assert done.returncode != 0
    assert "PipelineError: Kubeflow Pipelines: 'load_data' failed" in done.stderr
    assert "DataError" in done.stdout
    assert config.data_folder is not None
    assert config.data_folder in done.stdout[done.stdout.index("DataError") :]


def test_failing_trial_is_named_with_what_is_around_it() -> None:
    error = RuntimeError(
        "Pipeline \x1b[95m'training'\x1b[0m finished with status \x1b[91mFAILURE\x1b[0m. Inner task failed: "
        "\x1b[96m'run-trial'\x1b[0m inside \x1b[96m'for-loop-1-iteration-0'\x1b[0m "
        "inside \x1b[96m'hyperparameter-search'\x1b[0m."
    )
    assert "'run_trial' inside" in explain(error)
    assert "inside 'hyperparameter_search' failed" in explain(error)


def test_other_errors_keep_their_text() -> None:
    assert explain(RuntimeError("no room")) == "no room"


@pytest.mark.parametrize("store", ["s3://bucket/runs", "memory://runs"])
def test_store_elsewhere_is_refused(store: str) -> None:
    with pytest.raises(PipelineError, match=f"this machine only, got '{store}'"):
        local_folder(store)


def test_store_is_a_path_or_a_file_uri(tmp_path: Path) -> None:
    assert local_folder(str(tmp_path)) == tmp_path
    assert local_folder(tmp_path.as_uri()) == tmp_path
