"""Objects in an S3-compatible store: read and written whole, and changed only if no other writer was faster."""

import os
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

from fsspec import get_filesystem_class
from upath import UPath

# No caches, because other processes write too. If a server does not answer, requests fail within seconds.
OPTIONS: dict[str, Any] = {
    "use_listings_cache": False,
    "config_kwargs": {
        "connect_timeout": 3,
        "read_timeout": 30,
        "retries": {"total_max_attempts": 3, "mode": "standard"},
    },
}
ORPHAN_AGE = timedelta(hours=1)  # no upload takes this long, so older unused objects were left by dead writers
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


def open_path(uri: str) -> UPath:
    """Return the path of a URI like s3://bucket/folder, with the address and the keys that AWS's variables name now."""
    _reconnect(*sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    path: UPath = UPath(uri, **OPTIONS)
    return path


@lru_cache(maxsize=1)  # this runs only when the variables differ from those of the call before
def _reconnect(*variables: tuple[str, str]) -> None:
    """Forget the connections, which keep the address and the keys that they were made with."""
    get_filesystem_class("s3").clear_instance_cache()


def read(path: UPath) -> bytes:
    """Return an object's content. Raises FileNotFoundError when there is none."""
    content: bytes = path.fs.cat_file(path.path, max_concurrency=1)
    return content


def read_with_tag(path: UPath) -> tuple[bytes | None, str | None]:
    """Return an object's content, and for `swap` the tag of that content or an older one; two None if there is none."""
    try:
        tag: str = path.fs.info(path.path, refresh=True)["ETag"]
        return read(path), tag
    except FileNotFoundError:
        return None, None


def write(path: UPath, content: bytes) -> None:
    """Write an object: readers see the old content or the new."""
    path.fs.pipe_file(path.path, content)


def refusal() -> OSError:
    """Return the error that writing raises when the keys may not write."""
    from botocore.exceptions import ClientError
    from s3fs.errors import translate_boto_error

    response = {"Error": {"Code": "AccessDenied", "Message": "Access Denied."}}
    error: OSError = translate_boto_error(ClientError(response, "PutObject"))
    return error


def swap(path: UPath, content: bytes, tag: str | None) -> bool:
    """Write an object if it still has this tag, or still does not exist; return whether it was written."""
    try:
        if tag is None:
            path.fs.pipe_file(path.path, content, mode="create")
        else:
            path.fs.pipe_file(path.path, content, IfMatch=tag)
    except OSError as error:
        response = getattr(
            error.__cause__, "response", {}
        )  # s3fs turns most error responses into an OSError with EINVAL
        if isinstance(error, FileExistsError) or response.get("Error", {}).get("Code") in _LOST:
            return False
        if isinstance(error, FileNotFoundError) and tag is not None:  # it was removed meanwhile
            return False
        raise
    return True


def keeps_conditions(folder: UPath) -> bool:
    """Test with a dummy object whether the store refuses to create what already exists; older stores do not."""
    path = folder / f".condition-{uuid4().hex}"
    try:
        return swap(path, b"", None) and not swap(path, b"", None)
    finally:
        remove(path)


def remove(path: UPath) -> None:
    """Remove an object, or a folder with all its objects, if it exists."""
    try:
        path.fs.rm(path.path, recursive=True)
    except FileNotFoundError:
        return


def remove_orphans(folder: UPath, newest: str, kept: set[str]) -> None:
    """Remove what was written ORPHAN_AGE before the object `newest`, by the store's clock; keep the names in `kept`."""
    found = folder.fs.find(folder.path, detail=True, refresh=True)
    names = {key: key.removeprefix(folder.path).lstrip("/") for key in found}
    limit = next(found[key]["LastModified"] for key, name in names.items() if name == newest) - ORPHAN_AGE
    for key, name in names.items():
        if name.partition("/")[0] not in kept and found[key]["LastModified"] < limit:
            remove(folder / name)


class FolderReader:
    """Reads the objects below a folder, even while another writer replaces the object `marker` that leads to them."""

    def __init__(self, folder: UPath, marker: str) -> None:
        self._folder, self._marker, self._seen = folder, marker, b""

    def __enter__(self) -> "FolderReader":
        return self

    def __exit__(self, *exception: object) -> None: ...

    def read(self, name: str) -> bytes:
        """Return an object's content. Raises FileNotFoundError when there is none."""
        content = read(self._folder / name)
        if name == self._marker:
            self._seen = content
        return content

    def was_replaced(self) -> bool:
        """Whether the marker has changed since it was read, so that the objects it led to may be gone."""
        try:
            return read(self._folder / self._marker) != self._seen
        except FileNotFoundError:
            return bool(self._seen)
