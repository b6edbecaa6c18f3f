# Answers to the exercises of lesson 7, as students write them.

# %% 1 right loop_with_an_index
def psi(expected, actual):
    total = 0.0
    for i in range(len(expected)):
        e, a = expected[i], actual[i]
        total += (a - e) * math.log(a / e)
    return total

# %% 1 right difference_of_logarithms
psi = lambda then, now: math.fsum((n - t) * (math.log(n) - math.log(t)) for t, n in zip(then, now))

# %% 1 right pandas
import numpy as np
import pandas as pd


def psi(then, now):
    frame = pd.DataFrame({"then": then, "now": now})
    return ((frame["now"] - frame["then"]) * np.log(frame["now"] / frame["then"])).sum()

# %% 1 right numpy_without_dimensions
import numpy as np


def psi(then, now):
    then, now = np.asarray(then), np.asarray(now)
    return np.array(((now - then) * np.log(now / then)).sum())

# %% 1 right two_divergences
from scipy.special import rel_entr


def psi(then, now):
    return sum(rel_entr(now, then)) + sum(rel_entr(then, now))

# %% 1 right decimal
from decimal import Decimal


def psi(then, now):
    pairs = [(Decimal(t), Decimal(n)) for t, n in zip(then, now)]
    return sum((n - t) * (n / t).ln() for t, n in pairs)

# %% 1 right fraction
from fractions import Fraction


def psi(then, now):
    return Fraction(sum((n - t) * math.log(n / t) for t, n in zip(then, now)))

# %% 1 right rounded
def psi(then, now):
    return round(sum((n - t) * math.log(n / t) for t, n in zip(then, now)), 3)

# %% 1 right single_precision
import numpy as np


def psi(then, now):
    return np.float32(sum((n - t) * np.log(n / t) for t, n in zip(then, now)))

# %% 1 right uses_up_its_arguments
def psi(then, now):
    total = 0
    while then:
        t, n = then.pop(), now.pop()
        total += (n - t) * math.log(n / t)
    return total

# %% 1 right recursion
def psi(then, now):
    if not then:
        return 0
    return (now[0] - then[0]) * math.log(now[0] / then[0]) + psi(then[1:], now[1:])

# %% 1 right other_sign_twice
def psi(now, then):
    return -sum((t - n) * math.log(n / t, math.e) for t, n in zip(then, now))

# %% 1 right class_with_call
class Index:
    def __call__(self, then, now, *, base=math.e):
        return sum((n - t) * math.log(n / t, base) for t, n in zip(then, now, strict=True))


psi = Index()

# %% 1 wrong absolute_differences hint="with its sign"
def psi(then, now):
    return sum(abs(b - a) for a, b in zip(then, now, strict=True))

# %% 1 wrong divergence_alone hint="with its sign"
def psi(then, now):
    return sum(b * math.log(b / a) for a, b in zip(then, now))

# %% 1 wrong first_bin_alone
def psi(then, now):
    return (now[0] - then[0]) * math.log(now[0] / then[0])

# %% 1 wrong two_bins_alone
def psi(then, now):
    return sum((now[i] - then[i]) * math.log(now[i] / then[i]) for i in (0, 1))

# %% 1 wrong all_but_the_last
def psi(then, now):
    return sum((now[i] - then[i]) * math.log(now[i] / then[i]) for i in range(len(then) - 1))

# %% 1 wrong list_of_terms hint="add up all the bins"
def psi(then, now):
    return [(b - a) * math.log(b / a) for a, b in zip(then, now, strict=True)]

# %% 1 wrong generator hint="add up all the bins"
def psi(then, now):
    for a, b in zip(then, now):
        yield (b - a) * math.log(b / a)

# %% 1 wrong array_of_one_number hint="add up all the bins"
import numpy as np


def psi(then, now):
    return np.array([sum((n - t) * np.log(n / t) for t, n in zip(then, now))])

# %% 1 wrong mean
def psi(then, now):
    return sum((n - t) * math.log(n / t) for t, n in zip(then, now)) / len(then)

