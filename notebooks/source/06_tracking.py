# %% [markdown]
# # 6 · Tracking and lineage: which run made this model?
#
# Months after its deployment a model behaves strangely, and someone asks: which data, which configuration, and which run
# did it come from? An [orchestrator](GLOSSARY.md#orchestrator) remembers runs, and a [registry](GLOSSARY.md#registry)
# remembers models. A *tracker* remembers experiments: configurations, metrics, and files, side by side. To answer the
# question, each of the three must know the others' names for things. In this lesson Dagster runs the pipeline, Weights &
# Biases (W&B) tracks it, and you follow the trail from the model in production back to the data.
#
# **You will be able to** track a run with tags, a config, metrics, and a model; find the orchestrator's run for a given
# model; and say what MLflow calls the same things.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %% [markdown]
# W&B will write its files to the lesson's store. Tracking is *offline*, so nothing leaves this machine.

# %%
# %matplotlib inline
from pathlib import Path

import pandas as pd

from notebooks.course.environment import log_out_of_wandb, open_store, prepare_dagster, prepare_wandb
from shared import config

store = open_store("tracking", store)
prepare_wandb(store)
prepare_dagster(store)
settings = config.preset(preset, tracking="offline")

# %% [markdown]
# ## Run it
#
# Tracking is one field of the configuration, and no platform knows about it. In a terminal you write `--tracking offline`.
# The last step, `deploy`, logs the run to W&B, together with the platform's own run id.

# %% tags=["slow"]
from IPython.utils.capture import capture_output

from module4.lab3_dagster.run import run

with capture_output() as log:
    fingerprint = run(settings, store)

# %% [markdown]
# ## Look at it
#
# Start with the tracker. An offline run is a folder with a log file, which `wandb sync` could upload later.
# [`read_record`](course/records.py) reads that file.

# %% tags=["slow"]
import wandb

from notebooks.course.records import read_record

wandb.teardown()  # a separate process writes W&B's files; once it has ended, everything is on disk
newest = max(Path(store, "wandb").glob("offline-run-*"), key=lambda folder: folder.stat().st_mtime)
record = read_record(newest)
print("tags:", record.tags, " artifacts:", record.artifacts)
pd.Series(record.config, name="config").loc[["platform", "platform_run_id", "preset", "fingerprint"]].to_frame()

# %% [markdown]
# The tags are for filtering: they name the platform, the pipeline, and the preset. The artifact is the model. The table
# shows four entries of the run's *config*, which holds what was known about the run: the whole configuration and the names
# that other systems use. `platform_run_id` is Dagster's name for the run, and `fingerprint` identifies the model.
#
# Results are kept apart from the config, in the run's *summary*. Here are the summary's ROC AUC scores:

# %% tags=["slow"] alt="A bar per model with its ROC AUC written beside it; the axis begins at 0.5."
from matplotlib.figure import Figure

metrics = pd.Series(record.summary)
scores = metrics[metrics.index.str.endswith("/roc_auc")].astype(float)
figure = Figure(figsize=(7, 1.6), layout="constrained")
axis = figure.subplots()
axis.bar_label(axis.barh(scores.index, scores), fmt="%.4f", padding=3)
axis.set(xlim=(0.5, 0.8), title="ROC AUC on the test weeks, from the tracker's record")
figure

# %% [markdown]
# There is one bar per model, and the axis starts at 0.5, the score of a guess. A tracker draws such pictures for hundreds of
# runs at once. That is its main purpose: comparing experiments.
#
# ## The way back
#
# Now forget all of this and start from the model in production. The registry knows its version and its
# [fingerprint](GLOSSARY.md#fingerprint):

# %% tags=["slow"]
from shared.registry import Registry

registry = Registry(f"{store}/registry", settings.model_name)
version = registry.aliases()["production"]
model = registry.metadata(version)
print("version:", version, "trained until:", model["trained_until"], "fingerprint:", model["fingerprint"][:12])

