"""`python -m module4.lab3_dagster COMMAND`: Dagster's web pages, the executors compared, and resuming a failed run."""

import os
import shutil
import signal
import subprocess
import sys
from typing import Annotated

import typer

from module4.lab3_dagster.run import prepare_environment
from module4.platforms import WORKSPACE, default_store
from module4.ports import check_port
from shared.errors import exit_on_error
from shared.storage import check_store

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

STORE = default_store("dagster")

StoreOption = Annotated[str, typer.Option(help="Where artifacts are kept: a folder or an s3:// URI.")]


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 3000,
    store: StoreOption = STORE,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Web pages that start and change nothing; no daemon.")
    ] = False,
) -> None:
    """Run the pipeline once if there is no run to look at, then serve Dagster's web pages and daemon until Ctrl-C."""
    check_port(port, "ui-dagster")
    store = _open(store)
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        empty = not instance.get_runs_count()
    if empty:
        subprocess.run([sys.executable, "-m", "module4", "run", "dagster", "--store", store], check=True)
    address = ["--host", "127.0.0.1", "--port", str(port)]
    # A shell's background job ignores Ctrl-C's signal, and Dagster would then ignore SIGTERM too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The supervisor takes this process's place: when the terminal closes or the parent dies, Dagster's processes end.
    shown = ["dagster_webserver", "--read-only", "-m", "module4.lab3_dagster.definitions"]
    dagster = [sys.executable, "-m", *(shown if read_only else ["dagster_dg_cli.cli", "dev"]), *address]
    os.execv(sys.executable, [sys.executable, "-m", "infra.processes", *dagster])


@app.command()
def resume(store: StoreOption = STORE) -> None:
    """Resume the last failed training run from where it failed, and print the steps that ran."""
    _open(store)
    from dagster import DagsterInstance

    from module4.lab3_dagster.resume import resume_last_failure

    with DagsterInstance.get() as instance:
        success, steps = resume_last_failure(instance)
    print(f"{'succeeded' if success else 'failed again'}: {', '.join(steps)}")
    if not success:
        raise typer.Exit(1)


@app.command()
def executors(preset_name: Annotated[str, typer.Option("--preset", help="tiny, lab or full.")] = "tiny") -> None:
    """Run the same job in one process and with a process per step, and compare their times."""
    from module4.lab3_dagster.executors import compare
    from shared.config import preset

    config = preset(preset_name)
    folder = WORKSPACE / "dagster-executors" / config.preset
    shutil.rmtree(folder, ignore_errors=True)
    results = compare(config, str(folder))
    for name, (seconds, fingerprint) in results.items():
        print(f"{name:<22} {seconds:6.1f} s   fingerprint {fingerprint['fingerprint'][:12]}")
    (one, _), (many, _) = results.values()
    print(f"A process per step takes {many / one:.1f} times as long.")


def _open(store: str) -> str:
    """Return the store, absolute if it is a folder, after a check and after making it known to Dagster's processes."""
    place = check_store(store)
    prepare_environment(place)
    os.environ["PIPELINE_STORE"] = place
    return place


def main() -> None:
    """Run one command; a PipelineError is printed without a traceback, and the exit status is 1."""
    with exit_on_error():
        app(prog_name="python -m module4.lab3_dagster")


if __name__ == "__main__":
    main()
