"""The model: scikit-learn's histogram gradient boosting, its search, and its file.

Threads only share out the work: the fitted trees are the same for any number of them. A model's file is the same too:
skops numbers objects by their memory address, so the file is rewritten with numbers in reading order.
"""

import io
import json
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # skops looks into every loaded module, and Airflow's answer with a warning each
    import skops.io

from shared.config import Hyperparameters, PipelineConfig, explain, refuse_repeated
from shared.errors import ConfigError, DataError, ModelError
from shared.features import FEATURES, LABEL, SPLIT
from shared.progress import logged_step
from shared.storage import Artifact, Summary

Model: TypeAlias = HistGradientBoostingClassifier

MODEL_FILE = "model.skops"

# What a stored model may hold beside scikit-learn's and NumPy's own types that skops trusts by itself.
TRUSTED_TYPES = [
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]


BASELINE = -1  # the number of the baseline among the trials


class Trial(BaseModel):
    """One proposal of the search; its number decides ties."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    number: int = Field(ge=-1)
    hyperparameters: Hyperparameters


class TrialResult(Trial):
    """A trial with its scores on the validation weeks."""

    log_loss: float = Field(ge=0)
    roc_auc: float = Field(ge=0, le=1)


TrialKind = TypeVar("TrialKind", bound=Trial)


def parse_trial(kind: type[TrialKind], text: str) -> TrialKind:
    """Return a Trial or TrialResult from its JSON. Raises ConfigError, which names the field, when it is invalid."""
    try:
        trial = kind.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(explain(error, kind.__name__)) from None
    refuse_repeated(text, kind.__name__)
    return trial


class Fitted(NamedTuple):
    """A model fitted on training and validation weeks, and how its hyperparameters scored before it saw the latter."""

    model: Model
    trial: TrialResult

    def write(self, folder: Path) -> Summary:
        """Write the model's file into `folder`; the trial is the summary."""
        (folder / MODEL_FILE).write_bytes(dump_model(self.model))
        return self.trial.model_dump()

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return what `write` stored."""
        return cls(read_model(artifact), TrialResult.model_validate(artifact.summary))


@logged_step
def train(config: PipelineConfig, features: pd.DataFrame) -> Fitted:
    """Return the baseline: the configured hyperparameters, scored on the validation weeks, then fitted on all."""
    trial = Trial(number=BASELINE, hyperparameters=config.baseline)
    return _refit(config, features, _score(config, features, trial))


@logged_step
def propose_trials(config: PipelineConfig) -> list[Trial]:
    """Return the search's trials: seeded proposals around the baseline, each from its own seed."""
    return [Trial(number=number, hyperparameters=_propose(config, number)) for number in range(config.trials)]


@logged_step
def run_trial(config: PipelineConfig, features: pd.DataFrame, trial: Trial) -> TrialResult:
    """Return the trial's scores: fitted on the training weeks, scored on the validation weeks."""
    return _score(config, features, trial)


@logged_step
def select_best(config: PipelineConfig, features: pd.DataFrame, results: Sequence[TrialResult]) -> Fitted:
    """Return the candidate: the best trial's hyperparameters, fitted again on training and validation weeks.

    The best has the lowest log loss, then the lowest number: the order of `results` does not matter.
    Raises DataError when a trial is missing or given twice.
    """
    numbers = sorted(result.number for result in results)
    if numbers != list(range(config.trials)):
        raise DataError(f"select_best: needs the results of trials 0 to {config.trials - 1}, got {numbers}.")
    best = min(results, key=lambda result: (result.log_loss, result.number))
    return _refit(config, features, best)


def fit(config: PipelineConfig, features: pd.DataFrame, hyperparameters: Hyperparameters, splits: list[str]) -> Model:
    """Return a model fitted on the rows of `splits`, a list of train, validation, and test.

    `features` has the columns FEATURES (numbers, and categories as pandas' category type, either with missing values),
    `late` (0 or 1), and `split`, a row per flight. The configuration contributes its seed.
    """
    rows = features[features[SPLIT].isin(splits)]
    model = HistGradientBoostingClassifier(
        **hyperparameters.model_dump(),
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=config.seed,
    )
    model.fit(rows[FEATURES], rows[LABEL])
    # scikit-learn remembers how many threads it had; without this the model's file would depend on the machine.
    model._bin_mapper.n_threads = 1
    return model


