"""How each kind of value becomes an artifact and comes back: tables, fitted models, evaluations, deployments."""

from functools import singledispatch
from pathlib import Path
from typing import Any, TypeVar, cast

import pandas as pd

from shared.deployment import Deployment
from shared.evaluation import Check, Evaluation
from shared.fingerprint import table_digest
from shared.models import Fitted, TrialResult, dump_model, load_model
from shared.storage import Artifact, Summary, new_artifact, open_artifact, write_json, write_table

T = TypeVar("T")

TABLE_FILE = "table.parquet"
MODEL_FILE = "model.skops"
PREDICTIONS_FILE = "predictions.parquet"
EVALUATION_FILE = "evaluation.json"
FINGERPRINT_FILE = "fingerprint.json"


def save(value: Any, uri: str) -> Summary:
    """Store a DataFrame, Fitted, Evaluation or Deployment at `uri`; return its summary, with the `uri`."""
    summary: Summary = {}
    with new_artifact(uri, summary) as folder:
        summary.update(_write(value, folder))
    return {"uri": uri, **summary}


def load(uri: str, kind: type[T]) -> T:
    """Return the value stored at `uri`. Raises ArtifactError when it is missing or not as it was written."""
    return cast(T, _READERS[kind](open_artifact(uri)))


@singledispatch
def _write(value: Any, folder: Path) -> Summary:
    raise TypeError(f"a {type(value).__name__} cannot be stored as an artifact")


@_write.register
def _(value: pd.DataFrame, folder: Path) -> Summary:
    write_table(value, folder / TABLE_FILE)
    return {"rows": len(value), "columns": len(value.columns), "digest": table_digest(value)}


@_write.register(Fitted)
def _(value: Fitted, folder: Path) -> Summary:
    (folder / MODEL_FILE).write_bytes(dump_model(value.model))
    return value.trial.model_dump()


@_write.register
def _(value: Evaluation, folder: Path) -> Summary:
    from shared.report import evaluation_figure, evaluation_markdown, save_figure  # only here is matplotlib needed

    (folder / MODEL_FILE).write_bytes(dump_model(value.model))
    write_table(value.predictions, folder / PREDICTIONS_FILE)
    write_json(value.to_json(), folder / EVALUATION_FILE)
    write_json(value.fingerprint, folder / FINGERPRINT_FILE)
    (folder / "report.md").write_text(evaluation_markdown(value), encoding="utf-8")
    save_figure(evaluation_figure(value), folder / "report.png")
    metrics = value.metrics[value.winner]
    return {
        "winner": value.winner,
        "passed": value.passed,
        "roc_auc": metrics["roc_auc"],
        "log_loss": metrics["log_loss"],
        "fingerprint": value.fingerprint["fingerprint"],
    }


@_write.register
def _(value: Deployment, folder: Path) -> Summary:
    write_json(value.fingerprint, folder / FINGERPRINT_FILE)
    return {
        "version": value.version,
        "in_production": value.in_production,
        "reasons": value.reasons,
        "fingerprint": value.fingerprint["fingerprint"],
    }


def _read_table(artifact: Artifact) -> pd.DataFrame:
    return artifact.read_table(TABLE_FILE)


def _read_fitted(artifact: Artifact) -> Fitted:
    return Fitted(_read_model(artifact), TrialResult.model_validate(artifact.summary))


def _read_evaluation(artifact: Artifact) -> Evaluation:
    values = artifact.read_json(EVALUATION_FILE)
    return Evaluation(
        winner=values["winner"],
        model=_read_model(artifact),
        metrics=values["metrics"],
        champion=values["champion"],
        calibration=pd.DataFrame(values["calibration"]),
        slices=pd.DataFrame(values["slices"]),
        predictions=artifact.read_table(PREDICTIONS_FILE),
        gate=[Check(**check) for check in values["gate"]],
        fingerprint=artifact.read_json(FINGERPRINT_FILE),
    )


def _read_deployment(artifact: Artifact) -> Deployment:
    values = {name: artifact.summary[name] for name in ("version", "in_production", "reasons")}
    return Deployment(**values, fingerprint=artifact.read_json(FINGERPRINT_FILE))


def _read_model(artifact: Artifact) -> Any:
    return load_model(artifact.read(MODEL_FILE), f"{artifact.uri}/{MODEL_FILE}")


_READERS: dict[type, Any] = {
    pd.DataFrame: _read_table,
    Fitted: _read_fitted,
    Evaluation: _read_evaluation,
    Deployment: _read_deployment,
}
