"""Judge a platform in any folder by the contract and by equivalence: `python -m module4 check-platform FOLDER`.

The folder holds the platform's row in `platform.toml`, a graph reader `read_graph() -> Graph` in `graph.py`, and
`run(config, store) -> Fingerprint` in `run.py`. Both are run in separate processes, as the platforms of the table are.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from infra.processes import supervised
from module4.contract import graph_differences
from module4.measure import Event, describe_failed_step
from module4.platform_process import DECLARATION
from module4.platforms import OWN_PLATFORM, ROOT, ROW_FILE, read_platform
from shared.config import preset
from shared.errors import ConfigError
from shared.fingerprint import differing_parts
from shared.graph import TRAINING, Node
from shared.progress import EVENTS_FILE
from shared.storage import MANIFEST

FILES = (ROW_FILE, "graph.py", "run.py")
SECONDS = float(os.environ.get("CHECK_PLATFORM_SECONDS", "600"))  # for one process, which may never end
# Not a preset, so that a platform that chooses its own configuration is noticed; small, so that it takes seconds.
CONFIG = preset("tiny", train_weeks=1, baseline={"max_iter": 3}, trials=3, seed=7)

# What to look at when a part of the fingerprint differs, in the order in which the parts are made.
PART_HINTS = {
    "data": "Look at load_data and preprocess: they must get `config` as it is, and preprocess what load_data wrote.",
    "hyperparameters": "Look at evaluate, which gets first the baseline, then the candidate; and at the search.",
    "metrics": "Look at evaluate: which features, which baseline, and which candidate does it get?",
    "predictions": "Look at evaluate: which features does it get?",
    "model": "Look at which evaluation deploy gets.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that the platform does, or not yet; then `hint` says what was seen and where to look."""

    passed: bool
    what: str
    hint: str = ""


def check_platform(folder: Path) -> Iterator[Finding]:
    """Yield a finding per requirement: first the row, then the graph, then the run. The first failure ends it."""
    for part in (check_row, check_graph, check_run):
        for finding in part(folder):
            yield finding
            if not finding.passed:
                return


def check_row(folder: Path, files: Sequence[str] = FILES) -> Iterator[Finding]:
    """Yield whether the folder has its files, whether they hide no package, and whether its row can be used."""
    if not folder.is_dir():
        yield Finding(False, "it is a folder", f"{folder} is not a folder.")
        return
    missing = [name for name in files if not (folder / name).is_file()]
    hint = f"{folder} has no {' and no '.join(missing)}." if missing else ""
    yield Finding(not missing, f"it holds {', '.join(files)}", hint)
    hiding = sorted(path.name for path in folder.iterdir() if _hides_a_package(path))
    hint = f"{', '.join(hiding)} has the name of a package, so that Python may import the wrong one. Rename it."
    yield Finding(not hiding, "its files hide no package", hint if hiding else "")
    try:
        row = read_platform(folder)
    except ConfigError as error:
        yield Finding(False, "its row can be used", str(error))
        return
    yield Finding(True, f"its row names it: {row.title} ({row.name}), {row.mode}")


def _hides_a_package(path: Path) -> bool:
    name = path.stem
    if path.suffix != ".py" or path.name in FILES:
        return False
    spec = None if name in sys.stdlib_module_names else find_spec(name) if name.isidentifier() else None
    return name in sys.stdlib_module_names or bool(spec and spec.origin != str(path.resolve()))


def check_graph(folder: Path) -> Iterator[Finding]:
    """Yield whether `graph.py` reads the platform's own graph, and whether that is the declared one."""
    found, error = _in_process("graph", folder)
    if error:
        yield Finding(False, "read_graph returns a graph", error)
        return
    if DECLARATION in {name for node in found for name in (node["name"], *node["needs"])}:
        yield Finding(
            False,
            "read_graph reads the platform's own graph",
            "It returned the course's declaration (shared.graph.TRAINING), which is the answer to compare with. "
            "Build the graph from the platform's own objects.",
        )
        return
    yield Finding(True, f"read_graph returns a graph of {len(found)} steps")
    differences = graph_differences([_to_node(node) for node in found], TRAINING.nodes)
    yield Finding(not differences, "its steps and edges are the declared ones", " ".join(differences))


