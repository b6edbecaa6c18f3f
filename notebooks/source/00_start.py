# %% [markdown]
# # 0 · The question, and the pipeline that answers it
#
# Will a flight from New York arrive more than 15 minutes late? We have every flight of 2013, the weather and the planes.
# In this lesson you run the training pipeline as plain Python. The next lessons run the same pipeline on Make, Airflow,
# Kubeflow Pipelines, Dagster and Modal, and each of them must end with **the same model, bit for bit**.
#
# **You will be able to** name the steps, say what each reads and writes, change the configuration, and read a
# fingerprint.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"  # tiny: seconds; lab: a quarter of the year; full: the whole year
store = ""  # where artifacts go: a folder or a URI; empty: the course's own work folder

# %%
# %matplotlib inline
import sys

from module4.platforms import ROOT, WORKSPACE
from shared import config, pipeline
from shared.graph import TRAINING

store = store or str(WORKSPACE / "notebooks" / "start")
settings = config.preset(preset)

# %% [markdown]
# ## Is this machine ready?
#
# The doctor looks at Python, disk, memory and the installation, and says what to do about what it finds. A WARN is worth
# reading; a FAIL must be repaired first. In a terminal it is `make doctor`.

# %%
import subprocess

doctor = subprocess.run([sys.executable, "infra/doctor.py"], cwd=ROOT, capture_output=True, text=True, check=False)
print(doctor.stdout)

# %% [markdown]
# ## The graph
#
# Each box is a *step*. An arrow from one to another means: the second needs what the first made. So the arrows also give
# the order, and they never lead in a circle; such a picture is called a DAG, a directed acyclic graph.
#
# `load_data` and `preprocess` make a table of flights, `train` fits a first model, the *baseline*, to it, and
# `hyperparameter_search` looks for a better one: one task per trial, then one pick, the *candidate*. `evaluate` compares
# them, and `deploy` hands the winner over for use.

# %%
from notebooks.course.pictures import draw_graph

draw_graph({step.name: step.needs for step in TRAINING}, "The training pipeline")

# %% [markdown]
# ## The data
#
# `load_data` joins five sources (flights, weather, planes, airports, airlines), after checking every row. `preprocess`
# computes what is known before the scheduled hour begins, and nothing else. The three splits follow time: a model learns
# from the first weeks, is chosen by the next, and is judged by the last, which it has never seen.

# %%
from shared import data, features

flights = data.load_data(settings)
table = features.preprocess(settings, flights)
table.groupby("split", observed=True).agg(
    first_day=("date", "min"), last_day=("date", "max"), flights=("late", "size"), late_share=("late", "mean")
).loc[list(features.SPLITS)]

# %%
table.loc[[0, 1, 2], ["date", "carrier", "origin", "dest", "weather_visib", "late_share_carrier_7d", "late"]]

# %% [markdown]
# A row is a flight, a column is something known about it before it leaves. `late_share_carrier_7d` is the share of the
# airline's flights that were late in the week before; `late` is the answer to learn, 1 or 0.
#
# How many flights are late changes from day to day. That is what makes the question hard, and lesson 7 necessary.

# %%
from matplotlib.figure import Figure

share = table.groupby("date")["late"].mean()
figure = Figure(figsize=(9, 2.6), layout="constrained")
axis = figure.subplots()
axis.plot(share.index, share, marker=".")
axis.set(title="Share of flights that arrive more than 15 minutes late", ylabel="share", ylim=(0, None))
figure

# %% [markdown]
# ## Run it
#
# Plain Python calls one step after the other. Each writes an *artifact*: a folder with a checksum for every file.

# %% tags=["slow"]
fingerprint = pipeline.run(settings, store)
fingerprint["fingerprint"]

# %% [markdown]
# Here is what lies in the artifacts. `manifest.json` is written last: with it, the artifact is complete. A step reads the
# artifacts of the steps that it needs, and writes one of its own.

# %% tags=["slow"]
from pathlib import Path

import pandas as pd

