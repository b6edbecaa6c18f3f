"""`python -m module4.benchmark run`: measure the platforms. `publish`: fill the pages from a measured report."""

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.processes import interrupt_on_stop_signals
from module4.benchmark import publish as pages
from module4.benchmark import report
from module4.benchmark.grow import grow as grow_data
from module4.benchmark.maturity import write_releases
from module4.benchmark.parts.table import PARTS
from module4.benchmark.reference import reference
from module4.benchmark.session import Plan, Session
from module4.platforms import REPORTS, WORKSPACE
from module4.runs import make_folder, one_at_a_time
from shared.config import preset
from shared.errors import ConfigError, exit_on_error

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def run(
    preset_name: Annotated[str, typer.Option("--preset", help="tiny, lab or full: the pipelines' size.")] = "lab",
    only: Annotated[str, typer.Option(help=f"Comma-separated: {', '.join(PARTS)}. Default: all.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Fewer things, once each: minutes.")] = False,
    large: Annotated[bool, typer.Option("--large", help="A hundred years of data and 365 days too: hours.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was measured before.")] = False,
) -> None:
    """Measure what has not been measured yet, and write the report. Stop it with Ctrl-C; it continues where it was."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        raise ConfigError(f"only: no part is called {', '.join(unknown)}; choose from {', '.join(PARTS)}.")
    plan = Plan(preset(preset_name).preset, quick, large)
    folder = WORKSPACE / "benchmark" / f"{plan.preset}{'-quick' if quick else ''}"
    make_folder(folder)
    with one_at_a_time(folder):
        if fresh:
            for path in (folder / "measurements.jsonl", folder / "logs"):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        session = Session(folder)
        try:
            session.measure({name: PARTS[name] for name in PARTS if name in names}, plan)
        finally:  # after Ctrl-C too
            made = report.make_report(session, plan)
            if made["measurements"]:
                print(report.machine_sentence(made), file=sys.stderr)
                print("Written: " + ", ".join(str(path) for path in report.write(made, REPORTS)))


@app.command()
def grow(
    folder: Annotated[Path, typer.Argument(help="A new folder; configurations name it as data_folder.")],
    years: Annotated[int, typer.Option(help="How many years, from 2013 on.")] = 10,
) -> None:
    """Write the flights of 2013 again and again, as data of many years by months: 27 MB a year."""
    grow_data(folder, years)


@app.command()
def publish(
    source: Annotated[Path, typer.Option("--report", help="A report that `run` wrote.")] = REPORTS
    / "benchmark-lab.json",
) -> None:
    """Make a report the reference, and fill CHOOSING.md, the README and the pictures from it."""
    try:
        made = json.loads(source.read_text(encoding="utf-8"))
        pages.check_report(made)
    except (OSError, ValueError) as error:
        raise ConfigError(f"report: {source} cannot be used ({error}). Run make benchmark first.") from None
    for path in pages.publish(made):
        print(f"Written: {path}")


@app.command()
def fill() -> None:
    """Fill the pages again from the reference that is in the repository."""
    for path in pages.publish(reference()):
        print(f"Written: {path}")


@app.command()
def releases() -> None:
    """Ask the package index for the platforms' releases, for the table in CHOOSING.md. Type `fill` afterwards."""
    print(f"Written: {write_releases()}")


def main() -> None:
    """Run one command; a PipelineError is printed without a traceback, and the exit status is 1."""
    interrupt_on_stop_signals()
    with exit_on_error():
        app(prog_name="python -m module4.benchmark")


if __name__ == "__main__":
    main()
