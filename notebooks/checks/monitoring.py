"""Checks of lesson 7: the student's functions against those of the course, on real and on chosen numbers."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from notebooks.checks import Exercises, Finding, call, expect, must, saw, to_number
from shared.config import Monitoring, preset
from shared.monitoring import Drift, decide_retraining

check = Exercises()

PSI_TOLERANCE = 0.0005  # an answer may be rounded to three digits
WEEKS = 60  # generated weeks

LIMITS = Monitoring()
QUIET = Drift(
    day="2013-07-01",
    window_start="2013-06-03",
    version="0123456789ab",
    trained_until="2013-04-01",
    deployed="2013-05-01",
    flights=1000,
    feature_psi={},
    prediction_psi=0.1,
    predicted=0.20,
    observed=0.21,
    log_loss=0.5,
    log_loss_constant=0.5,
    roc_auc=0.7,
)


@check.exercise(1, "psi")
def psi(answer: Callable[[list[float], list[float]], float]) -> Iterator[Finding]:
    """Equal shares, moved shares, both directions, and any number of bins."""
    yield must(callable(answer), "it is a function", "Define `def psi(then, now):` and return a number.")
    same = call(answer, then=[0.5, 0.5], now=[0.5, 0.5])
    yield must(
        to_number(same) is not None, "it returns a number", f"{saw(same)} That is not a number: add up all the bins."
    )
    yield expect(_is_close(same, 0), "equal shares give 0", f"For equal shares: {saw(same)}")
    for then, now, what in (
        ([0.5, 0.5], [0.25, 0.75], "moved shares give the sum of all bins"),
        ([0.25, 0.75], [0.5, 0.5], "the change back gives the same number"),
        ([0.2, 0.3, 0.5], [0.2, 0.5, 0.3], "all three bins count, wherever the change is"),
        ([1.0], [1.0], "one bin is enough"),
        ([0.01, 0.99], [0.99, 0.01], "a large shift gives a large number"),
        ([0.1] * 10, [0.01, *[0.11] * 9], "ten bins count"),
    ):
        found, right = call(answer, then=then, now=now), _psi(then, now)
        yield expect(
            _is_close(found, right),
            what,
            f"For then={then} and now={now}, the right answer is {right:.4f} (within {PSI_TOLERANCE}). {saw(found)} "
            "ln is math.log, and each bin's share changes by now - then, with its sign.",
        )


def _is_close(found: Any, right: float) -> bool:
    number = to_number(found)
    return number is not None and abs(number - right) <= PSI_TOLERANCE


def _psi(then: list[float], now: list[float]) -> float:
    return sum((b - a) * math.log(b / a) for a, b in zip(then, now, strict=True))


@check.exercise(2, "retrain")
def retrain(answer: Callable[[Drift, Monitoring], bool]) -> Iterator[Finding]:
    """Compare with the course's own decision."""
    yield must(callable(answer), "it is a function", "Define `def retrain(drift, limits):` and return True or False.")
    early = {"deployed": "2013-06-20"}
    reached = Monitoring(max_calibration_gap=QUIET.calibration_gap, max_prediction_psi=QUIET.prediction_psi)
    cases: list[tuple[str, Drift, Monitoring, str]] = [
        ("a quiet week is not a reason", QUIET, LIMITS, "Nothing exceeds its limit there."),
        (
            "a calibration gap alone is a reason",
            replace(QUIET, observed=0.30),
            LIMITS,
            "The gap is 0.10 and the limit 0.05. One reason is enough: or, not and.",
        ),
        (
            "predictions that moved far are a reason on their own",
            replace(QUIET, prediction_psi=1.5),
            LIMITS,
            "The index is 1.5 and the limit 1.0. One reason is enough: or, not and.",
        ),
        (
            "fewer late flights than predicted count too",
            replace(QUIET, observed=0.10),
            LIMITS,
            "The gap has no sign: drift.calibration_gap is a distance.",
        ),
        (
            "a gap is not a reason when it is too early",
            replace(QUIET, observed=0.30, **early),
            LIMITS,
            "The window begins before the deployment, so it is too early to tell.",
        ),
        (
            "predictions that moved are not a reason when it is too early",
            replace(QUIET, prediction_psi=1.5, **early),
            LIMITS,
            "The window begins before the deployment. Without parentheses, `and` binds more tightly than `or`.",
        ),
        (
            "from the day of the deployment on it is not too early",
            replace(QUIET, observed=0.30, deployed=QUIET.window_start),
            LIMITS,
            "The window begins on the day of the deployment: that is not before it.",
        ),
        (
            "when the model was trained does not matter",
            replace(QUIET, observed=0.30, trained_until="2013-06-20"),
            LIMITS,
            "Compare window_start with deployed, not with trained_until.",
        ),
        (
            "reaching a limit is not exceeding it",
            QUIET,
            reached,
            "The gap and the index are exactly at their limits there: greater, not greater or equal.",
        ),
        (
            "other limits are obeyed: the gap's",
            QUIET,
            Monitoring(max_calibration_gap=0.005),
            "With a limit of 0.005 the quiet week is a reason too. Take the limit from the argument.",
        ),
        (
            "other limits are obeyed: the predictions'",
            QUIET,
            Monitoring(max_prediction_psi=0.05),
            "With a limit of 0.05 the quiet week is a reason too. Take the limit from the argument.",
        ),
        (
            "nothing else is a reason",
            replace(QUIET, log_loss=0.9, roc_auc=0.4),
            LIMITS,
            "The task names two limits, and log loss is not among them.",
        ),
    ]
    for what, drift, limits, hint in cases:
        found, right = call(answer, drift=drift, limits=limits), _decide(drift, limits)
        yield must(isinstance(found, bool | np.bool_), "it returns True or False", saw(found))
        yield expect(bool(found) == right, what, f"{hint} It returned {found!r}.")
    yield from _on_generated_weeks(answer)


def _decide(drift: Drift, limits: Monitoring) -> bool:
    return decide_retraining(preset("tiny", monitoring=limits), drift).retrain


def _on_generated_weeks(answer: Callable[[Drift, Monitoring], bool]) -> Iterator[Finding]:
    chance = random.Random(2013)
    days = ("2013-05-20", "2013-06-03", "2013-06-17")
    for _ in range(WEEKS):
        drift = replace(
            QUIET,
            observed=chance.choice([0.1, 0.18, 0.2, 0.22, 0.3]),
            prediction_psi=chance.choice([0.0, 0.3, 0.9, 1.1, 3.0]),
            deployed=chance.choice(days),
            window_start=chance.choice(days),
        )
        limits = Monitoring(
            max_calibration_gap=chance.choice([0.01, 0.05, 0.2]), max_prediction_psi=chance.choice([0.2, 1.0, 5.0])
        )
        found, right = call(answer, drift=drift, limits=limits), _decide(drift, limits)
        if bool(found) != right:
            yield expect(False, "it is right for other weeks", f"For {drift} and {limits} it returned {found!r}.")
            return
    yield expect(True, f"it is right for {WEEKS} other weeks", "")
