# %% [markdown]
# # 5 · Modal: functions in the cloud
#
# Modal has no graph and no scheduler to look after: a program calls functions, and each call runs in a container that Modal
# starts. `.remote()` calls one there, `.map()` many at the same time. That needs an account. Here the real `modal` command
# talks to a small control plane on this machine instead, which starts a process for every container.
#
# **You will be able to** say what a function needs (packages, processors, time, retries), run an app, deploy one and call it
# by its name, and name what a container sees and what it does not.
#
# **Time.** {{minutes}}

# %% tags=["parameters"]
preset = "tiny"
store = ""

# %%
# %matplotlib inline
import inspect
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import modal
import pandas as pd

from module4.lab4_modal import training
from module4.platforms import ROOT, WORKSPACE
from shared import config

store = Path(store or WORKSPACE / "notebooks" / "modal")
store.mkdir(parents=True, exist_ok=True)
pd.options.display.max_colwidth = None  # show tables whole

# %% [markdown]
# ## A function
#
# The decorator says where it runs: image, processors, time limit, retries. The function itself stays plain Python.

# %%
definitions = inspect.getsource(training).split("\n\n\n")
print(next(text for text in definitions if "def train(" in text))

# %% [markdown]
# What Modal knows of the functions. `info()` is Modal's own way to ask.

# %%
functions = {name: value for name, value in vars(training).items() if isinstance(value, modal.Function)}
settings = pd.DataFrame({name: vars(function.info()) for name, function in functions.items()}).T
settings["volumes"] = [
    ", ".join(f"{disk.name} at {path}" for path, disk in found.items()) for found in settings["volumes"]
]
settings[["cpu", "timeout", "max_retries", "volumes"]].replace({None: ""})

# %% [markdown]
# ## The calls are the graph
#
# A pipeline on Modal is a function that calls functions. There is no picture of it before it runs.

# %%
print(inspect.getsource(training.run_pipeline))

# %% [markdown]
# ## Run it
#
# `modal run` starts the app, calls its local entrypoint, and stops the app. The control plane around it takes the place of
# the cloud; the folder `store` becomes the app's *Volume*, the disk that containers share.


# %%
PLANE = [sys.executable, "-m", "infra.modal_local", "run"]
# A notebook asks for colours, and Modal draws its progress: here only the words are wanted.
PLAIN = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
PLAIN |= {"NO_COLOR": "1", "TERM": "dumb"}


