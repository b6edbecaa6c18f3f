# %% [markdown]
# # 4 · Dagster: assets
#
# Dagster starts from the things that a pipeline makes. An [asset](GLOSSARY.md#asset) is a function that returns one of them;
# its parameters name the assets it is made from. In this lesson you [materialize](GLOSSARY.md#materialize) assets, read
# their metadata, backfill past days, ask Dagster what it would make next, watch a check stop a run, and write assets, a
# check and a job yourself.
#
# **You will be able to** write an asset, a daily partitioned asset and a blocking check, say where an asset's value is
# stored, and select the assets of a job by their lineage.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
from notebooks.course.environment import open_store, prepare_dagster

store = open_store("dagster", store)
prepare_dagster(store)

# %%
import dagster as dg
import pandas as pd

from module4.lab3_dagster.assets import ASSETS, features, flights
from module4.lab3_dagster.checks import CHECKS
from module4.lab3_dagster.resources import Pipeline, resources
from shared import config

bound = resources(config.preset(preset).to_json(), store)
graph = dg.Definitions(assets=ASSETS, asset_checks=CHECKS, resources=bound).resolve_asset_graph()

# %% [markdown]
# ## The asset graph
#
# The arrows are not written down anywhere: Dagster reads them from the functions' parameters. This is the whole asset
# `baseline`:

# %%
from module4.lab3_dagster import assets
from notebooks.course.code import show_function

show_function(assets, "baseline")

# %% [markdown]
# The parameter `features` is the name of another asset, so there is an arrow from `features` to `baseline`. The parameter
# `pipeline` is a *resource*: the configuration, which is not made by any asset.

# %%
from notebooks.course.pictures import draw_graph

draw_graph(
    {
        key.to_user_string(): [parent.to_user_string() for parent in graph.get(key).parent_keys]
        for key in graph.toposorted_asset_keys
    },
    "The asset graph",
)

# %% [markdown]
# It is the graph of lesson 0, with other names. The other platforms name what *runs*, Dagster names what *exists* afterward:
# tasks are verbs, assets are nouns. This table says which step makes which asset:

# %%
from module4.lab3_dagster.step_table import STEP_OF

pd.Series(STEP_OF, name="made by the step").rename_axis("asset").to_frame()

# %% [markdown]
# The first six rows are the training pipeline; the rest are inference and monitoring. Dagster knows more about each asset:

# %%
pd.DataFrame(
    [
        {
            "asset": key.to_user_string(),
            "group": graph.get(key).group_name,
            "kinds": ", ".join(sorted(graph.get(key).kinds)),
            "checks": ", ".join(sorted(check.name for check in graph.get(key).check_keys)),
        }
        for key in graph.toposorted_asset_keys
    ]
)

# %% [markdown]
# The last column lists the [asset checks](GLOSSARY.md#asset-check), the tests that run after an asset is made.
#
# ## Just call it
#
# An asset is still a function. You can call it with values, and so can a test. Dagster is not involved, and nothing is
# stored.

# %%
pipeline = Pipeline(config_json=preset, registry_uri=f"{store}/registry")
table = flights(pipeline)
features(pipeline, table)[["carrier", "origin", "dest", "departure_minute", "weather_temp", "late"]].head(3)

# %% [markdown]
# Three rows of the table of features: the first two assets were computed, one from the other, by two function calls.
#
# ## Run it
#
# To [materialize](GLOSSARY.md#materialize) an asset means to compute and store it. The
# [IO manager](GLOSSARY.md#io-manager) decides how it is stored; the functions know nothing about that.

# %% tags=["slow"]
from IPython.utils.capture import capture_output

with capture_output() as log, dg.DagsterInstance.get() as instance:
    result = dg.materialize([*ASSETS, *CHECKS], resources=bound, instance=instance)
    records = instance.get_run_step_stats(result.run_id)

# %% [markdown]
# ## Look at it
#
# Every materialization carries [metadata](GLOSSARY.md#metadata). In the web pages, Dagster plots it from run to run.

