"""The benchmark's pictures; they are legible in gray: shades, hatches, markers and letters differ, not only colors."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.figure import Figure

from module4.benchmark.session import Row

# From dark to light, so that the order also shows in gray.
CAUSES = {
    "floor": ("the platform itself", "#1b4965", ""),
    "imports": ("imports, repeated in each process", "#f4a259", "//"),
    "left_over": ("left over: artifacts, records", "#e4e4e4", ".."),
}
MARKERS = {
    "python": ("o", ":"),
    "make": ("s", "-"),
    "airflow": ("^", "--"),
    "kubeflow": ("D", "-"),
    "dagster": ("v", ":"),
    "dagster-processes": ("P", "-."),
    "modal": ("X", "-"),
}
RECOVERIES = {
    "automatically": ("#2a9d8f", "✓", "white"),
    "same command again": ("#e9c46a", "↻", "black"),
    "not recovered": ("#7f1d1d", "✗", "white"),
}


def figures(parts: Mapping[str, Sequence[Row]]) -> dict[str, Figure]:
    """Return the pictures of the parts that were measured, by their names."""
    makers: dict[str, Callable[[Sequence[Row]], Figure]] = {"overhead": overhead, "fanout": fanout, "faults": faults}
    return {name: make(parts[name]) for name, make in makers.items() if parts.get(name)}


def overhead(rows: Sequence[Row]) -> Figure:
    """Draw what each platform adds to plain Python, stacked by cause."""
    shown = [row for row in rows if row["platform"] != "python" and "floor" in row]
    figure = Figure(figsize=(10, 0.7 * len(shown) + 1.9), layout="constrained")
    axis = figure.subplots()
    left = [0.0] * len(shown)
    titles = [row["title"] for row in shown]
    for cause, (label, color, hatch) in CAUSES.items():
        widths = [max(row[cause], 0.0) for row in shown]
        axis.barh(titles, widths, left=left, color=color, hatch=hatch, edgecolor="black", linewidth=0.6, label=label)
        left = [begin + width for begin, width in zip(left, widths, strict=True)]
    for place, (row, end) in enumerate(zip(shown, left, strict=True)):
        axis.plot([row["over_python"]] * 2, [place - 0.45, place + 0.45], color="black", linewidth=2.5)
        axis.text(max(end, row["over_python"]), place, f"  +{row['over_python']:.1f} s", va="center", fontsize=12)
    axis.plot([], [], color="black", linewidth=2.5, label="measured in all")
    axis.invert_yaxis()
    axis.set_xlim(0, 1.14 * max(max(row["over_python"], end) for row, end in zip(shown, left, strict=True)))
    axis.tick_params(labelsize=12)
    axis.set_xlabel("seconds more than plain Python", fontsize=12)
    axis.set_title("What each platform adds, by cause", fontsize=14)
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def fanout(rows: Sequence[Row]) -> Figure:
    """Draw the speed-up of each engine over the number of trials."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    axis = figure.subplots()
    for engine, (marker, line) in MARKERS.items():
        points = [(row["trials"], row["speedup"]) for row in rows if row["engine"] == engine and row["speedup"]]
        if not points:
            continue
        trials, speedups = zip(*sorted(points), strict=True)
        axis.plot(trials, speedups, marker=marker, linestyle=line, markersize=9, linewidth=2, label=engine)
    axis.axhline(1, color="black", linewidth=1)
    counts = sorted({row["trials"] for row in rows})
    axis.set_xscale("log", base=2)
    axis.set_xticks(counts, [str(count) for count in counts])
    axis.tick_params(labelsize=12)
    axis.set_xlabel("trials", fontsize=12)
    axis.set_ylabel("times as fast as one after the other", fontsize=12)
    axis.set_ylim(bottom=0)
    axis.set_title("Fan-out: computing trials in parallel", fontsize=14)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=11)
    return figure


def faults(rows: Sequence[Row]) -> Figure:
    """Draw the fault matrix: how each platform recovered from each fault, and the seconds it lost."""
    names, platforms = (list(dict.fromkeys(row[key] for row in rows)) for key in ("fault", "platform"))
    figure = Figure(figsize=(1.1 * len(names) + 1.6, 0.75 * len(platforms) + 1.9), layout="constrained")
    axis = figure.subplots()
    for row in rows:
        x, y = names.index(row["fault"]), platforms.index(row["platform"])
        good = row["same_model"] and row["production_untouched"]
        color, sign, ink = RECOVERIES[row["recovery"] if good else "not recovered"]
        axis.fill([x - 0.47, x + 0.47, x + 0.47, x - 0.47], [y - 0.45, y - 0.45, y + 0.45, y + 0.45], color=color)
        text = f"{sign}\n{row['seconds_lost']:+.0f} s"
        axis.text(x, y, text, ha="center", va="center", color=ink, fontsize=14)
    axis.set_xticks(range(len(names)), [name.replace(":", "\n") for name in names], fontsize=13)
    axis.set_yticks(range(len(platforms)), platforms, fontsize=14)
    axis.set_xlim(-0.5, len(names) - 0.5)
    axis.set_ylim(-0.5, len(platforms) - 0.5)
    axis.invert_yaxis()
    axis.set_title(
        "Faults. ✓ recovers, ↻ the same command once more, ✗ not the same model;\nseconds more than an undisturbed run",
        fontsize=14,
    )
    for side in axis.spines.values():
        side.set_visible(False)
    return figure
