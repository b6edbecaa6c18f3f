# %% [markdown]
# # 7 · Monitoring and retraining: a year under observation
#
# A model is right about the months that it has seen. Then summer comes. In this lesson you play 2013 in fast motion: you train
# a model in March, check every week what it sees and predicts, and retrain it when it is no longer right.
#
# **You will be able to** distinguish data drift from a loss of performance, decide when to retrain and when it is too early
# to tell, and roll back to the previous model.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %% [markdown]
# This lesson trains many times, so it uses a smaller model and a single trial. The year starts with an empty registry.

# %%
# %matplotlib inline
import shutil
from datetime import date

import pandas as pd

from notebooks.course.environment import open_store
from shared import config, monitoring
from shared.graph import MONITORING
from shared.registry import Registry

store = open_store("monitoring", store)
pd.options.display.precision = 3
settings = config.preset(preset, trials=1, baseline=config.Hyperparameters(max_iter=20, learning_rate=0.2))
shutil.rmtree(f"{store}/year", ignore_errors=True)
registry = Registry(f"{store}/year", settings.model_name)

# %% [markdown]
# ## The graph
#
# Monitoring has two steps. `measure_drift` looks at the model in production, and `decide_retraining` says yes or no.

# %%
from notebooks.course.pictures import draw_graph

draw_graph({step.name: step.needs for step in MONITORING} | {"(training)": ["decide_retraining"]}, "Monitoring")

# %% [markdown]
# The last arrow leads back to where the model came from: if the decision is yes, the training pipeline runs again.
#
# ## How different are two distributions?
#
# The *population stability index* (PSI) sorts values into bins and compares the share of each bin *then* with its share
# *now*. It is the sum of (now - then) · ln(now / then) over all bins. It is 0 if nothing has changed, and a value above 0.25
# is commonly called a shift. Here is the temperature of January, compared with itself, with February, and with July:

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
# Compared with itself, January has an index of 0. February is close, and July is far beyond 0.25. So features drift all the
# time, and nobody retrains a model just because it is July. Two other things decide here:
#
# - The *calibration gap* is the difference between the share of late flights that the model predicted and the share that was
#   observed. It says whether predictions still match what happened. ([Calibration](GLOSSARY.md#calibration) is the topic of
#   lesson 0.)
# - The PSI of the predictions says whether the predictions themselves have moved far. It is available even when it is not
#   yet known which flights were late.

# %%
settings.monitoring

# %% [markdown]
# These are the limits: how many days to look back, the largest calibration gap, and the largest PSI of the predictions.
#
# ## Run it
#
# Train on the first weeks. Then, every Monday, look back at the four weeks before. A model is judged only by days after its
# deployment. `predicted` and `observed` are shares of late flights, and `prediction_psi` says how far the predictions have
# moved. This is what happened until July:

# %% tags=["slow"]
weeks = monitoring.watch_year(settings, registry)
columns = ["day", "version", "predicted", "observed", "roc_auc", "prediction_psi", "retrain", "deployed_new"]
weeks[columns].iloc[:17]

# %% [markdown]
# Each row is one Monday. Compare `predicted` with `observed`: where they are far apart, `retrain` is true, unless the model
# was deployed less than four weeks before. After a new deployment, `version` changes in the next row.
#
# ## Look at it
#
# Here is the whole year:

# %% tags=["slow"] alt="Three panels over the year: the share of late flights, the gap between predicted and observed with its limits, and the drift; vertical lines mark retrainings."
from shared.report import year_figure

year_figure(weeks, settings.monitoring)

# %% [markdown]
# In the top panel, each color is a model, and the black line is what it tries to follow. The middle panel shows the difference
# between the two. A model is retrained once it is beyond a dotted line and has been in use for at least four weeks: a green bar
# marks a new model, a gray one a model that the [quality gate](GLOSSARY.md#quality-gate) refused. The bottom panel shows the
# features that have moved the most. Most of the time they are far beyond the usual 0.25, even in weeks in which the model is
# right.
#
# Why was the model retrained each time?

# %% tags=["slow"]
weeks.loc[weeks["retrain"], ["day", "reason", "deployed_new"]]

# %% [markdown]
# Each reason lists both conditions with the measured value and the limit, so you can see which one was violated. The registry
# remembers the models that went into production:

# %% tags=["slow"]
pd.DataFrame(registry.aliases()["history"]).assign(
    trained_until=lambda table: [registry.metadata(version)["trained_until"] for version in table["version"]]
)[["version", "trained_until"]]

