"""What each platform can do, as this course shows it: each entry names the test that shows it."""

import json
from pathlib import Path

FILE = Path(__file__).with_name("capabilities.json")


def capabilities() -> dict[str, dict[str, str]]:
    """Return, by platform, what it can do, and the test (`file::function`) that shows it."""
    found: dict[str, dict[str, str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
