# %% [markdown]
# # 8 · Choosing a platform, from this machine's own measurements
#
# Which platform is the best one? Nobody can say that, but everybody can measure. Each platform runs the same steps in a
# process of its own, from nothing; we measure from outside: wall time, time until the first step begins, and the peak memory
# of all its processes. And we compare fingerprints: what is compared does the same work.
#
# **You will be able to** measure what a platform costs, tell its own work from the steps' work, and choose by needs first and
# by costs second.
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
from module4.platforms import PLATFORMS, WORKSPACE
from shared import config

pd.options.display.max_colwidth = None  # show tables whole
store = store or str(WORKSPACE / "notebooks" / "choosing")
settings = config.preset(preset)

# %% [markdown]
# ## Run it
#
# The parameter `platforms` says which; for the decision at the end you want all of them. `make compare` measures all six in a
# terminal and leaves its table in `reports/`.

# %% tags=["slow"]
runs = []
for name in platforms.split(","):
    shutil.rmtree(f"{store}/{name}", ignore_errors=True)  # each starts from nothing: Make would find all its work done
    run = measured_run(name, settings, f"{store}/{name}", Path(store, f"{name}.log"))
    print(f"{PLATFORMS[name].title}: {run.seconds:.1f} s")
    runs.append(run)

# %% [markdown]
# ## Look at it
#
# Two runs of one platform differ by some percent, and by more if the machine does other things meanwhile. Look at the ratios,
# not at the digits. `startup_seconds` is the time until the first step begins.

# %% tags=["slow"]
rows = make_rows(runs)
pd.DataFrame(rows)[
    ["title", "mode", "status", "fingerprint", "seconds", "startup_seconds", "over_python_seconds", "peak_memory_mib"]
].assign(fingerprint=lambda table: table["fingerprint"].str[:12])

# %% tags=["slow"]
draw(rows)

# %% [markdown]
# Where does the time go? These are the same steps, on the clock of each platform. Gaps are the platform's own work: processes
# to start, records to write.

# %% tags=["slow"]
from IPython.display import display

from module4.timeline import bars_from_events, draw_timeline

for run in runs:
    display(draw_timeline(bars_from_events(run.events), PLATFORMS[run.platform].title))

# %% [markdown]
# One model, whatever ran it:

# %% tags=["slow"]
assert {row["status"] for row in rows} == {"ok"}, [row["status"] for row in rows]
sorted({row["fingerprint"] for row in rows})

# %% [markdown]
# ## Break it
#
# A comparison is worth nothing if a platform may cheat. Let one run do less work, a single trial, and it is faster, but the
# table says what differs:

# %% tags=["slow"]
lazy = measured_run("python", config.preset(preset, trials=1), f"{store}/lazy", Path(store, "lazy.log"))
pd.DataFrame(make_rows([runs[0], lazy]))[["title", "status", "seconds"]]

# %% [markdown]
# And one that fails is no zero in a chart; its step is named:

# %% tags=["slow"]
from shared.config import Fault

fault = Fault(step="train", kind="fail", state=f"{store}/faults")
shutil.rmtree(f"{store}/faults", ignore_errors=True)
failed = measured_run("python", config.preset(preset, fault=fault), f"{store}/failed", Path(store, "failed.log"))
print(failed.explain_failure().splitlines()[0])

# %% [markdown]
# ## Needs first
#
# Costs decide between platforms that can do what you need. Each entry below was met in a lesson, in a cell or an exercise.
# (Cron can start anything; here it counts who brings a schedule along. *Events*: something new starts what depends on it.
# *Backfill*: a day is something that the platform knows, and can make later.) An empty field means: not shown in this course.

# %%
CAN = {
    "python": set(),
    "make": {"skip what is done", "fan-out"},
    "airflow": {"schedule", "backfill", "events", "retries", "history", "fan-out"},
    "kubeflow": {"retries", "containers", "lineage", "skip what is done", "fan-out"},
    "dagster": {
        "schedule",
        "backfill",
        "events",
        "retries",
        "history",
        "checks",
        "lineage",
        "skip what is done",
        "fan-out",
    },
    "modal": {"schedule", "retries", "containers", "fan-out"},
}
pd.DataFrame(
    {name: {what: what in can for what in sorted(set.union(*CAN.values()))} for name, can in CAN.items()}
).replace({True: "yes", False: ""})

# %% [markdown]
# ## Exercise 1: what does a platform cost?
#
# Write `over_python(rows)`. It returns a dictionary from each platform that ended well (`status` is `"ok"`) to its `seconds`
# above plain Python's. `rows` are like those of the table above, in any order; plain Python's `platform` is `"python"`, and
# it is left out of the result.

# %% tags=["exercise"]
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
# Write `choose(rows, can, needs)`. It returns the name of the platform that can do everything in `needs` (a set), ended well,
# and is the fastest of these; or `None` if there is none. `can` is like `CAN` above.

# %% tags=["exercise"]
# BEGIN SOLUTION


def choose(rows: list[dict], can: dict[str, set[str]], needs: set[str]) -> str | None:
    """Return the fastest platform that can do what is needed."""
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None


# STUB
# choose = None  # def choose(rows, can, needs): ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.choosing import check

check(2)

# %% [markdown]
# ## To remember
#
# The platform does not change the model. It changes what happens around it: how long a step takes to start, what is
# remembered, what is tried again, and where it may run. Begin with what you need, then measure what it costs, on your own
# machine and with your own steps: seconds of overhead matter for a step of seconds, and not for one of hours.
#
# **Read on.** [Airflow](https://airflow.apache.org/docs/) ·
# [Kubeflow Pipelines](https://www.kubeflow.org/docs/components/pipelines/) · [Dagster](https://docs.dagster.io/) ·
# [Modal](https://modal.com/docs) · back to the beginning: [0 · The question](00_start.ipynb)
