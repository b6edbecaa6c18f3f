"""Check this machine and the installation: `make doctor`, or `python infra/doctor.py`.

It uses only the standard library and no syntax newer than Python 3.7, because it must run before anything is installed,
and an unsuitable Python should give a message, not a traceback.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
GIB = 1024**3
DISK_GIB_TO_INSTALL, DISK_GIB_TO_WORK = 5.0, 1.0
MEMORY_GIB = 4.0
PORTS = {8080: "Airflow", 3000: "Dagster", 8888: "JupyterLab"}

OK, ABSENT, FAIL = "[ OK ]", "[ -- ]", "[FAIL]"


class Check(NamedTuple):
    """One line of the report. A line that is not OK says what to do."""

    status: str
    topic: str
    text: str


def output_of(*command: str) -> str | None:
    """Return what a command prints, or None if it is missing, fails or hangs."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()


def accepted_minors(pyproject: str) -> range:
    """Return the minor versions of Python 3 that `requires-python` allows."""
    match = re.search(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"', pyproject, re.MULTILINE)
    if match is None:
        raise ValueError("pyproject.toml: requires-python is not of the form >=3.A,<3.B")
    return range(int(match[1]), int(match[2]))


def check_python(version: tuple[int, ...], accepted: range) -> Check:
    """Refuse a Python that the platforms do not support."""
    text = ".".join(map(str, version[:3]))
    if version[0] == 3 and version[1] in accepted:
        return Check(OK, "Python", text)
    wanted = f"Python 3.{accepted[0]} to 3.{accepted[-1]}"
    remedy = f"install {wanted}, or name one: make setup PYTHON=/path/to/python3.12"
    return Check(FAIL, "Python", f"{text} is not supported: {remedy}")


def check_make(version_output: str | None) -> Check:
    """Require GNU make, as old as the one macOS ships."""
    first = (version_output or "").partition("\n")[0]
    match = re.search(r"GNU Make (\d+)\.(\d+)", first)
    if match and (int(match[1]), int(match[2])) >= (3, 81):
        return Check(OK, "make", first)
    remedy = "install GNU make 3.81 or later (Debian, Ubuntu: apt install make; macOS: xcode-select --install)"
    return Check(FAIL, "make", f"{first or 'not found'}: {remedy}")


def check_git(version_output: str | None) -> Check:
    """Look for git, which the labs themselves do not need."""
    if version_output:
        return Check(OK, "git", version_output)
    return Check(ABSENT, "git", "not found: needed only to keep your own changes")


def check_system(system: str, release: str, root: Path) -> Check:
    """Check the system: Windows itself cannot run Airflow; WSL can, but is slow on the Windows disks under /mnt."""
    if system == "Windows":
        return Check(FAIL, "system", "Windows: run `wsl --install`, then clone and work inside WSL")
    if system == "Linux" and "microsoft" in release.lower():
        if root.parts[1:2] == ("mnt",):
            return Check(ABSENT, "system", f"WSL, but {root} is a Windows disk and slow: clone into your WSL home")
        return Check(OK, "system", "Linux in WSL")
    return Check(OK, "system", "macOS" if system == "Darwin" else system)


def check_architecture(machine: str) -> Check:
    """Require an architecture for which the locked packages are built."""
    if machine.lower() in ("x86_64", "amd64", "arm64", "aarch64"):
        return Check(OK, "architecture", machine)
    return Check(FAIL, "architecture", f"{machine}: packages exist for x86_64 and arm64; use such a machine")


def check_disk(free_bytes: int, installed: bool) -> Check:
    """Require room for the packages, or, once they are installed, for the runs."""
    free, needed = free_bytes / GIB, DISK_GIB_TO_WORK if installed else DISK_GIB_TO_INSTALL
    if free >= needed:
        return Check(OK, "disk", f"{free:.0f} GiB free")
    return Check(FAIL, "disk", f"{free:.1f} GiB free, {needed:.0f} needed: make room, or clone to a larger disk")


def memory_bytes() -> int:
    """Return this machine's memory, or the container's share of it."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return total


def check_memory(total_bytes: int) -> Check:
    """Require the memory that the largest platform takes."""
    total = total_bytes / GIB
    # A machine sold as 4 GB reports a little less.
    if total >= MEMORY_GIB * 0.9:
        return Check(OK, "memory", f"{total:.0f} GiB")
    remedy = "give the virtual machine or container more, or use a larger machine"
    return Check(FAIL, "memory", f"{total:.1f} GiB, {MEMORY_GIB:.0f} needed: {remedy}")


def port_is_busy(port: int) -> bool:
    """Return whether anything on this machine listens on a port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def check_port(port: int, user: str, busy: bool) -> Check:
    """Say whose UI needs the port if it is busy. The labs run without it."""
    if not busy:
        return Check(OK, f"port {port}", f"free for {user}")
    return Check(ABSENT, f"port {port}", f"busy: stop what uses it before you open {user}'s UI, or choose another port")


def check_docker(client: str | None, server: str | None) -> Check:
    """Distinguish a missing Docker from one whose engine is not running."""
    if server:
        return Check(OK, "Docker", f"engine {server}")
    if client:
        return Check(ABSENT, "Docker", "engine not reachable (optional): start Docker, and check your right to use it")
    return Check(ABSENT, "Docker", "not found (optional, for the container image): https://docs.docker.com/get-docker")


def check_compose(plugin: str | None, standalone: str | None) -> Check:
    """Look for Compose, as a Docker plugin or as a separate program."""
    if plugin or standalone:
        return Check(OK, "compose", f"docker compose {plugin}" if plugin else f"docker-compose {standalone}")
    return Check(ABSENT, "compose", "not found (optional, for infra/compose.yaml): install Docker Compose v2")


def check_tool(name: str, version_output: str | None, purpose: str, page: str) -> Check:
    """Look for a tool that only some lessons use."""
    if version_output:
        return Check(OK, name, version_output.partition("\n")[0])
    return Check(ABSENT, name, f"not found (optional, for {purpose}): {page}")


def lock_differences(lock: str) -> list[str]:
    """Return how the packages of the Python that runs this differ from the lock file."""
    from importlib import metadata

    from packaging.requirements import Requirement

    installed = {re.sub(r"[-_.]+", "-", d.name).lower(): d.version for d in metadata.distributions()}
    differences = []
    for line in lock.splitlines():
        if not re.match(r"[A-Za-z0-9]", line):
            continue
        wanted = Requirement(line.rstrip(" \\"))
        have = installed.get(re.sub(r"[-_.]+", "-", wanted.name).lower())
        if (wanted.marker is None or wanted.marker.evaluate()) and (have is None or have not in wanted.specifier):
            differences.append(f"{wanted.name} {have or 'missing'}, locked {wanted.specifier}")
    return differences


def moved_from(venv: Path) -> str | None:
    """Return where an environment was made, if it has been moved or its folder renamed since."""
    try:
        start = (venv / "bin" / "airflow").read_bytes()[:1000].decode("utf-8", "replace")
    except OSError:
        return None
    match = re.search(r"(?:^#!|exec' \"?)(/[^\n\"]*?)/bin/python", start)
    return match[1] if match and not _same(Path(match[1]), venv) else None


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def repair_moved(venv: Path, root: Path) -> bool:
    """Make a moved environment work again: its commands find Python, and Python finds this checkout.

    Return whether it had moved.
    """
    old, new = moved_from(venv), str(venv.resolve())
    if old is None:
        return False
    # A path after #! must not contain a space, so a shell starts Python, as pip and uv do.
    header = f"#!/bin/sh\n'''exec' \"{new}/bin/python\" \"$0\" \"$@\"\n' '''\n".encode()
    for script in (venv / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        if content.startswith(b"#!") and old.encode() in content[:1000].partition(b"\nimport ")[0]:
            lines = content.split(b"\n")
            rest = lines[3:] if lines[0] == b"#!/bin/sh" and lines[1].startswith(b"'''exec'") else lines[1:]
            script.write_bytes(header + b"\n".join(rest))
        elif script.name.startswith("activate"):
            script.write_bytes(content.replace(old.encode(), new.encode()))
    for finder in venv.glob("lib/python*/site-packages/__editable__*"):
        text = finder.read_text(encoding="utf-8")
        match = re.search(r"['\"]shared['\"]: ['\"](.+?)/shared['\"]", text)
        if match:
            paths = re.compile(rf"([\'\"]){re.escape(match[1])}/(.*?)\1")
            finder.write_text(paths.sub(lambda found: repr(f"{root}/{found[2]}"), text), encoding="utf-8")
    return True


def check_environment(venv: str, installed: bool, report: str | None) -> Check:
    """Compare with the lock: `report` is what the environment's own Python printed for `--lock-differences`."""
    if not installed:
        return Check(ABSENT, "environment", f"{venv} not installed yet: make setup")
    if report is None:
        return Check(FAIL, "environment", f"{venv} is broken: remove it, then make setup")
    differences = json.loads(report)
    if not differences:
        return Check(OK, "environment", f"{venv} matches requirements.lock")
    text = f"{len(differences)} packages of {venv} differ from requirements.lock ({differences[0]})"
    return Check(FAIL, "environment", f"{text}: make -B setup")


def inspect_environment(venv: str) -> Check:
    """Compare the environment with the lock, asking the environment's own Python."""
    installed = (ROOT / venv / ".installed").exists()  # written by make setup at its end
    if installed and (old := moved_from(ROOT / venv)):
        return Check(FAIL, "environment", f"{venv} was made in {old} and moved since: make setup")
    python = str(ROOT / venv / "bin" / "python")
    report = output_of(python, str(Path(__file__).resolve()), "--lock-differences") if installed else None
    return check_environment(venv, installed, report)


def inspect() -> list[Check]:
    """Run every check, the machine first."""
    system = check_system(platform.system(), platform.release(), ROOT)
    python = check_python(sys.version_info[:3], accepted_minors((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    if platform.system() == "Windows":  # the rest would only repeat the remedy
        return [system, python]
    environment = inspect_environment(os.environ.get("VENV", ".venv"))
    return [
        system,
        check_architecture(platform.machine()),
        python,
        check_make(output_of("make", "--version")),
        check_git(output_of("git", "--version")),
        check_disk(shutil.disk_usage(ROOT).free, installed=environment.status == OK),
        check_memory(memory_bytes()),
        environment,
        *(check_port(port, user, port_is_busy(port)) for port, user in PORTS.items()),
        check_docker(shutil.which("docker"), output_of("docker", "version", "--format", "{{.Server.Version}}")),
        check_compose(
            output_of("docker", "compose", "version", "--short"),
            output_of("docker-compose", "version", "--short"),
        ),
        check_tool("kind", output_of("kind", "version"), "a local Kubernetes", "https://kind.sigs.k8s.io"),
        check_tool(
            "kubectl",
            output_of("kubectl", "version", "--client"),
            "a local Kubernetes",
            "https://kubernetes.io/docs/tasks/tools",
        ),
    ]


def main(arguments: list[str]) -> int:
    """Print the report; fail if any check failed."""
    if arguments == ["--lock-differences"]:
        print(json.dumps(lock_differences((ROOT / "requirements.lock").read_text(encoding="utf-8"))))
        return 0
    if arguments == ["--repair"]:
        venv = ROOT / os.environ.get("VENV", ".venv")
        if repair_moved(venv, ROOT):
            print(f"setup: {venv} was moved; its commands work again")
        return 0
    checks = inspect()
    for check in checks:
        print(f"{check.status} {check.topic:<13}{check.text}")
    failures = sum(check.status == FAIL for check in checks)
    if failures:
        print(f"\n{failures} to fix: each [FAIL] line says how.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
