# %% [markdown]
# # 3 · Kubeflow Pipelines: components and artifacts
#
# In Kubeflow Pipelines (KFP), every task runs in a [container](GLOSSARY.md#container), and a pipeline is
# [compiled](GLOSSARY.md#compile) to one YAML file that a cluster runs. On your machine `kfp.local` runs the same pipeline,
# with a process in place of each container. You compile it, read what a cluster would get, run it, ask which data made the
# model, break it, and write three pipelines yourself.
#
# **You will be able to** tell components, parameters, artifacts, and pipelines apart, read a compiled pipeline, write a loop
# whose results come together again, and recognize a stale cached result.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
from pathlib import Path

import pandas as pd
from kfp import dsl, local

from module4.lab2_kubeflow.components import train
from module4.lab2_kubeflow.pipelines import train_and_deploy
from notebooks.course.environment import open_store, prepare_kubeflow
from shared import config
from shared.version import code_version

store = open_store("kubeflow", store)

# %% [markdown]
# ## A component
#
# A [component](GLOSSARY.md#component) is a function that KFP copies, *as text*, into a container. So it must import, inside
# its body, everything that it uses. This is what the container of `train` is told to run:

# %%
print(train.component_spec.implementation.container.command[-1])

# %% [markdown]
# The first lines were added by KFP; the rest is the lab's function. Its arguments are of two kinds.
# [Parameters](GLOSSARY.md#parameter), here the texts, are small values that KFP stores itself.
# [Artifacts](GLOSSARY.md#artifact), here the input `features` and the output `baseline`, are data: KFP knows their type and
# where they are stored.
#
# ## What a cluster would get
#
# `pipeline_spec` is the compiled pipeline. It names the tasks, what each of them waits for, and where each input comes from.

# %%
from notebooks.course.pictures import draw_graph

tasks = train_and_deploy.pipeline_spec.root.dag.tasks
draw_graph({name: list(task.dependent_tasks) for name, task in tasks.items()}, "The compiled pipeline")

# %% [markdown]
# The same picture as in lesson 0, this time from the YAML that a cluster would get. Now the same tasks as a table.

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
# One row per task. The names have hyphens, because Kubernetes does not allow underscores. Look at the last two columns:
# tasks that compute something have retries and may be [cached](GLOSSARY.md#cache). `evaluate` and `deploy` are never cached,
# because they look at the registry, which changes without KFP noticing. `hyperparameter-search` has no retries: it is a
# pipeline inside the pipeline, and its own tasks have them.
#
# The search contains a loop, which is a task with an iterator:

# %%
search = train_and_deploy.pipeline_spec.components["comp-hyperparameter-search"].dag.tasks
[(name, task.parameter_iterator.item_input) for name, task in search.items() if task.WhichOneof("iterator")]

# %% [markdown]
# The loop iterates over the output of `propose_trials`. KFP learns the number of trials when that task has finished.
#
# ## Run it
#
# Every task runs in its own process. `prepare_kubeflow` lets these processes find this environment's programs and the
# course's code; on a cluster, both are in the [image](GLOSSARY.md#image).

# %%
prepare_kubeflow()
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=f"{store}/runs")

# %% tags=["slow"]
from IPython.utils.capture import capture_output

with capture_output() as log:
    config_json = config.preset(preset).to_json()
    finished = train_and_deploy(config=config_json, registry=f"{store}/registry", code=code_version())

# %% [markdown]
# ## Look at it
#
# An artifact has a type, a place, and [metadata](GLOSSARY.md#metadata): in this course, what the step returned. This is what
# `deploy` wrote:

# %% tags=["slow"]
deployment = finished.output
shown = {name: deployment.metadata[name] for name in ("version", "in_production", "fingerprint", "code")}
pd.Series({"uri": deployment.uri.removeprefix(store), **shown}, name=type(deployment).__name__).to_frame()

# %% [markdown]
# The heading is the artifact's type. Below it you see where it is stored and a few of its metadata: the model's version,
# whether it went into production, the run's fingerprint, and the version of the code.
#
# A local run leaves no record except its files. Every task has a folder, and each trial has one inside the loop's folder.
# Their times show when each task ended.

# %% tags=["slow"] alt="A dot per task, from top to bottom in the order in which they ended; the trials end close together."
from notebooks.course.pictures import draw_ends

