"""Draw the lineage of a run: one row per task with what it wrote, and an arc to each task that read any of it."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from module4.lab2_kubeflow.lineage.history import Node, Output

STATES = {"finished": "#cfe8cf", "cached": "#d3e2f5", "failed": "#f5bfba", "skipped": "#e6e6e6"}
ARCS = ["tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple", "tab:brown"]
TASK, FIRST, ARTIFACT = 0.0, 1.3, 1.75  # where task names and artifacts begin, and an artifact's width


def draw_lineage(nodes: list[Node], title: str) -> Figure:
    """Draw the run from top to bottom: a reader is always below its source."""
    widest = max(len(node.outputs) for node in nodes)
    figure = Figure(figsize=(12.8, 0.62 * len(nodes) + 1.3), dpi=100, layout="constrained")
    axis = figure.subplots()
    rows = {node.task.name: row for row, node in enumerate(nodes)}
    for node in nodes:
        row = rows[node.task.name]
        name = node.task.name.replace("-", "_") + (f" × {node.times}" if node.task.loop and node.times else "")
        _box(axis, TASK, row, f"{name}\n{node.state}", STATES[node.state])
        for column, output in enumerate(node.outputs):
            _box(axis, FIRST + ARTIFACT * column, row, _describe(output), "white")
        for producer in sorted({producer for producer, _ in node.task.reads}):
            _arc(axis, rows[producer], row, ARCS[rows[producer] % len(ARCS)])
    axis.set(xlim=(-1.1, FIRST + ARTIFACT * max(widest, 3)), ylim=(len(nodes) - 0.4, -0.6))
    axis.set_axis_off()
    figure.suptitle("\n".join(textwrap.wrap(title, 110)), fontsize=11)
    return figure


def _describe(output: Output) -> str:
    details = [output.digest] if output.digest else []
    if output.kind == "Dataset":
        details.append(f"{output.metadata['rows']:,.0f} rows")
    if "roc_auc" in output.metadata and not details:
        details.append(f"ROC AUC {output.metadata['roc_auc']:.4f}")
    return "\n".join([f"{output.name} ({output.kind})", *([", ".join(details)] if details else [])])


def _box(axis: Axes, left: float, row: int, text: str, color: str) -> None:
    style = {"boxstyle": "round,pad=0.4", "facecolor": color, "edgecolor": "#777777"}
    axis.text(left, row, text, va="center", fontsize=8, linespacing=1.4, bbox=style)


def _arc(axis: Axes, source: int, target: int, color: str) -> None:
    """Draw an arc to the left of the tasks; a longer arc bends further out."""
    bend = min(0.15 + 0.04 * (target - source), 0.5)
    axis.add_patch(
        FancyArrowPatch(
            (TASK - 0.12, source),
            (TASK - 0.12, target),
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=11,
            color=color,
            linewidth=1.3,
        )
    )
