"""The Airflow lab's Kubernetes variant, without a cluster: the real pods are built, and their commands run here.

This file is also the program that does it: `python tests/labs/test_airflow_pods.py FUNCTION FOLDER`.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.engine import STEPS_IMAGE
from module4.platforms import ROOT
from shared.config import preset
from shared.graph import SEARCH, TRAINING

POD = ROOT / "module4" / "lab1_airflow" / "pod.yaml"
CONNECTION = {"conn_type": "kubernetes", "extra": {"namespace": "labs", "xcom_sidecar_container_image": "busybox:1.37"}}


def run_in_processes(folder: Path) -> dict[str, Any]:
    """Run the DAG; where a cluster would run a pod's container, run the container's command as a local process."""
    from unittest.mock import patch

    from airflow.utils.db import upgradedb

    upgradedb()
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    from module4.lab1_airflow.training_in_pods import training_in_pods_dag

    pods: list[dict[str, Any]] = []
    deferrable: list[bool] = []

    def execute(operator: KubernetesPodOperator, context: Any) -> Any:
        pod = operator.build_pod_request_obj(context)
        deferrable.append(operator.deferrable)
        pods.append(operator.hook.core_v1_client.api_client.sanitize_for_serialization(pod))
        return run_container(pods[-1]["spec"]["containers"][0], folder / "xcom" / pods[-1]["metadata"]["name"])

    config = preset("tiny")
    with patch.object(KubernetesPodOperator, "execute", execute):
        run = training_in_pods_dag.test(run_conf={"config": config.to_json(), "store": str(folder / "store")})
    return {"state": run.state, "run_id": run.run_id, "pods": pods, "deferrable": deferrable}


def run_container(container: dict[str, Any], xcom: Path) -> Any:
    """Do what a kubelet does with a container: expand $(NAME), set its environment, run it; then read the XCom."""
    environment = {variable["name"]: variable["value"] for variable in container.get("env", [])}
    expanded = [
        re.sub(r"\$\((\w+)\)", lambda match: environment.get(match[1], match[0]), part)
        for part in [*container["command"], *container["args"]]
    ]
    xcom.mkdir(parents=True)
    command = [part.replace("/airflow/xcom", str(xcom)) for part in expanded]
    assert command[0] == "python"
    outside = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}  # a pod inherits nothing from Airflow
    subprocess.run([sys.executable, *command[1:]], cwd=ROOT, env=outside | environment, check=True, timeout=120)
    return json.loads((xcom / "return.json").read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from module4.lab1_airflow.environment import airflow_environment

    folder = tmp_path_factory.mktemp("airflow-pods")
    kubeconfig = folder / "kubeconfig"
    cluster = {"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "none", "context": {"cluster": "none", "user": "none"}}
    user = {"name": "none", "user": {"token": "a-token-that-no-pod-may-carry"}}
    kubeconfig.write_text(
        yaml.safe_dump({"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "none"})
    )
    settings = {
        **airflow_environment(folder / "home"),
        "PIPELINE_STORE": str(folder / "store"),
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(CONNECTION),
        "KUBECONFIG": str(kubeconfig),
        "AWS_SECRET_ACCESS_KEY": "a-key-that-no-pod-may-carry",
    }
    done = subprocess.run(
        [sys.executable, __file__, run_in_processes.__name__, str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **settings},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "folder": folder, "log": done.stdout}


def test_the_pods_commands_give_the_same_fingerprint(run: dict[str, Any], tmp_path: Path) -> None:
    from shared import pipeline

    assert run["state"] == "success", run["log"]
    written = run["folder"] / "store" / "runs" / run["run_id"] / "deploy" / "fingerprint.json"
    assert json.loads(written.read_text()) == pipeline.run(preset("tiny"), str(tmp_path))


def test_there_is_a_pod_for_each_step_and_each_trial(run: dict[str, Any]) -> None:
    names = [pod["spec"]["containers"][0]["args"][0] for pod in run["pods"]]
    once = {*TRAINING.names, *SEARCH.names} - {"hyperparameter_search"}
    assert sorted(names) == sorted([*once, "run_trial"])  # tiny has two trials
    assert len({pod["metadata"]["name"] for pod in run["pods"]}) == len(names)


def test_waiting_for_a_pod_holds_no_worker(run: dict[str, Any]) -> None:
    assert run["deferrable"] == [True] * len(run["pods"])


def test_a_trial_reaches_its_pod_as_a_variable(run: dict[str, Any]) -> None:
    containers = [pod["spec"]["containers"][0] for pod in run["pods"]]
    trials = [container for container in containers if container["args"][0] == "run_trial"]
    assert all(trial["args"][-1] == "$(TRIAL)" for trial in trials)
    numbers = {json.loads(trial["env"][0]["value"])["number"] for trial in trials}
    assert numbers == {0, 1}  # Airflow starts them in any order


def test_every_container_is_restricted(run: dict[str, Any]) -> None:
    for pod in run["pods"]:
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not spec.get("hostNetwork")
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, container["name"]
            assert security["readOnlyRootFilesystem"] is True, container["name"]
            assert security["capabilities"] == {"drop": ["ALL"]}, container["name"]


def test_nothing_is_pulled_that_is_there(run: dict[str, Any]) -> None:
    for pod in run["pods"]:
        work, sidecar = pod["spec"]["containers"]
        assert (work["name"], work["image"]) == ("base", "one-pipeline:dev")
        assert (sidecar["name"], sidecar["image"]) == ("airflow-xcom-sidecar", "busybox:1.37")
        assert {work["imagePullPolicy"], sidecar["imagePullPolicy"]} == {"IfNotPresent"}


def test_what_is_written_has_a_volume(run: dict[str, Any]) -> None:
    for pod in run["pods"]:
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        mounts = {mount["mountPath"]: mount["name"] for mount in pod["spec"]["containers"][0]["volumeMounts"]}
        assert {"/tmp", "/store", "/airflow/xcom"} == {*mounts}
        assert {*mounts.values()} == {*volumes}


def test_the_connection_chooses_the_namespace(run: dict[str, Any]) -> None:
    assert {pod["metadata"]["namespace"] for pod in run["pods"]} == {"labs"}


def test_no_pod_carries_a_secret(run: dict[str, Any]) -> None:
    assert "no-pod-may-carry" not in json.dumps(run["pods"])
    for pod in run["pods"]:
        assert pod["spec"]["containers"][0]["envFrom"] == [{"secretRef": {"name": "late-arrival", "optional": True}}]


def test_the_image_is_the_one_that_the_project_builds() -> None:
    container = yaml.safe_load(POD.read_text())["spec"]["containers"][0]
    assert container["image"] == STEPS_IMAGE
    user = yaml.safe_load(POD.read_text())["spec"]["securityContext"]["runAsUser"]
    assert f"USER {user}\n" in (ROOT / "infra" / "Dockerfile").read_text()


def test_a_pod_that_fails_says_why(tmp_path: Path) -> None:
    from module4.lab1_airflow.environment import airflow_environment

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/labs/airflow_pod_failures.py"]
    environment = airflow_environment(tmp_path)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_cluster_of_ours_needs_no_connection_to_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from module4.lab1_airflow import environment

    file = tmp_path / "airflow.json"
    monkeypatch.setattr(environment, "CLUSTER", file)
    monkeypatch.setenv("KUBECONFIG", "/mine")
    monkeypatch.delenv(environment.CONNECTION, raising=False)
    before = environment.airflow_environment(tmp_path)
    assert environment.CONNECTION not in before
    file.write_text(json.dumps(CONNECTION))
    found = environment.airflow_environment(tmp_path)
    assert json.loads(found[environment.CONNECTION]) == CONNECTION
    assert (before.get("KUBECONFIG"), found.get("KUBECONFIG")) == ("/mine", None)  # Airflow refuses two
    monkeypatch.setenv(environment.CONNECTION, "mine")
    assert environment.airflow_environment(tmp_path)[environment.CONNECTION] == "mine"


@pytest.mark.parametrize("dag", ["training", "training_in_pods"])
def test_a_run_in_pods_is_triggered_by_name(dag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from module4.lab1_airflow import __main__ as commands

    monkeypatch.setenv("PIPELINE_STORE", str(tmp_path))
    (tmp_path / "airflow_home").mkdir()
    (tmp_path / "airflow_home" / "airflow.db").touch()
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(commands, "_airflow", lambda *arguments: seen.append(arguments))
    said = CliRunner().invoke(commands.app, ["trigger", "--preset", "lab", "--dag", dag])
    assert said.exit_code == 0, said.output
    assert seen == [("dags", "trigger", dag, "--conf", '{"config": "lab"}')]
    assert (POD.parent / f"{dag}.py").is_file()
    line = subprocess.run(
        ["make", "-n", "airflow-trigger", f"DAG={dag}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f'trigger --preset "tiny" --dag "{dag}"' in line.stdout


def test_another_dag_cannot_be_triggered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from module4.lab1_airflow.__main__ import app

    monkeypatch.setenv("PIPELINE_STORE", str(tmp_path))
    said = CliRunner().invoke(app, ["trigger", "--dag", "inference"])
    assert said.exit_code == 2
    assert "training_in_pods" in said.output


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
