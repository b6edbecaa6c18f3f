"""How time and memory grow with the data: the steps on one year of flights, on ten, and if asked for on a hundred."""

import shutil
import sys
from functools import partial
from pathlib import Path

import psutil

from module4.benchmark.grow import config_for, grow
from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.measure import Measured, measured_process
from shared.trials import propose_trials

YEARS = (1, 10)
MANY_YEARS = (100,)
GIB_PER_YEAR = 0.25  # what the largest step needs; a machine with less does not start
STEPS = ("load_data", "preprocess", "train", "run_trial", "load_batch")


def cases(plan: Plan) -> list[Case]:
    """Return a case per number of years."""
    years = YEARS[:1] if plan.quick else (*YEARS, *MANY_YEARS) if plan.large else YEARS
    return [Case(str(count), partial(measure, count)) for count in years]


def measure(years: int, place: Place) -> Values:
    """Make the data, and run each step on all of it in a new process; `load_batch` makes the last day but one."""
    available = psutil.virtual_memory().available / 2**30
    if available < years * GIB_PER_YEAR:
        return {"skipped": f"needs about {years * GIB_PER_YEAR:.0f} GiB of memory, and {available:.0f} are free"}
    data = place.folder / "data"
    grow(data, years, say=lambda line: None)
    config = config_for(data, years)
    text = config.to_json()
    trial = propose_trials(config)[0].model_dump_json()
    output = {step: str(place.folder / step) for step in STEPS}
    arguments = {
        "load_data": [text, output["load_data"]],
        "preprocess": [text, output["load_data"], output["preprocess"]],
        "train": [text, output["preprocess"], output["train"]],
        "run_trial": [text, output["preprocess"], trial],
        "load_batch": [text, f"{config.data_end.year - 1}-12-30", output["load_batch"]],
    }
    rows = _flights(data)
    steps = {step: _step(step, arguments[step], place.log) for step in STEPS}
    shutil.rmtree(data)
    return {"rows": rows, "steps": steps}


def _flights(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") - 1 for path in (folder / "flights").iterdir())


def _step(name: str, arguments: list[str], log: Path) -> Values:
    measured: Measured = measured_process([sys.executable, "-m", "shared", name, *arguments], log)
    return {"seconds": measured.seconds, "peak_mib": measured.peak_memory / 2**20, "failed": measured.status != 0}


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per step and number of years: time per flight against one year's, and bytes per further flight."""
    found = {int(years): runs[0] for years, runs in measurements.items()}
    first = found.get(YEARS[0], {})
    table = []
    for years, values in sorted(found.items()):
        for step in STEPS:
            row: Row = {"step": step, "years": years, "flights": values.get("rows"), "remark": values.get("skipped")}
            measured = values.get("steps", {}).get(step)
            if measured and measured["failed"]:
                row["remark"] = "failed"
            elif measured:
                row |= _per_flight(measured, values["rows"], first["steps"][step], first["rows"])
            table.append(row)
    return table


def _per_flight(measured: Values, flights: int, first: Values, first_flights: int) -> Row:
    """Return a step's figures; `load_batch` reads the same months however many there are."""
    slope = (
        (measured["peak_mib"] - first["peak_mib"]) * 2**20 / (flights - first_flights)
        if flights > first_flights
        else None
    )
    pace = measured["seconds"] / flights / (first["seconds"] / first_flights)
    return {
        "seconds": round(measured["seconds"], 2),
        "time_per_flight": round(pace, 2),
        "peak_mib": round(measured["peak_mib"]),
        "bytes_per_flight": round(slope) if slope is not None else None,
    }


PART = Part("Scale", cases, rows)
