"""From scheduled flights to the model's table: only what is known before the scheduled hour begins.

Late means: arrived more than 15 minutes after schedule. History looks at whole earlier days, and only at whether those
flights were late (known by the next morning even of a flight still in the air), never at by how much.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.holiday import USFederalHolidayCalendar

from shared.config import PipelineConfig
from shared.data import with_sorted_categories
from shared.errors import DataError
from shared.progress import announced

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
    "weather_gust_6h",
    "weather_pressure_change_3h",
]
# The share of late flights among those with the same values in these columns, over so many days before.
HISTORY: dict[str, tuple[tuple[str, ...], int]] = {
    "late_share_1d": ((), 1),
    "late_share_7d": ((), 7),
    "late_share_origin_1d": (("origin",), 1),
    "late_share_carrier_1d": (("carrier",), 1),
    "late_share_carrier_7d": (("carrier",), 7),
    "late_share_carrier_origin_28d": (("carrier", "origin"), 28),
    "late_share_dest_1d": (("dest",), 1),
    "late_share_dest_7d": (("dest",), 7),
    "late_share_route_28d": (("origin", "dest"), 28),
    "late_share_flight_28d": (("carrier", "flight"), 28),
    "late_share_plane_14d": (("tailnum",), 14),
    "late_share_origin_hour_28d": (("origin", "departure_hour"), 28),
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
FEATURES = [*CATEGORIES, *NUMBERS, *WEATHER, *HISTORY]


@announced
def preprocess(config: PipelineConfig, flights: pd.DataFrame) -> pd.DataFrame:
    """Return the labelled rows of the three splits: the FEATURES, `late` (0 or 1), `date` and `split`.

    The splits are whole weeks that follow each other in time. `flights` is what `load_data` returned.
    Raises DataError when a split is empty or holds only one class.
    """
    table = build_features(flights).dropna(subset=[LABEL])
    table[SPLIT] = split_by_time(config, table["date"])
    table = table.dropna(subset=[SPLIT]).astype({LABEL: "int8"}).reset_index(drop=True)
    begins = (config.train_start, config.validation_start, config.test_start, config.test_end)
    for name, begin, end in zip(SPLITS, begins, begins[1:], strict=False):
        labels = table.loc[table[SPLIT] == name, LABEL]
        if labels.nunique() < 2:
            raise DataError(
                f"preprocess: the {name} weeks ({begin} to {end}) have {len(labels)} flights with a known arrival and "
                f"{labels.sum()} late ones; both kinds are needed. Choose other weeks (test_start, {name}_weeks)."
            )
    return with_sorted_categories(table)


def build_features(flights: pd.DataFrame) -> pd.DataFrame:
    """Return FEATURES, `late` (1, 0 or missing) and `date` for every row of `flights`, in the same order.

    A row's features depend on the schedule, on weather reported before its hour, and on arrivals of earlier days.
    """
    late = late_label(flights["arr_delay"])
    columns: dict[str, pd.Series | NDArray[np.float32]] = {
        **{name: flights[name] for name in [*CATEGORIES, *WEATHER, "departure_minute", "arrival_minute", "distance"]},
        "day_of_week": flights["date"].dt.dayofweek.astype("int8"),
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
    for name, (keys, days) in HISTORY.items():
        columns[name] = late_share_before(group_codes(keyed, keys), day, late.to_numpy(), days)
    return pd.DataFrame(columns)[FEATURES].assign(late=late, date=flights["date"])


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
    days = pd.Series(dates.unique())
    distances = days.to_numpy()[:, None] - holidays.to_numpy()[None, :]
    nearest = distances[np.arange(len(days)), np.abs(distances).argmin(axis=1)] // np.timedelta64(1, "D")
    return dates.map(pd.Series(nearest.clip(-8, 8), index=days)).astype("int8")


def scheduled_minutes(flights: pd.DataFrame) -> pd.Series:
    """Return the planned minutes from gate to gate, missing where the destination's time zone is unknown."""
    new_york_offset = -5  # as in airports.csv: hours from UTC without summer time, which both ends mostly share
    clock = flights["arrival_minute"] - flights["departure_minute"]
    return (clock - 60 * (flights["dest_utc_offset"] - new_york_offset)).mod(1440).astype("float32")


def group_sizes(flights: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Return for every flight how many scheduled flights share its values in `keys`."""
    return flights.groupby(keys, observed=True)["flight"].transform("size").astype("int16")


def group_codes(flights: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.int64]:
    """Return a number per row: the same for the same values in `keys`, -1 where one of them is missing."""
    if not keys:
        return np.zeros(len(flights), dtype="int64")
    groups = flights.groupby(list(keys), observed=True, sort=False, dropna=True)
    return groups.ngroup().fillna(-1).to_numpy(dtype="int64")


def late_share_before(
    groups: NDArray[np.int64], day: NDArray[np.int64], late: NDArray[np.float32], days: int
) -> NDArray[np.float32]:
    """Return for every row the share of late flights of its group in the `days` days before its own day.

    Arguments, one entry per row: group number (-1: none), day number, late (1, 0 or NaN for unknown). A share is
    drawn towards PRIOR_SHARE by PRIOR_FLIGHTS imagined flights; a row without a group gets NaN.
    """
    known = ~np.isnan(late) & (groups >= 0)
    first = day.min() - days - 1  # so many days without flights come first, and every window starts inside the table
    shape = (int(groups.max(initial=0)) + 1, int(day.max() - first) + 1)
    counted = np.zeros((2, *shape), dtype="int32")
    np.add.at(counted[0], (groups[known], day[known] - first), 1)
    np.add.at(counted[1], (groups[known], day[known] - first), late[known].astype("int32"))
    flights, late_flights = np.cumsum(counted, axis=2, dtype="int32")
    before, begin = day - first - 1, day - first - 1 - days
    n = flights[groups, before] - flights[groups, begin]
    k = late_flights[groups, before] - late_flights[groups, begin]
    share = (k + PRIOR_FLIGHTS * PRIOR_SHARE) / (n + PRIOR_FLIGHTS)
    return np.where(groups >= 0, share, np.nan).astype("float32")
