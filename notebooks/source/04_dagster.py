# %% [markdown]
# # 4 · Dagster: assets
#
# Dagster starts from the things that a pipeline makes. An *asset* is a function that returns one; its parameters name the
# assets it is made from. You materialize them, read their metadata, make days of the past, ask Dagster what it would make
# by itself, watch a check stop a run, and write assets, a check and a job of your own.
#
# **You will be able to** write an asset, an asset per day and a blocking check, say where an asset's value is stored, and
# choose by their lineage which assets a job makes.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
import logging
import os

import pandas as pd

from module4.lab3_dagster.run import prepare_home
from module4.platforms import WORKSPACE
from shared import config

store = store or str(WORKSPACE / "notebooks" / "dagster")
os.environ["DAGSTER_HOME"] = str(prepare_home(store))
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"

# %%
import dagster as dg

from module4.lab3_dagster.assets import ASSETS, load_data, preprocess
from module4.lab3_dagster.checks import CHECKS
from module4.lab3_dagster.resources import Pipeline, resources

pd.options.display.max_colwidth = None  # show tables whole
logging.getLogger("dagster").setLevel(logging.CRITICAL)
bound = resources(config.preset(preset).to_json(), store)
graph = dg.Definitions(assets=ASSETS, asset_checks=CHECKS, resources=bound).resolve_asset_graph()

# %% [markdown]
# ## The asset graph
#
# Nobody wrote the arrows down: Dagster reads them from the functions' parameters. This is the asset `train`, whole:

# %%
import inspect

from module4.lab3_dagster import assets

source = inspect.getsource(assets)
print(
    source[source.index('@dg.asset(group_name="training", kinds={"scikitlearn"}') : source.index("@dg.op(ins=")].strip()
)

# %%
from notebooks.course.pictures import draw_graph

draw_graph(
    {
        key.to_user_string(): [parent.to_user_string() for parent in graph.get(key).parent_keys]
        for key in graph.toposorted_asset_keys
    },
    "The asset graph",
)

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
# ## Just call it
#
# An asset is still a function. A test, or you, can call it with values; no Dagster is involved, and nothing is stored.

# %%
settings = Pipeline(config=preset, registry_uri=f"{store}/registry")
flights = load_data(settings)
preprocess(settings, flights)[["carrier", "origin", "dest", "departure_minute", "weather_temp", "late"]].head(3)

# %% [markdown]
# ## Run it
#
# To *materialize* is to compute assets and store them. How they are stored is the IO manager's part; the functions know
# nothing of it.

# %% tags=["slow"]
from IPython.utils.capture import capture_output

with capture_output() as log, dg.DagsterInstance.get() as instance:
    result = dg.materialize([*ASSETS, *CHECKS], resources=bound, instance=instance)
    records = instance.get_run_step_stats(result.run_id)

# %% [markdown]
# ## Look at it
#
# Every materialization carries metadata. In the UI Dagster draws them from run to run. (`log_loss` is that of the weeks on
# which the models are chosen; for `evaluate`, of the weeks on which the winner is judged.)

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
# Asset checks were run too, right after the asset that they test:

# %% tags=["slow"]
pd.DataFrame(
    [
        {"asset": check.asset_key.to_user_string(), "check": check.check_name, "passed": check.passed}
        for check in result.get_asset_check_evaluations()
    ]
)

# %% tags=["slow"]
from module4.timeline import Bar, draw_timeline

draw_timeline([Bar(record.step_key, record.start_time, record.end_time) for record in records], "Dagster: steps")

# %% [markdown]
# The model is the one of lesson 0, bit for bit:

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(f"{store}/runs/{result.run_id}/deploy")["fingerprint"]

# %% [markdown]
# ## An asset per day
#
# Predictions are made for a day. So `load_batch`, `predict` and `save_predictions` have *partitions*: one per day of 2013,
# each made and kept by itself. To make days of the past is a *backfill*. Here are two days, by the model just deployed:

# %% tags=["slow"]
from module4.lab3_dagster import inference