def check_run(folder: Path) -> Iterator[Finding]:
    """Yield whether `run` makes the same model as plain Python, by its own steps, and does not hide a failure."""
    with tempfile.TemporaryDirectory() as store:
        done, error = _in_process("run", folder, CONFIG.to_json(), store)
        events = _events(Path(store))
        if error:
            step = describe_failed_step(events).partition(" failed: ")[0]
            yield Finding(False, "run runs to its end", f"{step} failed: {error}" if step else error)
            return
        if Path(store, "runs", "python").exists():
            yield Finding(
                False,
                "the platform runs the steps",
                "There is a run called python in the store: shared.pipeline ran the steps, not your platform.",
            )
            return
        yield from _check_steps(events)
        yield from _check_fingerprint(done["fingerprint"], Path(store))
        hint = "The next run, whose data does not exist, returned a fingerprint all the same: an error was hidden, or "
        hint += "results of the run before were used again."
        yield Finding(done["refused"], "a run that cannot succeed raises an error", "" if done["refused"] else hint)


def _check_steps(events: list[Event]) -> Iterator[Finding]:
    """Yield whether each step ran once, and each trial."""
    ran = [event["step"] for event in events if event["state"] == "finished"]
    wanted = {inner.name: 1 for node in TRAINING for inner in (node.inner or (node,))} | {"run_trial": CONFIG.trials}
    other = [
        f"{name} {ran.count(name)} times instead of {times}"
        for name, times in wanted.items()
        if ran.count(name) != times
    ]
    hint = (
        f"With {CONFIG.trials} trials, the steps that ran were: {', '.join(ran) or 'none'}. That is {'; '.join(other)}."
    )
    yield Finding(not other, "each step runs once, and run_trial once per trial", hint if other else "")


def _check_fingerprint(found: Any, store: Path) -> Iterator[Finding]:
    """Yield whether the fingerprint is that of plain Python, part by part, and was made in the store."""
    if not isinstance(found, dict) or "fingerprint" not in found:
        hint = "It returned None. Is the `return` missing?" if found is None else f"It returned {found!r:.200}."
        hint += " Return what steps.read_fingerprint returns for the artifact of deploy."
        yield Finding(False, "run returns the fingerprint", hint)
        return
    right = reference()
    different = differing_parts(right, found)
    first = different[0] if different else ""
    hint = f"Parts that differ from plain Python's: {', '.join(different) or 'none, but the sum'}. "
    hint += PART_HINTS.get(first, "")
    same = not different and found["fingerprint"] == right["fingerprint"]
    yield Finding(same, "the model is that of plain Python, bit for bit", "" if same else hint)
    kept = [path.parent.name for path in store.glob("runs/*/*/" + MANIFEST)]
    inside = bool(kept) and any(store.glob("registry/**/*.skops"))
    hint = "Below the given store there must be runs/RUN/STEP, an artifact per step, and registry/, the models."
    yield Finding(inside, "artifacts and models are in the given store", "" if inside else hint)


@cache
def reference() -> dict[str, Any]:
    """Return the fingerprint of plain Python for CONFIG."""
    with tempfile.TemporaryDirectory() as store:
        done, error = _in_process("run", None, CONFIG.to_json(), store)
    if error:
        raise ConfigError(f"plain Python failed: {error}")
    return dict(done["fingerprint"])


def _in_process(what: str, folder: Path | None, *words: str) -> tuple[Any, str]:
    """Run `module4.platform_process`; return its result, or what went wrong in a sentence."""
    with tempfile.TemporaryDirectory() as temporary:
        result = Path(temporary, "result.json")
        environment = {name: value for name, value in os.environ.items() if name not in (EVENTS_FILE, OWN_PLATFORM)}
        environment |= {"TMPDIR": temporary, "MPLBACKEND": "agg", "DAGSTER_DISABLE_TELEMETRY": "yes"}
        command = [
            sys.executable,
            "-m",
            "module4.platform_process",
            what,
            str(folder.absolute() if folder else ""),
            str(result),
            *words,
        ]
        process = subprocess.Popen(
            supervised(command),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said = process.communicate(timeout=SECONDS)[0].decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            return None, f"It had not ended after {SECONDS:.0f} seconds."
        finally:
            process.terminate()
            process.communicate()
        if not result.exists():
            last = " ".join(said.splitlines()[-3:])
            return None, f"Its process ended with status {process.returncode}. {last}".strip()
        outcome = json.loads(result.read_text(encoding="utf-8"))
        return outcome.get("result"), outcome.get("error", "")


def _events(store: Path) -> list[Event]:
    path = store / "events.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _to_node(values: dict[str, Any]) -> Node:
    inner = tuple(_to_node(node) for node in values["inner"])
    return Node(values["name"], tuple(values["needs"]), values["mapped"], inner)
