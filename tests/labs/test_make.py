"""Lab 0: what Make does and, the second time, does not do."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from module4.lab0_make.run import MAKEFILE, run
from module4.platforms import ROOT
from module4.runs import one_at_a_time
from shared.config import preset
from shared.errors import PipelineError
from shared.faults import parse_fault
from shared.steps import read_fingerprint

TINY = "fcef926d4333"


def make(
    store: Path | str,
    *arguments: str,
    root: Path = ROOT,
    on_start: Callable[[subprocess.Popen[str]], None] = lambda process: None,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    makefile = MAKEFILE.relative_to(ROOT)
    command = ["make", "-j2", "-f", str(makefile), f"STORE={store}", f"PYTHON={sys.executable}", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PIPE"))}
    with subprocess.Popen(
        command, cwd=root, env=environment | more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        on_start(process)
        stdout, stderr = process.communicate(timeout=300)
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


@pytest.fixture
def odd_checkout(tmp_path: Path) -> Path:
    """A copy of the checkout in a folder whose name needs quotes in a shell and is several names for Make."""
    root = tmp_path / "it's é (here), 100%"
    for name in ("infra", "module4", "shared"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "compiled"))
    return root


def test_a_second_run_does_nothing_and_a_lost_artifact_is_made_again(odd_checkout: Path) -> None:
    """All of it below a folder that needs quotes, and with variables of other programs in the environment."""
    foreign = {"STORE": "/nowhere", "CONFIG": "Debug", "RUN": "x", "PRESET": "x", "PYTHON": "x", "NUMBERS": "9"}
    store = odd_checkout / 'a "store" & more; `no`'
    first = make(store, root=odd_checkout, **foreign)
    assert first.returncode == 0, first.stderr
    assert first.stderr.count("run_trial finished") == 2
    again = make(store, root=odd_checkout, **foreign)
    assert "started" not in again.stderr
    shutil.rmtree(store / "runs/make/evaluate")
    repaired = make(store, root=odd_checkout, **foreign)
    assert [line for line in repaired.stdout.splitlines() if line.endswith("manifest.json")] == [
        "evaluate/manifest.json",
        "deploy/manifest.json",
    ]
    written = {path.name for path in odd_checkout.iterdir()}
    assert written == {"infra", "module4", "shared", store.name}
    fingerprint = read_fingerprint(f"{store}/runs/make/deploy")
    assert str(fingerprint["fingerprint"]).startswith(TINY)


def test_without_a_store_it_is_where_the_variables_say(tmp_path: Path) -> None:
    made = make("", "config", PIPELINE_WORKSPACE=f"{tmp_path}/moved here")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "moved here/make/runs/make/config").read_text() == "tiny\n"
    make("", "config", PIPELINE_STORE="~/a store", HOME=str(tmp_path), PIPELINE_CONFIG=r"C:\new $HOME")
    assert (tmp_path / "a store/runs/make/config").read_text() == "C:\\new $HOME\n"


def test_a_second_make_waits_for_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "runs/make"
    folder.mkdir(parents=True)

    def release_when_it_waits(process: subprocess.Popen[str]) -> None:
        assert process.stderr
        assert f"Another run is using {folder}" in process.stderr.readline()
        assert not (folder / "config").exists()
        lock.close()

    lock = ExitStack()
    lock.enter_context(one_at_a_time(folder))
    with lock:
        assert make(tmp_path, "config", on_start=release_when_it_waits).returncode == 0
    assert (folder / "config").exists()


def test_two_at_once_share_the_work(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        both = [*pool.map(lambda _: make(tmp_path, "load_data/manifest.json"), range(2))]
    assert [one.returncode for one in both] == [0, 0], both[0].stderr + both[1].stderr
    assert sum(one.stderr.count("load_data finished") for one in both) == 1


def test_a_failing_step_stops_make_and_leaves_no_artifact(tmp_path: Path) -> None:
    finished = make(tmp_path, "PRESET=nonsense")
    assert finished.returncode == 2
    assert "error: The configuration cannot be used" in finished.stderr
    assert "To continue, type the same command again" in finished.stderr
    assert not (tmp_path / "runs/make/load_data").exists()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("fail", "error: make stopped. step load_data failed: InjectedFault"),
        ("kill", "error: make stopped. step load_data did not end"),
        ("half", "error: make stopped. The line above names the target."),
        ("refuse", "runs/make/load_data: cannot be written (Permission denied). Choose a store that you may use"),
        ("full", "runs/make/load_data: cannot be written (No space left on device). Free some space"),
    ],
)
def test_a_broken_step_is_named_and_the_same_command_continues(kind: str, says: str, tmp_path: Path) -> None:
    config = preset("tiny", fault=parse_fault(f"load_data:{kind}", f"{tmp_path}/faults")).to_json()
    broken = make(tmp_path, "load_data/manifest.json", PIPELINE_CONFIG=config)
    assert broken.returncode == 2
    assert says in broken.stderr
    assert "Traceback" not in broken.stderr
    again = make(tmp_path, "load_data/manifest.json", PIPELINE_CONFIG=config)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("s3://bucket/folder", "store: Make works on files"),
        ("/dev/null/store", "store: /dev/null/store/runs/make cannot be written (Not a directory)"),
    ],
)
def test_a_store_that_make_cannot_use_is_refused(store: str, says: str) -> None:
    refused = make(store)
    assert refused.returncode == 2
    assert f"error: {says}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_makefile_uses_nothing_that_is_newer_than_gnu_make_3_81() -> None:
    """What macOS ships. Each of these came later, and 3.81 reads most of them as something else, in silence."""
    newer = r"^\s*(\.ONESHELL|private |undefine )|!=|::=|&:|\$\((file|guile|let|intcmp) |^define \w+ *="
    for makefile in (MAKEFILE, ROOT / "Makefile"):
        assert re.findall(newer, makefile.read_text(encoding="utf-8"), re.MULTILINE) == []


def test_a_remote_store_is_refused() -> None:
    with pytest.raises(PipelineError, match="store: Make works on files"):
        run(preset("tiny"), "s3://bucket/folder")
