"""Predictions for one day: the features of training, one partition per day, and clear refusals."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shared import deployment, fitted, inference, steps
from shared.config import PipelineConfig
from shared.errors import DataError, RegistryError
from shared.evaluation import Evaluation
from shared.features import FEATURES, LABEL
from shared.registry import Champion, Registry

DAY = date(2013, 3, 6)


@pytest.fixture(scope="module")
def batch(tiny: PipelineConfig) -> pd.DataFrame:
    return inference.load_batch(tiny, DAY)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, small: PipelineConfig, judged: Evaluation) -> str:
    folder = tmp_path_factory.mktemp("store")
    deployment.deploy(small, judged, Registry(f"{folder}/registry", small.model_name))
    return str(folder)


def test_a_batch_has_the_features_of_training(
    batch: pd.DataFrame, tiny_flights: pd.DataFrame, tiny_features: pd.DataFrame
) -> None:
    """No skew: what is predicted from is what was learned from, although other days were loaded with it."""
    arrived = tiny_flights.loc[tiny_flights["date"] == pd.Timestamp(DAY), "arr_delay"].notna()
    learned = tiny_features.loc[tiny_features["date"] == pd.Timestamp(DAY), FEATURES]
    predicted = batch.loc[arrived.to_numpy(), FEATURES]
    pd.testing.assert_frame_equal(
        predicted.reset_index(drop=True), learned.reset_index(drop=True), check_categorical=False, check_dtype=False
    )


def test_a_batch_holds_all_flights_of_its_day_and_no_label(batch: pd.DataFrame, tiny_flights: pd.DataFrame) -> None:
    scheduled = tiny_flights[tiny_flights["date"] == pd.Timestamp(DAY)]
    assert len(batch) == len(scheduled)
    assert scheduled["arr_delay"].isna().any(), "cancelled flights get predictions too"
    assert set(batch["date"]) == {pd.Timestamp(DAY)}
    assert not {LABEL, "arr_delay"} & {*batch.columns}


def test_the_first_day_has_no_history_and_still_a_batch(tiny: PipelineConfig) -> None:
    first = inference.load_batch(tiny, date(2013, 1, 1))
    assert (first["late_share_7d"] == pd.Series(first["late_share_7d"]).iloc[0]).all()


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2013-02-30",
        "2012-12-31",
        "2014-01-02",
        "",
        "2013-03-12garbage",
        "2013-05-06/../../../escape",
        "20130306",
        "2013-W10-3",
        "2013-03-06\n",
        "2013-03-06T05:00:00/../x",
    ],
)
def test_an_impossible_day_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"^day: "):
        inference.parse_day(text)


@pytest.mark.parametrize("text", ["2013-03-06", "2013-03-06T05:00:00+00:00"])
def test_a_day_is_a_date_or_a_timestamp(text: str) -> None:
    assert inference.parse_day(text) == DAY


def test_a_day_without_flights_is_refused(tiny: PipelineConfig) -> None:
    with pytest.raises(DataError, match="load_batch: no flight is scheduled on 2014-01-01"):
        inference.load_batch(tiny, date(2014, 1, 1))


def test_predictions_are_the_models(small: PipelineConfig, batch: pd.DataFrame, judged: Evaluation) -> None:
    predictions = inference.predict(small, Champion("v1", judged.model, "2013-03-04"), batch)
    assert predictions.columns.tolist() == [*inference.IDENTITY, "probability", "version"]
    assert (predictions["probability"] == fitted.predict(judged.model, batch)).all()
    assert set(predictions["version"]) == {"v1"}


def run_inference(config: str, store: str, folder: Path, day: str = str(DAY)) -> dict[str, Any]:
    batch = steps.load_batch(config, day, f"{folder}/load_batch")["uri"]
    model = steps.load_model(config, f"{store}/registry", f"{folder}/load_model")["uri"]
    predictions = steps.predict(config, batch, model, f"{folder}/predict")["uri"]
    return steps.save_predictions(config, predictions, f"{store}/predictions")


def test_the_steps_make_a_partition_and_again_the_same(small: PipelineConfig, store: str, tmp_path: Path) -> None:
    first = run_inference(small.to_json(), store, tmp_path / "1")
    partition = Path(store) / "predictions" / "date=2013-03-06"
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in partition.iterdir()}
    assert first["uri"] == str(partition)
    assert first["rows"] == len(pd.read_parquet(partition / "table.parquet"))
    assert first["version"] == Registry(f"{store}/registry", small.model_name).aliases()["production"]
    assert run_inference(small.to_json(), store, tmp_path / "2") == first
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in partition.iterdir()} == before


def test_without_a_model_in_production_the_error_says_what_to_do(small: PipelineConfig, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"no model is in production in .*empty\. Run the training pipeline first"):
        steps.load_model(small.to_json(), f"{tmp_path}/empty", f"{tmp_path}/model")
    assert not (tmp_path / "model").exists()


def test_a_partition_holds_one_day(
    small: PipelineConfig, batch: pd.DataFrame, judged: Evaluation, tmp_path: Path
) -> None:
    predictions = inference.predict(small, Champion("v1", judged.model, "2013-03-04"), batch)
    two = pd.concat([predictions, predictions.assign(date=pd.Timestamp(2013, 3, 7))])
    with pytest.raises(DataError, match="a partition holds one day, got 2"):
        inference.save_predictions(small, two, str(tmp_path))
    assert not [*tmp_path.iterdir()]
