"""Reads the graph that Dagster made from the definitions: assets, under the names of their steps, and ops."""

import dagster as dg

from module4.lab3_dagster.definitions import defs
from module4.lab3_dagster.step_table import STEP_OF
from shared.graph import Graph, Node


def read_graph(group: str = "training") -> Graph:
    """Return the steps that make a group's assets, with their arrows; arrows from other groups are left out."""
    assets = defs.resolve_asset_graph()
    keys = [key for key in assets.toposorted_asset_keys if assets.get(key).group_name == group]
    nodes = tuple(
        Node(
            STEP_OF[key.to_user_string()],
            needs=tuple(sorted(STEP_OF[need.to_user_string()] for need in assets.get(key).parent_keys & set(keys))),
            inner=read_ops(defs.resolve_assets_def(key).node_def),
        )
        for key in keys
    )
    return Graph(group, nodes)


def read_ops(definition: object) -> tuple[Node, ...]:
    """Return the ops inside an asset that is a graph; a mapped op runs once per dynamic output."""
    if not isinstance(definition, dg.GraphDefinition):
        return ()
    wires = definition.dependency_structure
    return tuple(
        Node(
            op.name,
            needs=tuple(
                sorted(
                    output.node_name
                    for outputs in wires.input_to_upstream_outputs_for_node(op.name).values()
                    for output in outputs
                )
            ),
            mapped=wires.is_dynamic_mapped(op.name),
        )
        for op in definition.nodes_in_topological_order
    )
