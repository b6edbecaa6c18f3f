# %% [markdown]
# # 2 · Airflow: tasks in a DAG
#
# Airflow schedules. A Python file declares a *DAG*: tasks, and what each waits for. A scheduler decides when they run,
# tries again what failed, and remembers everything in a database. In this notebook you run the DAG without a scheduler,
# read what Airflow remembers, run days of the past, let one DAG tell another, break it, and write four DAGs of your own.
#
# **You will be able to** read a DAG file, give a DAG a schedule and its tasks retries, make a task per item, start a DAG by
# an event, and find out what failed and what was left out because of it.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %% [markdown]
# Airflow reads its settings when it is imported: they come first. Its home, with the database, lies in the store.

# %%
# %matplotlib inline
import os

from module4.lab1_airflow.environment import airflow_environment, airflow_home
from module4.platforms import WORKSPACE

store = store or str(WORKSPACE / "notebooks" / "airflow")
os.environ |= airflow_environment(airflow_home(store)) | {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}

# %%
import pandas as pd

from module4.lab1_airflow.training import training_dag

pd.options.display.max_colwidth = None  # show tables whole
training_dag

# %% [markdown]
# ## A task
#
# A task is a function with a decorator. Calling it in a DAG does not run it: it returns a promise of the result, an
# `XComArg`, and passing that to another task makes the arrow. These are the DAG's own last lines:

# %%
import inspect

from module4.lab1_airflow import training

source = inspect.getsource(training)
print(source[source.index("def training()") :])

# %% [markdown]
# ## The DAG, as Airflow sees it
#
# Every name and arrow below comes from the DAG object, not from our declaration. Small values travel as *XComs*, through
# the database; tables and models stay in the store, and tasks pass on their URI, the address where they lie.

# %%
from notebooks.course.pictures import draw_graph

draw_graph({task.task_id: task.upstream_task_ids for task in training_dag.topological_sort()}, "The DAG training")

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
# ## Run it
#
# `dag.test()` is Airflow's own way to try a DAG: scheduler and tasks in this process. The first call makes the database and
# prepares the execution API, which takes some seconds. `capture_output` keeps the log out of this page: `print(log.stdout)`.

# %% tags=["slow"]
from airflow.utils.db import upgradedb
from IPython.utils.capture import capture_output

with capture_output() as log:
    upgradedb()
    run = training_dag.test(run_conf={"config": preset, "store": store})

# %% tags=["slow"]
run.run_id, str(run.state)

# %% [markdown]
# ## Look at it
#
# A *task instance* is one task in one run. The trials share a task and differ in their map index; -1 means: not mapped.


# %% tags=["slow"]
def instances(run) -> pd.DataFrame:
    """Return what Airflow remembers of a run's tasks."""
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

# %% tags=["slow"]
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
# What `evaluate` handed on is in the database, as XComs: small values, one per key. The model itself is not.

# %% tags=["slow"]
evaluate = run.get_task_instance("evaluate")
handed_on = {key: evaluate.xcom_pull(task_ids="evaluate", key=key) for key in ("winner", "roc_auc", "log_loss", "uri")}
pd.Series(handed_on, name="evaluate").to_frame()

# %% [markdown]
# The model is the one of lesson 0, bit for bit:

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(f"{store}/runs/{run.run_id}/deploy")["fingerprint"]

# %% [markdown]
# ## A run is for a day
#
# The DAG `inference` predicts the flights of one day with the model in production. It is scheduled daily, and every run has
# a *logical date*: the day that it is for, whenever it runs. So days of the past can be run too. That is a *backfill*; with
# a scheduler one command makes all the runs (`make airflow-backfill`). Here are two of them:

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
# ## DAGs that tell each other
#
# A DAG need not wait for a clock. An *asset* is a name for something that changes, such as the model in production; a task
# that changes it makes an *event*, and a DAG can be scheduled to run at every event. So the lab's DAGs know each other's
# assets, and not each other. `DAG.schedule` and each task's `inlets` and `outlets` say who waits for what:

# %%
from module4.lab1_airflow.monitoring import monitoring_dag


def names(assets) -> str:
    """Return the names of assets and aliases: an alias stands for an event that the task may make, or not."""
    return ", ".join(sorted(asset.name for asset in assets))


