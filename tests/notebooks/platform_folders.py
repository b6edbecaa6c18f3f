"""Folders with a platform, for the answers to lesson 9: a right one, of thirty lines, and the same with changes."""

import tempfile
from pathlib import Path

ROW = """\
name = "relay"
title = "Relay"
mode = "jobs in order"
"""
RUN = """\
from graphlib import TopologicalSorter

from shared import steps

SEARCH = "hyperparameter_search"
JOBS = {
    "load_data": ((), lambda c, m, f, r: steps.load_data(c, f)),
    "preprocess": (("load_data",), lambda c, m, f, r: steps.preprocess(c, m["load_data"]["uri"], f)),
    "train": (("preprocess",), lambda c, m, f, r: steps.train(c, m["preprocess"]["uri"], f)),
    "propose_trials": (("train",), lambda c, m, f, r: steps.propose_trials(c)),
    "run_trial": (
        ("propose_trials", "preprocess"),
        lambda c, m, f, r: [steps.run_trial(c, m["preprocess"]["uri"], t) for t in m["propose_trials"]],
    ),
    "select_best": (
        ("run_trial", "preprocess"),
        lambda c, m, f, r: steps.select_best(c, m["preprocess"]["uri"], m["run_trial"], f),
    ),
    "evaluate": (
        ("preprocess", "train", "select_best"),
        lambda c, m, f, r: steps.evaluate(
            c, m["preprocess"]["uri"], m["train"]["uri"], m["select_best"]["uri"], r, f
        ),
    ),
    "deploy": (("evaluate",), lambda c, m, f, r: steps.deploy(c, m["evaluate"]["uri"], r, f, "relay")),
}
GROUPS = {SEARCH: ("propose_trials", "run_trial", "select_best")}
LOOPS = {"run_trial"}


def run(config, store):
    made = {}
    for name in TopologicalSorter({name: needs for name, (needs, _) in JOBS.items()}).static_order():
        made[name] = JOBS[name][1](config.to_json(), made, f"{store}/runs/relay/{name}", f"{store}/registry")
    return steps.read_fingerprint(made["deploy"]["uri"])
"""
GRAPH = """\
from run import GROUPS, JOBS, LOOPS

from shared.graph import Graph, Node

STEP = {name: step for step, names in GROUPS.items() for name in names}


def read_graph():
    nodes = []
    for step in dict.fromkeys(STEP.get(name, name) for name in JOBS):
        parts = GROUPS.get(step, (step,))
        needs = {STEP.get(need, need) for part in parts for need in JOBS[part][0]} - {step}
        inner = [
            Node(part, tuple(need for need in JOBS[part][0] if need in parts), mapped=part in LOOPS)
            for part in parts
            if step in GROUPS
        ]
        nodes.append(Node(step, tuple(needs), inner=tuple(inner)))
    return Graph("training", tuple(nodes))
"""


def make(row: str | None = ROW, graph: str | None = GRAPH, run: str | None = RUN, **others: str) -> Path:
    """Write a platform's files to a new folder and return it; None leaves a file out. `others` are Python modules."""
    folder = Path(tempfile.mkdtemp(prefix="platform-"))
    files = {
        "platform.toml": row,
        "graph.py": graph,
        "run.py": run,
        **{f"{name}.py": text for name, text in others.items()},
    }
    for name, text in files.items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def change(text: str, *pairs: tuple[str, str]) -> str:
    """Replace each old text, which must be there, by its new one."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text
