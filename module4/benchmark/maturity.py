"""Maturity, counted: the releases of each platform, and what older tutorials use that is no longer so.

`older.json` lists lines of older tutorials with what to write today; tests hold each against the installed packages.
`releases.json` is what the package index says; `python -m module4.benchmark releases` asks it again.
"""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from module4.benchmark.session import Row
from module4.platforms import ROOT
from shared.errors import PipelineError
from shared.storage import replace_file

OLDER, RELEASES = Path(__file__).with_name("older.json"), Path(__file__).with_name("releases.json")
MODAL_PAGE = ROOT / "module4" / "lab4_modal" / "README.md"  # has a table of its older names, for readers
PACKAGES = {"airflow": "apache-airflow", "kubeflow": "kfp", "dagster": "dagster", "modal": "modal"}


def older_names(platform: str) -> list[tuple[str, str]]:
    """Return what older tutorials write, and what to write today."""
    if platform == "modal":
        table = MODAL_PAGE.read_text(encoding="utf-8").partition("| then | now |")[2].partition("##")[0]
        return re.findall(r"^\| `(.+)` \| `(.+)` \|$", table, re.MULTILINE)
    return [(entry["then"], entry["now"]) for entry in json.loads(OLDER.read_text(encoding="utf-8"))[platform]]


def releases() -> dict[str, Any]:
    """Return the releases by platform, as they were when the index was last asked."""
    found: dict[str, Any] = json.loads(RELEASES.read_text(encoding="utf-8"))
    return found


def maturity_rows() -> list[Row]:
    """Return a row per platform: its releases, and how many names of older tutorials have changed."""
    known = releases()
    return [{"platform": name, **known.get(name, {}), "changed": len(older_names(name))} for name in PACKAGES]


def ask_index() -> dict[str, Any]:
    """Ask the package index, through pip, for all releases; it says nothing about their dates."""
    return {name: {"asked": f"{datetime.now(UTC):%Y-%m-%d}", **count(_ask(name))} for name in PACKAGES}


def count(answer: str) -> dict[str, Any]:
    """Return how many releases and major versions `pip index versions` names, and which is the first."""
    versions = re.findall(r"^Available versions: (.+)$", answer, re.MULTILINE)
    if not versions:
        raise PipelineError("pip: its answer has no line `Available versions:`. Is the package index reachable?")
    numbers = versions[0].split(", ")
    majors = {number.partition(".")[0] for number in numbers}
    return {"releases": len(numbers), "majors": len(majors), "first": numbers[-1], "latest": numbers[0]}


def write_releases() -> Path:
    """Write what the index says now; return the file."""
    replace_file(str(RELEASES), (json.dumps(ask_index(), indent=1) + "\n").encode())
    return RELEASES


def _ask(platform: str) -> str:
    command = [sys.executable, "-m", "pip", "index", "versions", PACKAGES[platform], "--ignore-requires-python"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise PipelineError(f"pip: cannot list the releases of {PACKAGES[platform]} ({reason}).")
    return done.stdout
