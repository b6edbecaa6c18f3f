"""Reads the graph that Kubeflow Pipelines compiled: tasks, what they wait for, loops, pipelines inside of pipelines."""

from collections.abc import Iterator, Mapping
from typing import Any

from module4.lab2_kubeflow.pipeline import training
from shared.graph import Graph, Node


def read_graph() -> Graph:
    """Return the compiled training pipeline as a Graph."""
    spec = training.pipeline_spec
    return Graph(step_name(spec.pipeline_info.name), tuple(read_tasks(spec.root.dag, spec.components)))


def read_tasks(dag: Any, components: Mapping[str, Any]) -> Iterator[Node]:
    """Yield a node per task. A loop is a task with an iterator around a graph of its own: its tasks are the nodes."""
    called = {name: components[task.component_ref.name] for name, task in dag.tasks.items()}
    inner = {name: tuple(read_tasks(component.dag, components)) for name, component in called.items()}
    loops = {name for name, task in dag.tasks.items() if task.WhichOneof("iterator")}
    for name, task in dag.tasks.items():
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
