"""Rules for the whole installation. Airflow imports this file by its name from any folder on PYTHONPATH."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection


def pod_mutation_hook(pod: Any) -> None:
    """Restrict what pod.yaml cannot reach: the sidecar that Airflow adds to hand over results."""
    # Every Airflow process imports this file, but few start pods.
    from kubernetes.client import V1Capabilities, V1SecurityContext  # type: ignore[import-untyped]

    for container in pod.spec.containers:
        container.image_pull_policy = container.image_pull_policy or "IfNotPresent"
        container.security_context = container.security_context or V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=V1Capabilities(drop=["ALL"]),
        )


def begin_as_writer(connection: "Connection") -> None:
    """Take SQLite's write lock at once, and wait for it if need be."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


# `airflow backfill create` reads before it writes, in one transaction. SQLite refuses that ("database is locked",
# https://github.com/apache/airflow/issues/68699) if the scheduler wrote in between. PostgreSQL has no such trouble.
if os.environ.get("SQLITE_BEGIN_AS_WRITER"):
    from sqlalchemy import Engine, event

    event.listen(Engine, "begin", begin_as_writer)
