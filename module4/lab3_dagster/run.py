"""Materialize every asset in this process; the run is recorded where `dagster dev` will show it."""

import os
import shutil
from pathlib import Path

from upath import UPath

from module4.platforms import WORKSPACE
from shared import steps
from shared.config import PipelineConfig
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint
from shared.storage import is_local


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run the pipeline below `store` and return its fingerprint. Raises PipelineError that names the failed steps."""
    os.environ["DAGSTER_HOME"] = str(prepare_home(store))
    import dagster as dg

    from module4.lab3_dagster.assets import ASSETS
    from module4.lab3_dagster.checks import CHECKS
    from module4.lab3_dagster.resources import resources

    with dg.DagsterInstance.get() as instance:
        result = dg.materialize(
            [*ASSETS, *CHECKS],
            resources=resources(config.to_json(), store),
            instance=instance,
            tags={"preset": config.preset},
            raise_on_error=False,  # all errors are in the log already
        )
    if not result.success:
        raise PipelineError(" ".join(event.message or "" for event in result.get_step_failure_events()))
    return steps.read_fingerprint(f"{store}/runs/{result.run_id}/deploy")


def prepare_home(store: str) -> Path:
    """Make the folder of Dagster's own records (runs, events, check results): in the store, if that is a folder."""
    path = UPath(store)
    home = (Path(path.path).absolute() if is_local(path) else WORKSPACE / "dagster") / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("dagster.yaml"), home)
    return home
