"""Fill CHOOSING.md, the README's table and the pictures from the reference: a report that is kept in the repository."""

import json
from pathlib import Path
from typing import Any

from module4.benchmark import draw
from module4.benchmark.capabilities import capabilities
from module4.benchmark.maturity import maturity_rows
from module4.benchmark.parts.faults import PATIENCE, STEP_TIMEOUT
from module4.benchmark.reference import FILE as REFERENCE
from module4.benchmark.report import Report, machine_sentence, show, table
from module4.platforms import PLATFORMS, ROOT
from shared.report import png
from shared.storage import replace_file

TEMPLATE = Path(__file__).with_name("choosing.txt")
CHOOSING, README = ROOT / "module4" / "CHOOSING.md", ROOT / "README.md"
IMAGES = ROOT / "module4" / "images"
BEGIN, END = "| platform | how it ran |", "Each row shows"  # around the README's table
SHORT = 12  # digits of a fingerprint that people compare
PICTURES = {
    "overhead": "Overhead of each platform, stacked by cause",
    "fanout": "Speed-up over the number of trials",
    "faults": "The fault matrix",
}

COLUMNS: dict[str, dict[str, str]] = {
    "overhead": {
        "title": "platform",
        "seconds": "seconds",
        "seconds_low": "lowest",
        "seconds_high": "highest",
        "over_python": "over Python",
        "floor": "platform itself",
        "imports": "imports",
        "left_over": "left over",
        "ratio": "over ÷ (platform + imports)",
    },
    "tasks": {
        "engine": "engine",
        "shape": "tasks",
        "seconds": "seconds in all",
        "first_task": "until the first task",
        "next_task": "from task to task",
        "next_task_p95": "95 % within",
        "span": "first start to last end",
    },
    "fanout": {
        "engine": "engine",
        "trials": "trials",
        "span": "seconds",
        "speedup": "speed-up",
        "efficiency": "per core",
    },
    "footprint": {
        "title": "platform",
        "import_seconds": "import, s",
        "import_mib": "import, MiB",
        "packages": "packages",
        "size_mib": "size, MiB",
        "rest_processes": "processes at rest",
        "rest_mib": "memory at rest, MiB",
        "rest_ports": "ports",
        "rest_ready_seconds": "ready after, s",
    },
    "rerun": {
        "platform": "platform",
        "change": "what changed",
        "steps_run": "tasks run",
        "of_steps": "of",
        "seconds": "seconds",
        "first_seconds": "first run",
    },
    "scale": {
        "step": "step",
        "years": "years",
        "flights": "flights",
        "seconds": "seconds",
        "time_per_flight": "time per flight, one year = 1",
        "peak_mib": "peak, MiB",
        "bytes_per_flight": "bytes per further flight",
        "remark": "remark",
    },
    "days": {
        "title": "platform",
        "one_day": "one day, s",
        "days": "days",
        "per_day": "each further day, s",
        "year_minutes": "365 days, min",
        "days_at_once": "days at once",
        "same_predictions": "same predictions",
    },
    "faults": {
        "platform": "platform",
        "fault": "fault",
        "recovery": "recovers",
        "same_model": "same model",
        "production_untouched": "production untouched",
        "steps_again": "tasks run again",
        "seconds_lost": "seconds lost",
        "killed": "what was killed",
    },
    "code": {
        "title": "lab",
        "training": "training",
        "inference": "inference",
        "monitoring": "monitoring",
        "storage": "storage",
        "running": "running it here",
        "other": "other",
        "of_them_retries": "with retries",
        "of_them_schedule": "with schedules",
        "tests": "tests",
    },
    "changes": {
        "title": "lab",
        "step_lines": "lines for a step",
        "step_works": "same model",
        "schedule_lines": "lines of the schedule",
        "test_lines": "lines of a test",
        "test_seconds": "test, s",
        "mistake_noticed": "mistake noticed by",
        "mistake_seconds": "after, s",
        "mistake_error": "what it says",
    },
    "data": {"figure": "figure", "notebook": "naive notebook", "course": "this course", "ratio": "ratio"},
}


def check_report(report: Report) -> None:
    """Raise ValueError if the overhead lacks a platform, or if the platforms did not make the same model."""
    rows = report["parts"].get("overhead", [])
    if rows and [row["platform"] for row in rows] != list(PLATFORMS):
        raise ValueError("overhead: a platform is missing")
    if len({fingerprint for row in rows for fingerprint in row["fingerprints"]}) > 1:
        raise ValueError("overhead: the fingerprints differ")


