"""The training pipeline for Apache Hamilton: a function is a node, and its parameters name the nodes it needs.

`config_json`, `folder` and `registry` are inputs of the run. Some parameters only wait for another node.
"""

from hamilton.function_modifiers import tag
from hamilton.htypes import Collect, Parallelizable

from shared import steps
from shared.storage import Summary


def load_data(config_json: str, folder: str) -> Summary:
    return steps.load_data(config_json, f"{folder}/load_data")


def preprocess(config_json: str, folder: str, load_data: Summary) -> Summary:
    return steps.preprocess(config_json, load_data["uri"], f"{folder}/preprocess")


def train(config_json: str, folder: str, preprocess: Summary) -> Summary:
    return steps.train(config_json, preprocess["uri"], f"{folder}/train")


@tag(part_of="hyperparameter_search")
def propose_trials(config_json: str, train: Summary) -> Parallelizable[str]:
    yield from steps.propose_trials(config_json)


@tag(part_of="hyperparameter_search")
def run_trial(config_json: str, preprocess: Summary, propose_trials: str) -> str:
    return steps.run_trial(config_json, preprocess["uri"], propose_trials)


@tag(part_of="hyperparameter_search")
def select_best(config_json: str, folder: str, preprocess: Summary, run_trial: Collect[str]) -> Summary:
    return steps.select_best(config_json, preprocess["uri"], list(run_trial), f"{folder}/hyperparameter_search")


def evaluate(
    config_json: str, folder: str, registry: str, preprocess: Summary, train: Summary, select_best: Summary
) -> Summary:
    output = f"{folder}/evaluate"
    return steps.evaluate(config_json, preprocess["uri"], train["uri"], select_best["uri"], registry, output)


def deploy(config_json: str, folder: str, registry: str, evaluate: Summary) -> Summary:
    return steps.deploy(config_json, evaluate["uri"], registry, f"{folder}/deploy", "hamilton")
