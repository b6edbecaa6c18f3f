"""The search's trials: seeded proposals around the baseline, and how each scored. Needs neither tables nor models."""

from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.config import Hyperparameters, PipelineConfig, explain, refuse_repeated
from shared.errors import ConfigError
from shared.progress import logged_step

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


@logged_step
def propose_trials(config: PipelineConfig) -> list[Trial]:
    """Return the search's trials: seeded proposals around the baseline, each from its own seed."""
    return [Trial(number=number, hyperparameters=_propose(config, number)) for number in range(config.trials)]


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
