"""What starts runs automatically, and how their steps are executed."""

import dagster as dg

from module4.lab3_dagster.resources import Pipeline
from shared.config import in_2013
from shared.errors import ConfigError

# Tags of a run; dagster.yaml allows only one run with this tag at a time.
TRAINING = {"pipeline": "training"}

training_job = dg.define_asset_job(
    "training", selection=dg.AssetSelection.groups("training"), executor_def=dg.in_process_executor, tags=TRAINING
)

# One process per step: trials run in parallel, and a step that crashes does not take the others down. Each process has
# to import everything first, unless it is forked from one that already has.
in_processes = dg.multiprocess_executor.configured(
    {
        "max_concurrent": 2,
        "start_method": {"forkserver": {"preload_modules": ["module4.lab3_dagster.definitions"]}},
    },
    name="in_processes",
)
training_in_processes_job = dg.define_asset_job(
    "training_in_processes", selection=dg.AssetSelection.groups("training"), executor_def=in_processes, tags=TRAINING
)


@dg.schedule(job=training_job, cron_schedule="0 5 * * 1", execution_timezone="America/New_York")
def weekly_training(context: dg.ScheduleEvaluationContext, pipeline: Pipeline) -> dg.RunRequest | dg.SkipReason:
    """Train every Monday with the data up to that day. The data is from 2013, so today means the same day of 2013."""
    today = in_2013(context.scheduled_execution_time.date())
    try:
        config = pipeline.config.ending_at(today)
    except ConfigError as error:  # too early in the year
        return dg.SkipReason(str(error))
    return dg.RunRequest(run_config=pipeline.run_config(config.to_json()))


# Evaluates the assets' own conditions. Like the schedule, it is off until you switch it on (in the UI: Automation).
on_conditions = dg.AutomationConditionSensorDefinition("on_conditions", target="*", minimum_interval_seconds=10)

JOBS = [training_job, training_in_processes_job]
SCHEDULES = [weekly_training]
SENSORS = [on_conditions]
