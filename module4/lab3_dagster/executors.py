"""`python -m module4.lab3_dagster.executors`: one process for a whole run, or one per step? The same job both ways."""

import argparse
import os
import shutil
import time

import dagster as dg

from module4.lab3_dagster.definitions import defs
from module4.lab3_dagster.resources import overrides
from module4.lab3_dagster.run import prepare_home
from module4.platforms import WORKSPACE
from shared import steps
from shared.config import PipelineConfig, preset
from shared.fingerprint import Fingerprint

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def training() -> dg.JobDefinition:
    """Return the job whose steps share one process. Other processes find it by this function's name."""
    return defs.resolve_job_def("training")


def training_in_processes() -> dg.JobDefinition:
    """Return the job with a process per step."""
    return defs.resolve_job_def("training_in_processes")


def compare(config: PipelineConfig, folder: str) -> dict[str, tuple[float, Fingerprint]]:
    """Run both jobs, each in a store of its own; return their seconds and fingerprints."""
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
            results[job.__name__] = (seconds, steps.read_fingerprint(f"{store}/runs/{result.run_id}/deploy"))
    return results


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="tiny", help="tiny, lab or full")
    config = preset(parser.parse_args().preset)
    folder = WORKSPACE / "dagster-executors" / config.preset
    shutil.rmtree(folder, ignore_errors=True)
    results = compare(config, str(folder))
    for name, (seconds, fingerprint) in results.items():
        print(f"{name:<22} {seconds:6.1f} s   fingerprint {fingerprint['fingerprint'][:12]}")
    (one, _), (many, _) = results.values()
    print(f"A process per step takes {many / one:.1f} times as long.")


if __name__ == "__main__":
    main()
