"""Baseline, candidate and champion on the test weeks; the quality gate; the fingerprint's contents.

The winner is chosen by the validation weeks alone. The test weeks only tell how good it is, and whether the gate opens.
"""

from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from shared.config import Gate, PipelineConfig
from shared.features import LABEL, SPLIT, SPLITS
from shared.fingerprint import FINGERPRINT_FILE, Fingerprint, make_fingerprint, output_digests, table_digest
from shared.fitted import MODEL_FILE, Fitted, Model, dump_model, predict, read_model
from shared.gate import EVALUATION_FILE, PREDICTIONS_FILE, Check, Metrics, at_least, at_most
from shared.progress import logged_step
from shared.registry import Champion
from shared.storage import Artifact, Summary, write_json, write_table

CALIBRATION_BINS = 10
SLICES = ("origin", "carrier")


@dataclass(frozen=True)
class Evaluation:
    """Everything the report shows and the deployment needs; `predictions` are the winner's, a row per test flight."""

    winner: str
    model: Model
    metrics: dict[str, Metrics]
    champion: dict[str, Any] | None
    calibration: pd.DataFrame
    slices: pd.DataFrame
    predictions: pd.DataFrame
    gate: list[Check]
    fingerprint: Fingerprint

    @property
    def passed(self) -> bool:
        """Whether every check of the gate passed."""
        return all(check.passed for check in self.gate)

    def outputs(self) -> tuple[bytes, bytes]:
        """Return the winner's file, and its probabilities as the bytes of 64-bit floats."""
        return dump_model(self.model), self.predictions["probability"].to_numpy().tobytes()

    def write(self, folder: Path) -> Summary:
        """Write model, predictions, evaluation and fingerprint into `folder`; return the main figures."""
        (folder / MODEL_FILE).write_bytes(dump_model(self.model))
        write_table(self.predictions, folder / PREDICTIONS_FILE)
        write_json(self.to_json(), folder / EVALUATION_FILE)
        write_json(self.fingerprint, folder / FINGERPRINT_FILE)
        metrics = self.metrics[self.winner]
        return {
            "winner": self.winner,
            "passed": self.passed,
            "roc_auc": metrics["roc_auc"],
            "log_loss": metrics["log_loss"],
            "fingerprint": self.fingerprint["fingerprint"],
        }

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return what `write` stored."""
        values = artifact.read_json(EVALUATION_FILE)
        return cls(
            winner=values["winner"],
            model=read_model(artifact),
            metrics=TypeAdapter(dict[str, Metrics]).validate_python(values["metrics"]),
            champion=values["champion"],
            calibration=pd.DataFrame(values["calibration"]),
            slices=pd.DataFrame(values["slices"]),
            predictions=artifact.read_table(PREDICTIONS_FILE),
            gate=TypeAdapter(list[Check]).validate_python(values["gate"]),
            fingerprint=TypeAdapter(Fingerprint).validate_python(artifact.read_json(FINGERPRINT_FILE)),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation without model and predictions, JSON-able."""
        return {
            "winner": self.winner,
            "passed": self.passed,
            "metrics": self.metrics,
            "champion": self.champion,
            "gate": [asdict(check) for check in self.gate],
            "calibration": self.calibration.to_dict("records"),
            "slices": self.slices.astype(object).where(self.slices.notna(), None).to_dict("records"),
        }


@logged_step
def evaluate(
    config: PipelineConfig,
    features: pd.DataFrame,
    baseline: Fitted,
    candidate: Fitted,
    champion: Champion | None = None,
) -> Evaluation:
    """Return the comparison of the models on the test weeks, and the gate's verdict on the winner.

    `features` is what `preprocess` returned: FEATURES, `late`, `date` and `split`, of which the test rows are scored.
    The winner is the one of `baseline` and `candidate` with the lower log loss on the validation weeks, the baseline
    if they are equal. `champion` is the model in production, if there is one: the winner must not be much worse.
    """
    test = features[features[SPLIT] == "test"]
    contenders = {"baseline": baseline, "candidate": candidate}
    winner = min(contenders, key=lambda name: contenders[name].trial.log_loss)  # the first of equals: the baseline
    probabilities = {name: predict(fitted.model, test) for name, fitted in contenders.items()}
    metrics = {name: score(test[LABEL], probability) for name, probability in probabilities.items()}
    predictions = test[["date", *SLICES, LABEL]].assign(probability=probabilities[winner]).reset_index(drop=True)
    slices = score_slices(predictions)
    compared = _compare_champion(config, test, champion)
    return Evaluation(
        winner=winner,
        model=contenders[winner].model,
        metrics=metrics,
        champion=compared,
        calibration=calibration_table(predictions[LABEL], predictions["probability"]),
        slices=slices,
        predictions=predictions,
        gate=check_gate(config.gate, metrics[winner], slices, compared),
        fingerprint=_fingerprint(features, contenders, winner, metrics, probabilities[winner]),
    )