def predict(model: Model, features: pd.DataFrame) -> NDArray[np.float64]:
    """Return each row's probability of being late, of shape (rows,), between 0 and 1. `features` has FEATURES."""
    probabilities: NDArray[np.float64] = model.predict_proba(features[FEATURES])[:, 1]
    return probabilities


def dump_model(model: Model) -> bytes:
    """Return the model's file in skops' format: the same bytes for the same model, and no pickle."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(contents.pop("schema.json"))
    names = _renumber(schema, {}, {})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for old, new in names.items():
            archive.writestr(zipfile.ZipInfo(new), contents[old], zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def read_model(artifact: Artifact) -> Model:
    """Return the model that an artifact holds. Raises ModelError as `load_model` does."""
    return load_model(artifact.read(MODEL_FILE), f"{artifact.uri}/{MODEL_FILE}")


def load_model(content: bytes, name: str = "model") -> Model:
    """Return the model of a file that `dump_model` made; `name` is for error texts.

    Raises ModelError, before anything of the file runs, when it is corrupted or holds types that are not trusted.
    """
    try:
        untrusted = set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
        if untrusted:
            raise ModelError(f"{name}: holds types that are not trusted ({', '.join(sorted(untrusted))}); not loaded.")
        model = skops.io.loads(content, trusted=TRUSTED_TYPES)
    except ModelError:
        raise
    except Exception as error:  # skops raises whatever zip, JSON or NumPy raise on a broken file
        raise ModelError(f"{name}: is not a readable model ({type(error).__name__}: {error}); not loaded.") from error
    if not isinstance(model, HistGradientBoostingClassifier):
        raise ModelError(f"{name}: holds a {type(model).__name__}, not a gradient boosting classifier; not loaded.")
    if list(getattr(model, "feature_names_in_", [])) != FEATURES:
        raise ModelError(f"{name}: was not fitted on this project's features ({', '.join(FEATURES)}); not loaded.")
    return model


def _refit(config: PipelineConfig, features: pd.DataFrame, trial: TrialResult) -> Fitted:
    return Fitted(fit(config, features, trial.hyperparameters, ["train", "validation"]), trial)


def _score(config: PipelineConfig, features: pd.DataFrame, trial: Trial) -> TrialResult:
    validation = features[features[SPLIT] == "validation"]
    probability = predict(fit(config, features, trial.hyperparameters, ["train"]), validation)
    return TrialResult(
        number=trial.number,
        hyperparameters=trial.hyperparameters,
        log_loss=float(log_loss(validation[LABEL], probability)),
        roc_auc=float(roc_auc_score(validation[LABEL], probability)),
    )


def _propose(config: PipelineConfig, number: int) -> Hyperparameters:
    """Multiply and divide the baseline's values by up to 2 (trees), 3 (leaves) or 10 (regularization)."""
    random = np.random.default_rng([config.seed, number])
    base = config.baseline

    def around(value: float, factor: float) -> float:
        return float(value * factor ** random.uniform(-1, 1))

    trees = around(1, 2)  # more trees go with smaller steps, so that the model stays as strong
    return Hyperparameters(
        learning_rate=min(max(round(base.learning_rate / trees, 4), 0.0001), 1),
        max_iter=round(min(base.max_iter * trees, 2000)),
        max_leaf_nodes=round(min(max(around(base.max_leaf_nodes, 2), 2), 255)),
        min_samples_leaf=max(round(around(base.min_samples_leaf, 3)), 1),
        l2_regularization=round(around(base.l2_regularization, 10), 3),
        max_features=min(max(round(around(base.max_features, 2), 2), 0.01), 1),
    )


def _renumber(node: Any, numbers: dict[int, int], files: dict[str, str]) -> dict[str, str]:
    """Replace skops' object and file numbers in place by reading order; return the files' old and new names.

    Plain values get a number each, because whether two equal ones are one object is an accident of the process.
    """
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, files)
    elif isinstance(node, dict):
        if "__id__" in node:
            key = node["__id__"] if not node.get("is_json") else -len(numbers) - 1
            node["__id__"] = numbers.setdefault(key, len(numbers))
        if "file" in node and isinstance(node["file"], str):
            node["file"] = files.setdefault(node["file"], f"{len(files)}.npy")
        for value in node.values():
            _renumber(value, numbers, files)
    return files
