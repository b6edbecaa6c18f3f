"""Kubernetes: the manifests rendered where kubectl is, held against the labs, and the commands without a cluster."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import airflow_init, cluster
from infra.engine import SERVICES_IMAGE, STEPS_IMAGE, InfraError
from module4.lab2_kubeflow import cluster as kubeflow
from module4.lab2_kubeflow import forward

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


PARTS = sorted(path.parent.name for path in FOLDER.glob("*/kustomization.yaml"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "infra/compose.yaml").read_text())
INSTANCE: dict[str, Any] = yaml.safe_load((FOLDER / "dagster/dagster.yaml").read_text())
JOB: dict[str, Any] = INSTANCE["run_launcher"]["config"]["run_k8s_config"]
POSTGRES_IMAGE = COMPOSE["services"]["postgres"]["image"].removeprefix("${POSTGRES_IMAGE:-").removesuffix("}")


def kustomization(part: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / part / "kustomization.yaml").read_text())
    return found


def parts_of(part: str) -> list[str]:
    """A part, and the parts that its kustomization names as folders."""
    named = [name.removeprefix("../") for name in kustomization(part)["resources"] if name.startswith("../")]
    return [part, *(inner for name in named for inner in parts_of(name))]


def merged(below: Any, above: Any) -> Any:
    """What kustomize makes of a resource and a patch: mappings are joined, and lists of named things by their names."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}
    if isinstance(below, list) and isinstance(above, list) and "name" in below[0]:
        names = dict.fromkeys(one["name"] for one in (*above, *below))
        found = [{one["name"]: one for one in side} for side in (below, above)]
        return [merged(*(side.get(name) for side in found)) for name in names]
    return below if above is None else above


def own_resources(part: str) -> Iterator[dict[str, Any]]:
    """The resources in the files that a kustomization lists, patched."""
    listed = kustomization(part)
    for name in listed["resources"]:
        if name.startswith("../"):
            continue
        for found in yaml.safe_load_all((FOLDER / part / name).read_text()):
            patched = found
            for patch in listed.get("patches", []):
                target = patch["target"]
                if found["kind"] == target["kind"] and re.fullmatch(target["name"], found["metadata"]["name"]):
                    patched = merged(
                        found, {"spec": yaml.safe_load((FOLDER / part / patch["path"]).read_text())["spec"]}
                    )
            yield patched


def resources(part: str) -> list[dict[str, Any]]:
    """All resources of a part: its files', and those of the parts that it names."""
    return [found for name in parts_of(part) for found in own_resources(name)]


def generated(part: str) -> set[str]:
    """The names of the ConfigMaps that are made of files and literals."""
    return {one["name"] for name in parts_of(part) for one in kustomization(name).get("configMapGenerator", [])}


@cache
def rendered(part: str) -> list[dict[str, Any]]:
    """What kubectl makes of a part; generated names lose the hash that follows them."""
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on this machine")
    done = subprocess.run(["kubectl", "kustomize", FOLDER / part], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    names = "|".join(generated(part)) or "nothing"
    return list(yaml.safe_load_all(re.sub(rf"(?<=name: )({names})-[a-z0-9]{{10}}$", r"\1", done.stdout, flags=re.M)))


BASE = {(found["kind"], found["metadata"]["name"]): found for found in resources("base")}
# The services of the platforms that run in the cluster: each Deployment or Job by its name.
SERVICES = {
    found["metadata"]["name"]: found
    for part in ("postgres", *cluster.WEB_PAGES)
    for found in own_resources(part)
    if found["kind"] in ("Deployment", "Job")
}
PODS = {name: found["spec"]["template"]["spec"] for name, found in SERVICES.items()}


@pytest.mark.parametrize("part", PARTS)
def test_every_file_of_a_part_is_used(part: str) -> None:
    listed = kustomization(part)
    used = {"kustomization.yaml", *(name for name in listed["resources"] if not name.startswith("../"))}
    used |= {patch["path"] for patch in listed.get("patches", [])}
    used |= {file for one in listed.get("configMapGenerator", []) for file in one.get("files", [])}
    assert used == {path.name for path in (FOLDER / part).iterdir()}
    assert {*parts_of(part)} <= {*PARTS}


def test_every_part_is_applied() -> None:
    applied = {"base", "kubeflow", *(inner for platform in cluster.WEB_PAGES for inner in parts_of(platform))}
    assert applied == {*PARTS}


@pytest.mark.parametrize("part", PARTS)
def test_kustomize_renders_it_in_its_namespace(part: str) -> None:
    found = rendered(part)
    assert len(found) == len(resources(part)) + len(generated(part))
    namespace = "kubeflow" if part == "kubeflow" else cluster.NAMESPACE
    assert {one["metadata"].get("namespace") for one in found} - {None} == {namespace}
    assert all(one["metadata"]["labels"]["app.kubernetes.io/part-of"] == "one-pipeline" for one in found)
    assert generated(part) == {one["metadata"]["name"] for one in found if one["kind"] == "ConfigMap"}


@pytest.mark.parametrize("part", cluster.WEB_PAGES)
def test_kustomize_renders_the_pods_that_these_tests_read(part: str) -> None:
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]
        for one in rendered(part)
        if "template" in one.get("spec", {})
    }
    assert pods == {name: pod for name, pod in PODS.items() if name in pods}
    assert {name for name in PODS if name.startswith((f"{part}-", "postgres"))} == {*pods}


