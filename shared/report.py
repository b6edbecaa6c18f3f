"""Reports for people: the evaluation as picture, Markdown and HTML, and the pictures of monitoring."""

import base64
import html
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from shared.config import Monitoring
from shared.evaluation import Evaluation
from shared.features import LABEL
from shared.monitoring import Drift

ROC_POINTS = 50  # enough for a smooth curve, and small enough for an artifact's metadata
LATE_FROM = 0.5  # from this probability on, the confusion matrix counts a flight as predicted late


def report_files(value: object) -> dict[str, bytes]:
    """Return the files to store beside a value: `report.md` and `report.png`, or none if it has no report."""
    match value:
        case Evaluation():
            markdown = evaluation_markdown(value).encode()
            return {"report.md": markdown, "report.png": png(evaluation_figure(value))}
        case Drift():
            return {"report.png": png(drift_figure(value))}
    return {}


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
    rows = [["metric", *columns]]
    for name in evaluation.metrics[evaluation.winner]:
        rows.append([name, *(_score(name, values[name]) for values in columns.values())])
    header, *table = ["| " + " | ".join(map(_plain_markdown, row)) + " |" for row in rows]
    lines = [
        "# Evaluation on the test weeks",
        "",
        f"The winner, by log loss on the validation weeks: **{_plain_markdown(evaluation.winner)}**.",
        "",
        header,
        "|---" * (len(columns) + 1) + "|",
        *table,
    ]
    lines += ["", f"Quality gate: **{'passed' if evaluation.passed else 'not passed'}**", ""]
    lines += [f"- [{'x' if check.passed else ' '}] {_plain_markdown(check.reason)}" for check in evaluation.gate]
    if evaluation.champion and not evaluation.champion["comparable"]:
        lines.append("- The champion was trained on some of these test weeks: it is shown, but not compared.")
    return "\n".join(lines) + "\n"


def evaluation_html(evaluation: Evaluation, picture: bytes) -> str:
    """Return the report, with its picture (PNG), as one page that needs no other file and no network."""
    categories, matrix = confusion(evaluation.predictions[LABEL], evaluation.predictions["probability"])
    names = evaluation.metrics[evaluation.winner]
    metrics = [[name, *(_score(name, values[name]) for values in evaluation.metrics.values())] for name in names]
    counts = [[f"was {name}", *map(str, row)] for name, row in zip(categories, matrix, strict=True)]
    checks = "".join(
        f"<li>{'✓' if check.passed else '✗'} {html.escape(check.reason)}</li>" for check in evaluation.gate
    )
    shown = base64.b64encode(picture).decode()
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation on the test weeks</title>'
        "<style>body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}img{max-width:100%}"
        "td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}</style>"
        f"<h1>Evaluation on the test weeks</h1><p>The winner: <b>{html.escape(evaluation.winner)}</b>. "
        f"Quality gate: <b>{'passed' if evaluation.passed else 'not passed'}</b>.</p><ul>{checks}</ul>"
        f"<h2>Metrics</h2>{_table(['', *evaluation.metrics], metrics)}"
        f"<h2>Flights</h2>{_table(['', *(f'called {name}' for name in categories)], counts)}"
        f'<img alt="ROC curve, precision and recall, calibration" src="data:image/png;base64,{shown}"></html>\n'
    )


def drift_figure(drift: Drift) -> Figure:
    """Draw how far each feature and the predictions have moved since the weeks that the model was fitted on."""
    figure = Figure(figsize=(8, 9), layout="constrained")
    axis = figure.subplots()
    indices = pd.Series({**drift.feature_psi, "the predictions": drift.prediction_psi}).sort_values()
    colors = ["tab:red" if name == "the predictions" else "tab:blue" for name in indices.index]
    axis.barh([str(name) for name in indices.index], indices, color=colors)
    axis.axvline(0.25, color="grey", linestyle=":")
    axis.set(
        title=f"Model {drift.version}, {drift.window_start} to {drift.day}:\n"
        f"late flights predicted {drift.predicted:.1%}, observed {drift.observed:.1%}",
        xlabel="population stability index (beyond the dotted line it is commonly called a shift)",
        xscale="symlog",
    )
    return figure


