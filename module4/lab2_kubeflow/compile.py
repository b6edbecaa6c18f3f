"""The files that a cluster gets: a graph, and each component's source. They stand in Git, and a test writes them again.

`training.yaml` runs anywhere, here too. `training-cluster.yaml` is the same with Kubernetes' own settings, which stand
in a second document of the file.
"""

from pathlib import Path
from typing import Any

import yaml
from kfp import compiler

from module4.lab2_kubeflow.cluster import Cluster
from module4.lab2_kubeflow.components import IMAGE
from module4.lab2_kubeflow.inference import define_inference, reported_inference
from module4.lab2_kubeflow.monitoring import define_monitoring, reported_monitoring
from module4.lab2_kubeflow.pipeline import define_training, reported_training
from shared.errors import PipelineError

FOLDER = Path(__file__).parent / "compiled"


def pipelines(cluster: Cluster) -> dict[str, Any]:
    """Return every pipeline under the name of its file."""
    return {
        "training": reported_training,
        "inference": reported_inference,
        "monitoring": reported_monitoring,
        "training-cluster": define_training(cluster).reported,
        "inference-cluster": define_inference(cluster).reported,
        "monitoring-cluster": define_monitoring(cluster).reported,
    }


def compile_all(folder: Path, cluster: Cluster | None = None) -> list[Path]:
    """Write every pipeline's file into `folder` and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        compile_one(pipeline, folder / f"{name}.yaml")
        for name, pipeline in pipelines(cluster or Cluster(IMAGE)).items()
    ]


def compile_one(pipeline: Any, path: Path) -> Path:
    """Write one pipeline's file and return its path."""
    compiler.Compiler().compile(pipeline, str(path))
    return path


def pipeline_of(run: str) -> Any:
    """Return the pipeline of a local run, by the run's name."""
    return pipelines(Cluster(IMAGE))[run.partition("-")[0]]


def arguments_for(file: Path, **known: str) -> dict[str, str]:
    """Return those of the `known` arguments that a pipeline takes. Raises PipelineError when it needs others."""
    spec = next(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    taken = spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    missing = [name for name, value in taken.items() if name not in known and not value.get("isOptional")]
    if missing:
        raise PipelineError(f"file: {file} needs arguments that are not known here: {', '.join(missing)}.")
    return {name: value for name, value in known.items() if name in taken}