# %% [markdown]
# The registry says which model this is and where its training data ends, but not which run made it. The fingerprint is the
# link: the tracked runs with the same fingerprint are the ones that made this very model, and each of them names the
# orchestrator's run.

# %% tags=["slow"]
records = [read_record(folder) for folder in sorted(Path(store, "wandb").glob("offline-run-*"))]
made_it = [found for found in records if found.config.get("fingerprint") == model["fingerprint"]]
run_id = made_it[-1].config["platform_run_id"]
print(len(made_it), "of", len(records), "tracked runs; the last one is", made_it[-1].config["platform"], "run", run_id)

# %% [markdown]
# If you have executed this notebook more than once, several runs match: they all made the same model. The last one will do.
# Now ask the orchestrator about it.

# %% tags=["slow"]
import dagster as dg

with dg.DagsterInstance.get() as instance:
    status = instance.get_run_by_id(run_id).status.value
    logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [entry.dagster_event.step_materialization_data.materialization for entry in logs]
print("the run ended with", status)
pd.DataFrame(
    [
        {
            "asset": one.asset_key.to_user_string(),
            "stored at": one.metadata["uri"].value.removeprefix(store),
            "digest": one.metadata["digest"].value[:12] if "digest" in one.metadata else "",
        }
        for one in made
    ]
)

# %% [markdown]
# Dagster still knows how the run ended, what it made, and where each result is stored. `digest` is a
# [checksum](GLOSSARY.md#checksum) of a table's content, so you can prove that the data is unchanged. This is
# [lineage](GLOSSARY.md#lineage): model → tracked run → orchestrator's run → data.
#
# ## Break it
#
# Online tracking needs an API key, either from the environment or from `wandb login`. The key is never part of a
# configuration, so it cannot end up in a log, an artifact, or a compiled pipeline. What happens without a key?

# %% tags=["slow"]
from shared import artifacts, tracking
from shared.deployment import Deployment
from shared.errors import PipelineError
from shared.evaluation import Evaluation

log_out_of_wandb(store)  # no key and no server, as on a machine where nobody has logged in
judged = artifacts.load(f"{store}/runs/{run_id}/evaluation", Evaluation)
outcome = artifacts.load(f"{store}/runs/{run_id}/deployment", Deployment)
online = settings.model_copy(update={"tracking": "online"})
said = ""
with capture_output() as quiet:
    try:
        tracking.log_run(online, judged, outcome, platform="dagster", run_id=run_id)
    except PipelineError as error:
        said = str(error)

# %% tags=["slow"]
print(said)

