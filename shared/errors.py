"""The errors that a student may see: each names the field, file or step, and says what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class PipelineError(Exception):
    """Base of every error that this package raises on purpose: its message is written for people."""


class ConfigError(PipelineError):
    """The configuration cannot be used."""


class DataError(PipelineError):
    """A source file or table is missing, malformed or empty."""


class ArtifactError(PipelineError):
    """An artifact of an earlier step is missing, incomplete or changed, or cannot be written."""


class ModelError(PipelineError):
    """A stored model is corrupted, or holds types that this project does not trust."""


class InjectedFault(PipelineError):
    """A failure that the configuration asked for."""


class RegistryError(PipelineError):
    """The model registry refuses a request."""


@contextmanager
def exit_on_error() -> Iterator[None]:
    """If the block raises a PipelineError, print it without a traceback, and exit with status 1."""
    try:
        yield
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
