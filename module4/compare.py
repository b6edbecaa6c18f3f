"""The comparison of platforms: a table, a chart and a JSON file, from measured runs."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from module4.measure import Run
from module4.platforms import PLATFORMS, REPORTS
from module4.runs import make_folder
from shared.config import PipelineConfig
from shared.fingerprint import differing_parts
from shared.report import save_figure

SHORT = 12  # digits of a fingerprint that people compare


def compare_platforms(config: PipelineConfig, runs: Sequence[Run], folder: Path = REPORTS) -> bool:
    """Print the table, write compare-<preset>.json, .md and .png into `folder`, and return whether all runs agree."""
    rows = make_rows(runs)
    make_folder(folder)
    text = json.dumps({"config": config.model_dump(mode="json"), "runs": rows}, indent=2) + "\n"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".compare-") as temporary:  # readers never see half a file
        made = Path(temporary)
        (made / "json").write_text(text, encoding="utf-8")
        (made / "md").write_text(to_markdown(rows), encoding="utf-8")
        save_figure(draw(rows), made / "figure.png")
        (made / "figure.png").rename(made / "png")
        for kind in ("json", "md", "png"):
            (made / kind).replace(folder / f"compare-{config.preset}.{kind}")
    console = Console(width=None if Console().is_terminal else 120)
    console.print(_rich_table(rows, f"The same pipeline, preset {config.preset}", console.width))
    problems = [f"{row['title']}: {row['status']}" for row in rows if row["status"] != "ok"]
    if problems:
        console.print("The platforms do not agree. " + "; ".join(problems) + ".")
    elif len(rows) > 1:
        console.print(f"{len(rows)} runs, one model: {rows[0]['fingerprint']}")
    console.print(f"Written: {folder}/compare-{config.preset}.json, .md and .png", soft_wrap=True)
    return not problems


def make_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return a JSON-able row per run. All fingerprints must equal that of the first successful run."""
    reference = next((run.fingerprint for run in runs if run.fingerprint), None)
    plain = next((run.seconds for run in runs if run.platform == "python" and run.succeeded), None)
    rows = []
    for run in runs:
        different = differing_parts(reference, run.fingerprint) if reference and run.fingerprint else []
        status = "failed" if run.fingerprint is None else f"differs in {', '.join(different)}" if different else "ok"
        rows.append(
            {
                "platform": run.platform,
                "title": PLATFORMS[run.platform].title,
                "mode": PLATFORMS[run.platform].mode,
                "status": status,
                "fingerprint": run.fingerprint["fingerprint"] if run.fingerprint else None,
                "seconds": round(run.seconds, 2),
                "startup_seconds": None if run.startup_seconds is None else round(run.startup_seconds, 2),
                "step_seconds": round(sum(event.get("seconds", 0.0) for event in run.events), 2),
                "over_python_seconds": None if plain is None else round(run.seconds - plain, 2),
                "peak_memory_mib": round(run.peak_memory / 2**20),
                "parts": run.fingerprint,
                "log": str(run.log),
            }
        )
    return rows


def to_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table as Markdown."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def draw(rows: Sequence[dict[str, Any]]) -> Figure:
    """Draw wall time, split into start-up and the rest, and peak memory, one bar per platform."""
    figure = Figure(figsize=(11, 0.55 * len(rows) + 1.8), layout="constrained")
    times, memory = figure.subplots(1, 2, sharey=True)
    titles = [row["title"] for row in rows][::-1]
    startup = [row["startup_seconds"] or 0.0 for row in rows][::-1]
    rest = [row["seconds"] - (row["startup_seconds"] or 0.0) for row in rows][::-1]
    times.barh(titles, startup, color="tab:orange", label="until the first step begins")
    ends = times.barh(titles, rest, left=startup, color="tab:blue", label="from then to the end")
    times.bar_label(ends, [f"{row['seconds']:.1f} s" for row in rows][::-1], padding=3)
    times.set(title="Wall time", xlabel="seconds")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    memory.bar_label(memory.barh(titles, [row["peak_memory_mib"] for row in rows][::-1], color="tab:green"), padding=3)
    for axis in (times, memory):
        axis.margins(x=0.15)  # room for the numbers
    memory.set(title="Peak memory of all processes", xlabel="MiB")
    return figure


_COLUMNS = ("platform", "how it ran", "status", "fingerprint", "wall time", "over Python", "first step", "peak memory")


def _cells(row: dict[str, Any]) -> list[str]:
    over, startup = row["over_python_seconds"], row["startup_seconds"]
    plain = None if over is None else row["seconds"] - over
    return [
        row["title"],
        row["mode"],
        row["status"],
        row["fingerprint"][:SHORT] if row["fingerprint"] else "-",
        f"{row['seconds']:.1f} s",
        "-" if not over or not plain else f"{over:+.1f} s ({row['seconds'] / plain:.1f}×)",
        "-" if startup is None else f"after {startup:.1f} s",
        f"{row['peak_memory_mib']} MiB",
    ]


WIDE = 120  # columns of a terminal that has room for everything
NARROW = ("platform", "status", "fingerprint", "wall time", "peak memory")


def _rich_table(rows: Sequence[dict[str, Any]], title: str, width: int) -> Table:
    """Return the table for a terminal; a narrow one gets only the main columns. The fingerprint is never cut."""
    shown = [column for column in _COLUMNS if width >= WIDE or column in NARROW]
    table = Table(title=title)
    for column in shown:
        number = column in _COLUMNS[4:]
        table.add_column(column, justify="right" if number else "left", no_wrap=number or column == "fingerprint")
    for row in rows:
        cells = dict(zip(_COLUMNS, _cells(row), strict=True))
        table.add_row(*(cells[column] for column in shown), style=None if row["status"] == "ok" else "bold red")
    return table
