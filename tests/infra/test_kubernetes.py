"""Kubernetes: the manifests rendered where kubectl is, held against the labs, and the commands without a cluster."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import cluster
from infra.engine import STEPS_IMAGE, InfraError
from module4.lab2_kubeflow import cluster as kubeflow

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "kubernetes"
KIND: dict[str, Any] = yaml.safe_load((FOLDER / "kind.yaml").read_text())
POD: dict[str, Any] = yaml.safe_load((ROOT / "module4/lab1_airflow/pod.yaml").read_text())
# What each account was seen to need on a real cluster, and nothing else.
RIGHTS = {
    "airflow": {
        "pods": {"create", "get", "list", "patch", "delete"},
        "pods/log": {"get"},
        "pods/exec": {"get", "create"},
        "events": {"list"},
    },
    "dagster": {
        "jobs": {"create", "get", "list", "delete"},
        "jobs/status": {"get"},
        "pods": {"get", "list"},
        "pods/log": {"get"},
        "events": {"list"},
    },
}


def resources(folder: str) -> list[dict[str, Any]]:
    """The resources that a kustomization lists, in every file that it names, before kustomize changes them."""
    listed = yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text())["resources"]
    return [found for name in listed for found in yaml.safe_load_all((FOLDER / folder / name).read_text())]


BASE = {(found["kind"], found["metadata"]["name"]): found for found in resources("base")}


def test_every_file_of_a_kustomization_is_listed() -> None:
    for kustomization in FOLDER.glob("*/kustomization.yaml"):
        listed = {*yaml.safe_load(kustomization.read_text())["resources"]}
        assert listed == {path.name for path in kustomization.parent.glob("*.yaml")} - {kustomization.name}


@pytest.mark.parametrize("folder", ["base", "kubeflow"])
def test_kustomize_renders_it_in_its_namespace(folder: str) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on this machine")
    done = subprocess.run(["kubectl", "kustomize", FOLDER / folder], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    rendered = list(yaml.safe_load_all(done.stdout))
    assert len(rendered) == len(resources(folder))
    namespace = {"base": cluster.NAMESPACE, "kubeflow": "kubeflow"}[folder]
    assert {found["metadata"].get("namespace") for found in rendered} - {None} == {namespace}
    assert all(found["metadata"]["labels"]["app.kubernetes.io/part-of"] == "one-pipeline" for found in rendered)


@pytest.mark.parametrize("name", RIGHTS)
def test_an_account_has_the_least_rights(name: str) -> None:
    rules = BASE["Role", name]["rules"]
    assert {resource: {*rule["verbs"]} for rule in rules for resource in rule["resources"]} == RIGHTS[name]
    assert BASE["ServiceAccount", name]["automountServiceAccountToken"] is False
    binding = BASE["RoleBinding", name]
    assert binding["roleRef"]["name"] == name
    assert [(subject["kind"], subject["name"]) for subject in binding["subjects"]] == [("ServiceAccount", name)]


def test_nothing_has_rights_outside_the_namespace_or_holds_a_secret() -> None:
    assert not {kind for kind, _ in BASE} & {"ClusterRole", "ClusterRoleBinding", "Secret"}


def test_the_namespace_refuses_pods_that_are_not_restricted() -> None:
    labels = BASE["Namespace", cluster.NAMESPACE]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_what_airflows_pods_ask_for_is_there() -> None:
    claims = {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in POD["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert {("PersistentVolumeClaim", claim) for claim in claims} <= BASE.keys()
    (container,) = POD["spec"]["containers"]
    assert container["image"] == STEPS_IMAGE
    assert f'"{container["envFrom"][0]["secretRef"]["name"]}"' in (ROOT / "infra/cluster.py").read_text()
    selected = BASE["NetworkPolicy", "steps-reach-only-the-store"]["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= POD["metadata"]["labels"].items()
    assert POD["spec"]["serviceAccountName"] == "default"  # every namespace has it; it may do nothing


def test_the_steps_of_a_whole_run_fit_the_quota() -> None:
    hard = BASE["ResourceQuota", "one-pipeline"]["spec"]["hard"]
    (container,) = POD["spec"]["containers"]
    milli = int(container["resources"]["requests"]["cpu"].removesuffix("m"))
    assert 4 * milli <= 1000 * int(hard["requests.cpu"])  # four trials at once
    assert int(hard["pods"]) > 4


def test_what_the_compiled_pipelines_ask_for_is_there() -> None:
    (claim,) = resources("kubeflow")
    assert (claim["kind"], claim["metadata"]["name"]) == ("PersistentVolumeClaim", kubeflow.STORE_VOLUME)
    name, keys = kubeflow.STORE_KEYS
    assert {variable: key for key, variable in keys.items()} == cluster.KEYS
    assert f'"{name}"' in (ROOT / "infra/cluster.py").read_text()
    compiled = "".join(path.read_text() for path in ROOT.glob("module4/lab2_kubeflow/compiled/*.yaml"))
    assert {*re.findall(r"^\s+image: (\S+)$", compiled, re.MULTILINE)} == {STEPS_IMAGE}
    assert {*re.findall(r"pvcName: (\S+)|claimName: (\S+)", compiled)} <= {(kubeflow.STORE_VOLUME, ""), ("", "")}


def test_kind_publishes_nothing_and_its_nodes_are_pinned() -> None:
    assert (KIND["kind"], KIND["apiVersion"], KIND["name"]) == ("Cluster", "kind.x-k8s.io/v1alpha4", cluster.CLUSTER)
    assert [node["role"] for node in KIND["nodes"]] == ["control-plane", "worker"]
    assert not [node for node in KIND["nodes"] if "extraPortMappings" in node]
    assert KIND["networking"]["apiServerAddress"] == "127.0.0.1"
    (image,) = {node["image"] for node in KIND["nodes"]}
    assert re.fullmatch(r"kindest/node:v1\.\d+\.\d+@sha256:[0-9a-f]{64}", image)


def test_kubeflow_pipelines_is_pinned_to_a_commit() -> None:
    assert re.fullmatch(r"https://github\.com/kubeflow/pipelines/\S+\{\}\?ref=[0-9a-f]{40}", cluster.KFP)
    assert cluster.KFP_PARTS[0] == "cluster-scoped-resources"


# The commands


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


def programs(folder: Path, **scripts: str) -> str:
    """A PATH that starts with these programs."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("target", ["cluster-up", "cluster-status", "cluster-down"])
