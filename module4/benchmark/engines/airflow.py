"""Airflow: `dag.test()`, with its own database and the DAG in a folder that Airflow reads."""

import sys
from pathlib import Path

from module4.lab1_airflow.environment import configure_airflow


def main() -> None:
    """Run the DAG once; Airflow's files are in the folder named on the command line."""
    configure_airflow(sys.argv[1], AIRFLOW__CORE__DAGS_FOLDER=str(Path(__file__).with_name("dags")))
    from airflow.utils.db import upgradedb

    from module4.benchmark.engines.dags.noop_dag import noop_dag

    upgradedb()
    sys.exit(noop_dag.test().state != "success")


if __name__ == "__main__":
    main()
