"""From scheduled flights to the model's table: only what is known before the scheduled hour begins.

Late means: arrived more than 15 minutes after schedule. History looks at whole earlier days, and only at whether those
flights were late (known by the next morning even of a flight still in the air), never at by how much.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.holiday import USFederalHolidayCalendar

from shared.config import HISTORY_DAYS, PipelineConfig
from shared.data import with_sorted_categories
from shared.errors import DataError
from shared.progress import logged_step

LATE_MINUTES = 15
SPLITS = ("train", "validation", "test")
LABEL, SPLIT = "late", "split"

CATEGORIES = ["carrier", "origin", "dest", "manufacturer"]
WEATHER = [
    "weather_temp",
    "weather_humid",
    "weather_wind_speed",
    "weather_wind_gust",
    "weather_precip",
    "weather_pressure",
    "weather_visib",
    "weather_precip_6h",
    "weather_visib_6h",
    "weather_wind_gust_6h",
    "weather_pressure_change_3h",
]
# The share of late flights among those with the same values in these columns, over so many days before.
HISTORY: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "late_share": ((), (1, 7)),
    "late_share_origin": (("origin",), (1,)),
    "late_share_carrier": (("carrier",), (1, 7)),
    "late_share_carrier_origin": (("carrier", "origin"), (28,)),
    "late_share_dest": (("dest",), (1, 7)),
    "late_share_route": (("origin", "dest"), (28,)),
    "late_share_flight": (("carrier", "flight"), (28,)),
    "late_share_plane": (("tailnum",), (14,)),
    "late_share_origin_hour": (("origin", "departure_hour"), (28,)),
}
PRIOR_FLIGHTS, PRIOR_SHARE = 10, 0.2  # a group without flights counts as this many flights, so often late

NUMBERS = [
    "day_of_week",
    "days_from_holiday",
    "departure_minute",
    "arrival_minute",
    "scheduled_minutes",
    "distance",
    "plane_age",
    "plane_seats",
    "departures_hour",
    "departures_hour_carrier",
    "departures_day",
]
FEATURES = [
    *CATEGORIES,
    *NUMBERS,
    *WEATHER,
    *(f"{name}_{length}d" for name, (_, lengths) in HISTORY.items() for length in lengths),
]

# What features are made from.
FLIGHT_COLUMNS = [
    *CATEGORIES,
    *WEATHER,
    *("date", "hour", "departure_minute", "arrival_minute", "distance", "flight", "tailnum"),
    *("arr_delay", "dest_utc_offset", "plane_year", "plane_seats"),
]


@logged_step
def preprocess(config: PipelineConfig, flights: pd.DataFrame) -> pd.DataFrame:
    """Return the labelled rows of the three splits: the FEATURES, `late` (0 or 1), `date` and `split`.

    The splits are whole weeks that follow each other in time. `flights` is what `load_data` returned.
    Raises DataError when a split is empty or holds only one class.
    """
    # A year at a time: the columns that features are made from take several times the memory of the features.
    table = pd.concat(
        [_labelled(config, build_features(part)[own]) for part, own in _years(flights)], ignore_index=True
    )
    begins = (config.train_start, config.validation_start, config.test_start, config.test_end)
    for name, begin, end in zip(SPLITS, begins, begins[1:], strict=False):
        labels = table.loc[table[SPLIT] == name, LABEL]
        if labels.nunique() < 2:
            raise DataError(
                f"preprocess: the {name} weeks ({begin} to {end}) have {len(labels)} flights with a known arrival and "
                f"{labels.sum()} late ones; both kinds are needed. Choose other weeks (test_start, {name}_weeks)."
            )
    return with_sorted_categories(table)


def _years(flights: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.Series]]:
    """Yield each year's flights with the history before them, and which of these rows are of the year itself."""
    years = flights["date"].dt.year
    for year in sorted(years.unique()):
        begin = pd.Timestamp(year, 1, 1) - pd.Timedelta(days=HISTORY_DAYS)
        part = (years <= year) & (flights["date"] >= begin)
        yield flights[part], years[part] == year


