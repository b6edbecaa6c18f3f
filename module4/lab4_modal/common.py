"""What the lab's three apps share: the image and the volume of their containers, and how often they try again."""

from collections.abc import Iterator
from contextlib import contextmanager

import modal

# Built once, on Modal, and again only when the lock changes. The code is added last, when a container starts.
image = (
    modal.Image.debian_slim(python_version="3.12")
    .uv_pip_install(requirements=["requirements.lock"])
    .add_local_python_source("shared")
)
VOLUME, STORE = "training-store", "/store"  # its name, and where containers see it
volume = modal.Volume.from_name(VOLUME, create_if_missing=True)
retries = modal.Retries(max_retries=2, initial_delay=1.0, backoff_coefficient=2.0)


@contextmanager
def synced() -> Iterator[None]:
    """See what other containers wrote to the volume, and let them see what this one writes."""
    if modal.is_local():
        yield  # nothing is mounted here
        return
    volume.reload()
    try:
        yield
    finally:
        volume.commit()  # after a failure too: the next attempt may run in another container
