"""The table of platforms: a new one is a folder beside the others and a row here."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKSPACE = ROOT / "workspace"  # everything that runs write; git ignores it
REPORTS = ROOT / "reports"


@dataclass(frozen=True)
class Platform:
    """One way to run the pipeline: `module` has a function `run(config, store) -> Fingerprint`."""

    name: str
    title: str
    module: str
    mode: str  # how it runs here, for the table


PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform("python", "plain Python", "shared.pipeline", "one process"),
        Platform("make", "Make", "module4.lab0_make.run", "a process per step"),
        Platform("airflow", "Airflow", "module4.lab1_airflow.run", "dag.test()"),
        Platform("kubeflow", "Kubeflow Pipelines", "module4.lab2_kubeflow.run", "kfp.local, a process per task"),
        Platform("dagster", "Dagster", "module4.lab3_dagster.run", "a job, one process"),
        Platform("modal", "Modal", "module4.lab4_modal.run", "modal run on loopback, a process per container"),
    )
}
