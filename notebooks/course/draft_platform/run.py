"""A platform in thirty lines, for lesson 9. It has mistakes, which `check-platform` finds."""

from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import NamedTuple

from shared import steps
from shared.config import PipelineConfig
from shared.fingerprint import Fingerprint
from shared.storage import Summary


class Job(NamedTuple):
    """The jobs that must be done first, and what to call with the configuration, what they made, and two places."""

    needs: tuple[str, ...]
    call: Callable[[str, dict[str, str], str, str], Summary]


def search(config: str, made: dict[str, str], folder: str, registry: str) -> Summary:
    """Run the whole search in one job."""
    results = [steps.run_trial(config, made["preprocess"], trial) for trial in steps.propose_trials(config)]
    return steps.select_best(config, made["preprocess"], results, folder)


def evaluate(config: str, made: dict[str, str], folder: str, registry: str) -> Summary:
    """Compare the two models."""
    return steps.evaluate(config, made["preprocess"], made["search"], made["train"], registry, folder)


JOBS = {
    "load_data": Job((), lambda config, made, folder, _: steps.load_data(config, folder)),
    "preprocess": Job(
        ("load_data",), lambda config, made, folder, _: steps.preprocess(config, made["load_data"], folder)
    ),
    "train": Job(("preprocess",), lambda config, made, folder, _: steps.train(config, made["preprocess"], folder)),
    "search": Job(("preprocess", "train"), search),
    "evaluate": Job(("train", "search"), evaluate),
    "deploy": Job(
        ("evaluate",), lambda config, made, folder, registry: steps.deploy(config, made["evaluate"], registry, folder)
    ),
}


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Do the jobs in an order that their needs allow."""
    made: dict[str, str] = {}
    for name in TopologicalSorter({name: job.needs for name, job in JOBS.items()}).static_order():
        made[name] = JOBS[name].call(config.to_json(), made, f"{store}/runs/draft/{name}", f"{store}/registry")["uri"]
    return steps.read_fingerprint(made["deploy"])
