"""Compile the pipelines to the files that a cluster gets: the graph, and the source of every component.

`training-cluster.yaml` has two documents: the pipeline, and Kubernetes' settings. `training.yaml` is the first one
alone, for readers that accept only one, such as Vertex AI. Both also run on this machine. The files are in Git, and a
test compares them with what the code compiles to.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from kfp import compiler

from module4.lab2_kubeflow.cluster import adapt
from module4.lab2_kubeflow.components import IMAGE
from module4.lab2_kubeflow.pipelines import PIPELINES
from shared.errors import PipelineError

FOLDER = Path(__file__).parent / "compiled"


def compile_all(folder: Path, image: str = IMAGE, nodes: dict[str, str] | None = None, gpus: int = 0) -> list[Path]:
    """Write two files per pipeline into `folder` and return their paths.

    `image` is what pods start from, `nodes` the labels of the nodes that they may run on, and `gpus` the number of
    accelerators for a task that fits a model. Raises PipelineError if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for name, pipeline in PIPELINES.items():
            header, spec, platform = compile_one(pipeline)
            adapt(spec, platform, image, nodes or {}, gpus)
            for file, documents in ((f"{name}.yaml", [spec]), (f"{name}-cluster.yaml", [spec, platform])):
                files.append(folder / file)
                files[-1].write_text(header + yaml.safe_dump_all(documents), encoding="utf-8")
        return files
    except OSError as error:
        raise PipelineError(f"folder: cannot write to {folder} ({error.strerror}). Choose another folder.") from None


def compile_one(pipeline: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return what KFP compiles a pipeline to: the comments at the top, the pipeline, and Kubernetes' settings."""
    with TemporaryDirectory() as folder:
        compiler.Compiler().compile(pipeline, path := f"{folder}/pipeline.yaml")
        text = Path(path).read_text(encoding="utf-8")
    header = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    spec, platform = yaml.safe_load_all(text)
    return header, spec, platform
