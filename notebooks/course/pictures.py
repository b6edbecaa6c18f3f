"""Pictures of graphs, as Mermaid text, and of when things ended."""

from collections.abc import Iterable, Mapping

from IPython.display import Markdown
from matplotlib.figure import Figure

# Dark text on a light color; the state is also said in words.
COLORS = {
    "success": "#d4edda",
    "failed": "#f8c9c4",
    "upstream_failed": "#ffe3b0",
    "skipped": "#e6e6e6",
    "not started": "#e6e6e6",
}
PLAIN = "#d6e6fa"


def draw_graph(needs: Mapping[str, Iterable[str]], title: str, states: Mapping[str, str] | None = None) -> Markdown:
    """Draw a box per step and an arrow from each step that it needs; a known state determines the box's color.

    The picture is Mermaid text, which JupyterLab, GitHub, and the course site draw.
    """
    known = states or {}
    numbers = {name: f"n{number}" for number, name in enumerate(needs)}
    lines = ["```mermaid", "flowchart LR", f"    accTitle: {title}"]
    for name, number in numbers.items():
        label = f"{name}<br/>{known[name]}" if name in known else name
        color = COLORS.get(known.get(name, ""), PLAIN)
        lines += [f'    {number}["{label}"]', f"    style {number} fill:{color},stroke:#555555,color:#111111"]
    lines += [
        f"    {numbers[above]} --> {numbers[name]}"
        for name, all_above in needs.items()
        for above in numbers
        if above in {*all_above}
    ]
    return Markdown("\n".join([f"**{title}**", "", *lines, "```"]))


def draw_ends(ends: Iterable[tuple[float, str]], title: str) -> Figure:
    """Draw when each of several things ended: a dot per thing, because nobody recorded when it began."""
    ordered = sorted(ends)
    figure = Figure(figsize=(9, 0.3 * len(ordered) + 1.2), layout="constrained")
    axis = figure.subplots()
    seconds = [moment - ordered[0][0] for moment, _ in ordered]
    axis.plot(seconds, range(len(ordered)), "o")
    axis.set_yticks(range(len(ordered)), [name for _, name in ordered])
    axis.invert_yaxis()
    axis.grid(axis="y", alpha=0.4)
    axis.set(title=title, xlabel=f"seconds after {ordered[0][1]}")
    return figure
