"""Handmade sources: what is read, what is refused and with which message, and how they are joined."""

import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.config import PipelineConfig, preset
from shared.data import SOURCES, load_data, read_source, trailing_weather, with_sorted_categories
from shared.errors import DataError

AIRLINES = "carrier,name\nAA,American Airlines Inc.\nUA,United Air Lines Inc.\n"
AIRPORTS = "faa,name,tz\nLAX,Los Angeles Intl,-8\nMIA,Miami Intl,-5\n"
PLANES = "tailnum,year,manufacturer,model,seats\nN1,2003,BOEING,737,150\nN2,NA,AIRBUS,A320,182\n"
WEATHER = """\
origin,time_hour,temp,humid,wind_speed,wind_gust,precip,pressure,visib
JFK,2013-01-07T12:00:00Z,39.5,60,10,NA,0,1012,10
JFK,2013-01-07T13:00:00Z,41,55,12,25,0.5,NA,2
LGA,2013-01-07T12:00:00Z,38,61,9,NA,0,1011,9
"""
FLIGHTS_HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,"
    "carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n"
)
FLIGHTS = FLIGHTS_HEADER + (
    "2013,1,7,830,815,15,1125,1130,-5,UA,20,N1,JFK,LAX,330,2475,8,15,2013-01-07T13:00:00Z\n"
    "2013,1,7,NA,705,NA,NA,959,NA,AA,10,N2,LGA,MIA,NA,1096,7,5,2013-01-07T12:00:00Z\n"
    "2013,1,7,901,805,56,1200,1130,30,AA,11,N9,JFK,XXX,180,1089,8,5,2013-01-07T13:00:00Z\n"
)

Sources = Callable[..., Path]


