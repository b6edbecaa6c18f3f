"""The graphs as Airflow sees them: read from the DAG objects, through its own API."""

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from module4.lab1_airflow.environment import airflow_environment
from module4.platforms import ROOT
from shared.graph import Graph, Node

DAGS = ("training", "training_in_pods", "inference", "monitoring")  # each in the file of its name


def read_graph(dag: str = "training") -> Graph:
    """Return a DAG's graph."""
    return Graph(dag, tuple(_node(values) for values in _read_dags()[dag]))


@cache
def _read_dags() -> dict[str, Any]:
    """Read all DAGs in a separate process, because importing Airflow takes over logging and environment."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**os.environ, **airflow_environment(Path(folder))}
        command = [sys.executable, "-m", "tests.contract.airflow_graph"]
        done = subprocess.run(command, cwd=ROOT, env=settings, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _node(values: dict[str, Any]) -> Node:
    return Node(
        values["name"], tuple(values["needs"]), values["mapped"], tuple(_node(inner) for inner in values["inner"])
    )


def _print_graphs() -> None:
    dags = [getattr(import_module(f"module4.lab1_airflow.{name}"), f"{name}_dag") for name in DAGS]
    print(json.dumps({dag.dag_id: _describe(dag.task_group) for dag in dags}))


def _describe(group: Any) -> list[dict[str, Any]]:
    """Describe the tasks and groups directly inside `group`."""
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
    _print_graphs()