# %% 1 wrong return_in_the_loop
def psi(then, now):
    total = 0
    for t, n in zip(then, now):
        total += (n - t) * math.log(n / t)
        return total

# %% 1 wrong printed hint="`return`"
def psi(then, now):
    print(sum((n - t) * math.log(n / t) for t, n in zip(then, now)))

# %% 1 wrong common_logarithm hint="ln is math.log"
def psi(then, now):
    return sum((n - t) * math.log10(n / t) for t, n in zip(then, now))

# %% 1 wrong logarithm_to_base_two hint="ln is math.log"
def psi(then, now):
    return sum((n - t) * math.log2(n / t) for t, n in zip(then, now))

# %% 1 wrong shift_by_one
def psi(then, now):
    return sum((n - t) * math.log1p(n / t) for t, n in zip(then, now))

# %% 1 wrong never_above_one
def psi(then, now):
    return min(1.0, sum((n - t) * math.log(n / t) for t, n in zip(then, now)))

# %% 1 wrong lists_subtracted hint="TypeError"
def psi(then, now):
    return (now - then) * math.log(now / then)

# %% 1 wrong text_for_a_number hint="'0.0"
def psi(then, now):
    return f"{sum((n - t) * math.log(n / t) for t, n in zip(then, now)):.4f}"

# %% 1 wrong rounded_too_far
def psi(then, now):
    return round(sum((n - t) * math.log(n / t) for t, n in zip(then, now)), 1)

# %% 1 wrong sorted_bins
def psi(then, now):
    return sum((n - t) * math.log(n / t) for t, n in zip(sorted(then), sorted(now)))

# %% 1 wrong every_pair
def psi(then, now):
    return sum((n - t) * math.log(n / t) for t in then for n in now)

# %% 1 wrong sum_goes_on
total = 0


def psi(then, now):
    global total
    total += sum((n - t) * math.log(n / t) for t, n in zip(then, now))
    return total

# %% 1 wrong nan hint="nan"
def psi(then, now):
    return float("nan")

# %% 1 wrong complex hint="That is not a number"
def psi(then, now):
    return complex(sum((n - t) * math.log(n / t) for t, n in zip(then, now)))

# %% 1 wrong small_changes_ignored
def psi(then, now):
    return sum((n - t) * math.log(n / t) for t, n in zip(then, now) if abs(n - t) > 0.05)

# %% 1 wrong hard_coded
def psi(then, now):
    return 0.0 if then == now else 0.2747

# %% 2 right nested_ifs
from datetime import date


def retrain(drift, limits):
    if date.fromisoformat(drift.window_start) < date.fromisoformat(drift.deployed):
        return False
    if drift.calibration_gap > limits.max_calibration_gap:
        return True
    if drift.prediction_psi > limits.max_prediction_psi:
        return True
    return False

# %% 2 right distance_by_hand
def retrain(drift, limits):
    early = drift.window_start < drift.deployed
    gap = abs(drift.predicted - drift.observed)
    return not early and (gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi)

# %% 2 right numpy_truth
import numpy as np


def retrain(drift, limits):
    late = np.bool_(drift.window_start >= drift.deployed)
    reasons = np.array([drift.calibration_gap, drift.prediction_psi]) > np.array(
        [limits.max_calibration_gap, limits.max_prediction_psi]
    )
    return late & reasons.any()

# %% 2 right list_of_reasons
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    reasons = []
    if drift.calibration_gap > limits.max_calibration_gap:
        reasons.append("gap")
    if drift.prediction_psi > limits.max_prediction_psi:
        reasons.append("psi")
    return len(reasons) > 0

# %% 2 right named_arguments_alone
retrain = lambda *, limits, drift: drift.window_start >= drift.deployed and any(
    (drift.calibration_gap > limits.max_calibration_gap, drift.prediction_psi > limits.max_prediction_psi)
)

# %% 2 right the_courses_own
from dataclasses import replace

from shared.monitoring import decide_retraining


def retrain(drift, limits):
    return decide_retraining(settings.model_copy(update={"monitoring": limits}), drift).retrain

# %% 2 right pandas_dates
import pandas as pd


