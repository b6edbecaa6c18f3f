"""Dagster: assets, and the search as a graph of ops; in one process, or (`processes` typed last) in one per step."""

import os
import sys
from collections.abc import Iterator
from functools import cache

import dagster as dg

from module4.benchmark.engines.noop import do, shape
from module4.lab3_dagster.run import prepare_environment

# As in lab 3: processes are forked from one that has imported everything.
PROCESSES = dg.multiprocess_executor.configured(
    {"max_concurrent": os.cpu_count() or 1, "start_method": {"forkserver": {"preload_modules": [__spec__.name]}}},
    name="processes",
)


def step(name: str, after: str) -> dg.AssetsDefinition:
    """Return an asset that does nothing, after another one."""

    @dg.asset(name=name, deps=[after] if after else [])
    def nothing() -> str:
        return do(name)

    return nothing


@dg.op(out=dg.DynamicOut(str))
def propose_trials(after: str) -> Iterator[dg.DynamicOutput[str]]:
    """Yield an output per trial."""
    do("propose_trials")
    for number in range(shape().trials):
        yield dg.DynamicOutput("run_trial", mapping_key=str(number))


@dg.op
def run_trial(name: str) -> str:
    """Do nothing, or compute."""
    return do(name)


@dg.op
def select_best(results: list[str]) -> str:
    """Wait for all trials."""
    return do("select_best")


def search(after: str) -> dg.AssetsDefinition:
    """Return the asset that the trials make, after another one."""

    def graph(start: str) -> str:
        return select_best(propose_trials(start).map(run_trial).collect())

    return dg.graph_asset(name="search", ins={"start": dg.AssetIn(after)})(graph)


@dg.asset
def nothing_before() -> str:
    """Return what a search starts from that has no step before it. It is not counted as a task."""
    return ""


@cache
def definitions() -> dg.Definitions:
    """Return the shape that the environment asks for, as assets and a job for each executor."""
    wanted, assets, last = shape(), [], ""
    for name in wanted.before:
        assets.append(step(name, last))
        last = name
    if wanted.trials:
        if not last:
            assets.append(nothing_before)
            last = "nothing_before"
        assets.append(search(last))
        last = "search"
    for name in wanted.after:
        assets.append(step(name, last))
        last = name
    jobs = [
        dg.define_asset_job("one_process", executor_def=dg.in_process_executor),
        dg.define_asset_job("processes", executor_def=PROCESSES),
    ]
    return dg.Definitions(assets=assets, jobs=jobs)


def processes() -> dg.JobDefinition:
    """Return the job whose steps run in processes. They find it by this function's name."""
    return definitions().resolve_job_def("processes")


def main() -> None:
    """Run the job once; Dagster's records are in the folder named on the command line."""
    prepare_environment(sys.argv[1])
    with dg.DagsterInstance.get() as instance:
        if sys.argv[2:] == ["processes"]:
            # The steps' processes import this module by its name.
            from module4.benchmark.engines import dagster as this

            with dg.execute_job(dg.reconstructable(this.processes), instance) as result:
                sys.exit(not result.success)
        sys.exit(not definitions().resolve_job_def("one_process").execute_in_process(instance=instance).success)


if __name__ == "__main__":
    main()
