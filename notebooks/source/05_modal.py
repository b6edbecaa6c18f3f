# %% [markdown]
# # 5 · Modal: functions in the cloud
#
# On Modal you write a program, and some of its functions run in the cloud. There is no graph to declare and no scheduler to
# operate. Each call runs in a [container](GLOSSARY.md#container) that Modal starts for it, and you pay by the second. In this
# lesson you run the pipeline as a Modal program, deploy an app and call it by its name, see what a container lacks, and write
# three apps yourself.
#
# The cloud needs an account. Here the real `modal` command talks to a small
# [control plane](GLOSSARY.md#control-plane) on your machine instead, which starts a process in place of each container.
#
# **You will be able to** say what a function needs (packages, processors, time, retries), run an app, deploy one and call it
# by its name, and explain what a container sees and what it does not.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
import json
import time
from pathlib import Path

import modal
import pandas as pd

from module4.lab4_modal import training
from notebooks.course.environment import open_store
from notebooks.course.shell import deploy_and_call, print_lines, run_modal_without_account, run_on_local_modal
from shared import config

store = open_store("modal", store)
Path(store).mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## A function
#
# An [app](GLOSSARY.md#app) is a group of functions. The decorator `@app.function` adds a function to it and says what one
# call of it needs. The function itself stays plain Python. Here is one of the lab's functions:

# %%
from notebooks.course.code import show_function

show_function(training, "train")

# %% [markdown]
# One call of `train` asks for four processors, may take half an hour (1800 seconds), and is retried if it fails. Inside,
# there is the same step as in the lessons before. `synced_volume` is explained below.
#
# Modal knows what each function asked for. Its own `info()` says so:

# %%
functions = {name: value for name, value in vars(training).items() if isinstance(value, modal.Function)}
pd.DataFrame(
    [
        {
            "function": name,
            "processors": function.info().cpu or "",
            "seconds allowed": function.info().timeout,
            "retries": function.info().max_retries or 0,
            "mounted": ", ".join(f"{disk.name} at {path}" for path, disk in function.info().volumes.items()),
        }
        for name, function in functions.items()
    ]
)

# %% [markdown]
# One row per function. Only the functions that fit models ask for processors. `propose_trials` allows 300 seconds, although
# its decorator says nothing about time: that is Modal's default. The last column is the app's
# [Volume](GLOSSARY.md#volume), the disk that its containers share, and where they find it.
#
# ## The calls are the graph
#
# A pipeline on Modal is a function that calls functions:

# %%
show_function(training, "run_pipeline")

# %% [markdown]
# `.remote()` calls a function in a container and waits for its result. So each line waits for the one above it, and passes on
# what that returned: an artifact's URI, never the artifact. Modal sees one call after the other. It has no picture of the
# pipeline before it runs, and nobody but this function knows what comes next.
#
# ## Run it
#
# `modal run` starts the app, calls its [local entrypoint](GLOSSARY.md#local-entrypoint) (a function that runs on your machine),
# and stops the app. `run_on_local_modal` runs the command with the control plane in place of the cloud. `--volume` says which
# folder is the Volume, and `PIPELINE_EVENTS` is the file in which every step notes when it began and ended.

# %% tags=["slow"]
events_file, result_file = Path(store, "events.jsonl"), Path(store, "run.json")
events_file.unlink(missing_ok=True)
config_json = config.preset(preset).to_json()
command = ["modal", "run", "-q", "-m", "module4.lab4_modal.training"]
command += ["--config-json", config_json, "--result", str(result_file)]

begin = time.perf_counter()
lines = run_on_local_modal(
    command, f"--volume=training-store={store}", "--pass-env=PIPELINE_EVENTS", PIPELINE_EVENTS=str(events_file)
)
seconds = time.perf_counter() - begin
print(*lines, sep="\n")

