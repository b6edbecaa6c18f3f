"""Is the model in production still right? One partition per week, and a sensor that requests training if it is not."""

from typing import Any

import dagster as dg

from module4.lab3_dagster.assets import RETRY
from module4.lab3_dagster.automation import training_job
from module4.lab3_dagster.inference import EAGER
from module4.lab3_dagster.resources import Pipeline
from shared import inference, monitoring
from shared.monitoring import Decision, Drift

# A partition is named after a Monday and covers the four weeks before it. The first one is in March 2013.
WEEKS = dg.WeeklyPartitionsDefinition(start_date="2013-03-04", end_date="2014-01-01", day_offset=1)


@dg.asset(
    group_name="monitoring",
    kinds={"json"},
    partitions_def=WEEKS,
    automation_condition=EAGER,
    retry_policy=RETRY,
)
def drift(context: dg.AssetExecutionContext, pipeline: Pipeline) -> Drift:
    """How far the last weeks have drifted from those the model was fitted on, and how well it predicted them."""
    return monitoring.measure_drift(
        pipeline.config, pipeline.registry, inference.parse_day(context.partition_key, pipeline.config)
    )


@dg.asset(
    group_name="monitoring",
    kinds={"json"},
    partitions_def=WEEKS,
    automation_condition=EAGER,
    retry_policy=RETRY,
)
def retraining_decision(pipeline: Pipeline, drift: Drift) -> Decision:
    """Whether to retrain, and with which configuration."""
    return monitoring.decide_retraining(pipeline.config, drift)


@dg.asset_sensor(asset_key=retraining_decision.key, job=training_job, minimum_interval_seconds=10)
def train_when_drifted(
    context: dg.SensorEvaluationContext, event: dg.EventLogEntry, pipeline: Pipeline
) -> dg.RunRequest | dg.SkipReason:
    """Request a training run with the decision's configuration, once per decision."""
    assert event.asset_materialization is not None
    decision: dict[str, Any] = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    if not decision["retrain"]:
        return dg.SkipReason("; ".join(decision["reasons"]))
    return dg.RunRequest(
        run_key=decision["uri"],
        run_config=pipeline.run_config(decision["config"]),
        tags={"day": decision["day"]},
    )


ASSETS = [drift, retraining_decision]
