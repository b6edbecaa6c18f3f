"""Data of other years, by months: the same rows as in one file, and only the months that are needed are read."""

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from module4.benchmark.grow import config_for, grow
from shared import features
from shared.config import PipelineConfig, preset
from shared.data import load_data, load_flights
from shared.errors import ConfigError, DataError
from shared.inference import load_batch, parse_day
from shared.monitoring import measure_drift
from shared.registry import Registry

WEATHER = features.WEATHER


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years of data."""
    folder = tmp_path_factory.mktemp("grown") / "data"
    grow(folder, 2, say=lambda line: None)
    return folder


@pytest.fixture
def config(grown: Path) -> PipelineConfig:
    return config_for(grown, 2)


def of_months(folder: Path, **overrides: object) -> PipelineConfig:
    return preset("tiny", data_folder=str(folder), **overrides)


def test_the_year_by_months_is_the_year_in_one_file(grown: Path, tiny_flights: pd.DataFrame) -> None:
    months = load_data(of_months(grown))
    text = months.select_dtypes("category").columns
    same = [name for name in months if name not in WEATHER]
    pd.testing.assert_frame_equal(
        months[same].astype(dict.fromkeys(text, "str")), tiny_flights[same].astype(dict.fromkeys(text, "str"))
    )
    # In one file LaGuardia and Kennedy get each other's weather: see the comment in data.join.
    newark = months["origin"] == "EWR"
    pd.testing.assert_frame_equal(months.loc[newark, WEATHER], tiny_flights.loc[newark, WEATHER])
    others = {"JFK": "LGA", "LGA": "JFK"}
    swapped = tiny_flights.assign(origin=tiny_flights["origin"].astype("str").replace(others))
    by_hour = ["hour", "origin"]
    right = months[[*by_hour, *WEATHER]].astype({"origin": "str"}).drop_duplicates().set_index(by_hour).sort_index()
    given = swapped[[*by_hour, *WEATHER]].drop_duplicates().set_index(by_hour).sort_index()
    both = right.index.intersection(given.index)
    pd.testing.assert_frame_equal(right.loc[both], given.loc[both])


def test_training_reaches_over_the_end_of_a_year(config: PipelineConfig) -> None:
    flights = load_data(config)
    assert {*flights["date"].dt.year} == {2013, 2014}
    assert len(flights) == 2 * 336_776
    table = features.preprocess(config, flights)
    assert {*table["split"]} == {*features.SPLITS}
    assert table.loc[table["split"] == "test", "date"].dt.year.unique().tolist() == [2014]


def test_the_second_year_is_like_the_first_and_not_the_same(config: PipelineConfig) -> None:
    first, second = (load_flights(config, date(year, 7, 1), date(year, 7, 2)) for year in (2013, 2014))
    first, second = (table[table["date"].dt.month == 7].reset_index(drop=True) for table in (first, second))
    assert first["flight"].tolist() == second["flight"].tolist()
    assert (second["hour"] - first["hour"]).unique().tolist() == [pd.Timedelta(days=365)]
    moved = (second["arr_delay"] - first["arr_delay"]).dropna()
    assert moved.abs().between(1, 60).mean() > 0.9
    assert first["arr_delay"].isna().equals(second["arr_delay"].isna())


def test_a_day_reads_only_the_months_that_it_looks_back_on(grown: Path, config: PipelineConfig, tmp_path: Path) -> None:
    wanted = load_batch(config, date(2014, 6, 30))
    few = tmp_path / "few"
    shutil.copytree(grown, few)
    for path in [*few.glob("flights/*.csv"), *few.glob("weather/*.csv")]:
        if path.stem not in ("2014-05", "2014-06"):
            path.unlink()
    moved = config.model_copy(update={"data_folder": str(few)})
    pd.testing.assert_frame_equal(load_batch(moved, date(2014, 6, 30)), wanted)
    with pytest.raises(DataError, match=r"/2014-07\.csv: cannot be read .* Put the file there"):
        load_batch(moved, date(2014, 7, 1))


def test_a_bad_row_is_named_with_its_month_and_line(grown: Path, config: PipelineConfig, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(grown, copy)
    path = copy / "flights" / "2014-06.csv"
    lines = path.read_text().splitlines()
    names = lines[0].replace('"', "").split(",")
    values = lines[1].split(",")
    values[names.index("day")] = "31"
    path.write_text("\n".join([lines[0], ",".join(values), *lines[2:]]) + "\n")
    moved = config.model_copy(update={"data_folder": str(copy)})
    with pytest.raises(DataError, match=r"2014-06\.csv: column 'day' is not a day of its month: line 2 has 31\."):
        load_batch(moved, date(2014, 6, 30))


def test_a_day_must_be_in_the_configurations_data(config: PipelineConfig) -> None:
    assert parse_day("2014-06-30", config) == date(2014, 6, 30)
    with pytest.raises(DataError, match="2015-01-02 is outside the data, which covers 2013-01-01 to 2015-01-01"):
        parse_day("2015-01-02", config)
    with pytest.raises(DataError, match="2014-06-30 is outside the data, which covers 2013-01-01 to 2014-01-01"):
        parse_day("2014-06-30", preset("tiny"))


def test_drift_is_measured_in_another_year(config: PipelineConfig, tmp_path: Path) -> None:
    from shared.monitoring import train_and_deploy

    ended = config.model_copy(
        update={"test_start": date(2014, 2, 3), "train_weeks": 6, "validation_weeks": 1, "test_weeks": 1, "trials": 1}
    )
    registry = Registry(str(tmp_path / "registry"), config.model_name)
    assert train_and_deploy(ended, registry)
    drift = measure_drift(ended, registry, date(2014, 3, 10))
    assert (drift.window_start, drift.deployed) == ("2014-02-10", "2014-02-10")
    assert drift.flights > 20_000


def test_more_flights_a_day_than_16_bits_count_are_counted(config: PipelineConfig) -> None:
    one = load_flights(config, date(2014, 6, 30), date(2014, 7, 1))
    one = one[one["date"] == pd.Timestamp(2014, 6, 30)]
    many = pd.concat([one] * 40, ignore_index=True)
    assert len(many) > 32_767
    assert features.group_sizes(many, ["date"]).unique().tolist() == [len(many)]
    assert features.group_sizes(one, ["date"]).dtype == "int16"


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(ConfigError, match=r"^folder: .* exists and is not empty\. Name a new one\."):
        grow(tmp_path, 1)
    with pytest.raises(ConfigError, match=r"^years: 0 is not a number from 1 to 187\."):
        grow(tmp_path / "new", 0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("data_begin", date(1969, 12, 31), "data_begin: Input should be greater"),
        ("data_end", date(2300, 1, 1), "data_end: Input should be less"),
        ("data_end", date(2013, 1, 1), "data_begin, data_end: 2013-01-01 is not before 2013-01-01"),
        ("data_end", date(2013, 3, 1), "the data covers 2013-01-01 to 2013-02-28"),
        ("train_weeks", 53, "training would begin on 2012-02-20"),
    ],
)
def test_data_that_cannot_be_is_refused(field: str, value: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        preset("tiny", **{field: value})