# %% [markdown]
# First comes what the entrypoint printed on your machine: the model's version, what the quality gate checked, and the
# fingerprint. The lines that begin with `infra.modal_local` come from the control plane. It says what it is, and what the
# functions asked for but do not get here; in the cloud, `train` would get its four processors.
#
# ## Look at it
#
# The entrypoint wrote down what the last call, `deploy`, returned:

# %% tags=["slow"]
deployment = json.loads(result_file.read_text(encoding="utf-8"))
returned = {name: deployment[name] for name in ("uri", "version", "in_production", "fingerprint")}
pd.Series({"seconds": round(seconds, 1), **returned}, name="deploy").to_frame()

# %% [markdown]
# The URI begins with `/store`. That is where the containers find the Volume; on your machine, the same files are in the
# lesson's store. This is when each step ran:

# %% tags=["slow"] alt="A bar per step on a clock: the trials' bars begin together, the other steps follow one another."
from module4.timeline import bars_from_events, draw_timeline

events = [json.loads(line) for line in events_file.read_text(encoding="utf-8").splitlines()]
draw_timeline(bars_from_events(events), "Modal: steps")

# %% tags=["slow"]
f"{len(bars_from_events(events))} steps in {len({event['pid'] for event in events})} containers"

# %% [markdown]
# Look at the gaps between the bars. In each of them a new container starts Python and imports pandas and scikit-learn: a
# [cold start](GLOSSARY.md#cold-start). The trials were called with `.map()`, which calls a function once per item, all at the
# same time. How many of them really overlap depends on how many processors your machine has.
#
# The model is the one from lesson 0, bit for bit:

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(deployment["uri"].replace("/store", store, 1))["fingerprint"]

# %% [markdown]
# ## Deploy it: an app that stays
#
# An app that was started by `modal run` ends with the command. `modal deploy` leaves the app in the cloud, where two parties
# call it: any program that knows its name, and Modal's own clock. Here is a small app with a disk:

# %%
morning = Path(store, "morning.py")
_ = morning.write_text(
    """
import os
import modal

app = modal.App("morning", image=modal.Image.debian_slim(python_version="3.12"))
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@app.function(volumes={"/forecasts": disk})
def write(name, commit=True):
    with open(f"/forecasts/{name}", "w") as file:
        file.write("some flights will be late")
    if commit:
        disk.commit()
    return name


@app.function(volumes={"/forecasts": disk})
def look(beginning):
    disk.reload()
    return sorted(name for name in os.listdir("/forecasts") if name.startswith(beginning))


@app.function(volumes={"/forecasts": disk}, schedule=modal.Cron("30 5 * * *"))
def every_morning():
    number = len(look.local("morning")) + 1
    write.local(f"morning-{number}")
""",
    encoding="utf-8",
)

# %% [markdown]
# `every_morning` has a schedule: [cron](GLOSSARY.md#cron) for 5:30 every day. It calls the other two with `.local()`, which is
# a plain Python call in the same container.
#
# The program below does not contain these functions. It looks them up by the app's name. `.spawn()` starts a call without
# waiting for it, and `.get()` collects the result later. `deploy_and_call` deploys the app and then runs this program.

# %% tags=["slow"]
caller = Path(store, "caller.py")
caller.write_text(
    """
import time
import modal

write = modal.Function.from_name("morning", "write")
look = modal.Function.from_name("morning", "look")

call = write.spawn("2013-07-08", commit=False)
print("spawned", call.object_id[:2] + "-…, which returns", call.get())
print("another container sees", look.remote("2013"))
write.remote("2013-07-09")
print("another container sees", look.remote("2013"))
time.sleep(6)
print("called by the clock:", look.remote("morning"))
""",
    encoding="utf-8",
)
lines = deploy_and_call(morning, caller, "--speed=28800", "--containers=4")
print_lines(lines, "spawned", "another", "called")