def _labelled(config: PipelineConfig, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the configured weeks whose label is known, with their split."""
    splits = split_by_time(config, table["date"])
    used = splits.notna() & table[LABEL].notna()
    return table[used].astype({LABEL: "int8"}).assign(split=splits[used])


def build_features(flights: pd.DataFrame) -> pd.DataFrame:
    """Return FEATURES, `late` (1, 0 or missing) and `date` for every row of `flights`, in the same order.

    A row's features depend on the schedule, on weather reported before its hour, and on arrivals of earlier days.
    """
    late = late_label(flights["arr_delay"])
    columns: dict[str, pd.Series | NDArray[np.float32]] = {
        **{name: flights[name] for name in [*CATEGORIES, *WEATHER, "departure_minute", "arrival_minute", "distance"]},
        "day_of_week": flights["date"].dt.day_of_week.astype("int8"),
        "days_from_holiday": days_from_holiday(flights["date"]),
        "scheduled_minutes": scheduled_minutes(flights),
        "plane_age": (flights["date"].dt.year - flights["plane_year"]).astype("float32"),
        "plane_seats": flights["plane_seats"],
        "departures_hour": group_sizes(flights, ["origin", "hour"]),
        "departures_hour_carrier": group_sizes(flights, ["origin", "hour", "carrier"]),
        "departures_day": group_sizes(flights, ["date"]),
    }
    day = flights["date"].to_numpy().astype("datetime64[D]").astype("int64")
    keyed = flights.assign(departure_hour=flights["departure_minute"] // 60)
    for name, (keys, lengths) in HISTORY.items():
        shares = late_share_before(group_codes(keyed, keys), day, late.to_numpy(), lengths)
        columns |= {f"{name}_{length}d": share for length, share in zip(lengths, shares, strict=True)}
    columns |= {LABEL: late, "date": flights["date"]}
    return pd.DataFrame({name: columns[name] for name in [*FEATURES, LABEL, "date"]}, copy=False)


def late_label(arr_delay: pd.Series) -> pd.Series:
    """Return 1 for late, 0 for in time, missing where the flight never arrived."""
    return (arr_delay > LATE_MINUTES).astype("float32").where(arr_delay.notna())


def split_by_time(config: PipelineConfig, dates: pd.Series) -> pd.Series:
    """Return train, validation or test for every date, missing outside of the configured weeks."""
    begins = [config.train_start, config.validation_start, config.test_start, config.test_end]
    return pd.cut(dates, pd.to_datetime(begins), right=False, labels=list(SPLITS))


def days_from_holiday(dates: pd.Series) -> pd.Series:
    """Return days since (positive) or until (negative) the nearest US federal holiday, at most 8 either way."""
    margin = pd.Timedelta(days=60)
    holidays = USFederalHolidayCalendar().holidays(dates.min() - margin, dates.max() + margin)
    positions, days = pd.factorize(dates)
    distances = days.to_numpy()[:, None] - holidays.to_numpy()[None, :]
    nearest = distances[np.arange(len(days)), np.abs(distances).argmin(axis=1)] // np.timedelta64(1, "D")
    return pd.Series(nearest.clip(-8, 8)[positions], index=dates.index, dtype="int8")


def scheduled_minutes(flights: pd.DataFrame) -> pd.Series:
    """Return the planned minutes from gate to gate, missing where the destination's time zone is unknown."""
    new_york_offset = -5  # as in airports.csv: hours from UTC without summer time, which both ends mostly share
    clock = flights["arrival_minute"] - flights["departure_minute"]
    return (clock - 60 * (flights["dest_utc_offset"] - new_york_offset)).mod(1440).astype("float32")


def group_sizes(flights: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Return for every flight how many scheduled flights share its values in `keys`."""
    codes = group_codes(flights, keys)
    sizes = np.bincount(codes)
    kind = "int16" if sizes.max(initial=0) <= np.iinfo("int16").max else "int32"
    return pd.Series(sizes[codes], index=flights.index, dtype=kind)


def group_codes(flights: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.int64]:
    """Return a number per row: the same for the same values in `keys`, -1 where one of them is missing."""
    codes, missing, size = np.zeros(len(flights), dtype="int64"), np.zeros(len(flights), dtype="bool"), 1
    for key in keys:  # two to three times faster than DataFrameGroupBy.ngroup
        column_codes, values = pd.factorize(flights[key])
        codes, size = codes * len(values) + column_codes, size * len(values)
        missing |= column_codes < 0
    if size > len(flights) / 10:
        codes = pd.factorize(codes)[0]  # of so many combinations few occur
    return np.where(missing, -1, codes)


def late_share_before(
    groups: NDArray[np.int64], day: NDArray[np.int64], late: NDArray[np.float32], lengths: Sequence[int]
) -> list[NDArray[np.float32]]:
    """Return for every row the share of late flights of its group in so many days before its own day, per length.

    Arguments, one entry per row: group number (-1: none), day number, late (1, 0 or NaN for unknown). A share is
    drawn towards PRIOR_SHARE by PRIOR_FLIGHTS imagined flights; a row without a group gets NaN.
    """
    # A group's days lie side by side, after so many empty ones that no window reaches into the group before.
    width = int(np.ptp(day)) + max(lengths) + 2
    own_day = (groups + 1) * width + (day - np.min(day)) + max(lengths) + 1
    # Flights up to and including each day. Whole numbers of 32 bits are looked up faster than the floats of bincount.
    arrived = np.bincount(own_day, ~np.isnan(late)).cumsum(dtype="int32")
    arrived_late = np.bincount(own_day, late == 1).cumsum(dtype="int32")
    yesterday = own_day - 1
    arrived_by_then, late_by_then = arrived[yesterday], arrived_late[yesterday]
    shares = []
    for length in lengths:
        arrived_flights = arrived_by_then - arrived[yesterday - length]
        late_flights = late_by_then - arrived_late[yesterday - length]
        share = (late_flights + PRIOR_FLIGHTS * PRIOR_SHARE) / (arrived_flights + PRIOR_FLIGHTS)
        share = share.astype("float32")
        share[groups < 0] = np.nan
        shares.append(share)
    return shares
