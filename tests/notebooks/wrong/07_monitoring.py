# Plausible wrong answers, and a word that the hint must have.


# %% exercise=1 hint="with its sign"
def psi(then, now):
    return sum(abs(b - a) for a, b in zip(then, now, strict=True))


# %% exercise=1 hint="with its sign"
def psi(then, now):
    return sum(b * math.log(b / a) for a, b in zip(then[:1], now[:1], strict=True))


# %% exercise=1 hint="add up all the bins"
def psi(then, now):
    return [(b - a) * math.log(b / a) for a, b in zip(then, now, strict=True)]


# %% exercise=2 hint="or, not and"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap > limits.max_calibration_gap and drift.prediction_psi > limits.max_prediction_psi


# %% exercise=2 hint="too early to tell"
def retrain(drift, limits):
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi


# %% exercise=2 hint="no sign"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return (
        drift.observed - drift.predicted > limits.max_calibration_gap
        or drift.prediction_psi > limits.max_prediction_psi
    )


# %% exercise=2 hint="from the argument"
def retrain(drift, limits):
    return drift.window_start >= drift.deployed and (drift.calibration_gap > 0.06 or drift.prediction_psi > 1)


# %% exercise=2 hint="greater or equal"
def retrain(drift, limits):
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap >= limits.max_calibration_gap or drift.prediction_psi >= limits.max_prediction_psi


# %% exercise=1 hint="ln is math.log"
def psi(then, now):
    return sum((b - a) * math.log10(b / a) for a, b in zip(then, now, strict=True))
