# %% [markdown]
# # 0 · The question, and the pipeline that answers it
#
# Will a flight from New York arrive more than 15 minutes late? We have every flight of 2013, along with the weather and
# the planes. In this lesson you train a model with a [pipeline](GLOSSARY.md#pipeline) in plain Python. Later lessons run
# the same pipeline on Make, Airflow, Kubeflow Pipelines, Dagster, and Modal, and every one of them must end with **the
# same model, bit for bit**.
#
# **You will be able to** name the steps of the pipeline, say what each one reads and writes, change the configuration,
# and read a fingerprint.
#
# **Time.** {{minutes}}
#
# Words in blue, such as *pipeline* above, lead to the [glossary](GLOSSARY.md). Run the cells from top to bottom with
# Shift+Enter.

# %% tags=["parameters"]
preset = "tiny"  # tiny: seconds; lab: a quarter of the year; full: the whole year
store = ""  # where artifacts go: a folder or a URI; empty: the course's own work folder

# %% [markdown]
# A [preset](GLOSSARY.md#preset) is a ready-made configuration with a name. `tiny` uses a few weeks of data, so that
# every cell in this lesson takes seconds.

# %%
# %matplotlib inline
from notebooks.course.environment import open_store
from shared import config, pipeline
from shared.graph import TRAINING

store = open_store("start", store)
settings = config.preset(preset)

# %% [markdown]
# ## Is this machine ready?
#
# The doctor checks Python, disk, memory, and the installation, and says how to fix what it finds. In a terminal, type
# `make doctor`.

# %%
from notebooks.course.shell import run_python

print(run_python("infra/doctor.py"))

# %% [markdown]
# Each line is one check. `[ OK ]` needs nothing from you, and `[ -- ]` marks something optional. Fix any `[FAIL]` before you
# continue; the line says how.
#
# ## The graph
#
# Each box is a [step](GLOSSARY.md#step). An arrow means that the second step needs what the first one made, so the
# arrows also give the order. They never lead in a circle; such a picture is called a [DAG](GLOSSARY.md#dag), a directed
# acyclic graph.

# %%
from notebooks.course.pictures import draw_graph

draw_graph({step.name: step.needs for step in TRAINING}, "The training pipeline")

# %% [markdown]
# Read it from left to right:
#
# - `load_data` and `preprocess` produce a table of flights.
# - `train` fits a first model to it, the [baseline](GLOSSARY.md#baseline).
# - `hyperparameter_search` looks for a better one. A [hyperparameter](GLOSSARY.md#hyperparameter) is a setting that you
#   choose before training, such as the number of trees. The search tries several combinations. Each attempt is a
#   [trial](GLOSSARY.md#trial), and the best one becomes the [candidate](GLOSSARY.md#candidate).
# - `evaluate` compares the two, and `deploy` puts the winner into use.
#
# ## The data
#
# `load_data` joins five sources (flights, weather, planes, airports, airlines) and validates every row. `preprocess`
# computes [features](GLOSSARY.md#feature), the columns that a model learns from. It uses only what is known before the
# scheduled hour of departure begins. The rows are then [split](GLOSSARY.md#split) by time: a model learns from the first
# weeks, is chosen on the next, and is judged on the last, which it has never seen.

# %%
from shared import data, features

flights = data.load_data(settings)
table = features.preprocess(settings, flights)
table.groupby("split", observed=True).agg(
    first_day=("date", "min"), last_day=("date", "max"), flights=("late", "size"), late_share=("late", "mean")
).loc[list(features.SPLITS)]

# %% [markdown]
# There are three splits, one after the other, and no day belongs to two of them. `late_share` is the fraction of flights that
# arrived late. It differs between the splits, because some weeks have more storms than others.

# %%
table.loc[[0, 1, 2], ["date", "carrier", "origin", "dest", "weather_visib", "late_share_carrier_7d", "late"]]

# %% [markdown]
# Each row is a flight, and each column is something known about it before it leaves: the airline, the airports, the
# visibility in miles. `late_share_carrier_7d` is the share of that airline's flights that were late in the previous
# week. Only `late` comes from afterwards. It is the answer to learn: 1 for late, 0 for on time.

# %% alt="A line with a dot per day, from February to March: on most days a fifth of the flights are late, on a few stormy days more than half."
from matplotlib.figure import Figure

share = table.groupby("date")["late"].mean()
figure = Figure(figsize=(9, 2.6), layout="constrained")
axis = figure.subplots()
axis.plot(share.index, share, marker=".")
axis.set(title="Share of flights that arrive more than 15 minutes late", ylabel="share", ylim=(0, None))
figure

# %% [markdown]
# Every dot is one day. Good and bad days alternate, and the bad ones are several times worse than the good ones. That
# makes the question hard, and it is the reason for lesson 7.
#
# ## Run it
#
# Plain Python calls one step after the other. Each step writes an [artifact](GLOSSARY.md#artifact): a folder with the
# step's results and a [checksum](GLOSSARY.md#checksum) for every file.

# %% tags=["slow"]
fingerprint = pipeline.run(settings, store)
fingerprint["fingerprint"]

# %% [markdown]
# This is the run's [fingerprint](GLOSSARY.md#fingerprint), a number in 64 hexadecimal digits. Remember its beginning:
# you will meet it in the next five lessons. The following table lists the artifacts behind it.

# %% tags=["slow"]
from pathlib import Path

import pandas as pd

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
# A step reads the artifacts of the steps that it needs and writes a new one. Every artifact contains `manifest.json`, the
# list of its files with their checksums. It is written last, so an artifact with a manifest is complete.

