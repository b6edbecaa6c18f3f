"""Lab 0: what Make does and, the second time, does not do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from module4.lab0_make.run import MAKEFILE, run
from module4.platforms import ROOT
from shared.config import preset
from shared.errors import PipelineError


def make(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "-j2", "-f", str(MAKEFILE), f"STORE={store}", f"PYTHON={sys.executable}", *arguments]
    environment = {name: os.environ[name] for name in os.environ if not name.startswith(("MAKE", "MFLAGS", "CONFIG"))}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_second_run_does_nothing_and_a_lost_artifact_is_made_again(tmp_path: Path) -> None:
    first = make(tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stderr.count("run_trial finished") == 2
    again = make(tmp_path)
    assert "started" not in again.stderr
    shutil.rmtree(tmp_path / "runs/make/evaluate")
    repaired = make(tmp_path)
    assert [line.split()[-1] for line in repaired.stdout.splitlines() if line.endswith("manifest.json")] == [
        f"{tmp_path}/runs/make/evaluate/manifest.json",
        f"{tmp_path}/runs/make/deploy/manifest.json",
    ]


def test_a_failing_step_stops_make_and_leaves_no_artifact(tmp_path: Path) -> None:
    finished = make(tmp_path, "PRESET=nonsense")
    assert finished.returncode == 2
    assert "error: The configuration cannot be used" in finished.stderr
    assert not (tmp_path / "runs/make/load_data").exists()


def test_a_remote_store_is_refused() -> None:
    with pytest.raises(PipelineError, match="store: Make works on files"):
        run(preset("tiny"), "s3://bucket/folder")
