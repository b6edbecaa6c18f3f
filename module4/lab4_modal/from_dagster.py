"""A Dagster asset that the deployed Modal app makes: Dagster knows what there is, Modal brings the machines.

Importing this file needs no account; materializing does.
"""

import dagster as dg
import modal

from shared.config import preset


class Training(dg.Config):
    """What can be chosen when the asset is materialized."""

    preset_name: str = "tiny"


@dg.asset
def model_from_modal(config: Training) -> dg.MaterializeResult[None]:
    """Train on Modal; the metadata says which version and fingerprint came out."""
    function = modal.Function.from_name("training", "pipeline")
    summary = function.remote(preset(config.preset_name).to_json())
    return dg.MaterializeResult(metadata={"version": summary["version"], "fingerprint": summary["fingerprint"]})