run_folder = Path(deployment.path).parents[1]
outputs = {"/".join(path.relative_to(run_folder).parts[:-1]): path for path in run_folder.rglob("executor_output.json")}
draw_ends([(path.stat().st_mtime, task) for task, path in outputs.items()], "Kubeflow Pipelines: when each task ended")

# %% [markdown]
# The trials end close together, since they ran at the same time. The distance to the next dot includes the start of a
# Python process for every task; on a cluster it would be the start of a container.
#
# ## Which data made this model?
#
# A task sees nothing but its inputs, so the artifacts together with the arrows are the model's
# [lineage](GLOSSARY.md#lineage). On a cluster, KFP's web page shows it; here
# [the lab](../module4/lab2_kubeflow/README.md) reads it from the files of the run.

# %% tags=["slow"]
from IPython.display import Markdown

from module4.lab2_kubeflow.lineage import answer, read_run, to_markdown

nodes = read_run(run_folder, train_and_deploy.pipeline_spec)
Markdown(to_markdown(nodes, answer(run_folder, nodes)))

# %% [markdown]
# Tasks have corners, artifacts are round. Follow the arrows backward from the deployment: every artifact has one task that
# wrote it, and any number that read it. Dashed arrows stand for small values that travel without an artifact. The hexadecimal
# numbers are digests of the contents, and the digest of the winning model is its version. This picture answers the question
# in the heading, for any model, months later.

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(deployment.path)["fingerprint"]

# %% [markdown]
# The model is the one from lesson 0, bit for bit.
#
# ## Break it
#
# Let the first attempt at `load_data` fail, as if a pod had been evicted or the network were down. The task has a retry
# policy, so KFP starts it again, and the run does not notice.

# %% tags=["slow"]
from notebooks.course.faults import fail_once, failed_attempts

fault = fail_once("load_data", store)
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
    "attempts that failed": failed_attempts(fault),
    "rows in the end": int(survived.output.metadata["rows"]),
}

# %% [markdown]
# One attempt failed, and the table is complete nevertheless.
#
# Retries do not help with mistakes. Ask for data that does not exist: the task fails every time.

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
# KFP's own error, the first text, says only *which* task failed. The reason, the second text, is in the task's log. On a
# cluster, too, you start with the task's name and then open its log.
#
# Some mistakes need no run to be found: types are compared when the pipeline is defined. Here `train` would read a model.

# %%
from kfp.dsl.types.type_utils import InconsistentTypeException

try:

    @dsl.pipeline
    def wrong_way(model: dsl.Input[dsl.Model]) -> None:
        """Pass a model where a table is expected."""
        train(config="tiny", code="", features=model)

except InconsistentTypeException as error:
    print(error)

# %% [markdown]
# The message names the input, the type it got, and the type it wants. Nothing was compiled, so nothing could run.
#
# And then there is the mistake that nobody reports. KFP's [cache](GLOSSARY.md#cache) reuses an earlier result if the component
# and its arguments are the same. It does not look at the code of packages that the component imports. In the next cell a
# component imports a package that returns 1; then the package is changed to return 2.

# %% tags=["slow"]
from module4.lab2_kubeflow import traps

with capture_output() as log:
    found = traps.stale_cache(Path(store, "traps"))

# %% tags=["slow"]
pd.Series(found, name="what the pipeline returned").to_frame()

# %% [markdown]
# The third line is the trap: the package returns 2, but the pipeline returned the 1 from the cache and reported a success.
# The fourth line is right, because there the package's version is a parameter, and a new value means a new run. That is why
# every component of the lab has the parameter `code`.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `@component` | this function becomes a component (below, `component` is `dsl.component` with its image filled in) |
# | `@dsl.pipeline` | this function declares a pipeline: it calls components and wires their outputs |
# | `task = work(x=1)` | adds a task; arguments need their names |
# | `task.output` | what the task will return or write, for the next task or as the pipeline's own result |
# | `task.set_retry(2)` | retry up to twice |
# | `task.set_caching_options(False)` | always run; never reuse an earlier result |
# | `with dsl.ParallelFor(items().output) as item:` | run the tasks below once per item, in parallel |
# | `dsl.Collected(task.output)` | after the loop: the list of all results |
# | `data: dsl.Input[dsl.Dataset]` | this component reads a table; the file is at `data.path` |
# | `model: dsl.Output[dsl.Model]` | this component writes a model to `model.path`; the caller passes nothing |
# | `model.metadata["rows"] = 3` | attach a value to the artifact |

