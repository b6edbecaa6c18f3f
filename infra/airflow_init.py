"""`python -m infra.airflow_init`: what Airflow in Compose needs before its services start. Safe to run again.

It checks the engine's memory, processors and disk, writes the password for the web pages, and creates or migrates the
database.
"""

import json
import os
import shutil
import sys
from pathlib import Path

GIB = 1024**3
MEMORY_GIB, PROCESSORS, DISK_GIB = 4.0, 2, 5.0


def problems(memory: int, processors: int, disk: int) -> list[str]:
    """Return what the engine lacks; `memory` and `disk` (free) are in bytes."""
    found = []
    if memory < MEMORY_GIB * GIB * 0.9:  # a machine with 4 GB reports a little less
        found.append(f"memory: {memory / GIB:.1f} GiB, {MEMORY_GIB:.0f} needed. Give Docker more.")
    if processors < PROCESSORS:
        found.append(f"processors: {processors}, {PROCESSORS} needed. Give Docker more; everything will be slow.")
    if disk < DISK_GIB * GIB:
        found.append(f"disk: {disk / GIB:.1f} GiB free, {DISK_GIB:.0f} needed. Make room: docker system prune")
    return found


def write_password(file: Path, password: str) -> None:
    """Set the password of the user `admin`, in a file that only this user can read."""
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
        json.dump({"admin": password}, stream)


def main() -> None:
    """Check, prepare, and become `airflow db migrate`. Too little memory or disk ends with exit status 1."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = problems(memory, os.cpu_count() or 1, shutil.disk_usage("/airflow").free)
    for problem in found:
        print(f"airflow-init: {problem}", file=sys.stderr)
    if any(not problem.startswith("processors") for problem in found):
        sys.exit(1)
    write_password(
        Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), os.environ["AIRFLOW_PASSWORD"]
    )
    os.execvp("airflow", ["airflow", "db", "migrate"])


if __name__ == "__main__":
    main()
