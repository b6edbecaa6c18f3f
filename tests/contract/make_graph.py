"""Make's graph, read from Make's own database (`make -p`)."""

import re
import subprocess

from module4.lab0_make.run import MAKEFILE
from module4.platforms import ROOT
from shared.graph import Graph, Node

RULE = re.compile(r"^(select_best|propose_trials|\w+/manifest\.json|run_trial/%\.json): (.+)$", re.MULTILINE)


def read_graph() -> Graph:
    """A target with a manifest is a step; a pattern rule is a mapped one; targets of neither kind serve the search."""
    command = ["make", "-pq", "-f", MAKEFILE, "FORCE", "IN_RUN_FOLDER=1", "NUMBERS=1 2"]
    database = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    rules = {target: needs.split() for target, needs in RULE.findall(database)}
    steps = {_name(target): [_name(need) for need in needs] for target, needs in rules.items()}
    outer = {_name(target) for target in rules if target.endswith("manifest.json")}
    mapped = {_name(target) for target in rules if "%" in target}
    inner = steps.keys() - outer

    def node(name: str, siblings: set[str], **more: object) -> Node:
        needs = tuple(sorted(set(steps[name]) & siblings))
        return Node(name, needs, mapped=name in mapped, **more)  # type: ignore[arg-type]

    # What the search's parts need from outside, the search needs.
    steps["hyperparameter_search"] += [need for name in inner for need in steps[name]]
    search = tuple(node(name, set(inner)) for name in inner)
    return Graph("training", tuple(node(name, outer, inner=search if name == SEARCH else ()) for name in outer))


SEARCH = "hyperparameter_search"


def _name(target: str) -> str:
    return target.partition("/")[0]
