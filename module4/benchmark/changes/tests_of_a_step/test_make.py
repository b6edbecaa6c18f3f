"""A unit test of one step: its target alone, in a temporary folder."""

import os
from pathlib import Path

from module4.lab0_make.run import make


def test_propose_trials(tmp_path: Path) -> None:
    """A line per trial; `-o` says that the baseline is there already."""
    command = ["make", "-o", "train/manifest.json", "propose_trials"]
    assert make(str(tmp_path), command, {**os.environ, "PIPELINE_CONFIG": "tiny"}) == 0
    assert len((tmp_path / "runs" / "make" / "propose_trials").read_text(encoding="utf-8").splitlines()) == 2
