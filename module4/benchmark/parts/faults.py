"""The fault matrix: a step raises, is killed, or hangs; whether and how the platform recovers with the same model."""

import os
from functools import partial
from typing import Any

from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.measure import Run, measured_run
from module4.platforms import PLATFORMS
from shared.config import PipelineConfig, preset
from shared.faults import parse_fault
from shared.registry import Registry

STEPS = ("preprocess", "run_trial", "deploy")
KINDS = ("fail", "kill")
HANGS = ("train",)
STEP_TIMEOUT = 60  # seconds that an attempt may take, on platforms with such a limit
PATIENCE = 180  # seconds after which somebody would stop a run that hangs

BY_ITSELF, SAME_COMMAND, NOT = "automatically", "same command again", "not recovered"


def cases(plan: Plan) -> list[Case]:
    """Return the undisturbed runs, and a case per platform, step and kind of fault."""
    if plan.quick:
        names: tuple[str, ...] = ("python", "make", "kubeflow", "dagster")
        faults = ["run_trial:fail"]
    else:
        names = tuple(PLATFORMS)
        faults = [f"{step}:{kind}" for step in STEPS for kind in KINDS] + [f"{step}:hang" for step in HANGS]
    return [Case(f"{name}/{fault}", partial(measure, name, fault)) for fault in ["none", *faults] for name in names]


def measure(platform: str, fault: str, place: Place) -> Values:
    """Run the pipeline (preset tiny) with the fault, and if that fails, the same command once more."""
    store = str(place.folder)
    broken = parse_fault(fault, store) if fault != "none" else None
    config = preset("tiny", fault=broken) if broken else preset("tiny")
    before = os.environ.get("STEP_TIMEOUT")
    os.environ["STEP_TIMEOUT"] = str(STEP_TIMEOUT)
    try:
        first = measured_run(platform, config, store, place.log, limit=PATIENCE if fault.endswith("hang") else 600)
        untouched = first.succeeded or _production(config, store) is None
        runs = [first] if first.succeeded else [first, measured_run(platform, config, store, place.log, limit=600)]
    finally:
        os.environ.pop("STEP_TIMEOUT")
        if before is not None:
            os.environ["STEP_TIMEOUT"] = before
    last = runs[-1]
    return {
        "recovery": NOT if not last.succeeded else BY_ITSELF if len(runs) == 1 else SAME_COMMAND,
        "seconds": sum(run.seconds for run in runs),
        "started": sum(_started(run) for run in runs),
        "fingerprint": last.fingerprint and last.fingerprint["fingerprint"],
        "production_untouched": untouched,
    }


def _started(run: Run) -> int:
    return sum(event["state"] == "started" for event in run.events)


def _production(config: PipelineConfig, store: str) -> Any:
    return Registry(f"{store}/registry", config.model_name).aliases().get("production")


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per platform and fault; seconds and steps are those above an undisturbed run."""
    whole = {case.partition("/")[0]: runs[0] for case, runs in measurements.items() if case.endswith("/none")}
    right = whole.get("python", {}).get("fingerprint")
    table = []
    for case, runs in measurements.items():
        platform, _, fault = case.partition("/")
        if fault == "none":
            continue
        one, undisturbed = runs[0], whole[platform]
        table.append(
            {
                "platform": platform,
                "fault": fault,
                "recovery": one["recovery"],
                "same_model": one["fingerprint"] == right,
                "production_untouched": one["production_untouched"],
                "steps_again": one["started"] - undisturbed["started"],
                "seconds_lost": round(one["seconds"] - undisturbed["seconds"], 1),
            }
        )
    return table


PART = Part("Faults", cases, rows)
