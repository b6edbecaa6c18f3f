"""What the UI shows for a value in addition to its summary: previews, tables, plots."""

import base64
from functools import singledispatch
from typing import Any

import dagster as dg
from matplotlib.figure import Figure
from pandas import DataFrame

from shared.deployment import Deployment
from shared.evaluation import Evaluation
from shared.fitted import Fitted
from shared.monitoring import Drift
from shared.report import drift_figure, evaluation_figure, evaluation_markdown, png

PREVIEW_ROWS = 5
PLOT_INCHES = 9  # the width that the pages show without scrolling

Metadata = dict[str, dg.MetadataValue]


@singledispatch
def describe(value: Any) -> Metadata:
    """Return metadata for a kind of value. Names that begin with `dagster/` have their own place in the UI."""
    return {}


@describe.register
def _(value: DataFrame) -> Metadata:
    columns = [dg.TableColumn(str(name), str(kind)) for name, kind in value.dtypes.items()]
    return {
        "dagster/row_count": dg.MetadataValue.int(len(value)),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
        "preview": dg.MetadataValue.md(value.head(PREVIEW_ROWS).to_markdown(index=False)),
    }


@describe.register
def _(value: Fitted) -> Metadata:
    hyperparameters = value.trial.hyperparameters.model_dump()
    rows = "\n".join(f"| {name} | {chosen} |" for name, chosen in hyperparameters.items())
    return {"hyperparameters": dg.MetadataValue.md(f"| hyperparameter | value |\n|---|---|\n{rows}")}


@describe.register
def _(value: Evaluation) -> Metadata:
    return {
        "report": dg.MetadataValue.md(evaluation_markdown(value)),
        "plots": picture(evaluation_figure(value), "the winner on the test weeks"),
    }


@describe.register
def _(value: Drift) -> Metadata:
    return {"plots": picture(drift_figure(value), "features and predictions against those of the training weeks")}


@describe.register
def _(value: Deployment) -> Metadata:
    return {"reasons": dg.MetadataValue.md("\n".join(f"- {reason}" for reason in value.reasons))}


def picture(figure: Figure, caption: str) -> dg.MetadataValue:
    """Return the figure as Markdown that contains the image, so that it is shown even if the store is out of reach."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(PLOT_INCHES, PLOT_INCHES * height / width)
    return dg.MetadataValue.md(f"![{caption}](data:image/png;base64,{base64.b64encode(png(figure)).decode()})")