@pytest.mark.parametrize("name", RIGHTS)
def test_an_account_has_the_least_rights(name: str) -> None:
    rules = BASE["Role", name]["rules"]
    assert {resource: {*rule["verbs"]} for rule in rules for resource in rule["resources"]} == RIGHTS[name]
    assert BASE["ServiceAccount", name]["automountServiceAccountToken"] is False
    binding = BASE["RoleBinding", name]
    assert binding["roleRef"]["name"] == name
    assert [(subject["kind"], subject["name"]) for subject in binding["subjects"]] == [("ServiceAccount", name)]


def test_nothing_has_rights_outside_the_namespace_or_holds_a_secret() -> None:
    kinds = {found["kind"] for part in PARTS for found in resources(part)}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding", "Secret"}
    assert not [part for part in PARTS if "secretGenerator" in kustomization(part)]
    literals = [
        line
        for part in PARTS
        for one in kustomization(part).get("configMapGenerator", [])
        for line in one.get("literals", [])
    ]
    assert not [line for line in literals if re.search(r"(PASSWORD|SECRET|TOKEN|KEY|CONN)=", line)]


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


# The services


@pytest.mark.parametrize("name", PODS)
def test_a_service_is_confined(name: str) -> None:
    pod = PODS[name]
    inside = pod["securityContext"]
    assert inside["runAsNonRoot"] is True
    assert inside["runAsUser"] == inside["runAsGroup"] == inside["fsGroup"] == (70 if name == "postgres" else 10001)
    assert inside["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {*container["resources"]["requests"]} == {"cpu", "memory"}
    assert {*container["resources"]["limits"]} == {"memory"}  # a limit on CPU would slow down what others leave idle
    assert not {"hostNetwork", "hostPID", "hostIPC"} & {*pod}
    assert not [port for port in container.get("ports", []) if "hostPort" in port]


@pytest.mark.parametrize("name", PODS)
def test_a_service_has_the_rights_of_its_platform_or_none(name: str) -> None:
    pod, platform = PODS[name], name.partition("-")[0]
    if platform in RIGHTS:
        assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == (platform, True)
    else:
        assert (pod.get("serviceAccountName"), pod["automountServiceAccountToken"]) == (None, False)


@pytest.mark.parametrize("name", PODS)
def test_a_services_image_is_the_one_that_compose_starts(name: str) -> None:
    (container,) = PODS[name]["containers"]
    if name == "postgres":
        assert container["image"] == POSTGRES_IMAGE
        assert re.fullmatch(r"postgres:\d+-alpine@sha256:[0-9a-f]{64}", POSTGRES_IMAGE)
    else:
        assert (container["image"], container["imagePullPolicy"]) == (SERVICES_IMAGE, "IfNotPresent")


@pytest.mark.parametrize("name", PODS)
def test_what_a_service_mounts_and_reads_is_there(name: str) -> None:
    pod, platform = PODS[name], name.partition("-")[0]
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    claims = {
        found["metadata"]["name"] for found in (*resources("base"), *resources(platform)) if "Claim" in found["kind"]
    }
    for volume in pod["volumes"]:
        (kind,) = volume.keys() - {"name"}
        assert kind in ("emptyDir", "persistentVolumeClaim", "configMap")
        assert kind != "persistentVolumeClaim" or volume[kind]["claimName"] in claims
        assert kind != "configMap" or volume[kind]["name"] in generated(platform)
    for source in container["envFrom"]:
        ((kind, named),) = source.items()
        if kind == "configMapRef":
            assert named["name"] in generated(platform)
        elif named["name"] == "late-arrival":  # the store's keys, if there are any
            assert named["optional"] is True
        else:
            assert named == {"name": platform}  # `make cluster-up` writes one per platform


@pytest.mark.parametrize("part", ["postgres", *cluster.WEB_PAGES])
def test_a_service_answers_at_the_port_that_others_ask(part: str) -> None:
    found = [one for one in own_resources(part) if one["kind"] == "Service"]
    assert found
    for service in found:
        assert service["spec"].keys() == {"selector", "ports"}  # no port of a node, no load balancer
        target = SERVICES[service["metadata"]["name"]]
        assert service["spec"]["selector"] == target["spec"]["template"]["metadata"]["labels"]
        (container,) = PODS[service["metadata"]["name"]]["containers"]
        assert [one["port"] for one in service["spec"]["ports"]] == [one["containerPort"] for one in container["ports"]]
    addresses = {(one["metadata"]["name"], port["port"]) for one in found for port in one["spec"]["ports"]}
    assert part == "postgres" or cluster.WEB_PAGES[part] in addresses


@pytest.mark.parametrize("name", PODS)
def test_a_deployment_selects_its_own_pods_and_the_steps_policy_does_not(name: str) -> None:
    labels = SERVICES[name]["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app": name}
    if SERVICES[name]["kind"] == "Deployment":
        assert SERVICES[name]["spec"]["selector"] == {"matchLabels": labels}
    # A service talks to PostgreSQL and to Kubernetes, which the policy for steps forbids.
    policies = [found for (kind, _), found in BASE.items() if kind == "NetworkPolicy"]
    assert policies
    assert not [one for one in policies if one["spec"]["podSelector"]["matchLabels"].items() <= labels.items()]


def test_airflows_settings_are_those_of_compose() -> None:
    (settings,) = kustomization("airflow")["configMapGenerator"]
    pairs = dict(line.split("=", 1) for line in settings["literals"])
    compose = COMPOSE["services"]["airflow-scheduler"]["environment"]
    assert {*pairs} <= {*compose}
    different = {name for name, value in pairs.items() if value != compose[name]}
    assert different == {"PIPELINE_STORE", "AIRFLOW__CORE__PARALLELISM"}  # a folder on a volume; four pods at once
    secret = cluster.platform_secrets("airflow", cluster.database_passwords())
    assert {*secret} - {"AIRFLOW_PASSWORD"} <= {*compose}
    assert secret["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith("@postgres/airflow")


def test_airflows_api_is_asked_under_a_name_that_it_accepts() -> None:
    (container,) = PODS["airflow-api"]["containers"]
    (header,) = container["readinessProbe"]["httpGet"]["httpHeaders"]
    (settings,) = kustomization("airflow")["configMapGenerator"]
    pairs = dict(line.split("=", 1) for line in settings["literals"])
    assert header == {"name": "Host", "value": "airflow-api"}
    assert pairs["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://{header['value']}:8080/execution/"


def test_airflows_volume_has_the_room_that_its_first_check_wants() -> None:
    (claim,) = (found for found in own_resources("airflow") if "Claim" in found["kind"])
    assert amount(claim["spec"]["resources"]["requests"]["storage"]) >= 2 * airflow_init.DISK_GIB


# Dagster's instance


def test_dagsters_instance_keeps_the_labs_limits_and_reports_nothing_home() -> None:
    lab = yaml.safe_load((ROOT / "module4/lab3_dagster/dagster.yaml").read_text())
    for key in ("telemetry", "nux", "concurrency", "freshness"):
        assert INSTANCE[key] == lab[key], key
    assert INSTANCE["storage"] == {"postgres": {"postgres_url": {"env": "DAGSTER_PG_URL"}}}
    assert {*cluster.platform_secrets("dagster", cluster.database_passwords())} == {"DAGSTER_PG_URL"}


def test_a_run_of_dagster_is_confined_like_its_services() -> None:
    container, pod = JOB["container_config"], JOB["pod_spec_config"]
    service = PODS["dagster-daemon"]
    (main,) = service["containers"]
    assert camel(pod["security_context"]) == service["securityContext"]
    assert camel(container["security_context"]) == main["securityContext"]
    volumes = [volume for volume in service["volumes"] if volume["name"] != "instance"]  # the launcher mounts that
    assert camel(pod["volumes"]) == volumes
    assert camel(container["volume_mounts"]) == [one for one in main["volumeMounts"] if one["name"] != "instance"]
    assert camel(container["env_from"]) == [one for one in main["envFrom"] if "optional" in one["secretRef"]]
    assert {*container["resources"]["limits"]} == {"memory"}


def camel(value: Any) -> Any:
    """The same in the spelling of manifests: Dagster's configuration says run_as_user for runAsUser."""
    if isinstance(value, dict):
        return {re.sub(r"_(.)", lambda found: found[1].upper(), key): camel(one) for key, one in value.items()}
    return [camel(one) for one in value] if isinstance(value, list) else value


def test_a_run_of_dagster_gets_what_its_services_have() -> None:
    launcher = INSTANCE["run_launcher"]["config"]
    (daemon,) = PODS["dagster-daemon"]["containers"]
    variables = {one["name"]: one["value"] for one in daemon["env"]}
    assert {*launcher["env_vars"]} <= {*variables}
    assert launcher["dagster_home"] == variables["DAGSTER_HOME"]
    assert variables["DAGSTER_CURRENT_IMAGE"] == SERVICES_IMAGE
    assert launcher["job_namespace"] == cluster.NAMESPACE
    assert launcher["service_account_name"] == "dagster"
    assert [launcher["instance_config_map"]] == [one["name"] for one in kustomization("dagster")["configMapGenerator"]]
    assert kustomization("dagster")["generatorOptions"] == {"disableNameSuffixHash": True}
    assert launcher["env_secrets"] == ["dagster"]
    (server,) = yaml.safe_load((FOLDER / "dagster/workspace.yaml").read_text())["load_from"]
    (service,) = (
        one
        for one in resources("dagster")
        if one["metadata"]["name"] == server["grpc_server"]["host"] and one["kind"] == "Service"
    )
    assert service["spec"]["ports"] == [{"port": server["grpc_server"]["port"]}]


def test_dagsters_launcher_accepts_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("dagster_k8s", "dagster_postgres"):
        pytest.importorskip(module, reason="not installed: make setup")
    from dagster._config import process_config, resolve_to_config_type
    from dagster._core.instance.config import dagster_instance_config
    from dagster_k8s import K8sRunLauncher

    monkeypatch.setenv("DAGSTER_PG_URL", "postgresql://nobody@nowhere/x")
    config, _ = dagster_instance_config(str(FOLDER / "dagster"))
    assert config["run_launcher"]["class"] == "K8sRunLauncher"
    schema = resolve_to_config_type(K8sRunLauncher.config_type())
    accepted = process_config(schema, config["run_launcher"]["config"])
    assert accepted.success, accepted.errors


# The quota


def amount(text: str) -> float:
    """A quantity of Kubernetes: processors, or GiB."""
    units = {"m": 1 / 1000, "Mi": 1 / 1024, "Gi": 1.0}
    number, unit = re.fullmatch(r"(\d+)(m|Mi|Gi)?", text).groups()  # type: ignore[union-attr]
    return int(number) * units.get(unit, 1.0)


def total(containers: list[Mapping[str, Any]]) -> dict[str, float]:
    """What these containers ask for together, in the quota's words; the namespace's defaults fill what they omit."""
    (default,) = BASE["LimitRange", "one-pipeline"]["spec"]["limits"]
    found = {"requests.cpu": 0.0, "requests.memory": 0.0, "limits.memory": 0.0}
    for container in containers:
        asked = container.get("resources", {})
        requests = {**default["defaultRequest"], **asked.get("requests", {})}
        limits = {**default["default"], **asked.get("limits", {})}
        found["requests.cpu"] += amount(requests["cpu"])
        found["requests.memory"] += amount(requests["memory"])
        found["limits.memory"] += amount(limits["memory"])
    return found


STEPS_AT_ONCE: dict[str, list[Mapping[str, Any]]] = {
    "airflow": [*POD["spec"]["containers"], {}] * 4,  # with the sidecar that Airflow adds
    "dagster": [JOB["container_config"]] * 5,  # the run, and four steps
}


@pytest.mark.parametrize("platform", STEPS_AT_ONCE)
def test_both_platforms_and_a_training_with_four_trials_fit_the_quota(platform: str) -> None:
    hard = BASE["ResourceQuota", "one-pipeline"]["spec"]["hard"]
    services = [
        container
        for name, pod in PODS.items()
        if SERVICES[name]["kind"] == "Deployment"
        for container in pod["containers"]
    ]
    for name, needed in total([*services, *STEPS_AT_ONCE[platform]]).items():
        assert needed <= amount(hard[name]), name
    assert len(PODS) + 5 <= int(hard["pods"])
    claims = {
        found["metadata"]["name"]
        for part in PARTS
        if part != "kubeflow"
        for found in own_resources(part)
        if "Claim" in found["kind"]
    }
    assert len(claims) <= int(hard["persistentvolumeclaims"])
    assert (hard["services.nodeports"], hard["services.loadbalancers"]) == ("0", "0")


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


def test_the_images_of_kubeflow_pipelines_are_of_the_locked_version() -> None:
    images = [line for line in (FOLDER / "kubeflow-images.txt").read_text().splitlines() if not line.startswith("#")]
    locked = re.search(r"^kfp==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert locked is not None
    assert {image.rpartition(":")[2] for image in images if "/kfp-" in image} == {locked[1]}
    assert all(re.fullmatch(r"[\w.-]+\.\w+(/[\w.-]+)+:v?\d[\w.]*", image) for image in images)


def test_lab_2_looks_for_the_server_where_up_installs_it() -> None:
    there = (f"kind-{cluster.CLUSTER}", cluster.KUBEFLOW, f"service/{cluster.KUBEFLOW_UI}")
    assert there == (forward.KIND, forward.NAMESPACE, forward.SERVICE)


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
import base64, json, os, pathlib, sys

state = pathlib.Path(os.environ["STATE"])
arguments = sys.argv[1:]
with (state / "log").open("a") as log:
    log.write(" ".join(arguments) + "\\n")
words = [word for word in arguments if not word.startswith("--context")]
if "--raw" in words and "/readyz" in words:
    print("ok")
elif words[:2] == ["create", "token"]:
    print("a-token")
elif words[:2] == ["config", "view"]:
    print(json.dumps({"clusters": [{"cluster": {"server": "https://127.0.0.1:7"}}]}))
elif words[0] == "kustomize":
    print(f"image: {os.environ['SERVICES']}")
elif "--filename=-" in words:
    text = sys.stdin.read()
    with (state / "applied").open("a") as applied:
        applied.write(text + "\\n")
    if '"Secret"' in text:
        secret = json.loads(text)
        data = {key: base64.b64encode(value.encode()).decode() for key, value in secret["stringData"].items()}
        (state / ("secret-" + secret["metadata"]["name"])).write_text(json.dumps({"data": data}))
elif words[:2] == ["get", "secret"]:
    file = state / f"secret-{words[2]}"
    print(file.read_text() if file.exists() else "", end="")
elif words[0] == "get" and "--output=json" in words:
    file = state / words[1]
    print(file.read_text() if file.exists() else json.dumps({"items": []}))
elif words[0] == "logs":
    print("the last words")
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a kubectl that remembers secrets and what was applied; what `up` writes goes there too."""
    (tmp_path / "fake.py").write_text(FAKE)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", kubectl=f'exec {sys.executable} -S {tmp_path}/fake.py "$@"'))
    monkeypatch.setenv("STATE", str(tmp_path))
    monkeypatch.setenv("SERVICES", SERVICES_IMAGE)
    monkeypatch.delenv("POSTGRES_IMAGE", raising=False)
    for name in ("CONNECTION", "KUBECONFIG"):
        monkeypatch.setattr(cluster, name, tmp_path / ".secrets" / getattr(cluster, name).name)
    monkeypatch.setattr(cluster, "PRIVATE", tmp_path / ".secrets")
    monkeypatch.setattr(cluster, "ROOT", tmp_path)
    return tmp_path


def commands(state: Path) -> list[str]:
    return (state / "log").read_text().splitlines()


def secret(state: Path, name: str) -> dict[str, str]:
    data = json.loads((state / f"secret-{name}").read_text())["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_up_gives_airflow_a_connection_that_only_this_user_can_read(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-key")
    for _ in range(2):  # the second time continues
        cluster.Cluster("mine").up(registry="", platforms=[])
    connection = json.loads(cluster.CONNECTION.read_text())
    assert connection["extra"]["xcom_sidecar_container_image"] == STEPS_IMAGE
    assert connection["extra"]["namespace"] == cluster.NAMESPACE
    config = json.loads(Path(connection["extra"]["kube_config_path"]).read_text(encoding="utf-8"))
    assert config["users"] == [{"name": "airflow", "user": {"token": "a-token"}}]
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:7"
    assert {file.stat().st_mode & 0o777 for file in (cluster.CONNECTION, cluster.KUBECONFIG)} == {0o600}
    assert all(line.startswith("--context=mine ") for line in commands(state))
    assert not [line for line in commands(state) if "the-key" in line]  # other users see a command's arguments
    assert secret(state, "late-arrival")["AWS_SECRET_ACCESS_KEY"] == "the-key"
    assert not [line for line in commands(state) if " kustomize " in line]  # no platform was asked for


def test_secrets_of_the_platforms_are_made_once_and_never_shown(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = cluster.Cluster("mine")
    mine.up(registry="", platforms=["airflow", "dagster"])
    first = {name: secret(state, name) for name in ("postgres", "airflow", "dagster")}
    mine.up(registry="", platforms=["airflow", "dagster"])
    assert {name: secret(state, name) for name in first} == first  # PostgreSQL's volume remembers its passwords
    for platform, variable in (("airflow", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"), ("dagster", "DAGSTER_PG_URL")):
        password = first["postgres"][f"{platform.upper()}_DB_PASSWORD"]
        assert first[platform][variable] == f"postgresql+psycopg2://{platform}:{password}@postgres/{platform}"
    password = first["airflow"]["AIRFLOW_PASSWORD"]
    public = {"PIPELINE_IMAGE", "AIRFLOW_CONN_KUBERNETES_DEFAULT"}
    private = [value for values in first.values() for name, value in values.items() if name not in public]
    assert len({*private}) > 8
    assert not [line for line in commands(state) for value in private if value in line]
    shown = capsys.readouterr().out
    assert [value for value in private if value in shown] == [password]
    for service, port in cluster.WEB_PAGES.values():
        assert f"port-forward --namespace={cluster.NAMESPACE} service/{service} {port}\n" in shown


def test_airflow_in_the_cluster_starts_pods_there_with_the_registrys_image(state: Path) -> None:
    mine = cluster.Cluster("mine")
    mine.install("airflow", "registry.example")
    values = secret(state, "airflow")
    assert values["PIPELINE_IMAGE"] == f"registry.example/{STEPS_IMAGE}"
    connection = json.loads(values["AIRFLOW_CONN_KUBERNETES_DEFAULT"])
    assert connection == cluster.connection(values["PIPELINE_IMAGE"])
    assert connection["extra"]["in_cluster"] is True
    assert "kube_config_path" not in connection["extra"]
    assert f"image: registry.example/{SERVICES_IMAGE}\n" in (state / "applied").read_text()
    deleted = f"--context=mine delete job airflow-init --namespace={cluster.NAMESPACE} --ignore-not-found"
    parts = [Path(line.split()[-1]).name for line in commands(state) if " kustomize " in line]
    assert parts == ["postgres", "airflow"]
    assert deleted in commands(state)[: commands(state).index(f"--context=mine kustomize {FOLDER / 'airflow'}")]


def test_dagster_needs_no_connection(state: Path) -> None:
    cluster.Cluster("mine").install("dagster", "")
    assert {*secret(state, "dagster")} == {"DAGSTER_PG_URL"}
    assert not [line for line in commands(state) if " delete " in line]


def test_images_are_taken_from_the_registry_and_postgresql_from_where_the_user_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = f"image: {SERVICES_IMAGE}\nvalue: {SERVICES_IMAGE}\nimage: {POSTGRES_IMAGE}\nname: postgres\n"
    monkeypatch.delenv("POSTGRES_IMAGE", raising=False)
    assert cluster.with_images(text, "") == text
    there = f"registry.example/{SERVICES_IMAGE}"
    assert cluster.with_images(text, "registry.example") == text.replace(SERVICES_IMAGE, there)
    monkeypatch.setenv("POSTGRES_IMAGE", "mirror.example/postgres:17")
    assert cluster.with_images(text, "") == text.replace(POSTGRES_IMAGE, "mirror.example/postgres:17")


def test_the_manifests_name_no_image_that_a_registry_would_not_replace() -> None:
    for part in cluster.WEB_PAGES:
        text = "".join(path.read_text() for name in parts_of(part) for path in (FOLDER / name).iterdir())
        assert not re.findall(rf"(?<! ){re.escape(SERVICES_IMAGE)}", text)


@pytest.mark.parametrize(
    ("status", "available"),
    [
        ({"observedGeneration": 2, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}, True),
        ({"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}, False),  # stale
        ({"observedGeneration": 2, "availableReplicas": 1, "replicas": 1}, False),  # an old pod still answers
        ({"observedGeneration": 2, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 2}, False),  # the same
        ({"observedGeneration": 2, "updatedReplicas": 1, "replicas": 1}, False),
        ({}, False),
    ],
)
def test_a_deployment_is_available_when_its_newest_pods_are(status: dict[str, int], available: bool) -> None:
    assert cluster.is_available(deployment(status)) is available


def deployment(status: Mapping[str, int]) -> dict[str, Any]:
    return {"metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 1}, "status": {**status}}


def pod(reason: str = "", restarts: int = 0, message: str = "") -> dict[str, Any]:
    waiting = (
        {"waiting": {"reason": reason, **({"message": message} if message else {})}} if reason else {"running": {}}
    )
    container = {"image": "the-image", "state": waiting, "restartCount": restarts}
    return {"metadata": {"name": "web-1", "namespace": "here"}, "status": {"containerStatuses": [container]}}


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (pod(), ""),
        ({"metadata": {"name": "new"}}, ""),
        (pod("ContainerCreating"), ""),
        (pod("CrashLoopBackOff", restarts=3), ""),  # its database may still start
        (pod("CrashLoopBackOff", restarts=4), "CrashLoopBackOff"),
        (pod("ErrImageNeverPull"), "ErrImageNeverPull: the-image"),
        (pod("ImagePullBackOff", message="no such host"), "ImagePullBackOff: no such host"),
        (pod("InvalidImageName"), "InvalidImageName: the-image"),
        (
            pod("CreateContainerConfigError", message='secret "x" not found'),
            'CreateContainerConfigError: secret "x" not found',
        ),
    ],
)
def test_a_pod_that_will_not_run_says_why(seen: dict[str, Any], reason: str) -> None:
    assert cluster.why_not_running(seen) == reason


def test_a_service_that_cannot_start_ends_the_wait_with_the_reason(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = cluster.Cluster("mine")
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 0)
    (state / "deployments").write_text(json.dumps({"items": [deployment({})]}))
    (state / "pods").write_text(json.dumps({"items": [pod(), pod("ImagePullBackOff", message="no such host")]}))
    with pytest.raises(InfraError, match=r"^pod web-1: ImagePullBackOff: no such host$"):
        mine.wait_for_services("web")
    (state / "pods").write_text(json.dumps({"items": [pod("CrashLoopBackOff", restarts=9)]}))
    with pytest.raises(InfraError, match=r"^pod web-1: CrashLoopBackOff: the last words$"):
        mine.wait_for_services("web")
    broken = {**pod(), "status": {"initContainerStatuses": pod("InvalidImageName")["status"]["containerStatuses"]}}
    (state / "pods").write_text(json.dumps({"items": [broken]}))
    with pytest.raises(InfraError, match=r"^pod web-1: InvalidImageName: the-image$"):
        mine.wait_for_services("web")
    (state / "pods").write_text(json.dumps({"items": [pod()]}))
    with pytest.raises(InfraError, match=r"^web did not start within 0 s\. See why: kubectl describe pods --namespace"):
        mine.wait_for_services("web", seconds=0)
    mine.wait_for_services("dagster")  # another part's services are not waited for


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_wait_ends_when_all_services_answer_or_a_pod_has_had_time_to_recover(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = {"observedGeneration": 2, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
    clock = Clock()
    monkeypatch.setattr(cluster, "time", clock)
    deployments = {"pods": lambda: [pod("ImagePullBackOff")], "deployments": lambda: [deployment({})]}
    monkeypatch.setattr(cluster.Cluster, "objects", lambda self, kind, part, namespace: deployments[kind]())
    with pytest.raises(InfraError, match="ImagePullBackOff"):
        cluster.Cluster("mine").wait_for_services("web")
    assert clock.now == cluster.PATIENCE_SECONDS < 60
    clock.now = 0.0
    deployments["deployments"] = lambda: [deployment(ready if clock.now >= 4 else {})]
    cluster.Cluster("mine").wait_for_services("web")
    assert clock.now == 4


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("\n", "it ends without a word"),
        ("starting\nport 80 is taken\n", "port 80 is taken"),
        ("a.b.OperationalError: no host db\n\n(See https://a.page)\n", "a.b.OperationalError: no host db"),
    ],
)
def test_the_last_words_of_a_pod_are_its_error_or_its_last_line(
    log: str, words: str, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    mine = cluster.Cluster("mine")
    monkeypatch.setattr(cluster.Cluster, "kubectl", lambda self, *arguments: log)
    assert mine.last_words(pod()) == words


@pytest.mark.parametrize("asked", [(), ("AIRFLOW",), ("DAGSTER",), ("AIRFLOW", "DAGSTER", "KUBEFLOW")])
def test_make_passes_the_platforms_on(
    asked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, recorded: Callable[..., list[tuple[str, list[str]]]]
) -> None:
    said = make("-n", "cluster-up", "KUBECONTEXT=mine", "REGISTRY=registry.example", *(f"{name}=1" for name in asked))
    assert said.returncode == 0, said.stderr
    words = said.stdout.replace("\\\n", " ").replace('"', "").split()
    arguments = words[words.index("infra.cluster") + 1 :]
    assert recorded(*arguments) == [("registry.example", [name.lower() for name in asked])]


@pytest.fixture
def recorded(state: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, list[str]]]]:
    """Run the command, and return what it asks `up` for."""

    def run(*arguments: str) -> list[tuple[str, list[str]]]:
        seen: list[tuple[str, list[str]]] = []
        monkeypatch.setattr(cluster.Cluster, "up", lambda self, registry, platforms: seen.append((registry, platforms)))
        monkeypatch.setattr(sys, "argv", ["make cluster-up", *arguments])
        cluster.main()
        return seen

    return run


def test_what_up_writes_is_ignored_by_git_and_by_the_images() -> None:
    written = str(cluster.CONNECTION.relative_to(ROOT))
    assert subprocess.run(["git", "check-ignore", "-q", written], cwd=ROOT).returncode == 0
    assert "infra/kubernetes/.secrets" in (ROOT / ".dockerignore").read_text().splitlines()
