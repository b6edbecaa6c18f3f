"""The declared graphs."""

from inspect import signature

from shared import steps
from shared.graph import BREAKABLE, GRAPHS, INFERENCE, MONITORING, SEARCH, TRAINING, WITHOUT_ARTIFACT, Graph, Node


def test_training_is_the_contract() -> None:
    assert TRAINING.name == "training"
    assert TRAINING.edges == {
        ("load_data", "preprocess"),
        ("preprocess", "train"),
        ("preprocess", "hyperparameter_search"),
        ("train", "hyperparameter_search"),
        ("preprocess", "evaluate"),
        ("train", "evaluate"),
        ("hyperparameter_search", "evaluate"),
        ("evaluate", "deploy"),
    }


def test_inference_and_monitoring_are_the_contract() -> None:
    assert INFERENCE.edges == {
        ("load_batch", "predict"),
        ("load_model", "predict"),
        ("predict", "save_predictions"),
    }
    assert MONITORING.edges == {("measure_drift", "decide_retraining")}
    assert {"training": TRAINING, "inference": INFERENCE, "monitoring": MONITORING} == GRAPHS


def test_what_can_be_broken_is_what_runs() -> None:
    inner = {"hyperparameter_search"}
    names = {*TRAINING.names, *SEARCH.names, *INFERENCE.names, *MONITORING.names}
    assert set(BREAKABLE) == names - inner


def test_what_writes_no_artifact_has_no_place_for_one() -> None:
    places = {"output", "partitions"}
    assert {*WITHOUT_ARTIFACT} == {
        name for name in BREAKABLE if not places & {*signature(getattr(steps, name)).parameters}
    }


def test_the_order_of_nodes_is_one_in_which_they_can_run() -> None:
    for graph in (TRAINING, SEARCH, INFERENCE, MONITORING):
        for position, node in enumerate(graph):
            assert set(node.needs) <= set(graph.names[:position]), node


def test_the_search_fans_out_in_its_middle_alone() -> None:
    assert SEARCH.edges == {("propose_trials", "run_trial"), ("run_trial", "select_best")}
    assert [node.name for node in SEARCH if node.mapped] == ["run_trial"]


def test_only_the_search_has_inner_nodes() -> None:
    assert {node.name: node.inner for node in TRAINING if node.inner} == {"hyperparameter_search": SEARCH.nodes}
    assert not any(node.mapped for node in TRAINING)


def test_a_node_is_found_by_its_name() -> None:
    assert TRAINING["evaluate"].needs == ("preprocess", "train", "hyperparameter_search")


def test_mermaid_shows_every_edge() -> None:
    diamond = Graph("diamond", (Node("a"), Node("b", ("a",)), Node("c", ("a",)), Node("d", ("a", "b", "c"))))
    assert diamond.to_mermaid().splitlines() == [
        "flowchart LR",
        '    a["a"]',
        '    b["b"]',
        '    c["c"]',
        '    d["d"]',
        "    a --> b",
        "    a --> c",
        "    a --> d",
        "    b --> d",
        "    c --> d",
    ]


def test_mermaid_shows_inner_nodes_and_the_fan_out() -> None:
    label = "hyperparameter_search<br/>propose_trials<br/>run_trial × trials<br/>select_best"
    assert f'    hyperparameter_search["{label}"]' in TRAINING.to_mermaid().splitlines()