# %% tags=["slow"]
pd.DataFrame(
    [
        {
            "asset": event.asset_key.to_user_string(),
            **{
                name: f"{value.value:.4f}" if isinstance(value.value, float) else str(value.value)
                for name, value in event.step_materialization_data.materialization.metadata.items()
                if name in ("rows", "columns", "log_loss", "winner", "version")
            },
        }
        for event in result.get_asset_materialization_events()
    ]
).fillna("")

# %% [markdown]
# One row per asset, and each has the metadata that suits it: rows and columns for tables, a score for models. (`log_loss` is
# measured on the validation weeks, on which the models are chosen; for `evaluation`, on the test weeks.)
#
# Asset checks ran too, each right after the asset that it tests:

# %% tags=["slow"]
pd.DataFrame(
    [
        {"asset": check.asset_key.to_user_string(), "check": check.check_name, "passed": check.passed}
        for check in result.get_asset_check_evaluations()
    ]
)

# %% [markdown]
# All of them passed. And this is when each step ran:

# %% tags=["slow"] alt="A bar per step on a clock: one after the other, with small gaps; the models take most of the time."
from module4.timeline import Bar, draw_timeline

draw_timeline([Bar(record.step_key, record.start_time, record.end_time) for record in records], "Dagster: steps")

# %% [markdown]
# The steps follow one another, because this run uses a single process. Most of the time goes into the models. The model is
# the one from lesson 0, bit for bit:

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(f"{store}/runs/{result.run_id}/deployment")["fingerprint"]

# %% [markdown]
# ## An asset per day
#
# Predictions are made for a day. So `batch`, `scores` and `predictions` have [partitions](GLOSSARY.md#partition): one per day
# of 2013, each made and kept independently. Making partitions for past days is called a [backfill](GLOSSARY.md#backfill).
# Here are two days, predicted by the model that you just deployed:

# %% tags=["slow"]
from module4.lab3_dagster import inference

everything = dg.Definitions(assets=[*ASSETS, *inference.ASSETS], resources=bound)
wanted = ["batch", "scores", "predictions"]
with capture_output() as log, dg.DagsterInstance.get() as instance:
    dg.materialize(inference.ASSETS, selection=["production_model"], resources=bound, instance=instance)
    for day in ("2013-03-11", "2013-03-12"):
        dg.materialize(inference.ASSETS, selection=wanted, resources=bound, instance=instance, partition_key=day)
    days = sorted(instance.get_materialized_partitions(dg.AssetKey("predictions")))

# %% tags=["slow"]
f"made {', '.join(days)}, of {len(inference.DAYS.get_partition_keys())} days that can be made"

# %% [markdown]
# Dagster knows which partitions exist and which are missing. The web pages show them as a bar with a mark for every day.
#
# ## Automation
#
# A schedule says when to run something. An *automation condition* says when an asset should be made. `eager()` means: when
# the day is new, or when something it is made from is new. Dagster's daemon evaluates the conditions again and again. Here
# we evaluate them ourselves, and move the clock forward: what would be made now?

# %% tags=["slow"]
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime


def ask(instance: dg.DagsterInstance, moment: datetime, cursor=None):
    """Return what the conditions request at that moment, and the cursor that Dagster keeps for the next evaluation."""
    found = dg.evaluate_automation_conditions(everything, instance, evaluation_time=moment, cursor=cursor)
    keys = everything.resolve_asset_graph().toposorted_asset_keys
    words = [f"{key.to_user_string()} {day or ''}" for key in keys for day in found.get_requested_partitions(key)]
    return ", ".join(words) or "nothing", found.cursor


def watch() -> dict[str, str]:
    """Evaluate three times, while things happen."""
    with dg.DagsterInstance.get() as instance:
        _, cursor = ask(instance, datetime(2013, 3, 13, 6))  # what exists when it is switched on counts as known
        quiet, cursor = ask(instance, datetime(2013, 3, 13, 7), cursor)
        instance.report_runless_asset_event(dg.AssetMaterialization("deployment"))
        deployed, cursor = ask(instance, datetime(2013, 3, 13, 8), cursor)
        new_day, cursor = ask(instance, datetime(2013, 3, 14, 6), cursor)
    return {"nothing has happened": quiet, "a new model is deployed": deployed, "the next day begins": new_day}


