"""What a platform weighs: import time, memory, packages, and what runs while nothing is running."""

import re
import socket
import subprocess
import sys
import time
from functools import partial
from importlib.metadata import Distribution, distributions

import psutil

from infra.processes import supervised, tree
from module4.benchmark.engines.noop import free_port
from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.platforms import PLATFORMS, ROOT

MODULES = {"airflow": "airflow.sdk", "kubeflow": "kfp", "dagster": "dagster", "modal": "modal"}
# The packages that somebody installs who wants only this platform.
PACKAGES = {
    "airflow": ("apache-airflow", "apache-airflow-providers-cncf-kubernetes"),
    "kubeflow": ("kfp", "kubernetes"),
    "dagster": ("dagster", "dagster-webserver", "dagster-dg-cli"),
    "modal": ("modal",),
}
SHARED = ("matplotlib", "numpy", "pandas", "pandera", "pyarrow", "pydantic", "scikit-learn", "skops", "typer", "s3fs")
# What serves the platform's pages or calls on this machine, and what it prints when it is ready.
SERVERS = {
    "airflow": (["-m", "module4.lab1_airflow", "ui", "--port"], "is ready"),
    "dagster": (["-m", "module4.lab3_dagster", "ui", "--port"], ""),
    "modal": (["-m", "infra.modal_local", "serve", "--port"], "# ready"),
}
READY_SECONDS, REST_SECONDS = 300, 30


def cases(plan: Plan) -> list[Case]:
    """Return imports and sizes of all platforms, and the servers at rest."""
    return [
        *(Case(f"import/{name}", partial(measure_import, module), plan.rounds) for name, module in MODULES.items()),
        *(Case(f"size/{name}", partial(measure_size, name)) for name in PACKAGES),
        *(Case(f"rest/{name}", partial(measure_rest, name)) for name in SERVERS if not plan.quick),
    ]


def measure_import(module: str, place: Place) -> Values:
    """Import a platform in a new process; `mib` is what that adds to a bare Python."""
    code = (
        "import psutil, time; p = psutil.Process(); before = p.memory_info().rss; begin = time.perf_counter()\n"
        f"import {module}; print(time.perf_counter() - begin, (p.memory_info().rss - before) / 2**20)"
    )
    environment = {"AIRFLOW_HOME": str(place.folder), "PATH": "/usr/bin:/bin", "HOME": str(place.folder)}
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    seconds, mib = output.stdout.decode().split()[-2:]
    return {"seconds": float(seconds), "mib": float(mib)}


def measure_size(platform: str, place: Place) -> Values:
    """Count the packages, and their bytes, that only this platform needs."""
    installed = {_canonical(one.metadata["Name"]): one for one in distributions()}
    others = [*SHARED, *(name for other, names in PACKAGES.items() if other != platform for name in names)]
    only = _closure(PACKAGES[platform], installed) - _closure(others, installed)
    alone = _closure(PACKAGES[platform], installed)
    return {
        "packages": len(alone),
        "mib": sum(_size(installed[name]) for name in alone) / 2**20,
        "packages_only": len(only),
        "mib_only": sum(_size(installed[name]) for name in only) / 2**20,
    }


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(names: tuple[str, ...] | list[str], installed: dict[str, Distribution]) -> set[str]:
    found: set[str] = set()
    waiting = [_canonical(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found or name not in installed:
            continue
        found.add(name)
        for requirement in installed[name].requires or []:
            if "extra ==" not in requirement:
                waiting.append(_canonical(re.split(r"[\s\[;<>=!~(]", requirement, maxsplit=1)[0]))
    return found


def _size(package: Distribution) -> int:
    paths = (package.locate_file(file) for file in package.files or [])
    total = 0
    for path in paths:
        try:
            total += int(path.stat().st_size)  # type: ignore[attr-defined]
        except OSError:
            continue
    return total


def measure_rest(platform: str, place: Place) -> Values:
    """Start the platform's services, wait until they have nothing to do, and count processes, memory and ports."""
    command, says = SERVERS[platform]
    port = free_port()
    begin = time.monotonic()
    with place.log.open("wb") as output:
        process = subprocess.Popen(
            supervised([sys.executable, *command, str(port)]), cwd=ROOT, stdout=output, stderr=output
        )
        try:
            while process.poll() is None and time.monotonic() - begin < READY_SECONDS:
                ready = says in place.log.read_text("utf-8", "replace") if says else _answers(port)
                if ready:
                    break
                time.sleep(0.5)
            ready_seconds = time.monotonic() - begin
            samples = []
            until = time.monotonic() + REST_SECONDS
            while process.poll() is None and time.monotonic() < until:
                samples.append(_sample(process.pid))
                time.sleep(2)
        finally:
            process.terminate()
            process.wait()
    quiet = min(samples, key=lambda sample: sample["mib"], default=None)
    return {"ready": ready_seconds, **quiet} if quiet else {"ready": None}


def _answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def _sample(pid: int) -> Values:
    """Return how many processes run below a supervisor, their memory, and the ports on which they listen."""
    count, memory, ports = 0, 0, set()
    for process in tree(pid):
        try:
            if "infra.processes" in process.cmdline():
                continue
            full = process.memory_full_info()
            memory += getattr(full, "pss", full.rss)
            ports |= {one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
            count += 1
        except psutil.Error:
            continue
    return {"processes": count, "mib": memory / 2**20, "ports": len(ports)}


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per platform."""
    table = []
    for name, platform in PLATFORMS.items():
        if name not in MODULES or f"import/{name}" not in measurements:
            continue
        rest = f"rest/{name}"
        table.append(
            {
                "platform": name,
                "title": platform.title,
                **measurements.spread(f"import/{name}", "seconds", "import_seconds"),
                "import_mib": measurements.median(f"import/{name}", "mib"),
                "packages": measurements.median(f"size/{name}", "packages"),
                "size_mib": measurements.median(f"size/{name}", "mib"),
                "packages_only": measurements.median(f"size/{name}", "packages_only"),
                "size_only_mib": measurements.median(f"size/{name}", "mib_only"),
                "rest_processes": measurements.median(rest, "processes"),
                "rest_mib": measurements.median(rest, "mib"),
                "rest_ports": measurements.median(rest, "ports"),
                "rest_ready_seconds": measurements.median(rest, "ready"),
            }
        )
    return table


PART = Part("Footprint", cases, rows)
