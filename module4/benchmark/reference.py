"""The reference: a report that is kept in the repository, with the machine that it was measured on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from module4.benchmark.session import Row
from module4.platforms import PLATFORMS

FILE = Path(__file__).with_name("reference.json")


def reference() -> dict[str, Any]:
    """Return the reference."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def beside(over_python: Mapping[str, float | None]) -> list[Row]:
    """Return seconds over plain Python beside those of the reference, a row per platform that has both."""
    measured = {row["platform"]: row["over_python"] for row in reference()["parts"].get("overhead", [])}
    return [
        {"platform": PLATFORMS[name].title, "here": seconds, "reference": measured[name]}
        for name, seconds in over_python.items()
        if name != "python" and name in measured and seconds is not None
    ]
