"""The fault matrix: a step, its store or the platform itself fails, and recovers with the same model or does not."""

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, get_args

import psutil

from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.measure import Event, Run, measured_run
from module4.platforms import PLATFORMS
from shared.config import FaultKind, PipelineConfig, preset
from shared.faults import parse_fault
from shared.registry import Registry

STEP, MORE_STEPS = "train", ("preprocess", "run_trial", "deploy")
MORE_KINDS = ("fail", "kill")
ORCHESTRATOR, WHEN = "orchestrator:kill", "run_trial"  # killed as the first trial starts
STEP_TIMEOUT = 30  # seconds that an attempt may take, on platforms with such a limit
PATIENCE = 90  # seconds after which somebody would stop a run that hangs

BY_ITSELF, SAME_COMMAND, NOT = "automatically", "same command again", "not recovered"


class Orchestrator(NamedTuple):
    """The process that starts the steps: how it is called, and the words that its command line begins with."""

    title: str
    words: tuple[str, ...] = ("python", "-m", "module4.worker")


ORCHESTRATORS = {
    "python": Orchestrator("the pipeline's process"),
    "make": Orchestrator("make", ("make",)),
    "airflow": Orchestrator("the process of dag.test()"),
    "kubeflow": Orchestrator("kfp.local, the tasks' parent"),
    "dagster": Orchestrator("the run's process"),
    "modal": Orchestrator("the control plane", ("python", "-m", "infra.modal_local")),
}


class OrchestratorKiller:
    """Kills a platform's orchestrator at the first event that says that a trial has started."""

    def __init__(self, platform: str) -> None:
        self.orchestrator = ORCHESTRATORS.get(platform, Orchestrator("its process"))
        self.killed = False

    def __call__(self, event: Event) -> None:
        """Look at an event of `measured_run`, which is called from this process."""
        if self.killed or (event["step"], event["state"]) != (WHEN, "started"):
            return
        below = psutil.Process().children(recursive=True)
        found = [process for process in below if _begins(process, self.orchestrator.words)]
        with suppress(psutil.Error):
            for process in sorted(found, key=psutil.Process.create_time)[:1]:  # the first: it may have started others
                process.kill()
                self.killed = True


def _begins(process: psutil.Process, words: Sequence[str]) -> bool:
    """Whether a process's command line begins with `words`; "python" is any Python."""
    with suppress(psutil.Error):
        program, *rest = process.cmdline() or [""]
        name = Path(program).name
        return ["python" if name.lower().startswith("python") else name, *rest][: len(words)] == [*words]
    return False


def cases(plan: Plan) -> list[Case]:
    """Return the undisturbed runs, and a case per platform, step and kind of fault."""
    if plan.quick:
        names: tuple[str, ...] = ("python", "make", "kubeflow", "dagster")
        faults = ["run_trial:fail"]
    else:
        names = tuple(PLATFORMS)
        faults = [*(f"{STEP}:{kind}" for kind in get_args(FaultKind)), ORCHESTRATOR]
        faults += [f"{step}:{kind}" for step in MORE_STEPS for kind in MORE_KINDS] if plan.large else []
    return [Case(f"{name}/{fault}", partial(measure, name, fault)) for fault in ["none", *faults] for name in names]


def measure(platform: str, fault: str, place: Place) -> Values:
    """Run the pipeline (preset tiny) with the fault, and if that fails, the same command once more."""
    store = str(place.folder)
    killer = OrchestratorKiller(platform) if fault == ORCHESTRATOR else None
    broken = parse_fault(fault, store) if fault not in ("none", ORCHESTRATOR) else None
    config = preset("tiny", fault=broken) if broken else preset("tiny")
    before = os.environ.get("STEP_TIMEOUT")
    os.environ["STEP_TIMEOUT"] = str(STEP_TIMEOUT)
    try:
        limit = PATIENCE if fault.endswith("hang") else 600
        first = measured_run(platform, config, store, place.log, killer or (lambda event: None), limit=limit)
        untouched = first.succeeded or _production(config, store) is None
        runs = [first] if first.succeeded else [first, measured_run(platform, config, store, place.log, limit=600)]
    finally:
        os.environ.pop("STEP_TIMEOUT")
        if before is not None:
            os.environ["STEP_TIMEOUT"] = before
    last, missed = runs[-1], killer is not None and not killer.killed
    return {
        "recovery": NOT if missed or not last.succeeded else BY_ITSELF if len(runs) == 1 else SAME_COMMAND,
        "seconds": sum(run.seconds for run in runs),
        "started": sum(_started(run) for run in runs),
        "fingerprint": last.fingerprint and last.fingerprint["fingerprint"],
        "production_untouched": untouched,
        "killed": killer.orchestrator.title if killer and killer.killed else None,
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
                "killed": one.get("killed"),
            }
        )
    return table


PART = Part("Faults", cases, rows)
