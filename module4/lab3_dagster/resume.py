"""Resume the last failed training run from where it failed."""

import dagster as dg
import psutil

from module4.lab3_dagster.executors import QUIET, training
from module4.lab3_dagster.run import limited_runtime
from shared.errors import PipelineError


def resume_last_failure(instance: dg.DagsterInstance) -> tuple[bool, list[str]]:
    """Run the steps that failed or never started, with the failed run's configuration; return success and their names.

    A run whose process is gone counts as failed: it was killed, and could not record that. For runs that were started
    in the web pages, there is a button for this: *Re-execute from failure*.
    """
    wanted = dg.RunsFilter(job_name="training", statuses=[dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED])
    failed = next((run for run in instance.get_runs(wanted) if run.is_failure or _is_dead(run, instance)), None)
    if failed is None:
        raise PipelineError("resume: no training run has failed here. Break one first, or name its --store.")
    if not failed.is_failure:
        instance.report_run_failed(failed, "The run's process was killed.")
    again = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
    run_config = {**failed.run_config, **QUIET}
    with (
        limited_runtime(instance),
        dg.execute_job(dg.reconstructable(training), instance, run_config, reexecution_options=again) as result,
    ):
        steps = [record.step_key for record in instance.get_run_step_stats(result.run_id)]
        return result.success, steps


def _is_dead(run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    """Whether the processes that executed the run's steps are gone."""
    events = [log.dagster_event for log in instance.all_logs(run.run_id)]
    pids = {event.pid for event in events if event and event.pid}
    return bool(pids) and not any(psutil.pid_exists(pid) for pid in pids)
