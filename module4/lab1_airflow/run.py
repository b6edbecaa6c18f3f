"""Run the DAG headless: `dag.test()` runs scheduler, API and tasks in this one process, with a separate database."""

from module4.lab1_airflow.environment import configure_airflow
from shared import steps
from shared.config import PipelineConfig
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run the training DAG once and return the fingerprint. Raises PipelineError, naming the task, if it fails."""
    configure_airflow(store)

    # Airflow reads its environment when it is imported, so both imports have to wait until here.
    from airflow.utils.db import upgradedb

    from module4.lab1_airflow.training import training_dag

    upgradedb()  # what `airflow db migrate` does: creates the tables the first time, and finds nothing to do later
    dag_run = training_dag.test(run_conf={"config": config.to_json(), "store": store})
    if dag_run.state != "success":
        failed = ", ".join(sorted(task.task_id for task in dag_run.get_task_instances(state="failed")))
        raise PipelineError(f"Airflow run {dag_run.run_id}: {dag_run.state}; failed: {failed or 'no task'}.")
    return steps.read_fingerprint(f"{store}/runs/{dag_run.run_id}/deploy")
