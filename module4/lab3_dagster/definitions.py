"""What Dagster's tools load: `dg dev`, or `dagster dev -m module4.lab3_dagster.definitions`."""

import os

import dagster as dg

from module4.lab3_dagster import inference, monitoring
from module4.lab3_dagster.assets import ASSETS
from module4.lab3_dagster.automation import JOBS, SCHEDULES, SENSORS
from module4.lab3_dagster.checks import CHECKS
from module4.lab3_dagster.elsewhere import same_model_as_train, train_elsewhere
from module4.lab3_dagster.resources import resources
from module4.lab4_modal.from_dagster import model_from_modal
from module4.platforms import WORKSPACE

# Where everything goes: the same folder as that of `make lab-dagster`, unless the environment names another.
STORE = os.environ.get("DAGSTER_LAB_STORE", str(WORKSPACE / "dagster"))

defs = dg.Definitions(
    assets=[
        *ASSETS,
        *inference.ASSETS,
        *monitoring.ASSETS,
        train_elsewhere,
        *dg.map_asset_specs(lambda spec: spec.replace_attributes(group_name="elsewhere"), [model_from_modal]),
    ],
    asset_checks=[*CHECKS, *inference.CHECKS, same_model_as_train],
    jobs=JOBS,
    schedules=SCHEDULES,
    sensors=[*SENSORS, monitoring.train_when_drifted],
    resources={**resources(config="tiny", store=STORE), "processes": dg.PipesSubprocessClient()},
    executor=dg.in_process_executor,  # Dagster's own default starts a process per step, seconds each
)
