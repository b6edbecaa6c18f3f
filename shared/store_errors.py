"""Errors of disks, networks and S3 as one sentence: what could not be done, why, and what to do."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import ArtifactError

_BY_CODE = (
    ({errno.ENOSPC, errno.EDQUOT}, "Free some space, or choose another store."),
    ({errno.EFBIG}, "Raise the limit of a file's size (ulimit -f), or choose another store."),
    ({errno.EACCES, errno.EPERM, errno.EROFS}, "Choose a store that you may use, or change its permissions."),
    ({errno.ENAMETOOLONG}, "Choose a shorter name."),
    ({errno.ENOTDIR, errno.EEXIST, errno.EISDIR}, "A file is where a folder is needed, or the reverse: remove it."),
    ({errno.EMFILE, errno.ENFILE}, "Too many files are open: close other programs, or raise the limit (ulimit -n)."),
    ({errno.ETIMEDOUT, errno.EBUSY}, "Try again in a minute."),
)
_KEYS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may use this store."
_SERVER = "Start the store's server, or correct its address (AWS_ENDPOINT_URL)."
_BY_NAME = (
    ({"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}, _KEYS),
    ({"ConnectionError", "HTTPClientError", "TokenRetrievalError"}, _SERVER),
)


@contextmanager
def store_errors(place: str, done: str) -> Iterator[None]:
    """Turn such an error into an ArtifactError that says which place cannot be `done` (read, written, changed)."""
    try:
        yield
    except _failures() as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ArtifactError(f"{place}: cannot be {done} ({reason}). {_advice(error, done)}") from error


def _failures() -> tuple[type[Exception], ...]:
    """Return the errors that a store can raise; botocore's exist once S3 has been used, and are not OSErrors."""
    botocore = sys.modules.get("botocore.exceptions")
    return (OSError, botocore.BotoCoreError) if botocore else (OSError,)


def _advice(error: Exception, done: str) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    from_s3 = getattr(error.__cause__, "response", None) is not None
    if from_s3 and isinstance(error, PermissionError):
        return _KEYS
    if from_s3 and isinstance(error, FileNotFoundError):
        return "Make the bucket first, or correct its name."
    for names, advice in _BY_NAME:
        if kinds & names:
            return advice
    for codes, advice in _BY_CODE:
        if getattr(error, "errno", None) in codes:
            return advice
    return f"Check that the store can be {'read' if done == 'read' else 'written'}, then run the step again."
