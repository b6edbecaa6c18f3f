"""`python -m module4.lab1_airflow COMMAND`: start Airflow here, and give commands to it."""

import json
import os
import sys
from typing import Annotated

import typer

from module4.lab1_airflow.environment import STORE, airflow_environment, airflow_home, step_timeout
from module4.lab1_airflow.server import serve
from shared.config import PipelineConfig, preset
from shared.errors import exit_on_error
from shared.faults import parse_fault

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Day = Annotated[str, typer.Argument(metavar="DAY", help="A day of the data, such as 2013-03-11.")]


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 8080) -> None:
    """Start Airflow with its UI, ask for a first training run, and stop at Ctrl-C."""
    step_timeout()  # otherwise each DAG file would find a wrong value on its own
    serve({**os.environ, **airflow_environment(airflow_home(STORE), port)})


@app.command()
def trigger(preset_name: Annotated[str, typer.Option("--preset", help="tiny, lab or full.")] = "tiny") -> None:
    """Trigger a training run in the running Airflow."""
    _trigger(preset(preset_name))


@app.command("break")
def break_run(
    fault: Annotated[str, typer.Argument(help="STEP:KIND[:TIMES], e.g. train:fail:2; KIND is fail, hang or kill.")],
) -> None:
    """Trigger a training run in the running Airflow, and break one of its steps."""
    _trigger(preset("tiny", fault=parse_fault(fault, STORE)))


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


def _trigger(config: PipelineConfig) -> None:
    value = config.to_json() if config.fault else config.preset
    _show_and_run("dags", "trigger", "training", "--conf", json.dumps({"config": value}))


def _backfill(dag: str, first: str, last: str) -> None:
    from shared.inference import parse_day  # it needs the machine-learning packages, which take seconds to import

    days = "--from-date", str(parse_day(first)), "--to-date", str(parse_day(last))
    _show_and_run("backfill", "create", "--dag-id", dag, *days, "--reprocess-behavior", "completed")


def _show_and_run(*arguments: str) -> None:
    print("airflow", *(repr(one) if " " in one else one for one in arguments), file=sys.stderr, flush=True)
    _airflow(*arguments)


def _airflow(*arguments: str) -> None:
    environment = {**os.environ, **airflow_environment(airflow_home(STORE))}
    if arguments[:1] == ("backfill",):
        environment["SQLITE_BEGIN_AS_WRITER"] = "yes"  # see config/airflow_local_settings.py
    os.execvpe("airflow", ["airflow", *arguments], environment)


if __name__ == "__main__":
    with exit_on_error():
        app(prog_name="python -m module4.lab1_airflow")
