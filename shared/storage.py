"""Artifacts: folders in a store, complete or not there at all. A store is a folder, or a folder in an S3 bucket.

Every artifact has a `manifest.json`: the step's summary, and the size and SHA-256 of each file. On a disk the folder
is prepared beside its place and takes its name in one step. In a bucket the files of each writing have a folder of
their own, and the manifest, written last, names it. Reading verifies, and sees the old artifact or the new.
"""

import errno
import hashlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import uniform
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from upath import UPath

from shared import files, s3, store_faults
from shared.errors import ArtifactError, ConfigError
from shared.places import Place, parse_place, store_uri
from shared.store_errors import store_errors

if TYPE_CHECKING:
    import pandas as pd  # platforms that only read their graph need not wait for it

MANIFEST = "manifest.json"
READ_ATTEMPTS = 100  # against writers that replace an artifact while it is read
CHANGE_SECONDS = 120  # how long a change of a file is retried against others who change it too
RUN_SECONDS = 3600  # how long a run waits for another one that uses its folder

Summary = dict[str, Any]


def check_store(uri: str) -> str:
    """Return a store's absolute path, or its s3:// URI, after making sure that it can be used.

    Raises ConfigError for what cannot be a store, and ArtifactError when a bucket cannot be reached or written.
    """
    uri = store_uri(uri)
    place = parse_place(uri)
    if not isinstance(place, Path):
        with store_errors(uri, "written"):
            if not s3.keeps_conditions(place):
                raise ConfigError(
                    f"store: the server of {uri} replaces objects that it was told to keep (no conditional writes), so "
                    "runs at the same time would lose each other's models. Choose another server, or a folder."
                )
    return uri


# Reading an artifact


@dataclass(frozen=True)
class Artifact:
    """A complete artifact as it was at one moment; `contents` are its files, or why one could not be read."""

    uri: str
    files: dict[str, dict[str, Any]]
    summary: Summary
    contents: dict[str, bytes | ArtifactError]

    def read(self, name: str) -> bytes:
        """Return a file's bytes. Raises ArtifactError when the file is missing or not as it was written."""
        if name not in self.files:
            raise ArtifactError(
                f"{self.uri}: has no file {name!r}, only {', '.join(self.files) or 'a manifest'}. "
                "Give the output of the right step."
            )
        content = self.contents[name]
        if isinstance(content, ArtifactError):
            raise content
        return content

    def read_table(self, name: str) -> "pd.DataFrame":
        """Return the table of a Parquet file. Raises ArtifactError as `read` does, and when it is not a table."""
        import pandas as pd
        from pyarrow import ArrowException

        content = self.read(name)
        try:
            return pd.read_parquet(io.BytesIO(content))
        except (ArrowException, OSError, ValueError) as error:
            raise ArtifactError(f"{self.uri}/{name}: is not a Parquet table ({error}). Run its step again.") from None

    def read_json(self, name: str) -> Any:
        """Return what a JSON file holds. Raises ArtifactError as `read` does, and when it is not JSON."""
        content = self.read(name)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ArtifactError(f"{self.uri}/{name}: is not JSON ({error}). Run its step again.") from None


def open_artifact(uri: str) -> Artifact:
    """Return the artifact at `uri`, with all its files, as it is at this moment.

    Raises ArtifactError when it is missing, or its manifest cannot be used. A damaged file is refused when it is read.
    """
    place = parse_place(uri)
    missing = ArtifactError(f"{uri}: there is no complete artifact. Run the step that makes it first.")
    with store_errors(f"{uri}/{MANIFEST}", "read"):
        for _ in range(READ_ATTEMPTS):
            try:
                reader = files.FolderReader(place) if isinstance(place, Path) else s3.FolderReader(place, MANIFEST)
            except (FileNotFoundError, NotADirectoryError):
                raise missing from None
            with reader:
                try:
                    manifest = _parse_manifest(uri, reader.read(MANIFEST))
                except FileNotFoundError:
                    if reader.was_replaced():
                        continue
                    raise missing from None
                artifact = _read_files(uri, manifest, reader)
                damaged = any(isinstance(content, ArtifactError) for content in artifact.contents.values())
                if not damaged or not reader.was_replaced():
                    return artifact
    raise ArtifactError(f"{uri}: other processes keep replacing it. Read it again.")


