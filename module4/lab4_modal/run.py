"""Run the functions of the app here, in this process, without an account.

This shows that the code is right and gives the same model; it shows nothing of Modal's containers, retries or volume.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import modal

from module4.lab4_modal.training import run_pipeline
from shared import steps
from shared.config import PipelineConfig
from shared.fingerprint import Fingerprint


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run the pipeline below `store` and return its fingerprint; raise what a failing function raised."""
    with calls_stay_here():
        deployment = run_pipeline(config.to_json(), store, run_id=f"local-{uuid4()}")
    return steps.read_fingerprint(deployment["uri"])


@contextmanager
def calls_stay_here() -> Iterator[None]:
    """Make `.remote` and `.map` what `.local` is. Without this block the same calls go to the cloud."""
    with patch.object(modal.Function, "remote", _remote), patch.object(modal.Function, "map", _map):
        yield


def _remote(function: modal.Function[..., Any, Any], *args: Any, **kwargs: Any) -> Any:
    return function.local(*args, **kwargs)


def _map(
    function: modal.Function[..., Any, Any], items: Iterable[Any], kwargs: Mapping[str, Any], order_outputs: bool = True
) -> Iterator[Any]:
    return (function.local(item, **kwargs) for item in items)
