"""The monitoring pipeline: measures drift, decides, and, if the model is outdated, runs the training pipeline."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Output

from module4.lab2_kubeflow.components import component
from module4.lab2_kubeflow.pipeline import define_training
from module4.lab2_kubeflow.places import Pipelines, Place, anywhere, report_after


@component
def measure_drift(config: str, code: str, day: str, registry: str, drift: Output[Artifact]) -> None:
    """Compare the weeks before a day with those that the model in production was fitted on."""
    from shared import steps

    drift.metadata.update(steps.measure_drift(config, registry, day, drift.path), config=config, code=code)


@component
def decide_retraining(config: str, code: str, drift: Input[Artifact], decision: Output[Artifact]) -> bool:
    """Decide by the drift. The verdict is a value too, because a condition cannot look into an artifact."""
    from shared import steps

    summary = steps.decide_retraining(config, drift.path, decision.path)
    decision.metadata.update(summary, code=code)
    return summary["retrain"]


@component
def read_config(decision: Input[Artifact]) -> str:
    """Return the configuration with which to train again."""
    return decision.metadata["config"]


def define_monitoring(place: Place = anywhere) -> Pipelines:
    """Define the monitoring pipeline for a place."""
    training = define_training(place).graph

    @dsl.pipeline
    def monitoring(config: str, day: str, registry: str, code: str = "") -> None:
        """Two steps, and behind a condition the whole training pipeline."""
        measured = measure_drift(config=config, code=code, day=day, registry=registry)
        place(measured, "2G").set_caching_options(False)  # the registry decides which model is measured
        decided = place(decide_retraining(config=config, code=code, drift=measured.output), "1G")
        # kfp.local takes a condition that it cannot evaluate for false, and it finds only values that are returned
        # without a name: so one plain comparison of one value, and the configuration is read behind it.
        with dsl.If(decided.outputs["Output"] == True, name="retrain"):  # noqa: E712
            config = place(read_config(decision=decided.outputs["decision"]), "500M").set_caching_options(False).output
            training(config=config, registry=registry, code=code)

    @dsl.pipeline(name="monitoring")
    def reported(config: str, day: str, registry: str, code: str = "") -> None:
        """Watch, and report the outcome however it ended."""
        report_after(monitoring(config=config, day=day, registry=registry, code=code), place)

    return Pipelines(monitoring, reported)


monitoring, reported_monitoring = define_monitoring()
