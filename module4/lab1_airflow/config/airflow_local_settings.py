"""Rules for the whole installation. Airflow finds this file by its name in any folder on PYTHONPATH."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection


def pod_mutation_hook(pod: Any) -> None:
    """Restrict what pod.yaml cannot: the sidecar that Airflow adds to return the results."""
    # Every Airflow process imports this file, but only a few start pods.
    from kubernetes.client import V1Capabilities, V1SecurityContext

    for container in pod.spec.containers:
        container.image_pull_policy = container.image_pull_policy or "IfNotPresent"
        container.security_context = container.security_context or V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=V1Capabilities(drop=["ALL"]),
        )


def begin_as_writer(connection: "Connection") -> None:
    """Take SQLite's write lock at once, waiting for it if necessary."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


# `airflow backfill create` reads before it writes, in one transaction. SQLite refuses that ("database is locked",
# https://github.com/apache/airflow/issues/68699) if the scheduler wrote in between. PostgreSQL does not.
if os.environ.get("SQLITE_BEGIN_AS_WRITER"):
    from sqlalchemy import Engine, event

    event.listen(Engine, "begin", begin_as_writer)
