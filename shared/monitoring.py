"""Is the model in production still right? Drift of what it sees and says, and its performance once labels arrived.

Looks back over a window of days and compares it with the weeks that the model was fitted on. Features drift all the
time: each week is warmer or cooler than the months before. So their drift is shown, but what decides is whether
predictions still match what happened, and, should labels be late, whether the predictions themselves moved far.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter

from shared import deployment, evaluation, models, trials
from shared.config import PipelineConfig, parse
from shared.data import load_data, load_flights
from shared.errors import DataError
from shared.features import FEATURES, LABEL, build_features, preprocess
from shared.fitted import predict
from shared.gate import Check, at_most
from shared.progress import logged_step
from shared.registry import Champion, Registry
from shared.storage import Artifact, Summary, write_json

BINS = 10
DRIFT_FILE, DECISION_FILE = "drift.json", "decision.json"


@dataclass(frozen=True)
class Drift:
    """What the window before `day` looks like to the model in production. Days are ISO text.

    `feature_psi` and `prediction_psi` are population stability indices against the weeks that the model was fitted on;
    `predicted` and `observed` are shares of late flights; log loss and its value for a constant guess, and ROC AUC,
    are those of the window's flights with a known arrival.
    """

    day: str
    window_start: str
    version: str
    trained_until: str
    deployed: str
    flights: int
    feature_psi: dict[str, float]
    prediction_psi: float
    predicted: float
    observed: float
    log_loss: float
    log_loss_constant: float
    roc_auc: float

    @property
    def calibration_gap(self) -> float:
        """How far the predicted share of late flights is from the observed one."""
        return abs(self.predicted - self.observed)

    def write(self, folder: Path) -> Summary:
        """Write everything into `folder` and return what the decision needs."""
        write_json(asdict(self), folder / DRIFT_FILE)
        return {
            "day": self.day,
            "version": self.version,
            "prediction_psi": self.prediction_psi,
            "calibration_gap": self.calibration_gap,
        }

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return what `write` stored."""
        return TypeAdapter(cls).validate_json(artifact.read(DRIFT_FILE))


