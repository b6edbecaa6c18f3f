# %% [markdown]
# # 6 · Tracking and lineage: which run made this model?
#
# Months later a model behaves strangely, and someone asks: from which data, with which settings, by which run? An
# orchestrator remembers runs, a registry remembers models, and a *tracker* remembers experiments: settings, metrics and
# files, side by side. They help only if each knows the other's names. Here Dagster runs the pipeline, Weights & Biases
# (W&B) tracks it offline, and you follow the thread from the model in production back to the data.
#
# **You will be able to** track a run with tags, settings, metrics and a model; find the orchestrator's run from a model;
# and say what MLflow calls the same things.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %% [markdown]
# W&B writes where these variables say: below the store. *Offline* means that nothing leaves this machine.

# %%
# %matplotlib inline
import os
from pathlib import Path

import pandas as pd

from module4.platforms import WORKSPACE
from shared import config

pd.options.display.max_colwidth = None  # show tables whole
store = store or str(WORKSPACE / "notebooks" / "tracking")
for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR"):
    os.environ[name] = store
Path(store).mkdir(parents=True, exist_ok=True)
os.environ |= {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true", "DAGSTER_DISABLE_TELEMETRY": "yes"}
settings = config.preset(preset, tracking="offline")

# %% [markdown]
# ## Run it
#
# Tracking is one field of the configuration; no platform knows of it. In a terminal it is `--tracking offline`. The last
# step, `deploy`, tells W&B about the run, and gives it the platform's own run id.

# %% tags=["slow"]
from IPython.utils.capture import capture_output

from module4.lab3_dagster.run import run

with capture_output() as log:
    fingerprint = run(settings, store)

# %% [markdown]
# ## Look at it
#
# First the tracker. An offline run is a file of records, which `wandb sync` would send later.
# [`read_record`](course/records.py) reads the file.

# %% tags=["slow"]
import wandb

from notebooks.course.records import read_record

wandb.teardown()  # W&B writes in a process of its own: only when that has ended all is surely on disk
newest = max(Path(store, "wandb").glob("offline-run-*"), key=lambda folder: folder.stat().st_mtime)
record = read_record(newest)
print("tags:", record.tags, " artifacts:", record.artifacts)
pd.Series(record.config, name="config").loc[["platform", "platform_run_id", "preset", "fingerprint"]].to_frame()

# %% [markdown]
# Settings and names are in the *config*, results in the *summary*. A tracker draws such numbers of many runs side by side.

# %% tags=["slow"]
from matplotlib.figure import Figure

metrics = pd.Series(record.summary)
scores = metrics[metrics.index.str.endswith("/roc_auc")].astype(float)
figure = Figure(figsize=(7, 1.6), layout="constrained")
axis = figure.subplots()
axis.bar_label(axis.barh(scores.index, scores), fmt="%.4f", padding=3)
axis.set(xlim=(0.5, 0.8), title="ROC AUC on the test weeks, from the tracker's record")
figure

# %% [markdown]
# ## The way back
#
# Now forget all that, and begin with the model in production. The registry knows its version and its fingerprint:

# %% tags=["slow"]
from shared.registry import Registry

registry = Registry(f"{store}/registry", settings.model_name)
version = registry.aliases()["production"]
model = registry.metadata(version)
print("version:", version, "trained until:", model["trained_until"], "fingerprint:", model["fingerprint"][:12])

# %% [markdown]
# Of all tracked runs, those with the same fingerprint made this very model. Each names the orchestrator's run:

# %% tags=["slow"]
records = [read_record(folder) for folder in sorted(Path(store, "wandb").glob("offline-run-*"))]
made_it = [found for found in records if found.config.get("fingerprint") == model["fingerprint"]]
run_id = made_it[-1].config["platform_run_id"]
print(len(made_it), "of", len(records), "tracked runs; the last one is", made_it[-1].config["platform"], "run", run_id)

# %% [markdown]
# And the orchestrator still knows that run: how it ended, and what it made and stored where. `digest` is the SHA-256 of a
# table's content. That is lineage: model → tracked run → orchestrator's run → data.

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
# ## Break it
#
# Online needs a key, from the environment or from `wandb login`; it never stands in a configuration, so it never reaches a
# log, an artifact or a compiled pipeline. Without a key the run fails with words that help, not with a question that waits
# for an answer for ever:

# %% tags=["slow"]
from shared import artifacts, tracking
from shared.deployment import Deployment
from shared.errors import PipelineError
from shared.evaluation import Evaluation

os.environ |= {"WANDB_BASE_URL": "http://127.0.0.1:9", "NETRC": f"{store}/netrc"}  # nobody is logged in here
os.environ.pop("WANDB_API_KEY", None)
judged = artifacts.load(f"{store}/runs/{run_id}/evaluate", Evaluation)
outcome = artifacts.load(f"{store}/runs/{run_id}/deploy", Deployment)
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
# ## The same with MLflow
#
# MLflow is not installed here, and not run in this lesson: it brings a web server of its own, and holds other packages
# back, such as pyarrow.
# In an environment of its own it would get along with all this. The ideas are the same, the words differ (MLflow 3):
#
# | here, with W&B | MLflow |
# |---|---|
# | `wandb.init(project=…)` | `mlflow.set_experiment(…)`, `mlflow.start_run()` |
# | `config` (settings, the orchestrator's run id) | `mlflow.log_params(…)`; names of other systems as tags |
# | `tags=["airflow", "training"]` | `mlflow.set_tags({"platform": "airflow", …})`: a tag has a value |
# | `run.summary[…]` | `mlflow.log_metrics(…)` |
# | `wandb.Artifact(…, type="model")`, `run.log_artifact(…)` | `mlflow.sklearn.log_model(…, name=…)`: a *logged model*, beside the run and not in its files |
# | any other artifact | `mlflow.log_artifact(…)`: a file of the run |
# | offline: a folder, later `wandb sync` | no server: a database in a file, `mlflow.db`, shown by `mlflow server` |
# | aliases of an artifact, such as `latest` | aliases of a registered model's versions: `models:/late-arrival@champion` |
#
# (`staging` and `production` in this course are aliases of our own registry. MLflow once had *stages* of these names; they are
# deprecated, in favour of aliases.)
#
# What does not differ: someone has to write the orchestrator's run id into the tracker. That is the line that makes lineage.
#
# ## Exercise 1: track a run
#
# Start an offline W&B run in the project `lesson-6` with the tags `lesson` and `tiny`, and with `platform_run_id` in its
# config (any text). Give its summary a `roc_auc` of 0.7, and finish it. Keep the run in `my_run`.

# %% tags=["exercise"]
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
# Make a W&B artifact `late-arrival` of the type `model`. It holds the file below under the name `model.skops`, and its
# metadata has the `fingerprint` of the run, so that the model can be traced back.

# %% tags=["exercise"]
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
# Tracking is comparing; lineage is finding back. Both need names that several systems share: here the fingerprint and the
# orchestrator's run id. Keys come from the environment, and tracking that is off must cost nothing: a pipeline should not
# need a service to run.
#
# **Read on.** [W&B: offline runs](https://docs.wandb.ai/support/models/articles/how-do-i-run-wandb-offline) ·
# [W&B: artifacts](https://docs.wandb.ai/guides/artifacts) · [MLflow: tracking](https://mlflow.org/docs/latest/ml/tracking/) ·
# [MLflow 3: what is new](https://mlflow.org/docs/latest/ml/mlflow-3) ·
# next: [7 · Monitoring and retraining](07_monitoring.ipynb)
