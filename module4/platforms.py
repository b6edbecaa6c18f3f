"""The table of platforms: a new one is a folder beside the others and a row here.

A platform may also be in any other folder, named by the environment variable PIPELINE_PLATFORM. That folder holds
`platform.toml` (its row: name, title, mode, and optionally again), `run.py`, and `graph.py`.
"""

import os
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigError, exit_on_error

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

OWN_PLATFORM = "PIPELINE_PLATFORM"  # environment variable: the folder of a platform of your own
ROW_FILE = "platform.toml"


def read_platform(folder: Path) -> Platform:
    """Return the row of the platform in `folder`, from its `platform.toml`. Raises ConfigError, naming the field."""
    path = folder / ROW_FILE
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: cannot be read ({reason}). Write the platform's row there.") from None
    for name in ("name", "title", "mode"):
        if name not in fields:
            raise ConfigError(f'{path}: {name} is missing. Write {name} = "…".')
    for name, value in fields.items():
        if name not in ("name", "title", "mode", "again"):
            raise ConfigError(f"{path}: {name} is not a field of a row. The fields are name, title, mode and again.")
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{path}: {name} is {value!r}. Write text that is not empty.")
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", fields["name"]):
        raise ConfigError(
            f"{path}: name is {fields['name']!r}. Use small letters, digits, - and _; begin with a letter."
        )
    if fields["name"] in BUILT_IN:
        raise ConfigError(f"{path}: name is {fields['name']!r}, which is taken. Choose another.")
    return Platform(module="run", **fields)


BUILT_IN = tuple(PLATFORMS)
if _own := os.environ.get(OWN_PLATFORM):
    with exit_on_error():
        _row = read_platform(Path(_own).expanduser())
    PLATFORMS[_row.name] = _row
    sys.path.append(str(Path(_own).expanduser().absolute()))  # last, so that its files hide no package
