"""What a platform runs again: after nothing has changed, after one parameter has, and after a line of code has."""

import shutil
from functools import partial
from pathlib import Path

from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.measure import measured_run
from module4.platforms import PLATFORMS, ROOT
from shared.config import preset

CHANGES = ("nothing", "one parameter", "one line of code")
SOURCES = ("infra", "module4", "shared")


def cases(plan: Plan) -> list[Case]:
    """Return a case per platform; all changes are measured one after the other, in one store."""
    names = ("python", "make", "kubeflow", "dagster") if plan.quick else tuple(PLATFORMS)
    changes = CHANGES[:1] if plan.quick else CHANGES
    return [Case(name, partial(measure, name, changes)) for name in names]


def measure(platform: str, changes: tuple[str, ...], place: Place) -> Values:
    """Run the pipeline (preset tiny) in a copy of the checkout, then after each change again.

    What runs every step although nothing has changed will do so after a change: that is not tried.
    """
    checkout, store = copy_checkout(place.folder / "checkout"), str(place.folder / "store")
    config = preset("tiny")
    first = measured_run(platform, config, store, place.log, folder=checkout)
    values: Values = {"first": first.seconds, "steps": len(_started(first.events)), "changes": {}}
    for change in changes:
        if change == "one parameter":
            config = preset("tiny", gate={"min_roc_auc": 0.59})  # only `evaluate` looks at it
        elif change == "one line of code":
            _append_comment(checkout / "shared" / "deployment.py")  # only `deploy` is in there
        again = measured_run(platform, config, store, place.log, folder=checkout)
        values["changes"][change] = {
            "seconds": again.seconds,
            "steps": _started(again.events),
            "succeeded": again.succeeded,
        }
        if change == "nothing" and len(_started(again.events)) == values["steps"]:
            break
    return values


def copy_checkout(folder: Path) -> Path:
    """Copy what a run needs into the new `folder`, without what runs have written; return it."""
    for source in SOURCES:
        shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__", ".secrets"))
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


def _started(events: list[dict[str, object]]) -> list[str]:
    return [str(event["step"]) for event in events if event["state"] == "started"]


def _append_comment(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per platform and change: how many of the steps' runs were made again, and the seconds."""
    return [
        {
            "platform": platform,
            "change": change,
            "steps_run": len(result["steps"]),
            "of_steps": runs[0]["steps"],
            "seconds": round(result["seconds"], 2),
            "first_seconds": round(runs[0]["first"], 2),
            "succeeded": result["succeeded"],
        }
        for platform, runs in measurements.items()
        for change, result in runs[0]["changes"].items()
    ]


PART = Part("Running again", cases, rows)
