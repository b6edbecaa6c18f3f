"""`python -m infra.cluster COMMAND`: a Kubernetes for the labs. `make cluster-up`, `-status` and `-down` call it.

Every step checks first whether it is done, so after a failure, or on another day, the same command continues.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.engine import (
    ROOT,
    SERVICES_IMAGE,
    STEPS_IMAGE,
    InfraError,
    check_engine,
    exit_on_infra_error,
    image_size,
    output,
)
from infra.stack import SECRETS

CLUSTER = NAMESPACE = "one-pipeline"
KUBEFLOW = "kubeflow"  # the namespace that Kubeflow Pipelines' manifests name
KUBEFLOW_UI = "ml-pipeline-ui"
FOLDER = ROOT / "infra" / "kubernetes"
PRIVATE = FOLDER / ".secrets"
CONNECTION, KUBECONFIG = PRIVATE / "airflow.json", PRIVATE / "airflow.kubeconfig"
MEMORY_GIB, MEMORY_GIB_WITH_KFP = 4, 8
# Kubeflow Pipelines 2.17.0, by commit. Cluster-scoped resources come first: the rest needs their definitions.
KFP = "https://github.com/kubeflow/pipelines/manifests/kustomize/{}?ref=4a3592cb2dd0a91a4652ab93893ec8beda1f3158"
KFP_PARTS = ("cluster-scoped-resources", "env/platform-agnostic")
KFP_SECONDS = 1200  # it pulls 14 images
TOKEN_HOURS = 24
# Platforms that run in the cluster, each a folder of manifests: the service of its web pages, and their port.
WEB_PAGES = {"airflow": ("airflow-api", 8080), "dagster": ("dagster-web", 3000)}
START_SECONDS = 600
HOPELESS = {"ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}
CRASHING, RESTARTS = "CrashLoopBackOff", 4
PATIENCE_SECONDS = 20  # what an earlier, mistaken `make cluster-up` started is replaced within seconds
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

    def up(self, registry: str, platforms: Sequence[str]) -> None:
        """Make everything that the labs need, start the platforms in the cluster, and say where everything is."""
        images = [STEPS_IMAGE, *([SERVICES_IMAGE] if {*platforms} & {*WEB_PAGES} else [])]
        if self.is_kind:
            check_kind("kubeflow" in platforms)
            self.start_kind()
            for image in images:
                self.load_image(image)
        elif not self.answers():
            raise InfraError(
                f"KUBECONTEXT: the cluster of {self.context!r} does not answer. See: kubectl config get-contexts"
            )
        elif registry:
            for image in images:
                push(image, registry)
        say(f"namespace {NAMESPACE}: limits, accounts, network policy, store")
        self.kubectl("apply", "--kustomize", str(FOLDER / "base"), remedy="You need the right to create namespaces.")
        self.write_keys(NAMESPACE, "late-arrival", {name: name for name in STORE_VARIABLES})
        self.write_connection(located(STEPS_IMAGE, registry))
        for platform in platforms:
            if platform == "kubeflow":
                self.install_kubeflow()
            else:
                self.install(platform, registry)
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

    def load_image(self, image: str) -> None:
        """Copy an image to kind's nodes."""
        if image_size(image) is None:
            raise InfraError(f"the image {image} is not there. Build it: make image")
        say(f"copying {image} to the nodes")
        if subprocess.run(["kind", "load", "docker-image", image, f"--name={CLUSTER}"]).returncode:
            raise InfraError(
                "kind did not load the image; the reason is above. Often the disk is full: docker system df"
            )

    def write_keys(self, namespace: str, secret: str, names: Mapping[str, str]) -> None:
        """Write the store's keys from this environment into a secret; without keys in the environment, do nothing."""
        data = {key: os.environ[variable] for variable, key in names.items() if os.environ.get(variable)}
        if data:
            say(f"secret {secret}: {', '.join(sorted(data))} from this environment")
            self.write_secret(namespace, secret, data)

    def write_secret(self, namespace: str, name: str, values: Mapping[str, str]) -> None:
        """Write a secret. Its values travel as input, because other users see a command's arguments."""
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(values)}
        self.kubectl("apply", f"--namespace={namespace}", "--filename=-", text=json.dumps(manifest))

    def read_secret(self, name: str) -> dict[str, str]:
        """Return the values of a secret in the labs' namespace; empty if it is not there."""
        found = self.kubectl("get", "secret", name, f"--namespace={NAMESPACE}", "--ignore-not-found", "--output=json")
        return {key: b64decode(value).decode() for key, value in json.loads(found)["data"].items()} if found else {}

    def install(self, platform: str, registry: str) -> None:
        """Start a platform in the cluster, with PostgreSQL for its records, and wait until it answers."""
        say(f"{platform}: passwords, PostgreSQL, services")
        passwords = self.read_secret("postgres") or database_passwords()
        self.write_secret(NAMESPACE, "postgres", passwords)
        values = self.read_secret(platform) or platform_secrets(platform, passwords)
        if platform == "airflow":
            values |= {"AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection(located(STEPS_IMAGE, registry)))}
            values |= {"PIPELINE_IMAGE": located(STEPS_IMAGE, registry)}
            # A job cannot be changed; preparing the database again is safe.
            self.kubectl("delete", "job", "airflow-init", f"--namespace={NAMESPACE}", "--ignore-not-found")
        self.write_secret(NAMESPACE, platform, values)
        for part in ("postgres", platform):  # a service that does not find its database ends
            manifests = self.kubectl("kustomize", str(FOLDER / part))
            self.kubectl("apply", "--filename=-", text=with_images(manifests, registry))
            self.wait_for_services(part)

    def wait_for_services(self, part: str, namespace: str = NAMESPACE, seconds: float = START_SECONDS) -> None:
        """Wait until all services of a part answer. Raises InfraError, with the reason, if one cannot start."""
        begin, fewest = time.monotonic(), float("inf")
        since: dict[str, float] = {}
        while waiting := [
            name_of(one) for one in self.objects("deployments", part, namespace) if not is_available(one)
        ]:
            if len(waiting) < fewest:
                say(f"waiting for {', '.join(waiting)}")
                fewest = len(waiting)
            for pod in self.objects("pods", part, namespace):
                reason = why_not_running(pod)
                if reason and time.monotonic() - since.setdefault(name_of(pod), time.monotonic()) >= PATIENCE_SECONDS:
                    more = f": {self.last_words(pod)}" if reason == CRASHING else ""
                    raise InfraError(f"pod {name_of(pod)}: {reason}{more}")
            if time.monotonic() - begin > seconds:
                raise InfraError(
                    f"{', '.join(waiting)} did not start within {seconds:.0f} s. See why: "
                    f"kubectl describe pods --namespace {namespace}"
                )
            time.sleep(2)

    def objects(self, kind: str, part: str, namespace: str) -> list[dict[str, Any]]:
        """Return a part's objects of a kind; their names begin with its name."""
        found = self.kubectl("get", kind, f"--namespace={namespace}", "--output=json")
        return [one for one in json.loads(found)["items"] if name_of(one).startswith(part)]

    def last_words(self, pod: Mapping[str, Any]) -> str:
        """Return the last line that a pod wrote before it ended, or the error above it that has a name."""
        namespace = pod["metadata"]["namespace"]
        log = self.kubectl("logs", name_of(pod), f"--namespace={namespace}", "--previous", "--tail=10")
        lines = [line.strip() for line in log.splitlines() if line.strip()] or ["it ends without a word"]
        return next((line for line in reversed(lines) if re.match(r"[\w.]*(Error|Exception)\b", line)), lines[-1])

    def write_connection(self, image: str) -> None:
        """Write the connection that `make ui-airflow` uses, with an account that may only start pods here."""
        say(f"connection for Airflow, for {TOKEN_HOURS} hours: {CONNECTION.relative_to(ROOT)}")
        token = self.kubectl(
            "create", "token", "airflow", f"--namespace={NAMESPACE}", f"--duration={TOKEN_HOURS}h"
        ).strip()
        view = json.loads(self.kubectl("config", "view", "--minify", "--flatten", "--raw", "--output=json"))
        PRIVATE.mkdir(mode=0o700, exist_ok=True)
        write_private(KUBECONFIG, json.dumps(kubeconfig(view, token)))
        write_private(CONNECTION, json.dumps(connection(image, KUBECONFIG)))

    def install_kubeflow(self) -> None:
        """Apply Kubeflow Pipelines' own manifests, wait until it runs, and make what the compiled pipelines ask for."""
        for part in KFP_PARTS:
            say(f"Kubeflow Pipelines: {part}")
            self.kubectl(
                "apply", "--server-side", "--force-conflicts", "--kustomize", KFP.format(part), seconds=300,
                remedy="It is fetched from GitHub: check your network.",
            )  # fmt: skip
            self.kubectl("wait", "--for=condition=established", "--timeout=60s", "crd/applications.app.k8s.io")
        self.kubectl("apply", "--kustomize", str(FOLDER / "kubeflow"))
        self.write_keys(KUBEFLOW, "object-store", KEYS)
        self.wait_for_services("", KUBEFLOW, KFP_SECONDS)

    def status(self) -> None:
        """Print what is in the cluster, and how to use it."""
        if not self.answers():
            raise InfraError(f"the cluster of {self.context!r} does not answer. Start one: make cluster-up")
        for namespace in (NAMESPACE, KUBEFLOW):
            found = self.kubectl("get", "pods,pvc", f"--namespace={namespace}", "--ignore-not-found", "--no-headers")
            print(f"{namespace}:", *(found.strip().splitlines() or ["no pods"]), sep="\n    ")
        print("Airflow here, its steps in pods: make ui-airflow, then make airflow-trigger DAG=training_in_pods")
        forward = f"kubectl --context={self.context} port-forward --namespace="
        if self.objects("deployments", KUBEFLOW_UI, KUBEFLOW):
            print("kubeflow in the cluster: make kubeflow-submit, and http://127.0.0.1:8081 while this runs:")
            print(f"    {forward}{KUBEFLOW} service/{KUBEFLOW_UI} 8081:80")
        for platform, (service, port) in WEB_PAGES.items():
            secret = self.read_secret(platform)
            if secret:
                user = f", user admin, password {secret['AIRFLOW_PASSWORD']}" if platform == "airflow" else ""
                print(f"{platform} in the cluster: http://127.0.0.1:{port}{user}, while this runs:")
                print(f"    {forward}{NAMESPACE} service/{service} {port}")


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


def name_of(one: Mapping[str, Any]) -> str:
    """Return an object's name."""
    return str(one["metadata"]["name"])


def is_available(deployment: Mapping[str, Any]) -> bool:
    """Return whether the newest pods of a deployment are ready, and no older ones left that would count as ready."""
    status = deployment.get("status", {})
    is_seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    wanted = deployment["spec"]["replicas"]
    counts = (status.get(name) for name in ("updatedReplicas", "availableReplicas", "replicas"))
    return is_seen and all(count == wanted for count in counts)


def why_not_running(pod: Mapping[str, Any]) -> str:
    """Return why a pod will not run, in the cluster's words; empty if it runs, or may soon.

    A service that starts before its database ends a few times; that is no reason yet.
    """
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container["state"].get("waiting", {})
        reason = waiting.get("reason", "")
        if reason in HOPELESS or (reason == CRASHING and container["restartCount"] >= RESTARTS):
            return reason if reason == CRASHING else f"{reason}: {waiting.get('message', container['image'])}"
    return ""


def located(image: str, registry: str) -> str:
    """Return an image's name as the cluster pulls it; without a registry, its nodes have it."""
    return f"{registry}/{image}" if registry else image


def with_images(manifests: str, registry: str) -> str:
    """Return manifests with the images of `registry`, and with POSTGRES_IMAGE, if that is set."""
    manifests = manifests.replace(f" {SERVICES_IMAGE}", f" {located(SERVICES_IMAGE, registry)}")
    image = os.environ.get("POSTGRES_IMAGE")
    return re.sub(r"(?<=image: )postgres:\S+", image, manifests) if image else manifests


def database_passwords() -> dict[str, str]:
    """Return new passwords for PostgreSQL and its two roles."""
    return {name: SECRETS[name]() for name in ("POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "DAGSTER_DB_PASSWORD")}


def platform_secrets(platform: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """Return what a platform's services need to know and nobody else may."""
    password = passwords[f"{platform.upper()}_DB_PASSWORD"]
    database = f"postgresql+psycopg2://{platform}:{password}@postgres/{platform}"
    if platform == "dagster":
        return {"DAGSTER_PG_URL": database}
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__CORE__FERNET_KEY": SECRETS["AIRFLOW_FERNET_KEY"](),
        "AIRFLOW__API__SECRET_KEY": SECRETS["AIRFLOW_SECRET_KEY"](),
        "AIRFLOW__API_AUTH__JWT_SECRET": SECRETS["AIRFLOW_JWT_SECRET"](),
        "AIRFLOW_PASSWORD": SECRETS["AIRFLOW_PASSWORD"](),
    }


def push(image: str, registry: str) -> None:
    """Push an image to a registry that the cluster can pull from."""
    check_engine()
    target = located(image, registry)
    say(f"pushing {target}")
    if output(["docker", "tag", image, target]) is None:
        raise InfraError(f"the image {image} is not there. Build it: make image")
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


def connection(image: str, kubeconfig: Path | None = None) -> dict[str, Any]:
    """Return Airflow's connection: through a kubeconfig, or from inside the cluster.

    The sidecar that returns results is the steps' own image.
    """
    where = {"kube_config_path": str(kubeconfig)} if kubeconfig else {"in_cluster": True}
    return {
        "conn_type": "kubernetes",
        "extra": {"namespace": NAMESPACE, **where, "xcom_sidecar_container_image": image},
    }


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
    for platform in (*WEB_PAGES, "kubeflow"):
        memory = " (8 GiB of memory)" if platform == "kubeflow" else ""
        parser.add_argument(
            f"--{platform}", dest="platforms", action="append_const", const=platform,
            help=f"start {platform.title()} in the cluster too{memory}",
        )  # fmt: skip
    options = parser.parse_args()
    with exit_on_infra_error(f"cluster-{options.command}"):
        if options.registry and not options.context:
            raise InfraError("REGISTRY: only a cluster of your own pulls from it. Name that too: KUBECONTEXT=…")
        cluster = Cluster(options.context)
        if options.command == "up":
            cluster.up(options.registry, options.platforms or [])
        elif options.command == "status":
            cluster.status()
        else:
            down(cluster)


if __name__ == "__main__":
    main()
