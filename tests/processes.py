"""Find the processes of a test that are still running."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil


def running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that have not ended.

    A zombie has: its entry stays until its parent asks for it, which process 1 of a container may never do.
    """
    return [process for process in processes if _runs(process)]


def running_after(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Give them time to end, and return those that have not."""
    end = time.monotonic() + seconds
    while (left := running(processes)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def in_group(group: int) -> list[psutil.Process]:
    """Return the processes of a group, including those whose parent has ended."""
    return [process for process in psutil.process_iter() if _group(process) == group]


def processes_of(place: Path) -> list[str]:
    """Return the commands of processes that name a folder, or work in it."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        if process.pid != os.getpid() and any(str(place) in word for word in words):
            found.append(" ".join(words))
    return found


def listens_on(processes: Iterable[psutil.Process]) -> set[str]:
    """Return the addresses that the processes listen on."""
    addresses = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile
            connections = process.net_connections()
            addresses |= {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
    return addresses


def _group(process: psutil.Process) -> int | None:
    with suppress(ProcessLookupError):
        return os.getpgid(process.pid)
    return None


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
