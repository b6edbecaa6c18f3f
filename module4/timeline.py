"""A picture of a run: one bar per step, from its start to its end."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from module4.measure import Event


class Bar(NamedTuple):
    """One step or task; times in seconds since any common moment."""

    name: str
    start: float
    end: float


def bars_from_events(events: Sequence[Event]) -> list[Bar]:
    """Return a bar per finished or failed step of a measured run."""
    return [
        Bar(event["step"], event["time"] - event["seconds"], event["time"])
        for event in events
        if event["state"] != "started"
    ]


def draw_timeline(bars: Sequence[Bar], title: str) -> Figure:
    """Draw the bars from top to bottom in the order of their starts, so that waiting and parallel work show."""
    ordered = sorted(bars, key=lambda bar: (bar.start, bar.end))
    begin = ordered[0].start if ordered else 0.0
    figure = Figure(figsize=(9, 0.35 * len(ordered) + 1.2), layout="constrained")
    axis = figure.subplots()
    for row, bar in enumerate(ordered):
        axis.barh(row, bar.end - bar.start, left=bar.start - begin, color="tab:blue")
        axis.text(bar.end - begin, row, f" {bar.end - bar.start:.1f} s", va="center", fontsize=8)
    axis.set_yticks(range(len(ordered)), [bar.name for bar in ordered])
    axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.set(title=title, xlabel="seconds since the first step began")
    return figure