class _File(BaseModel):
    """What the manifest says of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class _Manifest(BaseModel):
    """`folder` is where the files are, below the artifact's own place; empty on a disk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[str, _File]
    summary: Summary
    folder: str = Field("", pattern="^[0-9a-f]*$")

    @field_validator("files")
    @classmethod
    def _inside(cls, value: dict[str, _File]) -> dict[str, _File]:
        for name in value:
            if {"", ".", "..", MANIFEST} & {*name.split("/")} or re.search(r"[\x00-\x1f\\]", name):
                raise ValueError(f"{name!r} is not the name of a file in this folder")
        return value


_Reader = files.FolderReader | s3.FolderReader


def _parse_manifest(uri: str, content: bytes) -> _Manifest:
    try:
        return _Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ArtifactError(
            f"{uri}/{MANIFEST}: cannot be used ({first_problem(error)}). Run the step that makes it again."
        ) from None


def first_problem(error: ValidationError) -> str:
    """Return the first of pydantic's findings, with the field's name if there is one."""
    first = error.errors()[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))


def _read_files(uri: str, manifest: _Manifest, reader: _Reader) -> Artifact:
    contents = {
        name: _read_verified(f"{uri}/{name}", f"{manifest.folder}/{name}".lstrip("/"), file.sha256, reader)
        for name, file in manifest.files.items()
    }
    return Artifact(uri, manifest.model_dump()["files"], manifest.summary, contents)


def _read_verified(uri: str, name: str, sha256: str, reader: _Reader) -> bytes | ArtifactError:
    try:
        content = reader.read(name)
    except OSError as error:
        return ArtifactError(f"{uri}: cannot be read ({error}). Run its step again.")
    if hashlib.sha256(content).hexdigest() != sha256:
        return ArtifactError(f"{uri}: is not as it was written (checksum). Run its step again.")
    return content


# Writing an artifact


@contextmanager
def new_artifact(uri: str, summary: Summary) -> Iterator[Path]:
    """Yield an empty local folder; when the block ends without an error, it becomes the artifact at `uri`.

    `summary` may still be filled inside the block. An artifact with the same content is left untouched, another one is
    replaced; of several writers at once the last one wins. Raises ArtifactError when `uri` cannot be written; nothing
    is left behind then.
    """
    place = parse_place(uri)
    with store_errors(uri, "written"), _staging(place) as folder:
        _refuse_other_content(place)
        yield folder
        store_faults.strike(folder, place)
        manifest = _Manifest(files=_describe(folder), summary=json.loads(_to_json(summary)))
        if _is_there(uri, manifest):
            return
        if isinstance(place, Path):
            write_json(manifest.model_dump(exclude={"folder"}), folder / MANIFEST)
            files.publish(folder, Path(os.path.abspath(place)))
        else:
            _upload(folder, place, manifest)


