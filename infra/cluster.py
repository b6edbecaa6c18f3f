"""`python -m infra.cluster COMMAND`: a Kubernetes for the labs. `make cluster-up`, `-status` and `-down` call it.

Every step checks first whether it is done, so after a failure, or on another day, the same command continues.
"""

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.engine import ROOT, STEPS_IMAGE, InfraError, check_engine, exit_on_infra_error, image_size, output

CLUSTER = NAMESPACE = "one-pipeline"
FOLDER = ROOT / "infra" / "kubernetes"
PRIVATE = FOLDER / ".secrets"
CONNECTION, KUBECONFIG = PRIVATE / "airflow.json", PRIVATE / "airflow.kubeconfig"
MEMORY_GIB, MEMORY_GIB_WITH_KFP = 4, 8
# Kubeflow Pipelines 2.17.0, by commit. Cluster-scoped resources come first: the rest needs their definitions.
KFP = "https://github.com/kubeflow/pipelines/manifests/kustomize/{}?ref=4a3592cb2dd0a91a4652ab93893ec8beda1f3158"
KFP_PARTS = ("cluster-scoped-resources", "env/platform-agnostic")
KFP_SECONDS = 1200  # it pulls 14 images
TOKEN_HOURS = 24
# Keys of an S3 store: the variable, and their name in the secret that the compiled Kubeflow pipelines read.
KEYS = {"AWS_ACCESS_KEY_ID": "access-key", "AWS_SECRET_ACCESS_KEY": "secret-key"}
STORE_VARIABLES = (*KEYS, "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN")


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(f"cluster: {text}", flush=True)


