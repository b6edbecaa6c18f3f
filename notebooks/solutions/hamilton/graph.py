"""Read the graph from Hamilton's driver."""

from typing import get_origin

from hamilton.htypes import Parallelizable
from run import build

from shared.graph import Graph, Node


def read_graph() -> Graph:
    """Return a node per function; functions with the tag `part_of` are inner nodes of the step it names."""
    functions = {one.name: one for one in build().list_available_variables() if not one.is_external_input}
    group = {name: one.tags.get("part_of", name) for name, one in functions.items()}
    lists = {name for name, one in functions.items() if get_origin(one.type) is Parallelizable}

    def needs(names: set[str]) -> set[str]:
        return {need for name in names for need in functions[name].required_dependencies if need in functions}

    def inner(step: str) -> tuple[Node, ...]:
        names = {name for name in functions if group[name] == step}
        return tuple(Node(name, tuple(needs({name}) & names), mapped=bool(needs({name}) & lists)) for name in names)

    return Graph(
        "training",
        tuple(
            Node(
                step,
                tuple({group[need] for need in needs({name for name in functions if group[name] == step})} - {step}),
                inner=inner(step) if step not in functions else (),
            )
            for step in dict.fromkeys(group.values())
        ),
    )
