"""Weights & Biases: one tracked run per training run, if the configuration asks for it (offline or online).

The key for online runs comes from the environment or from `wandb login`; it is never part of the configuration.
"""

import tempfile
from pathlib import Path

from shared.config import PipelineConfig
from shared.deployment import Deployment, Judged
from shared.errors import PipelineError
from shared.fitted import MODEL_FILE

PROJECT = "one-pipeline-four-platforms"
PIPELINE = "training"


def log_run(
    config: PipelineConfig, evaluation: Judged, deployment: Deployment, *, platform: str, run_id: str
) -> str | None:
    """Log a finished training run and return the folder of its local record; do nothing when tracking is disabled.

    Tags: platform, pipeline, preset. Configuration: the hyperparameters and the platform's own run id. Summary: the
    test metrics. Artifact: the model. Offline records go to `wandb/` below WANDB_DIR (default: the current folder).
    """
    if config.tracking == "disabled":
        return None
    import wandb

    run_config = {
        **config.model_dump(mode="json"),
        "platform": platform,
        "pipeline": PIPELINE,
        "platform_run_id": run_id,
        "fingerprint": deployment.fingerprint["fingerprint"],
    }
    try:
        with wandb.init(
            project=PROJECT,
            mode=config.tracking,
            name=f"{platform}-{config.preset}-{deployment.version}",
            group=platform,
            job_type=PIPELINE,
            tags=[platform, PIPELINE, config.preset],
            config=run_config,
            settings=wandb.Settings(console="off", silent=True, x_disable_stats=True),
        ) as run:
            run.summary.update({"winner": evaluation.winner, "in_production": deployment.in_production})
            for name, metrics in evaluation.metrics.items():
                run.summary.update({f"{name}/{metric}": value for metric, value in metrics.items()})
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / MODEL_FILE
                path.write_bytes(evaluation.outputs()[0])
                model = wandb.Artifact(config.model_name, type="model", metadata={"version": deployment.version})
                model.add_file(str(path))
                run.log_artifact(model)
            return str(run.dir)
    except wandb.errors.UsageError as error:
        raise PipelineError(
            f"tracking: W&B cannot record this run ({error}). Set WANDB_API_KEY, or use tracking=offline."
        ) from None