# %% [markdown]
# The run fails at once, and the message names both ways out: set a key, or track offline. The alternative would be worse: a
# prompt for a key, on a server where nobody is there to type one.
#
# ## The same with MLflow
#
# MLflow is another popular tracker. It is not installed here, because it includes a web server and holds back the versions
# of other packages, such as pyarrow; in a separate environment it would work fine. The ideas are the same, but the words
# differ (MLflow 3):
#
# | W&B | MLflow |
# |---|---|
# | `wandb.init(project=…)` | `mlflow.set_experiment(…)`, `mlflow.start_run()` |
# | `config` (the configuration, the orchestrator's run id) | `mlflow.log_params(…)`; other systems' names as tags |
# | `tags=["airflow", "training"]` | `mlflow.set_tags({"platform": "airflow", …})`: each tag has a value |
# | `run.summary[…]` | `mlflow.log_metrics(…)` |
# | `wandb.Artifact(…, type="model")`, `run.log_artifact(…)` | `mlflow.sklearn.log_model(…, name=…)`: a *logged model*, stored next to the run, not among its files |
# | any other artifact | `mlflow.log_artifact(…)`: a file of the run |
# | offline: a folder, uploaded later with `wandb sync` | no server: a database in a file, `mlflow.db`, displayed by `mlflow server` |
# | aliases of an artifact, such as `latest` | aliases of a registered model's versions: `models:/late-arrival@champion` |
#
# (In this course, `staging` and `production` are aliases in our own registry. MLflow used to have *stages* with these names.
# They are deprecated in favor of aliases.)
#
# One thing is the same everywhere: someone has to write the orchestrator's run id into the tracker. That one line makes
# lineage possible.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `wandb.init(project="name")` | start a run in this project; it returns the run |
# | `mode="offline"` | keep everything on this machine; `os.environ["WANDB_MODE"] = "offline"` does the same for all runs |
# | `tags=["a", "b"]` | labels to filter by |
# | `config={"key": value}` | what describes the run: choices, and names in other systems |
# | `run.summary["name"] = 0.5` | a result of the run |
# | `run.finish()` | the run is over; write everything to disk |
# | `wandb.Artifact("name", type="dataset")` | a new, empty artifact of this type |
# | `metadata={"key": value}` | what to remember about an artifact |
# | `artifact.add_file("folder/file.txt")` | put this file into the artifact, as `file.txt` |
#
# ## Exercise 1: track a run
#
# Start an offline W&B run in the project `lesson-6`. Give it the tags `lesson` and `tiny`, and a config with the key
# `platform_run_id`, whose value can be any text that is not empty. Set `roc_auc` in its summary to the number 0.7, and finish
# the run. Keep it in `my_run`.
#
# <details><summary>Hint</summary>The project, the mode, the tags, and the config are all arguments of
# <code>wandb.init</code>. The metric comes after that, because it is a result.</details>
# <details><summary>Bigger hint</summary>You need three statements: <code>my_run = wandb.init(project=…, mode=…, tags=[…],
# config={…})</code>, then an assignment to <code>my_run.summary["roc_auc"]</code>, then
# <code>my_run.finish()</code>.</details>

# %% tags=["exercise"] points=1
import os

import wandb

# BEGIN SOLUTION
my_run = wandb.init(
    project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "manual__2026-11-22"}
)
my_run.summary["roc_auc"] = 0.7
my_run.finish()
# STUB
# my_run = None  # wandb.init(...)
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.tracking import check

check(1)

# %% [markdown]
# ## Exercise 2: a model as an artifact
#
# Create a W&B artifact with the name `late-arrival` and the type `model`, and keep it in `my_artifact`. It contains the file
# below under the name `model.skops`. Its metadata has the key `fingerprint`, so that the model can be traced back. The
# fingerprint is text and must not be empty; any text will do. You need not log the artifact to a run.
#
# <details><summary>Hint</summary>The name, the type, and the metadata are arguments of <code>wandb.Artifact</code>. The file
# is added afterwards.</details>
# <details><summary>Bigger hint</summary>Write <code>metadata={"fingerprint": "…"}</code>, and then call
# <code>my_artifact.add_file(str(model_file))</code>. The file already has the right name.</details>

# %% tags=["exercise"] points=2
model_file = Path(store, "model.skops")
_ = model_file.write_bytes(b"any model")

# BEGIN SOLUTION
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1fdff17562a0"})
_ = my_artifact.add_file(str(model_file))
# STUB
# my_artifact = None  # wandb.Artifact(...)
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.tracking import check

check(2)

# %% [markdown]
# ## To remember
#
# Tracking lets you compare runs; lineage lets you trace a model back to its origin. Both need names that several systems
# share: here, the fingerprint and the orchestrator's run id. Keys come from the environment. And when tracking is off it must
# cost nothing, because a pipeline should not need an outside service to run.
#
# **Read on.** [W&B: offline runs](https://docs.wandb.ai/support/models/articles/how-do-i-run-wandb-offline) ·
# [W&B: artifacts](https://docs.wandb.ai/guides/artifacts) · [MLflow: tracking](https://mlflow.org/docs/latest/ml/tracking/) ·
# [MLflow 3: what is new](https://mlflow.org/docs/latest/ml/mlflow-3) ·
# next: [7 · Monitoring and retraining](07_monitoring.ipynb)
