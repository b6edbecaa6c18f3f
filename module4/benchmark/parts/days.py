"""Inference day by day: what each further day costs on each platform, and how many days run at once."""

import hashlib
import sys
from functools import partial
from pathlib import Path

from module4.benchmark.engines.days import PLATFORMS as ENGINES
from module4.benchmark.parts.overhead import at_once
from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.measure import measured_process, measured_run
from module4.platforms import PLATFORMS
from shared.config import preset

FIRST_DAY, YEAR = "2013-01-01", 365
DAYS, DAYS_QUICK, DAYS_LARGE = (1, 8), (1, 2), (1, YEAR)


def cases(plan: Plan) -> list[Case]:
    """Return a case per platform and number of days."""
    counts = DAYS_QUICK if plan.quick else DAYS_LARGE if plan.large else DAYS
    return [Case(f"{name}/{count}", partial(measure, name, count)) for count in counts for name in ENGINES]


def measure(platform: str, count: int, place: Place) -> Values:
    """Train (preset tiny), then predict so many days in one process of the platform."""
    store = place.folder / "store"
    measured_run("python", preset("tiny"), str(store), place.log)
    command = [sys.executable, "-m", "module4.benchmark.engines.days", platform, str(store), FIRST_DAY, str(count)]
    measured = measured_process(command, place.log)
    partitions = sorted((store / "predictions").glob("date=*"))
    return {
        "seconds": measured.seconds,
        "days": len(partitions),
        "days_at_once": at_once(measured.events, "load_batch"),
        "failed": measured.status != 0 or len(partitions) != count,
        "predictions": _digest(partitions[0]) if partitions else "",
    }


def _digest(partition: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(partition.glob("*.parquet")))).hexdigest()


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per platform: seconds of one day, of each further one, and of a year at that pace."""
    table = []
    for name in ENGINES:
        found = {
            int(case.partition("/")[2]): runs[0] for case, runs in measurements.items() if case.startswith(f"{name}/")
        }
        if len(found) < 2 or any(values["failed"] for values in found.values()):
            continue
        few, most = min(found), max(found)
        per_day = (found[most]["seconds"] - found[few]["seconds"]) / (most - few)
        table.append(
            {
                "platform": name,
                "title": PLATFORMS[name].title,
                "one_day": round(found[few]["seconds"], 1),
                "days": most,
                "per_day": round(per_day, 2),
                "year_minutes": round((found[few]["seconds"] + (YEAR - few) * per_day) / 60, 1),
                "days_at_once": found[most]["days_at_once"],
                "same_predictions": len(
                    {
                        measurements[f"{other}/{few}"][0]["predictions"]
                        for other in (name, "python")
                        if f"{other}/{few}" in measurements
                    }
                )
                == 1,
            }
        )
    return table


PART = Part("Inference, day by day", cases, rows)
