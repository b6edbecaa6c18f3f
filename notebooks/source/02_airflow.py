# %% [markdown]
# # 2 · Airflow: tasks in a DAG
#
# Airflow is a [scheduler](GLOSSARY.md#scheduler). A Python file declares a [DAG](GLOSSARY.md#dag): tasks, and what each of
# them waits for. The scheduler decides when they run, retries what failed, and records everything in a database. In this
# lesson you run the DAG without a scheduler, read Airflow's records, backfill past days, let one DAG trigger another, break
# a run, and write four DAGs yourself.
#
# **You will be able to** read a DAG file, give a DAG a schedule and its tasks retries, run a task per item, start a DAG on
# an event, and find out what failed and what was skipped because of it.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %% [markdown]
# Airflow reads its configuration when it is first imported, so `prepare_airflow` comes first. Airflow's database goes into
# the lesson's store.

# %%
# %matplotlib inline
from notebooks.course.environment import open_store, prepare_airflow

store = open_store("airflow", store)
prepare_airflow(store)

# %%
import pandas as pd

from module4.lab1_airflow.training import training_dag

training_dag

# %% [markdown]
# `<DAG: training>`: that is all there is so far, a Python object. Nothing has run.
#
# ## A task
#
# A [task](GLOSSARY.md#task) is a function with the decorator `@task`. Calling it inside a DAG does not run it. The call
# returns a placeholder for the result, an `XComArg`, and passing that to another task draws the arrow. This is the function
# that declares the DAG:

# %%
from module4.lab1_airflow import training
from notebooks.course.code import show_function

show_function(training, "training")

# %% [markdown]
# Read the assignments from top to bottom: each line calls a task with what earlier tasks returned. The text in double
# braces is a [template](GLOSSARY.md#template). Airflow fills it in when the task runs, not when the file is read.
#
# ## The DAG, as Airflow sees it
#
# The next two cells ask the DAG object itself, not the course's own declaration of the graph.

# %%
from notebooks.course.pictures import draw_graph

draw_graph({task.task_id: task.upstream_task_ids for task in training_dag.topological_sort()}, "The DAG training")

# %% [markdown]
# The names and arrows are the ones of lesson 0, but for the search: it is a *task group* of three tasks. `propose_trials`
# decides what to try, `run_trial` tries it, and `select_best` picks the winner.

# %%
pd.DataFrame(
    [
        {
            "task": task.task_id,
            "operator": task.task_type,
            "mapped": task.is_mapped,
            "retries": task.retries,
            "first pause": task.retry_delay,
            "stopped after": task.execution_timeout,
        }
        for task in training_dag.topological_sort()
    ]
)

# %% [markdown]
# One row per task. The [operator](GLOSSARY.md#operator) is the class that runs it: here always a decorated Python function.
# Exactly one task is [mapped](GLOSSARY.md#mapped-task), which means that it runs once per item of a list: the trials.
# `retries` says how many times a failed task is retried, `first pause` how long Airflow waits before the first retry, and
# `stopped after` how long one attempt may take.
#
# ## Run it
#
# `dag.test()` is Airflow's own way to try a DAG: it runs scheduler and tasks in this process. The first call creates the
# database and prepares the execution API, which takes a few seconds. `capture_output` keeps the log off this page; to read
# it, evaluate `print(log.stdout)`.

# %% tags=["slow"]
from airflow.utils.db import upgradedb
from IPython.utils.capture import capture_output

with capture_output() as log:
    upgradedb()
    run = training_dag.test(run_conf={"config": preset, "store": store})

# %% tags=["slow"]
run.run_id, str(run.state)

# %% [markdown]
# The run has an id, made from how and when it was started, and a state.
#
# ## Look at it
#
# A [task instance](GLOSSARY.md#task-instance) is one task in one run. The trials share a task and differ in their map index;
# -1 means "not mapped".


# %% tags=["slow"]
def instances(run) -> pd.DataFrame:
    """Return what Airflow has recorded about a run's tasks."""
    return pd.DataFrame(
        [
            {
                "task": one.task_id,
                "map index": one.map_index,
                "state": str(one.state),
                "tries": one.try_number,
                "seconds": round(one.duration or 0, 2),
            }
            for one in sorted(run.get_task_instances(), key=lambda one: (str(one.start_date or "z"), one.map_index))
        ]
    )


instances(run)

# %% [markdown]
# Every row ended with *success* on its first try. `run_trial` has one row per trial; how many there would be was not known
# until `propose_trials` had returned.

