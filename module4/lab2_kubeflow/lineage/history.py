"""Read a run's history from the files that KFP left, because no server records local runs.

A run is a folder of task folders; `executor_output.json` in each lists the outputs with their metadata. The compiled
pipeline says which task reads which output. A task without a folder was taken from the cache, or was never started.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from module4.lab2_kubeflow.lineage.graph import Task, read_tasks
from shared.errors import ArtifactError, PipelineError
from shared.fitted import MODEL_FILE
from shared.storage import open_artifact

OUTPUTS_FILE = "executor_output.json"


@dataclass(frozen=True)
class Output:
    """An artifact: its type, its metadata, and the first digits of a digest of its content."""

    name: str
    kind: str
    metadata: dict[str, Any]
    digest: str


@dataclass(frozen=True)
class Node:
    """A task of a run and its state: finished, cached, failed or skipped. `times` counts a loop's iterations."""

    task: Task
    state: str
    times: int
    outputs: tuple[Output, ...] = field(default=())


def last_run(runs: Path) -> Path:
    """Return the folder of the newest run below `runs`."""
    folders = [path for path in runs.glob("*-*") if path.is_dir() and not path.name.startswith(".")]
    if not folders:
        raise PipelineError(f"{runs} holds no run of Kubeflow Pipelines. Run one first: make lab-kubeflow")
    return max(folders, key=_started)


def read_run(run: Path, spec: Any) -> list[Node]:
    """Return the tasks of the run in folder `run`, in an order in which they could run, with what they wrote.

    `spec` is the `pipeline_spec` of the pipeline that ran. Raises PipelineError when a file cannot be read.
    """
    tasks = read_tasks(spec)
    folders = {
        task.name: sorted(run.glob(f"{task.loop}-iteration-*/{task.name}" if task.loop else task.name))
        for task in tasks
    }
    entered = {task.condition for task in tasks if folders[task.name]}
    nodes: list[Node] = []
    for task in tasks:
        own = folders[task.name]
        stopped = {node.task.name for node in nodes if node.state in ("failed", "skipped")}
        if own:
            state = "finished" if all((folder / OUTPUTS_FILE).exists() for folder in own) else "failed"
        elif stopped & {*task.after} or (task.condition and task.condition not in entered):
            state = "skipped"
        else:
            state = "cached"
        source = {"finished": own[:1], "cached": _made_earlier(run, task)}.get(state, [])
        outputs = [output for folder in source for output in _outputs(folder, task)]
        nodes.append(Node(task, state, len(own) if task.loop else 1, tuple(outputs)))
    return nodes


def answer(run: Path, nodes: list[Node]) -> str:
    """Return one line: which data produced which model, or whatever else the run made."""
    if failed := [node.task.name for node in nodes if node.state == "failed"]:
        return f"Run {run.name} did not finish: {', '.join(failed)} failed."
    made = [(node, output) for node in nodes for output in node.outputs if "code" in output.metadata]
    node, result = next((pair for pair in made if "in_production" in pair[1].metadata), made[-1])
    kinds = ["Dataset"]
    subject = f"{result.name} {result.digest}".rstrip()
    if "in_production" in result.metadata:
        where = "in production" if result.metadata["in_production"] else "in staging"
        subject = f"Model {result.metadata['version']} ({where})"
    else:
        kinds.append("Model")
    behind = _upstream(node.task, {other.task.name: other.task for other in nodes})
    sources = [output for other, output in made if other.task.name in behind and output.kind in kinds]
    chain = " → ".join(_named(output) for output in sources) or "the registry alone"
    return f"{subject} came from {chain}, by code {result.metadata['code']}, in run {run.name}."


def _named(output: Output) -> str:
    rows = f" ({output.metadata['rows']} rows)" if "rows" in output.metadata else ""
    return f"{output.name} {output.digest}{rows}"


def table(nodes: list[Node]) -> str:
    """Return the run as text: a line per task and artifact."""
    rows = [("task", "state", "artifact", "type", "digest", "made from")]
    for node in nodes:
        name = node.task.name + (f" × {node.times}" if node.task.loop and node.times else "")
        made_from = ", ".join(f"{producer}/{output}" for producer, output in node.task.reads)
        first, *others = [(one.name, one.kind, one.digest) for one in node.outputs] or [("", "", "")]
        rows += [(name, node.state, *first, made_from), *(("", "", *other, "") for other in others)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _upstream(task: Task, tasks: dict[str, Task]) -> set[str]:
    """Return the tasks whose outputs a task read, directly or through others."""
    producers = {producer for producer, _ in task.reads}
    return producers.union(*(_upstream(tasks[producer], tasks) for producer in producers))


def _started(run: Path) -> str:
    return "-".join(run.name.split("-")[-7:])  # KFP appends the time of the start to the pipeline's name


def _made_earlier(run: Path, task: Task) -> list[Path]:
    """Return the folder of the earlier run whose result this run took from the cache: same configuration and code."""
    known = [_config_and_code(folder) for folder in run.iterdir() if (folder / OUTPUTS_FILE).exists()]
    wanted = next((found for found in known if found), None)
    earlier = sorted((path for path in run.parent.glob("*-*") if _started(path) < _started(run)), key=_started)
    made = [path / task.name for path in reversed(earlier) if (path / task.name / OUTPUTS_FILE).exists()]
    return [folder for folder in made if wanted is None or _config_and_code(folder) == wanted][:1]


def _config_and_code(folder: Path) -> tuple[str, str] | None:
    found = [one["metadata"] for one in _artifacts(folder).values() if "code" in one.get("metadata", {})]
    return (found[0]["config"], found[0]["code"]) if found else None


def _outputs(folder: Path, task: Task) -> list[Output]:
    return [
        Output(name, task.writes[name], one.get("metadata", {}), _digest(one))
        for name, one in sorted(_artifacts(folder).items())
    ]


def _artifacts(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / OUTPUTS_FILE
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        return {name: listed["artifacts"][0] for name, listed in written.get("artifacts", {}).items()}
    except (OSError, ValueError, AttributeError, LookupError, TypeError):
        raise PipelineError(f"{path} is damaged. Remove {folder.parent} and run the pipeline again.") from None


def _digest(artifact: dict[str, Any]) -> str:
    """Return the digest of a table's content, of a model's file, of a run's fingerprint, or of any other file."""
    metadata, path = artifact.get("metadata", {}), Path(artifact["uri"])
    digest = metadata.get("digest") or metadata.get("fingerprint", "")
    if not digest and path.is_file():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    elif not digest and path.is_dir():
        try:
            digest = open_artifact(str(path)).files[MODEL_FILE]["sha256"]
        except (ArtifactError, KeyError):
            digest = ""
    return digest[:12]
