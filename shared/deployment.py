"""The last step: the winner goes to staging and, if the gate lets it, to production.

A model goes from its file to the registry without being loaded, so this step needs neither scikit-learn nor pandas.
"""

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, Self, cast

from pydantic import TypeAdapter

from shared.config import PipelineConfig
from shared.errors import ArtifactError
from shared.fingerprint import FINGERPRINT_FILE, Fingerprint, make_fingerprint, output_digests
from shared.fitted import MODEL_FILE
from shared.gate import EVALUATION_FILE, PREDICTIONS_FILE, Check, Metrics
from shared.progress import logged_step
from shared.registry import Metadata, Registry, Verdict
from shared.storage import Artifact, Summary, write_json


class Judged(Protocol):
    """What `deploy` needs of an evaluation."""

    @property
    def winner(self) -> str: ...  # noqa: D102
    @property
    def passed(self) -> bool: ...  # noqa: D102
    @property
    def metrics(self) -> dict[str, Metrics]: ...  # noqa: D102
    @property
    def gate(self) -> list[Check]: ...  # noqa: D102
    @property
    def fingerprint(self) -> Fingerprint: ...  # noqa: D102

    def outputs(self) -> tuple[bytes, bytes]:
        """Return the winner's file, and its probabilities as the bytes of 64-bit floats."""
        ...


@dataclass(frozen=True)
class StoredEvaluation:
    """An evaluation as it is stored: its model is the content of a file, and its predictions are their bytes."""

    winner: str
    metrics: dict[str, Metrics]
    gate: list[Check]
    fingerprint: Fingerprint
    model_file: bytes
    probabilities: bytes

    @property
    def passed(self) -> bool:
        """Whether every check of the gate passed."""
        return all(check.passed for check in self.gate)

    def outputs(self) -> tuple[bytes, bytes]:
        """Return the winner's file, and its probabilities as the bytes of 64-bit floats."""
        return self.model_file, self.probabilities

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return what `Evaluation.write` stored, without what only a report shows."""
        import numpy as np
        from pyarrow.parquet import ParquetFile

        values = artifact.read_json(EVALUATION_FILE)
        predictions = ParquetFile(io.BytesIO(artifact.read(PREDICTIONS_FILE))).read(columns=["probability"])
        return cls(
            winner=values["winner"],
            metrics=TypeAdapter(dict[str, Metrics]).validate_python(values["metrics"]),
            gate=TypeAdapter(list[Check]).validate_python(values["gate"]),
            fingerprint=TypeAdapter(Fingerprint).validate_python(artifact.read_json(FINGERPRINT_FILE)),
            model_file=artifact.read(MODEL_FILE),
            # Arrow's own to_numpy would import pandas.
            probabilities=np.from_dlpack(predictions["probability"].combine_chunks()).tobytes(),
        )


@dataclass(frozen=True)
class Deployment:
    """What happened to the winner; `reasons` are the gate's, one per check."""

    version: str
    in_production: bool
    reasons: list[str]
    fingerprint: Fingerprint

    def write(self, folder: Path) -> Summary:
        """Write the fingerprint into `folder` and return the rest as the summary."""
        write_json(self.fingerprint, folder / FINGERPRINT_FILE)
        return {**asdict(self), "fingerprint": self.fingerprint["fingerprint"]}

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return what `write` stored."""
        values = {**artifact.summary, "fingerprint": artifact.read_json(FINGERPRINT_FILE)}
        return TypeAdapter(cls).validate_python(values)


@logged_step
def deploy(config: PipelineConfig, evaluation: Judged, registry: Registry) -> Deployment:
    """Register and stage the winner; promote it if every check of the gate passed. Again, it changes nothing.

    Raises ArtifactError, before anything is written, when the evaluation's parts do not belong together.
    """
    model_file = _checked_model_file(evaluation)
    metadata: Metadata = {
        "winner": evaluation.winner,
        "passed": evaluation.passed,
        "metrics": evaluation.metrics,
        "gate": cast(list[Verdict], [asdict(check) for check in evaluation.gate]),
        "fingerprint": evaluation.fingerprint["fingerprint"],
        "config": config.model_dump(mode="json"),
        "trained_until": config.test_start.isoformat(),
    }
    version = registry.deploy(model_file, metadata)
    reasons = [check.reason for check in evaluation.gate]
    return Deployment(version, evaluation.passed, reasons, evaluation.fingerprint)


def _checked_model_file(evaluation: Judged) -> bytes:
    """Return the winner's file.

    Raises ArtifactError if the fingerprint is not that of this model, these metrics and these predictions.
    """
    fingerprint, winner = evaluation.fingerprint, evaluation.winner
    try:
        model_file, probabilities = evaluation.outputs()
        digests = output_digests(model_file, probabilities)
        fits = {
            "its parts": make_fingerprint(fingerprint) == fingerprint,
            "its model": digests["model"] == fingerprint["model"],
            "its predictions": digests["predictions"] == fingerprint["predictions"],
            "its metrics": fingerprint["metrics"][winner]["test"] == evaluation.metrics[winner],
            "its winner": fingerprint["hyperparameters"]["winner"] == winner,
        }
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"deploy: the evaluation's fingerprint is incomplete ({error}). Evaluate again.") from None
    if wrong := [name for name, right in fits.items() if not right]:
        raise ArtifactError(f"deploy: the evaluation's fingerprint does not fit {', '.join(wrong)}. Evaluate again.")
    return model_file
