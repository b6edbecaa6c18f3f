# %% [markdown]
# # 8 · Choosing a platform, by measuring on your own machine
#
# Which platform is the best? Nobody can say in general, but everybody can measure. In this lesson each platform runs the same
# steps in a separate process and starts from nothing. You measure from the outside: the wall time, the time until the first
# step begins, and the peak memory of all processes together. You also compare [fingerprints](GLOSSARY.md#fingerprint), because
# a comparison is fair only if everyone does the same work.
#
# **You will be able to** measure what a platform costs, separate the platform's work from the steps' work, and choose by what
# you need first and by what it costs second.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""
platforms = "python,dagster"  # all: python,make,airflow,kubeflow,dagster,modal takes about two minutes

# %%
# %matplotlib inline
import shutil
from pathlib import Path

import pandas as pd

from module4.compare import draw, make_rows
from module4.measure import measured_run
from module4.platforms import PLATFORMS
from notebooks.course.environment import open_store
from shared import config

store = open_store("choosing", store)
settings = config.preset(preset)

# %% [markdown]
# ## Run it
#
# The parameter `platforms` says which platforms to measure. For the decision at the end you will want all of them. In a
# terminal, `make compare` measures all six and writes its table to `reports/`.

# %% tags=["slow"]
runs = []
for name in platforms.split(","):
    shutil.rmtree(f"{store}/{name}", ignore_errors=True)  # start from nothing, or Make would have nothing left to do
    run = measured_run(name, settings, f"{store}/{name}", Path(store, f"{name}.log"))
    print(f"{PLATFORMS[name].title}: {run.seconds:.1f} s")
    runs.append(run)

# %% [markdown]
# There is one line per platform, with the wall time of the whole run.
#
# ## Look at it
#
# In the table, `startup_seconds` is the time until the first step begins, and `over_python_seconds` is the difference from
# plain Python.

# %% tags=["slow"]
rows = make_rows(runs)
pd.DataFrame(rows)[
    ["title", "mode", "status", "fingerprint", "seconds", "startup_seconds", "over_python_seconds", "peak_memory_mib"]
].assign(fingerprint=lambda table: table["fingerprint"].str[:12])

# %% [markdown]
# Each row is one run. First look at `status` and `fingerprint`: only when all runs are *ok* may you compare their costs. Then
# look at the ratios, not at the digits. Two runs on the same platform differ by a few percent, and by more if the machine is
# busy.

# %% tags=["slow"] alt="Two bar charts with numbers on the bars: per platform the wall time, with the part before the first step in another color, and the peak memory."
draw(rows)

# %% [markdown]
# The bars on the left show the wall time: orange until the first step begins, blue from then on. The bars on the right show the
# peak memory. Compare the lengths of the orange parts: that is what you pay before any work is done.
#
# How does your machine compare? This course keeps one benchmark as its reference. It ran the preset *lab*, which fits larger
# models; what a platform adds hardly depends on that.

# %% tags=["slow"]
from module4.benchmark.reference import beside, reference

about = reference()["machine"]
print(f"reference: {about['cores']} cores of {about['processor']}; here: seconds over plain Python too")
pd.DataFrame(beside({row["platform"]: row["over_python_seconds"] for row in rows}))

# %% [markdown]
# Each row shows one platform, with the seconds that it adds to plain Python. [CHOOSING.md](../module4/CHOOSING.md) has the whole
# reference, and says where these seconds come from.
#
# Where does the rest of the time go? The next pictures show the steps of each run on a clock.

# %% tags=["slow"] alt="For each platform, a bar per step on a clock, with the seconds beside it."
from IPython.display import display

from module4.timeline import bars_from_events, draw_timeline

for run in runs:
    display(draw_timeline(bars_from_events(run.events), PLATFORMS[run.platform].title))

# %% [markdown]
# The bars are the steps, and the gaps are everything around them: loading libraries, reading and writing artifacts, starting
# processes, and keeping records. Even plain Python has gaps. The steps are the same functions everywhere, so compare the gaps
# to see what a platform adds.
#
# Did all platforms make the same model?

# %% tags=["slow"]
assert {row["status"] for row in rows} == {"ok"}, [row["status"] for row in rows]
sorted({row["fingerprint"] for row in rows})

# %% [markdown]
# The list has a single entry: there is one model, no matter which platform ran the pipeline.
#
# ## Break it
#
# A comparison is worthless if a platform can cheat. Let one run do less work, with a single trial:

# %% tags=["slow"]
lazy = measured_run("python", config.preset(preset, trials=1), f"{store}/lazy", Path(store, "lazy.log"))
pd.DataFrame(make_rows([runs[0], lazy]))[["title", "status", "seconds"]]

# %% [markdown]
# The second run did less work, so its time means nothing. Its status gives it away: it names the parts of the fingerprint that
# differ.
#
# And what about a run that fails?

# %% tags=["slow"]
from shared.config import Fault

fault = Fault(step="train", kind="fail", state=f"{store}/faults")
shutil.rmtree(f"{store}/faults", ignore_errors=True)
failed = measured_run("python", config.preset(preset, fault=fault), f"{store}/failed", Path(store, "failed.log"))
print(failed.explain_failure().splitlines()[0])

# %% [markdown]
# A failed run does not appear as zero seconds in a chart. It is reported as failed, with the name of the step.
#
# ## Needs first
#
# Cost matters only among the platforms that can do what you need. Each entry below appeared in a lesson, either in a cell or in
# an exercise. An entry counts only if the platform itself provides it: cron can start anything, but *schedule* means that the
# platform comes with a scheduler. *Events* means that something new starts whatever depends on it. *Backfill* means that the
# platform knows days and can run a past one later.

