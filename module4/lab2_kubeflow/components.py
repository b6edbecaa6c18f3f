"""The steps as Kubeflow components: each a function that KFP copies, as text, into a container and runs there.

Values travel as parameters, data as typed artifacts: `path` is where KFP wants the files, `metadata` what it shows and
remembers. `code` is the version of `shared`: no step reads it, but KFP's cache sees all parameters, and so the result
of other code is not taken for one of this code.
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

IMAGE = "one-pipeline:dev"  # `make image`: everything is installed in it, nothing needs to be when a task starts

component = dsl.component(base_image=IMAGE, install_kfp_package=False)


@component
def load_data(config: str, code: str, flights: Output[Dataset]) -> None:
    """Read, validate and join the sources."""
    from shared import steps

    flights.metadata.update(steps.load_data(config, flights.path), config=config, code=code)


@component
def preprocess(config: str, code: str, flights: Input[Dataset], features: Output[Dataset]) -> None:
    """Turn the flights into the model's features, split by weeks."""
    from shared import steps

    features.metadata.update(steps.preprocess(config, flights.path, features.path), config=config, code=code)


@component
def train(config: str, code: str, features: Input[Dataset], baseline: Output[Model]) -> None:
    """Fit the baseline."""
    from shared import steps

    baseline.metadata.update(steps.train(config, features.path, baseline.path), config=config, code=code)


@component
def propose_trials(config: str, code: str) -> list[str]:
    """Return the search's trials, each as JSON: in a list of dictionaries KFP would turn integers into floats."""
    from shared import steps

    return steps.propose_trials(config)


@component
def run_trial(config: str, code: str, features: Input[Dataset], trial: str) -> str:
    """Score one trial on the validation weeks."""
    from shared import steps

    return steps.run_trial(config, features.path, trial)


@component
def select_best(config: str, code: str, features: Input[Dataset], results: list[str], candidate: Output[Model]) -> None:
    """Fit the best trial's settings again."""
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
    written = open_artifact(evaluation.path)
    judged = Evaluation.read(written)
    for name, value in judged.metrics[judged.winner].items():
        metrics.log_metric(name, value)
    late, probability = judged.predictions["late"], judged.predictions["probability"]
    curves.log_roc_curve(*roc_points(late, probability))
    curves.log_confusion_matrix(*confusion(late, probability))
    Path(report.path).write_bytes(written.read("report.md"))
    Path(page.path).write_text(evaluation_html(judged, written.read("report.png")), encoding="utf-8")


@component
def deploy(
    config: str, code: str, evaluation: Input[Artifact], registry: str, run_id: str, deployment: Output[Artifact]
) -> None:
    """Register the winner and promote it if it passed the gate."""
    from shared import steps

    summary = steps.deploy(config, evaluation.path, registry, deployment.path, platform="kubeflow", run_id=run_id)
    deployment.metadata.update(summary, config=config, code=code)


@component
def report_outcome(run_id: str, status: PipelineTaskFinalStatus, outcome: Output[Markdown]) -> None:
    """Say how the pipeline ended. KFP fills in `status`; a team would send the line to its chat."""
    from pathlib import Path

    line = f"{run_id}: {status.state}" + (f", {status.error_message}" if status.error_message else "")
    print(line)
    Path(outcome.path).write_text(f"{line}\n", encoding="utf-8")
    outcome.metadata["state"] = status.state
