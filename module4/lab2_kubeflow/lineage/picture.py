"""The lineage of a run as Mermaid text, which GitHub, JupyterLab, and the course site draw: tasks and artifacts."""

from collections.abc import Iterator

from module4.lab2_kubeflow.lineage.history import Node, Output

# Dark text on light colors; each task also says its state in words.
STATES = {"finished": "#d4edda", "cached": "#d6e6fa", "failed": "#f8c9c4", "skipped": "#e6e6e6"}


def to_mermaid(nodes: list[Node]) -> str:
    """Return a flowchart in which each artifact is between the task that wrote it and the tasks that read it.

    Tasks have corners, and artifacts are round. A small value that travels without an artifact labels its arrow.
    """
    return "\n".join(["flowchart LR", *_boxes(nodes), *_arrows(nodes), *_styles(nodes)])


def to_markdown(nodes: list[Node], title: str) -> str:
    """Return the title and the flowchart as Markdown."""
    return f"{title}\n\n```mermaid\n{to_mermaid(nodes)}\n```\n"


def _boxes(nodes: list[Node]) -> Iterator[str]:
    for node in nodes:
        name = node.task.name.replace("-", "_") + (f" × {node.times}" if node.task.loop and node.times else "")
        yield f'    {node.task.name}["{name}<br/>{node.state}"]:::{node.state}'
        for output in node.outputs:
            yield f'    {node.task.name}/{output.name}(["{_describe(output)}"]):::artifact'


def _arrows(nodes: list[Node]) -> Iterator[str]:
    written = {(node.task.name, output.name) for node in nodes for output in node.outputs}
    for task, name in sorted(written):
        yield f"    {task} --> {task}/{name}"
    for node in nodes:
        for producer, name in node.task.reads:
            known = (producer, name) in written
            yield f"    {producer}/{name} --> {node.task.name}" if known else f"    {producer} -.-> {node.task.name}"


def _styles(nodes: list[Node]) -> Iterator[str]:
    yield "    classDef artifact fill:#ffffff,stroke:#555555,color:#111111"
    for state in sorted({node.state for node in nodes}):
        yield f"    classDef {state} fill:{STATES[state]},stroke:#555555,color:#111111"


def _describe(output: Output) -> str:
    details = [output.digest] if output.digest else []
    if output.kind == "Dataset":
        details.append(f"{output.metadata['rows']:,.0f} rows")
    if "roc_auc" in output.metadata and not details:
        details.append(f"ROC AUC {output.metadata['roc_auc']:.4f}")
    return "<br/>".join([f"{output.name} ({output.kind})", *details])