# %% tags=["slow"] alt="A bar per task instance on a clock: one after the other, with gaps in between in which Airflow works."
from module4.timeline import Bar, draw_timeline

draw_timeline(
    [
        Bar(
            one.task_id + (f"[{one.map_index}]" if one.map_index >= 0 else ""),
            one.start_date.timestamp(),
            one.end_date.timestamp(),
        )
        for one in run.get_task_instances()
    ],
    "Airflow: task instances",
)

# %% [markdown]
# The bars show when each task instance ran. The tasks follow one another, because `dag.test()` runs one at a time; a real
# scheduler would run the trials in parallel. The white gaps are Airflow's own work between two tasks.
#
# What `evaluate` returned is stored in the database as [XComs](GLOSSARY.md#xcom): small values, one per key.

# %% tags=["slow"]
evaluate = run.get_task_instance("evaluate")
values = {key: evaluate.xcom_pull(task_ids="evaluate", key=key) for key in ("winner", "roc_auc", "log_loss", "uri")}
pd.Series(values, name="evaluate").to_frame()

# %% [markdown]
# Three small values, and a URI. The model itself is not in the database: it is in the store, at this URI. That is the rule
# in Airflow: values travel as XComs, large data by its address.

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(f"{store}/runs/{run.run_id}/deploy")["fingerprint"]

# %% [markdown]
# The model is the one from lesson 0, bit for bit.
#
# ## A run belongs to a day
#
# The DAG `inference` predicts the flights of one day with the model in production. It is scheduled daily, and every run has
# a [logical date](GLOSSARY.md#logical-date): the day that the run is for, no matter when it runs. So past days can be run,
# too. That is a [backfill](GLOSSARY.md#backfill). With a scheduler, one command creates all the runs
# (`make airflow-backfill`); here you run two days yourself.

# %% tags=["slow"]
from datetime import UTC, datetime

from module4.lab1_airflow.inference import inference_dag

with capture_output() as log:
    for day in (11, 12):
        inference_dag.test(logical_date=datetime(2013, 3, day, tzinfo=UTC), run_conf={"config": preset, "store": store})

# %% tags=["slow"]
from pathlib import Path

partitions = sorted(Path(store, "predictions").glob("date=*"))
pd.DataFrame(
    [
        {"partition": folder.name, "flights": len(pd.read_parquet(next(folder.glob("*.parquet"))))}
        for folder in partitions
    ]
)

# %% [markdown]
# Each day has its own folder of predictions, a [partition](GLOSSARY.md#partition). Run a day again, and it replaces its own
# partition and leaves the others alone.
#
# ## DAGs that trigger each other
#
# A DAG need not wait for a clock. In Airflow an [asset](GLOSSARY.md#asset) is a name for something that changes, such as the
# model in production. A task that changes it emits an *event*, and a DAG can be scheduled on such events. So the lab's DAGs
# know the assets, but not each other. `DAG.schedule` and the `inlets` and `outlets` of each task say who waits for what:

# %%
from module4.lab1_airflow.monitoring import monitoring_dag


def names(assets) -> str:
    """Return the names of assets, and of aliases for assets whose event a task may or may not emit."""
    return ", ".join(sorted(asset.name for asset in assets))


pd.DataFrame(
    [
        {
            "DAG": dag.dag_id,
            "runs at": getattr(dag.timetable, "timetable", dag.timetable).expression,
            "runs at events of": getattr(dag.timetable.asset_condition, "name", ""),
            "reads": names(asset for task in dag.tasks for asset in task.inlets),
            "may emit an event of": names(asset for task in dag.tasks for asset in task.outlets),
        }
        for dag in (training_dag, monitoring_dag)
    ]
)

# %% [markdown]
# Both DAGs run on Mondays: `0 6 * * MON` is [cron](GLOSSARY.md#cron) for "Mondays at 6:00". `training` also runs on each
# event of the asset `retraining`. The last column names an [asset alias](GLOSSARY.md#alias), a stand-in for an asset. The
# task decides at run time whether to emit an event for the asset behind it, since not every training ends in a promotion.
#
# Every Monday `monitoring` checks how well the model has done. Let it check on 29 April, when spring has changed the
# flights. Then look up the events in the database.

# %% tags=["slow"]
monday = datetime(2013, 4, 29, tzinfo=UTC)
with capture_output() as log:
    watched = monitoring_dag.test(logical_date=monday, run_conf={"config": preset, "store": store})

# %% tags=["slow"]
from airflow.models.asset import AssetEvent
from airflow.utils.session import create_session

