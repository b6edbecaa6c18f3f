"""`python -m module4.lab0_make make GOAL…`: start Make in the run's folder, as this lab's Makefile does."""

import os
import sys
from typing import Annotated

import typer

from infra.processes import interrupt_on_stop_signals
from module4.lab0_make.run import make
from module4.platforms import default_store
from shared.errors import exit_on_error

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _lab() -> None:
    """Lab 0: the pipeline as a Makefile."""


@app.command("make")
def make_goals(
    goals: Annotated[list[str], typer.Argument(help="What to make.")],
    store: Annotated[str, typer.Option(help="A folder; default: PIPELINE_STORE, or workspace/make.")] = "",
    program: Annotated[str, typer.Option(help="GNU make.")] = "make",
) -> None:
    """Make GOALS below the store. If another Make is working there, wait for it to end."""
    sys.exit(make(store or default_store("make"), [program, *goals], os.environ))


def main() -> None:
    """Run one command; a PipelineError is printed without a traceback, and the exit status is 1."""
    interrupt_on_stop_signals()
    with exit_on_error():
        app(prog_name="python -m module4.lab0_make")


if __name__ == "__main__":
    main()
