"""Every platform's own graph, read through its own API, is the declared one. One row per platform."""

from collections.abc import Callable
from importlib import import_module

import pytest

from module4.platforms import PLATFORMS
from shared.graph import GRAPHS, TRAINING, Graph, Node

READERS = ("make", "airflow", "kubeflow", "dagster", "modal")
OTHERS = ("inference", "monitoring")


def described(nodes: tuple[Node, ...]) -> dict[str, tuple[set[str], bool, dict[str, object]]]:
    """Names, needs, fan-out and inner nodes; the order of the nodes is up to the platform."""
    return {node.name: (set(node.needs), node.mapped, dict(described(node.inner))) for node in nodes}


@pytest.mark.parametrize("platform", READERS)
def test_the_platforms_own_graph_is_the_declared_one(platform: str) -> None:
    read_graph: Callable[[], Graph] = import_module(f"tests.contract.{platform}_graph").read_graph
    assert described(read_graph().nodes) == described(TRAINING.nodes)


@pytest.mark.parametrize(
    ("platform", "name", "graph"),
    [
        ("airflow", "training_in_pods", "training"),
        *((platform, graph, graph) for platform in ("airflow", "kubeflow", "dagster") for graph in OTHERS),
    ],
)
def test_the_platforms_other_graphs_are_declared_ones(platform: str, name: str, graph: str) -> None:
    read_graph: Callable[[str], Graph] = import_module(f"tests.contract.{platform}_graph").read_graph
    assert described(read_graph(name).nodes) == described(GRAPHS[graph].nodes)


def test_every_platform_has_a_row() -> None:
    assert {"python", *READERS} == set(PLATFORMS)
