"""Drift, performance and the decision to retrain."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared import artifacts, deployment, fitted, inference, monitoring, report, steps
from shared.config import PipelineConfig, parse, preset
from shared.errors import DataError, RegistryError
from shared.evaluation import Evaluation
from shared.features import FEATURES, LABEL
from shared.monitoring import Decision, Drift, stability_index
from shared.registry import Registry


def series(values: Any) -> pd.Series:
    return pd.Series(values, dtype="float32")


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, small: PipelineConfig, judged: Evaluation) -> Registry:
    registry = Registry(str(tmp_path_factory.mktemp("registry")), small.model_name)
    deployment.deploy(small, judged, registry)
    return registry


@pytest.fixture(scope="module")
def drift(small: PipelineConfig, registry: Registry) -> Drift:
    return monitoring.measure_drift(small, registry, date(2013, 4, 8))


def drifted(**changes: Any) -> Drift:
    """A month after its deployment the model is as good as it was."""
    values: dict[str, Any] = {
        "day": "2013-04-08",
        "window_start": "2013-03-11",
        "version": "v1",
        "trained_until": "2013-03-04",
        "deployed": "2013-03-11",
        "flights": 100,
        "feature_psi": {"distance": 9.0},
        "prediction_psi": 0.1,
        "predicted": 0.20,
        "observed": 0.22,
        "log_loss": 0.4,
        "log_loss_constant": 0.5,
        "roc_auc": 0.7,
    }
    return Drift(**{**values, **changes})


def test_equal_distributions_have_no_drift(random: np.random.Generator) -> None:
    values = series(random.normal(size=5000))
    assert stability_index(values, values) == 0
    assert stability_index(values, series(random.normal(size=5000))) < 0.02


def test_the_index_is_the_sum_over_bins() -> None:
    """Two categories, 20 and 80 of 100 against 50 and 50, half a row added to each."""
    reference = pd.Series(["a"] * 20 + ["b"] * 80, dtype="category")
    current = pd.Series(["a"] * 50 + ["b"] * 50, dtype="category")
    share = np.array([20.5, 80.5]) / 101, np.array([50.5, 50.5]) / 101
    expected = ((share[1] - share[0]) * np.log(share[1] / share[0])).sum()
    assert stability_index(reference, current) == pytest.approx(expected)


def test_a_larger_shift_has_a_larger_index(random: np.random.Generator) -> None:
    values = random.normal(size=5000)
    indices = [stability_index(series(values), series(values + shift)) for shift in (0, 0.3, 1, 3)]
    assert indices == sorted(indices)
    assert indices[1] < 0.25 < indices[2]


def test_values_that_are_missing_now_count() -> None:
    values = np.linspace(0, 1, 1000)
    assert stability_index(series(values), series(np.where(values < 0.5, np.nan, values))) > 0.25


def test_a_category_never_seen_counts() -> None:
    reference = pd.Series(["a"] * 100, dtype="category")
    assert stability_index(reference, pd.Series(["a"] * 50 + ["new"] * 50, dtype="category")) > 0.25
    assert stability_index(reference, pd.Series(["a"] * 50 + [None] * 50, dtype="category")) > 0.25


def test_a_constant_has_an_index_too() -> None:
    assert stability_index(series([1] * 100), series([1] * 100)) == 0
    assert stability_index(series([1] * 100), series([2] * 100)) > 1


def test_every_feature_and_the_predictions_are_measured(
    drift: Drift, small: PipelineConfig, registry: Registry
) -> None:
    assert [*drift.feature_psi] == FEATURES
    assert drift.feature_psi["weather_temp"] > 0.25, "a warmer month than those of the training"
    assert drift.feature_psi["carrier"] < 0.05, "the airlines are the same"
    assert (drift.window_start, drift.deployed, drift.trained_until) == ("2013-03-11", "2013-03-11", "2013-03-04")
    assert drift.version == registry.get_champion().version
    assert monitoring.measure_drift(small, registry, date(2013, 4, 8)) == drift


def test_performance_is_that_of_the_windows_predictions(
    drift: Drift, small: PipelineConfig, registry: Registry
) -> None:
    """The same from the other side: predict two days as inference does, and compare with what happened."""
    model = registry.get_champion().model
    flights = monitoring.build_features(monitoring.load_flights(small, date(2013, 3, 11), date(2013, 4, 8)))
    known = flights[(flights["date"] >= "2013-03-11") & flights[LABEL].notna()]
    assert drift.flights == len(known)
    assert drift.observed == pytest.approx(known[LABEL].mean())
    assert drift.predicted == pytest.approx(fitted.predict(model, known).mean())
    batch = inference.load_batch(small, date(2013, 3, 20))
    day = flights[flights["date"] == "2013-03-20"]
    assert fitted.predict(model, batch).tolist() == fitted.predict(model, day).tolist()


def test_a_good_model_stays(small: PipelineConfig) -> None:
    """Feature drift alone is not a reason."""
    decision = monitoring.decide_retraining(small, drifted())
    assert not decision.retrain
    assert decision.config == ""
    assert decision.reasons == [
        "calibration gap (predicted 0.200, observed 0.220): 0.0200 is within 0.0500",
        "drift of the predictions (PSI): 0.1000 is within 1.0000",
    ]


@pytest.mark.parametrize("changes", [{"observed": 0.30}, {"observed": 0.10}, {"prediction_psi": 1.2}])
def test_an_outdated_model_is_trained_again_with_the_last_weeks(small: PipelineConfig, changes: dict[str, Any]) -> None:
    decision = monitoring.decide_retraining(small, drifted(**changes))
    assert decision.retrain
    assert any("exceeds" in reason for reason in decision.reasons)
    assert parse(decision.config) == small.ending_at(date(2013, 4, 8))


def test_a_young_model_is_not_judged(small: PipelineConfig) -> None:
    decision = monitoring.decide_retraining(small, drifted(window_start="2013-03-10", observed=0.5))
    assert not decision.retrain
    assert decision.reasons == ["too early: v1 can be judged from 2013-04-08 on"]


def test_the_limits_are_configured() -> None:
    strict = preset("tiny", monitoring={"max_calibration_gap": 0.01})
    assert monitoring.decide_retraining(strict, drifted()).retrain


def test_without_a_model_there_is_nothing_to_watch(small: PipelineConfig, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="no model is in production"):
        monitoring.measure_drift(small, Registry(str(tmp_path), small.model_name), date(2013, 4, 8))


def test_a_window_of_punctual_flights_is_refused(
    small: PipelineConfig, registry: Registry, tiny_features: pd.DataFrame
) -> None:
    punctual = tiny_features[tiny_features[LABEL] == 0]
    message = (
        "measure_drift: from 2013-02-11 to 2013-03-11 there are [0-9]+ flights .* late and punctual ones are needed"
    )
    reference = monitoring.make_reference(registry.get_champion(), small, punctual)
    with pytest.raises(DataError, match=message):
        monitoring.compare(small, reference, punctual, date(2013, 3, 11))


def test_the_steps_pass_the_drift_on_as_an_artifact(
    small: PipelineConfig, registry: Registry, drift: Drift, tmp_path: Path
) -> None:
    measured = steps.measure_drift(small.to_json(), registry.uri, "2013-04-08", f"{tmp_path}/drift")
    assert measured["calibration_gap"] == drift.calibration_gap
    assert artifacts.load(measured["uri"], Drift) == drift
    assert (tmp_path / "drift" / "report.png").read_bytes()[:4] == b"\x89PNG"
    decided = steps.decide_retraining(small.to_json(), measured["uri"], f"{tmp_path}/decision")
    assert json.loads(json.dumps(decided)) == decided
    assert artifacts.load(decided["uri"], Decision).retrain == decided["retrain"]


def test_the_year_is_drawn(drift: Drift) -> None:
    weeks = pd.DataFrame(
        [{**vars(drift), "retrain": retrain, "deployed_new": False, "reason": ""} for retrain in (True, False)]
    )
    weeks["day"] = pd.to_datetime(["2013-04-08", "2013-04-15"])
    figure = report.year_figure(weeks, preset("tiny").monitoring)
    assert [axis.get_ylabel() for axis in figure.axes] == ["share", "difference of shares", "PSI"]
    assert drift.version in [text.get_text().split()[-1] for text in figure.axes[0].get_legend().get_texts()]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Registry]:
    config = preset("lab")
    registry = Registry(str(tmp_path_factory.mktemp("year")), config.model_name)
    return monitoring.watch_year(config, registry), registry


def test_over_the_year_it_fires_when_the_seasons_change_and_is_quiet_in_between(
    year: tuple[pd.DataFrame, Registry],
) -> None:
    """Summer's storms, the calm autumn, December's snow; spring and autumn themselves bring no alarm."""
    weeks, _ = year
    months = weeks["day"].dt.month
    fired = set(months[weeks["retrain"]])
    assert {7, 9, 12} <= fired <= {7, 8, 9, 12}
    assert {5, 6, 10, 11} <= set(months) - fired
    assert weeks["retrain"].sum() <= 6


def test_the_year_goes_on_with_the_models_that_passed_the_gate(year: tuple[pd.DataFrame, Registry]) -> None:
    weeks, registry = year
    history = [entry["version"] for entry in registry.aliases()["history"]]
    assert len(history) == 1 + weeks["deployed_new"].sum()
    assert [*weeks["version"].unique()] == history[: weeks["version"].nunique()]
    assert not (weeks["deployed_new"] & ~weeks["retrain"]).any()
    gap = (weeks["predicted"] - weeks["observed"]).abs()
    early = weeks["reason"].str.startswith("too early")
    limits = preset("lab").monitoring
    beyond = (gap > limits.max_calibration_gap) | (weeks["prediction_psi"] > limits.max_prediction_psi)
    assert (weeks["retrain"] == (beyond & ~early)).all()
