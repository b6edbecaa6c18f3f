"""The steps as platforms call them: the configuration as JSON, artifacts by URI, small results by value.

Each step reads artifacts of earlier steps, writes one of its own, and returns a small JSON-able summary with its `uri`.
Writing is atomic, and running a step again makes the same artifact. `python -m shared` offers the same steps as
commands. Heavy libraries are imported only when a step runs, so that a platform reads its graph quickly.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.config import parse
from shared.errors import ArtifactError
from shared.fingerprint import FINGERPRINT_FILE
from shared.storage import Summary, check_writable, open_artifact

if TYPE_CHECKING:
    from pandas import DataFrame


def load_data(config_json: str, output: str) -> Summary:
    """Read, validate and join the sources; write the scheduled flights to OUTPUT."""
    from shared import artifacts, data

    flights = data.load_data(parse(config_json))
    return artifacts.save(flights, output)


def preprocess(config_json: str, flights: str, output: str) -> Summary:
    """Turn the FLIGHTS into the model's features, split by weeks; write them to OUTPUT."""
    from shared import artifacts, features

    scheduled = _load_table(flights, features.FLIGHT_COLUMNS, "load_data")
    table = features.preprocess(parse(config_json), scheduled)
    return artifacts.save(table, output)


def train(config_json: str, features: str, output: str) -> Summary:
    """Fit the baseline on the FEATURES; write it to OUTPUT."""
    from shared import artifacts, models

    baseline = models.train(parse(config_json), _load_features(features))
    return artifacts.save(baseline, output)


def propose_trials(config_json: str) -> list[str]:
    """Return the search's trials, each a JSON string."""
    from shared import trials

    return [trial.model_dump_json() for trial in trials.propose_trials(parse(config_json))]


def run_trial(config_json: str, features: str, trial: str) -> str:
    """Score one TRIAL (JSON) on the validation weeks; return its result as a JSON string."""
    from shared import models, trials

    table = _load_features(features)
    result = models.run_trial(parse(config_json), table, trials.parse_trial(trials.Trial, trial))
    return result.model_dump_json()


def select_best(config_json: str, features: str, results: list[str], output: str) -> Summary:
    """Fit the best of the trials' RESULTS (JSON, a line each, in any order) again; write the candidate to OUTPUT."""
    from shared import artifacts, models, trials

    lines = [line for result in results for line in result.splitlines()]
    scored = [trials.parse_trial(trials.TrialResult, line) for line in lines]
    candidate = models.select_best(parse(config_json), _load_features(features), scored)
    return artifacts.save(candidate, output)


def evaluate(config_json: str, features: str, baseline: str, candidate: str, registry: str, output: str) -> Summary:
    """Compare BASELINE, CANDIDATE and the REGISTRY's champion on the test weeks; write the evaluation to OUTPUT."""
    from shared import artifacts, evaluation
    from shared.fitted import Fitted
    from shared.registry import Registry
    from shared.report import report_files

    config = parse(config_json)
    table = _load_features(features)
    contenders = artifacts.load(baseline, Fitted), artifacts.load(candidate, Fitted)
    champion = Registry(registry, config.model_name).find_champion()
    result = evaluation.evaluate(config, table, *contenders, champion)
    return artifacts.save(result, output, report_files(result))


def deploy(
    config_json: str, evaluation: str, registry: str, output: str, platform: str = "python", run_id: str = ""
) -> Summary:
    """Register the EVALUATION's winner in the REGISTRY and promote it if it passed; write the outcome to OUTPUT.

    PLATFORM and RUN_ID only label the tracked run, if the configuration asks for tracking.
    """
    from shared import artifacts, deployment, tracking
    from shared.registry import Registry

    config = parse(config_json)
    judged = artifacts.load(evaluation, deployment.StoredEvaluation)
    check_writable(output)  # before the registry changes
    outcome = deployment.deploy(config, judged, Registry(registry, config.model_name))
    tracking.log_run(config, judged, outcome, platform=platform, run_id=run_id)
    return artifacts.save(outcome, output)


def load_batch(config_json: str, day: str, output: str) -> Summary:
    """Make the features of the flights scheduled on DAY (ISO date); write them to OUTPUT."""
    from shared import artifacts, inference

    config = parse(config_json)
    batch = inference.load_batch(config, inference.parse_day(day, config))
    return artifacts.save(batch, output)


def load_model(config_json: str, registry: str, output: str) -> Summary:
    """Copy the model that is in production in the REGISTRY to OUTPUT."""
    from shared import artifacts, inference
    from shared.registry import Registry

    config = parse(config_json)
    champion = inference.load_model(config, Registry(registry, config.model_name))
    return artifacts.save(champion, output)


def predict(config_json: str, batch: str, model: str, output: str) -> Summary:
    """Predict the BATCH with the MODEL; write the predictions to OUTPUT."""
    from shared import artifacts, inference
    from shared.features import FEATURES
    from shared.registry import Champion

    champion = artifacts.load(model, Champion)
    table = _load_table(batch, [*inference.IDENTITY, *FEATURES], "load_batch")
    predictions = inference.predict(parse(config_json), champion, table)
    return artifacts.save(predictions, output)


def save_predictions(config_json: str, predictions: str, partitions: str) -> Summary:
    """Write the day's PREDICTIONS to its folder below PARTITIONS."""
    from shared import inference

    table = _load_table(predictions, ["date", "probability", "version"], "predict")
    return inference.save_predictions(parse(config_json), table, partitions)


def measure_drift(config_json: str, registry: str, day: str, output: str) -> Summary:
    """Measure the REGISTRY's production model over the days before DAY (ISO date); write the drift to OUTPUT."""
    from shared import artifacts, inference, monitoring
    from shared.registry import Registry
    from shared.report import report_files

    config = parse(config_json)
    models = Registry(registry, config.model_name)
    drift = monitoring.measure_drift(config, models, inference.parse_day(day, config))
    return artifacts.save(drift, output, report_files(drift))


def decide_retraining(config_json: str, drift: str, output: str) -> Summary:
    """Decide from the DRIFT whether to retrain, and with which configuration; write the decision to OUTPUT."""
    from shared import artifacts, monitoring

    measured = artifacts.load(drift, monitoring.Drift)
    decision = monitoring.decide_retraining(parse(config_json), measured)
    return artifacts.save(decision, output)


def read_fingerprint(deployment: str) -> dict[str, object]:
    """Return the fingerprint of a finished run, from the artifact that `deploy` wrote."""
    return dict(open_artifact(deployment).read_json(FINGERPRINT_FILE))


def _load_features(uri: str) -> "DataFrame":
    from shared.features import FEATURES, LABEL, SPLIT

    return _load_table(uri, [*FEATURES, LABEL, "date", SPLIT], "preprocess")


def _load_table(uri: str, columns: Sequence[str], step: str) -> "DataFrame":
    """Return the table at `uri`. Raises ArtifactError when it lacks one of the columns that `step` writes."""
    from pandas import DataFrame

    from shared import artifacts

    table = artifacts.load(uri, DataFrame)
    if missing := [name for name in columns if name not in table]:
        raise ArtifactError(f"{uri}: has no column {', '.join(missing)}. Give the output of {step}.")
    return table