def test_a_cluster_that_does_not_answer_is_one_sentence(target: str, tmp_path: Path) -> None:
    path = programs(tmp_path, kubectl="echo 'The connection was refused' >&2; exit 1")
    said = make(target, "KUBECONTEXT=mine", PATH=path)
    assert said.returncode != 0
    assert re.match(rf"{target}: \S.*\.?\n", said.stderr)
    assert "Traceback" not in said.stderr
    assert len(said.stderr.splitlines()) == 2  # make adds its own line


def test_a_registry_without_a_cluster_is_refused() -> None:
    said = make("cluster-up", "REGISTRY=registry.example")
    assert said.stderr.startswith("cluster-up: REGISTRY: only a cluster of your own")


@pytest.mark.parametrize(("kubeflow", "memory", "refused"), [(False, 4, False), (True, 4, True), (True, 8, False)])
def test_memory_is_checked_for_what_was_asked(
    kubeflow: bool, memory: int, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = f"case $1 in info) echo {memory * 1024**3};; *) echo 28.0.0;; esac"
    monkeypatch.setenv("PATH", programs(tmp_path, kind="exit 0", docker=docker))
    if not refused:
        cluster.check_kind(kubeflow)
        return
    with pytest.raises(InfraError, match=r"memory: Docker has 4\.0 GiB, and 8 are needed\. .*KUBEFLOW=1"):
        cluster.check_kind(kubeflow)


FAKE = """
echo "$@" >> "$LOG"
case "$*" in
  *readyz*) echo ok;;
  *"create token"*) echo a-token;;
  *"config view"*) echo '{"clusters": [{"cluster": {"server": "https://127.0.0.1:7"}}]}';;
  *"--filename=-"*) cat >> "$LOG";;
esac
"""


def test_up_gives_airflow_a_connection_that_only_this_user_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("PATH", programs(tmp_path, kubectl=FAKE))
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-key")
    for name in ("CONNECTION", "KUBECONFIG"):
        monkeypatch.setattr(cluster, name, tmp_path / ".secrets" / getattr(cluster, name).name)
    monkeypatch.setattr(cluster, "PRIVATE", tmp_path / ".secrets")
    monkeypatch.setattr(cluster, "ROOT", tmp_path)
    for _ in range(2):  # the second time continues
        cluster.Cluster("mine").up(registry="", kubeflow=False)
    connection = json.loads(cluster.CONNECTION.read_text())
    assert connection["extra"]["xcom_sidecar_container_image"] == STEPS_IMAGE
    assert connection["extra"]["namespace"] == cluster.NAMESPACE
    config = json.loads(Path(connection["extra"]["kube_config_path"]).read_text(encoding="utf-8"))
    assert config["users"] == [{"name": "airflow", "user": {"token": "a-token"}}]
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:7"
    assert {file.stat().st_mode & 0o777 for file in (cluster.CONNECTION, cluster.KUBECONFIG)} == {0o600}
    commands = [line for line in log.read_text().splitlines() if line.startswith("--context")]
    assert all(line.startswith("--context=mine ") for line in commands)
    assert not [line for line in commands if "the-key" in line]  # other users see a command's arguments
    assert '"AWS_SECRET_ACCESS_KEY": "the-key"' in log.read_text()


def test_what_up_writes_is_ignored_by_git_and_by_the_images() -> None:
    written = str(cluster.CONNECTION.relative_to(ROOT))
    assert subprocess.run(["git", "check-ignore", "-q", written], cwd=ROOT).returncode == 0
    assert "infra/kubernetes/.secrets" in (ROOT / ".dockerignore").read_text().splitlines()
