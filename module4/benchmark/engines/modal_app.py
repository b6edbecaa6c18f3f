"""The tasks that do nothing as an app on Modal: a function, and so a container, per step of the pipeline."""

import modal

from module4.benchmark.engines.noop import do, shape

image = modal.Image.debian_slim().add_local_python_source("module4")
app = modal.App("noop", image=image)


@app.function()
def load_data() -> str:
    """Do nothing."""
    return do("load_data")


@app.function()
def preprocess() -> str:
    """Do nothing."""
    return do("preprocess")


@app.function()
def train() -> str:
    """Do nothing."""
    return do("train")


@app.function(max_containers=10)
def run_trial(number: int) -> str:
    """Do nothing, or compute."""
    return do("run_trial")


@app.function()
def select_best(results: list[str]) -> str:
    """Wait for all trials."""
    return do("select_best")


@app.function()
def hyperparameter_search(trials: int) -> str:
    """Run the trials, each in a container."""
    do("propose_trials")
    return select_best.remote(list(run_trial.map(range(trials), order_outputs=False)))


@app.function()
def evaluate() -> str:
    """Do nothing."""
    return do("evaluate")


@app.function()
def deploy() -> str:
    """Do nothing."""
    return do("deploy")


@app.function()
def step(name: str) -> str:
    """Do nothing: a chain calls this function again and again, so that its container is warm."""
    return do(name)


FUNCTIONS = {"load_data": load_data, "preprocess": preprocess, "train": train, "evaluate": evaluate, "deploy": deploy}


def call(name: str) -> None:
    """Call a step in its container."""
    FUNCTIONS[name].remote() if name in FUNCTIONS else step.remote(name)


@app.local_entrypoint()
def main() -> None:
    """Run the shape that the environment asks for."""
    wanted = shape()
    for name in wanted.before:
        call(name)
    if wanted.trials:
        hyperparameter_search.remote(wanted.trials)
    for name in wanted.after:
        call(name)