# %% [markdown]
# ## Exercise 1: a component that brings what it needs
#
# Write a component `late_share(late: int, flights: int)` that returns one `float`: late divided by flights, rounded *up* to
# two digits (`math.ceil(100 * late / flights) / 100`). It must run in a container, which contains nothing but its own text
# and Python's standard library. Call it once in a pipeline named `punctuality` with the parameters `late` and `flights`,
# retry it up to three times if it fails, and never reuse a cached result.
#
# <details><summary>Hint</summary>The component uses <code>math</code>. Where must the import be, if only the function's text
# travels?</details>
# <details><summary>Bigger hint</summary>Put <code>import math</code> first in the body. In the pipeline, call
# <code>late_share(late=late, flights=flights)</code> and chain <code>.set_retry(…)</code> and
# <code>.set_caching_options(…)</code>.</details>

# %% tags=["exercise"] points=1
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

check(1)

# %% [markdown]
# ## Exercise 2: a loop whose results come together
#
# `airports` returns a list. Run `share_of` once per airport, in parallel, and pass all the shares to `worst`. Use
# `dsl.ParallelFor` and `dsl.Collected`, as `hyperparameter_search` in
# [the lab's pipeline](../module4/lab2_kubeflow/pipelines.py) does.
#
# <details><summary>Hint</summary>The loop is a <code>with</code> statement. Only <code>share_of</code> belongs inside it.</details>
# <details><summary>Bigger hint</summary>Write <code>with dsl.ParallelFor(airports().output) as airport:</code>, keep the task of
# <code>share_of</code> in a variable, and after the loop pass <code>dsl.Collected(….output)</code> to <code>worst</code>.</details>


# %% tags=["exercise"] points=2
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
check(2)

# %% [markdown]
# ## Exercise 3: a typed artifact
#
# `late_flights` writes a table. Write a component `fit` that reads it as an artifact of type `dsl.Dataset`, named `table`,
# and writes one of type `dsl.Model`, named `model`: any text that is not empty, into a file at `model.path`. The model's
# metadata has `rows`, the number of lines in the table, not counting the header. Call both once in a pipeline, so that `fit`
# reads what `late_flights` wrote. `train` in [the lab's components](../module4/lab2_kubeflow/components.py) has such inputs and outputs.
#
# <details><summary>Hint</summary>Inputs are annotated with <code>dsl.Input[…]</code>, outputs with <code>dsl.Output[…]</code>.
# Inside, an artifact has a <code>path</code> and a dictionary <code>metadata</code>.</details>
# <details><summary>Bigger hint</summary>The signature is <code>fit(table: dsl.Input[dsl.Dataset], model:
# dsl.Output[dsl.Model]) -> None</code>. The pipeline passes only <code>table=late_flights().output</code>; KFP supplies the
# output.</details>


# %% tags=["exercise"] points=2
@component
def late_flights(table: dsl.Output[dsl.Dataset]) -> None:
    """Write a table of three flights."""
    with open(table.path, "w", encoding="utf-8") as file:
        file.write("carrier,late\nAA,0\nUA,1\nB6,0\n")


# BEGIN SOLUTION
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]) -> None:
    """Learn very little."""
    with open(table.path, encoding="utf-8") as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w", encoding="utf-8") as file:
        file.write("all flights are on time")


@dsl.pipeline
def learning() -> None:
    """A table, and a model of it."""
    fit(table=late_flights().output)


# STUB
# learning = None  # a function decorated with @dsl.pipeline
# END SOLUTION

# %% tags=["check"]
check(3)

# %% [markdown]
# ## To remember
#
# Kubeflow Pipelines thinks in containers and typed artifacts. A task sees nothing but its inputs, so it runs anywhere, and
# you can always find out which task produced which model. The price is a container start for every task, and a cluster to
# run them.
#
# **Read on.** [The lab](../module4/lab2_kubeflow/README.md) ·
# [Components](https://www.kubeflow.org/docs/components/pipelines/user-guides/components/) ·
# [Control flow](https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/control-flow/) ·
# [Artifacts](https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/artifacts/) ·
# [Caching](https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/caching/) ·
# next: [4 · Dagster](04_dagster.ipynb)
