"""`python -m module4.lab1_airflow COMMAND`: start Airflow here, and give commands to it."""

import json
import os
import shlex
import sys
from typing import Annotated, Literal

import typer

from module4.lab1_airflow.environment import airflow_environment, airflow_home, step_timeout
from module4.lab1_airflow.server import serve
from module4.platforms import default_store
from shared.config import PipelineConfig, preset
from shared.errors import ConfigError, exit_on_error
from shared.faults import FORM, parse_fault
from shared.storage import check_store

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Day = Annotated[str, typer.Argument(metavar="DAY", help="A day of the data, such as 2013-03-11.")]


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the UI, on 127.0.0.1.")] = 8080,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password: for machines with other users.")
    ] = False,
) -> None:
    """Start Airflow with its UI, trigger a first training run, and stop at Ctrl-C."""
    step_timeout()  # otherwise each DAG file would find a wrong value on its own
    environment = airflow_environment(airflow_home(check_store(default_store("airflow"))), port, password=password)
    serve(environment, user="admin" if password else "")


@app.command()
def trigger(
    preset_name: Annotated[str, typer.Option("--preset", help="tiny, lab or full.")] = "tiny",
    dag: Annotated[
        Literal["training", "training_in_pods"], typer.Option(help="The second one needs `make cluster-up`.")
    ] = "training",
) -> None:
    """Trigger a training run in the running Airflow."""
    _trigger(preset(preset_name), dag)


# The installed typer does not show the help of an argument.
@app.command("break", help=f"Trigger a training run in the running Airflow, and break one of its steps: {FORM}")
def break_run(fault: str) -> None:
    """Trigger a training run in the running Airflow, and break one of its steps."""
    _trigger(preset("tiny", fault=parse_fault(fault, default_store("airflow"))))


@app.command()
def backfill(first: Day, last: Day) -> None:
    """Predict each day from FIRST to LAST in the running Airflow."""
    _backfill("inference", first, last)


@app.command()
def monitor(first: Day, last: Day) -> None:
    """Check the production model on each Monday from FIRST to LAST in the running Airflow."""
    _backfill("monitoring", first, last)


@app.command(
    "airflow",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def airflow_command(context: typer.Context) -> None:
    """Run any of Airflow's own commands with this lab's environment, e.g. `airflow dags list`."""
    _airflow(*context.args)


def _trigger(config: PipelineConfig, dag: str = "training") -> None:
    value = config.to_json() if config.fault else config.preset
    _show_and_run("dags", "trigger", dag, "--conf", json.dumps({"config": value}))


def _backfill(dag: str, first: str, last: str) -> None:
    from shared.inference import parse_day  # it needs the machine-learning packages, which take seconds to import

    begin, end = parse_day(first), parse_day(last)
    if begin > end:
        raise ConfigError(f"LAST: {last} is before the first day, {first}.")
    days = "--from-date", str(begin), "--to-date", str(end)
    _show_and_run("backfill", "create", "--dag-id", dag, *days, "--reprocess-behavior", "completed")


def _show_and_run(*arguments: str) -> None:
    home = airflow_home(default_store("airflow"))
    if not (home / "airflow.db").exists():
        raise ConfigError(f"store: Airflow has not run in {home} yet. Start it first: make ui-airflow")
    print(shlex.join(["airflow", *arguments]), file=sys.stderr, flush=True)
    _airflow(*arguments)


def _airflow(*arguments: str) -> None:
    environment = airflow_environment(airflow_home(default_store("airflow")))
    if arguments[:1] == ("backfill",):
        environment["SQLITE_BEGIN_AS_WRITER"] = "yes"  # see config/airflow_local_settings.py
    os.execve(sys.executable, [sys.executable, "-m", "airflow", *arguments], environment)


if __name__ == "__main__":
    with exit_on_error():
        app(prog_name="python -m module4.lab1_airflow")
