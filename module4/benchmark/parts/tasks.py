"""Time to the first task, and time per task: chains of tasks that do nothing, and twenty of them side by side."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from statistics import median, quantiles

from module4.benchmark.engines.noop import Shape
from module4.benchmark.engines.run import ENGINES, SERVED, Engine, run, starts_and_ends
from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values

# 40 light tasks: as in the comparison of workflow engines that Windmill publishes; `training` is the pipeline's shape.
SHAPES = ("chain:1", "chain:5", "chain:20", "chain:40", "parallel:20", "training")
SERVED_SHAPES = ("chain:20", "parallel:20", "training")  # their services have to be started each time
MANY = 5  # longer chains are not run with a process per step that imports everything


def cases(plan: Plan) -> list[Case]:
    """Return a case per engine and shape: those in their lightest mode, then those with their services."""
    shapes = ("chain:1", "chain:5") if plan.quick else SHAPES
    light = [
        Case(f"{name}/{shape}", partial(measure, engine, shape), plan.matrix_rounds)
        for shape in shapes
        for name, engine in ENGINES.items()
        if name != "dagster-processes" or Shape.parse(shape).tasks <= MANY
    ]
    served = [
        Case(f"{name}/{shape}", partial(measure, engine, shape))
        for shape in SERVED_SHAPES
        for name, engine in SERVED.items()
    ]
    return light if plan.quick else [*light, *served]


def measure(engine: Engine, shape: str, place: Place) -> Values:
    """Run the shape and split its time: before the first task, in tasks, between tasks, after the last."""
    measured = run(engine, shape, place.folder, place.log)
    names = ["run_trial"] if shape.startswith("parallel") else []
    times = starts_and_ends(measured, names)
    return {
        "seconds": measured.seconds,
        "tasks": len(times),
        "first_task": measured.startup_seconds,
        "running": sum(end - start for start, end in times),
        "gaps": gaps(times),
        "span": times[-1][1] - times[0][0] if times else None,
    }


def gaps(times: Sequence[tuple[float, float]]) -> list[float]:
    """Return the seconds from the end of each task to the start of the next one; 0 if they overlap."""
    return [max(after[0] - before[1], 0.0) for before, after in pairwise(times)]


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per engine and shape; `next_task` is from one task's end to the next one's start."""
    table = []
    for case, runs in measurements.items():
        engine, _, shape = case.partition("/")
        between = sorted(gap for one in runs for gap in one["gaps"])
        table.append(
            {
                "engine": engine,
                "shape": shape,
                **measurements.spread(case, "seconds", "seconds"),
                "first_task": measurements.median(case, "first_task"),
                "next_task": round(median(between), 4) if between else None,
                "next_task_p95": round(quantiles(between, n=20)[-1], 4) if len(between) > 1 else None,
                "span": measurements.median(case, "span"),
                "tasks": runs[0]["tasks"],
            }
        )
    return table


PART = Part("Time per task", cases, rows)
