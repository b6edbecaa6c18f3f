"""Features: each is tested on handmade rows, and the promise that none of them knows the future on real ones."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.config import PipelineConfig, preset
from shared.data import SOURCES, join, package_folder, read_source, trailing_weather
from shared.errors import DataError
from shared.features import (
    FEATURES,
    build_features,
    days_from_holiday,
    group_codes,
    group_sizes,
    late_label,
    late_share_before,
    preprocess,
    scheduled_minutes,
    split_by_time,
)

NAN = float("nan")


def days(*texts: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(texts))).astype("datetime64[ms]")


# The label and the splits


@pytest.mark.parametrize(("delay", "late"), [(-20, 0), (0, 0), (15, 0), (16, 1), (300, 1), (NAN, NAN)])
def test_late_is_more_than_fifteen_minutes(delay: float, late: float) -> None:
    np.testing.assert_equal(late_label(pd.Series([delay], dtype="float32")).tolist(), [late])


@pytest.mark.parametrize(
    ("day", "split"),
    [
        ("2013-02-03", None),
        ("2013-02-04", "train"),
        ("2013-02-24", "train"),
        ("2013-02-25", "validation"),
        ("2013-03-03", "validation"),
        ("2013-03-04", "test"),
        ("2013-03-10", "test"),
        ("2013-03-11", None),
    ],
)
def test_each_split_holds_its_first_day_and_not_the_next_ones(
    tiny: PipelineConfig, day: str, split: str | None
) -> None:
    result = split_by_time(tiny, days(day)).iloc[0]
    assert (None if pd.isna(result) else result) == split


def test_splits_follow_each_other_in_time(tiny_features: pd.DataFrame) -> None:
    spans = tiny_features.astype({"split": "str"}).groupby("split")["date"].agg(["min", "max"])
    assert {name: tuple(f"{day:%m-%d}" for day in span) for name, *span in spans.itertuples()} == {
        "train": ("02-04", "02-24"),
        "validation": ("02-25", "03-03"),
        "test": ("03-04", "03-10"),
    }


# The calendar and the schedule


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2013-07-04", 0),
        ("2013-07-03", -1),
        ("2013-07-06", 2),
        ("2013-11-28", 0),  # Thanksgiving
        ("2013-12-25", 0),
        ("2013-12-28", 3),  # four days before New Year's Day, three after Christmas
        ("2013-12-30", -2),
        ("2013-01-20", -1),  # before Martin Luther King's
        ("2013-03-15", 8),  # 25 days after Washington's birthday
        ("2013-05-01", -8),  # 26 days before Memorial Day
    ],
)
def test_days_from_the_nearest_holiday(day: str, expected: int) -> None:
    assert days_from_holiday(days(day)).tolist() == [expected]


def test_days_from_holiday_come_in_the_rows_order() -> None:
    dates = days("2013-07-05", "2013-07-03", "2013-07-05").set_axis([5, 3, 1])
    result = days_from_holiday(dates)
    assert result.to_dict() == {5: 1, 3: -1, 1: 1}


@pytest.mark.parametrize(
    ("departure", "arrival", "offset", "minutes"),
    [
        (8 * 60, 11 * 60 + 5, -5, 185),  # same time zone
        (10 * 60, 13 * 60, -8, 360),  # Los Angeles: three hours are gained
        (10 * 60, 15 * 60 + 30, -10, 630),  # Honolulu
        (23 * 60, 10, -5, 70),  # over midnight
        (21 * 60, 30, -8, 390),  # over midnight and three hours gained
        (23 * 60 + 59, 4 * 60 + 40, -4, 221),  # San Juan, one hour lost
        (8 * 60, 9 * 60, NAN, NAN),  # unknown time zone
    ],
)
def test_scheduled_minutes_count_from_gate_to_gate(departure: int, arrival: int, offset: float, minutes: float) -> None:
    flights = pd.DataFrame(
        {"departure_minute": [departure], "arrival_minute": [arrival], "dest_utc_offset": [offset]}
    ).astype({"departure_minute": "int16", "arrival_minute": "int16", "dest_utc_offset": "float32"})
    np.testing.assert_equal(scheduled_minutes(flights).tolist(), [minutes])


# Groups


def keyed(*rows: tuple[Any, Any]) -> pd.DataFrame:
    carriers, numbers = zip(*rows, strict=True)
    return pd.DataFrame({"carrier": pd.Categorical(carriers, categories=["ZZ", "UA", "AA"]), "flight": numbers})


def test_group_sizes_count_rows_with_the_same_values() -> None:
    flights = keyed(("AA", 1), ("UA", 1), ("AA", 1), ("AA", 2))
    assert group_sizes(flights, ["carrier"]).tolist() == [3, 1, 3, 3]
    assert group_sizes(flights, ["carrier", "flight"]).tolist() == [2, 1, 2, 1]


def test_group_codes_are_equal_for_equal_values_only() -> None:
    codes = group_codes(keyed(("AA", 1), ("UA", 1), ("AA", 1), ("AA", 2)), ("carrier", "flight"))
    assert codes[0] == codes[2]
    assert len({*codes}) == 3
    assert codes.min() >= 0


@pytest.mark.parametrize("keys", [("carrier",), ("carrier", "flight")])
def test_group_codes_are_minus_one_where_a_key_is_missing(keys: tuple[str, ...]) -> None:
    codes = group_codes(keyed((None, 1), ("AA", 1), (None, 1)), keys)
    assert (codes[0], codes[2]) == (-1, -1)
    assert codes[1] >= 0


def test_group_codes_without_keys_are_one_group() -> None:
    assert group_codes(keyed((None, 1), ("AA", 2)), ()).tolist() == [0, 0]


# History: shares before a day, with ten imagined flights of which two are late

# group, day, late, share of the day before, share of the two days before
HISTORY_BY_HAND = [
    (0, 1, 1.0, 2 / 10, 2 / 10),
    (0, 1, 0.0, 2 / 10, 2 / 10),
    (0, 2, 1.0, 3 / 12, 3 / 12),  # day 1: one of two
    (0, 3, NAN, 3 / 11, 4 / 13),  # day 2: one of one; both days: two of three
    (0, 4, 0.0, 2 / 10, 3 / 11),  # day 3: nothing known
    (0, 9, 1.0, 2 / 10, 2 / 10),  # long after the last flight
    (1, 2, 0.0, 2 / 10, 2 / 10),
    (1, 3, 1.0, 2 / 11, 2 / 11),  # day 2: none of one
    (-1, 3, 1.0, NAN, NAN),  # belongs to no group
]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("lengths", "columns"), [([1, 2], [3, 4]), ([2, 1], [4, 3]), ([2], [4])])
def test_late_shares_by_hand(lengths: list[int], columns: list[int], order: int) -> None:
    rows = HISTORY_BY_HAND[::order]
    groups, day, late = (np.array([row[index] for row in rows]) for index in range(3))
    shares = late_share_before(groups.astype("int64"), day.astype("int64"), late.astype("float32"), lengths)
    for share, column in zip(shares, columns, strict=True):
        np.testing.assert_allclose(share, [row[column] for row in rows], rtol=1e-6)


def test_a_late_share_does_not_count_its_own_day() -> None:
    groups, day = np.zeros(3, dtype="int64"), np.array([15_000, 15_000, 15_000])
    (shares,) = late_share_before(groups, day, np.ones(3, dtype="float32"), [28])
    np.testing.assert_allclose(shares, 0.2, rtol=1e-6)


def test_a_late_share_reaches_back_exactly_its_days() -> None:
    groups, day = np.zeros(3, dtype="int64"), np.array([100, 107, 108])
    (shares,) = late_share_before(groups, day, np.array([1, NAN, NAN], dtype="float32"), [7])
    np.testing.assert_allclose(shares, [0.2, 3 / 11, 0.2], rtol=1e-6)


def test_late_shares_where_no_row_has_a_group() -> None:
    (shares,) = late_share_before(np.array([-1, -1]), np.array([5, 6]), np.array([1, 0], dtype="float32"), [1])
    assert np.isnan(shares).all()


# All features of hand-made flights


def flights_of(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {
        "date": pd.Timestamp(2013, 2, 4),
        "hour": pd.Timestamp(2013, 2, 4, 13),
        "departure_minute": 8 * 60,
        "arrival_minute": 11 * 60,
        "carrier": "AA",
        "flight": 1,
        "tailnum": "N1",
        "origin": "JFK",
        "dest": "MIA",
        "distance": 1089,
        "arr_delay": 0.0,
        "dest_utc_offset": -5.0,
        "plane_year": 2003.0,
        "plane_seats": 150.0,
        "manufacturer": "BOEING",
        **{name: 1.0 for name in FEATURES if name.startswith("weather_")},
    }
    frame = pd.DataFrame([{**usual, **row} for row in rows])
    texts = dict.fromkeys(["carrier", "tailnum", "origin", "dest", "manufacturer"], "category")
    numbers = dict.fromkeys(["departure_minute", "arrival_minute", "flight", "distance"], "int16")
    return frame.astype({**texts, **numbers, "date": "datetime64[ms]", "hour": "datetime64[ms]"})


def test_congestion_counts_scheduled_flights_cancelled_ones_too() -> None:
    hour = pd.Timestamp(2013, 2, 4, 14)
    table = build_features(
        flights_of({}, {"carrier": "UA"}, {"flight": 2, "arr_delay": NAN}, {"origin": "LGA"}, {"hour": hour})
    )
    assert table["departures_hour"].tolist() == [3, 3, 3, 1, 1]
    assert table["departures_hour_carrier"].tolist() == [2, 1, 2, 1, 1]
    assert table["departures_day"].tolist() == [5] * 5


def test_a_cancelled_flight_has_features_but_no_label() -> None:
    table = build_features(flights_of({"arr_delay": NAN}, {"arr_delay": 16.0}))
    np.testing.assert_equal(table["late"].tolist(), [NAN, 1])
    assert not table.loc[0, ["departure_minute", "late_share_1d", "plane_age"]].isna().any()


def test_plane_and_calendar_of_a_flight() -> None:
    row = build_features(flights_of({})).iloc[0]
    assert (row["day_of_week"], row["plane_age"], row["plane_seats"], row["scheduled_minutes"]) == (0, 10, 150, 180)


def test_history_is_of_the_flights_own_group() -> None:
    before = {"date": pd.Timestamp(2013, 2, 3), "hour": pd.Timestamp(2013, 2, 3, 13), "arr_delay": 60.0}
    table = build_features(
        flights_of(before, {**before, "carrier": "UA", "origin": "LGA", "arr_delay": 0.0}, {}, {"tailnum": None})
    )
    row = table.iloc[2]
    assert row["late_share_1d"] == pytest.approx(3 / 12)  # both flights of the day before
    assert row["late_share_carrier_1d"] == pytest.approx(3 / 11)  # AA's alone
    assert row["late_share_origin_1d"] == pytest.approx(3 / 11)
    assert row["late_share_plane_14d"] == pytest.approx(3 / 12)
    assert row["late_share_origin_hour_28d"] == pytest.approx(3 / 11)
    assert np.isnan(table["late_share_plane_14d"].iloc[3])  # no plane, no history


def test_the_order_of_flights_does_not_matter(tiny_flights: pd.DataFrame) -> None:
    some = tiny_flights.iloc[::20]
    shuffled = some.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(build_features(shuffled).loc[some.index], build_features(some))


# The table of the splits


def test_the_table_holds_labelled_rows_of_the_splits(tiny: PipelineConfig) -> None:
    rows = [
        {"date": pd.Timestamp(day), "hour": pd.Timestamp(day), "arr_delay": delay}
        for day in ("2013-02-01", "2013-02-04", "2013-02-25", "2013-03-04")
        for delay in (0.0, 60.0, NAN)
    ]
    table = preprocess(tiny, flights_of(*rows))
    assert table["split"].tolist() == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert table["late"].tolist() == [0, 1] * 3
    assert table["departures_day"].tolist() == [3] * 6
    assert list(table.index) == list(range(6))
    assert set(table.columns) == {*FEATURES, "late", "date", "split"}


@pytest.mark.parametrize(
    ("missing", "flights", "late", "weeks"),
    [
        ("2013-02-04", 0, 0, "train weeks (2013-02-04 to 2013-02-25)"),
        ("2013-02-25", 0, 0, "validation weeks (2013-02-25 to 2013-03-04)"),
        ("2013-03-04", 0, 0, "test weeks (2013-03-04 to 2013-03-11)"),
    ],
)
def test_an_empty_split_is_refused(tiny: PipelineConfig, missing: str, flights: int, late: int, weeks: str) -> None:
    rows = [
        {"date": pd.Timestamp(day), "hour": pd.Timestamp(day), "arr_delay": delay}
        for day in ("2013-02-04", "2013-02-25", "2013-03-04")
        for delay in (0.0, 60.0)
        if day != missing
    ]
    with pytest.raises(DataError) as caught:
        preprocess(tiny, flights_of(*rows))
    assert f"preprocess: the {weeks} have {flights} flights with a known arrival and {late} late ones" in str(
        caught.value
    )


@pytest.mark.parametrize(("delays", "late"), [((0.0, 5.0, NAN), 0), ((16.0, 60.0), 2)])
def test_a_split_of_one_kind_is_refused(tiny: PipelineConfig, delays: tuple[float, ...], late: int) -> None:
    rows = [
        {"date": pd.Timestamp(day), "hour": pd.Timestamp(day), "arr_delay": delay}
        for day, several in [("2013-02-04", (0.0, 60.0)), ("2013-02-25", delays), ("2013-03-04", (0.0, 60.0))]
        for delay in several
    ]
    with pytest.raises(DataError, match=rf"validation weeks .* have 2 flights .* and {late} late ones; both kinds"):
        preprocess(tiny, flights_of(*rows))


def test_flights_of_other_weeks_alone_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"train weeks .* have 0 flights .*Choose other weeks \(test_start, train_weeks"
    ):
        preprocess(preset("tiny", test_start=date(2013, 6, 3)), flights_of({}, {"arr_delay": 60.0}))


# No feature knows the future


def rows_that_differ(first: pd.DataFrame, second: pd.DataFrame) -> pd.Series:
    """Return for every row whether any feature differs; missing equals missing."""
    different = pd.Series(False, index=first.index)
    for name in FEATURES:
        left, right = (
            frame[name].astype("str" if frame[name].dtype == "category" else "float64") for frame in (first, second)
        )
        different |= ~((left == right) | (left.isna() & right.isna()))
    return different


def shuffled(delays: pd.Series) -> Any:
    return delays.sample(frac=1, random_state=1).to_numpy()


def all_late(delays: pd.Series) -> Any:
    return 500.0


def all_unknown(delays: pd.Series) -> Any:
    return np.nan


@pytest.mark.parametrize(
    ("day", "change"), [("2013-02-12", shuffled), ("2013-03-08", all_late), ("2013-02-20", all_unknown)]
)
def test_arrivals_from_a_day_on_do_not_change_the_features_up_to_it(
    tiny_flights: pd.DataFrame, day: str, change: Callable[[pd.Series], Any]
) -> None:
    future = tiny_flights["date"] >= pd.Timestamp(day)
    changed = tiny_flights.copy()
    changed.loc[future, "arr_delay"] = change(changed.loc[future, "arr_delay"])
    differ = rows_that_differ(build_features(tiny_flights), build_features(changed))
    assert not differ[tiny_flights["date"] <= pd.Timestamp(day)].any()
    assert differ[tiny_flights["date"] > pd.Timestamp(day)].any()


def test_arrivals_of_the_day_before_do_change_the_features(tiny_flights: pd.DataFrame) -> None:
    changed = tiny_flights.copy()
    changed.loc[tiny_flights["date"] == pd.Timestamp(2013, 2, 11), "arr_delay"] = 500.0
    differ = rows_that_differ(build_features(tiny_flights), build_features(changed))
    assert differ[tiny_flights["date"] == pd.Timestamp(2013, 2, 12)].all()
    assert not differ[tiny_flights["date"] < pd.Timestamp(2013, 2, 12)].any()


def test_only_whether_earlier_flights_were_late_counts_not_by_how_much(tiny_flights: pd.DataFrame) -> None:
    # A flight from yesterday evening that is still in the air is already late; by how much is not yet known.
    changed = tiny_flights.assign(arr_delay=tiny_flights["arr_delay"].mask(lambda delay: delay > 15, 999.0))
    assert not rows_that_differ(build_features(tiny_flights), build_features(changed)).any()


@pytest.fixture(scope="module")
def ten_days() -> dict[str, pd.DataFrame]:
    """The sources, with flights and weather of the first ten days of February."""
    tables = {name: read_source(name, package_folder() / SOURCES[name].file) for name in SOURCES}
    flights, weather = tables["flights"], tables["weather"]
    kept = weather["time_hour"].between(pd.Timestamp(2013, 1, 31), pd.Timestamp(2013, 2, 11))
    return {
        **tables,
        "flights": flights[(flights["month"] == 2) & (flights["day"] <= 10)],
        "weather": weather[kept].reset_index(drop=True),
    }


def joined(tables: dict[str, pd.DataFrame], reports: pd.DataFrame) -> pd.DataFrame:
    return join({**tables, "weather": trailing_weather(reports)})


def test_weather_from_an_hour_on_does_not_change_the_features_up_to_it(ten_days: dict[str, pd.DataFrame]) -> None:
    hour = pd.Timestamp(2013, 2, 6, 17)
    weather = ten_days["weather"].copy()
    future = weather["time_hour"] >= hour
    names = ["temp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    weather.loc[future, names] = weather.loc[future, names].fillna(0) + 7
    flights = joined(ten_days, ten_days["weather"])
    changed = joined(ten_days, weather)
    differ = rows_that_differ(build_features(flights), build_features(changed))
    assert not differ[flights["hour"] <= hour].any()
    assert differ[flights["hour"] == hour + pd.Timedelta(hours=1)].all()


@pytest.mark.xfail(strict=True, reason="LaGuardia and Kennedy get each other's weather: see the comment in data.join")
def test_every_airport_gets_its_own_weather(ten_days: dict[str, pd.DataFrame]) -> None:
    weather = trailing_weather(ten_days["weather"])
    expected = ten_days["flights"].merge(
        weather, how="left", left_on=["time_hour", "origin"], right_on=["hour", "origin"]
    )
    assert joined(ten_days, ten_days["weather"])["weather_temp"].equals(expected["weather_temp"])


def test_later_reports_that_are_missing_do_not_change_the_features(ten_days: dict[str, pd.DataFrame]) -> None:
    hour = pd.Timestamp(2013, 2, 6, 17)
    weather = ten_days["weather"]
    flights = joined(ten_days, weather)
    changed = joined(ten_days, weather[weather["time_hour"] < hour])
    differ = rows_that_differ(build_features(flights), build_features(changed))
    assert not differ[flights["hour"] <= hour].any()


def test_the_schedule_of_later_days_does_not_change_the_features(tiny_flights: pd.DataFrame) -> None:
    earlier = tiny_flights["date"] <= pd.Timestamp(2013, 2, 20)
    whole = build_features(tiny_flights)[earlier]
    alone = build_features(tiny_flights[earlier])
    assert not rows_that_differ(whole, alone).any()


def test_what_is_known_after_departure_alone_is_no_feature() -> None:
    after = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "late", "date"}
    assert not after & {*FEATURES}
    assert len(FEATURES) == len({*FEATURES})