with capture_output() as log:  # in its own thread: Dagster starts an event loop, and Jupyter already runs one here
    answers = ThreadPoolExecutor(1).submit(watch).result()

# %% tags=["slow"]
pd.Series(answers, name="to be made").to_frame()

# %% [markdown]
# When nothing has happened, nothing is requested. A new deployment makes the model outdated, and everything made from it. A
# new day requests the day's batch.
#
# ## Break it
#
# There are two kinds of failure. If another attempt may succeed, a `RetryPolicy` helps. Here the step `train`, which makes
# `baseline`, fails once, and `baseline` is the only asset selected. `features` is not made again: the IO manager loads what
# the earlier run stored.

# %% tags=["slow"]
from notebooks.course.faults import fail_once

fault = fail_once("train", store)
broken = resources(config.preset(preset, fault=fault).to_json(), store)
with capture_output() as log, dg.DagsterInstance.get() as instance:
    survived = dg.materialize(ASSETS, selection=["baseline"], resources=broken, instance=instance, raise_on_error=False)

# %% tags=["slow"]
pd.DataFrame(
    [
        {"event": event.event_type_value, "step": event.step_key, "message": (event.message or "").splitlines()[0]}
        for event in survived.all_events
        if event.event_type_value in ("LOADED_INPUT", "STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_SUCCESS")
    ]
)

# %% [markdown]
# Read the events from top to bottom: the step failed, waited, was restarted, and succeeded.
#
# Retries do not help with bad data, but checks do. This check demands the impossible. It is *blocking*, so nothing is made
# from a table that did not pass.


# %% tags=["slow"]
@dg.asset_check(asset="features", blocking=True)
def nearly_all_are_late(features: pd.DataFrame) -> dg.AssetCheckResult:
    """Demand the impossible."""
    share = float(features["late"].mean())
    return dg.AssetCheckResult(passed=share > 0.9, metadata={"late": share})


names = ["features", "baseline"]
with capture_output() as log, dg.DagsterInstance.get() as instance:
    blocked = dg.materialize(
        [*ASSETS, nearly_all_are_late], selection=names, resources=bound, instance=instance, raise_on_error=False
    )

# %% tags=["slow"]
made = {event.asset_key.to_user_string(): "success" for event in blocked.get_asset_materialization_events()}
parents = {name: [above.to_user_string() for above in graph.get(dg.AssetKey(name)).parent_keys] for name in names}
draw_graph(parents, "After the check", {name: made.get(name, "not started") for name in names})

# %% [markdown]
# `features` was made, its check failed, and so `baseline` was never started.
#
# `make lab-dagster` runs the training from the command line; `make ui-dagster` starts the web pages, with a run to look at.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `@dg.asset` | this function makes an asset with the function's name |
# | `def b(a: pd.DataFrame)` | the asset `b` is made from the asset `a` |
# | `@dg.asset(partitions_def=DAYS)` | one value per day of `DAYS` |
# | `context: dg.AssetExecutionContext` | `context.partition_key` is the day, as text: `"2013-03-01"` |
# | `@dg.asset(automation_condition=…)` | when Dagster should make it without being asked |
# | `dg.AutomationCondition.eager()` | as soon as something it is made from is new |
# | `@dg.asset_check(asset="a", blocking=True)` | a test of `a`; if it fails, nothing is made from `a` |
# | `dg.AssetCheckResult(passed=…)` | what a check returns |
# | `dg.AssetSelection.assets("a").upstream()` | `a` and everything it is made from |
# | `dg.define_asset_job("name", selection=…)` | a job that makes the selected assets |
# | `dg.ScheduleDefinition(job=…, cron_schedule="0 5 * * 1")` | run the job on Mondays at 05:00 |
#
# ## Exercise 1: an asset
#
# Write an asset `late_by_carrier`. From the asset `flights`, a table of flights, make a DataFrame with the columns `carrier`
# and `late_share`, one row per carrier: the share of the carrier's flights that arrived more than 15 minutes late
# (`arr_delay > 15`).
#
# <details><summary>Hint</summary>The parameter of your function must have the name of the asset.</details>
# <details><summary>Bigger hint</summary>Add a column of true and false, group by the carrier, take the mean, and call
# <code>reset_index()</code>.</details>

