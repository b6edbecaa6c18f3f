"""What a platform adds to plain Python, by cause: the platform itself, repeated imports, and what is left over.

The floor is a pipeline of the same shape whose tasks do nothing. Imports are what each step's modules take to load in
a new process: a platform that starts a process per step pays for each of them, plain Python pays once.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from module4.benchmark.engines.run import ENGINES, Engine, run
from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.measure import Event, measured_run
from module4.platforms import PLATFORMS, ROOT
from shared.config import preset

# What a step imports when it runs; the step's own tests hold it to that.
STEP_MODULES = {
    "load_data": "shared.artifacts shared.data",
    "preprocess": "shared.artifacts shared.features",
    "train": "shared.artifacts shared.models skops.io",
    "propose_trials": "shared.trials",
    "run_trial": "shared.artifacts shared.models",
    "select_best": "shared.artifacts shared.models skops.io",
    "evaluate": "shared.artifacts shared.evaluation shared.registry shared.report skops.io",
    "deploy": "shared.artifacts shared.deployment shared.tracking pyarrow.parquet",
}


def cases(plan: Plan) -> list[Case]:
    """Return the floors, the imports of each step, and the real pipelines."""
    return [
        *(Case(f"floor/{name}", partial(measure_floor, engine), plan.rounds) for name, engine in ENGINES.items()),
        *(Case(f"imports/{step}", partial(measure_imports, step), plan.rounds) for step in STEP_MODULES),
        *(Case(f"lab/{name}", partial(measure_lab, plan.preset, name), plan.long_rounds) for name in PLATFORMS),
    ]


def measure_floor(engine: Engine, place: Place) -> Values:
    """Run the shape of the training pipeline twice: in an empty folder (cold), and again there (warm)."""
    cold = run(engine, "training", place.folder, place.log)
    warm = run(engine, "training", place.folder, place.log)
    return {
        "cold": cold.seconds,
        "warm": warm.seconds,
        "startup": warm.startup_seconds,
        "peak_mib": warm.peak_memory / 2**20,
        "failed": bool(cold.status or warm.status),
    }


def measure_imports(step: str, place: Place) -> Values:
    """Load a step's modules in a new process, on top of `shared.steps`."""
    lines = [
        "import time; begin = time.perf_counter()",
        f"import shared.steps, {STEP_MODULES[step].replace(' ', ', ')}",
        "print(time.perf_counter() - begin)",
    ]
    output = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, check=True).stdout
    return {"seconds": float(output)}


def measure_lab(preset_name: str, platform: str, place: Place) -> Values:
    """Run the training pipeline into an empty store."""
    result = measured_run(platform, preset(preset_name), str(place.folder), place.log)
    return {
        "seconds": result.seconds,
        "startup": result.startup_seconds,
        "peak_mib": result.peak_memory / 2**20,
        "fingerprint": result.fingerprint and result.fingerprint["fingerprint"],
        "processes": steps_of_processes(result.events),
        "trials_at_once": at_once(result.events, "run_trial"),
    }


def steps_of_processes(events: Sequence[Event]) -> list[list[str]]:
    """Return the steps that ran in each process, as lists of names."""
    steps: dict[int, list[str]] = defaultdict(list)
    for event in events:
        if event["state"] == "started":
            steps[event["pid"]].append(event["step"])
    return list(steps.values())


def at_once(events: Sequence[Event], step: str) -> int:
    """Return how many tasks of a step ran at the same time at most."""
    running = most = 0
    for event in sorted(events, key=lambda event: float(event["time"])):
        if event["step"] == step:
            running += 1 if event["state"] == "started" else -1
            most = max(most, running)
    return most


def import_seconds(processes: Sequence[Sequence[str]], seconds: dict[str, float], trials_at_once: int) -> float:
    """Return how long a run waits for imports: the sum over its processes, trials divided by how many ran at once.

    A process that runs several steps imports what the most demanding one needs: the others need a part of that.
    """
    trials = [one for one in processes if set(one) == {"run_trial"}]
    others = [one for one in processes if set(one) != {"run_trial"}]
    total = sum(max(seconds[step] for step in one) for one in others)
    return total + sum(seconds["run_trial"] for _ in trials) / max(trials_at_once, 1)


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per platform: floor, imports, what is left over (seconds), and the whole over floor and imports."""
    imports = {step: measurements.median(f"imports/{step}", "seconds") or 0.0 for step in STEP_MODULES}
    table = []
    for name, platform in PLATFORMS.items():
        lab, floor = f"lab/{name}", f"floor/{name}"
        runs = measurements.get(lab, [])
        if not runs:
            continue
        row: Row = {
            "platform": name,
            "title": platform.title,
            "mode": platform.mode,
            "rounds": len(runs),
            "fingerprints": sorted({str(one["fingerprint"]) for one in runs}),
            **measurements.spread(lab, "seconds", "seconds"),
            "startup": measurements.median(lab, "startup"),
            "peak_mib": measurements.median(lab, "peak_mib"),
            "floor_cold": measurements.median(floor, "cold"),
            "floor_warm": measurements.median(floor, "warm"),
            "import_seconds": round(import_seconds(runs[0]["processes"], imports, runs[0]["trials_at_once"]), 3),
        }
        table.append(row)
    plain = next((row for row in table if row["platform"] == "python"), None)
    for row in table if plain else []:
        assert plain is not None
        row["over_python"] = round(row["seconds"] - plain["seconds"], 3)
        row["floor"] = round(max((row["floor_cold"] or 0.0) - (plain["floor_cold"] or 0.0), 0.0), 3)
        row["imports"] = round(max(row["import_seconds"] - plain["import_seconds"], 0.0), 3)
        row["left_over"] = round(row["over_python"] - row["floor"] - row["imports"], 3)
        known = row["floor"] + row["imports"]
        row["ratio"] = round(row["over_python"] / known, 2) if known > 0 and row is not plain else None
    return table


PART = Part("Overhead by cause", cases, rows)
