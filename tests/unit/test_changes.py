"""The benchmark's changes of the labs: each fits the lab as it is, and its lines and errors are counted honestly."""

import subprocess
from pathlib import Path

import pytest

from module4.benchmark import publish, report
from module4.benchmark.parts import changes
from module4.benchmark.parts.code import LABS
from module4.benchmark.parts.rerun import copy_checkout
from module4.benchmark.session import Measurements, Place, Plan
from module4.platforms import ROOT


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "scratch").mkdir()
    return Place(tmp_path / "scratch", tmp_path / "log")


def test_every_change_fits_and_counts_its_own_lines(tmp_path: Path) -> None:
    # The copy is in a repository, as the benchmark's scratch folder is.
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    steps, mistakes = copy_checkout(tmp_path / "steps"), copy_checkout(tmp_path / "mistakes")
    assert changes.apply_patch("shared", steps)
    for platform, lab in LABS.items():
        for kind, checkout in (("step", steps), ("mistake", mistakes)):
            assert changes.apply_patch(f"{platform}-{kind}", checkout), f"{platform}-{kind}"
            counted = changes.changed_lines(ROOT / "module4" / lab, checkout / "module4" / lab)
            assert 2 <= counted <= 20
    assert not changes.apply_patch("make-step", steps)  # it is there already
    names = {"shared", *(f"{platform}-{kind}" for platform in LABS for kind in ("step", "mistake"))}
    assert {path.stem for path in changes.CHANGES.glob("*.patch")} == names


def test_comments_and_blank_lines_do_not_count_as_changed(tmp_path: Path) -> None:
    for folder, text in (("a", "x = 1\ny = 2\n"), ("b", "# new\n\nx = 1\ny = 3\nz = 4\n")):
        (tmp_path / folder / "inner").mkdir(parents=True)
        (tmp_path / folder / "inner" / "file.py").write_text(text)
        (tmp_path / folder / "other.txt").write_text(text)
    assert changes.changed_lines(tmp_path / "a", tmp_path / "b") == 3


@pytest.mark.parametrize("platform", changes.SCHEDULES)
def test_every_name_of_a_schedule_has_lines(platform: str) -> None:
    folder = ROOT / "module4" / LABS[platform]
    found = {
        name: changes.named_lines(folder / file, name)
        for file, names in changes.SCHEDULES[platform].items()
        for name in names
    }
    assert all(found.values()), found
    assert changes.schedule_lines(platform) == sum(map(len, found.values()))


def test_a_schedule_is_a_function_an_argument_or_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        '@mark(\n    1\n)\ndef every_week():\n    """Doc."""\n    # why\n    return 1\n\n'
        "f(\n    schedule=[\n    ],\n)\nALL = [\n    1]\n"
    )
    assert [changes.named_lines(path, name) for name in ("every_week", "schedule", "ALL", "none")] == [
        {1, 2, 3, 4, 7},
        {10, 11},
        {13, 14},
        set(),
    ]


def test_make_has_no_schedule() -> None:
    assert {*LABS} - {*changes.SCHEDULES} == {"make"}
    assert changes.schedule_lines("make") is None


@pytest.mark.parametrize("platform", LABS)
def test_the_test_of_a_step_passes(platform: str, place: Place) -> None:
    values = changes.measure_test(platform, place)
    assert values["test_seconds"], place.log.read_text(encoding="utf-8")[-3000:]
    assert 3 <= values["test_lines"] < 15


def test_a_test_that_fails_has_no_seconds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.folder / "tests_of_a_step"
    folder.mkdir()
    (folder / "test_make.py").write_text("def test_it():\n    assert False\n")
    monkeypatch.setattr(changes, "CHANGES", place.folder)
    assert changes.measure_test("make", place) == {"test_lines": 2, "test_seconds": None}


@pytest.mark.parametrize(
    ("platform", "says"), [("make", "train/model.json"), ("dagster", "model"), ("kubeflow", "model")]
)
def test_a_mistake_is_noticed_before_the_run(platform: str, says: str, place: Place) -> None:
    values = changes.measure_mistake(platform, place, run=False)
    assert values["mistake_noticed"] in ("import", "compile"), values
    assert values["mistake_seconds"] > 0
    assert says in values["mistake_error"]


@pytest.mark.parametrize("platform", ["airflow", "modal"])
def test_a_mistake_that_only_a_run_notices_passes_all_that_is_checked_before(platform: str, place: Place) -> None:
    values = changes.measure_mistake(platform, place, run=False)
    assert values["mistake_noticed"] is None, values


def test_a_change_that_does_not_fit_is_a_value(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "CHANGES", place.folder)
    assert changes.measure_step("make", place) == {"step_lines": None, "step_works": False}
    assert changes.measure_mistake("make", place)["mistake_noticed"] is None


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ("Traceback\nTypeError: no 'model'\n\nthe end\n", "TypeError: no 'model'"),
        ("dagster._core.errors.DagsterError: no asset a.b: c\n", "DagsterError: no asset a.b: c"),
        ("KeyError: 'model'\nshared.errors.PipelineError: it failed\n", "KeyError: 'model'"),
        (
            "make: *** No rule to make target 'a|b'.  Stop.\nerror: make stopped.\n",
            "make: *** No rule to make target 'ab'.  Stop.",
        ),
        ("│ \x1b[31mit ended\x1b[0m │\n", "it ended"),
        ("", ""),
        ("x" * 500, "x" * (changes.ERROR_LENGTH - 1) + "…"),
    ],
)
def test_the_line_that_says_what_is_wrong_is_found(output: str, error: str) -> None:
    assert changes.error_line(output) == error


def test_a_lab_is_a_row() -> None:
    assert [case.name for case in changes.cases(Plan())] == list(LABS)
    assert [case.name for case in changes.cases(Plan(quick=True))] == ["make", "dagster"]
    values = {
        "step_lines": 6,
        "step_works": True,
        "schedule_lines": None,
        "test_lines": 7,
        "test_seconds": 1.5,
        **changes.noticed("compile", 0.123, "KeyError: 'a'"),
    }
    found = changes.rows(Measurements({"make": [values], "dagster": [{**values, **changes.noticed(None, None, "")}]}))
    table = report.table(found, publish.COLUMNS["changes"]).splitlines()
    assert table[2:] == [
        "| Make | 6 | yes | - | 7 | 1.50 | compile | 0.12 | `KeyError: 'a'` |",
        "| Dagster | 6 | yes | - | 7 | 1.50 | - | - | - |",
    ]
