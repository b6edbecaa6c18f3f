"""Dagster with its web server and daemon: the daemon takes the run from the queue that its API put it in."""

import subprocess
import sys
import time

from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

from infra.processes import supervised
from module4.benchmark.engines import dagster
from module4.benchmark.engines.noop import emit, free_port
from module4.lab3_dagster.run import prepare_environment

JOB = "processes"
SETTLE_SECONDS = 5  # so that what the services do after their start is not measured


def main() -> None:
    """Start the services, run the job once, and stop. Dagster's records are in the folder named on the command line."""
    prepare_environment(sys.argv[1])
    port = free_port()
    module = ["-m", dagster.__name__, "-a", "definitions"]
    command = [sys.executable, "-m", "dagster", "dev", *module, "--host", "127.0.0.1", "--port", str(port)]
    services = subprocess.Popen(supervised(command))
    try:
        sys.exit(_run(DagsterGraphQLClient("127.0.0.1", port_number=port), services) != "SUCCESS")
    finally:
        services.terminate()
        services.wait()


def _run(client: DagsterGraphQLClient, services: subprocess.Popen[bytes]) -> str:
    """Launch the job as soon as Dagster answers; return the run's status when it has ended."""
    while not _knows_job(client) and services.poll() is None:
        time.sleep(1)
    time.sleep(SETTLE_SECONDS)
    emit({"step": JOB, "state": "triggered", "time": time.time()})
    run = client.submit_job_execution(JOB)
    while (status := client.get_run_status(run).value) in ("QUEUED", "NOT_STARTED", "STARTING", "STARTED"):
        time.sleep(0.5)
    return str(status)


def _knows_job(client: DagsterGraphQLClient) -> bool:
    try:
        return bool(client._get_repo_locations_and_names_with_pipeline(JOB))
    except DagsterGraphQLClientError:
        return False


if __name__ == "__main__":
    main()
