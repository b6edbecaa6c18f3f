"""Lab 2: the training pipeline in Kubeflow Pipelines' own language.

A pipeline calls components and gets no results but promises; KFP reads the graph from who is given whose promise. The
same definition is run by kfp.local, and compiled for a cluster: `place` adds what only a cluster has.
"""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model

from module4.lab2_kubeflow import components as step
from module4.lab2_kubeflow.places import Pipelines, Place, anywhere, report_after


def define_training(place: Place = anywhere) -> Pipelines:
    """Define the training pipeline for a place."""

    @dsl.pipeline
    def hyperparameter_search(config: str, code: str, features: Input[Dataset]) -> Model:
        """One task per trial, then one pick. A pipeline inside of a pipeline is called like a component."""
        proposed = place(step.propose_trials(config=config, code=code), "500M")
        with dsl.ParallelFor(proposed.output) as trial:
            scored = place(step.run_trial(config=config, code=code, features=features, trial=trial), "1G")
        best = step.select_best(config=config, code=code, features=features, results=dsl.Collected(scored.output))
        return place(best, "1G").output

    @dsl.pipeline
    def training(config: str, registry: str, code: str = "") -> Artifact:
        """Will a flight from New York arrive more than 15 minutes late? From raw data to a model in production."""
        loaded = place(step.load_data(config=config, code=code), "2G")
        prepared = place(step.preprocess(config=config, code=code, flights=loaded.output), "2G")
        baseline = place(step.train(config=config, code=code, features=prepared.output), "1G")
        # No data tells KFP that the search comes after the baseline: if that cannot be fitted, no trial can.
        search = hyperparameter_search(config=config, code=code, features=prepared.output).after(baseline)
        evaluated = step.evaluate(
            config=config,
            code=code,
            features=prepared.output,
            baseline=baseline.output,
            candidate=search.output,
            registry=registry,
        )
        # The last two read and change the registry, which is no artifact of this run: a cached result would be stale.
        place(evaluated, "1G").set_caching_options(False)
        deployed = step.deploy(
            config=config,
            code=code,
            evaluation=evaluated.outputs["evaluation"],
            registry=registry,
            run_id=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,  # filled in when it runs: the name under which KFP keeps the run
        )
        return place(deployed, "1G").set_caching_options(False).output

    @dsl.pipeline(name="training")
    def reported(config: str, registry: str, code: str = "") -> Artifact:
        """Train, and report the outcome however it ended."""
        trained = training(config=config, registry=registry, code=code)
        report_after(trained, place)
        return trained.output

    return Pipelines(training, reported)


training, reported_training = define_training()
