"""Read the graph or run the pipeline of a platform in any folder, for `module4.check_platform`.

`python -m module4.platform_process graph|run FOLDER RESULT [CONFIG STORE]` writes to RESULT, as JSON, either the
`result` or an `error` in a sentence. Without a folder, plain Python runs.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from shared import graph as declared
from shared.graph import Graph, Node

DECLARATION = "the-declaration"  # the only step of the graph that replaces the declared one while a reader runs


class _Wrong(Exception):
    """A sentence about the platform."""


def read_graph(folder: str) -> list[dict[str, Any]]:
    """Return the nodes of the platform's graph. The declared graphs are hidden, so that nobody can copy them."""
    hidden = Graph("hidden", (Node(DECLARATION),))
    declared.TRAINING = declared.SEARCH = hidden
    declared.GRAPHS = dict.fromkeys(declared.GRAPHS, hidden)
    found = _function(folder, "graph", "read_graph")()
    if found is None:
        raise _Wrong("read_graph returned None. Is the `return` missing?")
    if not isinstance(found, Graph):
        raise _Wrong(f"read_graph returned {found!r:.200}, which is not a Graph of shared.graph.")
    return [_describe(node) for node in found.nodes]


def _describe(node: Any) -> dict[str, Any]:
    if not isinstance(node, Node):
        raise _Wrong(f"The graph contains {node!r:.200}, which is not a Node of shared.graph.")
    if isinstance(node.needs, str):
        raise _Wrong(f"The needs of {node.name} are the text {node.needs!r}. Write a tuple of names.")
    needs, inner = [str(need) for need in node.needs], [_describe(one) for one in node.inner]
    return {"name": str(node.name), "needs": needs, "mapped": bool(node.mapped), "inner": inner}


def run(folder: str, config_json: str, store: str) -> dict[str, Any]:
    """Run twice in one store: as configured, and without data; return the fingerprint and whether that was refused."""
    from shared.config import parse, preset
    from shared.progress import EVENTS_FILE

    function = _function(folder, "run", "run") if folder else import_module("shared.pipeline").run
    os.environ[EVENTS_FILE] = f"{store}/events.jsonl"
    fingerprint = function(parse(config_json), store)
    del os.environ[EVENTS_FILE]
    try:
        function(preset("tiny", data_folder="/nowhere"), store)
    except BaseException:
        return {"fingerprint": fingerprint, "refused": True}
    return {"fingerprint": fingerprint, "refused": False}


def _function(folder: str, module: str, name: str) -> Callable[..., Any]:
    """Return a function of the platform's module."""
    sys.path.append(str(Path(folder).absolute()))  # last, so that its files hide no package
    function = getattr(import_module(module), name, None)
    if not callable(function):
        raise _Wrong(f"{module}.py has no function {name}.")
    return function  # type: ignore[no-any-return]


def _explain(error: BaseException, folder: str) -> str:
    """Return the error with the last line of the platform's own files that it went through."""
    root = str(Path(folder).absolute())
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(root)]
    place = f" ({Path(lines[-1].filename).name}, line {lines[-1].lineno})" if lines else ""
    return f"{type(error).__name__}: {error}".rstrip(".: ") + f"{place}."


def main() -> None:
    """Do what the command line asks for."""
    what, folder, result, *words = sys.argv[1:]
    try:
        outcome: dict[str, Any] = {"result": read_graph(folder) if what == "graph" else run(folder, *words)}
    except _Wrong as error:
        outcome = {"error": str(error)}
    except BaseException as error:
        traceback.print_exc()
        outcome = {"error": _explain(error, folder)}
    Path(result).write_text(json.dumps(outcome, default=repr), encoding="utf-8")


if __name__ == "__main__":
    main()
