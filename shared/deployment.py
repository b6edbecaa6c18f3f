"""The last step: the winner goes to staging and, if the gate lets it, to production."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from shared.config import PipelineConfig
from shared.evaluation import Evaluation
from shared.fingerprint import FINGERPRINT_FILE, Fingerprint
from shared.progress import logged_step
from shared.registry import Registry
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
        return cls(**{**artifact.summary, "fingerprint": artifact.read_json(FINGERPRINT_FILE)})


@logged_step
def deploy(config: PipelineConfig, evaluation: Evaluation, registry: Registry) -> Deployment:
    """Register and stage the winner; promote it if every check of the gate passed. Again, it changes nothing."""
    summary = evaluation.to_json()
    metadata = {
        **{name: summary[name] for name in ("winner", "passed", "metrics", "gate")},
        "fingerprint": evaluation.fingerprint["fingerprint"],
        "config": config.model_dump(mode="json"),
        "trained_until": config.test_start.isoformat(),
    }
    version = registry.register(evaluation.model, metadata)
    registry.stage(version)
    if evaluation.passed:
        registry.promote(version)
    reasons = [check.reason for check in evaluation.gate]
    return Deployment(version, evaluation.passed, reasons, evaluation.fingerprint)
