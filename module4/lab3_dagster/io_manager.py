"""How values are stored and loaded, so that no asset has to know it."""

import re
from typing import get_args

import dagster as dg
from pandas import DataFrame
from pydantic import BaseModel, Field

from module4.lab3_dagster.metadata import describe
from shared import artifacts
from shared.artifacts import Storable
from shared.report import report_files
from shared.storage import read_file, replace_file

Value = BaseModel | DataFrame | Storable


class ArtifactIOManager(dg.ConfigurableIOManager):
    """Store what an asset returns, and load it for every asset that names it as a parameter.

    Assets become artifacts at `<store>/runs/<run id>/<asset>`; the parameter's type says how to read them back. A run
    makes at most one partition of an asset, so partitions need no separate folders. Values that pass between the ops of
    an asset (trials and their scores) are small: one JSON file each. Dagster's default would pickle both.
    """

    store: str = Field(description="A folder, or an s3:// URI.")

    def handle_output(self, context: dg.OutputContext, value: Value) -> None:
        """Store the value, and describe it in metadata, which the UI shows from run to run."""
        if isinstance(value, BaseModel):
            replace_file(self._uri(context), value.model_dump_json().encode())
        else:
            summary = artifacts.save(value, self._uri(context), report_files(value))
            context.add_output_metadata({**summary, **describe(value)})

    def load_input(self, context: dg.InputContext) -> Value:
        """Return the value in the type that the parameter is annotated with."""
        declared = context.dagster_type.typing_type
        kind = (get_args(declared) or (declared,))[0]  # a collected input, list[T], is loaded one T at a time
        uri = self._uri_of_input(context)
        if issubclass(kind, BaseModel):
            return kind.model_validate_json(read_file(uri) or "")
        return artifacts.load(uri, kind)

    def _uri(self, context: dg.OutputContext) -> str:
        run_id, *step = context.get_identifier()
        # A trial's step is called run_trial[0]; in a bucket's listing, brackets would be a pattern.
        name = (
            context.asset_key.to_user_string()
            if context.has_asset_key
            else re.sub(r"\[(.+?)\]", r"-\1", "/".join(step))
        )
        return f"{self.store}/runs/{run_id}/{name}"

    def _uri_of_input(self, context: dg.InputContext) -> str:
        output = context.upstream_output
        assert output is not None
        if context.instance.get_run_by_id(output.run_id):  # this run, or the one that it resumes
            return self._uri(output)
        return latest_uri(context.instance, context.asset_key)


def latest_uri(instance: dg.DagsterInstance, key: dg.AssetKey) -> str:
    """Return where an asset was stored last. Raises Failure, which is not retried, if it never was."""
    event = instance.get_latest_materialization_event(key)
    if event is None or event.asset_materialization is None:
        raise dg.Failure(f"{key.to_user_string()} was never materialized.", allow_retries=False)
    return str(event.asset_materialization.metadata["uri"].value)
