"""The training pipeline as an app on Modal: every function runs in its own container, which a call starts.

`.remote()` calls a function in the cloud and waits for the result, `.map()` calls it once per item, all at the same
time, and `.local()` is a plain Python call. No graph is declared: the calls are the graph.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import modal

from shared import steps
from shared.config import preset as get_preset
from shared.errors import exit_on_error
from shared.outputs import check_output
from shared.storage import Summary

# What a container finds when it starts. Modal builds the image once, and again only when the lock file changes;
# our code is added last, at the start of each container, so that a changed line rebuilds nothing.
image = (
    modal.Image.debian_slim(python_version="3.12")
    .uv_pip_install(requirements=["requirements.lock"])
    .add_local_python_source("shared")
)

# The disk that containers share, and where they see it.
VOLUME, STORE = "training-store", "/store"
volume = modal.Volume.from_name(VOLUME, create_if_missing=True)

# A failed call is retried twice, after 1 and 2 seconds, each time in a fresh container if the old one crashed.
retries = modal.Retries(max_retries=2, initial_delay=1.0, backoff_coefficient=2.0)

app = modal.App("training", image=image, volumes={STORE: volume})


@contextmanager
def synced_volume() -> Iterator[None]:
    """See what other containers committed to the volume, and commit what this one writes."""
    volume.reload()
    try:
        yield
    finally:
        volume.commit()  # after a failure too: the retry may run in another container


@app.function(timeout=600, retries=retries)
def load_data(config_json: str, output: str) -> Summary:
    """Read, validate and join the sources."""
    with synced_volume():
        return steps.load_data(config_json, output)


@app.function(timeout=600, retries=retries)
def preprocess(config_json: str, flights: str, output: str) -> Summary:
    """Turn the flights into the model's features."""
    with synced_volume():
        return steps.preprocess(config_json, flights, output)


# scikit-learn's boosting runs on CPUs. A model that needs a GPU asks for it in the same place: gpu="L40S".
@app.function(cpu=4, timeout=1800, retries=retries)
def train(config_json: str, features: str, output: str) -> Summary:
    """Fit the baseline."""
    with synced_volume():
        return steps.train(config_json, features, output)


@app.function()
def propose_trials(config_json: str) -> list[str]:
    """Return the search's trials, each as a JSON string."""
    return steps.propose_trials(config_json)


@app.function(cpu=4, timeout=1800, retries=retries, max_containers=10)
def run_trial(trial: str, config_json: str, features: str) -> str:
    """Score one trial on the validation weeks."""
    with synced_volume():
        return steps.run_trial(config_json, features, trial)


@app.function(cpu=4, timeout=1800, retries=retries)
def select_best(config_json: str, features: str, results: list[str], output: str) -> Summary:
    """Refit the model with the best trial's hyperparameters."""
    with synced_volume():
        return steps.select_best(config_json, features, results, output)


@app.function(timeout=3600, retries=1)
def hyperparameter_search(config_json: str, features: str, baseline: Summary, output: str) -> Summary:
    """Score the trials, each in a container, and refit the best."""
    print(f"baseline: log loss {baseline['log_loss']:.4f} on the validation weeks")
    trials = propose_trials.local(config_json)  # too small to be worth a container: a plain call
    # Results arrive as they are ready, in any order: to select_best it makes no difference.
    scored = run_trial.map(trials, kwargs={"config_json": config_json, "features": features}, order_outputs=False)
    results = []
    for result in scored:
        results.append(result)
        print(f"trial {len(results)} of {len(trials)} is scored")
    return select_best.remote(config_json, features, results, output)


@app.function(timeout=600, retries=retries)
def evaluate(config_json: str, features: str, baseline: str, candidate: str, registry: str, output: str) -> Summary:
    """Compare baseline, candidate and champion on the test weeks."""
    with synced_volume():
        return steps.evaluate(config_json, features, baseline, candidate, registry, output)


@app.function(timeout=600, retries=retries, max_containers=1)  # one deployment at a time
def deploy(config_json: str, evaluation: str, registry: str, output: str, run_id: str) -> Summary:
    """Register the winner and, if it passed the gate, promote it to production."""
    with synced_volume():
        return steps.deploy(config_json, evaluation, registry, output, "modal", run_id)


def run_pipeline(config_json: str, store: str, run_id: str, gpu: str = "") -> Summary:
    """Call the steps one after the other, passing on what they return: an artifact's URI, never the artifact."""
    fit = train.with_options(gpu=gpu) if gpu else train  # any option of a decorator can be changed for one call
    folder, registry = f"{store}/runs/{run_id}", f"{store}/registry"
    flights = load_data.remote(config_json, f"{folder}/load_data")
    features = preprocess.remote(config_json, flights["uri"], f"{folder}/preprocess")
    baseline = fit.remote(config_json, features["uri"], f"{folder}/train")
    candidate = hyperparameter_search.remote(config_json, features["uri"], baseline, f"{folder}/hyperparameter_search")
    evaluation = evaluate.remote(
        config_json, features["uri"], baseline["uri"], candidate["uri"], registry, f"{folder}/evaluate"
    )
    return deploy.remote(config_json, evaluation["uri"], registry, f"{folder}/deploy", run_id)


@app.function(timeout=3600)
def pipeline(config_json: str, store: str = STORE) -> Summary:
    """Run the whole pipeline in the cloud. Once it is deployed, other platforms call it by its name."""
    return run_pipeline(config_json, store, run_id=str(modal.current_function_call_id()))


@app.local_entrypoint()
def main(preset: str = "tiny", config_json: str = "", store: str = STORE, gpu: str = "", result: str = "") -> None:
    """Run the pipeline from this machine: `modal run -m module4.lab4_modal.training --preset lab`."""
    with exit_on_error():
        config_json = config_json or get_preset(preset).to_json()
        if result:
            check_output(Path(result), "result")
    deployment = run_pipeline(config_json, store, str(app.app_id), gpu)
    print(f"version {deployment['version']}, in production: {deployment['in_production']}")
    print("\n".join(deployment["reasons"]))
    print(f"fingerprint {deployment['fingerprint']}")
    if result:
        Path(result).write_text(json.dumps(deployment), encoding="utf-8")