def on_this_machine(command: list[str], *options: str) -> list[str]:
    """Run a command against the control plane on this machine and return the lines that it printed."""
    events = {"PIPELINE_EVENTS": str(store / "events.jsonl")}  # every step says when it began and ended
    words = [*PLANE, *options, "--", *command]
    done = subprocess.run(words, cwd=ROOT, env=PLAIN | events, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


# %% tags=["slow"]
(store / "events.jsonl").unlink(missing_ok=True)
begin = time.perf_counter()
text, result = config.preset(preset).to_json(), str(store / "run.json")
command = ["modal", "run", "-q", "-m", "module4.lab4_modal.training", "--config-json", text, "--result", result]
lines = on_this_machine(command, f"--volume=training-store={store}", "--pass-env=PIPELINE_EVENTS")
seconds = time.perf_counter() - begin
print(*lines, sep="\n")

# %% [markdown]
# ## Look at it
#
# What the last call returned, and when each step ran. Every call had a container of its own, which had to start Python and
# import pandas: the gaps between the bars.

# %% tags=["slow"]
deployment = json.loads((store / "run.json").read_text())
returned = {name: deployment[name] for name in ("uri", "version", "in_production", "fingerprint")}
pd.Series({"seconds": round(seconds, 1), **returned}, name="deploy").to_frame()

# %% tags=["slow"]
from module4.timeline import bars_from_events, draw_timeline

events = [json.loads(line) for line in (store / "events.jsonl").read_text().splitlines()]
print(len({event["pid"] for event in events}), "containers for", len(bars_from_events(events)), "steps")
draw_timeline(bars_from_events(events), "Modal: steps")

# %% [markdown]
# The model is the one of lesson 0, bit for bit. It lies on the Volume: `/store` in a container is `store` here.

# %% tags=["slow"]
from shared import steps

steps.read_fingerprint(str(store / Path(deployment["uri"]).relative_to("/store")))["fingerprint"]

# %% [markdown]
# ## Deploy it: an app that stays
#
# `modal run` ends with its program. `modal deploy` leaves an app there, and then others call it: any program that knows its
# name (`modal.Function.from_name`), and Modal's own clock (`modal.Cron`). Here is a small app with a disk.

# %% tags=["slow"]
(store / "morning.py").write_text("""
import os
import modal

app = modal.App("morning", image=modal.Image.debian_slim(python_version="3.12"))
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@app.function(volumes={"/forecasts": disk})
def forecast(name, commit=True):
    with open(f"/forecasts/{name}", "w") as file:
        file.write("some flights will be late")
    if commit:
        disk.commit()
    return name


@app.function(volumes={"/forecasts": disk})
def seen(beginning):
    disk.reload()
    return sorted(name for name in os.listdir("/forecasts") if name.startswith(beginning))


@app.function(volumes={"/forecasts": disk}, schedule=modal.Cron("30 5 * * *"))
def every_morning():
    number = len(seen.local("morning")) + 1
    forecast.local(f"morning-{number}")
""")
(store / "caller.py").write_text("""
import time
import modal

forecast, seen = (modal.Function.from_name("morning", name) for name in ("forecast", "seen"))
call = forecast.spawn("2013-07-08", commit=False)  # does not wait for the result
print("spawned", call.object_id[:2] + "-…, which returns", call.get())
print("another container sees", seen.remote("2013"))
forecast.remote("2013-07-09")
print("another container sees", seen.remote("2013"))
time.sleep(6)
print("called by the clock:", seen.remote("morning"))
""")
deploy_and_call = '"$0" -m modal deploy "$1/morning.py" && "$0" "$1/caller.py"'
lines = on_this_machine(["sh", "-c", deploy_and_call, sys.executable, str(store)], "--speed=28800", "--containers=4")
print(*[line for line in lines if line.startswith(("spawned", "another", "called"))], sep="\n")

# %% [markdown]
# Look at the second line: a container has its own view of the disk. What it wrote is seen by others only after `commit()`,
# and they must `reload()`. (In the cloud, Modal also commits every few seconds.) The clock of the control plane ran 28,800
# times too fast here, so that a day took three seconds.
#
# ## Break it
#
# A container has only what its image says. This app forgets to add our code to one of its two images: on your machine all is
# well, and in the container `shared` is missing. It is the most common mistake with Modal.

# %%
forgetful = store / "forgetful.py"
forgetful.write_text("""
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
""")
lines = on_this_machine(["modal", "run", "-q", str(forgetful)])
print(
    *[line for line in lines if line.startswith(("on this machine", "in a container", "ModuleNotFoundError"))], sep="\n"
)

# %% [markdown]
# One call repairs it: `add_local_python_source` adds the code to the image, when a container starts.
#
# Without an account the cloud is not reached. The command says so at once, before anything runs:

# %%
alone = {name: value for name, value in PLAIN.items() if not name.startswith("MODAL_")}
alone["MODAL_CONFIG_PATH"] = str(store / "no-account.toml")
refused = subprocess.run(
    [sys.executable, "-m", "modal", "run", str(forgetful)], env=alone, capture_output=True, text=True, check=False
)
print(*[line for line in (refused.stdout + refused.stderr).splitlines() if "Token" in line][:1])

# %% [markdown]
# ## Exercise 1: what a function needs
#
# Write an app and a function `forecast(day)` in it that gets 2 processors, is stopped after five minutes, and is tried
# three times more if it fails.

# %% tags=["exercise"]
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

check(1, forecast)

# %% [markdown]
# ## Exercise 2: every morning, with a disk
#
# Write a function `nightly` of `my_app` that Modal calls by itself every day at 05:00. It keeps its files in the Volume
# `forecasts`, which the container shall see at `/forecasts`. A scheduled function is called without arguments.

# %% tags=["exercise"]
# BEGIN SOLUTION
volume = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts": volume})
def nightly() -> None:
    """Forecast the day."""


# STUB
# nightly = None  # a function of my_app
# END SOLUTION

# %% tags=["check"]
check(2, nightly)

# %% [markdown]
# ## Exercise 3: many at once
#
# Write the text of an app, a Python file, that scores three airports in containers of their own, *at the same time*, and
# prints the sum. The stub's app calls one after the other. The check runs your app with the real `modal run` on this
# machine, and looks how many calls were under way at once.

# %% tags=["exercise"]
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
check(3, my_file)

# %% [markdown]
# ## To remember
#
# On Modal you write a program, not a graph. Containers start when they are called, and you pay until they stop. Modal brings
# machines, retries and a clock; what runs after what, and what is remembered, is up to your program. A container has nothing
# but its image, its Volumes and its arguments, and what it wrote is there for others when it is committed.
#
# **Read on.** [The lab](../module4/lab4_modal/README.md) · [Images](https://modal.com/docs/guide/images) ·
# [Volumes](https://modal.com/docs/guide/volumes) · [Scaling out](https://modal.com/docs/guide/scale) ·
# [Calling deployed functions](https://modal.com/docs/guide/trigger-deployed-functions) ·
# [Schedules](https://modal.com/docs/guide/cron) ·
# next: [6 · Tracking and lineage](06_tracking.ipynb)
