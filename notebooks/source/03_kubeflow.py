# %% [markdown]
# # 3 · Kubeflow Pipelines: components and artifacts
#
# In Kubeflow Pipelines (KFP) every task is a container, and a pipeline is compiled to one YAML file that a cluster runs. The
# same pipeline runs here with `kfp.local`: a process takes the container's place. You compile it, read what a cluster
# would get, run it, ask which data made the model, break it, and write three pipelines of your own.
#
# **You will be able to** tell components, parameters, artifacts and pipelines apart, read a compiled pipeline, write a loop
# whose results come together again, and say when a cached result is a wrong one.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
import os
import sysconfig
from pathlib import Path

import pandas as pd
from kfp import dsl, local

from module4.lab2_kubeflow.components import train
from module4.lab2_kubeflow.pipelines import train_and_deploy
from module4.platforms import ROOT, WORKSPACE
from shared import config
from shared.version import code_version

pd.options.display.max_colwidth = None  # show tables whole
store = str(store or WORKSPACE / "notebooks" / "kubeflow")

# %% [markdown]
# ## A component
#
# A component is a function that KFP copies, *as text*, into a container. So it imports what it uses, inside. Below is what
# the container of `train` is told to do; the last word is our function. `config` and `code` are *parameters*: small values
# that KFP stores itself. `features` and `baseline` are *artifacts*: data, of which KFP knows the type and where it lies.

# %%
print(train.component_spec.implementation.container.command[-1])

# %% [markdown]
# ## What a cluster would get
#
# `pipeline_spec` is the compiled pipeline. It names the tasks, what each waits for, and where each input comes from. We draw
# it, and list it.

# %%
from notebooks.course.pictures import draw_graph

tasks = train_and_deploy.pipeline_spec.root.dag.tasks
draw_graph({name: list(task.dependent_tasks) for name, task in tasks.items()}, "The compiled pipeline")

# %%
pd.DataFrame(
    [
        {
            "task": name,
            "parameters": ", ".join(sorted(task.inputs.parameters)),
            "artifacts": ", ".join(sorted(task.inputs.artifacts)),
            "retries": task.retry_policy.max_retry_count,
            "cached": task.caching_options.enable_cache,
        }
        for name, task in tasks.items()
    ]
)

# %% [markdown]
# `hyperparameter_search` is a pipeline inside of the pipeline. Its loop is a task with an iterator: how many trials there
# are, KFP learns when `propose_trials` has run.

# %%
search = train_and_deploy.pipeline_spec.components["comp-hyperparameter-search"].dag.tasks
[(name, task.parameter_iterator.item_input) for name, task in search.items() if task.WhichOneof("iterator")]

# %% [markdown]
# ## Run it
#
# Every task is a process of its own. It finds this environment on `PATH` and the course's code on `PYTHONPATH`; in a
# cluster both are in the image.

# %%
os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
os.environ["PYTHONPATH"] = str(ROOT)
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=f"{store}/runs")

# %% tags=["slow"]
from IPython.utils.capture import capture_output

with capture_output() as log:
    config_json = config.preset(preset).to_json()
    finished = train_and_deploy(config=config_json, registry=f"{store}/registry", code=code_version())

# %% [markdown]
# ## Look at it
#
# An artifact is typed, has a place, and carries metadata: here what our steps return. This is what `deploy` wrote:

# %% tags=["slow"]
deployment = finished.output
shown = {name: deployment.metadata[name] for name in ("version", "in_production", "fingerprint", "code")}
pd.Series({"uri": deployment.uri.removeprefix(store), **shown}, name=type(deployment).__name__).to_frame()

# %% [markdown]
# KFP keeps no record of a local run but the files. Every task has a folder, and a trial has one inside of the loop's. Their
# times show what ended when.

# %% tags=["slow"]
from notebooks.course.pictures import draw_ends

run_folder = Path(deployment.path).parents[1]
outputs = {"/".join(path.relative_to(run_folder).parts[:-1]): path for path in run_folder.rglob("executor_output.json")}
draw_ends([(path.stat().st_mtime, task) for task, path in outputs.items()], "Kubeflow Pipelines: when each task ended")

# %% [markdown]
# ## Which data made this model?
#
# A task sees nothing but its inputs, so artifacts and arrows together are the model's *lineage*. On a cluster KFP's web page
# shows it; here [the lab](../module4/lab2_kubeflow/lineage/history.py) reads it from the same files. An arc leads from whoever wrote
# to whoever read. The numbers are digests of the contents: that of `baseline` is the version of the model.

# %% tags=["slow"]
from module4.lab2_kubeflow.lineage import answer, draw_lineage, read_run

nodes = read_run(run_folder, train_and_deploy.pipeline_spec)
draw_lineage(nodes, answer(run_folder, nodes))

# %% [markdown]
# The model is the one of lesson 0, bit for bit:

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(deployment.path)["fingerprint"]

# %% [markdown]
# ## Break it
#
# `load_data` is told to fail at its first attempt: a pod is evicted, a network is down. The task has a retry policy, so KFP
# starts it again, and the run does not notice.

# %% tags=["slow"]
from shared.config import Fault

fault = Fault(step="load_data", kind="fail", state=f"{store}/faults/{os.urandom(4).hex()}")
broken = config.preset(preset, fault=fault).to_json()


@dsl.pipeline
def only_load(config: str) -> dsl.Dataset:
    """The first task of the lab's pipeline, with the lab's retries."""
    from module4.lab2_kubeflow.cluster import pod
    from module4.lab2_kubeflow.components import load_data

    return pod(load_data(config=config, code="")).output


