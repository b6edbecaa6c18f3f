"""Links in Volumes, mounts that are read-only or of a folder only, and what libraries keep in temporary folders."""

import json
import multiprocessing
import os
import subprocess
from pathlib import Path

import modal

app = modal.App("volumes")
volume = modal.Volume.from_name("linked", create_if_missing=True)


@app.function(volumes={"/store": volume})
def write() -> None:
    os.makedirs("/store/v1/deep")
    os.makedirs("/store/empty")
    with open("/store/v1/deep/file", "w", encoding="utf-8") as file:
        file.write("one")
    for name, target in {"latest": "v1", "file": "v1/deep/file", "broken": "nowhere"}.items():
        os.symlink(target, f"/store/{name}")
    volume.commit()


@app.function(volumes={"/store": volume.with_mount_options(sub_path="inner/folder")})
def write_below() -> list[str]:
    with open("/store/below", "w", encoding="utf-8") as file:
        file.write("two")
    volume.commit()
    return os.listdir("/store")


def attempts():
    """Yield ways to change something in a Volume."""
    yield lambda: Path("/store/new").write_text("", encoding="utf-8")
    yield lambda: os.truncate("/store/file", 0)
    yield lambda: os.open("/store/new", os.O_CREAT | os.O_WRONLY)
    yield lambda: os.mkdir("/store/new")
    yield lambda: os.unlink("/store/file")
    yield lambda: os.rename("/store/v1", "/store/v2")
    yield lambda: os.symlink("v1", "/store/other")
    yield lambda: os.chmod("/store/v1", 0o700)
    yield lambda: subprocess.run(["python", "-c", "open('/store/new', 'w')"], check=True, stderr=subprocess.DEVNULL)


@app.function(volumes={"/store": volume.with_mount_options(read_only=True)})
def read() -> dict[str, object]:
    refused = []
    for attempt in attempts():
        try:
            attempt()
            refused.append("changed")
        except OSError as error:
            refused.append(error.strerror)
        except subprocess.CalledProcessError:
            refused.append("Read-only file system")
    found = {entry.name: os.readlink(entry) if entry.is_symlink() else "folder" for entry in os.scandir("/store")}
    with open("/store/latest/deep/file", encoding="utf-8") as file:
        return {"refused": sorted(set(refused)), "found": found, "through link": file.read()}


@app.function()
def share() -> dict[str, int]:
    """Start a process that listens on a socket in the temporary folder."""
    with multiprocessing.Manager() as manager:
        shared = manager.dict(a=1)
        return dict(shared)


@app.function()
def same(content: bytes) -> bytes:
    return content


@app.local_entrypoint()
def main() -> None:
    write.remote()
    below = write_below.remote()
    result = {"below": below, "shared": share.remote(), "large": len(same.remote(b"x" * 3_000_000)), **read.remote()}
    print("RESULT " + json.dumps(result))
