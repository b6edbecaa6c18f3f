# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong with_its_sign hint="with its sign"
def psi(then, now):
    return sum(abs(b - a) for a, b in zip(then, now, strict=True))


# %% 1 wrong with_its_sign_2 hint="with its sign"
def psi(then, now):
    return sum(b * math.log(b / a) for a, b in zip(then[:1], now[:1], strict=True))


# %% 1 wrong add_up_all_the_bins hint="add up all the bins"
def psi(then, now):
    return [(b - a) * math.log(b / a) for a, b in zip(then, now, strict=True)]


# %% 1 wrong ln_is_math_log hint="ln is math.log"
def psi(then, now):
    return sum((b - a) * math.log10(b / a) for a, b in zip(then, now, strict=True))


# %% 2 wrong or_not_and hint="or, not and"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap > limits.max_calibration_gap and drift.prediction_psi > limits.max_prediction_psi


# %% 2 wrong too_early_to_tell hint="too early to tell"
def retrain(drift, limits):
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi


# %% 2 wrong no_sign hint="no sign"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return (
        drift.observed - drift.predicted > limits.max_calibration_gap
        or drift.prediction_psi > limits.max_prediction_psi
    )


# %% 2 wrong from_the_argument hint="from the argument"
def retrain(drift, limits):
    return drift.window_start >= drift.deployed and (drift.calibration_gap > 0.06 or drift.prediction_psi > 1)


# %% 2 wrong greater_or_equal hint="greater or equal"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap >= limits.max_calibration_gap or drift.prediction_psi >= limits.max_prediction_psi
