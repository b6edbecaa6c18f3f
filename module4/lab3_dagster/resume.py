"""Resume the last failed training run from where it failed."""

import dagster as dg

from module4.lab3_dagster.executors import QUIET, training
from shared.errors import PipelineError


def resume_last_failure(instance: dg.DagsterInstance) -> tuple[bool, list[str]]:
    """Run the steps that failed or never started, with the failed run's configuration; return success and their names.

    For runs that were started in the web pages, there is a button for this: *Re-execute from failure*.
    """
    wanted = dg.RunsFilter(job_name="training", statuses=[dg.DagsterRunStatus.FAILURE])
    failed = next(iter(instance.get_runs(wanted, limit=1)), None)
    if failed is None:
        raise PipelineError("resume: no training run has failed here. Break one first, or name its --store.")
    again = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
    run_config = {**failed.run_config, **QUIET}
    with dg.execute_job(dg.reconstructable(training), instance, run_config, reexecution_options=again) as result:
        steps = [record.step_key for record in instance.get_run_step_stats(result.run_id)]
        return result.success, steps
