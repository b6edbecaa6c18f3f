"""What tests of servers need: a free port, and a server that answers."""

import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest


def free_port() -> int:
    """Return a port on this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Return whether a server delivers the page."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 300) -> None:
    """Wait until the server answers; fail with the end of its log if it ends or takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if answers(url):
            return
        time.sleep(0.3)
    pytest.fail(f"{url} did not answer:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
