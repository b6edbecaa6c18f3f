# %% [markdown]
# # 1 · Why orchestration: by hand, as a shell script, with Make
#
# Before you learn a platform, do without. You run the pipeline's steps by hand, write them into a shell script, and give
# them to Make. Each way hurts somewhere, and each platform in this course is an answer to one of these pains.
#
# **You will be able to** say what an orchestrator does, what a script does not do, and what Make does and does not do.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from module4.platforms import ROOT, WORKSPACE

pd.options.display.max_colwidth = None  # show tables whole
store = store or str(WORKSPACE / "notebooks" / "why")
os.environ["CONFIG"] = preset
os.environ["OMP_NUM_THREADS"] = "1"  # Make will run two steps at a time, and each gets a core
shutil.rmtree(f"{store}/runs", ignore_errors=True)  # whatever an earlier reading of this lesson left

# %% [markdown]
# ## By hand
#
# Every step is a command, such as `python -m shared load_data tiny FOLDER`. It reads artifacts, writes one, and prints a
# summary as JSON. This runs the first step:


# %% tags=["slow"]
def command(*words: str) -> None:
    """Run a step in a process of its own, as you would in a terminal, and print what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "shared", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(shown(done.stdout or done.stderr))


def shown(text: str) -> str:
    """Return a text with the folders of this lesson named from its store on: the rest is long, and differs for you."""
    return text.replace(f"{store}/", "").strip()


hand = f"{store}/runs/hand"
command("load_data", preset, f"{hand}/load_data")

# %% [markdown]
# (`digest` is the SHA-256 of the table's content: the first piece of the fingerprint.) Now you have to remember what comes
# next, and where the result of the last step lies. Mistake the place, and:

# %% tags=["slow"]
command("preprocess", preset, f"{hand}/loaded_data", f"{hand}/preprocess")

# %% [markdown]
# **What hurts:** you are the scheduler. You know the order, you wait, you notice what failed, and nobody wrote it down.
#
# ## A shell script
#
# So write it down: `step` runs a step, and the lines below call it with what to read and where to write. One of the paths
# has a typing mistake; find it before you read on.

# %% tags=["slow"]
script, folder = Path(store, "pipeline.sh"), f"{store}/runs/script"
script.write_text(f"""
step() {{ echo "$1"; "{sys.executable}" -m shared "$@" > /dev/null; }}
step load_data {preset} "{folder}/load_dat"
step preprocess {preset} "{folder}/load_data" "{folder}/preprocess"
echo done
""")


def run_script() -> dict[str, object]:
    """Run the script; return how it ended."""
    begin = time.perf_counter()
    done = subprocess.run(["sh", str(script)], cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = round(time.perf_counter() - begin, 1)
    error = " ".join(line for line in shown(done.stderr).splitlines() if line.startswith("error"))
    return {"status": done.returncode, "seconds": seconds, "printed": " ".join(done.stdout.split()), "error": error}


broken = run_script()
broken

# %% [markdown]
# `preprocess` failed, the script went on, printed *done*, and ended with status 0, which means success. Nobody who looks at
# the status would notice. `set -e` stops a script at the first command that fails:

# %% tags=["slow"]
script.write_text("set -e\n" + script.read_text())
stopped = run_script()
stopped

# %% [markdown]
# Better. Correct the path and run it again. The script does not know that anything is there already: it starts from
# the top. And it has no idea which steps could run side by side.

# %% tags=["slow"]
script.write_text(script.read_text().replace('load_dat"', 'load_data"'))
corrected = run_script()
pd.DataFrame([broken, stopped, corrected], index=["with the mistake", "with set -e", "corrected"])

# %% [markdown]
# **What hurts:** order without reasons. A script says *what comes after what*; it does not say *what needs what*. So it can
# neither leave out what is done nor do two things at once.
#
# ## Make: files, and what they are made from
#
# Make is from 1976 and does what every orchestrator does: it knows what depends on what, runs what can run side by side,
# and does not do again what is done. Left of the colon stands the file to make, the *target*, right of it what it is made
# from, its *prerequisites*, below it how. In the rule for the baseline, `$(FEATURES)` is the table that `preprocess` wrote,
# `$(<D)` its folder, and `$(@D)` the folder to write to.

# %%
makefile = (ROOT / "module4/lab0_make/Makefile").read_text()
print(makefile[makefile.index("$(BASELINE):") : makefile.index("# One line per trial")])


# %%
def make(*arguments: str) -> list[str]:
    """Run the lab's Makefile and return the targets that it made."""
    words = ["make", "-j2", "-f", "module4/lab0_make/Makefile", f"STORE={store}", f"PYTHON={sys.executable}"]
    done = subprocess.run([*words, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(*shown(done.stderr).splitlines()[-2:], sep="\n")
    prefix, lines = f"{store}/runs/make/", done.stdout.splitlines()
    return [line.removeprefix(prefix).removesuffix("/manifest.json") for line in lines if line.startswith(prefix)]


# %% [markdown]
# ## Run it twice
#
# The second time every file is newer than what it is made from, and Make has nothing to do.

# %% tags=["slow"]
times = []
for attempt in ("first run", "second run"):
    begin = time.perf_counter()
    made = make()
    times.append({"attempt": attempt, "seconds": round(time.perf_counter() - begin, 1), "made": ", ".join(made)})
pd.DataFrame(times)

# %% [markdown]
# ## Look at it
#
# Make's database is the graph: targets and their prerequisites. `make -pq` prints it.

# %%
import re

from notebooks.course.pictures import draw_graph


def rules(makefile: str, *variables: str) -> dict[str, list[str]]:
    """Return each target that Make knows, with its prerequisites."""
    words = ["make", "-pq", "-f", makefile, "FORCE", *variables]
    database = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return {
        target.partition("/")[0]: [name.partition("/")[0] for name in needs.split() if name != "FORCE"]
        for target, needs in re.findall(r"^(\S+): (.+)$", database.replace("RUNS/runs/make/", ""), re.MULTILINE)
        if "/manifest.json" in target or target in ("propose_trials", "config")
    }


draw_graph(rules("module4/lab0_make/Makefile", "STORE=RUNS"), "What Make knows")

# %% [markdown]
# A file's time is all the record that Make keeps. It is enough for a picture of when each step ended; when it began, nobody
# noted.

# %% tags=["slow"]
from notebooks.course.pictures import draw_ends

written = [
    (path.stat().st_mtime, path.parent.name if path.name == "manifest.json" else f"run_trial {path.stem}")
    for path in Path(store, "runs/make").rglob("*.json")
    if path.name == "manifest.json" or path.parent.name == "run_trial"
]
draw_ends(written, "Make: when each file was written")

# %% [markdown]
# ## Break it
#
# Lose an artifact in the middle. Make runs that step again, and those that follow from it; nothing before.

# %% tags=["slow"]
shutil.rmtree(f"{store}/runs/make/evaluate")
make()

# %% [markdown]
# Now ask for data that is not there. Make stops at the first step and names it. It does not try again: a network that was
# down for a second ends the run, at night too, and nobody is told.

# %% tags=["slow"]
from shared import config

os.environ["CONFIG"] = config.preset(preset, data_folder="/nowhere").to_json()
print(make())
os.environ["CONFIG"] = preset

# %% [markdown]
# The model is the one of lesson 0, bit for bit. (Make would make everything again now, because the configuration changed
# twice; the artifact of the last good run is still there.)

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(f"{store}/runs/make/deploy")["fingerprint"]

# %% [markdown]
# ## What hurts, and who promises an answer
#
# The next lessons hold the platforms to the last column.
#
# | you want | by hand | script | Make | a platform |
# |---|---|---|---|---|
# | the right order | you | written down | from what needs what | from what needs what |
# | leave out what is done | you | no | by files' times | Kubeflow, Dagster |
# | run side by side | no | no | one machine | many machines |
# | try again | you | no | no | all four |
# | every morning at five | alarm clock | cron | cron | Airflow, Dagster, Modal |
# | what happened last Tuesday? | - | - | - | Airflow, Dagster, Kubeflow |
#
# ## Exercise 1: a rule for Make
#
# Write a Makefile with a rule for `report.txt`. It is made from `metrics.json` and `slices.json`, by the command
# `cat metrics.json slices.json > report.txt`. Make insists on a tab before a command.

# %% tags=["exercise"]
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
# Write the function that every orchestrator has inside: given the graph and the steps that are done, which steps can start
# now? `needs` says for each step what it needs; `done` is a set of names. Return a set.

# %% tags=["exercise"]
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
# An orchestrator knows what needs what. From that it gets order, parallel work and resuming. Make has all three, for files
# on one machine. It has no schedule, no retries, no history and no other machine; and it must know its targets before it
# starts, so for the trials it has to call itself.
#
# **Read on.** [The lab](../module4/lab0_make/README.md) · [GNU make: rules](https://www.gnu.org/software/make/manual/html_node/Rules.html) ·
# next: [2 · Airflow](02_airflow.ipynb)
