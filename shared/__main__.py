"""`python -m shared STEP`: the steps as commands, for Make, containers and pods.

A step prints its result as JSON, one line per value; its log goes to standard error.
"""

import json
import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from shared import steps
from shared.config import preset
from shared.errors import PipelineError

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The steps of the training pipeline.")


def _command(step: Callable[..., Any]) -> None:
    @wraps(step)
    def run(**arguments: Any) -> None:
        _print(step(**arguments))

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
):
    _command(_step)


@app.command("config")
def _config(name: str = typer.Argument("lab", metavar="PRESET")) -> None:
    """Print a preset (tiny, lab, full) as the JSON that every step takes as its CONFIG."""
    print(preset(name).to_json())


def main() -> None:
    """Run one command; errors made for people are printed without a traceback and end with status 1."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        app(prog_name="python -m shared")
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
