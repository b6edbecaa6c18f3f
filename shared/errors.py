"""The errors a student may meet: each names the field, file or step, and what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class PipelineError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(PipelineError):
    """The configuration cannot be used."""


class DataError(PipelineError):
    """A source file or table is missing, malformed or empty."""


class ArtifactError(PipelineError):
    """An artifact of an earlier step is missing, incomplete or changed, or cannot be written."""


class ModelError(PipelineError):
    """A stored model is corrupted or of types that this project does not trust."""


class InjectedFault(PipelineError):
    """A failure that the configuration asked for."""


class RegistryError(PipelineError):
    """The model registry refuses what was asked of it."""


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Around a command: print an error made for people without a traceback, and end with status 1."""
    try:
        yield
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
