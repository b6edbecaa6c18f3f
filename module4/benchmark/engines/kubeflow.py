"""Kubeflow Pipelines: `kfp.local`, a process per task, caching off."""

import sys
from pathlib import Path

from kfp import dsl, local

from module4.benchmark.engines.noop import shape
from module4.lab2_kubeflow.run import local_runner

component = dsl.component(base_image="none", install_kfp_package=False)


@component
def step(name: str, after: str = "") -> str:
    """Do nothing."""
    from module4.benchmark.engines.noop import do

    return do(name)


@component
def propose_trials(count: int, after: str = "") -> list[str]:
    """Return a name per trial."""
    from module4.benchmark.engines.noop import do

    do("propose_trials")
    return ["run_trial"] * count


@component
def run_trial(name: str) -> str:
    """Do nothing, or compute."""
    from module4.benchmark.engines.noop import do

    return do(name)


@component
def select_best(results: list[str]) -> str:
    """Wait for all trials."""
    from module4.benchmark.engines.noop import do

    return do("select_best")


@dsl.pipeline
def noop() -> str:
    """Wire the shape that the environment asks for."""
    wanted, last = shape(), ""
    for name in wanted.before:
        last = step(name=name, after=last).output
    if wanted.trials:
        proposed = propose_trials(count=wanted.trials, after=last)
        with dsl.ParallelFor(proposed.output) as trial:
            scored = run_trial(name=trial)
        last = select_best(results=dsl.Collected(scored.output)).output
    for name in wanted.after:
        last = step(name=name, after=last).output
    return last


def main() -> None:
    """Run the pipeline once; its files are in the folder named on the command line."""
    folder = Path(sys.argv[1])
    with local_runner(folder):
        local.init(
            runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(folder / "runs"), enable_caching=False
        )
        noop()


if __name__ == "__main__":
    main()
