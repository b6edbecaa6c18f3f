"""Lab 2: the training pipeline in Kubeflow Pipelines' own language.

A component is a function that KFP copies, as text, into a container and runs there: it must import what it uses. Values
travel as parameters, data as typed artifacts, whose `path` is where KFP wants the files. A pipeline calls components
and gets no results but promises; KFP reads the graph from who is given whose promise.
"""

from pathlib import Path

from kfp import compiler, dsl
from kfp.dsl import Artifact, Dataset, Input, Markdown, Metrics, Model, Output

from module4.platforms import WORKSPACE

IMAGE = "one-pipeline:dev"  # `make image`: everything is installed in it, nothing needs to be when a task starts
COMPILED = WORKSPACE / "kubeflow" / "pipeline.yaml"

component = dsl.component(base_image=IMAGE, install_kfp_package=False)


@component
def load_data(config: str, flights: Output[Dataset]) -> None:
    """Read, validate and join the sources."""
    from shared import steps

    flights.metadata.update(steps.load_data(config, flights.path))


@component
def preprocess(config: str, flights: Input[Dataset], features: Output[Dataset]) -> None:
    """Turn the flights into the model's features, split by weeks."""
    from shared import steps

    features.metadata.update(steps.preprocess(config, flights.path, features.path))


@component
def train(config: str, features: Input[Dataset], baseline: Output[Model]) -> None:
    """Fit the baseline."""
    from shared import steps

    baseline.metadata.update(steps.train(config, features.path, baseline.path))


@component
def propose_trials(config: str) -> list[str]:
    """Return the search's trials, each as JSON: in a list of dictionaries KFP would turn integers into floats."""
    from shared import steps

    return steps.propose_trials(config)


@component
def run_trial(config: str, features: Input[Dataset], trial: str) -> str:
    """Score one trial on the validation weeks."""
    from shared import steps

    return steps.run_trial(config, features.path, trial)


@component
def select_best(config: str, features: Input[Dataset], results: list[str], candidate: Output[Model]) -> None:
    """Fit the best trial's settings again."""
    from shared import steps

    candidate.metadata.update(steps.select_best(config, features.path, results, candidate.path))


@component
def evaluate(
    config: str,
    features: Input[Dataset],
    baseline: Input[Model],
    candidate: Input[Model],
    registry: str,
    evaluation: Output[Artifact],
    metrics: Output[Metrics],
    report: Output[Markdown],
) -> None:
    """Compare baseline, candidate and champion on the test weeks; KFP's UI shows the metrics and the report."""
    import shutil

    from shared import steps

    summary = steps.evaluate(config, features.path, baseline.path, candidate.path, registry, evaluation.path)
    evaluation.metadata.update(summary)
    metrics.log_metric("roc_auc", summary["roc_auc"])
    metrics.log_metric("log_loss", summary["log_loss"])
    shutil.copyfile(f"{evaluation.path}/report.md", report.path)


@component
def deploy(config: str, evaluation: Input[Artifact], registry: str, run_id: str, deployment: Output[Artifact]) -> None:
    """Register the winner and promote it if it passed the gate."""
    from shared import steps

    deployment.metadata.update(
        steps.deploy(config, evaluation.path, registry, deployment.path, platform="kubeflow", run_id=run_id)
    )


def sized(task: dsl.PipelineTask, memory: str) -> dsl.PipelineTask:
    """Reserve a core and memory for a task's pod, and let it try again: pods get evicted, networks fail."""
    return task.set_cpu_limit("1").set_memory_limit(memory).set_retry(2, backoff_duration="1s", backoff_factor=2)


@dsl.pipeline
def hyperparameter_search(config: str, features: Input[Dataset]) -> Model:
    """One task per trial, then one pick. A pipeline inside of a pipeline is called like a component."""
    proposed = sized(propose_trials(config=config), "500M")
    with dsl.ParallelFor(proposed.output) as trial:
        scored = sized(run_trial(config=config, features=features, trial=trial), "1G")
    best = sized(select_best(config=config, features=features, results=dsl.Collected(scored.output)), "1G")
    return best.output


@dsl.pipeline
def training(config: str, registry: str) -> Artifact:
    """Will a flight from New York arrive more than 15 minutes late? From raw data to a model in production."""
    loaded = sized(load_data(config=config), "2G")
    prepared = sized(preprocess(config=config, flights=loaded.output), "2G")
    baseline = sized(train(config=config, features=prepared.output), "1G")
    # No data tells KFP that the search comes after the baseline: if that cannot be fitted, no trial can.
    search = hyperparameter_search(config=config, features=prepared.output).after(baseline)
    evaluated = evaluate(
        config=config,
        features=prepared.output,
        baseline=baseline.output,
        candidate=search.output,
        registry=registry,
    )
    # The last two read and change the registry, which is no artifact of this run: a cached result would be stale.
    sized(evaluated, "1G").set_caching_options(False)
    deployed = deploy(
        config=config,
        evaluation=evaluated.outputs["evaluation"],
        registry=registry,
        run_id=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,  # filled in when it runs: the name under which KFP keeps the run
    )
    sized(deployed, "1G").set_caching_options(False)
    return deployed.output


def compile_pipeline(target: Path) -> None:
    """Write the pipeline as the one file that a cluster needs: the graph, and each component's source."""
    target.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(training, str(target))


if __name__ == "__main__":
    compile_pipeline(COMPILED)
    print(COMPILED)