pd.options.display.max_colwidth = None  # show tables whole
folder = Path(store, "runs/python")
pd.DataFrame(
    [
        {
            "step": step.name,
            "reads the artifact of": ", ".join(step.needs),
            "writes": ", ".join(sorted(path.name for path in (folder / step.name).iterdir())),
        }
        for step in TRAINING
    ]
)

# %% [markdown]
# The fingerprint covers the prepared data, the chosen hyperparameters, the exact metrics, the predictions and the model's
# file. Change one bit of any of them, and it is another one.

# %% tags=["slow"]
{part: fingerprint[part] for part in ("data", "hyperparameters", "predictions", "model")}

# %% [markdown]
# ## Look at it
#
# `evaluate` wrote a report: the models side by side on weeks that none of them has seen, and the quality gate's reasons.
# A model does not say "late" or "on time", it gives each flight a probability. Two of the measures to remember:
#
# - *ROC AUC*: take a late flight and one on time. How often does the late one have the higher probability? 0.5 is guessing,
#   1.0 is perfect.
# - *Log loss*: low when the probabilities are right, high when the model is sure and wrong. `log_loss_constant` is that of
#   giving every flight the same probability, the share of late ones: a model must do better.

# %% tags=["slow"]
from IPython.display import Image, Markdown, display

from shared.storage import open_artifact

evaluation = open_artifact(f"{store}/runs/python/evaluate")
display(Markdown(evaluation.read("report.md").decode()))
display(Image(evaluation.read("report.png"), width=800))

# %% [markdown]
# ## Break it
#
# A wrong value is refused before anything runs, and the message names the field.

# %%
from shared.errors import ArtifactError, ConfigError

try:
    config.preset(preset, trials=0)
except ConfigError as error:
    print(error)

# %% [markdown]
# Now damage an artifact: one byte more in a file, as a bad disk might write it. Reading checks the checksum and refuses.

# %% tags=["slow"]
from shared import artifacts
from shared.models import Fitted

damaged = Path(store, "runs/python/train/model.skops")
with damaged.open("ab") as file:
    file.write(b"!")
try:
    artifacts.load(str(damaged.parent), Fitted)
except ArtifactError as error:
    print(error)

# %% [markdown]
# The message says what to do: run the step again. It has the same input, so it makes the same artifact.

# %% tags=["slow"]
from shared import steps

before = open_artifact(str(damaged.parent)).files["model.skops"]["sha256"]
steps.train(settings.to_json(), f"{store}/runs/python/preprocess", str(damaged.parent))
open_artifact(str(damaged.parent)).read("model.skops")
before == open_artifact(str(damaged.parent)).files["model.skops"]["sha256"]

# %% [markdown]
# ## Exercise 1: a configuration of your own
#
# Make a configuration from the preset `tiny` that runs three trials and whose test weeks begin on 3 June 2013.
# `config.preset(name, field=value)` replaces fields; `settings` shows their names.

# %% tags=["exercise"]
from datetime import date

# BEGIN SOLUTION
mine = config.preset("tiny", trials=3, test_start=date(2013, 6, 3))
# STUB
# mine = None  # your configuration
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.start import check

check(1)

# %% [markdown]
# ## Exercise 2: what may the model know?
#
# The prediction is made *before the scheduled hour of departure begins*. Which of these columns of the table of flights
# may go into a feature of the same flight? Two of the answers may surprise you.
#
# `carrier`, `dest`, `arr_delay`, `tailnum`, `departure_minute` (as scheduled), `weather_temp` (measured before that hour),
# `distance`

# %% tags=["exercise"]
# BEGIN SOLUTION
allowed = {"carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"}
# STUB
# allowed = None  # a set of the columns' names
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.start import check

check(2)

# %% [markdown]
# ## To remember
#
# A pipeline is steps and what they hand to each other. Everything else, from retries to schedules, is what a platform
# adds. What that costs and what it buys is what the next lessons show.
#
# **Read on.** [The data](https://github.com/tidyverse/nycflights13) ·
# [scikit-learn: gradient boosting](https://scikit-learn.org/stable/modules/ensemble.html#histogram-based-gradient-boosting) ·
# next: [1 · Why orchestration](01_why.ipynb)