class Cluster:
    """One cluster: kind's, or the one of a context of the user's own kubeconfig."""

    def __init__(self, context: str = "") -> None:
        self.is_kind = not context
        self.context = context or f"kind-{CLUSTER}"
        if not shutil.which("kubectl"):
            raise InfraError("kubectl not found. Install it: https://kubernetes.io/docs/tasks/tools")

    def kubectl(self, *arguments: str, text: str | None = None, seconds: float = 120, remedy: str = "") -> str:
        """Run kubectl against this cluster, with `text` as its input, and return what it prints.

        Raises InfraError with kubectl's own last line and the remedy if it fails or takes longer than `seconds`.
        """
        try:
            done = subprocess.run(
                ["kubectl", f"--context={self.context}", *arguments],
                input=text,
                capture_output=True,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise InfraError(f"kubectl {arguments[0]} took longer than {seconds:.0f} s. {remedy}".rstrip()) from None
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise InfraError(f"kubectl {arguments[0]}: {reason} {remedy}".rstrip())
        return done.stdout

    def answers(self) -> bool:
        """Return whether the cluster's API answers."""
        return output(["kubectl", f"--context={self.context}", "get", "--raw", "/readyz"], 30) == "ok"

    def up(self, registry: str, kubeflow: bool) -> None:
        """Make everything that the labs need, and say where it is. `kubeflow` adds Kubeflow Pipelines."""
        if self.is_kind:
            check_kind(kubeflow)
            self.start_kind()
            self.load_image()
        elif not self.answers():
            raise InfraError(
                f"KUBECONTEXT: the cluster of {self.context!r} does not answer. See: kubectl config get-contexts"
            )
        elif registry:
            push(registry)
        say(f"namespace {NAMESPACE}: limits, accounts, network policy, store")
        self.kubectl("apply", "--kustomize", str(FOLDER / "base"), remedy="You need the right to create namespaces.")
        self.write_keys(NAMESPACE, "late-arrival", {name: name for name in STORE_VARIABLES})
        self.write_connection(f"{registry}/{STEPS_IMAGE}" if registry else STEPS_IMAGE)
        if kubeflow:
            self.install_kubeflow()
        self.status()

    def start_kind(self) -> None:
        """Create kind's cluster, unless it is there and answers."""
        if CLUSTER in (output(["kind", "get", "clusters"]) or "").split():
            if self.answers():
                return say("kind's cluster is there")
            raise InfraError(
                "kind's cluster does not answer. Start Docker, or make a new one: make cluster-down cluster-up"
            )
        say("creating kind's cluster, which takes a few minutes")
        if subprocess.run(["kind", "create", "cluster", f"--config={FOLDER / 'kind.yaml'}", "--wait=300s"]).returncode:
            output(["kind", "delete", "cluster", f"--name={CLUSTER}"], 300)
            raise InfraError("kind did not create the cluster; the reason is above. Often Docker lacks memory or disk.")

    def load_image(self) -> None:
        """Copy the steps' image to kind's nodes."""
        if image_size(STEPS_IMAGE) is None:
            raise InfraError(f"the image {STEPS_IMAGE} is not there. Build it: make image")
        say(f"copying {STEPS_IMAGE} to the nodes")
        if subprocess.run(["kind", "load", "docker-image", STEPS_IMAGE, f"--name={CLUSTER}"]).returncode:
            raise InfraError(
                "kind did not load the image; the reason is above. Often the disk is full: docker system df"
            )

    def write_keys(self, namespace: str, secret: str, names: Mapping[str, str]) -> None:
        """Write the store's keys from this environment into a secret; without keys in the environment, do nothing."""
        data = {key: os.environ[variable] for variable, key in names.items() if os.environ.get(variable)}
        if not data:
            return
        say(f"secret {secret}: {', '.join(sorted(data))} from this environment")
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret}, "stringData": data}
        self.kubectl("apply", f"--namespace={namespace}", "--filename=-", text=json.dumps(manifest))

    def write_connection(self, image: str) -> None:
        """Write the connection that `make ui-airflow` uses, with an account that may only start pods here."""
        say(f"connection for Airflow, for {TOKEN_HOURS} hours: {CONNECTION.relative_to(ROOT)}")
        token = self.kubectl(
            "create", "token", "airflow", f"--namespace={NAMESPACE}", f"--duration={TOKEN_HOURS}h"
        ).strip()
        view = json.loads(self.kubectl("config", "view", "--minify", "--flatten", "--raw", "--output=json"))
        PRIVATE.mkdir(mode=0o700, exist_ok=True)
        write_private(KUBECONFIG, json.dumps(kubeconfig(view, token)))
        write_private(CONNECTION, json.dumps(connection(image)))

    def install_kubeflow(self) -> None:
        """Apply Kubeflow Pipelines' own manifests, wait until it runs, and make what the compiled pipelines ask for."""
        for part in KFP_PARTS:
            say(f"Kubeflow Pipelines: {part}")
            self.kubectl(
                "apply", "--server-side", "--force-conflicts", "--kustomize", KFP.format(part), seconds=300,
                remedy="It is fetched from GitHub: check your network.",
            )  # fmt: skip
            self.kubectl("wait", "--for=condition=established", "--timeout=60s", "crd/applications.app.k8s.io")
        say("waiting for Kubeflow Pipelines, which pulls 14 images")
        self.kubectl(
            "wait", "--namespace=kubeflow", "--for=condition=available", f"--timeout={KFP_SECONDS}s",
            "deployment", "--all", seconds=KFP_SECONDS + 60,
            remedy="See which pods wait, and why: kubectl get pods --namespace kubeflow",
        )  # fmt: skip
        self.kubectl("apply", "--kustomize", str(FOLDER / "kubeflow"))
        self.write_keys("kubeflow", "object-store", KEYS)

    def status(self) -> None:
        """Print what is in the cluster, and how to use it."""
        if not self.answers():
            raise InfraError(f"the cluster of {self.context!r} does not answer. Start one: make cluster-up")
        for namespace in (NAMESPACE, "kubeflow"):
            found = self.kubectl("get", "pods,pvc", f"--namespace={namespace}", "--ignore-not-found", "--no-headers")
            print(f"{namespace}:", *(found.strip().splitlines() or ["no pods"]), sep="\n    ")
        print("Airflow's pods: make ui-airflow, then trigger training_in_pods with the store /store")


