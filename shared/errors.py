"""The errors a student may meet: each names the field, file or step, and what to do."""


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


class RegistryError(PipelineError):
    """The model registry refuses what was asked of it."""
