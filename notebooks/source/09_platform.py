# %% [markdown]
# # 9 · Bring a fifth platform
#
# This course makes a claim: a platform is a folder and a row, and everything else stays as it is. Now you put it to the test.
# Choose a platform that the course does not cover, and run the pipeline on it. You are done when it makes **the same model,
# bit for bit**.
#
# **You will be able to** wire a pipeline on a platform that nobody has explained to you, read the graph that the platform
# itself sees, and prove that the result is the same.
#
# **Time.** {{minutes}} Learning the platform of your choice takes extra time.

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
import pandas as pd

from notebooks.course.environment import open_store
from shared import config

store = open_store("platform", store)
settings = config.preset(preset)

# %% [markdown]
# ## What a platform is
#
# These are the platforms of the course. Each has a row in a table and a module with a function `run(config, store)`:

# %%
from dataclasses import asdict

from module4.platforms import PLATFORMS, ROOT

pd.DataFrame([asdict(platform) for platform in PLATFORMS.values()])[["name", "title", "mode", "module"]]

# %% [markdown]
# `title` and `mode` appear in the comparison, `name` in commands such as `make run PLATFORM=dagster`. Nothing else in the
# repository lists the platforms.
#
# ## What it has to do
#
# It calls the steps in `shared.steps` and passes on what they return. Plain Python does just that:

# %%
from notebooks.course.code import show_function
from shared import pipeline

show_function(pipeline, "_run")

# %% [markdown]
# Every step gets the configuration as JSON text, the places ([URIs](GLOSSARY.md#uri)) of the
# [artifacts](GLOSSARY.md#artifact) that it reads, and the place for its own. It returns a small summary, whose `uri` is that
# place again. Only the search is different: `propose_trials` returns a list of texts, `run_trial` turns one of them into a
# result, and `select_best` gets all the results.
#
# ## Run it
#
# Plain Python sets the goal: this is the [fingerprint](GLOSSARY.md#fingerprint) that every platform must reach.

# %% tags=["slow"]
fingerprint = pipeline.run(settings, store)
fingerprint["fingerprint"]

# %% [markdown]
# It is the number from lesson 0.
#
# ## Look at it
#
# A platform is judged by two tests, and you know both of them. The [contract](GLOSSARY.md#contract) test reads the graph that
# the platform itself sees, and compares it with the declared one:

# %%
from notebooks.course.pictures import draw_graph
from shared.graph import SEARCH, TRAINING

draw_graph({step.name: step.needs for step in TRAINING}, "The declared graph")

# %%
pd.DataFrame(
    [
        {"step": node.name, "needs": ", ".join(node.needs), "mapped": node.mapped, "inside": inside}
        for nodes, inside in ((TRAINING, ""), (SEARCH, "hyperparameter_search"))
        for node in nodes
    ]
)

# %% [markdown]
# One row per step. `mapped` says that a step runs once per item of a list. The last three steps are *inside* the search: on
# Airflow they are a task group, on Kubeflow Pipelines an inner pipeline. Steps outside need the search as a whole, never one
# of its parts.
#
# The *equivalence* test runs the platform and compares the fingerprint, part by part.
#
# ## Break it
#
# Here is a draft of a platform. Its engine is `graphlib` from the standard library, which can put jobs in order and nothing
# more. These are its three files: the row, the run, and the graph reader.

# %%

from notebooks.checks.platform import DRAFT

print((DRAFT / "platform.toml").read_text(), "\n", (DRAFT / "run.py").read_text(), sep="")

# %%
print((DRAFT / "graph.py").read_text())

# %% [markdown]
# The reader builds its graph from `JOBS`, the very object that `run` executes. If it returned a copy of the declared graph
# instead, it would prove nothing. Two mistakes show in the graph, and a third one only in a run. Try to find them before you
# execute the next cells.

# %%
from module4.check_platform import check_graph, check_run

pd.DataFrame(check_graph(DRAFT))

# %% [markdown]
# Read the column `hint`. The search has another name, so whatever concerns it is wrong twice: one edge is missing, another
# one is too many. And `evaluate` reads the features without saying that it needs `preprocess`. With `graphlib` that works by
# luck: the jobs before it need the features too. On a platform that moves data along its edges, it would fail.

# %% tags=["slow"]
pd.DataFrame(check_run(DRAFT))

