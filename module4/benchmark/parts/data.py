"""The course's data steps against the way a naive notebook does the same.

Both read the whole year and end with a table to fit a model on. They run alternately, each time in a new process. The
notebook reads every column of the CSV files, merges everything, computes history with group-by, and one-hot encodes; it
does not validate. Memory is what the first call adds at its peak, after the imports. Time is the median of the later
calls, because in the first one the libraries prepare themselves. The ratios compare medians over all rounds.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.platforms import ROOT

ROUNDS, CALLS = 3, 3
HISTORY_KEYS = (
    (["everywhere"], 1),
    (["everywhere"], 7),
    (["origin"], 1),
    (["carrier"], 1),
    (["carrier"], 7),
    (["carrier", "origin"], 28),
    (["dest"], 1),
    (["dest"], 7),
    (["origin", "dest"], 28),
    (["carrier", "flight"], 28),
    (["tailnum"], 14),
    (["origin", "hour"], 28),
)


def course() -> int:
    """Run the course's own steps on the year and return the number of rows."""
    from shared.config import preset
    from shared.data import load_data
    from shared.features import preprocess

    config = preset("full")
    return len(preprocess(config, load_data(config)))


def notebook() -> int:
    """Do the same in the way of a typical notebook and return the number of rows."""
    import pandas as pd
    from pandas.tseries.holiday import USFederalHolidayCalendar

    from shared.data import package_folder

    folder = package_folder()
    flights = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv")
    planes = pd.read_csv(folder / "planes.csv")
    airports = pd.read_csv(folder / "airports.csv")
    airlines = pd.read_csv(folder / "airlines.csv")

    weather["time_hour"] = pd.to_datetime(weather["time_hour"])
    weather = weather.sort_values(["origin", "time_hour"])
    by_origin = weather.groupby("origin")
    for column, how in (("precip", "sum"), ("visib", "min"), ("wind_gust", "max")):
        weather[f"{column}_6h"] = by_origin[column].transform(lambda s, how=how: s.rolling(6, min_periods=1).agg(how))
    weather["pressure_change"] = by_origin["pressure"].diff(3)
    weather["time_hour"] += pd.Timedelta(hours=1)

    table = flights.merge(airlines, on="carrier", how="left")
    table = table.merge(planes, on="tailnum", how="left", suffixes=("", "_plane"))
    table = table.merge(airports, left_on="dest", right_on="faa", how="left", suffixes=("", "_dest"))
    table["time_hour"] = pd.to_datetime(table["time_hour"])
    table = table.merge(weather, on=["origin", "time_hour"], how="left", suffixes=("", "_weather"))
    table["date"] = pd.to_datetime(table[["year", "month", "day"]])
    holidays = USFederalHolidayCalendar().holidays("2012-12-01", "2014-02-01")
    nearest = {day: min((day - holidays).days, key=abs) for day in table["date"].unique()}
    table["days_from_holiday"] = table["date"].map(nearest).clip(-8, 8)
    table["day_of_week"] = table["date"].dt.day_of_week
    table["plane_age"] = 2013 - table["year_plane"]
    departure, arrival = (table[f"sched_{end}_time"] for end in ("dep", "arr"))
    table["departure_minute"] = departure // 100 * 60 + departure % 100
    table["arrival_minute"] = arrival // 100 * 60 + arrival % 100
    minutes = table["arrival_minute"] - table["departure_minute"] - 60 * (table["tz"] + 5)
    table["scheduled_minutes"] = minutes % 1440
    table["everywhere"] = 0
    table["late"] = (table["arr_delay"] > 15).where(table["arr_delay"].notna()).astype(float)
    table["departures_hour"] = table.groupby(["origin", "time_hour"])["flight"].transform("size")
    table["departures_carrier"] = table.groupby(["origin", "time_hour", "carrier"])["flight"].transform("size")
    table["departures_day"] = table.groupby("date")["flight"].transform("size")
    for keys, days in HISTORY_KEYS:
        daily = table.groupby([*keys, "date"])["late"].mean().reset_index().sort_values("date")
        rolled = daily.set_index("date").groupby(keys)["late"].rolling(f"{days}D", closed="left").mean()
        name = "_".join([*keys, str(days)])
        table = table.merge(rolled.rename(name).reset_index(), on=[*keys, "date"], how="left")
    table = table.dropna(subset=["late"])
    table = pd.get_dummies(table, columns=["carrier", "origin", "dest", "manufacturer", "engine"])
    return len(table.select_dtypes(["number", "bool"]))


def cases(plan: Plan) -> list[Case]:
    """Return both ways; they alternate."""
    return [Case(name, partial(measure, name), 1 if plan.quick else ROUNDS) for name in ("notebook", "course")]


def measure(function: str, place: Place) -> Values:
    """Run one of the two functions in a new process and return its seconds and the MiB it added."""
    code = f"from module4.benchmark.parts import data; data.report(data.{function})"
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(output))


def report(function: Callable[[], int]) -> None:
    """Call `function` several times in this process and print its figures as JSON."""
    import resource
    from importlib import import_module

    import psutil

    import_module("shared.features")  # imports all that either function needs

    before = psutil.Process().memory_info().rss
    rows = function()
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, kibibytes on Linux
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    wall, cpu = [], []
    for _ in range(CALLS):
        begin, cpu_begin = time.perf_counter(), time.process_time()
        function()
        wall.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - cpu_begin)
    print(
        json.dumps(
            {
                "rows": rows,
                "wall_seconds": statistics.median(wall),
                "cpu_seconds": statistics.median(cpu),
                "peak_mib": (peak - before) / 2**20,
            }
        )
    )


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per figure: both ways, and how many times more the notebook needs."""
    table = []
    for figure in ("wall_seconds", "cpu_seconds", "peak_mib", "rows"):
        slow, quick = (measurements.median(name, figure) for name in ("notebook", "course"))
        table.append(
            {
                "figure": figure,
                "notebook": slow,
                "course": quick,
                "ratio": round(slow / quick, 2) if slow and quick else None,
            }
        )
    return table


PART = Part("Data steps", cases, rows)
