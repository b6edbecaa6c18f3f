"""`python -m module4 run PLATFORM` and `python -m module4 compare`: the pipeline on one platform, or on all."""

import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from module4.measure import Event, measured_run
from module4.platforms import PLATFORMS, WORKSPACE
from shared.config import PipelineConfig, preset
from shared.errors import ConfigError, PipelineError
from shared.graph import TRAINING

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

PresetOption = Annotated[str, typer.Option("--preset", help="tiny (seconds), lab (a quarter) or full (the year).")]
TrackingOption = Annotated[str, typer.Option("--tracking", help="W&B: disabled, offline or online.")]


@app.command()
def run(
    platform: Annotated[str, typer.Argument(help=", ".join(PLATFORMS))],
    preset_name: PresetOption = "tiny",
    store: Annotated[str, typer.Option(help="Where artifacts go: a folder or any URI.")] = "",
    tracking: TrackingOption = "disabled",
) -> None:
    """Run the training pipeline on one platform, headless; its full log is kept in workspace/logs."""
    if platform not in PLATFORMS:
        raise ConfigError(f"platform: there is none called {platform!r}; choose one of {', '.join(PLATFORMS)}.")
    config = preset(preset_name, tracking=tracking)
    place = store if "://" in store else str(Path(store or WORKSPACE / platform).absolute())
    result = measured_run(platform, config, place, _log(platform, config), _say)
    if result.fingerprint is None:
        raise PipelineError(result.explain_failure())
    print(f"fingerprint {result.fingerprint['fingerprint']}")
    print(
        f"{result.seconds:.1f} s, peak memory {result.peak_memory / 2**20:.0f} MiB, log {result.log}", file=sys.stderr
    )


@app.command()
def compare(
    preset_name: PresetOption = "lab",
    platforms: Annotated[str, typer.Option(help="Comma-separated; default: all.")] = ",".join(PLATFORMS),
) -> None:
    """Run the same pipeline on every platform; fail unless all fingerprints are the same."""
    from module4.compare import compare_platforms

    names = [name.strip() for name in platforms.split(",")]
    unknown = [name for name in names if name not in PLATFORMS]
    if unknown:
        raise ConfigError(f"platforms: unknown {', '.join(unknown)}; choose from {', '.join(PLATFORMS)}.")
    config = preset(preset_name)
    runs = []
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {PLATFORMS[name].title}", file=sys.stderr)
        store = WORKSPACE / "compare" / config.preset / name
        shutil.rmtree(store, ignore_errors=True)  # every platform starts from nothing: no champion, no cache
        runs.append(measured_run(name, config, str(store), _log(name, config), _say))
        if not runs[-1].succeeded:
            print(runs[-1].explain_failure(), file=sys.stderr)
    if not compare_platforms(config, runs):
        raise typer.Exit(1)


@app.command()
def graph() -> None:
    """Print the declared training graph as Mermaid text."""
    print(TRAINING.to_mermaid())


def _log(platform: str, config: PipelineConfig) -> Path:
    return WORKSPACE / "logs" / f"{platform}-{config.preset}.log"


def _say(event: Event) -> None:
    if event["state"] != "started":
        print(f"  {event['step']:<16} {event['state']} after {event['seconds']:6.2f} s", file=sys.stderr)


def main() -> None:
    """Run a command; errors made for people are printed without a traceback and end with status 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave through `finally`, which ends the platform too
    try:
        app(prog_name="python -m module4")
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
