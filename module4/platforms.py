"""The table of platforms: a new one is a folder beside the others and a row here."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Everything that runs write; git ignores it. If the checkout is read-only or shared, PIPELINE_WORKSPACE moves it.
_MOVED = os.environ.get("PIPELINE_WORKSPACE")
WORKSPACE = Path(_MOVED).expanduser().absolute() if _MOVED else ROOT / "workspace"
REPORTS = WORKSPACE / "reports" if _MOVED else ROOT / "reports"


def default_store(platform: str) -> str:
    """Return where a platform's lab keeps its artifacts unless a command or a run says otherwise: a folder or a URI."""
    return os.environ.get("PIPELINE_STORE") or str(WORKSPACE / platform)


@dataclass(frozen=True)
class Platform:
    """One way to run the pipeline: `module` has a function `run(config, store) -> Fingerprint`."""

    name: str
    title: str
    module: str
    mode: str  # how it runs here, for the table
    # What the same command does after a failed run.
    again: str = "it starts from the first step."


_CLEAR = "it starts a new DAG run; in a running Airflow, clear the failed task instead."
_CACHE = "finished tasks come from the cache."
_RESUME = "it starts a new run. To resume this one instead: {python} -m module4.lab3_dagster resume --store {store}"

PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform("python", "plain Python", "shared.pipeline", "one process"),
        Platform("make", "Make", "module4.lab0_make.run", "a process per step", "it makes only what is missing."),
        Platform("airflow", "Airflow", "module4.lab1_airflow.run", "dag.test()", _CLEAR),
        Platform(
            "kubeflow", "Kubeflow Pipelines", "module4.lab2_kubeflow.run", "kfp.local, a process per task", _CACHE
        ),
        Platform("dagster", "Dagster", "module4.lab3_dagster.run", "a job, one process", _RESUME),
        Platform("modal", "Modal", "module4.lab4_modal.run", "modal run on loopback, a process per container"),
    )
}
