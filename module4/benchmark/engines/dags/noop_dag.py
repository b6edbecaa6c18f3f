"""The tasks that do nothing as a DAG: mapped tasks for the trials, and arrows for the rest."""

from airflow.sdk import chain, dag, task

from module4.benchmark.engines.noop import do, shape


@task
def step(name: str) -> str:
    """Do nothing."""
    return do(name)


@task
def propose_trials(count: int) -> list[str]:
    """Return a name per trial."""
    do("propose_trials")
    return ["run_trial"] * count


@task
def run_trial(name: str) -> str:
    """Do nothing, or compute."""
    return do(name)


@task
def select_best(results: list[str]) -> str:
    """Wait for all trials."""
    return do("select_best")


@dag(schedule=None, catchup=False)
def noop() -> None:
    """Wire the shape that the environment asks for."""
    wanted = shape()
    tasks = [step.override(task_id=name)(name) for name in wanted.before]
    if wanted.trials:
        proposed = propose_trials(wanted.trials)
        best = select_best(run_trial.expand(name=proposed))
        chain(*tasks, proposed)
        later = [step.override(task_id=name)(name) for name in wanted.after]
        chain(best, *later)
    else:
        chain(*tasks)


noop_dag = noop()
