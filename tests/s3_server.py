"""A real S3-compatible server (SeaweedFS) on this machine, for tests of what only a server can answer."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import s3fs

BUCKET = "course"
KEY, SECRET = "tests", "tests-secret"
WEED = Path(sys.executable).with_name("weed")
_RIGHTS = {
    "identities": [
        {
            "name": "tests",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
    ]
}


@contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """Run a server with one bucket, whose files are in `folder`; yield the environment that leads to it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rights.json").write_text(json.dumps(_RIGHTS))
    port = _free_ports(8)
    options = [
        f"-dir={folder}", "-ip=127.0.0.1", "-s3", "-filer", f"-s3.config={folder}/rights.json",
        f"-s3.port={port[0]}", f"-s3.port.grpc={port[1]}", f"-filer.port={port[2]}", f"-filer.port.grpc={port[3]}",
        f"-master.port={port[4]}", f"-master.port.grpc={port[5]}", f"-volume.port={port[6]}",
        f"-volume.port.grpc={port[7]}", f"-filer.localSocket={folder}/filer.sock", "-s3.port.iceberg=0",
        "-s3.port.lance=0", "-s3.autoCreateBucket=false", "-master.telemetry=false", "-master.volumeSizeLimitMB=64",
        "-volume.max=20",
    ]  # fmt: skip
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port[0]}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([WEED, f"-logdir={folder}", "server", *options], stdout=log, stderr=log, cwd=folder)
    try:
        _make_bucket(environment, server, folder / "log")
        yield environment
    finally:
        server.kill()  # it takes its time to end when asked
        server.wait()


def _free_ports(count: int) -> list[int]:
    with suppress(OSError):
        sockets = [socket.socket() for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = [int(one.getsockname()[1]) for one in sockets]
        for one in sockets:
            one.close()
    return ports


def _make_bucket(environment: dict[str, str], server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the server: it is ready when it has made a bucket and kept an object in it."""
    files = s3fs.S3FileSystem(
        key=KEY, secret=SECRET, endpoint_url=environment["AWS_ENDPOINT_URL"], skip_instance_cache=True
    )
    deadline = time.monotonic() + 90
    while True:
        assert server.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        try:
            if not files.exists(BUCKET):
                files.mkdir(BUCKET)
            files.pipe_file(f"{BUCKET}/ready", b"yes")
            return
        except Exception:
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")[-2000:]
            time.sleep(0.2)


if __name__ == "__main__":  # to try the pipeline against one by hand
    with s3_server(Path(sys.argv[1])) as _environment:
        print(*(f"export {name}={value}" for name, value in _environment.items()), sep="\n", flush=True)
        with suppress(KeyboardInterrupt):
            while os.getppid():
                time.sleep(1)
