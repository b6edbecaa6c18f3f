"""What Dagster's tools load: `dagster dev -m module4.lab3_dagster.definitions`."""

import dagster as dg

from module4.lab3_dagster.assets import ASSETS
from module4.lab3_dagster.checks import CHECKS
from module4.lab3_dagster.resources import resources
from module4.platforms import WORKSPACE

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS,
    resources=resources(config="tiny", store=str(WORKSPACE / "dagster")),
    executor=dg.in_process_executor,  # Dagster's own default starts a process per step, seconds each
)
