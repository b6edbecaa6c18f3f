"""Data of many years, by months: the flights and the weather of 2013 again and again, delayed by other amounts.

It shows how time and memory grow with the data. Nothing can be learned from it about airports.
"""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as arrow
from numpy.typing import NDArray
from pyarrow import csv

from shared.config import DATA_BEGIN, DATA_END, LAST_DAY, Hyperparameters, PipelineConfig, preset
from shared.data import SOURCES, package_folder, read_source
from shared.errors import ConfigError

DELAY_MINUTES, DEGREES = 10.0, 2.0  # standard deviations of the noise
TEST_WEEKS, VALIDATION_WEEKS = 9, 5
LOCAL = np.timedelta64(5, "h")  # from New York's clock to UTC, without summer time


def grow(folder: Path, years: int, say: Callable[[str], None] = print) -> None:
    """Write the data of so many years, from 2013 on, into a new folder: 336,776 flights a year.

    Raises ConfigError if the folder holds something, or for an impossible number of years.
    """
    most = LAST_DAY.year - DATA_BEGIN.year
    if not 1 <= years <= most:
        raise ConfigError(f"years: {years} is not a number from 1 to {most}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"folder: {folder} exists and is not empty. Name a new one.")
    for name in ("flights", "weather"):
        (folder / name).mkdir(parents=True)
    for name in SOURCES.keys() - {"flights", "weather"}:
        shutil.copy(package_folder() / SOURCES[name].file, folder)
    tables = {name: read_source(name, package_folder() / SOURCES[name].file) for name in ("flights", "weather")}
    for later in range(years):
        of_year = {"flights": _flights(tables["flights"], later), "weather": _weather(tables["weather"], later)}
        for name, table in of_year.items():
            for month, part in table.groupby(_months(table)):
                _write(part, folder / name / f"{month}.csv")
        say(f"{DATA_BEGIN.year + later}: {len(tables['flights']):,} flights")


def config_for(folder: Path, years: int) -> PipelineConfig:
    """Return the configuration that trains a small model on all years but the last weeks, which judge it."""
    end = date(DATA_END.year + years - 1, 1, 1)
    test_start = pd.Timestamp(end) - pd.Timedelta(weeks=TEST_WEEKS)
    weeks = (test_start - pd.Timestamp(DATA_BEGIN)).days // 7 - VALIDATION_WEEKS
    return preset(
        "tiny",
        data_folder=str(folder),
        data_end=end,
        test_start=test_start.date(),
        test_weeks=TEST_WEEKS,
        validation_weeks=VALIDATION_WEEKS,
        train_weeks=weeks,
        baseline=Hyperparameters(max_iter=40, learning_rate=0.1),
    )


def _flights(flights: pd.DataFrame, later: int) -> pd.DataFrame:
    days = pd.to_datetime(flights[["year", "month", "day"]]).to_numpy().astype("datetime64[D]")
    noise = np.random.default_rng([DATA_BEGIN.year, later]).normal(0, DELAY_MINUTES, len(flights)).round()
    low, high = SOURCES["flights"].columns["arr_delay"].range
    delays = (flights["arr_delay"] + noise).clip(low, high) if later else flights["arr_delay"]
    return flights.assign(
        year=flights["year"] + later,
        time_hour=flights["time_hour"] + _shift(days, later),
        arr_delay=delays.astype("float32"),
    )


def _weather(weather: pd.DataFrame, later: int) -> pd.DataFrame:
    days = (weather["time_hour"].to_numpy() - LOCAL).astype("datetime64[D]")
    noise = np.random.default_rng([DATA_BEGIN.year, later, 1]).normal(0, DEGREES, len(weather))
    low, high = SOURCES["weather"].columns["temp"].range
    temperatures = (weather["temp"] + noise).clip(low, high) if later else weather["temp"]
    return weather.assign(time_hour=weather["time_hour"] + _shift(days, later), temp=temperatures.astype("float32"))


def _shift(days: NDArray[np.datetime64], later: int) -> NDArray[np.timedelta64]:
    """Return how many days there are to the same day and month so many years later."""
    months = days.astype("datetime64[M]")
    moved = (months + np.timedelta64(12 * later, "M")).astype("datetime64[D]") + (days - months.astype("datetime64[D]"))
    return np.asarray(moved - days)


def _months(table: pd.DataFrame) -> pd.Series:
    """Return the local month of each row, as text."""
    if "month" in table:
        return table["year"].astype("str") + "-" + table["month"].astype("str").str.zfill(2)
    return (table["time_hour"] - pd.Timedelta(LOCAL)).dt.strftime("%Y-%m")


def _write(table: pd.DataFrame, path: Path) -> None:
    columns = arrow.Table.from_pandas(table, preserve_index=False)
    for number, field in enumerate(columns.schema):
        if arrow.types.is_dictionary(field.type):
            columns = columns.set_column(number, field.name, columns[number].cast(arrow.string()))
        elif arrow.types.is_timestamp(field.type):
            columns = columns.set_column(number, field.name, columns[number].cast(arrow.timestamp("s", "UTC")))
    csv.write_csv(columns, path)
