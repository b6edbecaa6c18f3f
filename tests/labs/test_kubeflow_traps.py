"""The lab's traps are real: each is shown with kfp.local itself, together with what prevents it."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

RunPython = Callable[..., CompletedProcess[str]]

SHOW = """
import sys
from pathlib import Path
from module4.lab2_kubeflow import traps
for name, result in getattr(traps, sys.argv[1])(Path(sys.argv[2])).items():
    print(f"RESULT {name}: {result}")
"""


@pytest.fixture
def show(run_python: RunPython, tmp_path: Path) -> Callable[[str], list[str]]:
    def shown(name: str) -> list[str]:
        done = run_python("-c", SHOW, name, str(tmp_path / "store"), env={"TMPDIR": str(tmp_path)}, check=True)
        return [line.strip()[7:] for line in done.stdout.splitlines() if "RESULT" in line]

    return shown


def test_a_changed_package_gives_the_old_result_unless_its_version_is_a_parameter(
    show: Callable[[str], list[str]],
) -> None:
    assert show("stale_cache") == [
        "the package returns 1, without version: 1",
        "the package returns 1, with version: 1",
        "the package returns 2, without version: 1",  # stale: KFP's key is the component's text and its arguments
        "the package returns 2, with version: 2",
    ]


def test_a_condition_that_cannot_be_evaluated_is_false_and_the_run_succeeds(
    show: Callable[[str], list[str]],
) -> None:
    assert show("false_branch") == ["on time: False", "late: True", "it's late: False"]
