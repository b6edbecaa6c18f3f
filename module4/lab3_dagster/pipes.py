"""An asset that an external process makes: Dagster Pipes starts it, passes it parameters, and collects its reports."""

import sys

import dagster as dg

from module4.lab3_dagster.assets import baseline, features
from module4.lab3_dagster.io_manager import latest_uri
from module4.lab3_dagster.resources import Pipeline
from module4.platforms import ROOT
from shared.fitted import MODEL_FILE
from shared.storage import open_artifact


@dg.asset(group_name="external", deps=[features], kinds={"scikitlearn"})
def external_baseline(
    context: dg.AssetExecutionContext, pipeline: Pipeline, processes: dg.PipesSubprocessClient
) -> dg.MaterializeResult[None]:
    """The baseline, fitted in a process that knows neither these assets nor their IO manager: it gets only URIs.

    The process could also be a container, a job on a cluster, or a program in another language; only the client
    changes.
    """
    extras = {
        "config_json": pipeline.config_json,
        "features": latest_uri(context.instance, features.key),
        "output": f"{pipeline.store}/runs/{context.run.run_id}/external_baseline",
    }
    command = [sys.executable, "-m", "module4.lab3_dagster.external_train"]
    return processes.run(context=context, command=command, cwd=str(ROOT), extras=extras).get_materialize_result()


@dg.asset_check(asset=external_baseline, additional_deps=[baseline])
def same_model_as_baseline(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Test that the other process made the same model as `baseline`, bit for bit."""
    uris = {
        asset.key.to_user_string(): latest_uri(context.instance, asset.key) for asset in (baseline, external_baseline)
    }
    models = {name: open_artifact(uri).files[MODEL_FILE]["sha256"] for name, uri in uris.items()}
    return dg.AssetCheckResult(passed=len(set(models.values())) == 1, metadata=models)
