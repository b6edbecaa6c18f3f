"""The graphs as Modal sees them. An app declares none: its calls are the graph, so one small run is watched.

Watching needs the calls in this process, so `.remote`, `.spawn` and `.map` are replaced by `.local`.
"""

import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import modal

from module4.lab4_modal import inference, monitoring, training
from shared.config import preset
from shared.graph import Graph, Node


@dataclass(eq=False)
class Call:
    """A call of a function: what went in, what came out, and the calls that it made itself."""

    name: str
    arguments: set[str] = field(default_factory=set)
    result: Any = None
    calls: list["Call"] = field(default_factory=list)


@dataclass
class Result:
    """What `.spawn` returns: here the result already exists."""

    value: Any

    def get(self) -> Any:
        return self.value


def read_graph() -> Graph:
    """Return the graph of a run's calls: there is an edge if one call was given what another one returned."""
    with tempfile.TemporaryDirectory() as store:
        return read_training(preset("tiny", baseline={"max_iter": 2}).to_json(), store)


def read_graphs() -> dict[str, Graph]:
    """Return the graphs of all three apps, run one after the other on the same store."""
    everything_passes = {"min_roc_auc": 0, "max_calibration_error": 1, "min_origin_roc_auc": 0}
    config = preset("tiny", baseline={"max_iter": 10}, gate=everything_passes).to_json()
    with tempfile.TemporaryDirectory() as store:
        graphs = [read_training(config, store)]
        for app, entry in ((inference.app, inference.predict_day), (monitoring.app, monitoring.watch)):
            with watched_calls() as caller:
                entry.local("2013-03-12", config, store)
            graphs.append(Graph(str(app.name), read_calls(caller.calls[0].calls)))
    return {graph.name: graph for graph in graphs}


def read_training(config: str, store: str) -> Graph:
    """Return the graph of the training app's calls."""
    with watched_calls() as caller:
        training.run_pipeline(config, store, run_id="watched")
    return Graph(str(training.app.name), read_calls(caller.calls))


@contextmanager
def watched_calls() -> Iterator[Call]:
    """Record every call of a Modal function, below the call that made it."""
    functions = {
        name: value
        for app in (training, inference, monitoring)
        for name, value in vars(app).items()
        if isinstance(value, modal.Function)
    }
    local, stack = modal.Function.local, [Call("the caller")]

    def watch(function: modal.Function[..., Any, Any], *args: Any, **kwargs: Any) -> Any:
        known = {text for value in (*args, *kwargs.values()) for text in texts(value)}
        call = Call(next(name for name, value in functions.items() if value is function), known)
        stack[-1].calls.append(call)
        stack.append(call)
        try:
            call.result = local(function, *args, **kwargs)
        finally:
            stack.pop()
        return call.result

    with (
        patch.object(modal.Function, "local", watch),
        patch.object(modal.Function, "remote", lambda function, *args, **kwargs: function.local(*args, **kwargs)),
        patch.object(modal.Function, "spawn", lambda function, *args: Result(function.local(*args))),
        patch.object(modal.Function, "map", map_here),
        patch.object(modal.Volume, "reload", lambda volume: None),  # nothing is mounted here
        patch.object(modal.Volume, "commit", lambda volume: None),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message=".* is executing locally")  # that is the point
        yield stack[0]


def map_here(
    function: modal.Function[..., Any, Any], items: Iterable[Any], kwargs: Mapping[str, Any], order_outputs: bool = True
) -> Iterator[Any]:
    return (function.local(item, **kwargs) for item in items)


def read_calls(calls: list[Call]) -> tuple[Node, ...]:
    """Return a node per called function, with the functions whose results it was given."""
    by_name: dict[str, list[Call]] = {}
    for call in calls:
        by_name.setdefault(call.name, []).append(call)
    nodes = []
    for name, group in by_name.items():
        needs = {
            other.name
            for other in calls
            for call in group
            if other.name != name and set(texts(other.result)) & call.arguments
        }
        inner = [call for one in group for call in one.calls]
        nodes.append(Node(name, tuple(sorted(needs)), is_mapped(group, calls), read_calls(inner)))
    return tuple(nodes)


def is_mapped(group: list[Call], calls: list[Call]) -> bool:
    """Return whether a function was called once per item of a list that another one returned."""
    return any(
        len(group) == len(other.result)
        and all(item in call.arguments for item, call in zip(other.result, group, strict=True))
        for other in calls
        if isinstance(other.result, list) and other.name != group[0].name
    )


def texts(value: Any) -> Iterator[str]:
    """Yield the strings that identify a value when it is passed on; for a summary, its artifact's URI."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts(value.get("uri"))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
