"""The evaluation for people: a page of Markdown and a picture."""

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from shared.evaluation import Evaluation
from shared.features import LABEL


def evaluation_figure(evaluation: Evaluation) -> Figure:
    """Draw ROC curve, precision and recall, calibration and slices of the winner on the test weeks."""
    figure = Figure(figsize=(11, 8), layout="constrained")
    axes = figure.subplots(2, 2)
    metrics = evaluation.metrics[evaluation.winner]
    late, probability = evaluation.predictions[LABEL], evaluation.predictions["probability"]
    false_positive, true_positive, _ = roc_curve(late, probability)
    _diagonal(axes[0, 0], "ROC curve", "on-time flights flagged (share)", "late flights found (share)")
    axes[0, 0].plot(false_positive, true_positive, label=f"area {metrics['roc_auc']:.3f}")
    precision, recall, _ = precision_recall_curve(late, probability)
    axes[0, 1].plot(recall, precision, label=f"average precision {metrics['average_precision']:.3f}")
    axes[0, 1].axhline(metrics["late_share"], color="grey", linestyle=":", label="flagging everything")
    axes[0, 1].set(title="Precision and recall", xlabel="late flights found (share)", ylabel="flagged that are late")
    table = evaluation.calibration
    _diagonal(axes[1, 0], "Calibration", "predicted share of late flights", "observed share")
    axes[1, 0].plot(
        table["predicted"], table["observed"], "o-", label=f"calibration error {metrics['calibration_error']:.3f}"
    )
    for axis in (axes[0, 0], axes[0, 1], axes[1, 0]):
        axis.legend(loc="best")
    _slices(axes[1, 1], evaluation)
    figure.suptitle(f"The winner on the test weeks: {evaluation.winner}")
    return figure


def evaluation_markdown(evaluation: Evaluation) -> str:
    """Return the report: the winner, the metrics side by side, and what the gate says."""
    columns = dict(evaluation.metrics)
    if evaluation.champion:
        columns[f"champion {evaluation.champion['version']}"] = evaluation.champion["metrics"]
    lines = [
        "# Evaluation on the test weeks",
        "",
        f"The winner, by log loss on the validation weeks: **{evaluation.winner}**.",
        "",
        "| metric | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name in evaluation.metrics[evaluation.winner]:
        lines.append(f"| {name} | " + " | ".join(f"{values[name]:.4f}" for values in columns.values()) + " |")
    lines += ["", f"Quality gate: **{'passed' if evaluation.passed else 'not passed'}**", ""]
    lines += [f"- [{'x' if check.passed else ' '}] {check.reason}" for check in evaluation.gate]
    if evaluation.champion and not evaluation.champion["comparable"]:
        lines.append("- The champion was trained on some of these test weeks: it is shown, but not compared.")
    return "\n".join(lines) + "\n"


def save_figure(figure: Figure, path: Path) -> None:
    """Write the figure as PNG, the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    path.write_bytes(buffer.getvalue())


def _diagonal(axis: Axes, title: str, xlabel: str, ylabel: str) -> None:
    axis.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)


def _slices(axis: Axes, evaluation: Evaluation) -> None:
    table = evaluation.slices.dropna(subset=["roc_auc"]).iloc[::-1]
    labels = table["slice"] + " " + table["value"]
    colors = ["tab:blue" if slice_ == "origin" else "tab:gray" for slice_ in table["slice"]]
    axis.barh(labels, table["roc_auc"].astype(float), color=colors)
    axis.axvline(0.5, color="black", linewidth=0.8)
    axis.set(title="ROC AUC per origin and carrier", xlim=(0.4, 1.0))
    axis.tick_params(axis="y", labelsize=8)
