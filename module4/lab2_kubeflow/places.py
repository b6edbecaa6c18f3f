"""What every pipeline of this lab shares: what a task's pod gets, and the last task, which reports the outcome."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from kfp import dsl

from module4.lab2_kubeflow.components import report_outcome


class Place(Protocol):
    """Where tasks run: says what a task's pod gets."""

    def __call__(self, task: dsl.PipelineTask, memory: str) -> dsl.PipelineTask:
        """Return the task with its settings."""


class Pipelines(NamedTuple):
    """A declared graph, to be used inside of others, and the pipeline that runs it and reports how it ended."""

    graph: Callable[..., dsl.PipelineTask]
    reported: Callable[..., dsl.PipelineTask]


def anywhere(task: dsl.PipelineTask, memory: str) -> dsl.PipelineTask:
    """Reserve a core and memory for a task's pod, and let it try again: pods get evicted, networks fail."""
    return task.set_cpu_limit("1").set_memory_limit(memory).set_retry(2, backoff_duration="1s", backoff_factor=2)


def report_after(graph: dsl.PipelineTask, place: Place) -> None:
    """Add the task that reports how the graph ended: it waits for the end, not for success.

    On a cluster it hangs on the task that it waits for, which must have started: so on the graph, not on its last step.
    """
    outcome = report_outcome(run_id=dsl.PIPELINE_JOB_NAME_PLACEHOLDER).after(graph)
    place(outcome, "500M").ignore_upstream_failure().set_caching_options(False)