with create_session() as session:
    events = [
        {
            "asset": event.asset.name,
            "emitted by": f"{event.source_dag_id}.{event.source_task_id}",
            "it says": event.extra.get("version") or event.extra["reasons"][0],
        }
        for event in session.query(AssetEvent).where(AssetEvent.source_run_id.in_([run.run_id, watched.run_id]))
    ]
pd.DataFrame(events)

# %% [markdown]
# There are two events. `deploy` emitted the first one above, when it promoted a model; `it says` is that model's version.
# `monitoring` emitted the second one to ask for a new training; `it says` is the reason. With a scheduler, this event starts
# `training` within seconds and hands it the configuration to train with. ([The lab](../module4/lab1_airflow/README.md) shows
# this in the UI.)
#
# ## Break it
#
# Ask for data that does not exist. `load_data` fails. The DAG has a [retry policy](GLOSSARY.md#retry), which knows that a
# missing file will still be missing in five seconds, so it does not retry.

# %% tags=["slow"]
from shared import config

wrong = config.preset(preset, data_folder="/nowhere").to_json()
with capture_output() as log:
    broken = training_dag.test(run_conf={"config": wrong, "store": store})

# %% tags=["slow"]
states = {one.task_id: str(one.state) for one in broken.get_task_instances()}
draw_graph(
    {task.task_id: task.upstream_task_ids for task in training_dag.topological_sort()},
    f"The run {broken.state}",
    states,
)

# %% [markdown]
# Red is the task that failed. The orange ones never started, because something that they need had failed; Airflow calls this
# *upstream_failed*. Look for the red box first: the cause is there.
#
# Now a failure that goes away: the first attempt at `load_data` fails, as if the network were down. To save time, run only
# this task; `partial_subset` cuts a smaller DAG out of a larger one.

# %% tags=["slow"]
from notebooks.course.faults import fail_once

config_json = config.preset(preset, fault=fail_once("load_data", store)).to_json()
with capture_output() as log:
    survived = training_dag.partial_subset("load_data").test(run_conf={"config": config_json, "store": store})

# %% tags=["slow"]
instances(survived)

# %% [markdown]
# Two tries, and a success: Airflow waited a few seconds after the first one, then retried.
#
# `make lab-airflow` runs the DAG from the command line. `make ui-airflow` starts Airflow's UI, which shows such runs with
# their logs and graphs, a failed task in red and a waiting retry in yellow.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `@task` | this function is a task; calling it in a DAG adds it to the DAG |
# | `@task(retries=2, retry_delay=timedelta(minutes=1))` | up to two retries, one minute after a failure |
# | `retry_exponential_backoff=True` | each pause is about twice as long as the one before |
# | `@dag(schedule=…)` | this function declares a DAG; **call it**, or there is no DAG |
# | `schedule="30 6 * * *"` | cron: minute, hour, day of the month, month, day of the week; here 6:30 every day |
# | `schedule=None` | only when someone triggers it |
# | `schedule=Asset("name")` | on every event of this asset |
# | `start_date=datetime(2026, 1, 1)` | the first day that the schedule covers |
# | `catchup=False` | do not run the days between `start_date` and today |
# | `second(first())` | `second` waits for `first` and gets what it returns |
# | `work.expand(item=items())` | one task instance of `work` per element of the list |
#
# A word on [catchup](GLOSSARY.md#catchup): with `catchup=True`, a new DAG starts by running every day since its start date.

# %% [markdown]
# ## Exercise 1: every morning at five
#
# Write a DAG with the two tasks below: `report` gets what `count_flights` returns, and each is called once. The DAG runs
# every day at 05:00 (in any time zone), the first time on 1 March 2026 and from then on without an end. It must not catch up
# on the days since then. Call your function and keep the DAG in `morning`.
#
# <details><summary>Hint</summary>Three things go into <code>@dag(…)</code>: when, from when on, and whether to catch up. The
# function's body is a single line.</details>
# <details><summary>Bigger hint</summary>Five o'clock every day is <code>"0 5 * * *"</code>. In the body, pass
# <code>count_flights()</code> to <code>report</code>.</details>

# %% tags=["exercise"] points=1
from datetime import datetime, timedelta

from airflow.sdk import dag, task


@task
def count_flights() -> int:
    """Count today's flights."""
    return 842


@task
def report(flights: int) -> None:
    """Say how many there are."""
    print(f"{flights} flights")


# BEGIN SOLUTION
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def every_morning() -> None:
    """Report the number of flights."""
    report(count_flights())


morning = every_morning()
# STUB
# @dag()  # when? from when on?
# def every_morning() -> None:
#     """Report the number of flights."""  # which tasks?
#
#
# morning = None  # call the function
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.airflow import check

