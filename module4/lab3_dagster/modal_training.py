"""A Dagster asset that the deployed Modal app makes: Dagster knows what exists, and Modal provides the machines.

Importing this file needs no account; materializing does.
"""

import dagster as dg
import modal


class Training(dg.Config):
    """What can be chosen when the asset is materialized: a preset's name or a whole configuration as JSON."""

    config: str = "tiny"


@dg.asset(group_name="external", kinds={"modal"})
def model_from_modal(config: Training) -> dg.MaterializeResult[None]:
    """Train on Modal; the metadata holds the version and the fingerprint."""
    summary = modal.Function.from_name("training", "pipeline").remote(config.config)
    return dg.MaterializeResult(metadata={"version": summary["version"], "fingerprint": summary["fingerprint"]})
