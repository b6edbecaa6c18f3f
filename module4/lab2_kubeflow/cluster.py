"""What only a cluster has: secrets, a volume, nodes to choose from, an accelerator, a time limit.

These settings are Kubernetes' own, so they stay out of the file that also runs on a laptop or on Vertex AI.
"""

from dataclasses import dataclass

from kfp import dsl, kubernetes

from module4.lab2_kubeflow.places import anywhere

STORE_VOLUME, STORE_MOUNT = "one-pipeline-store", "/store"
USES_STORE = {"evaluate", "deploy", "load-model", "save-predictions", "measure-drift"}
FITS_MODELS = {"train", "run-trial", "select-best"}
# Secret, then its keys and the environment variables that they become in the pod. The file holds names, no values.
STORE_KEYS = ("object-store", {"access-key": "AWS_ACCESS_KEY_ID", "secret-key": "AWS_SECRET_ACCESS_KEY"})
TRACKING_KEY = ("wandb", {"api-key": "WANDB_API_KEY"})


@dataclass(frozen=True)
class Cluster:
    """A `Place` for the tasks of a pipeline: what their pods ask of Kubernetes."""

    image: str
    node_label: tuple[str, str] = ("kubernetes.io/arch", "amd64")
    hours: int = 2
    gpus: int = 0  # our trees do not use one; a pod that asks for one stays pending where there is none

    def __call__(self, task: dsl.PipelineTask, memory: str) -> dsl.PipelineTask:
        """Return the task with what its pod needs."""
        name = task.component_spec.name
        anywhere(task, memory).set_container_image(self.image)
        kubernetes.add_node_selector(task, *self.node_label)
        kubernetes.set_timeout(task, seconds=self.hours * 3600)  # kfp.local knows no time limit, Kubernetes does
        if name in USES_STORE:
            kubernetes.mount_pvc(task, pvc_name=STORE_VOLUME, mount_path=STORE_MOUNT)
            kubernetes.use_secret_as_env(task, *STORE_KEYS, optional=True)  # for a store at s3://…
        if name == "deploy":
            kubernetes.use_secret_as_env(task, *TRACKING_KEY, optional=True)
        if name in FITS_MODELS and self.gpus:
            task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(self.gpus)
            kubernetes.add_toleration(task, key="nvidia.com/gpu", operator="Exists", effect="NoSchedule")
        return task
