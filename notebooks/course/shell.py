"""Run commands from a lesson as you would in a terminal: steps, shell scripts, Make, and Modal's own command."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from module4.platforms import ROOT

LAB_MAKEFILE = ROOT / "module4/lab0_make/Makefile"
CONTROL_PLANE = ("-m", "infra.modal_local", "run")


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    seconds: float
    printed: str
    error: str


def run_python(*words: str, store: str = "", **environment: str) -> str:
    """Run Python with `words` at the root of the repository; return what it printed, with paths from the store on."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=plain_environment(os.environ) | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return _shorten(done.stdout or done.stderr, store)


def run_script(script: Path, store: str) -> Ended:
    """Run a shell script; its error is the line that says what went wrong."""
    begin = time.perf_counter()
    done = subprocess.run(["sh", str(script)], cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = round(time.perf_counter() - begin, 1)
    error = " ".join(line for line in _shorten(done.stderr, store).splitlines() if line.startswith("error"))
    return Ended(done.returncode, seconds, " ".join(done.stdout.split()), error)


def run_make(store: str, config: str) -> list[str]:
    """Run lab 0's Makefile, two steps at a time, and return the targets that were made. An error is printed."""
    words = ["make", "-j2", "-f", str(LAB_MAKEFILE), f"STORE={store}", f"PYTHON={sys.executable}"]
    environment = {**os.environ, "PIPELINE_CONFIG": config, "OMP_NUM_THREADS": "1"}  # a core for each of two steps
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(*(line for line in _shorten(done.stderr, store).splitlines() if line.startswith("error:")), sep="\n")
    targets = re.findall(r"^(?:\w+/manifest\.json|run_trial/\d+\.json|propose_trials)$", done.stdout, re.MULTILINE)
    return [target.removesuffix("/manifest.json") for target in targets]


def read_rules() -> dict[str, list[str]]:
    """Return each target of lab 0's Makefile with its prerequisites, from the database that `make -pq` prints."""
    words = ["make", "-pq", "-f", str(LAB_MAKEFILE), "FORCE", "IN_RUN_FOLDER=1"]
    database = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return {
        target.partition("/")[0]: [name.partition("/")[0] for name in needs.split() if name != "FORCE"]
        for target, needs in re.findall(r"^(\S+): (.+)$", database, re.MULTILINE)
        if "/manifest.json" in target or target in ("propose_trials", "config")
    }


def run_on_local_modal(command: list[str], *options: str, **environment: str) -> list[str]:
    """Run a command against the control plane on this machine and return the lines that it printed."""
    words = [sys.executable, *CONTROL_PLANE, *options, "--", *command]
    variables = plain_environment(os.environ) | environment
    done = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def deploy_and_call(app: Path, caller: Path, *options: str) -> list[str]:
    """Deploy an app on the control plane on this machine, run a program that calls it, and return the lines printed."""
    script = '"$0" -m modal deploy "$1" && "$0" "$2"'
    return run_on_local_modal(["sh", "-c", script, sys.executable, str(app), str(caller)], *options)


def print_lines(lines: Iterable[str], *beginnings: str) -> None:
    """Print the lines that begin with one of `beginnings`."""
    print(*[line for line in lines if line.startswith(beginnings)], sep="\n")


def run_modal_without_account(store: Path, *words: str) -> list[str]:
    """Run `modal` as on a machine where nobody has a token, and return the lines that it printed."""
    variables = {name: value for name, value in plain_environment(os.environ).items() if not name.startswith("MODAL_")}
    variables["MODAL_CONFIG_PATH"] = str(store / "no-account.toml")
    done = subprocess.run(
        [sys.executable, "-m", "modal", *words], env=variables, capture_output=True, text=True, check=False
    )
    return (done.stdout + done.stderr).splitlines()


def plain_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without what asks for colors: a notebook asks for them, and a page shows only the words."""
    kept = {name: value for name, value in variables.items() if name not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    return kept | {"NO_COLOR": "1", "TERM": "dumb"}


def _shorten(text: str, store: str) -> str:
    """Return a text in which folders are named from the store on: the rest is long, and differs for everybody."""
    return (text.replace(f"{store}/", "") if store else text).strip()
