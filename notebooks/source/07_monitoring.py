# %% [markdown]
# # 7 · Monitoring and retraining: a watched year
#
# A model is right about the months that it has seen. Then summer comes. In this lesson you live through 2013 in fast motion:
# train once, in March, look every week at what the model sees and says, and train again when it is no longer right.
#
# **You will be able to** tell drift of the data from a loss of performance, say when retraining is due and when it is too
# early to tell, and go back to the model before.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
import shutil
import sys
from datetime import date

import pandas as pd

from module4.platforms import ROOT, WORKSPACE
from shared import config, monitoring
from shared.graph import MONITORING
from shared.registry import Registry

pd.options.display.max_colwidth, pd.options.display.precision = None, 3  # show tables whole, and no more digits
store = store or str(WORKSPACE / "notebooks" / "monitoring")
# This lesson trains many times and predicts every week, so it takes a smaller model, and one trial.
settings = config.preset(preset, trials=1, baseline=config.Hyperparameters(max_iter=20, learning_rate=0.2))
shutil.rmtree(f"{store}/year", ignore_errors=True)  # the year begins without a model
registry = Registry(f"{store}/year", settings.model_name)

# %% [markdown]
# ## The graph
#
# Two steps, and an arrow that leads back: if the decision is yes, the training pipeline runs again.

# %%
from notebooks.course.pictures import draw_graph

draw_graph({step.name: step.needs for step in MONITORING} | {"(training)": ["decide_retraining"]}, "Monitoring")

# %% [markdown]
# ## How to measure that two distributions differ
#
# The *population stability index* (PSI) counts values in bins. With the share of each bin then and now, it is the sum of
# (now - then) · ln(now / then): 0 if nothing changed, and above 0.25 commonly called a shift. The same temperature, in
# January and February, then in January and July:

# %%
from shared.data import load_flights
from shared.monitoring import stability_index

weather = {
    name: load_flights(settings, date(2013, month, 1), date(2013, month, 28))["weather_temp"]
    for name, month in (("January", 1), ("February", 2), ("July", 7))
}
pd.DataFrame(
    [
        {
            "then": "January",
            "now": name,
            "PSI of the temperature": round(stability_index(weather["January"], values), 2),
        }
        for name, values in weather.items()
    ]
)

# %% [markdown]
# So features drift all the time, and nobody trains again because it is July. What decides here is whether predictions still
# match what happened (the *calibration gap*: predicted share of late flights against the observed one), and, should the
# labels be late, whether the predictions themselves moved far.

# %%
settings.monitoring

# %% [markdown]
# ## Run it
#
# Train as of the first weeks, then look every Monday at the four weeks before. A model is judged only by days that came
# after its deployment. `predicted` and `observed` are shares of late flights, `prediction_psi` says how far the predictions
# moved. Here is what happened until July:

# %% tags=["slow"]
weeks = monitoring.watch_year(settings, registry)
columns = ["day", "version", "predicted", "observed", "roc_auc", "prediction_psi", "retrain", "deployed_new"]
weeks[columns].iloc[:17]

# %% [markdown]
# ## Look at it
#
# The whole year. On top, a colour per model; in the middle, what decides; below, how far features have moved meanwhile:
# mostly far beyond the usual 0.25, also in weeks in which the model is right.

# %% tags=["slow"]
from shared.report import year_figure

year_figure(weeks, settings.monitoring)

# %% [markdown]
# Why it trained again, each time, and what the registry remembers of it:

# %% tags=["slow"]
weeks.loc[weeks["retrain"], ["day", "reason", "deployed_new"]]

# %% tags=["slow"]
pd.DataFrame(registry.aliases()["history"]).assign(
    trained_until=lambda table: [registry.metadata(version)["trained_until"] for version in table["version"]]
)[["version", "trained_until"]]

# %% [markdown]
# A decision to train again does not always bring a new model: the quality gate must let it through, and it compares
# the winner with the champion, if there are test weeks that the champion has not seen. How many decisions, and how many models:

# %% tags=["slow"]
{"decisions to retrain": int(weeks["retrain"].sum()), "new models in production": int(weeks["deployed_new"].sum())}

# %% [markdown]
# ## Break it
#
# A new model is in production, and the phones ring. *Roll back* first, ask later: the model before is still there.

# %% tags=["slow"]
before = registry.aliases()["production"]
registry.rollback()
before, registry.aliases()["production"]

# %% [markdown]
# And monitoring without a model, or on a day without data, says what to do:

# %%
from shared.errors import DataError, RegistryError
from shared.inference import parse_day

try:
    monitoring.measure_drift(settings, Registry(f"{store}/nothing", settings.model_name), date(2013, 6, 1))
except RegistryError as error:
    print(error)
try:
    parse_day("2014-06-01")
except DataError as error:
    print(error)

# %% [markdown]
# ## On a platform
#
# `make watch` does the same as this lesson in a terminal. The steps are functions, as always; when they run is the platform's
# part. In Airflow a DAG looks every Monday, and its event starts the training (lesson 2). Dagster has a partition per week,
# made by a condition, and a sensor (lesson 4 asked such conditions). On Modal it is `modal.Cron` and a call by name
# (lesson 5). On a Kubeflow cluster it is a recurring run of a pipeline in which the training stands behind a condition
# ([the lab](../module4/lab2_kubeflow/README.md)). From the command line:

# %%
import subprocess

print(
    subprocess.run(
        [sys.executable, "-m", "shared", "measure_drift", "--help"], cwd=ROOT, capture_output=True, text=True
    ).stdout
)

# %% [markdown]
# ## Exercise 1: the index
#
# Write `psi(then, now)`. Both are lists of shares, one per bin, none of them zero; the formula stands above.

# %% tags=["exercise"]
import math

# BEGIN SOLUTION


def psi(then: list[float], now: list[float]) -> float:
    """Return the population stability index of two lists of shares."""
    return sum((b - a) * math.log(b / a) for a, b in zip(then, now, strict=True))


# STUB
#
# psi = None  # def psi(then, now): ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.monitoring import check

check(1)

# %% [markdown]
# ## Exercise 2: the decision
#
# Write `retrain(drift, limits)`: `True` if the `calibration_gap` of `drift` exceeds `limits.max_calibration_gap`, or its
# `prediction_psi` exceeds `limits.max_prediction_psi`. But `False` if it is too early to tell: when `drift.window_start`
# lies before `drift.deployed` (both are ISO dates, as text).

# %% tags=["exercise"]
# BEGIN SOLUTION
from shared.config import Monitoring
from shared.monitoring import Drift


def retrain(drift: Drift, limits: Monitoring) -> bool:
    """Tell whether the model is outdated."""
    if drift.window_start < drift.deployed:
        return False
    return drift.calibration_gap > limits.max_calibration_gap or drift.prediction_psi > limits.max_prediction_psi


# STUB
# retrain = None  # def retrain(drift, limits): ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.monitoring import check

check(2)

# %% [markdown]
# ## To remember
#
# Watch what the model sees, what it says, and what happened; only the last one tells whether it is right. A limit turns
# watching into a decision, a gate keeps a bad retraining out, and a rollback repairs what slipped through.
#
# **Read on.** [scikit-learn: probability calibration](https://scikit-learn.org/stable/modules/calibration.html) ·
# [Airflow: backfill](https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/backfill.html) ·
# next: [8 · Choosing a platform](08_choosing.ipynb)
