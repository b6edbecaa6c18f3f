"""How values become artifacts and come back: tables here, other kinds by their own `write` and `read`.

Only a kind that is used is imported: a step that handles tables starts without scikit-learn.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self, TypeVar, cast

import pandas as pd
from pydantic import ValidationError

from shared.errors import ArtifactError
from shared.fingerprint import table_digest
from shared.storage import Artifact, Summary, first_problem, new_artifact, open_artifact, write_table

TABLE_FILE = "table.parquet"


class Storable(Protocol):
    """A kind of value that knows its files, such as Fitted or Evaluation."""

    def write(self, folder: Path) -> Summary:
        """Write the value's files into an empty folder and return its small JSON-able summary."""
        ...

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return the value that `write` stored."""
        ...


T = TypeVar("T", bound="pd.DataFrame | Storable")


def save(value: pd.DataFrame | Storable, uri: str, files: Mapping[str, bytes] | None = None) -> Summary:
    """Store a value as the artifact at `uri`; return its summary, with the `uri`.

    `files` are stored beside the value, such as a report of it: their names and contents.
    """
    summary: Summary = {}
    with new_artifact(uri, summary) as folder:
        summary.update(_write_table(value, folder) if isinstance(value, pd.DataFrame) else value.write(folder))
        for name, content in (files or {}).items():
            (folder / name).write_bytes(content)
    return {"uri": uri, **summary}


def load(uri: str, kind: type[T]) -> T:
    """Return the value stored at `uri`. Raises ArtifactError when it is missing or not as it was written."""
    artifact = open_artifact(uri)
    if issubclass(kind, pd.DataFrame):
        return cast(T, artifact.read_table(TABLE_FILE))
    try:
        return cast(T, kind.read(artifact))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = first_problem(error) if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"
        raise ArtifactError(
            f"{uri}: does not hold a value of the kind {kind.__name__} ({problem}). Give the output of the right step."
        ) from error


def _write_table(table: pd.DataFrame, folder: Path) -> Summary:
    write_table(table, folder / TABLE_FILE)
    return {"rows": len(table), "columns": len(table.columns), "digest": table_digest(table)}
