"""A copy of the repository, and a terminal in it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from module4.platforms import ROOT
from tests.pages.reader import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """The repository as a student has it. It uses this environment, which no make may change."""
    installed = ROOT / ".venv" / ".installed"
    since = installed.stat().st_mtime if installed.exists() else 0
    if any((ROOT / name).stat().st_mtime > since for name in ("requirements.lock", "pyproject.toml")):
        pytest.skip("the environment is not in .venv or not up to date: make setup")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    target = tmp_path / "course"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    (target / ".venv").symlink_to(ROOT / ".venv")
    return Terminal(target)
