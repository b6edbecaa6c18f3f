"""A platform in any folder is judged as those of the table are, and runs like them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from module4.check_platform import check_graph, check_row, check_run
from module4.platforms import OWN_PLATFORM, ROOT, read_platform
from notebooks.checks.platform import DRAFT
from shared.errors import ConfigError
from tests.notebooks.platform_folders import ROW, RUN, change, make

EXAMPLE = ROOT / "notebooks" / "solutions" / "hamilton"
TINY = "fcef926d4333"


def module4(*words: str, platform: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **more}
    environment |= {OWN_PLATFORM: str(platform)} if platform else {}
    command = [sys.executable, "-m", "module4", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_worked_example_runs_like_the_platforms_of_the_table(tmp_path: Path) -> None:
    store, home = tmp_path / "store", tmp_path / "home"
    home.mkdir()
    done = module4("run", "hamilton", "--store", str(store), platform=EXAMPLE, HOME=str(home))
    assert f"fingerprint {TINY}" in done.stdout, done.stderr
    assert [path.name for path in home.rglob("*") if path.is_file() and ".cache" not in path.parts] == []


def test_it_appears_in_the_comparison() -> None:
    assert "hamilton" in module4("run", "nothing", platform=EXAMPLE).stderr
    assert "hamilton" not in module4("run", "nothing").stderr


def test_a_row_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    done = module4("graph", platform=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "platform.toml: cannot be read (No such file or directory)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (ROW.replace("mode", "mood"), "mode is missing"),
        (ROW + "seconds = 3\n", "seconds is not a field of a row"),
        (change(ROW, ('"Relay"', '" "')), "title is ' '. Write text"),
        (change(ROW, ('"Relay"', "7")), "title is 7. Write text"),
        (change(ROW, ('"relay"', '"kubeflow"')), "which is taken"),
        (change(ROW, ('"relay"', '"../relay"')), "Use small letters"),
        ("name", "cannot be read"),
    ],
)
def test_a_wrong_row_names_its_field(row: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_platform(make(row))


def test_the_command_says_what_is_wrong_and_what_to_look_at() -> None:
    done = module4("check-platform", str(DRAFT))
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "[FAIL] its steps and edges are the declared ones"
    assert done.stderr.startswith("error: The step hyperparameter_search is missing.")


def test_a_run_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("module4.check_platform.SECONDS", 1)
    (finding,) = check_run(make(run="def run(config, store):\n    while True: pass\n"))
    assert finding.hint == "It had not ended after 1 seconds."


def test_artifacts_in_another_place_are_noticed(tmp_path: Path) -> None:
    other = f'store = "{tmp_path}"\n    made = {{}}'
    *_, finding, refused = check_run(make(run=change(RUN, ("made = {}", other))))
    assert not finding.passed
    assert "Below the given store" in finding.hint
    assert refused.passed


def test_a_file_of_the_folder_hides_no_package() -> None:
    assert [finding.passed for finding in check_row(make(flow="", json=""))] == [True, False, True]
    assert all(finding.passed for finding in check_row(make(flow="", relay_jobs="")))


def test_a_reader_runs_without_the_environment_of_another_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OWN_PLATFORM, str(EXAMPLE))
    folder = make()
    monkeypatch.chdir(folder.parent)
    assert all(finding.passed for finding in check_graph(Path(folder.name)))


def test_the_row_of_the_example_is_data() -> None:
    row = read_platform(EXAMPLE)
    assert json.dumps([row.name, row.title, row.module]) == '["hamilton", "Apache Hamilton", "run"]'
