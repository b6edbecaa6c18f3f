"""The evaluation: metrics and calibration by hand, the gate at its limits, who wins and who may be compared."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.config import Gate, PipelineConfig
from shared.evaluation import (
    Champion,
    Evaluation,
    calibration_error,
    calibration_table,
    check_gate,
    evaluate,
    score,
    score_slices,
)
from shared.features import LABEL
from shared.fitted import Fitted, predict

# Metrics


def test_metrics_by_hand() -> None:
    metrics = score(pd.Series([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    expected = {
        "roc_auc": 3 / 4,  # of four pairs of a late and a punctual flight, one is in the wrong order
        "average_precision": 1 / 2 * 1 + 1 / 2 * 2 / 3,  # the late ones have ranks 1 and 3
        "log_loss": -(math.log(0.9) + math.log(0.6) + math.log(0.35) + math.log(0.8)) / 4,
        "log_loss_constant": math.log(2),
        "brier": (0.1**2 + 0.4**2 + 0.65**2 + 0.2**2) / 4,
        "calibration_error": (0.1 + 0.4 + 0.65 + 0.2) / 4,  # every flight is alone in its bin
        "late_share": 0.5,
        "rows": 4,
    }
    assert metrics == pytest.approx(expected)


def test_the_constant_guess_is_the_share_of_late_flights() -> None:
    metrics = score(pd.Series([0, 0, 0, 1]), np.full(4, 0.5))
    assert metrics["log_loss_constant"] == pytest.approx(-(3 * math.log(0.75) + math.log(0.25)) / 4)


def test_calibration_bins_begin_with_their_lower_edge_and_the_last_holds_one() -> None:
    late = pd.Series([0, 1, 0, 0, 1, 1], index=[9, 8, 7, 6, 5, 4])
    table = calibration_table(late, np.array([0.0, 0.05, 0.1, 0.15, 0.95, 1.0]))
    assert table["bin"].tolist() == [0, 1, 9]
    assert table["rows"].tolist() == [2, 2, 2]
    assert table["predicted"].tolist() == pytest.approx([0.025, 0.125, 0.975])
    assert table["observed"].tolist() == [0.5, 0, 1]


def test_calibration_error_weighs_bins_by_their_rows() -> None:
    table = pd.DataFrame({"rows": [1, 3], "predicted": [0.1, 0.6], "observed": [0.5, 0.5]})
    assert calibration_error(table) == pytest.approx((1 * 0.4 + 3 * 0.1) / 4)


# Slices


def predictions(*rows: tuple[str, str, int, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["origin", "carrier", LABEL, "probability"])
    return frame.astype({"origin": "category", "carrier": "category"})


def test_slices_by_hand() -> None:
    table = score_slices(
        predictions(("JFK", "AA", 0, 0.2), ("JFK", "AA", 1, 0.6), ("LGA", "AA", 0, 0.5), ("LGA", "UA", 1, 0.1))
    )
    assert table[["slice", "value", "rows"]].to_numpy().tolist() == [
        ["origin", "JFK", 2],
        ["origin", "LGA", 2],
        ["carrier", "AA", 3],
        ["carrier", "UA", 1],
    ]
    assert table["late_share"].tolist() == pytest.approx([0.5, 0.5, 1 / 3, 1])
    assert table["predicted"].tolist() == pytest.approx([0.4, 0.3, 1.3 / 3, 0.1])
    assert table["roc_auc"].tolist()[:3] == [1, 0, 1]


def test_a_slice_of_one_kind_has_no_roc_auc() -> None:
    table = score_slices(predictions(("JFK", "AA", 0, 0.2), ("JFK", "UA", 1, 0.6)))
    assert table.set_index("value")["roc_auc"].isna().to_dict() == {"JFK": False, "AA": True, "UA": True}


def test_values_that_do_not_occur_are_no_slices() -> None:
    frame = predictions(("JFK", "AA", 0, 0.2), ("LGA", "AA", 1, 0.6))
    assert "LGA" not in score_slices(frame[frame["origin"] == "JFK"])["value"].tolist()


# The gate

GATE = Gate(min_roc_auc=0.7, max_calibration_error=0.05, min_origin_roc_auc=0.6, max_log_loss_increase=0.01)
AT_THE_LIMIT = {"roc_auc": 0.7, "calibration_error": 0.05, "log_loss": 0.5, "log_loss_constant": 0.5}


def slices(**roc_aucs: float | None) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {"slice": "origin", "value": name, "roc_auc": value} for name, value in roc_aucs.items()
    ]
    return pd.DataFrame([*rows, {"slice": "carrier", "value": "ZZ", "roc_auc": 0.1}])


def test_a_model_exactly_at_every_limit_passes() -> None:
    champion = {"version": "abc", "comparable": True, "metrics": {"log_loss": 0.49}}
    checks = check_gate(GATE, AT_THE_LIMIT, slices(JFK=0.6, LGA=0.9), champion)
    assert [check.passed for check in checks] == [True] * 5


@pytest.mark.parametrize(
    ("metrics", "origin", "reason"),
    [
        ({"roc_auc": 0.6999}, 0.6, "ROC AUC: 0.6999 is below 0.7000"),
        ({}, 0.5999, "ROC AUC of the worst origin (JFK): 0.5999 is below 0.6000"),
        ({"calibration_error": 0.0501}, 0.6, "calibration error: 0.0501 exceeds 0.0500"),
        ({"log_loss": 0.5001}, 0.6, "log loss (limit: a constant guess): 0.5001 exceeds 0.5000"),
    ],
)
def test_a_model_just_past_one_limit_fails_that_check_alone(
    metrics: dict[str, float], origin: float, reason: str
) -> None:
    checks = check_gate(GATE, {**AT_THE_LIMIT, **metrics}, slices(JFK=origin, LGA=0.9), None)
    assert [check.reason for check in checks if not check.passed] == [reason]


def test_the_reason_of_a_passed_check_tells_value_and_limit() -> None:
    reasons = [check.reason for check in check_gate(GATE, AT_THE_LIMIT, slices(JFK=0.8), None)]
    assert reasons == [
        "ROC AUC: 0.7000 reaches 0.7000",
        "ROC AUC of the worst origin (JFK): 0.8000 reaches 0.6000",
        "calibration error: 0.0500 is within 0.0500",
        "log loss (limit: a constant guess): 0.5000 is within 0.5000",
    ]


def test_a_model_that_is_worse_than_the_champion_fails() -> None:
    champion = {"version": "abc", "comparable": True, "metrics": {"log_loss": 0.48}}
    checks = check_gate(GATE, AT_THE_LIMIT, slices(JFK=0.8), champion)
    assert [check.reason for check in checks if not check.passed] == [
        "log loss against champion abc: 0.5000 exceeds 0.4900"
    ]


def test_a_champion_that_is_not_comparable_is_no_condition() -> None:
    champion = {"version": "abc", "comparable": False, "metrics": {"log_loss": 0.1}}
    assert len(check_gate(GATE, AT_THE_LIMIT, slices(JFK=0.8), champion)) == 4


def test_an_origin_without_roc_auc_is_not_the_worst() -> None:
    checks = check_gate(GATE, AT_THE_LIMIT, slices(EWR=None, JFK=0.8), None)
    assert checks[1].name == "ROC AUC of the worst origin (JFK)"


def test_a_gate_that_cannot_judge_any_origin_stays_closed() -> None:
    checks = check_gate(GATE, AT_THE_LIMIT, slices(EWR=None, JFK=None), None)
    assert not all(check.passed for check in checks)


# The whole evaluation


def with_loss(fitted: Fitted, log_loss: float) -> Fitted:
    return fitted._replace(trial=fitted.trial.model_copy(update={"log_loss": log_loss}))


@pytest.mark.parametrize(
    ("baseline_loss", "candidate_loss", "winner"),
    [(0.5, 0.4, "candidate"), (0.4, 0.5, "baseline"), (0.5, 0.5, "baseline")],
)
def test_the_validation_weeks_choose_the_winner_and_the_baseline_wins_ties(
    small: PipelineConfig,
    small_features: pd.DataFrame,
    baseline: Fitted,
    candidate: Fitted,
    baseline_loss: float,
    candidate_loss: float,
    winner: str,
) -> None:
    result = evaluate(small, small_features, with_loss(baseline, baseline_loss), with_loss(candidate, candidate_loss))
    assert result.winner == winner
    model = {"baseline": baseline, "candidate": candidate}[winner].model
    assert result.model is model
    test = small_features[small_features["split"] == "test"]
    np.testing.assert_array_equal(result.predictions["probability"], predict(model, test))
    assert result.fingerprint["hyperparameters"]["winner"] == winner


def test_predictions_are_one_row_per_test_flight(judged: Evaluation, small_features: pd.DataFrame) -> None:
    test = small_features[small_features["split"] == "test"]
    assert list(judged.predictions.columns) == ["date", "origin", "carrier", "late", "probability"]
    assert judged.predictions["late"].tolist() == test["late"].tolist()
    assert judged.metrics["baseline"]["rows"] == len(test)


def test_the_gate_judges_the_winner(
    small: PipelineConfig, small_features: pd.DataFrame, baseline: Fitted, candidate: Fitted
) -> None:
    strict = small.model_copy(update={"gate": Gate(min_roc_auc=1)})
    result = evaluate(strict, small_features, baseline, candidate)
    assert not result.passed
    assert result.gate[0].value == result.metrics["candidate"]["roc_auc"]


@pytest.mark.parametrize(
    ("trained_until", "comparable"), [("2013-02-01", True), ("2013-03-04", True), ("2013-03-05", False)]
)
def test_a_champion_is_compared_on_weeks_that_it_has_not_seen(
    small: PipelineConfig,
    small_features: pd.DataFrame,
    baseline: Fitted,
    candidate: Fitted,
    trained_until: str,
    comparable: bool,
) -> None:
    champion = Champion("abc", baseline.model, trained_until)
    result = evaluate(small, small_features, baseline, candidate, champion)
    assert result.champion is not None
    assert (result.champion["version"], result.champion["comparable"]) == ("abc", comparable)
    assert result.champion["metrics"] == result.metrics["baseline"]
    assert len(result.gate) == 4 + comparable


def test_the_fingerprint_does_not_depend_on_the_champion(
    small: PipelineConfig, small_features: pd.DataFrame, baseline: Fitted, candidate: Fitted, judged: Evaluation
) -> None:
    champion = Champion("abc", baseline.model, "2013-03-04")
    assert evaluate(small, small_features, baseline, candidate, champion).fingerprint == judged.fingerprint


def test_the_fingerprint_sees_each_split(
    small: PipelineConfig, small_features: pd.DataFrame, baseline: Fitted, candidate: Fitted, judged: Evaluation
) -> None:
    changed = small_features.copy()
    changed.loc[changed["split"] == "train", "distance"] = 1
    data = evaluate(small, changed, baseline, candidate).fingerprint["data"]
    assert {name for name in data if data[name] != judged.fingerprint["data"][name]} == {"train"}
