"""How values become artifacts and come back: tables here, other kinds by their own `write` and `read`.

Only a kind that is used is imported: a step that handles tables starts without scikit-learn, and `deploy` without
pandas.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypeGuard, TypeVar, cast, runtime_checkable

from pydantic import ValidationError

from shared.errors import ArtifactError
from shared.fingerprint import table_digest
from shared.storage import Artifact, Summary, first_problem, new_artifact, open_artifact, write_table

if TYPE_CHECKING:
    import pandas as pd

TABLE_FILE = "table.parquet"


@runtime_checkable
class Readable(Protocol):
    """A kind of value that can be made from an artifact's files."""

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return the value that was stored."""
        ...


@runtime_checkable
class Storable(Readable, Protocol):
    """A kind of value that knows its files, such as Fitted or Evaluation."""

    def write(self, folder: Path) -> Summary:
        """Write the value's files into an empty folder and return its small JSON-able summary."""
        ...


T = TypeVar("T", bound="pd.DataFrame | Readable")


def save(value: "pd.DataFrame | Storable", uri: str, files: Mapping[str, bytes] | None = None) -> Summary:
    """Store a value as the artifact at `uri`; return its summary, with the `uri`.

    `files` are stored beside the value, such as a report of it: their names and contents.
    """
    summary: Summary = {}
    with new_artifact(uri, summary) as folder:
        summary.update(
            value.write(folder) if _is_storable(value) else _write_table(cast("pd.DataFrame", value), folder)
        )
        for name, content in (files or {}).items():
            (folder / name).write_bytes(content)
    return {"uri": uri, **summary}


def load(uri: str, kind: type[T]) -> T:
    """Return the value stored at `uri`. Raises ArtifactError when it is missing or not as it was written."""
    artifact = open_artifact(uri)
    if not issubclass(kind, Readable):
        return cast(T, artifact.read_table(TABLE_FILE))
    try:
        return cast(T, kind.read(artifact))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = first_problem(error) if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"
        raise ArtifactError(
            f"{uri}: does not hold a value of the kind {kind.__name__} ({problem}). Give the output of the right step."
        ) from error


def _is_storable(value: object) -> TypeGuard[Storable]:
    # Looks at the type: a table may have columns called read and write, and pandas is not imported only to ask.
    return issubclass(type(value), Storable)


def _write_table(table: "pd.DataFrame", folder: Path) -> Summary:
    write_table(table, folder / TABLE_FILE)
    return {"rows": len(table), "columns": len(table.columns), "digest": table_digest(table)}