def year_figure(weeks: pd.DataFrame, limits: Monitoring) -> Figure:
    """Draw what `monitoring.watch_year` returned: performance, drift of predictions and features, retrainings."""
    figure = Figure(figsize=(11, 9), layout="constrained")
    shares, gaps, drifts = figure.subplots(3, 1, sharex=True)
    day = weeks["day"]
    shares.plot(day, weeks["observed"], color="black", label="observed")
    for version, group in weeks.groupby("version", sort=False):
        shares.plot(group["day"], group["predicted"], "o-", markersize=3, label=f"predicted by {version}")
    shares.set(title=f"Late flights over the last {limits.window_days} days", ylabel="share")
    gaps.plot(day, weeks["predicted"] - weeks["observed"], "o-", markersize=3, label="predicted - observed")
    for limit in (limits.max_calibration_gap, -limits.max_calibration_gap):
        gaps.axhline(limit, color="tab:red", linestyle=":")
    gaps.set(
        title=f"Calibration gap: beyond a dotted line, a model that is {limits.window_days} days old is retrained",
        ylabel="difference of shares",
    )
    drifts.plot(day, weeks["prediction_psi"], "o-", markersize=3, color="tab:red", label="the predictions")
    features = pd.DataFrame(weeks["feature_psi"].tolist(), index=day)
    for name in features.mean().nlargest(3).index:
        drifts.plot(features.index, features[name], label=str(name), alpha=0.6)
    drifts.axhline(limits.max_prediction_psi, color="tab:red", linestyle=":")
    drifts.set(title="Drift from the training weeks: the features that moved most", ylabel="PSI", yscale="log")
    for axis in (shares, gaps, drifts):
        for retrained, promoted in zip(day[weeks["retrain"]], weeks.loc[weeks["retrain"], "deployed_new"], strict=True):
            axis.axvline(retrained, color="tab:green" if promoted else "tab:grey", linewidth=6, alpha=0.3)
        axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    figure.suptitle("The year in production. Green: retrained and deployed; gray: retrained, refused by the gate")
    return figure


def roc_points(late: pd.Series, probability: pd.Series) -> tuple[list[float], list[float], list[float]]:
    """Return at most `ROC_POINTS` points of the ROC curve: false positive rates, true positive rates, thresholds."""
    curve = np.column_stack(roc_curve(late, probability))
    curve[0, 2] = 1.0  # scikit-learn's first threshold is infinite, which JSON cannot say
    chosen = np.unique(np.linspace(0, len(curve) - 1, ROC_POINTS).round().astype(int))
    false_positive, true_positive, threshold = curve[chosen].T.tolist()
    return false_positive, true_positive, threshold


def confusion(late: pd.Series, probability: pd.Series) -> tuple[list[str], list[list[int]]]:
    """Return the categories, and the flights counted by what happened (rows) and what was predicted (columns)."""
    matrix: list[list[int]] = confusion_matrix(late, probability >= LATE_FROM, labels=[0, 1]).tolist()
    return ["on time", "late"], matrix


def save_figure(figure: Figure, path: Path) -> None:
    """Write the figure as PNG."""
    path.write_bytes(png(figure))


def png(figure: Figure) -> bytes:
    """Return the figure as PNG, the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()


def _score(name: str, value: float) -> str:
    return f"{value:,.0f}" if name == "rows" else f"{value:.4f}"  # a number of flights is whole


def _table(header: list[str], rows: list[list[str]]) -> str:
    cells = ["".join(f"<th>{html.escape(name)}</th>" for name in header)]
    cells += ["".join(f"<td>{html.escape(value)}</td>" for value in row) for row in rows]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _plain_markdown(text: str) -> str:
    """Return Markdown that shows the text as it is: nothing in it becomes a tag, a link, a cell or emphasis."""
    one_line = " ".join(text.split())
    marks = r"[\\`*\[\]|~#!]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.|@"
    return html.escape(re.sub(marks, r"\\\g<0>", one_line), quote=False)


def _diagonal(axis: Axes, title: str, xlabel: str, ylabel: str) -> None:
    axis.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)


def _slices(axis: Axes, evaluation: Evaluation) -> None:
    """Draw a bar per slice, with its score; the number of flights beside its name tells how far to trust that."""
    table = evaluation.slices.dropna(subset=["roc_auc"]).iloc[::-1]
    scores = table["roc_auc"].astype(float)
    labels = [
        f"{kind} {value} ({rows:,})" for kind, value, rows in table[["slice", "value", "rows"]].itertuples(index=False)
    ]
    colors = ["tab:blue" if slice_ == "origin" else "tab:gray" for slice_ in table["slice"]]
    bars = axis.barh(labels, scores, color=colors)
    axis.bar_label(bars, [f"{score:.2f}" for score in scores], label_type="center", color="white", fontsize=8)
    axis.axvline(0.5, color="black", linewidth=0.8)
    axis.set(title="ROC AUC per origin and carrier (flights)", xlim=(0.4, 1.0))
    axis.tick_params(axis="y", labelsize=8)
