"""Checks of lesson 7: the student's functions against the ones that the course uses, on real and on chosen figures."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from notebooks.checks import Exercises, Finding, expect, must
from shared.config import Monitoring, preset
from shared.monitoring import Drift, decide_retraining

check = Exercises()

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


@check.exercise(1)
def psi(answer: Callable[[list[float], list[float]], float]) -> Iterator[Finding]:
    """Equal shares, moved shares, and both ways round."""
    yield must(callable(answer), "it is a function", "Define `def psi(then, now):` and return a number.")
    same = answer([0.5, 0.5], [0.5, 0.5])
    yield must(
        isinstance(same, int | float),
        "it returns a number",
        f"It returned a {type(same).__name__}: add up all the bins.",
    )
    yield expect(same == 0, "equal shares give 0", f"For equal shares it returned {same}.")
    moved = answer([0.5, 0.5], [0.25, 0.75])
    right = 0.25 * math.log(2) + 0.25 * math.log(1.5)
    yield expect(
        math.isclose(moved, right),
        "moved shares give the sum of all bins",
        f"For [0.5, 0.5] and [0.25, 0.75] it returned {moved:.4f}, and {right:.4f} is right. ln is math.log, and each "
        "bin's share changes by now - then, with its sign.",
    )
    yield expect(
        math.isclose(answer([0.9, 0.1], [0.1, 0.9]), answer([0.1, 0.9], [0.9, 0.1])),
        "there and back is the same way",
        "Change both lists round and the result must stay: is it the same logarithm in both?",
    )


@check.exercise(2)
def retrain(answer: Callable[[Drift, Monitoring], bool]) -> Iterator[Finding]:
    """Compare with the course's own decision."""
    yield must(callable(answer), "it is a function", "Define `def retrain(drift, limits):` and return True or False.")
    cases = {
        "a quiet week is no reason": (QUIET, "Nothing exceeds its limit there."),
        "a calibration gap is a reason by itself": (
            replace(QUIET, observed=0.30),
            "The gap is 0.10 and the limit 0.05. One reason is enough: or, not and.",
        ),
        "predictions that moved far are a reason by themselves": (
            replace(QUIET, prediction_psi=1.5),
            "The index is 1.5 and the limit 1.0. One reason is enough: or, not and.",
        ),
        "fewer late flights than predicted count too": (
            replace(QUIET, observed=0.10),
            "The gap has no sign: drift.calibration_gap is a distance.",
        ),
        "a model is not judged by days before its deployment": (
            replace(QUIET, observed=0.30, deployed="2013-06-20"),
            "The window begins before the deployment, so it is too early to tell.",
        ),
    }
    for what, (drift, hint) in cases.items():
        right = decide_retraining(preset("tiny"), drift).retrain
        yield expect(answer(drift, LIMITS) == right, what, f"There you said {answer(drift, LIMITS)}. {hint}")
    yield expect(
        not answer(QUIET, Monitoring(max_prediction_psi=QUIET.prediction_psi)),
        "to reach a limit is not to exceed it",
        "The index is exactly the limit there: greater, not greater or equal.",
    )
    strict = Monitoring(max_calibration_gap=0.005)
    yield expect(
        answer(QUIET, strict),
        "other limits are obeyed",
        "With a limit of 0.005 the quiet week is a reason too. Take the limits from the argument.",
    )
