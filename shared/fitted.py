"""A fitted model: what it predicts, and its file. scikit-learn and skops are loaded only by what reads or writes one.

A model's file is the same on every machine: skops numbers objects by their memory address, so the file is rewritten
with numbers in reading order.
"""

import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias

from shared.errors import ModelError
from shared.storage import Artifact, Summary
from shared.trials import TrialResult

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.ensemble import HistGradientBoostingClassifier

Model: TypeAlias = "HistGradientBoostingClassifier"

MODEL_FILE = "model.skops"

# What a stored model may hold beside scikit-learn's and NumPy's own types that skops trusts by itself.
TRUSTED_TYPES = [
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]


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


def predict(model: Model, features: "pd.DataFrame") -> "NDArray[np.float64]":
    """Return each row's probability of being late, of shape (rows,), between 0 and 1. `features` has FEATURES."""
    from shared.features import FEATURES

    probabilities: NDArray[np.float64] = model.predict_proba(features[FEATURES])[:, 1]
    return probabilities


def dump_model(model: Model) -> bytes:
    """Return the model's file in skops' format: the same bytes for the same model, and no pickle."""
    with zipfile.ZipFile(io.BytesIO(_skops().dumps(model))) as archive:
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
    from sklearn.ensemble import HistGradientBoostingClassifier

    from shared.features import FEATURES

    skops = _skops()
    try:
        untrusted = set(skops.get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
        if untrusted:
            raise ModelError(f"{name}: holds types that are not trusted ({', '.join(sorted(untrusted))}); not loaded.")
        model = skops.loads(content, trusted=TRUSTED_TYPES)
    except ModelError:
        raise
    except Exception as error:  # skops raises whatever zip, JSON or NumPy raise on a broken file
        raise ModelError(f"{name}: is not a readable model ({type(error).__name__}: {error}); not loaded.") from error
    if not isinstance(model, HistGradientBoostingClassifier):
        raise ModelError(f"{name}: holds a {type(model).__name__}, not a gradient boosting classifier; not loaded.")
    if list(getattr(model, "feature_names_in_", [])) != FEATURES:
        raise ModelError(f"{name}: was not fitted on this project's features ({', '.join(FEATURES)}); not loaded.")
    return model


def _skops() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # skops looks into every loaded module, and Airflow's answer with a warning each
        import skops.io
    return skops.io


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