# %% [markdown]
# The versions are listed with the oldest first, and each model learned from more recent days than the one before.
#
# Not every decision to retrain leads to a new model. The new one must pass the quality gate, which also compares it with the
# [champion](GLOSSARY.md#champion) if there are test weeks that the champion has not seen. Count the decisions and the models:

# %% tags=["slow"]
{"decisions to retrain": int(weeks["retrain"].sum()), "new models in production": int(weeks["deployed_new"].sum())}

# %% [markdown]
# The difference between the two numbers is the number of models that the gate kept out.
#
# ## Break it
#
# A new model is in production, and the phones start ringing. *Roll back* first, and ask questions later: the previous model is
# still there.

# %% tags=["slow"]
before = registry.aliases()["production"]
registry.rollback()
before, registry.aliases()["production"]

# %% [markdown]
# The first version was in production before the rollback, and the second one is now. No file was copied and nothing was
# retrained: only the alias `production` has moved.
#
# What if there is no model to monitor, or no data for the day?

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
# Both messages say what is wrong and what to do about it.
#
# ## On a platform
#
# In a terminal, `make watch` does what this lesson does. The steps are ordinary functions, as always; the platform decides when
# they run:
#
# - **Airflow**: a DAG checks every Monday, and its event starts the training (lesson 2).
# - **Dagster**: there is a partition for each week, a condition that materializes it, and a sensor. (In lesson 4 you evaluated
#   such conditions.)
# - **Modal**: `modal.Cron`, and a function that is called by its name (lesson 5).
# - **Kubeflow**: a recurring run of a pipeline in which training depends on a condition
#   ([the lab](../module4/lab2_kubeflow/README.md)).
#
# You can also call a step from the command line:

# %%
from notebooks.course.shell import run_python

print(run_python("-m", "shared", "measure_drift", "--help"))

# %% [markdown]
# The step needs a configuration, a registry, and a day, and it writes its result to `OUTPUT`. Any scheduler that can run a
# command can run it.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `math.log(x)` | the natural logarithm, ln x |
# | `for a, b in zip(then, now, strict=True)` | go through two lists of the same length together |
# | `sum(a * b for a, b in …)` | add up one term per pair |
# | `drift.calibration_gap` | a property: write no parentheses |
# | `"2013-05-01" < "2013-06-20"` | ISO dates, as text, are in the order of time |
# | `a and (b or c)` | without the parentheses, `and` binds more tightly than `or` |
#
# ## Exercise 1: the index
#
# Write `psi(then, now)`, which returns the population stability index. Both arguments are lists of shares, one per bin, of
# the same length and without zeros; the formula is above. You may round the result to three or more digits after the decimal
# point, or not at all.
#
# <details><summary>Hint</summary>Every bin contributes one term to a sum. Take the two shares of a bin together.</details>
# <details><summary>Bigger hint</summary>The term for the shares <code>a</code> (then) and <code>b</code> (now) is
# <code>(b - a) * math.log(b / a)</code>. Add the terms up with <code>sum</code> and <code>zip</code>.</details>

# %% tags=["exercise"] points=1
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
# Write `retrain(drift, limits)`, which returns `True` or `False`. It returns `True` if the `calibration_gap` of `drift` is
# greater than `limits.max_calibration_gap`, or if its `prediction_psi` is greater than `limits.max_prediction_psi`. Reaching
# a limit is not exceeding it, and nothing but these two limits counts. There is one exception: when it is too early to tell,
# the answer is always `False`. That is the case when `drift.window_start` is before `drift.deployed` (both are ISO dates, as
# text).
#
# <details><summary>Hint</summary>Deal with the exception first. After that, one reason is enough.</details>
# <details><summary>Bigger hint</summary>Return <code>False</code> if <code>drift.window_start &lt; drift.deployed</code>. Then
# return the two comparisons, joined by <code>or</code>.</details>

# %% tags=["exercise"] points=2
# BEGIN SOLUTION
from shared.config import Monitoring
from shared.monitoring import Drift


def retrain(drift: Drift, limits: Monitoring) -> bool:
    """Return whether the model is outdated."""
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
# Monitor what the model sees, what it predicts, and what actually happened. Only the last of these tells you whether the model
# is right. A limit turns monitoring into a decision, a gate keeps bad models out, and a rollback repairs what slipped through.
#
# **Read on.** [scikit-learn: probability calibration](https://scikit-learn.org/stable/modules/calibration.html) ·
# [Airflow: backfill](https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/backfill.html) ·
# next: [8 · Choosing a platform](08_choosing.ipynb)
