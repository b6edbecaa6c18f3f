"""Flatten the graph of a compiled pipeline: which task reads which output of which other task.

A compiled pipeline is a tree: a task is a container, or a graph of tasks with its own inputs and outputs (a loop, a
condition, an inner pipeline).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Source = tuple[str, str]  # a task and the name of its output


@dataclass(frozen=True)
class Task:
    """A task that runs as a process or pod.

    `reads` lists the outputs of other tasks that it gets, `writes` its artifacts and their types, `after` the tasks
    that it waits for. In a `loop` it runs once per item, behind a `condition` perhaps not at all.
    """

    name: str
    reads: tuple[Source, ...]
    writes: dict[str, str]
    after: tuple[str, ...]
    loop: str | None
    condition: str | None


@dataclass(frozen=True)
class _Scope:
    """A graph seen from inside: its tasks, where its inputs come from, and what it waits for."""

    spec: Any
    dag: Any
    inputs: dict[str, list[Source]]
    after: frozenset[str] = frozenset()
    loop: str | None = None
    condition: str | None = None

    def component(self, task: str) -> Any:
        return self.spec.components[self.dag.tasks[task].component_ref.name]


def read_tasks(spec: Any) -> list[Task]:
    """Return all tasks of a `pipeline_spec`, in an order in which they can run."""
    found = list(_tasks(_Scope(spec, spec.root.dag, {})))
    ordered: list[Task] = []
    while found:
        done = {task.name for task in ordered}
        ready = [task for task in found if {*task.after} <= done]
        ordered += ready
        found = [task for task in found if task not in ready]
    return ordered


def _tasks(scope: _Scope) -> Iterator[Task]:
    for name, task in scope.dag.tasks.items():
        reads, component = _reads(scope, task), scope.component(name)
        after = scope.after.union(leaf for need in task.dependent_tasks for leaf in _leaves(scope, need))
        if component.dag.tasks:
            loop = name if task.WhichOneof("iterator") else scope.loop
            condition = name if task.trigger_policy.condition else scope.condition
            yield from _tasks(_Scope(scope.spec, component.dag, reads, after, loop, condition))
        else:
            sources = {source for found in reads.values() for source in found}
            after = after.union(producer for producer, _ in sources)
            outputs = component.output_definitions.artifacts.items()
            writes = {name: output.artifact_type.schema_title.removeprefix("system.") for name, output in outputs}
            yield Task(name, tuple(sorted(sources)), writes, tuple(sorted(after)), scope.loop, scope.condition)


def _reads(scope: _Scope, task: Any) -> dict[str, list[Source]]:
    """Return, for each input of a task, the outputs that it is made of."""
    reads: dict[str, list[Source]] = {}
    for name, value in task.inputs.artifacts.items():
        output = value.task_output_artifact
        reads[name] = (
            _outputs(scope, output.producer_task, output.output_artifact_key)
            if value.HasField("task_output_artifact")
            else scope.inputs.get(value.component_input_artifact, [])
        )
    for name, value in task.inputs.parameters.items():
        output = value.task_output_parameter
        reads[name] = (
            _outputs(scope, output.producer_task, output.output_parameter_key)
            if value.HasField("task_output_parameter")
            else scope.inputs.get(value.component_input_parameter, [])
        )
    # A loop's items are an input of the loop, under a different name.
    if task.WhichOneof("iterator"):
        iterator = task.parameter_iterator
        reads[iterator.item_input] = reads.get(iterator.items.input_parameter, [])
    return reads


def _outputs(scope: _Scope, task: str, key: str) -> list[Source]:
    """Return the containers' outputs that a task's output is, or is collected from."""
    component = scope.component(task)
    if not component.dag.tasks:
        return [(task, key)]
    inner = _Scope(scope.spec, component.dag, {})
    selectors = component.dag.outputs
    if key in selectors.artifacts:
        chosen = [
            (one.producer_subtask, one.output_artifact_key) for one in selectors.artifacts[key].artifact_selectors
        ]
    else:
        one = selectors.parameters[key].value_from_parameter
        chosen = [(one.producer_subtask, one.output_parameter_key)]
    return [source for producer, name in chosen for source in _outputs(inner, producer, name)]


def _leaves(scope: _Scope, task: str) -> list[str]:
    """Return the containers in a task."""
    component = scope.component(task)
    if not component.dag.tasks:
        return [task]
    inner = _Scope(scope.spec, component.dag, {})
    return [leaf for name in component.dag.tasks for leaf in _leaves(inner, name)]
