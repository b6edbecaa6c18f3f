"""The fingerprint of a training run: it is equal on every platform, and if not, it shows which part differs."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the fingerprint is read by programs that never touch a table
    import pandas as pd

Fingerprint = dict[str, Any]

FINGERPRINT_FILE = "fingerprint.json"
PARTS = ("data", "hyperparameters", "metrics", "predictions", "model")


def table_digest(frame: "pd.DataFrame") -> str:
    """Return the SHA-256 of a table's content: names, types, order and values, no matter how it was stored."""
    import numpy as np
    import pandas as pd

    digest = hashlib.sha256()
    for name, column in frame.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            values = column.cat.codes.to_numpy().astype("int32")
            kind = "category:" + json.dumps(list(column.cat.categories))
        else:
            values = column.to_numpy()
            kind = str(values.dtype)
        if values.dtype.kind == "f":
            values = np.where(np.isnan(values), np.array(np.nan, values.dtype), values)  # a NaN has many bit patterns
        if values.dtype.kind not in "biufM":
            raise TypeError(f"column {name!r} of type {kind} has no digest")
        digest.update(f"{name}:{kind}:{len(values)}\n".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def make_fingerprint(parts: Mapping[str, Any]) -> Fingerprint:
    """Return the PARTS with their common SHA-256 as `fingerprint`."""
    ordered = {name: parts[name] for name in PARTS}
    return {"fingerprint": json_digest(ordered), **ordered}


def output_digests(model_file: bytes, probabilities: bytes) -> dict[str, str]:
    """Return the fingerprint's `predictions` and `model`: the SHA-256 of each."""
    return {
        "predictions": hashlib.sha256(probabilities).hexdigest(),
        "model": hashlib.sha256(model_file).hexdigest(),
    }


def json_digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-able value; floats count with all their digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differing_parts(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Return the names of the PARTS in which two fingerprints differ."""
    return [name for name in PARTS if first.get(name) != second.get(name)]