# %% [markdown]
# Read the lines from top to bottom.
#
# - The call got an id, so that any program can ask for its result, even tomorrow.
# - The second line does not show the file that was written. Every container has its own view of the Volume: others see what it
#   wrote only after `commit()`, and only after their own `reload()`. (In the cloud, Modal also commits every few seconds and
#   when a container ends.) In the lab, `synced_volume` reloads before a step and commits after it.
# - The third line shows both files. The second call ran in the same container as the first one, and its `commit()` published
#   everything that the container had written.
# - The last line lists what the clock's calls wrote. The control plane's clock ran 28,800 times too fast, so that a day took
#   three seconds.
#
# ## Break it
#
# A container has only what its [image](GLOSSARY.md#image) contains. This app has two functions that import our code, but adds
# the code to the image of only one of them:

# %%
forgetful = Path(store, "forgetful.py")
forgetful.write_text(
    """
import modal

image = modal.Image.debian_slim(python_version="3.12")
app = modal.App("forgetful", image=image)


@app.function()
def trials():
    from shared.config import preset

    return preset("tiny").trials


@app.function(image=image.add_local_python_source("shared"))
def trials_with_the_code():
    return trials.local()


@app.local_entrypoint()
def main():
    print("on this machine:", trials.local())
    print("in a container with the code:", trials_with_the_code.remote())
    print("in a container:", trials.remote())
""",
    encoding="utf-8",
)
lines = run_on_local_modal(["modal", "run", "-q", str(forgetful)])
print_lines(lines, "on this", "in a", "ModuleNotFoundError")

# %% [markdown]
# On your machine the function works, and so it does in the container whose image has the code. In the other container,
# `shared` is missing. This is the most common mistake with Modal, and no test on your machine finds it: `.local()` runs where
# the code is. One method repairs it, `add_local_python_source`, which copies a package into each container as it starts.
#
# And what happens without an account and without the control plane?

# %%
lines = run_modal_without_account(Path(store), "run", str(forgetful))
print_lines(lines, "Token", "Error: Token")

# %% [markdown]
# The command stops with a sentence before anything runs.
#
# `make lab-modal` runs the training from the command line. `make run PLATFORM=modal BREAK=train:kill` kills a container in
# the middle of its work, and the run survives it.
#
# ## Check your understanding
#
# {{questions}}

# %% [markdown]
# ## Syntax for the exercises
#
# | you write | it means |
# |---|---|
# | `@my_app.function(…)` | this function belongs to `my_app`; the parentheses are needed even if they are empty |
# | `cpu=4` | four processors for each container |
# | `timeout=1800` | a call that takes longer than 1800 seconds is stopped and counts as failed |
# | `retries=2` | a failed call is retried up to two times |
# | `modal.Retries(max_retries=2, initial_delay=1.0, backoff_coefficient=2.0)` | the same, with pauses of 1 and 2 seconds |
# | `schedule=modal.Cron("30 6 * * 1")` | once deployed, Modal calls it on Mondays at 06:30 UTC; `timezone=` changes the zone |
# | `schedule=modal.Period(hours=6)` | every six hours, counted from the deployment |
# | `modal.Volume.from_name("models", create_if_missing=True)` | the Volume with this name |
# | `volumes={"/models": volume}` | the container finds the Volume at `/models` |
# | `work.remote(3)` | call `work` in a container and wait for the result |
# | `work.map([3, 4])` | call it once per item, in parallel; the calls start when you ask for the results |
# | `work.spawn(3)`, `.get()` | start a call; collect its result later |
# | `work.local(3)` | a plain Python call, right here |
# | `@app.local_entrypoint()` | `modal run` starts here, on your machine |
#
# ## Exercise 1: what a function needs
#
# Write a function `forecast(day)` of `my_app`. It gets 2 processors. A call is stopped after five minutes, and a failed call
# is retried up to three times. Write all three down, also where Modal's default happens to be the same today: what your
# function needs should not change when a default does. What it returns is up to you.
#
# <details><summary>Hint</summary>Everything goes into the parentheses of <code>@my_app.function(…)</code>. Modal counts in
# seconds.</details>
# <details><summary>Bigger hint</summary>The arguments are <code>cpu</code>, <code>timeout</code>, and <code>retries</code>. Retries
# do not include the first attempt.</details>

