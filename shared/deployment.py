"""The last step: the winner goes to staging and, if the gate lets it, to production."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, cast

from pydantic import TypeAdapter

from shared.config import PipelineConfig
from shared.errors import ArtifactError
from shared.evaluation import Evaluation, output_digests
from shared.fingerprint import FINGERPRINT_FILE, Fingerprint, make_fingerprint
from shared.progress import logged_step
from shared.registry import Metadata, Registry, Verdict
from shared.storage import Artifact, Summary, write_json


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
def deploy(config: PipelineConfig, evaluation: Evaluation, registry: Registry) -> Deployment:
    """Register and stage the winner; promote it if every check of the gate passed. Again, it changes nothing.

    Raises ArtifactError, before anything is written, when the evaluation's parts do not belong together.
    """
    _check_fingerprint(evaluation)
    metadata: Metadata = {
        "winner": evaluation.winner,
        "passed": evaluation.passed,
        "metrics": evaluation.metrics,
        "gate": cast(list[Verdict], [asdict(check) for check in evaluation.gate]),
        "fingerprint": evaluation.fingerprint["fingerprint"],
        "config": config.model_dump(mode="json"),
        "trained_until": config.test_start.isoformat(),
    }
    version = registry.deploy(evaluation.model, metadata)
    reasons = [check.reason for check in evaluation.gate]
    return Deployment(version, evaluation.passed, reasons, evaluation.fingerprint)


def _check_fingerprint(evaluation: Evaluation) -> None:
    """Raise ArtifactError if the fingerprint is not that of this model, these metrics and these predictions."""
    fingerprint, winner = evaluation.fingerprint, evaluation.winner
    try:
        digests = output_digests(evaluation.model, evaluation.predictions["probability"].to_numpy())
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
