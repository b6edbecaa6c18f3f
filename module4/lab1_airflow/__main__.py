"""`python -m module4.lab1_airflow COMMAND …` is the `airflow` command with this lab's settings; `ui` is added to it."""

import os
import subprocess
import sys

from module4.lab1_airflow.run import environment, home
from module4.platforms import WORKSPACE

# `airflow standalone` starts these too, but its log servers listen to the whole network, and nothing here needs them.
SERVICES = (["api-server"], ["dag-processor"], ["scheduler", "--skip-serve-logs"])


def serve(settings: dict[str, str]) -> None:
    """Run Airflow with its UI on http://127.0.0.1:8080 until Ctrl-C."""
    subprocess.run(["airflow", "db", "migrate"], env=settings, check=True)
    processes = [subprocess.Popen(["airflow", *service], env=settings) for service in SERVICES]
    try:
        for process in processes:
            process.wait()
    except KeyboardInterrupt:  # Ctrl-C reaches the services too; they need some seconds to stop
        for process in processes:
            process.wait()


if __name__ == "__main__":
    settings = {**os.environ, **environment(home(str(WORKSPACE / "airflow")))}
    if sys.argv[1:] == ["ui"]:
        serve(settings)
    else:
        os.execvpe("airflow", ["airflow", *sys.argv[1:]], settings)
