"""Calls from this machine and from a container, one of which fails twice."""

from contextlib import suppress

import modal

app = modal.App("called")


@app.function(max_containers=2, retries=1)
@modal.concurrent(max_inputs=3)
def inner(number: int) -> int:
    if number < 0:
        raise ValueError("negative")
    return number


@app.function()
def outer() -> int:
    return sum(inner.map([1, 2]))


@app.local_entrypoint()
def main() -> None:
    outer.remote()
    with suppress(ValueError):
        inner.remote(-1)
