"""The steps as platforms call them: configuration as JSON, artifacts by URI, small results by value.

Each step reads artifacts of earlier steps, writes one of its own, and returns its small JSON-able summary with its
`uri`. Writing is atomic and running a step again gives the same artifact. The same steps are the commands of
`python -m shared`. Heavy libraries are imported when a step runs, so that a platform reads its graph quickly.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.config import parse
from shared.errors import ArtifactError
from shared.fingerprint import FINGERPRINT_FILE
from shared.storage import Summary, check_writable, open_artifact

if TYPE_CHECKING:
    from pandas import DataFrame


def load_data(config: str, output: str) -> Summary:
    """Read, validate and join the sources; write the scheduled flights to OUTPUT."""
    from shared import artifacts, data

    return artifacts.save(data.load_data(parse(config)), output)


def preprocess(config: str, flights: str, output: str) -> Summary:
    """Turn the FLIGHTS into the model's features, split by weeks; write them to OUTPUT."""
    from shared import artifacts, features

    return artifacts.save(
        features.preprocess(parse(config), _load_table(flights, features.FLIGHT_COLUMNS, "load_data")), output
    )


def train(config: str, features: str, output: str) -> Summary:
    """Fit the baseline on the FEATURES; write it to OUTPUT."""
    from shared import artifacts, models

    return artifacts.save(models.train(parse(config), _load_features(features)), output)


def propose_trials(config: str) -> list[str]:
    """Return the search's trials, each a JSON string."""
    from shared import models

    return [trial.model_dump_json() for trial in models.propose_trials(parse(config))]


def run_trial(config: str, features: str, trial: str) -> str:
    """Score one TRIAL (JSON) on the validation weeks; return its result as a JSON string."""
    from shared import models

    table = _load_features(features)
    return models.run_trial(parse(config), table, models.parse_trial(models.Trial, trial)).model_dump_json()


def select_best(config: str, features: str, results: list[str], output: str) -> Summary:
    """Fit the best of the trials' RESULTS (JSON, a line each, in any order) again; write the candidate to OUTPUT."""
    from shared import artifacts, models

    lines = [line for result in results for line in result.splitlines()]
    parsed = [models.parse_trial(models.TrialResult, line) for line in lines]
    return artifacts.save(models.select_best(parse(config), _load_features(features), parsed), output)


def evaluate(config: str, features: str, baseline: str, candidate: str, registry: str, output: str) -> Summary:
    """Compare BASELINE, CANDIDATE and the REGISTRY's champion on the test weeks; write the evaluation to OUTPUT."""
    from shared import artifacts, evaluation
    from shared.models import Fitted
    from shared.registry import Registry
    from shared.report import report_files

    settings = parse(config)
    result = evaluation.evaluate(
        settings,
        _load_features(features),
        artifacts.load(baseline, Fitted),
        artifacts.load(candidate, Fitted),
        Registry(registry, settings.model_name).find_champion(),
    )
    return artifacts.save(result, output, report_files(result))


def deploy(
    config: str, evaluation: str, registry: str, output: str, platform: str = "python", run_id: str = ""
) -> Summary:
    """Register the EVALUATION's winner in the REGISTRY and promote it if it passed; write the outcome to OUTPUT.

    PLATFORM and RUN_ID only label the tracked run, if the configuration asks for tracking.
    """
    from shared import artifacts, deployment, tracking
    from shared.evaluation import Evaluation
    from shared.registry import Registry

    settings = parse(config)
    judged = artifacts.load(evaluation, Evaluation)
    check_writable(output)  # before the registry changes
    outcome = deployment.deploy(settings, judged, Registry(registry, settings.model_name))
    tracking.log_run(settings, judged, outcome, platform=platform, run_id=run_id)
    return artifacts.save(outcome, output)


def load_batch(config: str, day: str, output: str) -> Summary:
    """Make the features of the flights scheduled on DAY (ISO date); write them to OUTPUT."""
    from shared import artifacts, inference

    return artifacts.save(inference.load_batch(parse(config), inference.parse_day(day)), output)


def load_model(config: str, registry: str, output: str) -> Summary:
    """Copy the model that is in production in the REGISTRY to OUTPUT."""
    from shared import artifacts, inference
    from shared.registry import Registry

    settings = parse(config)
    return artifacts.save(inference.load_model(settings, Registry(registry, settings.model_name)), output)


def predict(config: str, batch: str, model: str, output: str) -> Summary:
    """Predict the BATCH with the MODEL; write the predictions to OUTPUT."""
    from shared import artifacts, inference
    from shared.features import FEATURES
    from shared.registry import Champion

    champion = artifacts.load(model, Champion)
    return artifacts.save(
        inference.predict(parse(config), champion, _load_table(batch, [*inference.IDENTITY, *FEATURES], "load_batch")),
        output,
    )


def save_predictions(config: str, predictions: str, partitions: str) -> Summary:
    """Write the day's PREDICTIONS to its folder below PARTITIONS."""
    from shared import inference

    return inference.save_predictions(
        parse(config), _load_table(predictions, ["date", "probability", "version"], "predict"), partitions
    )


def measure_drift(config: str, registry: str, day: str, output: str) -> Summary:
    """Measure the REGISTRY's production model over the days before DAY (ISO date); write the drift to OUTPUT."""
    from shared import artifacts, inference, monitoring
    from shared.registry import Registry
    from shared.report import report_files

    settings = parse(config)
    registered = Registry(registry, settings.model_name)
    drift = monitoring.measure_drift(settings, registered, inference.parse_day(day))
    return artifacts.save(drift, output, report_files(drift))


def decide_retraining(config: str, drift: str, output: str) -> Summary:
    """Decide by the DRIFT whether to train again, and with which configuration; write the decision to OUTPUT."""
    from shared import artifacts, monitoring

    return artifacts.save(monitoring.decide_retraining(parse(config), artifacts.load(drift, monitoring.Drift)), output)


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