def publish(report: Report) -> list[Path]:
    """Make a report the reference, and write everything that is made from it; return the paths."""
    check_report(report)
    contents = {
        REFERENCE: (json.dumps(report, indent=1) + "\n").encode(),
        CHOOSING: choosing(report).encode(),
        README: readme(README.read_text(encoding="utf-8"), report).encode(),
        **{IMAGES / f"benchmark-{name}.png": png(figure) for name, figure in draw.figures(report["parts"]).items()},
    }
    for path, content in contents.items():
        replace_file(str(path), content)
    return list(contents)


def choosing(report: Report) -> str:
    """Return CHOOSING.md: the template, with the report's tables and numbers filled in."""
    parts = report["parts"]
    tables = {f"{name}_table": table(parts.get(name, []), columns) for name, columns in COLUMNS.items()}
    pictures = {
        f"{name}_picture": f"![{text}](images/benchmark-{name}.png)\n\n" if parts.get(name) else ""
        for name, text in PICTURES.items()
    }
    return TEMPLATE.read_text(encoding="utf-8").format(
        machine=machine_sentence(report),
        preset=report["preset"],
        minutes=round(report["seconds"] / 60),
        versions=report["machine"]["versions"],
        capabilities_table=capabilities_table(),
        step_timeout=STEP_TIMEOUT,
        patience=PATIENCE,
        rounds=_times(parts.get("overhead", [{}])[0].get("rounds", 0)),
        overhead_sentences=overhead_sentences(parts.get("overhead", [])),
        **tables,
        **pictures,
        code=_by_platform(parts.get("code", [])),
        footprint=_by_platform(parts.get("footprint", [])),
        changes=_by_platform(parts.get("changes", [])),
        maturity=_by_platform(maturity_rows()),
    )


def overhead_sentences(rows: list[dict[str, Any]]) -> str:
    """Return what the rows say about each platform, as a list: what it adds, and the largest cause."""
    lines = []
    for row in rows[1:]:
        causes = {
            "the platform itself": row["floor"],
            "imports that further processes repeat": row["imports"],
            "what is left over": row["left_over"],
        }
        largest = max(causes, key=lambda name: causes[name])
        lines.append(
            f"- {row['title']} takes {row['over_python']:.1f} s more than plain Python. The largest part is {largest}: "
            f"{causes[largest]:.1f} s."
        )
    return "\n".join(lines)


def readme(text: str, report: Report) -> str:
    """Return the README with its table filled in; if the overhead was not measured, it stays as it is."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md: has no table that begins with {BEGIN!r} before {END!r}")
    if not report["parts"].get("overhead"):
        return text
    return f"{before}{overview(report)}\n{end}{after}"


def overview(report: Report) -> str:
    """Return the README's table: a row per platform, medians of the rounds."""
    rows = report["parts"]["overhead"]
    plain = rows[0]["seconds"]
    lines = [
        "| platform | how it ran | status | fingerprint | wall time | over Python | first step | peak memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        over = "-" if row["platform"] == "python" else f"{row['over_python']:+.1f} s ({row['seconds'] / plain:.1f}×)"
        cells = [
            row["title"],
            row["mode"],
            "ok",
            row["fingerprints"][0][:SHORT],
            f"{row['seconds']:.1f} s",
            over,
            f"after {row['startup']:.1f} s",
            f"{row['peak_mib']:.0f} MiB",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + f"\n\nPreset {report['preset']}. {machine_sentence(report)}\n"


def capabilities_table() -> str:
    """Return what each platform can do as a table; each yes leads to the file of the test that shows it."""
    can = capabilities()
    needs = sorted({need for shown in can.values() for need in shown})
    lines = ["| need | " + " | ".join(PLATFORMS[name].title for name in can) + " |", "|---" * (len(can) + 1) + "|"]
    for need in needs:
        cells = [f"[yes](../{shown[need].partition('::')[0]})" if need in shown else "" for shown in can.values()]
        lines.append(f"| {need} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number or 'several'} times")


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "-"


def _by_platform(rows: list[dict[str, Any]]) -> dict[str, _Facts]:
    """Return rows by platform, each value as a cell shows it, and a dash for what was not measured."""
    found = {name: _Facts() for name in PLATFORMS}
    for row in rows:
        found[row["platform"]].update({name: show(value) for name, value in row.items()})
    return found
