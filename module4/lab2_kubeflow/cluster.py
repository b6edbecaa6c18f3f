"""What each task's pod gets from Kubernetes: its share of a node, retries, a time limit, the store, secrets.

The compiler writes Kubernetes' own settings into a second document of the file. Only a cluster reads it, so the
settings can always be there.
"""

from typing import Any

from kfp import dsl, kubernetes

STORE_VOLUME, STORE_MOUNT = "one-pipeline-store", "/store"
TIMEOUT_SECONDS = 2 * 60 * 60
# A secret's name; then its keys, and the environment variables that they become. The file holds names, never values.
STORE_KEYS = ("object-store", {"access-key": "AWS_ACCESS_KEY_ID", "secret-key": "AWS_SECRET_ACCESS_KEY"})
TRACKING_KEY = ("wandb", {"api-key": "WANDB_API_KEY"})
FITS_MODELS = ("train", "run-trial", "select-best")
GPU = "nvidia.com/gpu"


def pod(task: dsl.PipelineTask, memory: str = "1G", store: bool = False, tracking: bool = False) -> dsl.PipelineTask:
    """Return the task, with what its pod needs.

    `store` is for tasks that read or change the registry or the predictions, `tracking` for those that report to W&B.
    """
    # Without a request, a task asks for its whole limit: four trials would wait for four free processors.
    task.set_cpu_request("250m").set_cpu_limit("1").set_memory_limit(memory)
    task.set_retry(2, backoff_duration="1s", backoff_factor=2)  # pods get evicted, networks fail
    kubernetes.set_timeout(task, seconds=TIMEOUT_SECONDS)
    if store:
        # The store is not an artifact of this run, and other runs change it: a cached result would be stale.
        task.set_caching_options(False)
        kubernetes.mount_pvc(task, pvc_name=STORE_VOLUME, mount_path=STORE_MOUNT)
        kubernetes.use_secret_as_env(task, *STORE_KEYS, optional=True)  # for a store at s3://…
    if tracking:
        kubernetes.use_secret_as_env(task, *TRACKING_KEY, optional=True)
    return task


def adapt(spec: dict[str, Any], platform: dict[str, Any], image: str, nodes: dict[str, str], gpus: int) -> None:
    """Change both documents of a compiled pipeline: another image, certain nodes only, accelerators for fitting models.

    In your own pipeline you would write `kubernetes.add_node_selector(task, label, value)`,
    `task.set_accelerator_type(GPU).set_accelerator_limit(1)` and `kubernetes.add_toleration(…)`. Here they are options
    of the command `compile`, because they belong to a cluster, not to the pipeline.
    """
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for name, executor in spec["deploymentSpec"]["executors"].items():
        executor["container"]["image"] = image
        if nodes:
            pods[name]["nodeSelector"] = {"labels": nodes}
        if gpus and name.removeprefix("exec-") in FITS_MODELS:
            executor["container"]["resources"]["accelerator"] = {"resourceType": GPU, "resourceCount": str(gpus)}
            pods[name]["tolerations"] = [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}]
