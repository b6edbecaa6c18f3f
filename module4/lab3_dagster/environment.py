"""The variables that the lab reads."""

import os

from module4.platforms import WORKSPACE


def default_store() -> str:
    """Return where assets are kept unless a command says otherwise: a folder or a URI."""
    return os.environ.get("PIPELINE_STORE") or str(WORKSPACE / "dagster")
