# %% [markdown]
# # 1 · Why orchestration: by hand, as a shell script, with Make
#
# Before you learn a platform, try to manage without one. You run the pipeline's steps by hand, put them into a shell script,
# and hand them to Make. Each way hurts somewhere, and each platform in this course is an answer to one of these pains.
#
# **You will be able to** say what an [orchestrator](GLOSSARY.md#orchestrator) does, what a script cannot do, and where
# Make stops.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
import shutil
import sys
import time
from pathlib import Path

import pandas as pd

from notebooks.course.environment import open_store
from notebooks.course.shell import LAB_MAKEFILE, read_rules, run_make, run_python, run_script

store = open_store("why", store)
shutil.rmtree(f"{store}/runs", ignore_errors=True)  # what an earlier reading of this lesson left

# %% [markdown]
# ## By hand
#
# Every step is a command, such as `python -m shared load_data tiny FOLDER`. It reads artifacts, writes one, and prints a
# summary as JSON. This cell runs the first step:

# %% tags=["slow"]
hand = f"{store}/runs/hand"
print(run_python("-m", "shared", "load_data", preset, f"{hand}/load_data", store=store))

# %% [markdown]
# The summary says where the artifact is (`uri`), how large the table is, and its `digest`: the SHA-256
# [checksum](GLOSSARY.md#checksum) of its content, the first piece of the fingerprint. From here on you have to remember
# what comes next, and where the previous result is. Get the place wrong, and this happens:

# %% tags=["slow"]
print(run_python("-m", "shared", "preprocess", preset, f"{hand}/loaded_data", f"{hand}/preprocess", store=store))

# %% [markdown]
# The step found no artifact in `loaded_data`, because the folder is called `load_data`. It stopped before it wrote
# anything.
#
# **What hurts:** you are the scheduler. You know the order, you wait, you notice failures, and nothing is written down.
#
# ## A shell script
#
# So write it down. `step` runs a step, and the lines below it say what to read and where to write. One of the paths has a
# typo. Find it before you read on.

# %% tags=["slow"]
script, folder = Path(store, "pipeline.sh"), f"{store}/runs/script"
script.write_text(
    f"""
step() {{ echo "$1"; "{sys.executable}" -m shared "$@" > /dev/null; }}
step load_data {preset} "{folder}/load_dat"
step preprocess {preset} "{folder}/load_data" "{folder}/preprocess"
echo done
""",
    encoding="utf-8",
)
broken = run_script(script, store)
broken

# %% [markdown]
# `preprocess` failed, as `error` says. Yet the script continued, printed *done*, and exited with status 0, which means
# success. Anything that checks only the status, such as cron or a CI server, would report a success. `set -e` makes a
# script stop at the first command that fails:

# %% tags=["slow"]
script.write_text("set -e\n" + script.read_text(encoding="utf-8"), encoding="utf-8")
stopped = run_script(script, store)
stopped

# %% [markdown]
# That is better: status 1, and no *done*. Now correct the path and run the script again. The script does not know what
# already exists, so it starts from the top. Nor does it know which steps could run in parallel.

# %% tags=["slow"]
script.write_text(script.read_text(encoding="utf-8").replace('load_dat"', 'load_data"'), encoding="utf-8")
corrected = run_script(script, store)
pd.DataFrame([broken, stopped, corrected], index=["with the mistake", "with set -e", "corrected"])

# %% [markdown]
# Compare the columns `status` and `error` in the first two rows: the same failure, reported as a success and as a failure.
# All three rows took about the same time, because every attempt loaded the data again.
#
# **What hurts:** order without reasons. A script says *what comes after what*; it does not say *what needs what*. So it can
# neither skip finished work nor do two things at once.
#
# ## Make: files, and what they are made from
#
# Make dates from 1976 and does what every orchestrator does: it knows what depends on what, runs independent steps in
# parallel, and skips finished work. On the left of the colon is the file to make, the [target](GLOSSARY.md#target); on the
# right is what it is made from, its [prerequisites](GLOSSARY.md#prerequisite); the indented lines say how. This is lab 0's
# rule for the baseline:

# %%
from notebooks.course.code import show_rule

show_rule(LAB_MAKEFILE, "$(BASELINE)")

# %% [markdown]
# `$(FEATURES)` is the table that `preprocess` wrote, `$(<D)` is the folder of the first prerequisite, and `$(@D)` is the
# folder of the target. Names are relative to the run's folder; `$$RUN` is its full name (`$$` gives the shell a `$`).
#
# ## Run it twice
#
# `run_make` types `make -j2` for you: at most two steps at a time. It returns the targets that Make made.

# %% tags=["slow"]
times = []
for attempt in ("first run", "second run"):
    begin = time.perf_counter()
    made = run_make(store, preset)
    times.append({"attempt": attempt, "seconds": round(time.perf_counter() - begin, 1), "made": ", ".join(made)})
pd.DataFrame(times)

# %% [markdown]
# The first run made every target. In the second run every file was newer than its prerequisites, so Make had nothing to
# do and was finished at once. Work that can be repeated without changing the result is called
# [idempotent](GLOSSARY.md#idempotent); that is why skipping it is safe.
#
# ## Look at it
#
# Make's database is the graph: targets and their prerequisites. `make -pq` prints it, and `read_rules` picks out the
# rules of the lab.

