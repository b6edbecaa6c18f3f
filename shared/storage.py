"""Artifacts: folders at a URI (a path, `s3://…`, anything universal_pathlib knows), complete or not there at all.

Every artifact ends with `manifest.json`: the step's summary, and the size and SHA-256 of each file. Locally a folder is
prepared beside its place and renamed into it; on object stores the manifest is written last. Reading verifies.
"""

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upath import UPath

from shared.errors import ArtifactError

if TYPE_CHECKING:
    import pandas as pd  # platforms that only read their graph need not wait for it

MANIFEST = "manifest.json"

Summary = dict[str, Any]


@dataclass(frozen=True)
class Artifact:
    """A complete artifact that can be read."""

    uri: str
    files: dict[str, dict[str, Any]]
    summary: Summary

    def read(self, name: str) -> bytes:
        """Return a file's bytes. Raises ArtifactError when the file is missing or not as it was written."""
        if name not in self.files:
            raise ArtifactError(f"{self.uri}: has no file {name!r}, only {', '.join(self.files)}.")
        try:
            content = (UPath(self.uri) / name).read_bytes()
        except OSError as error:
            raise ArtifactError(f"{self.uri}/{name}: cannot be read ({error}). Run its step again.") from None
        if hashlib.sha256(content).hexdigest() != self.files[name]["sha256"]:
            raise ArtifactError(f"{self.uri}/{name}: is not as it was written (checksum). Run its step again.")
        return content

    def read_table(self, name: str) -> "pd.DataFrame":
        """Return the table of a Parquet file."""
        import pandas as pd

        return pd.read_parquet(io.BytesIO(self.read(name)))

    def read_json(self, name: str) -> Any:
        """Return what a JSON file holds."""
        return json.loads(self.read(name))


def open_artifact(uri: str) -> Artifact:
    """Return the artifact at `uri`. Raises ArtifactError when it is missing or incomplete."""
    try:
        manifest = json.loads((UPath(uri) / MANIFEST).read_bytes())
        return Artifact(uri, manifest["files"], manifest["summary"])
    except FileNotFoundError:
        raise ArtifactError(f"{uri}: there is no complete artifact. Run the step that makes it first.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{uri}/{MANIFEST}: cannot be used ({error}). Run the step that makes it again.") from None


@contextmanager
def new_artifact(uri: str, summary: Summary) -> Iterator[Path]:
    """Yield an empty local folder; when the block ends without an error, it becomes the artifact at `uri`.

    `summary` may still be filled inside of the block. An artifact with the same content is left untouched, another
    one is replaced. Raises ArtifactError when `uri` cannot be written; nothing is left behind then.
    """
    target = UPath(uri)
    with _staging(target) as folder:
        _refuse_other_content(target)
        yield folder
        write_json({"files": _describe(folder), "summary": summary}, folder / MANIFEST)
        _publish(folder, target)


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table as Parquet: values and types come back exactly."""
    frame.to_parquet(path, index=False)


def write_json(value: Any, path: Path) -> None:
    """Write JSON; floats come back exactly."""
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def replace_file(path: UPath, content: bytes) -> None:
    """Write one file so that readers see the old content or the new, never a part.

    Raises ArtifactError when it cannot be written; the old content is still there then.
    """
    with _staging(path) as folder:
        if is_local(path):
            (folder / "file").write_bytes(content)
            (folder / "file").replace(path.path)
        else:
            path.write_bytes(content)  # object stores put a whole object or nothing


def is_local(path: UPath) -> bool:
    """Tell whether the path lies in a file system, where renaming is atomic."""
    return path.protocol in ("", "file", "local")


@contextmanager
def _staging(target: UPath) -> Iterator[Path]:
    """Yield a new folder, beside a local target so that renaming is possible; raise ArtifactError for any OSError."""
    parent = Path(target.path).absolute().parent if is_local(target) else None
    try:
        if parent:
            parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=_staging_prefix(target)) as outer:
            folder = Path(outer) / "content"  # the outer folder is private to this user; what is written need not be
            folder.mkdir()
            yield folder
    except OSError as error:
        raise ArtifactError(
            f"{target}: cannot be written ({error}). Free some space, or choose a store that you may write to."
        ) from error


def _staging_prefix(target: UPath) -> str:
    return f".{target.name}.partial-"


def _refuse_other_content(target: UPath) -> None:
    """Protect what a mistyped name would replace: only artifacts and empty folders may be written over."""
    place = Path(target.path)
    if not is_local(target) or not place.exists() or (place / MANIFEST).is_file():
        return
    if place.is_file() or any(place.iterdir()):
        raise ArtifactError(f"{target}: is no artifact, so it is not replaced. Remove it, or choose another place.")


def _describe(folder: Path) -> dict[str, dict[str, Any]]:
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(contents.items())
    }


def _publish(folder: Path, target: UPath) -> None:
    if not is_local(target):
        _upload(folder, target)
        return
    place = Path(target.path).absolute()
    if _same_content(folder, place):
        return
    if place.exists():
        place.rename(folder.parent / "replaced")
    folder.rename(place)
    for leftover in place.parent.glob(f"{_staging_prefix(target)}*"):
        if leftover != folder.parent:  # of an earlier attempt that was killed
            shutil.rmtree(leftover, ignore_errors=True)


def _same_content(folder: Path, place: Path) -> bool:
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return place.is_dir() and all(
        (place / name).is_file() and (place / name).read_bytes() == (folder / name).read_bytes() for name in files
    )


def _upload(folder: Path, target: UPath) -> None:
    (target / MANIFEST).unlink(missing_ok=True)
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    for path in [*paths, folder / MANIFEST]:
        (target / path.relative_to(folder).as_posix()).write_bytes(path.read_bytes())
