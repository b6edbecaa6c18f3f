"""The training pipeline as an app on Modal: each function runs in a container of its own, started when it is called.

`.remote()` calls a function in the cloud and waits, `.map()` calls it once per item, all at the same time, and
`.local()` is the plain Python call. There is no graph to declare: the calls are the graph.
"""

import json
from pathlib import Path

import modal

from module4.lab4_modal.common import STORE, image, retries, synced, volume
from shared import steps
from shared.config import preset as get_preset
from shared.storage import Summary

app = modal.App("training", image=image, volumes={STORE: volume})


@app.function(timeout=600, retries=retries)
@synced()
def load_data(config: str, output: str) -> Summary:
    """Read, validate and join the sources."""
    return steps.load_data(config, output)


@app.function(timeout=600, retries=retries)
@synced()
def preprocess(config: str, flights: str, output: str) -> Summary:
    """Turn the flights into the model's features."""
    return steps.preprocess(config, flights, output)


# scikit-learn's boosting runs on CPUs. A model that wants a GPU asks for it in the same place: gpu="L40S".
@app.function(cpu=4, timeout=1800, retries=retries)
@synced()
def train(config: str, features: str, output: str) -> Summary:
    """Fit the baseline."""
    return steps.train(config, features, output)


@app.function()
def propose_trials(config: str) -> list[str]:
    """Return the search's trials, each a JSON string."""
    return steps.propose_trials(config)


@app.function(cpu=4, timeout=1800, retries=retries, max_containers=10)
@synced()
def run_trial(trial: str, config: str, features: str) -> str:
    """Score one trial on the validation weeks."""
    return steps.run_trial(config, features, trial)


@app.function(cpu=4, timeout=1800, retries=retries)
@synced()
def select_best(config: str, features: str, results: list[str], output: str) -> Summary:
    """Fit the best trial's hyperparameters again."""
    return steps.select_best(config, features, results, output)


@app.function(timeout=3600, retries=1)
def hyperparameter_search(config: str, features: str, baseline: Summary, output: str) -> Summary:
    """Score the trials, each in a container, and fit the best."""
    print(f"baseline: log loss {baseline['log_loss']:.4f} on the validation weeks")
    trials = propose_trials.local(config)  # too small for a container: a plain call
    # The first results come first, whatever their trial's number: select_best does not mind.
    scored = run_trial.map(trials, kwargs={"config": config, "features": features}, order_outputs=False)
    results = []
    for result in scored:
        results.append(result)
        print(f"trial {len(results)} of {len(trials)} is scored")
    return select_best.remote(config, features, results, output)


@app.function(timeout=600, retries=retries)
@synced()
def evaluate(config: str, features: str, baseline: str, candidate: str, registry: str, output: str) -> Summary:
    """Compare baseline, candidate and champion on the test weeks."""
    return steps.evaluate(config, features, baseline, candidate, registry, output)


@app.function(timeout=600, retries=retries, max_containers=1)  # one deployment at a time
@synced()
def deploy(config: str, evaluation: str, registry: str, output: str, run_id: str) -> Summary:
    """Register the winner and, if it passed the gate, promote it."""
    return steps.deploy(config, evaluation, registry, output, "modal", run_id)


def run_pipeline(config: str, store: str, run_id: str, gpu: str = "") -> Summary:
    """Call the steps, passing on what they return; every line waits for the one before."""
    fit = train.with_options(gpu=gpu) if gpu else train  # what a decorator says can be changed for one call
    folder, registry = f"{store}/runs/{run_id}", f"{store}/registry"
    flights = load_data.remote(config, f"{folder}/load_data")
    features = preprocess.remote(config, flights["uri"], f"{folder}/preprocess")
    baseline = fit.remote(config, features["uri"], f"{folder}/train")
    candidate = hyperparameter_search.remote(config, features["uri"], baseline, f"{folder}/hyperparameter_search")
    evaluation = evaluate.remote(
        config, features["uri"], baseline["uri"], candidate["uri"], registry, f"{folder}/evaluate"
    )
    return deploy.remote(config, evaluation["uri"], registry, f"{folder}/deploy", run_id)


@app.function(timeout=3600)
def pipeline(config: str, store: str = STORE) -> Summary:
    """Run the pipeline in the cloud from start to end: deployed, this is what other platforms call by name."""
    return run_pipeline(config, store, run_id=str(modal.current_function_call_id()))


@app.local_entrypoint()
def main(preset: str = "tiny", config: str = "", store: str = STORE, gpu: str = "", result: str = "") -> None:
    """Run the pipeline: `modal run -m module4.lab4_modal.training --preset lab`; `--config` is JSON instead."""
    deployment = run_pipeline(config or get_preset(preset).to_json(), store, str(app.app_id), gpu)
    print(f"version {deployment['version']}, in production: {deployment['in_production']}")
    print("\n".join(deployment["reasons"]))
    print(f"fingerprint {deployment['fingerprint']}")
    if result:
        Path(result).write_text(json.dumps(deployment))
