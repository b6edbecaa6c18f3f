"""`python -m module4 run PLATFORM`, `compare` and `watch`: the pipeline on one platform, on all, and over the year."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.processes import interrupt_on_stop_signals
from module4.measure import Event, measured_run
from module4.platforms import PLATFORMS, REPORTS, WORKSPACE
from module4.runs import make_folder, new_log, own_folder
from shared.config import preset
from shared.errors import ConfigError, PipelineError, exit_on_error
from shared.faults import FORM, parse_fault
from shared.graph import GRAPHS
from shared.storage import check_store

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

PresetOption = Annotated[str, typer.Option("--preset", help="tiny (seconds), lab (a quarter) or full (the year).")]
TrackingOption = Annotated[str, typer.Option("--tracking", help="W&B: disabled, offline or online.")]


@app.command()
def run(
    platform: Annotated[str, typer.Argument(help=", ".join(PLATFORMS))],
    preset_name: PresetOption = "tiny",
    store: Annotated[
        str, typer.Option(help="Where artifacts go: a folder or an s3:// URI.", envvar="PIPELINE_STORE")
    ] = "",
    tracking: TrackingOption = "disabled",
    breaking: Annotated[str, typer.Option("--break", help=FORM)] = "",
) -> None:
    """Run the training pipeline on one platform, headless; its full log is kept in workspace/logs."""
    if platform not in PLATFORMS:
        raise ConfigError(f"platform: no platform is called {platform!r}; choose one of {', '.join(PLATFORMS)}.")
    place = check_store(store) if store else str(WORKSPACE / platform)
    config = preset(preset_name, tracking=tracking, fault=parse_fault(breaking, place) if breaking else None)
    result = measured_run(platform, config, place, new_log(WORKSPACE / "logs", f"{platform}-{config.preset}"), _say)
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
    with own_folder(WORKSPACE / "compare" / config.preset) as folder:  # every platform starts without a champion
        for number, name in enumerate(names, 1):
            print(f"[{number}/{len(names)}] {PLATFORMS[name].title}", file=sys.stderr)
            log = new_log(WORKSPACE / "logs", f"{name}-{config.preset}")
            runs.append(measured_run(name, config, str(folder / name), log, _say))
            if not runs[-1].succeeded:
                print(runs[-1].explain_failure(), file=sys.stderr)
    if not compare_platforms(config, runs):
        raise typer.Exit(1)


@app.command()
def watch(preset_name: PresetOption = "lab") -> None:
    """Play through 2013: check the model in production every week, and retrain it when it is outdated."""
    from shared.monitoring import Decision, watch_year
    from shared.registry import Registry
    from shared.report import png, year_figure
    from shared.storage import replace_file

    def say(decision: Decision) -> None:
        print(f"{decision.day} {'RETRAIN' if decision.retrain else 'fine   '} {decision.reasons[0]}")

    config = preset(preset_name)
    make_folder(REPORTS)
    with own_folder(WORKSPACE / "watch" / config.preset) as folder:  # the year begins without a model
        weeks = watch_year(config, Registry(str(folder), config.model_name), say)
    picture, table = year_figure(weeks, config.monitoring), weeks.to_json(orient="records", date_format="iso", indent=2)
    replace_file(str(REPORTS / f"watch-{config.preset}.png"), png(picture))
    replace_file(str(REPORTS / f"watch-{config.preset}.json"), table.encode())
    print(f"Written: {REPORTS}/watch-{config.preset}.png and .json")


@app.command()
def graph(name: Annotated[str, typer.Argument(help=", ".join(GRAPHS))] = "training") -> None:
    """Print a declared graph as Mermaid text."""
    if name not in GRAPHS:
        raise ConfigError(f"graph: no graph is called {name!r}; choose one of {', '.join(GRAPHS)}.")
    print(GRAPHS[name].to_mermaid())


@app.command()
def check_platform(
    folder: Annotated[Path, typer.Argument(help="Holds platform.toml, graph.py and run.py.")],
) -> None:
    """Judge a platform of your own: its row, its graph by the contract, and its model by the fingerprint."""
    from module4.check_platform import check_platform

    for finding in check_platform(folder.expanduser()):
        print(f"{'[ OK ]' if finding.passed else '[FAIL]'} {finding.what}", flush=True)
        if not finding.passed:
            raise PipelineError(finding.hint)
    print(f"It is a platform. To compare it with the others: PIPELINE_PLATFORM={folder} make compare")


def _say(event: Event) -> None:
    if event["state"] == "running":
        print(
            f"  {event['step']:<16} has been running for {event['seconds']:.0f} s. Wait, or press Ctrl-C to stop.",
            file=sys.stderr,
            flush=True,
        )
    elif event["state"] != "started":
        print(f"  {event['step']:<16} {event['state']} after {event['seconds']:6.2f} s", file=sys.stderr)


def main() -> None:
    """Run one command; a PipelineError is printed without a traceback, and the exit status is 1."""
    interrupt_on_stop_signals()
    with exit_on_error():
        app(prog_name="python -m module4")


if __name__ == "__main__":
    main()
