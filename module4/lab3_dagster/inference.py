"""Predictions for every day of 2013: one partition per day, made when a day or a model is new."""

from datetime import timedelta

import dagster as dg
from pandas import DataFrame

from module4.lab3_dagster.assets import RETRY
from module4.lab3_dagster.assets import deploy as deploy_asset
from module4.lab3_dagster.resources import Pipeline
from shared import inference
from shared.registry import Champion

DAYS = dg.DailyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01")

# When anything that it is made from is new, for the latest day; or when there is a new day.
EAGER = dg.AutomationCondition.eager()
# Green if made within a day, red after two: Dagster's daemon looks, not a run.
FRESH = dg.FreshnessPolicy.time_window(warn_window=timedelta(days=1), fail_window=timedelta(days=2))


@dg.asset(group_name="inference", kinds={"pandas", "parquet"}, partitions_def=DAYS, automation_condition=EAGER)
def load_batch(context: dg.AssetExecutionContext, pipeline: Pipeline) -> DataFrame:
    """Load the day's flights as they were scheduled, with the model's features."""
    return inference.load_batch(pipeline.settings, inference.parse_day(context.partition_key))


@dg.asset(group_name="inference", kinds={"scikitlearn"}, deps=[deploy_asset], automation_condition=EAGER)
def load_model(pipeline: Pipeline) -> Champion:
    """Load the model that is in production."""
    return inference.load_model(pipeline.settings, pipeline.registry)


@dg.asset(group_name="inference", kinds={"pandas", "parquet"}, partitions_def=DAYS, automation_condition=EAGER)
def predict(pipeline: Pipeline, load_batch: DataFrame, load_model: Champion) -> DataFrame:
    """Predict how likely each flight of the day is late."""
    return inference.predict(pipeline.settings, load_model, load_batch)


@dg.asset(
    group_name="inference",
    kinds={"parquet"},
    partitions_def=DAYS,
    automation_condition=EAGER,
    retry_policy=RETRY,
    freshness_policy=FRESH,
)
def save_predictions(pipeline: Pipeline, predict: DataFrame) -> dg.MaterializeResult[None]:
    """Store the day's predictions where others read them; the same day again replaces them."""
    summary = inference.save_predictions(pipeline.settings, predict, f"{pipeline.store}/predictions")
    return dg.MaterializeResult(metadata=summary)


@dg.asset_check(asset=save_predictions)
def made_by_the_production_model(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Test that the latest predictions are of the model that is in production now."""
    event = context.instance.get_latest_materialization_event(save_predictions.key)
    assert event is not None
    assert event.asset_materialization is not None
    used = str(event.asset_materialization.metadata["version"].value)
    production = pipeline.registry.get_champion().version
    return dg.AssetCheckResult(passed=used == production, metadata={"used": used, "in production": production})


ASSETS = [load_batch, load_model, predict, save_predictions]
CHECKS = [made_by_the_production_model]