# %% [markdown]
# All steps ran, and there is a model, but not the same one. The hint lists the [parts of the
# fingerprint](GLOSSARY.md#fingerprint) that differ. The data is right, and even the winning model is: the mistake is where the
# models are compared. `evaluate` got the candidate as the baseline, and the baseline as the candidate. No step noticed, because
# both are models. A test that only asks whether a run succeeds would have passed.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Choose a platform
#
# | platform | how to get it | what it is good for here |
# |---|---|---|
# | `graphlib`, `concurrent.futures` | part of Python | start from the draft, and give the search its inner steps |
# | [Apache Hamilton](https://hamilton.apache.org/) | already installed | functions whose parameters name what they need |
# | [Prefect](https://docs.prefect.io/), [Luigi](https://luigi.readthedocs.io/), [Snakemake](https://snakemake.readthedocs.io/) | in a separate environment, see below | well-known orchestrators |
#
# Some platforms need other versions of packages than this course. Install one of those into a second environment, here one
# with Prefect. Type this in a terminal:
#
# ```
# make setup VENV=.venv-prefect
# .venv-prefect/bin/python -m pip install prefect
# make check-platform FOLDER=my-platform VENV=.venv-prefect
# ```
#
# Make a folder anywhere, and copy the three files of the draft (`notebooks/course/draft_platform/`) into it, or write your
# own. You can check the whole folder from a terminal, as often as you like:
#
# ```
# make check-platform FOLDER=my-platform
# ```
#
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `name = "relay"` in `platform.toml` | the platform's name; `title` and `mode` are needed too |
# | `from run import JOBS` in `graph.py` | import another file of the same folder |
# | `Node("train", ("preprocess",))` | a step, and a tuple of the steps that it needs |
# | `Node("run_trial", ("propose_trials",), mapped=True)` | it runs once per item of a list |
# | `Node("hyperparameter_search", (…), inner=(…))` | a step that consists of other steps |
# | `Graph("training", (node, …))` | a graph with these steps, in any order |
# | `steps.read_fingerprint(uri)` | the fingerprint, from the artifact of `deploy` |
#
# ## Exercise 1: the contract
#
# In your folder, write `platform.toml` and `graph.py`. The file `graph.py` has a function `read_graph()` that returns the graph
# as your platform sees it: read it from the platform's own objects or files, not from `shared.graph.TRAINING`, which the check
# replaces by something else. Steps and edges must be the declared ones. Put the path of the folder into `folder`. (`ROOT` is
# the folder of this repository.)
#
# <details><summary>Hint</summary>Start from the object that your platform executes: its tasks, and what each of them waits
# for. Leave out what belongs to the platform, and give grouped tasks the name of the step around them.</details>
# <details><summary>Bigger hint</summary>Make the search three tasks of your platform. Build a <code>Node</code> for each of them,
# with the needs <em>among the three</em>, and put them into <code>inner</code> of a node
# <code>hyperparameter_search</code>. That node needs whatever any of the three needs from outside. Wherever another step needs
# <code>select_best</code>, write <code>hyperparameter_search</code>.</details>

# %% tags=["exercise"] points=2
# BEGIN SOLUTION
folder = ROOT / "notebooks" / "solutions" / "hamilton"
# STUB
# folder = None  # such as Path("~/my-platform")
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.platform import check

check(1)

# %% [markdown]
# ## Exercise 2: the same model
#
# In the same folder, write `run.py` with a function `run(config, store)`. It runs the pipeline on your platform and returns the
# fingerprint. Artifacts go below `store`, to `runs/`*any name but python*`/`*step*, and models to `registry`. Let the platform
# call the steps; `shared.pipeline` must not do it. A run that fails must raise an error. Put the path into `platform`. The
# check runs your platform with a configuration that is not a preset, and compares it with plain Python.
#
# <details><summary>Hint</summary>Pass <code>config.to_json()</code> to every step. Pass on only the <code>uri</code> of what a
# step returned, and the results of the trials.</details>
# <details><summary>Bigger hint</summary>Take the function <code>_run</code> above and turn each of its calls into a task of your
# platform. Its last line is your last line.</details>

# %% tags=["exercise"] points=3
# BEGIN SOLUTION
platform = ROOT / "notebooks" / "solutions" / "hamilton"
# STUB
# platform = None  # the same path
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.platform import check

check(2)

# %% [markdown]
# ## In the table
#
# Your platform is the seventh row of the comparison now. In a terminal:
#
# ```
# PIPELINE_PLATFORM=my-platform make compare
# ```
#
# `make run` knows its name, too. Break it there with `BREAK=train:fail`, and see whether it retries, resumes, or starts again.
#
# ## To remember
#
# The steps did not change, and neither did the platforms that were there before. What you wrote is wiring. If wiring is all
# that depends on a platform, you can choose one late, change it later, and prove each time that the result is the same.
#
# **Read on.** [Apache Hamilton](https://hamilton.apache.org/) · [Prefect](https://docs.prefect.io/) ·
# [Luigi](https://luigi.readthedocs.io/) · [Snakemake](https://snakemake.readthedocs.io/) ·
# [graphlib](https://docs.python.org/3/library/graphlib.html) · back to the beginning: [0 · The question](00_start.ipynb)
