"""`python -m shared STEP`: the steps as commands, for Make, containers and pods.

A step prints its result as JSON, one line per value; its log goes to standard error. `--result FILE`, before the step's
name, also writes the whole result to a file as one JSON value, from which an orchestrator collects it in a pod.
"""

import json
import logging
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import click
import typer

from shared import steps
from shared.config import preset
from shared.errors import exit_on_error
from shared.outputs import check_output

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The steps of training, inference and monitoring.")


@app.callback()
def _options(
    context: typer.Context,
    result: Annotated[
        Path | None, typer.Option(dir_okay=False, writable=True, help="Also write the result to this file.")
    ] = None,
) -> None:
    if result:
        check_output(result, "result")
    context.obj = result


def _command(step: Callable[..., Any]) -> None:
    @wraps(step)
    def run(**arguments: Any) -> None:
        result = step(**arguments)
        if file := click.get_current_context().obj:
            file.write_text(json.dumps(result), encoding="utf-8")
        _print(result)

    app.command(step.__name__)(run)


def _print(result: Any) -> None:
    lines = result if isinstance(result, list) else [result]
    for line in lines:
        print(line if isinstance(line, str) else json.dumps(line))


for _step in (
    steps.load_data,
    steps.preprocess,
    steps.train,
    steps.propose_trials,
    steps.run_trial,
    steps.select_best,
    steps.evaluate,
    steps.deploy,
    steps.load_batch,
    steps.load_model,
    steps.predict,
    steps.save_predictions,
    steps.measure_drift,
    steps.decide_retraining,
):
    _command(_step)


@app.command("config")
def _config(name: str = typer.Argument("lab", metavar="PRESET")) -> None:
    """Print a preset (tiny, lab, full) as the JSON that every step takes as its CONFIG."""
    print(preset(name).to_json())


def main() -> None:
    """Run one command; a PipelineError is printed without a traceback, and the exit status is 1."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    with exit_on_error():
        app(prog_name="python -m shared")


if __name__ == "__main__":
    main()
