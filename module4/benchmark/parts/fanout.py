"""Fan-out: how much faster 1 to 64 trials are than one after the other, over the processors there are."""

import os
from functools import partial

from module4.benchmark.engines.run import ENGINES, Engine, run, starts_and_ends
from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values

COUNTS = (1, 2, 4, 8, 16, 64)
WORK = 0.4  # seconds of CPU per trial


def cases(plan: Plan) -> list[Case]:
    """Return a case per engine and number of trials."""
    counts = (1, 4) if plan.quick else COUNTS
    return [
        Case(f"{name}/{count}", partial(measure, engine, count), plan.matrix_rounds)
        for count in counts
        for name, engine in ENGINES.items()
    ]


def measure(engine: Engine, count: int, place: Place) -> Values:
    """Run so many trials; `span` is from the start of the first one to the end of the last."""
    times = starts_and_ends(run(engine, f"parallel:{count}", place.folder, place.log, WORK), ["run_trial"])
    span = max(end for _, end in times) - times[0][0] if len(times) == count else None
    return {"span": span, "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()}


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per engine and count: `speedup` over one trial after the other, `efficiency` per usable core."""
    table = []
    for case, runs in measurements.items():
        engine, _, count = case.partition("/")
        span = measurements.median(case, "span")
        usable = min(int(count), runs[0]["cores"])
        speedup = round(int(count) * WORK / span, 3) if span else None
        table.append(
            {
                "engine": engine,
                "trials": int(count),
                **measurements.spread(case, "span", "span"),
                "speedup": speedup,
                "efficiency": round(speedup / usable, 3) if speedup else None,
            }
        )
    return table


PART = Part("Fan-out", cases, rows)
