"""Measures the control plane through the real client: a container's start, a warm call, the throughput of a map."""

import tempfile
from pathlib import Path

from infra.modal_local.commands import run
from infra.modal_local.control_plane import Options

WARM_CALLS, MAP_INPUTS = 50, 200

APP = f"""
import statistics, time
import modal

app = modal.App("bench")


@app.function()
def same(value):
    return value


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@app.local_entrypoint()
def main():
    print(f"boot to first output {{seconds(lambda: same.remote(0)):7.2f}} s")
    warm = [seconds(lambda: same.remote(1)) for _ in range({WARM_CALLS})]
    print(f"warm call, median    {{statistics.median(warm) * 1000:7.1f}} ms")
    for name in ("map, containers boot", "map, warm"):
        whole = seconds(lambda: list(same.map(range({MAP_INPUTS}))))
        print(f"{{name:<20}} {{whole / {MAP_INPUTS} * 1000:7.1f}} ms an input")
"""


async def measure(options: Options) -> int:
    """Run the benchmark, which prints its figures, and return its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench_app.py")
        path.write_text(APP, encoding="utf-8")
        return await run(["modal", "run", "-q", str(path)], options)