def retrain(drift, limits):
    early = pd.Timestamp(drift.window_start) < pd.Timestamp(drift.deployed)
    exceeded = max(
        drift.calibration_gap - limits.max_calibration_gap, drift.prediction_psi - limits.max_prediction_psi
    )
    return False if early else exceeded > 0

# %% 2 right neither_of_both
def retrain(drift, limits, *, log=None):
    quiet = drift.calibration_gap <= limits.max_calibration_gap and drift.prediction_psi <= limits.max_prediction_psi
    return not (quiet or drift.window_start < drift.deployed)

# %% 2 right match
def retrain(drift, limits):
    match (
        drift.window_start < drift.deployed,
        drift.calibration_gap > limits.max_calibration_gap,
        drift.prediction_psi > limits.max_prediction_psi,
    ):
        case (True, _, _) | (_, False, False):
            return False
    return True

# %% 2 right class_with_call
class Decision:
    def __call__(self, drift, limits):
        self.early = drift.window_start < drift.deployed
        self.gap = drift.calibration_gap > limits.max_calibration_gap
        return (not self.early) and (self.gap or drift.prediction_psi > limits.max_prediction_psi)


retrain = Decision()

# %% 2 wrong both_reasons hint="or, not and"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap > limits.max_calibration_gap and drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong never_too_early hint="too early to tell"
def retrain(drift, limits):
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong gap_with_a_sign hint="no sign"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    gap = drift.observed - drift.predicted
    return gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong limits_written_out hint="from the argument"
def retrain(drift, limits):
    return drift.window_start >= drift.deployed and (drift.calibration_gap > 0.05 or drift.prediction_psi > 1)

# %% 2 wrong the_lessons_limits hint="from the argument"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    own = settings.monitoring
    return drift.calibration_gap > own.max_calibration_gap or drift.prediction_psi > own.max_prediction_psi

# %% 2 wrong reaching_is_enough hint="greater or equal"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap >= limits.max_calibration_gap or drift.prediction_psi >= limits.max_prediction_psi

# %% 2 wrong reaching_the_index_is_enough hint="greater or equal"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi >= limits.max_prediction_psi

# %% 2 wrong and_before_or hint="binds more tightly"
def retrain(drift, limits):
    return (
        drift.window_start >= drift.deployed
        and drift.calibration_gap > limits.max_calibration_gap
        or drift.prediction_psi > limits.max_prediction_psi
    )

# %% 2 wrong day_of_the_deployment_is_too_early hint="not before it"
def retrain(drift, limits):
    if drift.window_start <= drift.deployed:
        return False
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong trained_until hint="not with trained_until"
def retrain(drift, limits):
    if drift.window_start < drift.trained_until:
        return False
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong end_of_the_window
def retrain(drift, limits):
    if drift.day < drift.deployed:
        return False
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong text hint="'False'"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return "False"
    return str(drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi)

# %% 2 wrong numbers hint="It returned 0"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return 0
    return int(drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi)

# %% 2 wrong none_when_quiet hint="`return`"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    if drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi:
        return True

# %% 2 wrong none_when_early hint="`return`"
def retrain(drift, limits):
    if drift.window_start >= drift.deployed:
        return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong log_loss_counts hint="log loss"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    if drift.log_loss > drift.log_loss_constant:
        return True
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong gap_alone hint="1.5"
def retrain(drift, limits):
    return drift.window_start >= drift.deployed and drift.calibration_gap > limits.max_calibration_gap

# %% 2 wrong rounded_gap
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return round(drift.calibration_gap, 1) > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong exception hint="ValueError: too early"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        raise ValueError("too early")
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi

# %% 2 wrong ends_python hint="SystemExit"
import sys


def retrain(drift, limits):
    sys.exit(drift.calibration_gap > limits.max_calibration_gap)

# %% 2 wrong once_is_enough
told = []


def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    if drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi:
        told.append(drift)
    return len(told) > 0

# %% 2 wrong limits_exchanged
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap > limits.max_prediction_psi or drift.prediction_psi > limits.max_calibration_gap
