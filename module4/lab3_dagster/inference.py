"""Predictions for every day of 2013: one partition per day, made when a day or a model is new."""

from datetime import timedelta

import dagster as dg
from pandas import DataFrame

from module4.lab3_dagster.assets import RETRY, deployment
from module4.lab3_dagster.resources import Pipeline
from shared import inference
from shared.registry import Champion

DAYS = dg.DailyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01")

# Makes the latest day's partition when the day is new, or when anything it is made from is new.
EAGER = dg.AutomationCondition.eager()
# Green for a day after it was made, red after two. Dagster's daemon checks this, without a run.
FRESH = dg.FreshnessPolicy.time_window(warn_window=timedelta(days=1), fail_window=timedelta(days=2))


@dg.asset(group_name="inference", kinds={"pandas", "parquet"}, partitions_def=DAYS, automation_condition=EAGER)
def batch(context: dg.AssetExecutionContext, pipeline: Pipeline) -> DataFrame:
    """The day's flights as they were scheduled, with the model's features."""
    return inference.load_batch(pipeline.config, inference.parse_day(context.partition_key, pipeline.config))


@dg.asset(group_name="inference", kinds={"scikitlearn"}, deps=[deployment], automation_condition=EAGER)
def production_model(pipeline: Pipeline) -> Champion:
    """The model that is in production."""
    return inference.load_model(pipeline.config, pipeline.registry)


@dg.asset(group_name="inference", kinds={"pandas", "parquet"}, partitions_def=DAYS, automation_condition=EAGER)
def scores(pipeline: Pipeline, batch: DataFrame, production_model: Champion) -> DataFrame:
    """Each flight of the day with its probability of being late."""
    return inference.predict(pipeline.config, production_model, batch)


@dg.asset(
    group_name="inference",
    kinds={"parquet"},
    partitions_def=DAYS,
    automation_condition=EAGER,
    retry_policy=RETRY,
    freshness_policy=FRESH,
)
def predictions(pipeline: Pipeline, scores: DataFrame) -> dg.MaterializeResult[None]:
    """The day's predictions where others read them; materializing a day again replaces them."""
    summary = inference.save_predictions(pipeline.config, scores, f"{pipeline.store}/predictions")
    return dg.MaterializeResult(metadata=summary)


@dg.asset_check(asset=predictions)
def made_by_the_production_model(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Test that the latest predictions come from the model that is in production now."""
    event = context.instance.get_latest_materialization_event(predictions.key)
    assert event is not None
    assert event.asset_materialization is not None
    used = str(event.asset_materialization.metadata["version"].value)
    production = pipeline.registry.get_champion().version
    return dg.AssetCheckResult(passed=used == production, metadata={"used": used, "in production": production})


ASSETS = [batch, production_model, scores, predictions]
CHECKS = [made_by_the_production_model]