check(1)

# %% [markdown]
# ## Exercise 2: retry
#
# A download fails now and then. Write a task `download` that is retried up to three times: first after 10 seconds, then
# after pauses that grow each time ([exponential backoff](GLOSSARY.md#exponential-backoff)). Use it once in a DAG and keep
# the DAG in `patient`.
#
# <details><summary>Hint</summary>All three settings belong to the task, so they are arguments of <code>@task(…)</code>.</details>
# <details><summary>Bigger hint</summary>Give <code>@task</code> the arguments <code>retries</code>, <code>retry_delay</code> (a
# <code>timedelta</code>), and <code>retry_exponential_backoff</code>. Then write a function with <code>@dag(schedule=None)</code>
# that calls <code>download()</code>.</details>


# %% tags=["exercise"] points=1
# BEGIN SOLUTION
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download() -> str:
    """Fetch a file."""
    return "flights.csv"


@dag(schedule=None)
def patient_download() -> None:
    """Download, patiently."""
    download()


patient = patient_download()
# STUB
# @task
# def download() -> str:
#     """Fetch a file."""
#     return "flights.csv"
#
#
# patient = None  # a DAG with this task
# END SOLUTION

# %% tags=["check"]
check(2)

# %% [markdown]
# ## Exercise 3: a task per item
#
# `airports` returns a list, and the DAG must not depend on its length. Run `late_share` once per airport, with `.expand` on
# the task or on a task group around it, and pass the list of all results to `worst`, which runs once. `run_trial` in
# [the lab's DAG](../module4/lab1_airflow/training.py) does the same.
#
# <details><summary>Hint</summary>A mapped task is called with <code>.expand(…)</code> instead of <code>(…)</code>.</details>
# <details><summary>Bigger hint</summary>Pass <code>airports()</code> to <code>late_share.expand</code> as the argument
# <code>airport</code>, and pass what that returns to <code>worst</code>. No loop is needed.</details>


# %% tags=["exercise"] points=2
@task
def airports() -> list[str]:
    """List the airports."""
    return ["EWR", "JFK", "LGA"]


@task
def late_share(airport: str) -> float:
    """Return an airport's share of late flights."""
    return {"EWR": 0.26, "JFK": 0.22, "LGA": 0.23}[airport]


@task
def worst(shares: list[float]) -> float:
    """Return the worst share."""
    return max(shares)


# BEGIN SOLUTION
@dag(schedule=None)
def fan_out() -> None:
    """One task per airport, then one for all."""
    worst(late_share.expand(airport=airports()))


per_airport = fan_out()
# STUB
# @dag(schedule=None)
# def fan_out() -> None:
#     """One task per airport, then one for all."""
#
#
# per_airport = None
# END SOLUTION

# %% tags=["check"]
check(3)

# %% [markdown]
# ## Exercise 4: when there is a new model
#
# Write a DAG whose task `announce` runs whenever the asset `production-model` has an event, and at no other time. Wait for
# the asset itself, not for an alias. Keep the DAG in `on_new_model`.
#
# <details><summary>Hint</summary>A schedule can be a cron expression, or an asset.</details>
# <details><summary>Bigger hint</summary>Write <code>@dag(schedule=Asset("…"))</code>, call <code>announce()</code> inside, then
# call your function.</details>

# %% tags=["exercise"] points=2
from airflow.sdk import Asset


@task
def announce() -> None:
    """Tell the team."""
    print("There is a new model.")


# BEGIN SOLUTION
@dag(schedule=Asset("production-model"))
def tell_the_team() -> None:
    """Announce each new model."""
    announce()


on_new_model = tell_the_team()
# STUB
# on_new_model = None  # a DAG with this task
# END SOLUTION

# %% tags=["check"]
check(4)

# %% [markdown]
# ## To remember
#
# In Airflow, the graph consists of tasks, and what they pass on is small: values by XCom, data by URI. Its strengths are
# time and history: schedules, backfills, events, retries, and a record of every attempt. The price is a database, an API
# server, and a scheduler to operate, and a few seconds between tasks.
#
# **Read on.** [The lab](../module4/lab1_airflow/README.md) · [TaskFlow](https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/taskflow.html) ·
# [Dynamic task mapping](https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/dynamic-task-mapping.html) ·
# [Cron and time intervals](https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/cron.html) ·
# [Schedules by assets](https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/asset-scheduling.html) ·
# next: [3 · Kubeflow Pipelines](03_kubeflow.ipynb)
