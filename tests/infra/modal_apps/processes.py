"""Functions that start other processes, and leave them behind."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import modal

app = modal.App("processes")
# How a process can leave the one that started it: its group, its session, its parent, its variables.
START = {
    "same group": [],
    "own session": ["setsid"],
    "daemon": ["setsid", "--fork"],
    "nameless": ["env", "-i", "setsid", "--fork"],
}


def leave_behind(seconds: str) -> None:
    """Start processes that sleep for as long as nobody else does, by which tests find them."""
    for words in START.values():
        subprocess.Popen([*words, "sleep", seconds], stdin=subprocess.DEVNULL)


@app.function(timeout=120)
def end(how: str, seconds: str) -> str:
    leave_behind(seconds)
    time.sleep(1)
    if how == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "exit":
        os._exit(7)
    if how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "unsupervised":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(100)
    if how in ("stay", "ignore"):
        if how == "ignore":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("it stays", flush=True)
        time.sleep(100)
    return "returned"


def square(value: int) -> int:
    return value * value


@app.function(timeout=120)
def with_helpers() -> dict[str, object]:
    """Let libraries start Python processes, which must see what this one sees."""
    from joblib import Parallel, delayed

    code = "import importlib.util as u, os, numpy; print(u.find_spec('shared'), os.getcwd())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    named = subprocess.run(["python", "-c", code], capture_output=True, text=True)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        spawned = pool.map(square, range(4))
    return {
        "joblib": Parallel(n_jobs=2)(delayed(square)(value) for value in range(4)),
        "spawned": spawned,
        "child": child.stdout + child.stderr,
        "named": named.stdout + named.stderr,
        "flags": [sys.flags.isolated, sys.flags.no_site],
    }


@app.local_entrypoint()
def main(how: str, seconds: str = "") -> None:
    """Call `end` once for each word of `how`, one after the other, or `with_helpers`."""
    print("RESULT " + json.dumps({word: result(word, seconds) for word in how.split(",")}), flush=True)


def result(how: str, seconds: str) -> object:
    if how == "helpers":
        return with_helpers.remote()
    begin = time.monotonic()
    try:
        said = end.remote(how, seconds)
    except modal.exception.RemoteError as error:
        said = str(error)
    return [said, time.monotonic() - begin]
