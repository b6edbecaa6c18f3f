"""Run the training job in this process; the run is recorded where `dg dev` will show it."""

import os
import shutil
from pathlib import Path

from module4.platforms import WORKSPACE
from shared import steps
from shared.config import PipelineConfig, parse
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint
from shared.places import local_folder


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run the pipeline below `store` and return its fingerprint. Raises PipelineError that names the failed steps."""
    config_json = parse(config.to_json()).to_json()  # nothing is written for a configuration that cannot be used
    os.environ["DAGSTER_HOME"] = str(prepare_home(store))
    import dagster as dg

    from module4.lab3_dagster.definitions import defs
    from module4.lab3_dagster.resources import overrides

    # The job that the web pages know: they can start this run again from where it failed.
    job = defs.resolve_job_def("training")
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            overrides(config_json, store),
            instance,
            tags={"preset": config.preset},
            raise_on_error=False,  # all errors are in the log already
        )
    if not result.success:
        raise PipelineError(" ".join(event.message or "" for event in result.get_step_failure_events()))
    return steps.read_fingerprint(f"{store}/runs/{result.run_id}/deployment")


def prepare_home(store: str) -> Path:
    """Make the folder of Dagster's own records (runs, events, check results): in the store, if that is a folder."""
    home = (local_folder(store) or WORKSPACE / "dagster") / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("dagster.yaml"), home)
    return home
