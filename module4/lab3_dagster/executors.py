"""One process for a whole run, or one per step? Run the same job both ways."""

import os
import time

import dagster as dg

from module4.lab3_dagster.definitions import defs
from module4.lab3_dagster.resources import overrides
from module4.lab3_dagster.run import prepare_home
from shared import steps
from shared.config import PipelineConfig
from shared.fingerprint import Fingerprint

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def training() -> dg.JobDefinition:
    """Return the job whose steps share one process. Other processes find it by this function's name."""
    return defs.resolve_job_def("training")


def training_in_processes() -> dg.JobDefinition:
    """Return the job that runs each step in a separate process."""
    return defs.resolve_job_def("training_in_processes")


def compare(config: PipelineConfig, folder: str) -> dict[str, tuple[float, Fingerprint]]:
    """Run both jobs, each in its own store; return their seconds and fingerprints."""
    results = {}
    for job in (training, training_in_processes):
        store = f"{folder}/{job.__name__}"
        os.environ["DAGSTER_HOME"] = str(prepare_home(store))
        begin = time.perf_counter()
        with (
            dg.DagsterInstance.get() as instance,
            dg.execute_job(
                dg.reconstructable(job), instance, {**overrides(config.to_json(), store), **QUIET}, raise_on_error=True
            ) as result,
        ):
            seconds = time.perf_counter() - begin
            results[job.__name__] = (seconds, steps.read_fingerprint(f"{store}/runs/{result.run_id}/deployment"))
    return results
