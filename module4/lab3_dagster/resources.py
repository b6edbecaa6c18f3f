"""What the assets share: the pipeline's configuration, the model registry, and where their values are stored."""

from typing import get_args

import dagster as dg
from pandas import DataFrame
from pydantic import BaseModel, Field
from upath import UPath

from shared import artifacts
from shared.artifacts import Storable
from shared.config import PipelineConfig, parse
from shared.registry import Registry
from shared.storage import replace_file


class Pipeline(dg.ConfigurableResource):
    """The pipeline's configuration and registry. Assets ask for it by a parameter of this type."""

    config: str = Field(description="The whole configuration as JSON, or a preset's name: tiny, lab or full.")
    registry_uri: str

    @property
    def settings(self) -> PipelineConfig:
        """The configuration, validated."""
        return parse(self.config)

    @property
    def registry(self) -> Registry:
        """The registry of the configured model."""
        return Registry(self.registry_uri, self.settings.model_name)


class ArtifactIOManager(dg.ConfigurableIOManager):
    """Store whatever an asset returns, and load it for whoever names that asset as a parameter.

    Assets become artifacts at `<store>/runs/<run id>/<asset>`; the parameter's type says how to read them back. Values
    between ops of one asset (trials and their scores) are small: a JSON file each. Dagster's default would pickle both.
    """

    store: str = Field(description="A folder, or any URI.")

    def handle_output(self, context: dg.OutputContext, value: BaseModel | DataFrame | Storable) -> None:
        """Store the value; its summary becomes metadata that the UI shows and plots from run to run."""
        if isinstance(value, BaseModel):
            replace_file(UPath(self._uri(context)), value.model_dump_json().encode())
        else:
            context.add_output_metadata(artifacts.save(value, self._uri(context)))

    def load_input(self, context: dg.InputContext) -> BaseModel | DataFrame | Storable:
        """Return the value in the type that the parameter is annotated with."""
        declared = context.dagster_type.typing_type
        kind = (get_args(declared) or (declared,))[0]  # a collected input, list[T], is loaded one T at a time
        uri = self._uri_of_input(context)
        if issubclass(kind, BaseModel):
            return kind.model_validate_json(UPath(uri).read_bytes())
        return artifacts.load(uri, kind)

    def _uri(self, context: dg.OutputContext) -> str:
        run_id, *step = context.get_identifier()
        name = context.asset_key.to_user_string() if context.has_asset_key else "/".join(step)
        return f"{self.store}/runs/{run_id}/{name}"

    def _uri_of_input(self, context: dg.InputContext) -> str:
        output = context.upstream_output
        assert output is not None
        if context.instance.get_run_by_id(output.run_id):  # this run, or the one that it takes up again
            return self._uri(output)
        event = context.instance.get_latest_materialization_event(context.asset_key)
        if event is None or event.asset_materialization is None:
            raise dg.Failure(f"{context.asset_key.to_user_string()} was never materialized.", allow_retries=False)
        return str(event.asset_materialization.metadata["uri"].value)


def resources(config: str, store: str) -> dict[str, object]:
    """Return the resources of a run with this configuration (JSON or a preset's name), everything below `store`."""
    return {
        "pipeline": Pipeline(config=config, registry_uri=f"{store}/registry"),
        "io_manager": ArtifactIOManager(store=store),
    }
