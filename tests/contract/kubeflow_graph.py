"""Reads the graph that Kubeflow Pipelines compiled: tasks, what they wait for, loops, inner pipelines."""

from collections.abc import Iterator, Mapping
from typing import Any

from module4.lab2_kubeflow.pipelines import PIPELINES
from shared.graph import Graph, Node


def read_graph(name: str = "training") -> Graph:
    """Return the compiled pipeline of that name as a Graph.

    Left out is what belongs to the platform: the pipeline around it, whose exit task reports the outcome, and what a
    condition triggers.
    """
    spec = PIPELINES[name].pipeline_spec
    (task,) = (task for task in spec.root.dag.tasks.values() if not task.trigger_policy.strategy)
    graph = spec.components[task.component_ref.name].dag
    return Graph(step_name(spec.pipeline_info.name), tuple(read_tasks(graph, spec.components)))


def read_tasks(dag: Any, components: Mapping[str, Any]) -> Iterator[Node]:
    """Yield a node per task. A loop is a task with an iterator around a graph: that graph's tasks are the nodes."""
    tasks = {name: task for name, task in dag.tasks.items() if not task.trigger_policy.condition}
    called = {name: components[task.component_ref.name] for name, task in tasks.items()}
    inner = {name: tuple(read_tasks(component.dag, components)) for name, component in called.items()}
    loops = {name for name, task in tasks.items() if task.WhichOneof("iterator")}
    for name, task in tasks.items():
        needs = {
            step
            for need in task.dependent_tasks
            for step in ([node.name for node in inner[need]] if need in loops else [step_name(need)])
        }
        if name not in loops:
            yield Node(step_name(name), tuple(sorted(needs)), inner=inner[name])
        for node in inner[name] if name in loops else ():
            yield Node(node.name, tuple(sorted(needs | set(node.needs))), mapped=True, inner=node.inner)


def step_name(task: str) -> str:
    """Return the step's own name: KFP writes hyphens for underscores."""
    return task.replace("-", "_")
