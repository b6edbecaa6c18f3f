"""What Dagster's tools load: `dg dev`, or `dagster dev -m module4.lab3_dagster.definitions`."""

import dagster as dg

from module4.lab3_dagster import inference, monitoring
from module4.lab3_dagster.assets import ASSETS
from module4.lab3_dagster.automation import JOBS, SCHEDULES, SENSORS
from module4.lab3_dagster.checks import CHECKS
from module4.lab3_dagster.modal_training import model_from_modal
from module4.lab3_dagster.pipes import external_baseline, same_model_as_baseline
from module4.lab3_dagster.resources import resources
from module4.platforms import default_store

# Where everything goes: the same folder as for `make lab-dagster`, unless the environment names another one.
STORE = default_store("dagster")

defs = dg.Definitions(
    assets=[
        *ASSETS,
        *inference.ASSETS,
        *monitoring.ASSETS,
        external_baseline,
        model_from_modal,
    ],
    asset_checks=[*CHECKS, *inference.CHECKS, same_model_as_baseline],
    jobs=JOBS,
    schedules=SCHEDULES,
    sensors=[*SENSORS, monitoring.train_when_drifted],
    resources={**resources(config_json="tiny", store=STORE), "processes": dg.PipesSubprocessClient()},
    executor=dg.in_process_executor,  # Dagster's own default starts a process per step, seconds each
)
