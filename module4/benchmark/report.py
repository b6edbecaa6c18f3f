"""What a session measured, as JSON, Markdown and pictures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from module4.benchmark import draw, machine
from module4.benchmark.parts.table import PARTS
from module4.benchmark.reference import beside
from module4.benchmark.session import BUSY, Plan, Row, Session
from module4.runs import make_folder
from shared.report import png
from shared.storage import replace_file

Report = dict[str, Any]


def make_report(session: Session, plan: Plan) -> Report:
    """Return everything that was measured so far, with the machine; `parts` are lists of rows by the part's name."""
    entries = session.entries()
    others = [entry["others"] for entry in entries]
    return {
        "preset": plan.preset,
        "quick": plan.quick,
        "machine": machine.describe(),
        "load": {
            "busy": bool(others) and median(others) > BUSY,
            "others_median": round(median(others), 3) if others else None,
            "others_highest": max(others, default=None),
            "busy_measurements": sum(share > BUSY for share in others),
        },
        "measurements": len(entries),
        "seconds": round(sum(entry["seconds"] for entry in entries)),
        "parts": {name: part.rows(found) for name, part in PARTS.items() if (found := session.measurements(name))},
    }


def write(report: Report, folder: Path) -> list[Path]:
    """Write benchmark-<preset>.json, .md and the pictures into `folder`; return their paths."""
    make_folder(folder)
    stem = folder / f"benchmark-{report['preset']}{'-quick' if report['quick'] else ''}"
    contents = {
        Path(f"{stem}.json"): (json.dumps(report, indent=2) + "\n").encode(),
        Path(f"{stem}.md"): to_markdown(report).encode(),
        **{Path(f"{stem}-{name}.png"): png(figure) for name, figure in draw.figures(report["parts"]).items()},
    }
    for path, content in contents.items():
        replace_file(str(path), content)
    return list(contents)


def to_markdown(report: Report) -> str:
    """Return the report as Markdown: the machine, and a table per part."""
    sections = [f"# Benchmark, preset {report['preset']}", machine_sentence(report)]
    for name, rows in report["parts"].items():
        sections += [f"## {PARTS[name].title}", table(rows)]
        if name == "overhead" and (both := beside({row["platform"]: row.get("over_python") for row in rows})):
            sections += ["Seconds over plain Python, here and on the reference's machine (preset lab):", table(both)]
    return "\n\n".join(sections) + "\n"


def machine_sentence(report: Report) -> str:
    """Return a sentence about the machine, and whether it was busy with other things."""
    about, load = report["machine"], report["load"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    text = (
        f"Measured on {about['cores']} cores of {about['processor']} with {about['memory_gib']:.0f} GiB of memory, "
        f"{about['system']}, Python {about['python']}; {versions}."
    )
    if load["busy"]:
        text += (
            f" **The machine was busy:** other programs used {load['others_median']:.0%} of its processors, so times "
            "are too long. Compare them with each other, not with yours."
        )
    return text


def table(rows: Sequence[Row], columns: Mapping[str, str] | None = None) -> str:
    """Return rows as a Markdown table; `columns` are the titles by key (default: all keys, as they are)."""
    if not rows:
        return "Nothing was measured."
    titles = columns or {key: key for row in rows for key in row}
    lines = ["| " + " | ".join(titles.values()) + " |", "|" + "---|" * len(titles)]
    lines += ["| " + " | ".join(show(row.get(key)) for key in titles) + " |" for row in rows]
    return "\n".join(lines)


def show(value: Any) -> str:
    """Return a value as a table's cell shows it: numbers with three digits that matter, nothing as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        size = abs(value)
        return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
    if isinstance(value, list):
        return ", ".join(str(one)[:12] for one in value)
    return str(value)
