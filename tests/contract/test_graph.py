"""Every platform's own graph, read through its own API, is the declared one. One row per platform."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

import pytest

from module4.contract import graph_differences
from module4.platforms import PLATFORMS
from shared.graph import GRAPHS, TRAINING, Graph, Node

READERS = ("make", "airflow", "kubeflow", "dagster", "modal")
OTHERS = ("inference", "monitoring")


@pytest.mark.parametrize("platform", READERS)
def test_the_platforms_own_graph_is_the_declared_one(platform: str) -> None:
    read_graph: Callable[[], Graph] = import_module(f"tests.contract.{platform}_graph").read_graph
    assert graph_differences(read_graph(), TRAINING) == []


@pytest.mark.parametrize(
    ("platform", "name", "graph"),
    [
        ("airflow", "training_in_pods", "training"),
        *((platform, graph, graph) for platform in ("airflow", "kubeflow", "dagster") for graph in OTHERS),
    ],
)
def test_the_platforms_other_graphs_are_declared_ones(platform: str, name: str, graph: str) -> None:
    read_graph: Callable[[str], Graph] = import_module(f"tests.contract.{platform}_graph").read_graph
    assert graph_differences(read_graph(name), GRAPHS[graph]) == []


def test_every_platform_has_a_row() -> None:
    assert {"python", *READERS} == set(PLATFORMS)


OTHER = Node("other")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda nodes: nodes[:-1], "The step deploy is missing."),
        (lambda nodes: [*nodes, OTHER], "There is a step other, which is not in the declared graph."),
        (lambda nodes: [*nodes, nodes[0]], "The step load_data appears 2 times."),
        (
            lambda nodes: [replace(nodes[0], mapped=True), *nodes[1:]],
            "The step load_data is mapped, but it runs only once.",
        ),
        (
            lambda nodes: [nodes[0], replace(nodes[1], needs=()), *nodes[2:]],
            "The edge load_data → preprocess is missing.",
        ),
        (
            lambda nodes: [replace(nodes[0], needs=("train",)), *nodes[1:]],
            "The edge train → load_data is not in the declared graph.",
        ),
        (
            lambda nodes: [*nodes[:3], replace(nodes[3], inner=()), *nodes[4:]],
            "The step hyperparameter_search has no inner steps; it needs propose_trials, run_trial, select_best.",
        ),
        (
            lambda nodes: [*nodes[:3], replace(nodes[3], inner=nodes[3].inner[:2]), *nodes[4:]],
            "In hyperparameter_search, the step select_best is missing.",
        ),
        (
            lambda nodes: [replace(nodes[0], inner=(OTHER,)), *nodes[1:]],
            "In load_data, there is a step other, which is not in the declared graph.",
        ),
    ],
)
def test_a_difference_is_said(change: Callable[[tuple[Node, ...]], list[Node]], difference: str) -> None:
    assert graph_differences(change(TRAINING.nodes), TRAINING) == [difference]


def test_the_order_of_steps_and_needs_is_up_to_the_platform() -> None:
    turned = [replace(node, needs=node.needs[::-1], inner=node.inner[::-1]) for node in TRAINING.nodes[::-1]]
    assert graph_differences(turned, TRAINING) == []