# %% tags=["exercise"] points=1
my_app = modal.App("forecast", image=modal.Image.debian_slim(python_version="3.12"))

# BEGIN SOLUTION


@my_app.function(cpu=2, timeout=300, retries=3)
def forecast(day: str) -> str:
    """Say what will be."""
    return f"{day}: late"


# STUB
#
# forecast = None  # a function of my_app
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.modal import check

check(1)

# %% [markdown]
# ## Exercise 2: every morning, with a disk
#
# Write a function `nightly` of `my_app` that Modal calls every day at 05:00. (Leave the schedule's time zone at UTC, or choose
# one; it is 05:00 there that counts.) Its container finds the Volume `forecasts` at `/forecasts`, and can write to it. A
# scheduled function is called without arguments; what yours does is up to you.
#
# <details><summary>Hint</summary>Two arguments of the decorator: one says when, one says which disk is where.</details>
# <details><summary>Bigger hint</summary>Give <code>schedule</code> a <code>modal.Cron</code> whose last three fields are
# <code>* * *</code>, and give <code>volumes</code> a dictionary from the path to the Volume.</details>

# %% tags=["exercise"] points=1
# BEGIN SOLUTION
volume = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts": volume})
def nightly() -> None:
    """Forecast the day."""


# STUB
# nightly = None  # a function of my_app
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.modal import check

check(2)

# %% [markdown]
# ## Exercise 3: all at once
#
# `one_after_the_other` is the text of an app, a Python file. It scores three airports and prints the sum of the scores, but it
# calls one after the other. Write the text of an app that calls all three *at the same time*, each in its own container, and
# prints the sum of what the calls returned. Leave `score` as it is. The check runs your app with the real `modal run` on this
# machine, with other airports in place of these, and looks at when each call began.
#
# <details><summary>Hint</summary><code>.remote()</code> waits for the result before the loop continues. Which method takes a
# whole list?</details>
# <details><summary>Bigger hint</summary><code>sum(…)</code> accepts anything that you can loop over, also what
# <code>score.map(…)</code> returns.</details>

# %% tags=["exercise"] points=2
# BEGIN SOLUTION
my_file = """
import time
import modal

app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))


@app.function()
def score(airport):
    begin = time.time()
    time.sleep(2)
    print("span", begin, time.time())
    return len(airport)


@app.local_entrypoint()
def main():
    print("sum", sum(score.map(["EWR", "JFK", "LGA"])))
"""
# STUB
# one_after_the_other = """
# import time
# import modal
#
# app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))
#
#
# @app.function()
# def score(airport):
#     begin = time.time()
#     time.sleep(2)
#     print("span", begin, time.time())
#     return len(airport)
#
#
# @app.local_entrypoint()
# def main():
#     print("sum", sum(score.remote(airport) for airport in ["EWR", "JFK", "LGA"]))
# """
#
# my_file = None  # the same text with another main
# END SOLUTION

# %% tags=["check"]
from notebooks.checks.modal import check

check(3)

# %% [markdown]
# ## To remember
#
# On Modal you write a program, not a graph. A call starts a container, and you pay until it stops. Modal brings machines,
# retries, and a clock; what runs after what, and what is recorded, is up to your program. A container has nothing but its
# image, its Volumes, and its arguments, and others see what it wrote once it has been committed.
#
# **Read on.** [The lab](../module4/lab4_modal/README.md) · [Images](https://modal.com/docs/guide/images) ·
# [Volumes](https://modal.com/docs/guide/volumes) · [Scaling out](https://modal.com/docs/guide/scale) ·
# [Calling deployed functions](https://modal.com/docs/guide/trigger-deployed-functions) ·
# [Schedules](https://modal.com/docs/guide/cron) ·
# next: [6 · Tracking and lineage](06_tracking.ipynb)