# %%
from module4.benchmark.capabilities import capabilities

CAN = {name: set(shown) for name, shown in capabilities().items()}
pd.DataFrame(
    {name: {what: what in can for what in sorted(set.union(*CAN.values()))} for name, can in CAN.items()}
).replace({True: "yes", False: ""})

# %% [markdown]
# Read the table by rows: pick the rows that you need, and look for a column with "yes" in all of them. An empty cell means only
# that this course has not shown it.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `row["platform"]` | the value in this column of a row; `rows` is a list of dictionaries |
# | `{row["a"]: row["b"] for row in rows if …}` | a dictionary with one entry for each row that meets the condition |
# | `[row for row in rows if …]` | the rows that meet the condition |
# | `needs <= can["modal"]` | for sets: is everything in `needs` also in the other set? |
# | `min(rows, key=lambda row: row["seconds"])` | the row with the smallest value; an error if there are no rows |
#
# ## Exercise 1: what does a platform cost?
#
# Write `over_python(rows)`. It returns a dictionary with an entry for each platform that ended well (its `status` is `"ok"`):
# the key is its `platform`, and the value is how many `seconds` more it took than plain Python. A platform that was faster
# than plain Python gets a negative number. Rounding to tenths of a second is fine. `rows` has the columns of the table above, in
# any order of rows. The `platform` of plain Python is `"python"`; it always ended well, and it does not appear in the result.
#
# <details><summary>Hint</summary>Find the seconds of plain Python first, by its name. Then go through the other
# rows.</details>
# <details><summary>Bigger hint</summary>Make a dictionary from <code>platform</code> to <code>seconds</code> of all rows whose
# <code>status</code> is <code>"ok"</code>. Take plain Python out with <code>.pop("python")</code>, and subtract it from
# every value that remains.</details>

# %% tags=["exercise"] points=1
# BEGIN SOLUTION


def over_python(rows: list[dict]) -> dict[str, float]:
    """Return the seconds that each platform takes above plain Python."""
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}


# STUB
#
# over_python = None  # def over_python(rows): ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.choosing import check

check(1)

# %% [markdown]
# ## Exercise 2: choose
#
# Write `choose(rows, can, needs)`. Among the platforms that ended well (`status` is `"ok"`) and can do everything in `needs` (a
# set), it returns the name (`platform`) of the fastest, the one with the fewest `seconds`. If there is none, it returns `None`.
# `can` has the form of `CAN` above. Plain Python is a platform like any other here.
#
# <details><summary>Hint</summary>First keep the rows that qualify. Then look for the fastest, unless there are
# none.</details>
# <details><summary>Bigger hint</summary>A row qualifies if <code>row["status"] == "ok"</code> and
# <code>needs &lt;= can[row["platform"]]</code>. Use <code>min</code> with a <code>key</code>, and return
# <code>None</code> for an empty list.</details>

# %% tags=["exercise"] points=2
# BEGIN SOLUTION


def choose(rows: list[dict], can: dict[str, set[str]], needs: set[str]) -> str | None:
    """Return the fastest platform that can do everything in `needs`."""
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None


# STUB
# choose = None  # def choose(rows, can, needs): ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.choosing import check

check(2)

# %% [markdown]
# ## Exercise 3: six cases
#
# Each case below needs something. Write `CASES`, a dictionary from the case's letter to a platform of `CAN` (`"python"`,
# `"make"`, `"airflow"`, `"kubeflow"`, `"dagster"` or `"modal"`). Several answers can be right; the check says what speaks for
# yours or against it.
#
# | case | what is asked for |
# |---|---|
# | `"a"` | A report of three steps, made by hand twice a month on one laptop. What is already done must not run again. |
# | `"b"` | A report every night, for the day before. After an outage, the missed nights must be made up for. |
# | `"c"` | 10,000 trials once a week on machines that you do not own, and nothing to pay for in between. |
# | `"d"` | A regulated bank that runs everything on its own Kubernetes, each step in a container, and must prove which data made which model. |
# | `"e"` | Tables that many people use. Bad data must stop the run, and everybody wants to see what was made from what. |
# | `"f"` | A script of a student, run once, on one machine. It must start as fast as possible. |
#
# <details><summary>Hint</summary>Write down what each case needs in the words of the table of needs. Then look for the columns
# that have all of it.</details>

# %% tags=["exercise"]
# BEGIN SOLUTION

CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# STUB
# CASES = None  # {"a": "…", "b": "…", …}
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.choosing import check

check(3)

# %% [markdown]
# ## Now your own
#
# Choose one thing that matters in your project: how long a task waits, how fast trials run in parallel, what happens after a
# crash. Measure it on your machine with one part of the benchmark, such as `make benchmark ONLY=tasks QUICK=1`, and read your
# table in `reports/` beside the one in [CHOOSING.md](../module4/CHOOSING.md). Then write two sentences: what you need, and which
# platform you take because of what you measured.
#
# ## To remember
#
# The platform does not change the model. It changes what happens around it: how long a step takes to start, what is recorded,
# what is retried, and where the steps can run. Start with what you need. Then measure what it costs, on your own machine and
# with your own steps: a few seconds of overhead matter for a step that takes seconds, but not for one that takes hours.
#
# **Read on.** [Airflow](https://airflow.apache.org/docs/) ·
# [Kubeflow Pipelines](https://www.kubeflow.org/docs/components/pipelines/) · [Dagster](https://docs.dagster.io/) ·
# [Modal](https://modal.com/docs) · next: [9 · A fifth platform](09_platform.ipynb)
