"""The training pipeline in plain Python: the reference that every platform is compared with."""

from uuid import uuid4

from shared import steps
from shared.config import PipelineConfig
from shared.fingerprint import Fingerprint
from shared.places import local_folder
from shared.storage import exclusive


def run(config: PipelineConfig, store: str, run_id: str = "") -> Fingerprint:
    """Run the steps one after the other below `store` (a URI) and return the run's fingerprint.

    On a disk, `run_id` is "python" by default, and another run with the same one waits until this one has ended. In a
    bucket nobody can wait, so each run gets a new one.
    """
    run_id = run_id or ("python" if local_folder(store) else f"python-{uuid4().hex}")
    with exclusive(f"{store}/runs/{run_id}"):
        return _run(config, store, run_id)


def _run(config: PipelineConfig, store: str, run_id: str) -> Fingerprint:
    config_json, folder, registry = config.to_json(), f"{store}/runs/{run_id}", f"{store}/registry"
    flights = steps.load_data(config_json, f"{folder}/load_data")["uri"]
    features = steps.preprocess(config_json, flights, f"{folder}/preprocess")["uri"]
    baseline = steps.train(config_json, features, f"{folder}/train")["uri"]
    results = [steps.run_trial(config_json, features, trial) for trial in steps.propose_trials(config_json)]
    candidate = steps.select_best(config_json, features, results, f"{folder}/hyperparameter_search")["uri"]
    evaluation = steps.evaluate(config_json, features, baseline, candidate, registry, f"{folder}/evaluate")["uri"]
    deployment = steps.deploy(config_json, evaluation, registry, f"{folder}/deploy", "python", run_id)["uri"]
    return steps.read_fingerprint(deployment)