everything = dg.Definitions(assets=[*ASSETS, *inference.ASSETS], resources=bound)
wanted = ["load_batch", "predict", "save_predictions"]
with capture_output() as log, dg.DagsterInstance.get() as instance:
    dg.materialize(inference.ASSETS, selection=["load_model"], resources=bound, instance=instance)
    for day in ("2013-03-11", "2013-03-12"):
        dg.materialize(inference.ASSETS, selection=wanted, resources=bound, instance=instance, partition_key=day)
    days = sorted(instance.get_materialized_partitions(dg.AssetKey("save_predictions")))

# %% tags=["slow"]
f"made {', '.join(days)}, of {len(inference.DAYS.get_partition_keys())} days that can be made"

# %% [markdown]
# ## Nobody presses a button
#
# A schedule says when to run something. An *automation condition* says when an asset should be made: `eager()` means, when
# the day is new, or when something that it is made from is new. Dagster's daemon asks it again and again. We ask it by hand,
# and turn the clock: what would be made now?

# %% tags=["slow"]
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime


def ask(instance: dg.DagsterInstance, moment: datetime, cursor=None):
    """Return what the conditions want to have made at that moment, and what Dagster remembers for the next question."""
    found = dg.evaluate_automation_conditions(everything, instance, evaluation_time=moment, cursor=cursor)
    keys = everything.resolve_asset_graph().toposorted_asset_keys
    words = [f"{key.to_user_string()} {day or ''}" for key in keys for day in found.get_requested_partitions(key)]
    return ", ".join(words) or "nothing", found.cursor


def watch() -> dict[str, str]:
    """Ask three times, while things happen."""
    with dg.DagsterInstance.get() as instance:
        _, cursor = ask(instance, datetime(2013, 3, 13, 6))  # what is there when it is switched on counts as known
        quiet, cursor = ask(instance, datetime(2013, 3, 13, 7), cursor)
        instance.report_runless_asset_event(dg.AssetMaterialization("deploy"))
        deployed, cursor = ask(instance, datetime(2013, 3, 13, 8), cursor)
        new_day, cursor = ask(instance, datetime(2013, 3, 14, 6), cursor)
    return {"nothing has happened": quiet, "a new model is deployed": deployed, "the next day begins": new_day}


with capture_output() as log:  # in a thread of its own: Dagster starts an event loop, and here Jupyter runs one already
    answers = ThreadPoolExecutor(1).submit(watch).result()

# %% tags=["slow"]
pd.Series(answers, name="to be made").to_frame()

# %% [markdown]
# ## Break it
#
# Two kinds of failure, two answers. What a second try may cure is the `RetryPolicy`'s part. `train` is told to fail once, and
# we select it alone. `preprocess` is not made again: the IO manager loads what the run before stored.

# %% tags=["slow"]
from shared.config import Fault

fault = Fault(step="train", kind="fail", state=f"{store}/faults/{os.urandom(4).hex()}")
broken = resources(config.preset(preset, fault=fault).to_json(), store)
with capture_output() as log, dg.DagsterInstance.get() as instance:
    survived = dg.materialize(ASSETS, selection=["train"], resources=broken, instance=instance, raise_on_error=False)

# %% tags=["slow"]
pd.DataFrame(
    [
        {"event": event.event_type_value, "step": event.step_key, "message": (event.message or "").splitlines()[0]}
        for event in survived.all_events
        if event.event_type_value in ("LOADED_INPUT", "STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_SUCCESS")
    ]
)

# %% [markdown]
# What no second try cures is the checks' part. Here is a check that asks too much: it *blocks*, so nothing is made from the
# table that did not pass. `preprocess` is there, and `train` was never started.


# %% tags=["slow"]
@dg.asset_check(asset="preprocess", blocking=True)
def nearly_all_are_late(preprocess: pd.DataFrame) -> dg.AssetCheckResult:
    """Ask for what cannot be."""
    share = float(preprocess["late"].mean())
    return dg.AssetCheckResult(passed=share > 0.9, metadata={"late": share})


names = ["preprocess", "train"]
with capture_output() as log, dg.DagsterInstance.get() as instance:
    blocked = dg.materialize(
        [*ASSETS, nearly_all_are_late], selection=names, resources=bound, instance=instance, raise_on_error=False
    )