# %% tags=["slow"]
{part: fingerprint[part] for part in ("data", "hyperparameters", "predictions", "model")}

# %% [markdown]
# These are the parts of the fingerprint: checksums of the prepared data, the chosen hyperparameters, a checksum of the
# predictions, and one of the model's file. (The exact metrics belong to it too.) Change a single bit in any of them, and
# the fingerprint changes.
#
# ## Look at it
#
# `evaluate` wrote a report. It compares the models on weeks that none of them has seen, and shows how the winner fared at the
# [quality gate](GLOSSARY.md#quality-gate), the rules that a model must satisfy before it goes into production.
#
# A model does not say "late" or "on time". It gives each flight a probability of being late. These are the measures to
# remember:
#
# - [ROC AUC](GLOSSARY.md#roc-auc): take one late flight and one that was on time. How often does the late one have the
#   higher probability? A guess scores 0.5, a perfect model 1.0.
# - [Log loss](GLOSSARY.md#log-loss): low when the probabilities are right, high when the model is sure and wrong.
#   `log_loss_constant` is the score of a model that gives every flight the same probability, the share of late flights.
#   A useful model scores below it.
# - [Brier score](GLOSSARY.md#brier-score) (`brier`): the mean squared difference between the probability and what
#   happened. Lower is better.
# - [Calibration](GLOSSARY.md#calibration) (`calibration_error`): of the flights that got a probability of 30%, were 30%
#   late? The error is the average distance from that ideal.

# %% tags=["slow"] alt="The report's charts: ROC AUC and log loss per model, calibration as a line near the diagonal, and ROC AUC per airport and airline with the number of flights."
from IPython.display import Image, Markdown, display

from shared.storage import open_artifact

evaluation = open_artifact(f"{store}/runs/python/evaluate")
display(Markdown(evaluation.read("report.md").decode()))
display(Image(evaluation.read("report.png"), width=800))

# %% [markdown]
# The report starts with the winner and a table with one column per model; below it, every rule of the gate is ticked or
# not. In the picture, look at two panels. *Calibration*, bottom left: the closer the line is to the diagonal, the more
# you can trust a probability. *ROC AUC per origin and carrier*, bottom right: the model is about equally good at all
# three airports, but airlines differ. The number in parentheses counts the flights: with few of them, a perfect 1.0 is luck.
#
# `deploy` stored the winner in the [registry](GLOSSARY.md#registry), the catalog of trained models. Since it passed the
# gate, it is now the [champion](GLOSSARY.md#champion): the model in production.
#
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
# The message gives the field, the rule, and the value that broke it. Now damage an artifact: append a byte to a file, as
# a failing disk might.

# %% tags=["slow"]
from shared import artifacts
from shared.fitted import Fitted

damaged = Path(store, "runs/python/train/model.skops")
with damaged.open("ab") as file:
    file.write(b"!")
try:
    artifacts.load(str(damaged.parent), Fitted)
except ArtifactError as error:
    print(error)

# %% [markdown]
# The checksum no longer matches, so the file is not used. The message also tells you what to do: run the step again. With
# the same input it makes the same artifact.

# %% tags=["slow"]
from shared import steps

before = open_artifact(str(damaged.parent)).files["model.skops"]["sha256"]
steps.train(settings.to_json(), f"{store}/runs/python/preprocess", str(damaged.parent))
open_artifact(str(damaged.parent)).read("model.skops")
before == open_artifact(str(damaged.parent)).files["model.skops"]["sha256"]

# %% [markdown]
# `True`: the new file has the same checksum as the one that was damaged.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `config.preset("tiny")` | the configuration with this name |
# | `config.preset("tiny", trials=5)` | the same, with one field replaced |
# | `settings` | a cell that ends with it shows every field and its value |
# | `date(2013, 2, 28)` | 28 February 2013 |
# | `{"a", "b"}` | a set: names without an order, each of them once |
#
# ## Exercise 1: your own configuration
#
# Start from the preset `tiny` and make a configuration that runs three trials and whose test weeks begin on 3 June 2013.
#
# <details><summary>Hint</summary>Evaluate <code>settings</code> in a new cell. One field holds the number of trials, and
# another holds the first day of the test weeks.</details>
# <details><summary>Bigger hint</summary>Call <code>config.preset</code> with three arguments: the name, <code>trials=…</code>,
# and <code>test_start=date(…)</code>.</details>

# %% tags=["exercise"] points=1
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
# The model predicts *before the scheduled hour of departure begins*. Which of these columns of the table of flights may go
# into a feature of the same flight? Collect their names in `allowed`, as a set or a list. Two of the answers may surprise you.
#
# `carrier`, `dest`, `arr_delay`, `tailnum`, `departure_minute` (as scheduled), `weather_temp` (measured before that hour),
# `distance`
#
# <details><summary>Hint</summary>For each column, ask: could I look this up an hour before the flight leaves?</details>
# <details><summary>Bigger hint</summary>The schedule names the plane (<code>tailnum</code>) and the minute of departure in
# advance. Only one of the seven columns is measured after the flight.</details>

# %% tags=["exercise"] points=1
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
# A pipeline consists of steps and what they pass to each other. Everything else, from retries to schedules, is what a
# platform adds. The next lessons show what that costs and what it buys you.
#
# **Read on.** [The data](https://github.com/tidyverse/nycflights13) ·
# [scikit-learn: gradient boosting](https://scikit-learn.org/stable/modules/ensemble.html#histogram-based-gradient-boosting) ·
# next: [1 · Why orchestration](01_why.ipynb)
