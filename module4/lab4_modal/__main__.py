"""`python -m module4.lab4_modal run`: the training app, on this machine or in Modal's cloud."""

from typing import Annotated

import typer

from module4.lab4_modal.run import check_gpu, run_in_cloud
from module4.lab4_modal.run import run as run_here
from module4.platforms import default_store
from shared.config import preset
from shared.errors import ConfigError, exit_on_error
from shared.storage import check_store

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def lab() -> None:
    """Lab 4: the training pipeline as Modal functions."""


@app.command()
def run(
    preset_name: Annotated[str, typer.Option("--preset", help="tiny, lab or full.")] = "tiny",
    store: Annotated[str, typer.Option(help="Where artifacts go: a folder or URI; default: workspace/modal.")] = "",
    gpu: Annotated[str, typer.Option(help="Ask for a GPU for the step train, such as L40S.")] = "",
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Run in Modal's cloud: needs an account, costs money.")
    ] = False,
) -> None:
    """Run the training pipeline with `modal run`, its output on this terminal."""
    config = preset(preset_name)
    options = [f"--gpu={check_gpu(gpu)}"] if gpu else []
    if cloud and store:
        raise ConfigError("store: in the cloud artifacts go to the volume; leave out --store or --cloud.")
    if cloud:
        run_in_cloud(preset_name, *options)
    else:
        run_here(config, check_store(store or default_store("modal")), *options)


if __name__ == "__main__":
    with exit_on_error():
        app()