with capture_output() as log:
    survived = only_load(config=broken)

# %% tags=["slow"]
{
    "attempts that failed": len(list(Path(fault.state).iterdir())),
    "rows in the end": int(survived.output.metadata["rows"]),
}

# %% [markdown]
# Retries do not help with a mistake. Ask for data that is not there: the task fails each time, and KFP's own error says only
# *which* task failed. The reason stands in the task's output.

# %% tags=["slow"]
message = ""
with capture_output() as log:
    try:
        only_load(config=config.preset(preset, data_folder="/nowhere").to_json())
    except RuntimeError as error:
        message = str(error)

# %% tags=["slow"]
import re

reasons = {line.strip() for line in log.stdout.splitlines() if line.strip().startswith("shared.errors")}
re.sub(r"\x1b\[\d+m", "", message), reasons

# %% [markdown]
# A mistake that needs no run: types are compared when the pipeline is defined. Here `train` would read a model.

# %%
from kfp.dsl.types.type_utils import InconsistentTypeException

try:

    @dsl.pipeline
    def wrong_way(model: dsl.Input[dsl.Model]) -> None:
        """Give a model to whom wants a table."""
        train(config="tiny", code="", features=model)

except InconsistentTypeException as error:
    print(error)

# %% [markdown]
# And one that nothing reports. KFP's *cache* takes an earlier result if component and arguments are the same. It does not see
# the code of a package that the component imports. `compute` imports a package that returns 1; then the package is changed
# and returns 2. Only with the package's version as a parameter does KFP notice:

# %% tags=["slow"]
from module4.lab2_kubeflow import traps

with capture_output() as log:
    found = traps.stale_cache(Path(store, "traps"))

# %% tags=["slow"]
pd.Series(found, name="what the pipeline returned").to_frame()

# %% [markdown]
# The third line is a wrong result that is called a success. That is why each component of the lab has the parameter `code`.
#
# ## Exercise 1: a component that brings what it needs
#
# Write a component `late_share(late: int, flights: int)` that returns a `float`: late divided by flights, rounded *up* to
# two digits (`math.ceil(100 * share) / 100`). It must run in a container, where only its own text is. Call it in a
# pipeline with the parameters `late` and `flights`, try it again three times if it fails, and never reuse a cached result.

# %% tags=["exercise"]
component = dsl.component(base_image="python:3.12", install_kfp_package=False)

# BEGIN SOLUTION


@component
def late_share(late: int, flights: int) -> float:
    """Return the share of late flights."""
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    """One task."""
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# STUB
#
# punctuality = None  # a function decorated with @dsl.pipeline
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.kubeflow import check

check(1, punctuality)

# %% [markdown]
# ## Exercise 2: a loop whose results come together
#
# `airports` returns a list; `share_of` is to run once per airport, side by side; `worst` gets all the shares. Use
# `dsl.ParallelFor` and `dsl.Collected`, as `hyperparameter_search` in
# [the lab's pipeline](../module4/lab2_kubeflow/pipelines.py) does.


# %% tags=["exercise"]
@component
def airports() -> list[str]:
    """List the airports."""
    return ["EWR", "JFK", "LGA"]


@component
def share_of(airport: str) -> float:
    """Return an airport's share of late flights."""
    return {"EWR": 0.26, "JFK": 0.22, "LGA": 0.23}[airport]


@component
def worst(shares: list[float]) -> float:
    """Return the worst share."""
    return max(shares)


# BEGIN SOLUTION
@dsl.pipeline
def fan_out() -> float:
    """A task per airport, then one for all."""
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# STUB
# fan_out = None  # a function decorated with @dsl.pipeline
# END SOLUTION

# %% tags=["check"]
check(2, fan_out)

# %% [markdown]
# ## Exercise 3: a typed artifact
#
# `late_flights` writes a table. Write a component `fit` that reads it as an artifact of the type `dsl.Dataset`, named `table`,
# and writes one of the type `dsl.Model`, named `model`: any text, into a file at `model.path`. The model's metadata has
# `rows`, the number of lines of the table without its heading. Call both in a pipeline, so that `fit` reads what
# `late_flights` wrote. `train` in [the lab's components](../module4/lab2_kubeflow/components.py) has such inputs and outputs.


# %% tags=["exercise"]
@component
def late_flights(table: dsl.Output[dsl.Dataset]) -> None:
    """Write a table of three flights."""
    with open(table.path, "w") as file:
        file.write("carrier,late\nAA,0\nUA,1\nB6,0\n")


# BEGIN SOLUTION
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]) -> None:
    """Learn very little."""
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("all flights are on time")


@dsl.pipeline
def learning() -> None:
    """A table, and a model of it."""
    fit(table=late_flights().output)


# STUB
# learning = None  # a function decorated with @dsl.pipeline
# END SOLUTION

# %% tags=["check"]
check(3, learning)

# %% [markdown]
# ## To remember
#
# Kubeflow Pipelines thinks in containers and typed artifacts. A task sees nothing but its inputs, so it runs anywhere, and
# which task produced which model can be answered. The price is a start for every task, and a cluster to run them.
#
# **Read on.** [The lab](../module4/lab2_kubeflow/README.md) ·
# [Components](https://www.kubeflow.org/docs/components/pipelines/user-guides/components/) ·
# [Control flow](https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/control-flow/) ·
# [Artifacts](https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/artifacts/) ·
# [Caching](https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/caching/) ·
# next: [4 · Dagster](04_dagster.ipynb)
