"""A small configuration with small models, for tests that are not about the model's quality."""

import uuid
from collections.abc import Iterator

import pandas as pd
import pytest
import sklearn.ensemble  # noqa: F401  # loads the OpenMP library that `one_thread` limits
from threadpoolctl import threadpool_limits

from shared import evaluation, models
from shared.config import Hyperparameters, PipelineConfig, preset
from shared.evaluation import Evaluation
from shared.fitted import Fitted
from shared.trials import TrialResult
from tests.s3_server import BUCKET, s3_server


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Test processes already share the cores; more threads would only wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def s3_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that lead to a real S3 server; it runs until the tests end."""
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture
def s3_store(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A new folder in a bucket of a real S3 server."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def small() -> PipelineConfig:
    return preset("tiny", trials=3, baseline=Hyperparameters(max_iter=5, learning_rate=0.2, min_samples_leaf=20))


@pytest.fixture(scope="session")
def small_features(tiny_features: pd.DataFrame) -> pd.DataFrame:
    """Every tenth row: all splits, three origins, a few thousand rows."""
    return tiny_features.iloc[::10].reset_index(drop=True)


@pytest.fixture(scope="session")
def baseline(small: PipelineConfig, small_features: pd.DataFrame) -> Fitted:
    with threadpool_limits(1):
        return models.train(small, small_features)


@pytest.fixture(scope="session")
def candidate(small: PipelineConfig, small_features: pd.DataFrame) -> Fitted:
    """A model that differs from the baseline, with a better score on the validation weeks, as written here."""
    settings = small.baseline.model_copy(update={"max_iter": 8})
    with threadpool_limits(1):
        model = models.fit(small, small_features, settings, ["train", "validation"])
    return Fitted(model, TrialResult(number=0, hyperparameters=settings, log_loss=0.1, roc_auc=0.9))


@pytest.fixture(scope="session")
def judged(small: PipelineConfig, small_features: pd.DataFrame, baseline: Fitted, candidate: Fitted) -> Evaluation:
    with threadpool_limits(1):
        return evaluation.evaluate(small, small_features, baseline, candidate)
