"""The inference pipeline: predictions for one day. On a cluster a recurring run fills in the day."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output

from module4.lab2_kubeflow.components import component
from module4.lab2_kubeflow.places import Pipelines, Place, anywhere, report_after


@component
def load_batch(config: str, code: str, day: str, batch: Output[Dataset]) -> None:
    """Make the features of the flights scheduled on a day."""
    from shared import steps

    batch.metadata.update(steps.load_batch(config, day, batch.path), config=config, code=code)


@component
def load_model(config: str, code: str, registry: str, model: Output[Model]) -> None:
    """Fetch the model that is in production now: another run may get another one."""
    from shared import steps

    model.metadata.update(steps.load_model(config, registry, model.path), config=config, code=code)


@component
def predict(config: str, code: str, batch: Input[Dataset], model: Input[Model], predictions: Output[Dataset]) -> None:
    """Predict the batch with the model."""
    from shared import steps

    predictions.metadata.update(
        steps.predict(config, batch.path, model.path, predictions.path), config=config, code=code
    )


@component
def save_predictions(
    config: str, code: str, predictions: Input[Dataset], partitions: str, saved: Output[Artifact]
) -> None:
    """Put the predictions where others look for them: a folder per day. What KFP keeps of it is the metadata."""
    from shared import steps

    saved.metadata.update(steps.save_predictions(config, predictions.path, partitions), config=config, code=code)


def define_inference(place: Place = anywhere) -> Pipelines:
    """Define the inference pipeline for a place."""

    @dsl.pipeline
    def inference(config: str, day: str, registry: str, partitions: str, code: str = "") -> Artifact:
        """Batch and model do not need each other: on a cluster they are fetched at the same time."""
        batch = place(load_batch(config=config, code=code, day=day), "2G")
        model = place(load_model(config=config, code=code, registry=registry), "1G").set_caching_options(False)
        predicted = place(predict(config=config, code=code, batch=batch.output, model=model.output), "1G")
        saved = save_predictions(config=config, code=code, predictions=predicted.output, partitions=partitions)
        return place(saved, "1G").set_caching_options(False).output

    @dsl.pipeline(name="inference")
    def reported(config: str, day: str, registry: str, partitions: str, code: str = "") -> Artifact:
        """Predict, and report the outcome however it ended."""
        done = inference(config=config, day=day, registry=registry, partitions=partitions, code=code)
        report_after(done, place)
        return done.output

    return Pipelines(inference, reported)


inference, reported_inference = define_inference()
