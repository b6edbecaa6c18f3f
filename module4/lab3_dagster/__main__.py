"""`python -m module4.lab3_dagster`: Dagster's web pages and its daemon, on this machine only, until Ctrl-C."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from dagster import DagsterInstance

from module4.lab3_dagster.run import prepare_home
from module4.platforms import WORKSPACE


def main() -> None:
    """Run the pipeline once if there is no run to look at, then become `dg dev`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="3000")
    parser.add_argument("--store", default=str(WORKSPACE / "dagster"), help="a folder")
    options = parser.parse_args()
    store = str(Path(options.store).absolute())
    os.environ["DAGSTER_HOME"] = str(prepare_home(store))
    os.environ["DAGSTER_LAB_STORE"] = store
    with DagsterInstance.get() as instance:
        empty = not instance.get_runs_count()
    if empty:
        subprocess.run([sys.executable, "-m", "module4", "run", "dagster", "--store", store], check=True)
    address = ["--host", "127.0.0.1", "--port", options.port]
    # A shell's background job ignores Ctrl-C's signal, and Dagster would then ignore SIGTERM too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # In place of this process, so that Ctrl-C and signals reach Dagster itself.
    os.execv(sys.executable, [sys.executable, "-m", "dagster_dg_cli.cli", "dev", *address])


if __name__ == "__main__":
    main()
