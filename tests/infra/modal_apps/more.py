"""Settings of functions, and the objects that functions share: what `everything.py` has no room for."""

import json
import os
import time
from pathlib import Path

import modal

app = modal.App("more")
line = modal.Queue.from_name("line", create_if_missing=True)
shelf = modal.Volume.from_name("kept", create_if_missing=True)


@app.function()
def who() -> int:
    return os.getpid()


@app.function()
@modal.batched(max_batch_size=4, wait_ms=500)
def together(values: list[int]) -> list[tuple[int, int]]:
    return [(2 * value, len(values)) for value in values]


@app.function()
@modal.concurrent(max_inputs=3)
def side_by_side(seconds: float) -> tuple[int, float, float]:
    begin = time.time()
    time.sleep(seconds)
    return os.getpid(), begin, time.time()


@app.function(volumes={"/kept": shelf})
def write_and_crash(name: str) -> None:
    Path("/kept", name).write_text("written", encoding="utf-8")
    os.kill(os.getpid(), 9)


@app.function(volumes={"/kept": shelf})
def read(name: str) -> str:
    return Path("/kept", name).read_text(encoding="utf-8")


@app.function()
def large(size: int) -> bytes:
    return b"x" * size


@app.function()
def setting(name: str) -> str | None:
    return os.environ.get(name)


@app.function(retries=3)
def nap(seconds: float) -> str:
    line.put("begun")
    time.sleep(seconds)
    return "slept"


@app.local_entrypoint()
def main(case: str) -> None:
    print("RESULT " + json.dumps(CASES[case]()))


def queue() -> dict[str, object]:
    line.clear()
    line.put_many(["a", "b", "c"])
    line.put("other", partition="side")
    seen = list(line.iterate(item_poll_timeout=0))
    first, rest = line.get(), line.get_many(5)
    empty = line.get(block=False)
    length, total = line.len(), line.len(total=True)
    line.clear(all=True)
    return {
        "seen": seen,
        "first": first,
        "rest": rest,
        "empty": empty,
        "lengths": [length, total, line.len(total=True)],
    }


def batched() -> list[object]:
    return list(together.map(range(6)))


def concurrent() -> list[object]:
    return list(side_by_side.map([0.5] * 3))


def options() -> dict[str, object]:
    begin = time.time()
    try:
        nap.with_options(timeout=1, retries=0).remote(60)
        ended = "no error"
    except modal.exception.FunctionTimeoutError:
        ended = "timeout" if time.time() - begin < 40 else "late"
    one = setting.with_options(env={"GIVEN": "now"}, gpu="L40S", max_containers=1)
    alone = side_by_side.with_concurrency(max_inputs=1).with_options(max_containers=1)
    return {
        "timeout": ended,
        "env": one.remote("GIVEN"),
        "unchanged": setting.remote("GIVEN"),
        "alone": list(alone.map([0.2, 0.2])),
    }


def cancelled() -> dict[str, object]:
    line.clear()
    call = nap.spawn(60)
    line.get(timeout=20)
    begin = time.time()
    call.cancel()
    try:
        said = call.get(timeout=20)
    except modal.exception.RemoteError as error:
        said = str(error)
    time.sleep(1.5)  # a retry would begin after one second
    return {"said": said, "quick": time.time() - begin < 40, "begun again": line.len()}


def crash_keeps_files() -> str:
    try:
        write_and_crash.remote("a.txt")
    except modal.exception.RemoteError:
        return read.remote("a.txt")
    return "no crash"


def many_large() -> int:
    return sum(len(large.remote(3 * 2**20)) for _ in range(6))


def large_uncollected() -> list[str]:
    calls = [large.spawn(3 * 2**20) for _ in range(6)]
    said = []
    for call in reversed(calls):  # the last ones had no room
        try:
            said.append(str(len(call.get(timeout=30))))
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


CASES = {
    one.__name__: one
    for one in (
        *(queue, batched, concurrent, options, cancelled),
        *(crash_keeps_files, many_large, large_uncollected),
    )
}