# %% tags=["slow"]
made = {event.asset_key.to_user_string(): "success" for event in blocked.get_asset_materialization_events()}
parents = {name: [above.to_user_string() for above in graph.get(dg.AssetKey(name)).parent_keys] for name in names}
draw_graph(parents, "After the check", {name: made.get(name, "not started") for name in names})

# %% [markdown]
# `make lab-dagster` runs the training from the command line; `make ui-dagster` starts the UI, with a run to look at.
#
# ## Exercise 1: an asset
#
# Write an asset `late_by_carrier`: from the asset `load_data`, a table of flights, make a DataFrame with the columns
# `carrier` and `late_share`, the share of the carrier's flights that arrived more than 15 minutes late (`arr_delay > 15`),
# one row per carrier.

# %% tags=["exercise"]
# BEGIN SOLUTION


@dg.asset
def late_by_carrier(load_data: pd.DataFrame) -> pd.DataFrame:
    """Return each carrier's share of late flights."""
    late = load_data.assign(late_share=load_data["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


# STUB
#
# late_by_carrier = None  # @dg.asset ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.dagster import check

check(1, late_by_carrier)

# %% [markdown]
# ## Exercise 2: a check that blocks
#
# Write a check `all_airports` of the asset `load_data`. It passes when the column `origin` has all three airports: EWR, JFK
# and LGA. If one is missing, nothing may be made from the table.

# %% tags=["exercise"]
# BEGIN SOLUTION


@dg.asset_check(asset="load_data", blocking=True)
def all_airports(load_data: pd.DataFrame) -> dg.AssetCheckResult:
    """Test that no airport is missing."""
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(load_data["origin"]))


# STUB
#
# all_airports = None  # @dg.asset_check ...
# END SOLUTION

# %% tags=["check"]
check(2, all_airports)

# %% [markdown]
# ## Exercise 3: a job, by lineage
#
# A job is a selection of assets. Define a job `retrain` that makes the baseline `train` and everything that it is made from,
# and nothing else; and a schedule `every_monday` that runs it on Mondays at 05:00.

# %% tags=["exercise"]
# BEGIN SOLUTION
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("train").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")
# STUB
# retrain = None  # dg.define_asset_job(...)
# every_monday = None  # dg.ScheduleDefinition(...)
# END SOLUTION

# %% tags=["check"]
check(3, retrain, every_monday)

# %% [markdown]
# ## Exercise 4: an asset per day
#
# Write an asset `late_share_of_day` with a partition for each of `DAYS`. From the asset `load_data` it makes a `float`: the
# share of that day's flights that arrived more than 15 minutes late. The column `date` holds the day; the first parameter,
# `context: dg.AssetExecutionContext`, knows the partition's name, such as "2013-03-12". It is made by itself when the day or
# the flights are new (`eager`).

# %% tags=["exercise"]
DAYS = dg.DailyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01")

# BEGIN SOLUTION


@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, load_data: pd.DataFrame) -> float:
    """Return the day's share of late flights."""
    flights = load_data[load_data["date"] == context.partition_key]
    return float((flights["arr_delay"] > 15).mean())


# STUB
#
# late_share_of_day = None  # @dg.asset(...) ...
# END SOLUTION

# %% tags=["check"]
check(4, late_share_of_day)

# %% [markdown]
# ## To remember
#
# Dagster knows what exists, not only what ran: assets with metadata, checks, partitions and lineage. So it can say what is
# missing or outdated, and make it. A step is a plain function, and how its value is stored is someone else's job. The price
# is another way of thinking, and a start of some seconds for a process.
#
# **Read on.** [The lab](../module4/lab3_dagster/README.md) · [Assets](https://docs.dagster.io/guides/build/assets) ·
# [Asset checks](https://docs.dagster.io/guides/test/asset-checks) ·
# [Asset selection](https://docs.dagster.io/guides/build/assets/asset-selection-syntax) ·
# [Partitions](https://docs.dagster.io/guides/build/partitions-and-backfills) ·
# [Declarative automation](https://docs.dagster.io/guides/automate/declarative-automation) ·
# next: [5 · Modal](05_modal.ipynb)