pd.DataFrame(
    [
        {
            "DAG": dag.dag_id,
            "runs at": getattr(dag.timetable, "timetable", dag.timetable).expression,
            "runs at events of": getattr(dag.timetable.asset_condition, "name", ""),
            "reads": names(asset for task in dag.tasks for asset in task.inlets),
            "may make an event by": names(asset for task in dag.tasks for asset in task.outlets),
        }
        for dag in (training_dag, monitoring_dag)
    ]
)

# %% [markdown]
# `monitoring` looks every Monday at how well the model has done. Let it look on 29 April, when spring has changed the
# flights. Then ask the database which events there are: one was made by `deploy` above, and one asks for a training.

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
            "made by": f"{event.source_dag_id}.{event.source_task_id}",
            "it says": event.extra.get("version") or event.extra["reasons"][0],
        }
        for event in session.query(AssetEvent).where(AssetEvent.source_run_id.in_([run.run_id, watched.run_id]))
    ]
pd.DataFrame(events)

# %% [markdown]
# With a scheduler, the event of `retraining` starts `training` within seconds, and the event carries the configuration to
# train with. ([The lab](../module4/lab1_airflow/README.md) shows it in the UI.)
#
# ## Break it
#
# Ask for data that is not there. `load_data` fails. The DAG's retry policy knows that a missing file stays missing, so it
# is not tried again; and everything that needs it is not even started: *upstream_failed*.

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
# Now a failure that passes: `load_data` is told to fail at its first try, as if the network were down. Airflow waits some
# seconds and tries again: two tries, and a success. So that it takes no longer, we run this task alone:
# `partial_subset` makes a smaller DAG of a DAG.

# %% tags=["slow"]
from shared.config import Fault

fault = Fault(step="load_data", kind="fail", state=f"{store}/faults/{os.urandom(4).hex()}")
settings = config.preset(preset, fault=fault).to_json()
with capture_output() as log:
    survived = training_dag.partial_subset("load_data").test(run_conf={"config": settings, "store": store})

# %% tags=["slow"]
instances(survived)

# %% [markdown]
# With the real scheduler and its web pages this is a red box and orange ones. `make lab-airflow` runs the DAG from the
# command line; `make ui-airflow` starts the UI, which shows such runs with their logs and graphs.
#
# ## Exercise 1: every morning at five
#
# Write a DAG with the two tasks below: `report` gets what `count_flights` returns. It runs every day at 05:00, the first
# time on 1 March 2026, and it must not catch up on the days since then. Call your function and keep the DAG in `morning`.

# %% tags=["exercise"]
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

check(1, morning)

# %% [markdown]
# ## Exercise 2: try again
#
# A download fails now and then. Write a task `download` that is tried again three times: after 10 seconds, then after
# pauses that grow (exponential backoff). Use it in a DAG and keep the DAG in `patient`.


# %% tags=["exercise"]
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
check(2, patient)

# %% [markdown]
# ## Exercise 3: a task per item
#
# `airports` returns a list, and how long it is shall not matter to the DAG. Run `late_share` once per airport, and give
# the results, all of them, to `worst`. Look at `run_trial` in the lab's file.


# %% tags=["exercise"]
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
check(3, per_airport)

# %% [markdown]
# ## Exercise 4: when there is a new model
#
# Write a DAG whose task `announce` runs whenever the asset `production-model` has an event, and at no other time. Keep the
# DAG in `on_new_model`.

# %% tags=["exercise"]
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
check(4, on_new_model)

# %% [markdown]
# ## To remember
#
# In Airflow the graph is made of tasks, and what they pass is small: values by XCom, data by URI. Its strengths are time
# and history: schedules, backfills, events, retries, and a record of every try. The price is a database, an API and a
# scheduler that must run, and some seconds between tasks.
#
# **Read on.** [The lab](../module4/lab1_airflow/README.md) · [TaskFlow](https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/taskflow.html) ·
# [Dynamic task mapping](https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/dynamic-task-mapping.html) ·
# [Cron and time intervals](https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/cron.html) ·
# [Schedules by assets](https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/asset-scheduling.html) ·
# next: [3 · Kubeflow Pipelines](03_kubeflow.ipynb)