def check_kind(kubeflow: bool) -> None:
    """Raise InfraError if kind, an engine, or the memory for the labs is missing."""
    if not shutil.which("kind"):
        raise InfraError(
            "kind not found. Install it, or name your own cluster, KUBECONTEXT=…: https://kind.sigs.k8s.io"
        )
    check_engine()
    total = int(output(["docker", "info", "--format", "{{.MemTotal}}"]) or 0) / 1024**3
    needed = MEMORY_GIB_WITH_KFP if kubeflow else MEMORY_GIB
    if total < needed * 0.9:
        advice = "Give it more, or leave KUBEFLOW=1 out." if kubeflow else "Give it more."
        raise InfraError(f"memory: Docker has {total:.1f} GiB, and {needed} are needed. {advice}")


def push(registry: str) -> None:
    """Push the steps' image to a registry that the cluster can pull from."""
    check_engine()
    target = f"{registry}/{STEPS_IMAGE}"
    say(f"pushing {target}")
    if output(["docker", "tag", STEPS_IMAGE, target]) is None:
        raise InfraError(f"the image {STEPS_IMAGE} is not there. Build it: make image")
    if subprocess.run(["docker", "push", target]).returncode:
        raise InfraError(
            f"REGISTRY: {registry} did not take the image; the reason is above. Log in: docker login {registry}"
        )


def kubeconfig(view: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Return a kubeconfig for the same cluster, whose only user is the account of this token."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CLUSTER, "cluster": view["clusters"][0]["cluster"]}],
        "users": [{"name": "airflow", "user": {"token": token}}],
        "contexts": [{"name": CLUSTER, "context": {"cluster": CLUSTER, "user": "airflow", "namespace": NAMESPACE}}],
        "current-context": CLUSTER,
    }


def connection(image: str) -> dict[str, Any]:
    """Return Airflow's connection; the sidecar that returns results is the steps' own image."""
    extra = {"namespace": NAMESPACE, "kube_config_path": str(KUBECONFIG), "xcom_sidecar_container_image": image}
    return {"conn_type": "kubernetes", "extra": extra}


def write_private(file: Path, text: str) -> None:
    """Replace a file by one that only this user can read."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    new.replace(file)


def down(cluster: Cluster) -> None:
    """Delete kind's cluster, or in the user's own one the namespace; and what `up` wrote here."""
    if cluster.is_kind:
        check_engine()
        if output(["kind", "delete", "cluster", f"--name={CLUSTER}"], 300) is None:
            raise InfraError(
                f"kind did not delete the cluster. See: kind get clusters; docker ps --filter name={CLUSTER}"
            )
    else:
        cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s", seconds=180)
    shutil.rmtree(PRIVATE, ignore_errors=True)
    say("gone")


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="make cluster-up", description=__doc__)
    parser.add_argument("command", choices=["up", "status", "down"])
    parser.add_argument("--context", default="", help="a context of your kubeconfig, instead of kind's cluster")
    parser.add_argument("--registry", default="", help="where that cluster pulls images from")
    parser.add_argument("--kubeflow", action="store_true", help="install Kubeflow Pipelines too (8 GiB of memory)")
    options = parser.parse_args()
    with exit_on_infra_error(f"cluster-{options.command}"):
        if options.registry and not options.context:
            raise InfraError("REGISTRY: only a cluster of your own pulls from it. Name that too: KUBECONTEXT=…")
        cluster = Cluster(options.context)
        if options.command == "up":
            cluster.up(options.registry, options.kubeflow)
        elif options.command == "status":
            cluster.status()
        else:
            down(cluster)


if __name__ == "__main__":
    main()