def check_writable(uri: str) -> None:
    """Raise ArtifactError if no artifact can be written to `uri`: to find out before work that cannot be undone."""
    place = parse_place(uri)
    with store_errors(uri, "written"), _staging(place) as folder:
        _refuse_other_content(place)
        (folder / MANIFEST).write_bytes(b"{}")
        if not isinstance(place, Path):
            probe = place / f".writable-{uuid4().hex}"
            s3.write(probe, b"")
            s3.remove(probe)


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table as Parquet: values and types come back exactly."""
    frame.to_parquet(path, index=False)


def write_json(value: Any, path: Path) -> None:
    """Write JSON; floats come back exactly. Raises ValueError for NaN and infinity."""
    path.write_text(_to_json(value), encoding="utf-8")


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def _staging(place: Place) -> AbstractContextManager[Path]:
    """Make a folder to write in: beside a place on a disk, or below the temporary folder for one in a bucket."""
    if isinstance(place, Path):
        return files.staging(Path(os.path.abspath(place)).parent)
    own = Path(tempfile.gettempdir(), f"one-pipeline-{os.getuid()}")
    own.mkdir(mode=0o700, exist_ok=True)
    if own.lstat().st_uid != os.getuid():
        raise PermissionError(errno.EACCES, "belongs to another user", str(own))
    return files.staging(own)


def _refuse_other_content(place: Place) -> None:
    """Protect what a mistyped name would replace: only artifacts and empty folders may be written over."""
    if not isinstance(place, Path) or not place.exists() or (place / MANIFEST).is_file():
        return
    if place.is_file() or any(place.iterdir()):
        raise ArtifactError(f"{place}: is not an artifact, so it is not replaced. Remove it, or choose another place.")


def _describe(folder: Path) -> dict[str, _File]:
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {
        name: _File(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for name, content in sorted(contents.items())
    }


def _is_there(uri: str, manifest: _Manifest) -> bool:
    """Whether an undamaged artifact with this content is at `uri`."""
    try:
        artifact = open_artifact(uri)
        for name in artifact.files:
            artifact.read(name)
    except ArtifactError:
        return False
    return (artifact.files, artifact.summary) == (manifest.model_dump()["files"], manifest.summary)


def _upload(folder: Path, place: UPath, manifest: _Manifest) -> None:
    """Write the files into a folder of their own, then the manifest; remove the files of the one it replaces."""
    manifest = manifest.model_copy(update={"folder": uuid4().hex})
    for name in manifest.files:
        s3.write(place / manifest.folder / name, (folder / name).read_bytes())
    replaced = _change_object(place / MANIFEST, lambda _: _to_json(manifest.model_dump()).encode())
    try:
        old = _Manifest.model_validate_json(replaced or b"").folder
    except ValidationError:  # there was none, or a broken one
        old = ""
    if old:
        s3.remove(place / old)
    s3.remove_orphans(place, MANIFEST, {MANIFEST, manifest.folder})


# Single files


def read_file(uri: str) -> bytes | None:
    """Return a file's content, or None when there is none. Raises ArtifactError when it cannot be read."""
    place = parse_place(uri)
    with store_errors(uri, "read"):
        try:
            return place.read_bytes() if isinstance(place, Path) else s3.read(place)
        except FileNotFoundError:
            return None


def replace_file(uri: str, content: bytes) -> None:
    """Write one file so that readers see the old content or the new, never a part.

    Raises ArtifactError when it cannot be written; the old content is still there then.
    """
    place = parse_place(uri)
    with store_errors(uri, "written"):
        if not isinstance(place, Path):
            s3.write(place, content)
            return
        with _staging(place) as folder:
            (folder / "file").write_bytes(content)
            (folder / "file").replace(place)


def create_mark(uri: str) -> bool:
    """Make an empty file; return False when it is there already. Of several processes exactly one gets True."""
    place = parse_place(uri)
    with store_errors(uri, "written"):
        if not isinstance(place, Path):
            return s3.swap(place, b"", None)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def change_file(uri: str, change: Callable[[bytes | None], bytes | None]) -> None:
    """Replace a file's content (None: there is none) by what `change` makes of it; None leaves it as it is.

    Of several processes that change it at once, each sees what the one before it wrote: on a disk they wait for a lock,
    in a bucket the slower ones begin again, so `change` may be called several times. Raises ArtifactError when the file
    cannot be written, and when others keep this one from its turn for a minute or two.
    """
    place = parse_place(uri)
    with store_errors(uri, "changed"):
        if not isinstance(place, Path):
            _change_object(place, change)
            return
        with files.locked(place):
            content = change(read_file(uri))
            if content is not None:
                replace_file(uri, content)


@contextmanager
def exclusive(uri: str) -> Iterator[None]:
    """Let one process at a time work in a folder; the others print that they wait. In a bucket nobody waits."""
    place = parse_place(uri)

    def say() -> None:
        print(f"Another run is using {uri}. Waiting for it to end; press Ctrl-C to stop waiting.", file=sys.stderr)

    with ExitStack() as stack:
        if isinstance(place, Path):
            with store_errors(uri, "used"):
                stack.enter_context(files.locked(place, RUN_SECONDS, say))
        yield


def _change_object(place: UPath, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
    """Return the content that was replaced, after trying as long as others are faster."""
    end, wait = monotonic() + CHANGE_SECONDS, 0.05
    while monotonic() < end:
        old, tag = s3.read_with_tag(place)
        new = change(old)
        if new is None or s3.swap(place, new, tag):
            return old
        sleep(uniform(0, wait))
        wait = min(2 * wait, 1)
    raise TimeoutError(errno.ETIMEDOUT, "other processes keep changing it")
