"""The machine and the versions that numbers belong to."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("apache-airflow", "kfp", "dagster", "modal", "scikit-learn", "pandas", "numpy")


def describe() -> dict[str, Any]:
    """Return processor, cores, memory (GiB), system and versions; no host name, user or path."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
