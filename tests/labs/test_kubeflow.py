"""Kubeflow Pipelines: the compiled files are fit for a cluster and run unchanged; a failure names its step."""

import builtins
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml
from kfp import dsl, kubernetes
from threadpoolctl import threadpool_limits

from module4.lab2_kubeflow.cluster import GPU, adapt
from module4.lab2_kubeflow.compile import FOLDER, compile_all, compile_one
from module4.lab2_kubeflow.components import IMAGE
from module4.lab2_kubeflow.run import explain, local_folder, local_runner
from module4.platforms import ROOT
from shared import pipeline, steps
from shared.config import PipelineConfig, preset
from shared.errors import PipelineError

RunPython = Callable[..., CompletedProcess[str]]

FILES = sorted(FOLDER.iterdir())
SECRETS = {"WANDB_API_KEY": "fake-wandb-key", "AWS_SECRET_ACCESS_KEY": "fake-aws-key"}

RUN_COMPILED = """
import sys
from kfp import components, local
path, config, store = sys.argv[1:]
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=f"{store}/runs")
finished = components.load_component_from_file(path)(config=config, registry=f"{store}/registry")
print(finished.output.path)
"""

VERTEX = """
import json, socket, sys
def refuse(*arguments): raise AssertionError("the network was asked for")
socket.socket.connect = socket.getaddrinfo = refuse
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
path, config = sys.argv[1:]
job = aiplatform.PipelineJob(
    display_name="training",
    template_path=path,
    pipeline_root="gs://bucket/runs",
    parameter_values={"config": config, "registry": "gs://bucket/registry", "code": "abc"},
    project="nobody",
    location="europe-west1",
    credentials=AnonymousCredentials(),
)
print(json.dumps(job.to_dict()))
"""

RUN = """
import sys
from module4.lab2_kubeflow.run import run
from shared.config import parse
run(parse(sys.argv[1]), sys.argv[2])
"""


