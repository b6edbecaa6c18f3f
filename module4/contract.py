"""The contract of every platform: its own graph is the declared one. What differs is said in sentences."""

from collections.abc import Iterable, Iterator

from shared.graph import Node


def graph_differences(found: Iterable[Node], declared: Iterable[Node], inside: str = "") -> list[str]:
    """Return how the steps `found` on a platform differ from the declared ones; nothing if the contract is kept.

    The order of the steps is up to the platform. `inside` names the step whose inner steps are compared.
    """
    nodes, wanted = list(found), {node.name: node for node in declared}
    where = f"{inside}: " if inside else ""
    names = [node.name for node in nodes]
    problems = [f"{where}the step {name} is missing." for name in wanted if name not in names]
    problems += [
        f"{where}there is a step {name}, which is not in the declared graph."
        for name in dict.fromkeys(names)
        if name not in wanted
    ]
    problems += [
        f"{where}the step {name} appears {names.count(name)} times." for name in wanted if names.count(name) > 1
    ]
    for node in nodes:
        if node.name in wanted:
            problems += [f"{where}{problem}" for problem in _node_differences(node, wanted[node.name])]
    return problems


def _node_differences(node: Node, wanted: Node) -> Iterator[str]:
    for need in wanted.needs:
        if need not in node.needs:
            yield f"the edge {need} → {node.name} is missing."
    for need in dict.fromkeys(node.needs):
        if need not in wanted.needs:
            yield f"the edge {need} → {node.name} is not in the declared graph."
    if node.mapped != wanted.mapped:
        yield (
            f"{node.name} must be mapped: it runs once per item of a list."
            if wanted.mapped
            else f"{node.name} is mapped, but it runs only once."
        )
    if wanted.inner and not node.inner:
        yield f"{node.name} has no inner steps; it needs {', '.join(inner.name for inner in wanted.inner)}."
    else:
        yield from graph_differences(node.inner, wanted.inner, node.name)