# %% tags=["exercise"] points=1
# BEGIN SOLUTION


@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    """Return each carrier's share of late flights."""
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


# STUB
#
# late_by_carrier = None  # @dg.asset ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.dagster import check

check(1)

# %% [markdown]
# ## Exercise 2: a check that blocks
#
# Write a check `all_airports` of the asset `flights`. It passes when the column `origin` contains all three airports: EWR,
# JFK and LGA. If one is missing, nothing may be made from the table.
#
# <details><summary>Hint</summary>A set contains another one if <code>{…} &lt;= set(…)</code>.</details>
# <details><summary>Bigger hint</summary>Return <code>dg.AssetCheckResult(passed=…)</code>, and give the decorator
# <code>asset</code> and <code>blocking</code>.</details>

# %% tags=["exercise"] points=2
# BEGIN SOLUTION


@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    """Test that no airport is missing."""
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(flights["origin"]))


# STUB
#
# all_airports = None  # @dg.asset_check ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.dagster import check

check(2)

# %% [markdown]
# ## Exercise 3: a job, by lineage
#
# A job is a selection of assets. Define a job `retrain` that makes `baseline` and everything it is made from, and nothing
# else. Then define a schedule `every_monday` that runs it on Mondays at 05:00.
#
# <details><summary>Hint</summary>Do not list the assets: select one, and ask for what is upstream of it.</details>
# <details><summary>Bigger hint</summary>The last three rows of the table above are all you need.</details>

# %% tags=["exercise"] points=1
# BEGIN SOLUTION
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")
# STUB
# retrain = None  # dg.define_asset_job(...)
# every_monday = None  # dg.ScheduleDefinition(...)
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.dagster import check

check(3)

# %% [markdown]
# ## Exercise 4: an asset per day
#
# Write an asset `late_share_of_day` with a partition for each of `DAYS`. From the asset `flights` it makes a `float`: the
# share of that day's flights that arrived more than 15 minutes late. The column `date` holds the day; the first parameter,
# `context: dg.AssetExecutionContext`, knows the partition's name, such as "2013-03-12". Dagster makes it automatically when
# the day or the flights are new (`eager`).
#
# <details><summary>Hint</summary>First select the day's flights, then compute the share as in exercise 1.</details>
# <details><summary>Bigger hint</summary>Compare the column <code>date</code> with <code>context.partition_key</code>, and give
# the decorator <code>partitions_def</code> and <code>automation_condition</code>.</details>

# %% tags=["exercise"] points=2
DAYS = dg.DailyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01")

# BEGIN SOLUTION


@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    """Return the day's share of late flights."""
    of_day = flights[flights["date"] == context.partition_key]
    return float((of_day["arr_delay"] > 15).mean())


# STUB
#
# late_share_of_day = None  # @dg.asset(...) ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.dagster import check

check(4)

# %% [markdown]
# ## To remember
#
# Dagster knows what exists, not only what ran: assets with metadata, checks, partitions and lineage. So it can say what is
# missing or outdated, and make it. An asset is a plain function, and the IO manager takes care of storing its value. The
# price is a new way of thinking, and a few seconds to start each process.
#
# **Read on.** [The lab](../module4/lab3_dagster/README.md) · [Assets](https://docs.dagster.io/guides/build/assets) ·
# [Asset checks](https://docs.dagster.io/guides/test/asset-checks) ·
# [Asset selection](https://docs.dagster.io/guides/build/assets/asset-selection-syntax) ·
# [Partitions](https://docs.dagster.io/guides/build/partitions-and-backfills) ·
# [Declarative automation](https://docs.dagster.io/guides/automate/declarative-automation) ·
# next: [5 · Modal](05_modal.ipynb)