# %%
from notebooks.course.pictures import draw_graph

draw_graph(read_rules(), "What Make knows")

# %% [markdown]
# You see the graph of lesson 0, plus two boxes: `config`, a file with the configuration, so that Make notices when it
# changes; and `propose_trials`, the list of trials. The trials themselves are missing. Make has to know its targets before
# it starts, and how many trials there are is known only later.

# %% tags=["slow"] alt="A dot per file, from top to bottom in the order in which Make wrote them; the trials' files appear at almost the same time."
from notebooks.course.pictures import draw_ends

written = [
    (path.stat().st_mtime, path.parent.name if path.name == "manifest.json" else f"run_trial {path.stem}")
    for path in Path(store, "runs/make").rglob("*.json")
    if path.name == "manifest.json" or path.parent.name == "run_trial"
]
draw_ends(written, "Make: when each file was written")

# %% [markdown]
# Each dot is the time of a file, the only record that Make keeps. You can see when a step ended, but not when it started.
# The trials ended close together, because two of them ran at the same time.
#
# ## Break it
#
# Delete an artifact in the middle.

# %% tags=["slow"]
shutil.rmtree(f"{store}/runs/make/evaluate")
run_make(store, preset)

# %% [markdown]
# Make ran that step again, and the one that depends on it, but nothing before them. Now ask for data that does not exist.

# %% tags=["slow"]
from shared import config

run_make(store, config.preset(preset, data_folder="/nowhere").to_json())

# %% [markdown]
# Make stopped at the first step: the list names what it started, and the lines before it say what failed and why. It does
# not retry. If the network is down for a second at night, the run is over, and nobody is notified.

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(f"{store}/runs/make/deploy")["fingerprint"]

# %% [markdown]
# The artifact of the last good run is still there, and its model is the one from lesson 0, bit for bit. (Run Make now, and
# it makes everything again, because the configuration has changed.)
#
# ## What hurts, and what promises an answer
#
# | you want | by hand | script | Make | a platform |
# |---|---|---|---|---|
# | the right order | you | written down | from what needs what | from what needs what |
# | to skip finished work | you | no | by file times | Kubeflow, Dagster |
# | steps in parallel | no | no | one machine | many machines |
# | [retries](GLOSSARY.md#retry) | you | no | no | all four |
# | a run every morning at five | alarm clock | cron | cron | Airflow, Dagster, Modal |
# | to know what happened last Tuesday | - | - | - | Airflow, Dagster, Kubeflow |
#
# The last column is a promise. The next lessons hold the platforms to it.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `report.txt: a.json b.json` | the target `report.txt` is made from two prerequisites |
# | a line that starts with a tab | the command that makes the target |
# | `"\n"`, `"\t"` | in a Python string: a new line, a tab |
# | `above <= done` | for two sets: is everything in `above` also in `done`? |
# | `{name for name in names if …}` | the set of the names for which the condition holds |
#
# ## Exercise 1: a rule for Make
#
# Write a Makefile with a rule for `report.txt`. The file is made from `metrics.json` and `slices.json`, by the command
# `cat metrics.json slices.json > report.txt`. Keep the whole Makefile in `my_makefile`, as one string. Make insists on a tab
# before a command. When neither file has changed, Make has nothing to do.
#
# <details><summary>Hint</summary>A rule has two lines: target and prerequisites, then the command.</details>
# <details><summary>Bigger hint</summary>The string starts with <code>"report.txt: metrics.json slices.json\n\t…</code> and
# ends with a new line.</details>

# %% tags=["exercise"] points=1
# BEGIN SOLUTION
my_makefile = "report.txt: metrics.json slices.json\n\tcat metrics.json slices.json > report.txt\n"
# STUB
# my_makefile = None  # a string; write \n for a new line and \t for a tab
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.why import check

check(1)

# %% [markdown]
# ## Exercise 2: the heart of an orchestrator
#
# Write the function at the heart of every orchestrator: given the graph and the steps that are done, which steps can start
# now? `needs` maps each step to the set of steps that it needs; `done` is a set of names. Return a set.
#
# <details><summary>Hint</summary>A step can start if it is not done, and everything that it needs is done.</details>
# <details><summary>Bigger hint</summary>Go through <code>needs.items()</code>, and keep a name if it is not in
# <code>done</code> and its needs are a subset of <code>done</code>.</details>

# %% tags=["exercise"] points=2
from shared.graph import TRAINING

needs = {step.name: set(step.needs) for step in TRAINING}

# BEGIN SOLUTION


def ready(needs: dict[str, set[str]], done: set[str]) -> set[str]:
    """Return what is not done and has everything it needs."""
    return {name for name, above in needs.items() if name not in done and above <= done}


# STUB
#
# ready = None  # def ready(needs, done): ...
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.why import check

check(2)

# %% [markdown]
# ## To remember
#
# An orchestrator knows what needs what. From that it derives the order, the parallel work, and what to resume after a
# failure. Make does all three for files on one machine. It has no schedule, no retries, no history, and no second machine.
# And because it must know its targets before it starts, it has to call itself for the trials.
#
# **Read on.** [The lab](../module4/lab0_make/README.md) · [GNU make: rules](https://www.gnu.org/software/make/manual/html_node/Rules.html) ·
# next: [2 · Airflow](02_airflow.ipynb)
