"""The training graph as Airflow sees it: read from the DAG object, through its own API."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from module4.lab1_airflow.run import environment
from module4.platforms import ROOT
from shared.graph import Graph, Node


def read_graph() -> Graph:
    """Return the DAG's graph. A process of its own reads it: importing Airflow takes over logging and settings."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**os.environ, **environment(Path(folder))}
        command = [sys.executable, "-m", "tests.contract.airflow_graph"]
        done = subprocess.run(command, cwd=ROOT, env=settings, check=True, capture_output=True, text=True)
    dag_id, nodes = json.loads(done.stdout.splitlines()[-1])
    return Graph(dag_id, tuple(_node(values) for values in nodes))


def _node(values: dict[str, Any]) -> Node:
    return Node(
        values["name"], tuple(values["needs"]), values["mapped"], tuple(_node(inner) for inner in values["inner"])
    )


def _print_graph() -> None:
    from module4.lab1_airflow.training import training_dag

    print(json.dumps([training_dag.dag_id, _describe(training_dag.task_group)]))


def _describe(group: Any) -> list[dict[str, Any]]:
    """Describe the tasks and groups directly inside of `group`."""
    from airflow.sdk import TaskGroup
    from airflow.sdk.definitions.mappedoperator import MappedOperator

    children = group.children.values()
    owner = {task_id: child.label for child in children for task_id in _task_ids(child)}
    described = []
    for child in children:
        tasks = child.iter_tasks() if isinstance(child, TaskGroup) else [child]
        needs = {owner[above] for task in tasks for above in task.upstream_task_ids if above in owner}
        described.append(
            {
                "name": child.label,
                "needs": sorted(needs - {child.label}),
                "mapped": isinstance(child, MappedOperator),
                "inner": _describe(child) if isinstance(child, TaskGroup) else [],
            }
        )
    return described


def _task_ids(child: Any) -> list[str]:
    from airflow.sdk import TaskGroup

    return [task.task_id for task in child.iter_tasks()] if isinstance(child, TaskGroup) else [child.task_id]


if __name__ == "__main__":
    _print_graph()