def archive(path: Path, text: str, member: str = "flights.csv") -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(member, text)


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Write the five files, some with other text, and return their folder."""

    def make(**texts: str) -> Path:
        for name, text in {"airlines": AIRLINES, "airports": AIRPORTS, "planes": PLANES, "weather": WEATHER}.items():
            (tmp_path / f"{name}.csv").write_text(texts.get(name, text))
        archive(tmp_path / "flights.csv.zip", texts.get("flights", FLIGHTS))
        return tmp_path

    return make


def configured(folder: Path, **overrides: Any) -> PipelineConfig:
    return preset("tiny", data_folder=str(folder), **overrides)  # history from 7 January, test weeks until 11 March


# Loading and joining


def test_flights_come_sorted_and_joined(sources: Sources) -> None:
    table = load_data(configured(sources())).set_index("flight")
    assert list(table.index) == [10, 20, 11]  # by scheduled hour, then as in the file
    first, second, third = (table.loc[flight] for flight in (10, 11, 20))
    assert (first["airline"], second["airline"], third["airline"]) == (
        "American Airlines Inc.",
        "American Airlines Inc.",
        "United Air Lines Inc.",
    )
    assert (third["dest_utc_offset"], third["plane_year"], third["plane_seats"]) == (-8, 2003, 150)
    assert (third["manufacturer"], third["distance"], third["arr_delay"]) == ("BOEING", 2475, -5)
    assert third["date"] == pd.Timestamp(2013, 1, 7)
    assert third["hour"] == pd.Timestamp(2013, 1, 7, 13)


def test_clock_times_become_minutes_after_midnight(sources: Sources) -> None:
    rows = "".join(
        f"2013,1,7,NA,{departure},NA,NA,{arrival},NA,AA,{flight},N1,JFK,MIA,NA,1,8,5,2013-01-07T13:00:00Z\n"
        for flight, departure, arrival in [(1, 5, 2359), (2, 100, 0), (3, 1335, 1259)]
    )
    table = load_data(configured(sources(flights=FLIGHTS_HEADER + rows)))
    assert list(table["departure_minute"]) == [5, 60, 815]
    assert list(table["arrival_minute"]) == [1439, 0, 779]


def test_a_cancelled_flight_stays_without_a_delay(sources: Sources) -> None:
    table = load_data(configured(sources())).set_index("flight")
    assert np.isnan(table.loc[10, "arr_delay"])


def test_an_unknown_plane_or_destination_leaves_missing_values(sources: Sources) -> None:
    row = load_data(configured(sources())).set_index("flight").loc[11]
    assert row[["plane_year", "plane_seats", "manufacturer", "dest_utc_offset"]].isna().all()


def test_a_flight_gets_the_report_of_the_hour_before_its_own(sources: Sources) -> None:
    table = load_data(configured(sources())).set_index("flight")
    assert table.loc[20, "weather_temp"] == 39.5  # scheduled in hour 13, the report of hour 12
    assert np.isnan(table.loc[10, "weather_temp"])  # scheduled in hour 12, and no report of hour 11


def test_only_configured_weeks_and_their_history_are_loaded(sources: Sources) -> None:
    days = ["2013,1,6", "2013,1,7", "2013,3,10", "2013,3,11"]
    rows = "".join(
        f"{day},NA,800,NA,NA,900,NA,AA,{flight},N1,JFK,MIA,NA,1,8,5,{date(*map(int, day.split(',')))}T13:00:00Z\n"
        for flight, day in enumerate(days, start=1)
    )
    assert list(load_data(configured(sources(flights=FLIGHTS_HEADER + rows)))["flight"]) == [2, 3]


def test_the_years_last_day_is_loaded(sources: Sources) -> None:
    row = "2013,12,31,NA,800,NA,NA,900,NA,AA,1,N1,JFK,MIA,NA,1,8,5,2013-12-31T13:00:00Z\n"
    config = configured(sources(flights=FLIGHTS_HEADER + row), test_start=date(2013, 12, 30))
    assert len(load_data(config)) == 1


def test_what_is_known_after_departure_alone_is_never_read(sources: Sources) -> None:
    after = {"dep_time", "dep_delay", "arr_time", "air_time"}
    columns = FLIGHTS_HEADER.strip().split(",")
    spoiled = "\n".join(
        ",".join("?" if name in after else value for name, value in zip(columns, line.split(","), strict=True))
        for line in FLIGHTS.splitlines()[1:]
    )
    loaded = load_data(configured(sources()))
    assert not after & {*SOURCES["flights"].columns, *loaded.columns}
    pd.testing.assert_frame_equal(load_data(configured(sources(flights=FLIGHTS_HEADER + spoiled + "\n"))), loaded)


def test_the_installed_sources_lose_no_flight_and_double_none(tiny_flights: pd.DataFrame) -> None:
    assert len(tiny_flights) == 55_971  # counted in the CSV file: 7 January to 10 March
    assert not tiny_flights.duplicated(["hour", "origin", "carrier", "flight"]).any()


# Refusing


def refused(config: PipelineConfig) -> str:
    with pytest.raises(DataError) as caught:
        load_data(config)
    return str(caught.value)


@pytest.mark.parametrize("name", SOURCES)
def test_a_missing_file_is_named(sources: Sources, name: str) -> None:
    folder = sources()
    path = folder / SOURCES[name].file
    path.unlink()
    text = refused(configured(folder))
    assert text.startswith(f"{path}: cannot be read (")
    assert text.endswith("Put the file there, or correct data_folder.")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path}/nowhere/" in refused(configured(tmp_path / "nowhere"))


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.95])
def test_a_broken_archive_is_named(sources: Sources, keep: float) -> None:
    path = sources() / "flights.csv.zip"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    assert refused(configured(path.parent)).startswith(f"{path}: cannot be read (File is not a zip file)")


def test_an_archive_with_a_flipped_byte_is_named(sources: Sources) -> None:
    path = sources() / "flights.csv.zip"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    assert refused(configured(path.parent)).startswith(f"{path}: cannot be read (Bad CRC-32")


def test_an_archive_of_something_else_is_named(sources: Sources) -> None:
    path = sources() / "flights.csv.zip"
    archive(path, FLIGHTS, member="other.csv")
    text = refused(configured(path.parent))
    assert text.startswith(f"{path}: ")
    assert "flights.csv" in text.removeprefix(str(path))
    assert "it must have year" not in text  # that would be about columns


@pytest.mark.parametrize("name", SOURCES)
def test_an_empty_file_is_named(sources: Sources, name: str) -> None:
    folder = sources(**{name: ""})
    assert refused(configured(folder)).startswith(f"{folder / SOURCES[name].file}: ")


@pytest.mark.parametrize(("name", "column"), [("airports", "tz"), ("weather", "visib"), ("flights", "arr_delay")])
def test_a_missing_column_is_named(sources: Sources, name: str, column: str) -> None:
    text = {"airports": AIRPORTS, "weather": WEATHER, "flights": FLIGHTS}[name].replace(column, "other", 1)
    folder = sources(**{name: text})
    message = refused(configured(folder))
    assert message.startswith(f"{folder / SOURCES[name].file}: ")
    assert f"'{column}'" in message
    assert f"it must have {', '.join(SOURCES[name].columns)}." in message


@pytest.mark.parametrize(
    ("name", "old", "new", "column", "shown"),
    [
        ("planes", "2003", "old", "year", "line 2 has 'old'"),
        ("planes", "182", "many", "seats", "line 3 has 'many'"),
        ("weather", "41,55", "warm,55", "temp", "line 3 has 'warm'"),
        ("weather", "LGA,2013-01-07T12:00:00Z", "LGA,yesterday", "time_hour", "line 4 has 'yesterday'"),
        ("flights", "-5,UA,20", "-5,UA,twenty", "flight", "line 2 has 'twenty'"),
        ("flights", "UA,20", "UA,20.5", "flight", "line 2 has '20.5'"),
        ("flights", "UA,20", "UA,99999", "flight", "line 2 has '99999'"),
    ],
)
def test_a_value_of_the_wrong_type_is_shown_with_its_line(
    sources: Sources, name: str, old: str, new: str, column: str, shown: str
) -> None:
    text = {"planes": PLANES, "weather": WEATHER, "flights": FLIGHTS}[name]
    assert text.count(old) == 1
    folder = sources(**{name: text.replace(old, new)})
    message = refused(configured(folder))
    assert message.startswith(f"{folder / SOURCES[name].file}: column '{column}' ")
    assert shown in message


@pytest.mark.parametrize(
    ("name", "old", "new", "column", "shown"),
    [
        ("airports", "MIA,Miami Intl,-5", "MIA,Miami Intl,15", "tz", "line 3 has 15.0"),
        ("planes", "2003", "2014", "year", "line 2 has 2014.0"),
        ("weather", "39.5,60", "39.5,101", "humid", "line 2 has 101.0"),
        ("weather", ",1011,", ",0,", "pressure", "line 4 has 0.0"),
        ("flights", "2013,1,7,901,805", "2013,13,7,901,805", "month", "line 4 has 13"),
        ("flights", ",815,", ",2400,", "sched_dep_time", "line 2 has 2400"),
        ("flights", "30,AA,11", "3001,AA,11", "arr_delay", "line 4 has 3001.0"),
    ],
)
def test_a_value_out_of_range_is_shown_with_its_line_and_the_range(
    sources: Sources, name: str, old: str, new: str, column: str, shown: str
) -> None:
    text = {"airports": AIRPORTS, "planes": PLANES, "weather": WEATHER, "flights": FLIGHTS}[name]
    assert text.count(old) == 1
    folder = sources(**{name: text.replace(old, new)})
    low, high = SOURCES[name].columns[column].range
    message = refused(configured(folder))
    assert message.startswith(
        f"{folder / SOURCES[name].file}: column '{column}' must be in range({low}, {high}): {shown}. "
    )
    assert message.endswith("Correct the file or set data_folder to another.")


@pytest.mark.parametrize("column", ["sched_dep_time", "carrier", "time_hour", "distance", "flight"])
def test_a_missing_value_is_refused_where_one_is_needed(sources: Sources, column: str) -> None:
    columns = FLIGHTS_HEADER.strip().split(",")
    lines = FLIGHTS.splitlines()
    lines[2] = ",".join("NA" if n == column else v for n, v in zip(columns, lines[2].split(","), strict=True))
    folder = sources(flights="\n".join(lines) + "\n")
    message = refused(configured(folder))
    assert re.search(
        rf"flights\.csv\.zip: column '{column}' must not be empty: line 3 has (nan|NaT)\. Correct", message
    )


def test_a_date_that_does_not_exist_is_refused(sources: Sources) -> None:
    folder = sources(flights=FLIGHTS.replace("2013,1,7,901,805", "2013,2,30,901,805"))
    message = refused(configured(folder))
    assert "flights.csv.zip" in message
    assert "line 4" in message


@pytest.mark.parametrize("minutes", [1260, 1399])
def test_a_clock_time_that_does_not_exist_is_refused(sources: Sources, minutes: int) -> None:
    message = refused(configured(sources(flights=FLIGHTS.replace(",815,", f",{minutes},"))))
    assert f"line 2 has {minutes}" in message


@pytest.mark.parametrize(
    ("name", "row", "key"),
    [
        ("airlines", "AA,American again", ["carrier"]),
        ("planes", "N1,2004,BOEING,737,140", ["tailnum"]),
        ("weather", "LGA,2013-01-07T12:00:00Z,1,1,1,1,1,1000,1", ["origin", "time_hour"]),
        (
            "flights",
            "2013,1,8,NA,815,NA,NA,1130,NA,UA,20,N1,JFK,LAX,NA,2475,8,15,2013-01-07T13:00:00Z",
            ["time_hour", "origin", "carrier", "flight"],
        ),
    ],
)
def test_a_repeated_key_is_refused_with_its_columns_and_lines(
    sources: Sources, name: str, row: str, key: list[str]
) -> None:
    text = {"airlines": AIRLINES, "planes": PLANES, "weather": WEATHER, "flights": FLIGHTS}[name]
    folder = sources(**{name: f"{text}{row}\n"})
    message = refused(configured(folder))
    assert message.startswith(f"{folder / SOURCES[name].file}: ")
    for column in key:
        assert column in message
    assert f"line {text.count(chr(10)) + 1} " in message
    assert re.search("repeat|duplicate|unique", message)
    assert "multiple_fields_uniqueness" not in message  # a word for the library's authors


def test_an_unknown_carrier_is_refused(sources: Sources) -> None:
    folder = sources(flights=FLIGHTS.replace("UA,20", "ZZ,20"))
    message = refused(configured(folder))
    assert "flights.csv.zip: column 'carrier' is not in airlines.csv: line 2 has 'ZZ'." in message


def test_an_unknown_origin_is_refused(sources: Sources) -> None:
    folder = sources(flights=FLIGHTS.replace("LGA,MIA", "BOS,MIA"))
    message = refused(configured(folder))
    assert "flights.csv.zip: column 'origin' is not in weather.csv: line 3 has 'BOS'." in message


def test_an_origin_that_the_weather_knows_too_gets_its_own_weather(sources: Sources) -> None:
    folder = sources(
        flights=FLIGHTS.replace("UA,20,N1,JFK", "UA,20,N1,BOS"),
        weather=f"{WEATHER}BOS,2013-01-07T12:00:00Z,20,60,10,NA,0,1012,10\n"
        "LGA,2013-01-07T11:00:00Z,70,60,10,NA,0,1012,10\n",
    )
    table = load_data(configured(folder)).set_index("flight")
    assert table.loc[20, "weather_temp"] == 20


def test_three_bad_rows_are_shown_and_the_others_counted(sources: Sources) -> None:
    rows = "".join(f"N{number},1899,BOEING,737,100\n" for number in range(10, 15))
    message = refused(configured(sources(planes=PLANES + rows)))
    assert "line 4 has 1899.0, line 5 has 1899.0, line 6 has 1899.0 and 2 more" in message


def test_every_bad_column_is_named_at_once(sources: Sources) -> None:
    message = refused(configured(sources(planes=PLANES.replace("2003", "1899").replace("182", "0"))))
    assert "column 'year'" in message
    assert "column 'seats'" in message


def test_no_flight_in_the_configured_weeks_is_refused(sources: Sources) -> None:
    folder = sources()
    message = refused(configured(folder, test_start=date(2013, 12, 2)))
    assert message == (
        "flights.csv.zip: no flight between 2013-10-07 and 2013-12-09. "
        "Choose other days (test_start, train_weeks) or another data_folder."
    )


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_without_rows_is_refused(sources: Sources, name: str) -> None:
    folder = sources()
    texts = {"airlines": AIRLINES, "airports": AIRPORTS, "planes": PLANES, "weather": WEATHER, "flights": FLIGHTS}
    folder = sources(**{name: texts[name].splitlines()[0] + "\n"})
    assert f"{SOURCES[name].file}: has no rows." in refused(configured(folder))


@pytest.mark.parametrize("year", [1970, 2012, 2015, 9999])
def test_weather_of_another_year_is_refused_before_hours_are_filled(sources: Sources, year: int) -> None:
    message = refused(configured(sources(weather=WEATHER.replace("LGA,2013", f"LGA,{year}"))))
    assert "weather.csv: column 'time_hour' must be between 2013-01-01 and 2014-01-01: line 4" in message


@pytest.mark.parametrize("hour", ["2013-02-07T13:00:00Z", "2013-01-07T03:00:00Z", "2013-01-08T05:00:00Z"])
def test_an_hour_of_another_day_is_refused(sources: Sources, hour: str) -> None:
    message = refused(configured(sources(flights=FLIGHTS.replace("8,15,2013-01-07T13:00:00Z", f"8,15,{hour}"))))
    assert "column 'time_hour' is not an hour of the flight's day: line 2" in message


@pytest.mark.parametrize("name", SOURCES)
def test_a_line_with_a_field_too_many_is_named(sources: Sources, name: str) -> None:
    texts = {"airlines": AIRLINES, "airports": AIRPORTS, "planes": PLANES, "weather": WEATHER, "flights": FLIGHTS}
    head, first, *rest = texts[name].splitlines()
    folder = sources(**{name: "\n".join([head, first + ",extra", *rest]) + "\n"})
    message = refused(configured(folder))
    assert f"{SOURCES[name].file}: " in message
    assert "Expected" in message


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("39.5", "nan"), "column 'temp': line 2 has 'nan'"),
        (("JFK,2013-01-07T12", "J\0K,2013-01-07T12"), "column 'origin' has 'J\\x00K': a control character"),
        (("temp,", "humid,"), "has more than one column humid."),
    ],
)
def test_what_the_reader_would_accept_in_silence_is_refused(
    sources: Sources, change: tuple[str, str], text: str
) -> None:
    assert f"weather.csv: {text}" in refused(configured(sources(weather=WEATHER.replace(*change))))


def test_an_archive_with_more_than_the_flights_is_refused(sources: Sources) -> None:
    path = sources() / "flights.csv.zip"
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("other.csv", "x")
    assert "must hold flights.csv and nothing else" in refused(configured(path.parent))


@pytest.mark.parametrize(("offset", "value"), [(6, 1), (8, 99)])  # the flag of encryption, the method of compression
def test_an_archive_that_cannot_be_unpacked_is_named(sources: Sources, offset: int, value: int) -> None:
    path = sources() / "flights.csv.zip"
    content = bytearray(path.read_bytes())
    content[offset] = value
    content[content.index(b"PK\x01\x02") + offset + 2] = value
    path.write_bytes(content)
    assert refused(configured(path.parent)).startswith(f"{path}: cannot be read (")


def test_columns_may_stand_in_any_order(sources: Sources) -> None:
    folder = sources(airports="tz,name,faa\n-8,Los Angeles Intl,LAX\n-5,Miami Intl,MIA\n")
    assert list(read_source("airports", folder / "airports.csv")["tz"]) == [-8, -5]


# Weather: what had been reported before an hour began

BEGIN = pd.Timestamp(2013, 1, 1)


def reports(origin: str = "JFK", hours: list[int] | None = None, **columns: list[float | None]) -> pd.DataFrame:
    """Reports of the given hours (default: one after the other); columns not given have a harmless value."""
    count = len(next(iter(columns.values())))
    harmless = {
        "temp": 50,
        "humid": 50,
        "wind_speed": 5,
        "wind_gust": None,
        "precip": 0,
        "pressure": 1000,
        "visib": 10,
    }
    frame = pd.DataFrame(
        {
            name: pd.array(columns.get(name, [value] * count), dtype="Float32").to_numpy("float32", na_value=np.nan)
            for name, value in harmless.items()
        }
    )
    times = pd.Series([BEGIN + pd.Timedelta(hours=hour) for hour in hours or range(count)]).astype("datetime64[s]")
    frame["origin"] = pd.Categorical([origin] * count)
    return frame.assign(time_hour=times)


def by_hour(weather: pd.DataFrame, name: str, origin: str = "JFK") -> dict[int, float]:
    """What the hours get, by their number after BEGIN; NaN as -1."""
    table = trailing_weather(weather)
    table = table[table["origin"] == origin]
    hours = ((table["hour"] - BEGIN) / pd.Timedelta(hours=1)).astype(int)
    return {
        int(hour): round(float(value), 4)
        for hour, value in zip(hours, table[f"weather_{name}"].fillna(-1), strict=True)
    }


def test_a_report_first_serves_the_hour_after_its_own() -> None:
    assert by_hour(reports(temp=[30, 40, 50]), "temp") == {1: 30, 2: 40, 3: 50}


def test_rain_adds_up_over_six_hours() -> None:
    rain: list[float | None] = [1, 2, 4, 8, 16, 32, 64]
    assert by_hour(reports(precip=rain), "precip_6h") == {1: 1, 2: 3, 3: 7, 4: 15, 5: 31, 6: 63, 7: 126}


def test_visibility_and_gusts_are_the_worst_of_six_hours() -> None:
    weather = reports(visib=[3, 9, 9, 9, 9, 9, 8], wind_gust=[40, None, 20, None, None, None, None])
    assert by_hour(weather, "visib_6h") == {1: 3, 2: 3, 3: 3, 4: 3, 5: 3, 6: 3, 7: 8}
    assert by_hour(weather, "wind_gust_6h") == {1: 40, 2: 40, 3: 40, 4: 40, 5: 40, 6: 40, 7: 20}


def test_the_pressures_change_is_over_three_hours() -> None:
    change = by_hour(reports(pressure=[1000, 1001, 1003, 1007, 999]), "pressure_change_3h")
    assert change == {1: -1, 2: -1, 3: -1, 4: 7, 5: -2}


def test_six_hours_are_hours_even_where_reports_are_missing() -> None:
    weather = reports(hours=[0, 1, 7], precip=[1, 2, 4])
    assert by_hour(weather, "precip_6h")[8] == 4  # hours 2 to 7
    assert by_hour(weather, "precip_6h")[6] == 3  # hours 0 to 5


def test_a_missing_report_is_replaced_by_the_latest_up_to_six_hours_old() -> None:
    # The report of hour 0 is used for hour 1. It replaces those of hours 1 to 6, which would be used for hours 2 to 7.
    assert by_hour(reports(hours=[0, 9], temp=[30, 40]), "temp") == {
        **dict.fromkeys(range(1, 8), 30),
        8: -1,
        9: -1,
        10: 40,
    }


def test_a_missing_value_is_replaced_like_a_missing_report() -> None:
    assert by_hour(reports(pressure=[1000, None, 1002]), "pressure") == {1: 1000, 2: 1000, 3: 1002}


def test_a_gust_that_was_not_recorded_is_none() -> None:
    assert by_hour(reports(wind_gust=[30, None]), "wind_gust") == {1: 30, 2: 0}


def test_a_wind_faster_than_any_is_a_broken_sensor() -> None:
    speeds = by_hour(reports(wind_speed=[10, 1048, 150, 151]), "wind_speed")
    assert speeds == {1: 10, 2: 10, 3: 150, 4: 150}  # replaced by the latest


def test_a_gust_faster_than_any_is_no_gust() -> None:
    assert by_hour(reports(wind_gust=[1206]), "wind_gust") == {1: 0}


def test_origins_do_not_share_their_reports() -> None:
    weather = pd.concat(
        [reports("JFK", temp=[30, None], precip=[1, 1]), reports("LGA", temp=[None, 60], precip=[4, 4])]
    )
    weather["origin"] = weather["origin"].astype("category")
    assert by_hour(weather, "temp", "JFK") == {1: 30, 2: 30}
    assert by_hour(weather, "temp", "LGA") == {1: -1, 2: 60}
    assert by_hour(weather, "precip_6h", "LGA") == {1: 4, 2: 8}


def test_the_order_of_reports_does_not_matter() -> None:
    weather = reports(temp=[30, 40, 50], precip=[1, 2, 4])
    pd.testing.assert_frame_equal(trailing_weather(weather.iloc[::-1]), trailing_weather(weather))


# Categories


def test_categories_are_those_in_use_and_sorted() -> None:
    frame = pd.DataFrame({"x": pd.Categorical(["c", "a", None], categories=["c", "b", "a"]), "y": [1, 2, 3]})
    result = with_sorted_categories(frame)
    assert list(result["x"].cat.categories) == ["a", "c"]
    assert list(result["x"].cat.codes) == [1, 0, -1]
    assert list(result["x"].iloc[:2]) == ["c", "a"]
    assert list(frame["x"].cat.categories) == ["c", "b", "a"], "the argument stays as it was"
