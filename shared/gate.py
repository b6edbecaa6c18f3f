"""What an evaluation ends in: the quality gate's checks, and the files that `deploy` reads. Needs no table."""

from dataclasses import dataclass

EVALUATION_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.parquet"

Metrics = dict[str, float]


@dataclass(frozen=True)
class Check:
    """One condition of the quality gate."""

    name: str
    value: float
    limit: float
    passed: bool
    reason: str


def at_least(name: str, value: float, limit: float) -> Check:
    """Return the condition that a value reaches its limit."""
    passed = value >= limit
    return Check(name, value, limit, passed, f"{name}: {value:.4f} {'reaches' if passed else 'is below'} {limit:.4f}")


def at_most(name: str, value: float, limit: float) -> Check:
    """Return the condition that a value does not exceed its limit."""
    passed = value <= limit
    return Check(name, value, limit, passed, f"{name}: {value:.4f} {'is within' if passed else 'exceeds'} {limit:.4f}")