def _fingerprint(
    features: pd.DataFrame,
    contenders: dict[str, Fitted],
    winner: str,
    metrics: dict[str, Metrics],
    probability: NDArray[np.float64],
) -> Fingerprint:
    """Return the digests of everything that two runs must have in common to have made the same model."""
    hyperparameters = {name: fitted.trial.hyperparameters.model_dump() for name, fitted in contenders.items()}
    validation = {
        name: {"log_loss": fitted.trial.log_loss, "roc_auc": fitted.trial.roc_auc}
        for name, fitted in contenders.items()
    }
    return make_fingerprint(
        {
            "data": {name: table_digest(features[features[SPLIT] == name]) for name in SPLITS},
            "hyperparameters": {"winner": winner, **hyperparameters},
            "metrics": {name: {"validation": validation[name], "test": metrics[name]} for name in contenders},
            **output_digests(dump_model(contenders[winner].model), probability.tobytes()),
        }
    )


def score(late: pd.Series, probability: NDArray[np.float64] | pd.Series) -> Metrics:
    """Return the metrics of predicted probabilities (0 to 1) against what happened (1: late), both of shape (rows,).

    The keys are `roc_auc`, `average_precision`, `log_loss` (natural logarithm, per flight), `log_loss_constant` (that
    of always predicting the share of late flights), `brier`, `calibration_error`, `late_share`, and `rows`.
    scikit-learn raises ValueError when `late` is empty.
    """
    return {
        "roc_auc": float(roc_auc_score(late, probability)),
        "average_precision": float(average_precision_score(late, probability)),
        "log_loss": float(log_loss(late, probability)),
        "log_loss_constant": float(log_loss(late, np.full(len(late), late.mean()))),
        "brier": float(brier_score_loss(late, probability)),
        "calibration_error": calibration_error(calibration_table(late, probability)),
        "late_share": float(late.mean()),
        "rows": float(len(late)),
    }


def calibration_table(late: pd.Series, probability: NDArray[np.float64] | pd.Series) -> pd.DataFrame:
    """Return per bin of predicted probability: `rows`, mean `predicted` and `observed` share of late flights."""
    bins = np.clip((np.asarray(probability) * CALIBRATION_BINS).astype(int), 0, CALIBRATION_BINS - 1)
    grouped = pd.DataFrame({"bin": bins, "predicted": np.asarray(probability), "observed": np.asarray(late)})
    return (
        grouped.groupby("bin")
        .agg(rows=("bin", "size"), predicted=("predicted", "mean"), observed=("observed", "mean"))
        .reset_index()
    )


def calibration_error(table: pd.DataFrame) -> float:
    """Return the mean distance of predicted and observed shares, weighted by rows (expected calibration error)."""
    return float((table["rows"] * (table["predicted"] - table["observed"]).abs()).sum() / table["rows"].sum())


def score_slices(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return per origin and per carrier: rows, late share, mean prediction, ROC AUC (missing with one class only)."""
    rows = []
    for column in SLICES:
        for value, group in predictions.groupby(column, observed=True):
            both = group[LABEL].nunique() == 2
            rows.append(
                {
                    "slice": column,
                    "value": str(value),
                    "rows": len(group),
                    "late_share": float(group[LABEL].mean()),
                    "predicted": float(group["probability"].mean()),
                    "roc_auc": float(roc_auc_score(group[LABEL], group["probability"])) if both else None,
                }
            )
    return pd.DataFrame(rows)


def check_gate(gate: Gate, metrics: Metrics, slices: pd.DataFrame, champion: dict[str, Any] | None) -> list[Check]:
    """Return the gate's checks of one model; `champion` is None when there is none to compare with."""
    origins = slices[(slices["slice"] == "origin") & slices["roc_auc"].notna()].astype({"roc_auc": float})
    no_origin = ("none has both kinds of flights", 0.0)
    worst_origin, worst = min(
        zip(origins["value"], origins["roc_auc"], strict=True), key=itemgetter(1), default=no_origin
    )
    checks = [
        at_least("ROC AUC", metrics["roc_auc"], gate.min_roc_auc),
        at_least(f"ROC AUC of the worst origin ({worst_origin})", worst, gate.min_origin_roc_auc),
        at_most("calibration error", metrics["calibration_error"], gate.max_calibration_error),
        at_most("log loss (limit: a constant guess)", metrics["log_loss"], metrics["log_loss_constant"]),
    ]
    if champion and champion["comparable"]:
        limit = champion["metrics"]["log_loss"] + gate.max_log_loss_increase
        checks.append(at_most(f"log loss against champion {champion['version']}", metrics["log_loss"], limit))
    return checks


def _compare_champion(config: PipelineConfig, test: pd.DataFrame, champion: Champion | None) -> dict[str, Any] | None:
    """Score the champion on the test weeks; one that was trained on some of them is not comparable."""
    if champion is None:
        return None
    return {
        "version": champion.version,
        "comparable": champion.trained_until <= config.test_start.isoformat(),
        "metrics": score(test[LABEL], predict(champion.model, test)),
    }
