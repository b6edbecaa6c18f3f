"""What the assets share: the pipeline's configuration and the model registry."""

import dagster as dg
from pydantic import Field, field_validator

from module4.lab3_dagster.io_manager import ArtifactIOManager
from shared.config import PipelineConfig, parse
from shared.registry import Registry


class Pipeline(dg.ConfigurableResource):
    """The pipeline's configuration and where it keeps things. An asset gets it through a parameter of this type.

    The values in the code are defaults: a run may bring its own, from the UI, a schedule or a sensor.
    """

    config_json: str = Field(description="The whole configuration as JSON, or a preset's name: tiny, lab or full.")
    registry_uri: str = Field(description="The model registry: a folder, or an s3:// URI.")
    store: str = Field("", description="Where steps put results that they store themselves.")

    @field_validator("config_json")
    @classmethod
    def _is_valid(cls, config_json: str) -> str:
        parse(config_json)  # before the first step of a run: a wrong field is named, and nothing is retried
        return config_json

    @property
    def config(self) -> PipelineConfig:
        """The configuration, validated."""
        return parse(self.config_json)

    @property
    def registry(self) -> Registry:
        """The registry of the configured model."""
        return Registry(self.registry_uri, self.config.model_name)

    def run_config(self, config_json: str) -> dict[str, object]:
        """Return the run configuration that replaces the pipeline's configuration and keeps the rest."""
        replaced = {"config_json": config_json, "registry_uri": self.registry_uri, "store": self.store}
        return {"resources": {"pipeline": {"config": replaced}}}


def resources(config_json: str, store: str) -> dict[str, dg.ConfigurableResource | dg.ConfigurableIOManager]:
    """Return the resources of a run with this configuration (JSON or a preset's name), everything below `store`."""
    return {
        "pipeline": Pipeline(config_json=config_json, registry_uri=f"{store}/registry", store=store),
        "io_manager": ArtifactIOManager(store=store),
    }


def overrides(config_json: str, store: str) -> dict[str, object]:
    """Return the run configuration that gives a run these resources. It could be typed into the UI's launchpad."""
    bound = resources(config_json, store)
    return {"resources": {name: {"config": resource.model_dump()} for name, resource in bound.items()}}