@dataclass(frozen=True)
class Decision:
    """Whether to retrain, why, and with which configuration (JSON; empty if not)."""

    day: str
    retrain: bool
    reasons: list[str]
    config: str

    def write(self, folder: Path) -> Summary:
        """Write the decision into `folder` and return it."""
        write_json(asdict(self), folder / DECISION_FILE)
        return asdict(self)

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return what `write` stored."""
        return TypeAdapter(cls).validate_json(artifact.read(DECISION_FILE))


@dataclass(frozen=True)
class Reference:
    """What each window is compared with: the model in production and its training weeks.

    `trained` is the configuration of its training, `features` are those weeks' flights with a known arrival, and
    `predictions` are the model's probabilities for them.
    """

    champion: Champion
    trained: PipelineConfig
    features: pd.DataFrame
    predictions: pd.Series


@logged_step
def measure_drift(config: PipelineConfig, registry: Registry, day: date) -> Drift:
    """Measure the model in production over the configured window before `day`.

    Raises RegistryError when no model is in production, and DataError when the window holds nothing to judge by.
    """
    champion = registry.get_champion()
    trained = _trained_with(registry, champion)
    begin = min(trained.train_start, _window_start(config, day))
    table = build_features(load_flights(config, begin, day))
    return compare(config, make_reference(champion, trained, table), table, day)


@logged_step
def decide_retraining(config: PipelineConfig, drift: Drift) -> Decision:
    """Decide by the configured limits; a model is judged only by days that came after its deployment."""
    day = date.fromisoformat(drift.day)
    if drift.window_start < drift.deployed:
        begin = date.fromisoformat(drift.deployed) + timedelta(days=config.monitoring.window_days)
        return Decision(drift.day, False, [f"too early: {drift.version} can be judged from {begin} on"], "")
    checks = check_drift(config, drift)
    reasons = [check.reason for check in checks]
    if all(check.passed for check in checks):
        return Decision(drift.day, False, reasons, "")
    return Decision(drift.day, True, reasons, config.ending_at(day).to_json())


def check_drift(config: PipelineConfig, drift: Drift) -> list[Check]:
    """Return the conditions that a model must meet to stay in production."""
    limits = config.monitoring
    gap = f"calibration gap (predicted {drift.predicted:.3f}, observed {drift.observed:.3f})"
    return [
        at_most(gap, drift.calibration_gap, limits.max_calibration_gap),
        at_most("drift of the predictions (PSI)", drift.prediction_psi, limits.max_prediction_psi),
    ]


def make_reference(champion: Champion, trained: PipelineConfig, table: pd.DataFrame) -> Reference:
    """Return the weeks on which the model was fitted, with its predictions; `table` has FEATURES, `late` and `date`."""
    features = _known_between(table, trained.train_start, trained.test_start)
    return Reference(champion, trained, features, pd.Series(predict(champion.model, features)))


def compare(config: PipelineConfig, reference: Reference, table: pd.DataFrame, day: date) -> Drift:
    """Compare the window before `day` with the reference; `table` has the window's FEATURES, `late` and `date`.

    Raises DataError unless the window has both late and punctual flights.
    """
    window_start = _window_start(config, day)
    window = _known_between(table, window_start, day)
    if window[LABEL].nunique() < 2:
        raise DataError(
            f"measure_drift: from {window_start} to {day} there are {len(window)} flights with a known arrival, and "
            "late and punctual ones are needed. Choose another day."
        )
    probability = predict(reference.champion.model, window)
    scores = evaluation.score(window[LABEL], probability)
    return Drift(
        day=day.isoformat(),
        window_start=window_start.isoformat(),
        version=reference.champion.version,
        trained_until=reference.champion.trained_until,
        deployed=reference.trained.test_end.isoformat(),
        flights=len(window),
        feature_psi={name: stability_index(reference.features[name], window[name]) for name in FEATURES},
        prediction_psi=stability_index(reference.predictions, pd.Series(probability)),
        predicted=float(probability.mean()),
        observed=scores["late_share"],
        log_loss=scores["log_loss"],
        log_loss_constant=scores["log_loss_constant"],
        roc_auc=scores["roc_auc"],
    )


def stability_index(reference: pd.Series, current: pd.Series) -> float:
    """Return the population stability index: 0 for equal distributions; above 0.25 is commonly called a shift.

    Numbers are counted in bins of equal share of the reference, categories each for itself, missing values apart. Half
    a row is added to every count, so that an empty bin has a logarithm.
    """
    counts = [values + 0.5 for values in _counts(reference, current)]
    expected, actual = (values / values.sum() for values in counts)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def watch_year(
    config: PipelineConfig, registry: Registry, on_week: Callable[[Decision], None] = lambda decision: None
) -> pd.DataFrame:
    """Live through the year in the registry: train as of the configured weeks, look every week, retrain when needed.

    One row per week: Drift's figures, `retrain`, `deployed_new` (whether the new model passed its gate) and `reason`.
    The registry ends with all models of the year. `on_week` hears of each decision.
    """
    everything = build_features(load_flights(config, config.data_begin, config.data_end))
    train_and_deploy(config, registry)
    model = _in_production(registry, everything)
    rows: list[dict[str, Any]] = []
    day = config.test_end
    while (day := day + timedelta(weeks=1)) <= config.data_end:
        drift = compare(config, model, everything, day)
        decision = decide_retraining(config, drift)
        on_week(decision)
        promoted = decision.retrain and train_and_deploy(parse(decision.config), registry)
        if promoted:
            model = _in_production(registry, everything)
        reason = "; ".join(decision.reasons)
        rows.append({**asdict(drift), "retrain": decision.retrain, "deployed_new": promoted, "reason": reason})
    table = pd.DataFrame(rows)
    return table.assign(day=pd.to_datetime(table["day"]))


def train_and_deploy(config: PipelineConfig, registry: Registry) -> bool:
    """Run the training pipeline's functions in this process; return whether the new model went to production."""
    table = preprocess(config, load_data(config))
    baseline = models.train(config, table)
    results = [models.run_trial(config, table, trial) for trial in trials.propose_trials(config)]
    candidate = models.select_best(config, table, results)
    judged = evaluation.evaluate(config, table, baseline, candidate, registry.find_champion())
    return deployment.deploy(config, judged, registry).in_production


def _in_production(registry: Registry, table: pd.DataFrame) -> Reference:
    champion = registry.get_champion()
    return make_reference(champion, _trained_with(registry, champion), table)


def _trained_with(registry: Registry, champion: Champion) -> PipelineConfig:
    return parse(json.dumps(registry.metadata(champion.version)["config"]))


def _window_start(config: PipelineConfig, day: date) -> date:
    return max(day - timedelta(days=config.monitoring.window_days), config.data_begin)


def _known_between(table: pd.DataFrame, begin: date, end: date) -> pd.DataFrame:
    days = table["date"]
    return table[(days >= pd.Timestamp(begin)) & (days < pd.Timestamp(end)) & table[LABEL].notna()]


def _counts(reference: pd.Series, current: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if isinstance(reference.dtype, pd.CategoricalDtype):
        both = pd.concat([reference.astype("str"), current.astype("str")], keys=["reference", "current"])
        counts = both.groupby(level=0).value_counts(dropna=False).unstack(level=0, fill_value=0)
        return counts["reference"].to_numpy(dtype="float64"), counts["current"].to_numpy(dtype="float64")
    edges = np.unique(np.nanquantile(reference.astype("float64"), np.linspace(0, 1, BINS + 1)[1:-1]))
    return _histogram(reference, edges), _histogram(current, edges)


def _histogram(values: pd.Series, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count values between the edges; the last entry counts the missing ones."""
    numbers = values.to_numpy(dtype="float64")
    bins = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers))
    return np.bincount(bins, minlength=len(edges) + 2).astype("float64")
