"""Every step as a Kubeflow component: a function that KFP copies, as text, into a container and runs there.

Values travel as parameters, data as typed artifacts: `path` is where KFP wants the files, `metadata` is what it shows
and records. No step reads `code`, the version of `shared`. It is a parameter because KFP's cache compares parameters:
after a change of the code, no old result is reused.
"""

from kfp import dsl
from kfp.dsl import (
    HTML,
    Artifact,
    ClassificationMetrics,
    Dataset,
    Input,
    Markdown,
    Metrics,
    Model,
    Output,
    PipelineTaskFinalStatus,
)

IMAGE = (
    "one-pipeline:dev"  # built by `make image` with everything installed, so tasks start without installing anything
)

component = dsl.component(base_image=IMAGE, install_kfp_package=False)


# Training


@component
def load_data(config: str, code: str, flights: Output[Dataset]) -> None:
    """Read, validate and join the sources."""
    from shared import steps

    summary = steps.load_data(config, flights.path)
    flights.metadata.update(summary, config=config, code=code)


@component
def preprocess(config: str, code: str, flights: Input[Dataset], features: Output[Dataset]) -> None:
    """Turn the flights into the model's features, split by weeks."""
    from shared import steps

    summary = steps.preprocess(config, flights.path, features.path)
    features.metadata.update(summary, config=config, code=code)


@component
def train(config: str, code: str, features: Input[Dataset], baseline: Output[Model]) -> None:
    """Fit the baseline."""
    from shared import steps

    summary = steps.train(config, features.path, baseline.path)
    baseline.metadata.update(summary, config=config, code=code)


@component
def propose_trials(config: str, code: str) -> list[str]:
    """Return the search's trials, each as JSON: inside a list of dictionaries KFP would turn integers into floats."""
    from shared import steps

    return steps.propose_trials(config)


@component
def run_trial(config: str, code: str, features: Input[Dataset], trial: str) -> str:
    """Score one trial on the validation weeks."""
    from shared import steps

    return steps.run_trial(config, features.path, trial)


@component
def select_best(config: str, code: str, features: Input[Dataset], results: list[str], candidate: Output[Model]) -> None:
    """Refit the model with the best trial's hyperparameters."""
    from shared import steps

    summary = steps.select_best(config, features.path, results, candidate.path)
    candidate.metadata.update(summary, config=config, code=code)


@component
def evaluate(
    config: str,
    code: str,
    features: Input[Dataset],
    baseline: Input[Model],
    candidate: Input[Model],
    registry: str,
    evaluation: Output[Artifact],
    metrics: Output[Metrics],
    curves: Output[ClassificationMetrics],
    report: Output[Markdown],
    page: Output[HTML],
) -> None:
    """Compare baseline, candidate and champion on the test weeks; KFP's UI draws what is logged here."""
    from pathlib import Path

    from shared import steps
    from shared.evaluation import Evaluation
    from shared.report import confusion, evaluation_html, roc_points
    from shared.storage import open_artifact

    summary = steps.evaluate(config, features.path, baseline.path, candidate.path, registry, evaluation.path)
    evaluation.metadata.update(summary, config=config, code=code)

    files = open_artifact(evaluation.path)
    result = Evaluation.read(files)
    late, probability = result.predictions["late"], result.predictions["probability"]
    for name, value in result.metrics[result.winner].items():
        metrics.log_metric(name, value)
    curves.log_roc_curve(*roc_points(late, probability))
    curves.log_confusion_matrix(*confusion(late, probability))
    Path(report.path).write_bytes(files.read("report.md"))
    Path(page.path).write_text(evaluation_html(result, files.read("report.png")), encoding="utf-8")


@component
def deploy(
    config: str, code: str, evaluation: Input[Artifact], registry: str, run_id: str, deployment: Output[Artifact]
) -> None:
    """Register the winner and promote it if it passed the gate."""
    from shared import steps

    summary = steps.deploy(config, evaluation.path, registry, deployment.path, platform="kubeflow", run_id=run_id)
    deployment.metadata.update(summary, config=config, code=code)


# Inference


@component
def load_batch(config: str, code: str, day: str, batch: Output[Dataset]) -> None:
    """Build the features of the flights scheduled on a day."""
    from shared import steps

    summary = steps.load_batch(config, day, batch.path)
    batch.metadata.update(summary, config=config, code=code)


@component
def load_model(config: str, code: str, registry: str, model: Output[Model]) -> None:
    """Fetch the model that is in production now."""
    from shared import steps

    summary = steps.load_model(config, registry, model.path)
    model.metadata.update(summary, config=config, code=code)


@component
def predict(config: str, code: str, batch: Input[Dataset], model: Input[Model], predictions: Output[Dataset]) -> None:
    """Predict the batch with the model."""
    from shared import steps

    summary = steps.predict(config, batch.path, model.path, predictions.path)
    predictions.metadata.update(summary, config=config, code=code)


@component
def save_predictions(
    config: str, code: str, predictions: Input[Dataset], partitions: str, saved: Output[Artifact]
) -> None:
    """Write the predictions to a folder per day, outside of KFP's own files. KFP records only the metadata."""
    from shared import steps

    summary = steps.save_predictions(config, predictions.path, partitions)
    saved.metadata.update(summary, config=config, code=code)


# Monitoring


@component
def measure_drift(config: str, code: str, day: str, registry: str, drift: Output[Artifact]) -> None:
    """Compare the weeks before a day with those that the model in production was fitted on."""
    from shared import steps

    summary = steps.measure_drift(config, registry, day, drift.path)
    drift.metadata.update(summary, config=config, code=code)


@component
def decide_retraining(config: str, code: str, drift: Input[Artifact], decision: Output[Artifact]) -> bool:
    """Decide from the drift. The verdict is a parameter too, because a condition cannot read an artifact."""
    from shared import steps

    summary = steps.decide_retraining(config, drift.path, decision.path)
    decision.metadata.update(summary, code=code)
    return summary["retrain"]


@component
def read_config(decision: Input[Artifact]) -> str:
    """Return the configuration to retrain with."""
    return decision.metadata["config"]


# The end of every pipeline


@component
def report_outcome(run_id: str, status: PipelineTaskFinalStatus, outcome: Output[Markdown]) -> None:
    """Report how the pipeline ended. KFP fills in `status`; a team would post the line to its chat."""
    from pathlib import Path

    line = f"{run_id}: {status.state}"
    if status.error_message:
        line += f", {status.error_message}"
    print(line)
    Path(outcome.path).write_text(f"{line}\n", encoding="utf-8")
    outcome.metadata["state"] = status.state
