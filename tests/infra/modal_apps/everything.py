"""An app with one function for each thing that the control plane emulates."""

import json
import os
import signal
import time
from pathlib import Path

import modal

app = modal.App("everything")
volume = modal.Volume.from_name("shelf", create_if_missing=True)
notes = modal.Dict.from_name("notes", create_if_missing=True)
quick = modal.Retries(max_retries=3, initial_delay=1.0, backoff_coefficient=1.0)


class OwnError(Exception):
    """A type that only this file knows."""


@app.function()
def double(value: int, plus: int = 0) -> int:
    print(f"doubling {value}")
    return 2 * value + plus


@app.function()
def nap(seconds: float) -> tuple[int, float, float]:
    begin = time.time()
    time.sleep(seconds)
    return os.getpid(), begin, time.time()


@app.function()
def add(one: int, other: int) -> int:
    return one + other


@app.function()
def nested(count: int) -> int:
    return sum(double.map(range(count)))


@app.function()
def large(size: int) -> bytes:
    return b"x" * size


@app.function()
def measure(content: bytes) -> int:
    return len(content)


@app.function()
def fail(kind: str) -> None:
    raise {"value": ValueError, "own": OwnError, "key": KeyError}[kind](f"a {kind} error")


@app.function(retries=quick)
def third_time(name: str) -> list[float]:
    tries = [*notes.get(name, []), time.time()]
    notes[name] = tries
    if len(tries) < 3:
        raise RuntimeError("not yet")
    return tries


@app.function(timeout=1)
def too_long() -> None:
    time.sleep(60)


@app.function()
def crash(how: str) -> None:
    if how == "exit":
        os._exit(7)
    os.kill(os.getpid(), signal.SIGKILL)


@app.function()
def count_to(end: int):
    yield from range(end)


@app.function(
    secrets=[modal.Secret.from_dict({"API_KEY": "from a secret"})],
    image=modal.Image.debian_slim().env({"MODE": "test"}),
)
def environment() -> list[str | None]:
    return [os.environ.get(name) for name in ("API_KEY", "MODE", "HOME_OF_STUDENT", "MODAL_TOKEN_SECRET")]


@app.function(volumes={"/store": volume})
def write(name: str, text: str, commit: bool) -> int:
    Path("/store", name).write_text(text, encoding="utf-8")
    if commit:
        volume.commit()
    return os.getpid()


@app.function(volumes={"/store": volume})
def read(name: str, reload: bool) -> str | None:
    if reload:
        volume.reload()
    path = Path("/store", name)
    return path.read_text(encoding="utf-8") if path.exists() else None


@app.function(volumes={"/store": volume}, gpu="A10G")
def see() -> dict[str, object]:
    import sys
    from importlib.util import find_spec

    found = {name: find_spec(name) is not None for name in ("shared", "module4", "infra", "pandas")}
    return {"files": sorted(os.listdir("/root")), "cwd": os.getcwd(), "found": found, "python": sys.executable}


@app.cls(scaledown_window=2)
class Model:
    factor: int = modal.parameter(default=1)

    @modal.enter()
    def load(self) -> None:
        self.loaded = os.getpid()

    @modal.method()
    def predict(self, value: int) -> tuple[int, int]:
        return self.loaded, self.factor * value

    @modal.exit()
    def leave(self) -> None:
        notes[f"left {self.factor}"] = os.getpid()


@app.local_entrypoint()
def main(case: str = "basics") -> None:
    print("RESULT " + json.dumps(CASES[case]()))


def basics() -> dict[str, object]:
    return {
        "remote": double.remote(21, plus=1),
        "local": double.local(4),
        "map": list(double.map(range(5), kwargs={"plus": 1})),
        "unordered": sorted(double.map(range(5), order_outputs=False)),
        "starmap": list(add.starmap([(1, 2), (3, 4)])),
        "nested": nested.remote(4),
        "large": len(large.remote(3 * 2**20)),
        "sent": measure.remote(b"y" * (3 * 2**20)),
        "generator": list(count_to.remote_gen(5)),
    }


def spawned() -> dict[str, object]:
    call = double.spawn(5)
    found = modal.FunctionCall.from_id(call.object_id)
    return {
        "get": call.get(timeout=20),
        "again": found.get(timeout=5),
        "gather": modal.FunctionCall.gather(double.spawn(1), double.spawn(2)),
    }


def parallel() -> list[object]:
    return list(nap.map([2, 2]))


def errors() -> dict[str, str]:
    said = {}
    for kind in ("value", "own", "key"):
        try:
            fail.remote(kind)
        except Exception as error:
            said[kind] = f"{type(error).__name__}: {error}"
    return said | {"map": [type(one).__name__ for one in fail.map(["value", "own"], return_exceptions=True)]}


def retried() -> dict[str, object]:
    notes.clear()
    return {
        "remote": third_time.remote("remote"),
        "map": list(third_time.map(["map"])),
        "spawn": third_time.spawn("spawn").get(timeout=30),
    }


def timeouts() -> str:
    begin = time.time()
    try:
        too_long.remote()
    except modal.exception.FunctionTimeoutError as error:
        return f"{time.time() - begin < 40} {error}"
    return "no error"


def crashes() -> list[str]:
    said = []
    for how in ("exit", "kill"):
        try:
            crash.remote(how)
        except modal.exception.RemoteError as error:
            said.append(str(error))
    return said


def secrets() -> list[str | None]:
    return environment.remote()


def volumes() -> dict[str, object]:
    before = read.remote("a.txt", reload=False)  # its container has its snapshot now
    write.remote("a.txt", "one", commit=False)
    not_committed = read.remote("a.txt", reload=True)
    write.remote("a.txt", "two", commit=True)
    return {
        "before": before,
        "not committed": not_committed,
        "not reloaded": read.remote("a.txt", reload=False),
        "reloaded": read.remote("a.txt", reload=True),
    }


def classes() -> dict[str, object]:
    notes.clear()
    three, four = Model(factor=3), Model(factor=4)
    first, second = three.predict.remote(5), three.predict.remote(6)
    other = four.predict.remote(5)
    left = wait_for(lambda: notes.get("left 3"))
    return {"first": first, "second": second, "other": other, "left": left}


def wait_for(look):
    for _ in range(100):
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    return None


def sees() -> dict[str, object]:
    return see.remote()


CASES = {
    one.__name__: one
    for one in (basics, spawned, parallel, errors, retried, timeouts, crashes, secrets, volumes, classes, sees)
}
