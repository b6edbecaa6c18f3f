"""The declared graphs: their names and edges are the contract that every platform must keep."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    """One step: `needs` are the steps whose outputs it reads; a `mapped` step runs as one task per item."""

    name: str
    needs: tuple[str, ...] = ()
    mapped: bool = False
    inner: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Graph:
    """A named set of steps, listed in an order in which they can run."""

    name: str
    nodes: tuple[Node, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The steps' names in running order."""
        return tuple(node.name for node in self.nodes)

    @property
    def edges(self) -> frozenset[tuple[str, str]]:
        """Pairs (producer, consumer)."""
        return frozenset((need, node.name) for node in self.nodes for need in node.needs)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return {node.name: node for node in self.nodes}[name]

    def to_mermaid(self) -> str:
        """Return the graph as Mermaid text, which GitHub and JupyterLab draw, with all its edges."""
        lines = ["flowchart LR"]
        for node in self.nodes:
            label = "".join(f"<br/>{inner.name}{' × trials' if inner.mapped else ''}" for inner in node.inner)
            lines.append(f'    {node.name}["{node.name}{label}"]')
        lines += [f"    {need} --> {node.name}" for node in self.nodes for need in node.needs]
        return "\n".join(lines)


SEARCH = Graph(
    "hyperparameter_search",
    (
        Node("propose_trials"),
        Node("run_trial", needs=("propose_trials",), mapped=True),
        Node("select_best", needs=("run_trial",)),
    ),
)

TRAINING = Graph(
    "training",
    (
        Node("load_data"),
        Node("preprocess", needs=("load_data",)),
        Node("train", needs=("preprocess",)),
        Node("hyperparameter_search", needs=("preprocess", "train"), inner=SEARCH.nodes),
        Node("evaluate", needs=("preprocess", "train", "hyperparameter_search")),
        Node("deploy", needs=("evaluate",)),
    ),
)

INFERENCE = Graph(
    "inference",
    (
        Node("load_batch"),
        Node("load_model"),
        Node("predict", needs=("load_batch", "load_model")),
        Node("save_predictions", needs=("predict",)),
    ),
)

MONITORING = Graph(
    "monitoring",
    (
        Node("measure_drift"),
        Node("decide_retraining", needs=("measure_drift",)),
    ),
)

GRAPHS = {graph.name: graph for graph in (TRAINING, INFERENCE, MONITORING)}

# These return small values, which platforms pass on: they write no artifact.
WITHOUT_ARTIFACT = ("propose_trials", "run_trial")

# The names of everything that runs: a step with inner nodes runs as its inner nodes.
BREAKABLE = tuple(
    name for graph in GRAPHS.values() for node in graph for name in ([n.name for n in node.inner] or [node.name])
)
