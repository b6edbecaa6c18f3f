"""The contract of every platform: its own graph is the declared one. What differs is said in sentences."""

from collections.abc import Iterable, Iterator

from shared.graph import Node


def graph_differences(found: Iterable[Node], declared: Iterable[Node]) -> list[str]:
    """Return how the steps `found` on a platform differ from the declared ones; nothing if the contract is kept.

    The order of the steps is up to the platform.
    """
    return [f"{problem[0].upper()}{problem[1:]}" for problem in _differences([*found], [*declared])]


def _differences(found: list[Node], declared: list[Node]) -> Iterator[str]:
    names, wanted = [node.name for node in found], {node.name: node for node in declared}
    for name in wanted:
        if name not in names:
            yield f"the step {name} is missing."
        elif names.count(name) > 1:
            yield f"the step {name} appears {names.count(name)} times."
    for name in dict.fromkeys(names):
        if name not in wanted:
            yield f"there is a step {name}, which is not in the declared graph."
    for node in found:
        if node.name in wanted:
            yield from _node_differences(node, wanted[node.name])


def _node_differences(node: Node, wanted: Node) -> Iterator[str]:
    for need in wanted.needs:
        if need not in node.needs:
            yield f"the edge {need} → {node.name} is missing."
    for need in dict.fromkeys(node.needs):
        if need not in wanted.needs:
            yield f"the edge {need} → {node.name} is not in the declared graph."
    if wanted.mapped and not node.mapped:
        yield f"the step {node.name} must be mapped: it runs once per item of a list."
    if node.mapped and not wanted.mapped:
        yield f"the step {node.name} is mapped, but it runs only once."
    if wanted.inner and not node.inner:
        yield f"the step {node.name} has no inner steps; it needs {', '.join(inner.name for inner in wanted.inner)}."
    else:
        for problem in _differences([*node.inner], [*wanted.inner]):
            yield f"in {node.name}, {problem}"