@pytest.fixture(scope="module")
def compiled(run_python: RunPython, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files, compiled where secrets are in the environment, and with another order of sets."""
    folder = tmp_path_factory.mktemp("kubeflow")
    environment = {**SECRETS, "PYTHONHASHSEED": "1"}
    run_python("-m", "module4.lab2_kubeflow", "compile", "--folder", str(folder), env=environment, check=True)
    return folder


def read(path: Path) -> list[dict[str, Any]]:
    return [dict(document) for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def tasks_of(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every task that becomes a pod, including those inside loops and inner pipelines."""
    graphs = [component["dag"] for component in (spec["root"], *spec["components"].values()) if "dag" in component]
    pods = {name for name, component in spec["components"].items() if "executorLabel" in component}
    return {
        name: task for graph in graphs for name, task in graph["tasks"].items() if task["componentRef"]["name"] in pods
    }


# The compiled files


def test_the_files_in_git_are_what_the_pipelines_compile_to(compiled: Path) -> None:
    assert sorted(path.name for path in compiled.iterdir()) == sorted(path.name for path in FOLDER.iterdir())
    for path in FOLDER.iterdir():
        assert (compiled / path.name).read_bytes() == path.read_bytes(), f"{path.name}: run make kubeflow-compile"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_holds_a_secret_of_the_environment(compiled: Path, path: Path) -> None:
    assert [name for name, value in SECRETS.items() if value in (compiled / path.name).read_text()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_task_is_tried_again_and_waits_longer_each_time(path: Path) -> None:
    for name, task in tasks_of(read(path)[0]).items():
        policy = task["retryPolicy"]
        assert policy["maxRetryCount"] > 0, name
        assert policy["backoffDuration"] != "0s", name
        assert policy["backoffFactor"] > 1, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_task_reserves_its_share_and_starts_from_the_image_with_nothing_to_install(path: Path) -> None:
    executors = read(path)[0]["deploymentSpec"]["executors"]
    assert {executor["container"]["image"] for executor in executors.values()} == {IMAGE}
    for name, executor in executors.items():
        assert set(executor["container"]["resources"]) >= {"resourceCpuLimit", "resourceMemoryLimit"}, name
    assert "pip install" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_cached_task_gets_the_version_of_the_code(path: Path) -> None:
    for name, task in tasks_of(read(path)[0]).items():
        if task["cachingOptions"].get("enableCache"):
            assert "code" in task["inputs"]["parameters"], name


def test_only_what_touches_the_registry_or_reports_is_never_cached() -> None:
    tasks = tasks_of(read(FOLDER / "training.yaml")[0])
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert set(tasks) - cached == {"evaluate", "deploy", "report-outcome"}


def test_the_outcome_is_reported_whatever_happened() -> None:
    task = tasks_of(read(FOLDER / "training.yaml")[0])["report-outcome"]
    assert task["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"
    # On a cluster this works only behind a task that always starts: the graph, not its last step.
    assert task["dependentTasks"] == ["train-and-deploy"]
    assert task["inputs"]["parameters"]["status"]["taskFinalStatus"]["producerTask"] == "train-and-deploy"


# What only a cluster has


def test_the_cluster_variant_differs_in_kubernetes_settings_alone() -> None:
    plain, (spec, platform) = read(FOLDER / "training.yaml"), read(FOLDER / "training-cluster.yaml")
    assert [spec] == plain
    assert set(platform["platforms"]) == {"kubernetes"}


def test_pods_get_secrets_by_name_and_only_where_they_are_needed() -> None:
    executors = read(FOLDER / "training-cluster.yaml")[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    secrets = {
        name.removeprefix("exec-"): [
            (secret["secretName"], [key["envVar"] for key in secret["keyToEnv"]])
            for secret in settings.get("secretAsEnv", [])
        ]
        for name, settings in executors.items()
    }
    store = ("object-store", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    assert {name: given for name, given in secrets.items() if given} == {
        "evaluate": [store],
        "deploy": [store, ("wandb", ["WANDB_API_KEY"])],
    }


def test_every_pod_has_a_time_limit_and_the_store_is_mounted_where_it_is_used() -> None:
    executors = read(FOLDER / "training-cluster.yaml")[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    # An architecture would leave every pod Pending on the other one's nodes.
    assert not any("nodeSelector" in settings for settings in executors.values())
    assert all(int(settings["activeDeadlineSeconds"]) > 0 for settings in executors.values())
    mounted = {
        name: settings["pvcMount"][0]["mountPath"] for name, settings in executors.items() if "pvcMount" in settings
    }
    assert mounted == {"exec-evaluate": "/store", "exec-deploy": "/store"}


def test_image_nodes_and_accelerators_when_asked_for(tmp_path: Path) -> None:
    compile_all(tmp_path, "registry.example/one-pipeline:7", {"kubernetes.io/arch": "arm64"}, gpus=1)
    spec, platform = read(tmp_path / "training-cluster.yaml")
    executors = spec["deploymentSpec"]["executors"]
    assert {executor["container"]["image"] for executor in executors.values()} == {"registry.example/one-pipeline:7"}
    asking = {name for name, executor in executors.items() if "accelerator" in executor["container"]["resources"]}
    assert asking == {"exec-train", "exec-run-trial", "exec-select-best"}
    kubernetes = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert {str(pod["nodeSelector"]["labels"]) for pod in kubernetes.values()} == {"{'kubernetes.io/arch': 'arm64'}"}
    assert kubernetes["exec-train"]["tolerations"][0]["key"] == "nvidia.com/gpu"


def test_the_options_write_what_kfps_own_functions_would(tmp_path: Path) -> None:
    @dsl.component(base_image="other:1")
    def train() -> None: ...

    @dsl.pipeline
    def own() -> None:
        task = train().set_accelerator_type(GPU).set_accelerator_limit(2)
        kubernetes.set_timeout(task, 60)
        kubernetes.add_node_selector(task, "disk", "ssd")
        kubernetes.add_toleration(task, key=GPU, operator="Exists", effect="NoSchedule")

    @dsl.pipeline(name="own")
    def adapted() -> None:
        kubernetes.set_timeout(train().set_container_image("first:1"), 60)

    _, expected_spec, expected_platform = compile_one(own)
    _, spec, platform = compile_one(adapted)
    spec["deploymentSpec"]["executors"]["exec-train"]["container"].setdefault("resources", {})
    adapt(spec, platform, "other:1", {"disk": "ssd"}, gpus=2)
    assert platform == expected_platform
    wanted = expected_spec["deploymentSpec"]["executors"]["exec-train"]["container"]["resources"]["accelerator"]
    written = spec["deploymentSpec"]["executors"]["exec-train"]["container"]["resources"]["accelerator"]
    assert written == {name: wanted[name] for name in ("resourceType", "resourceCount")}


# Vertex AI


def test_vertex_ai_reads_the_same_file(run_python: RunPython, tiny: PipelineConfig) -> None:
    path = FOLDER / "training.yaml"
    done = run_python("-c", VERTEX, str(path), tiny.to_json(), env={"GOOGLE_CLOUD_PROJECT": "nobody"}, check=True)
    job = json.loads(done.stdout.splitlines()[-1])
    assert job["pipelineSpec"]["pipelineInfo"]["name"] == "training"
    assert set(job["pipelineSpec"]["root"]["dag"]["tasks"]) == {"train-and-deploy", "report-outcome"}
    assert job["runtimeConfig"]["parameterValues"] == {
        "config": tiny.to_json(),
        "registry": "gs://bucket/registry",
        "code": "abc",
    }
    assert job["runtimeConfig"]["gcsOutputDirectory"] == "gs://bucket/runs"


# Running it


def test_compiled_file_alone_gives_the_reference_fingerprint(
    run_python: RunPython, tiny: PipelineConfig, tmp_path: Path
) -> None:
    path = FOLDER / "training.yaml"
    done = run_python(
        "-c", RUN_COMPILED, str(path), tiny.to_json(), str(tmp_path), env={"TMPDIR": str(tmp_path)}, check=True
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
    assert "PipelineError: Kubeflow Pipelines: 'load_data' inside 'train_and_deploy' failed" in done.stderr
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


def test_a_run_leaves_the_process_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    before = (dict(os.environ), sys.executable, builtins.print)
    with local_runner(tmp_path):
        assert os.environ["PYTHONPATH"] == str(ROOT)
        assert sys.executable == "python3"
        monkeypatch.setattr("builtins.print", repr)
    assert (dict(os.environ), sys.executable, builtins.print) == before


@pytest.mark.parametrize("store", ["s3://bucket/runs", "S3://bucket"])
def test_store_elsewhere_is_refused(store: str) -> None:
    with pytest.raises(PipelineError, match=f"this machine only, got '{store}'"):
        local_folder(store)


def test_store_is_a_path_or_a_file_uri(tmp_path: Path) -> None:
    assert local_folder(str(tmp_path)) == tmp_path
    assert local_folder(tmp_path.as_uri()) == tmp_path
