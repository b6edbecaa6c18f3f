"""The three pipelines: training, inference, monitoring.

A pipeline function runs once, when it is compiled. Calling a component in it returns a task, whose outputs are
promises; passing a promise to another component draws an arrow. `kfp.local` runs the same pipelines that are compiled
for a cluster.
"""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model

from module4.lab2_kubeflow.cluster import pod
from module4.lab2_kubeflow.components import (
    decide_retraining,
    deploy,
    evaluate,
    load_batch,
    load_data,
    load_model,
    measure_drift,
    predict,
    preprocess,
    propose_trials,
    read_config,
    report_outcome,
    run_trial,
    save_predictions,
    select_best,
    train,
)


def report_after(graph: dsl.PipelineTask) -> None:
    """Add the task that reports how the graph ended, also when it failed.

    On a cluster this works only behind a task that is sure to start: the whole graph, not the graph's last step.
    """
    reported = report_outcome(run_id=dsl.PIPELINE_JOB_NAME_PLACEHOLDER).after(graph)
    pod(reported, memory="500M").ignore_upstream_failure().set_caching_options(False)


@dsl.pipeline
def hyperparameter_search(config: str, code: str, features: Input[Dataset]) -> Model:
    """Run one task per trial, then pick the best. Other pipelines call this one like a component."""
    trials = pod(propose_trials(config=config, code=code), memory="500M")
    with dsl.ParallelFor(trials.output) as trial:
        scored = pod(run_trial(config=config, code=code, features=features, trial=trial))
    best = pod(select_best(config=config, code=code, features=features, results=dsl.Collected(scored.output)))
    return best.output


@dsl.pipeline
def train_and_deploy(config: str, registry: str, code: str) -> Artifact:
    """Will a flight from New York arrive more than 15 minutes late? From raw data to a model in production."""
    flights = pod(load_data(config=config, code=code), memory="2G")
    features = pod(preprocess(config=config, code=code, flights=flights.output), memory="2G")
    baseline = pod(train(config=config, code=code, features=features.output))
    # No data flows from baseline to search. The order is ours: if the baseline cannot be fitted, neither can a trial.
    search = hyperparameter_search(config=config, code=code, features=features.output).after(baseline)
    evaluated = evaluate(
        config=config,
        code=code,
        features=features.output,
        baseline=baseline.output,
        candidate=search.output,
        registry=registry,
    )
    pod(evaluated, store=True)
    deployed = deploy(
        config=config,
        code=code,
        evaluation=evaluated.outputs["evaluation"],
        registry=registry,
        run_id=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,  # KFP fills in the run's name when it starts
    )
    pod(deployed, store=True, tracking=True)
    return deployed.output


@dsl.pipeline
def predict_day(config: str, day: str, registry: str, partitions: str, code: str) -> Artifact:
    """Predict one day's flights. Batch and model do not need each other, so a cluster fetches both at once."""
    batch = pod(load_batch(config=config, code=code, day=day), memory="2G")
    model = pod(load_model(config=config, code=code, registry=registry), store=True)
    predicted = pod(predict(config=config, code=code, batch=batch.output, model=model.output))
    saved = save_predictions(config=config, code=code, predictions=predicted.output, partitions=partitions)
    return pod(saved, store=True).output


@dsl.pipeline
def monitor_and_retrain(config: str, day: str, registry: str, code: str) -> None:
    """Measure drift and decide; behind a condition comes the whole training pipeline."""
    measured = pod(measure_drift(config=config, code=code, day=day, registry=registry), memory="2G", store=True)
    decided = pod(decide_retraining(config=config, code=code, drift=measured.output))
    # kfp.local treats a condition that it cannot evaluate as false, and it finds only values that are returned
    # without a name. So this is one plain comparison of one value, and the configuration is read behind it.
    with dsl.If(decided.outputs["Output"] == True, name="retrain"):
        wanted = pod(read_config(decision=decided.outputs["decision"]), memory="500M").set_caching_options(False)
        train_and_deploy(config=wanted.output, registry=registry, code=code)


# What is run: each of the above, and behind it the task that reports how it ended.


@dsl.pipeline
def training(config: str, registry: str, code: str = "") -> Artifact:
    """Train and deploy, and report the outcome."""
    deployed = train_and_deploy(config=config, registry=registry, code=code)
    report_after(deployed)
    return deployed.output


@dsl.pipeline
def inference(config: str, day: str, registry: str, partitions: str, code: str = "") -> Artifact:
    """Predict a day, and report the outcome. On a cluster a recurring run fills in the day."""
    saved = predict_day(config=config, day=day, registry=registry, partitions=partitions, code=code)
    report_after(saved)
    return saved.output


@dsl.pipeline
def monitoring(config: str, day: str, registry: str, code: str = "") -> None:
    """Monitor the model, and report the outcome."""
    report_after(monitor_and_retrain(config=config, day=day, registry=registry, code=code))


PIPELINES = {"training": training, "inference": inference, "monitoring": monitoring}
