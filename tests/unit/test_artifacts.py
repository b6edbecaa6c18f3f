"""Values as artifacts: what comes back is what was stored."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.artifacts import load, save
from shared.deployment import Deployment
from shared.errors import ArtifactError, PipelineError
from shared.evaluation import Evaluation
from shared.fingerprint import table_digest
from shared.fitted import Fitted, dump_model
from shared.report import report_files
from shared.storage import open_artifact

DEPLOYMENT = Deployment("abc", True, ["fine", "also fine"], {"fingerprint": "f" * 64, "model": "m"})


@pytest.fixture
def uri(tmp_path: Any) -> str:
    return f"{tmp_path}/one"


def test_a_table_comes_back_exactly(uri: str, small_features: pd.DataFrame) -> None:
    summary = save(small_features, uri)
    assert summary == {
        "uri": uri,
        "rows": len(small_features),
        "columns": len(small_features.columns),
        "digest": table_digest(small_features),
    }
    pd.testing.assert_frame_equal(load(uri, pd.DataFrame), small_features, check_exact=True)


def test_flights_come_back_exactly(uri: str, tiny_flights: pd.DataFrame) -> None:
    flights = tiny_flights.head(100)
    save(flights, uri)
    pd.testing.assert_frame_equal(load(uri, pd.DataFrame), flights, check_exact=True)


def test_a_fitted_model_comes_back(uri: str, baseline: Fitted) -> None:
    summary = save(baseline, uri)
    assert summary["hyperparameters"]["max_iter"] == 5
    loaded = load(uri, Fitted)
    assert loaded.trial == baseline.trial
    assert dump_model(loaded.model) == dump_model(baseline.model)


def test_an_evaluation_comes_back(uri: str, judged: Evaluation) -> None:
    summary = save(judged, uri)
    assert (summary["winner"], summary["passed"]) == ("candidate", judged.passed)
    assert summary["roc_auc"] == judged.metrics["candidate"]["roc_auc"]
    loaded = load(uri, Evaluation)
    assert loaded.to_json() == judged.to_json()
    assert (loaded.gate, loaded.fingerprint, loaded.champion) == (judged.gate, judged.fingerprint, judged.champion)
    assert dump_model(loaded.model) == dump_model(judged.model)
    pd.testing.assert_frame_equal(loaded.predictions, judged.predictions, check_exact=True)


def test_a_report_is_stored_beside_its_evaluation(uri: str, judged: Evaluation) -> None:
    save(judged, uri, report_files(judged))
    artifact = open_artifact(uri)
    assert artifact.read("report.md").startswith(b"# Evaluation on the test weeks")
    assert artifact.read("report.png").startswith(b"\x89PNG")


def test_saving_an_evaluation_again_changes_nothing(uri: str, judged: Evaluation) -> None:
    save(judged, uri)
    before = open_artifact(uri).files
    save(load(uri, Evaluation), uri)
    assert open_artifact(uri).files == before


def test_a_slice_of_one_kind_can_be_stored(uri: str, judged: Evaluation) -> None:
    slices = judged.slices.assign(roc_auc=[np.nan, *judged.slices["roc_auc"][1:]])
    save(replace(judged, slices=slices), uri)
    assert load(uri, Evaluation).slices["roc_auc"].isna().tolist() == slices["roc_auc"].isna().tolist()


def test_a_deployment_comes_back(uri: str) -> None:
    summary = save(DEPLOYMENT, uri)
    assert summary == {
        "uri": uri,
        "version": "abc",
        "in_production": True,
        "reasons": ["fine", "also fine"],
        "fingerprint": "f" * 64,
    }
    assert load(uri, Deployment) == DEPLOYMENT


@pytest.mark.parametrize("kind", [pd.DataFrame, Fitted, Evaluation, Deployment])
def test_a_missing_artifact_is_refused(uri: str, kind: type) -> None:
    with pytest.raises(ArtifactError, match="there is no complete artifact"):
        load(uri, kind)


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("table", Fitted),
        ("table", Deployment),
        ("deployment", pd.DataFrame),
        ("model", Evaluation),
        ("evaluation", Fitted),
    ],
)
def test_an_artifact_of_another_kind_is_refused(
    uri: str, judged: Evaluation, baseline: Fitted, stored: str, asked: type
) -> None:
    save({"table": judged.predictions, "model": baseline, "evaluation": judged, "deployment": DEPLOYMENT}[stored], uri)
    with pytest.raises(PipelineError, match=uri):
        load(uri, asked)
