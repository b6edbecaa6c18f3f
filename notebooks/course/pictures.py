"""Pictures of graphs, from the names and edges that a platform reports."""

from collections.abc import Iterable, Mapping

from matplotlib.figure import Figure
from matplotlib.patches import Patch

COLORS = {
    "success": "#2da44e",
    "failed": "#cf222e",
    "upstream_failed": "#e8a33d",
    "skipped": "#bbbbbb",
    "not started": "#bbbbbb",
}


def draw_graph(needs: Mapping[str, Iterable[str]], title: str, states: Mapping[str, str] | None = None) -> Figure:
    """Draw a box per step and an arrow from each step that it needs; a known state determines the box's color."""
    columns = _columns({name: {*above} for name, above in needs.items()})
    lengths = [columns[name] - columns[one] for name, above in needs.items() for one in {*above} & {*needs}]
    reach = max(lengths, default=0)
    top = 0.25 * reach if reach > 1 else 0.1  # an arrow over others needs room above them
    rows = {column: [name for name in needs if columns[name] == column] for column in sorted({*columns.values()})}
    height = max(map(len, rows.values()), default=1)
    places = {
        name: (column, (len(names) - 1) / 2 - number)
        for column, names in rows.items()
        for number, name in enumerate(names)
    }
    figure = Figure(figsize=(max(1.4 * len(rows), 3), 0.7 * height + 0.6 * top + 0.6), layout="constrained")
    axis = figure.subplots()
    texts = {}
    for name, (x, y) in places.items():
        color = COLORS.get((states or {}).get(name, ""), "#0969da")
        label = (
            name.replace(".", ".\n")
            .replace("hyperparameter_", "hyperparameter_\n")
            .replace("-", "-\n", name.count("-") // 2)
        )
        box = {"boxstyle": "round,pad=0.4", "fc": color, "ec": color}
        texts[name] = axis.text(x, y, label, ha="center", va="center", fontsize=8.5, color="white", bbox=box, zorder=3)
    for name, above in needs.items():
        for other in {*above} & set(places):
            far = columns[name] - columns[other] > 1  # bend over the boxes in between
            arrow = {
                "arrowstyle": "-|>",
                "color": "0.55",
                "patchA": texts[other].get_bbox_patch(),
                "patchB": texts[name].get_bbox_patch(),
                "connectionstyle": f"arc3,rad={-0.32 if far else 0}",
            }
            axis.annotate("", places[name], places[other], arrowprops=arrow)
    axis.set(xlim=(-0.6, len(rows) - 0.4), ylim=(-height / 2 - 0.1, height / 2 + top), title=title)
    axis.axis("off")
    known = [Patch(color=color, label=state) for state, color in COLORS.items() if state in (states or {}).values()]
    if known:
        figure.legend(handles=known, loc="outside lower center", ncols=len(known), fontsize=8, frameon=False)
    return figure


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


def _columns(needs: Mapping[str, set[str]]) -> dict[str, int]:
    """Return the length of the longest path to each step."""
    columns: dict[str, int] = {}
    while len(columns) < len(needs):
        ready = [name for name in needs if name not in columns and needs[name] & set(needs) <= set(columns)]
        if not ready:
            raise ValueError(f"{', '.join(sorted(set(needs) - set(columns)))}: these need each other in a circle.")
        columns |= {name: 1 + max((columns[above] for above in needs[name] & set(needs)), default=-1) for name in ready}
    return columns
