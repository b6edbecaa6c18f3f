"""Every exercise's check accepts every right answer and refuses every wrong one: see notebooks/tools/judge.py."""

from collections import Counter
from pathlib import Path

import pytest

from notebooks.tools import judge
from notebooks.tools.build import lessons
from notebooks.tools.judge import VARIANTS, JudgeError, Variant, count_exercises, read_variants

MINIMUM = {"right": 8, "wrong": 10}
QUICK = ("00_start", "07_monitoring", "08_choosing")  # the checks of the others start platforms: `make judge` does all


@pytest.mark.parametrize("lesson", lessons())
def test_every_answer_is_judged_rightly(lesson: str) -> None:
    attempts = judge.judge(lesson, once=lesson not in QUICK)
    exercises = range(1, count_exercises(lesson) + 1)
    assert {attempt.variant.exercise for attempt in attempts} == {*exercises}
    for kind in ("stub", "solution"):
        assert [attempt.variant.exercise for attempt in attempts if attempt.variant.kind == kind] == [*exercises]
    assert len(attempts) == len(read_variants(VARIANTS / f"{lesson}.py")) + 2 * len(exercises)
    assert [(attempt.variant, attempt.faults) for attempt in attempts if attempt.faults] == []


@pytest.mark.parametrize("lesson", lessons())
def test_every_exercise_has_enough_answers(lesson: str) -> None:
    counts = Counter((variant.exercise, variant.kind) for variant in read_variants(VARIANTS / f"{lesson}.py"))
    wanted = {(n, kind): least for n in range(1, count_exercises(lesson) + 1) for kind, least in MINIMUM.items()}
    assert {key: counts[key] for key, least in wanted.items() if counts[key] < least} == {}


def test_every_file_with_answers_belongs_to_a_lesson() -> None:
    assert sorted(path.stem for path in VARIANTS.glob("*.py")) == lessons()


RIGHT = 'config.preset("tiny", trials=3, test_start=date(2013, 6, 3))'
PLANTED = f"""
# %% 1 wrong accepted
mine = {RIGHT}

# %% 1 right refused
mine = {RIGHT.replace("3,", "4,", 1)}

# %% 1 wrong other_hint hint="no check says this"
mine = 7

# %% 1 wrong spoils
import notebooks.checks.start
notebooks.checks.start.RIGHT = None
mine = 7

# %% 1 wrong unsteady
import notebooks.checks.start
verdicts = iter([False, True, True])
notebooks.checks.start.check.checks[1] = lambda answer: iter([notebooks.checks.start.expect(next(verdicts), "", "")])
mine = 7

# %% 1 wrong breaks_the_judge
import notebooks.checks.start
notebooks.checks.start.check.checks[1] = lambda answer: iter([notebooks.checks.start.expect(False, "", 7)])
mine = 7

# %% 1 wrong ends_the_process
import os
os._exit(0)

# %% 1 wrong never_ends
while True:
    pass

# %% 1 wrong mistyped
mine = confg.preset("tiny")

# %% 1 wrong known_error raises="NameError"
mine = confg.preset("tiny")

# %% 1 right good
mine = {RIGHT}

# %% 1 wrong bad hint="is an int"
mine = 7
"""


def test_what_a_check_does_wrong_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "00_start.py").write_text(PLANTED)
    monkeypatch.setenv("JUDGE_SECONDS", "5")
    faults = {attempt.variant.name: attempt.faults for attempt in judge.judge("00_start", tmp_path)}
    expected = {
        "accepted": "right",
        "refused": "not right yet trials is 4",
        "other_hint": "the hint lacks 'no check says this'",
        "spoils": "the solution after it: not right yet",
        "unsteady": "judged again: right",
        "breaks_the_judge": "judging it ended with TypeError",
        "ends_the_process": "the process ended",
        "never_ends": "no verdict within 5.0 seconds",
        "mistyped": "its cell ended with NameError",
    }
    assert {name for name, found in faults.items() if found} == {*expected}
    for name, text in expected.items():
        assert any(text in fault for fault in faults[name]), faults[name]


def test_the_command_prints_the_table_and_what_was_misjudged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "00_start.py").write_text(f"# %% 1 wrong accepted\nmine = {RIGHT}\n\n# %% 1 wrong bad\nmine = 7\n")
    assert judge.main(["00_start", "--variants", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines()[:4]] == [
        ["lesson", "exercise", "right", "accepted", "wrong", "refused"],
        ["00_start", "1", "none", "1/2", "50%"],
        ["00_start", "2", "none", "none"],
        ["all", "none", "1/2", "50%"],
    ]
    assert "00_start, exercise 1, wrong: accepted" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# %% 1 true name\nx = 1\n", "write EXERCISE right|wrong NAME"),
        ("# %% one right name\nx = 1\n", "write EXERCISE right|wrong NAME"),
        ("# %% 1 right\nx = 1\n", "write EXERCISE right|wrong NAME"),
        ("# %% 1 right name\nx = 1\n\n# %% 1 wrong name\nx = 1\n", "two answers called 'name'"),
    ],
)
def test_an_answer_that_does_not_say_what_it_is_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "00_start.py").write_text(text)
    with pytest.raises(JudgeError, match=message.replace("|", r"\|")):
        read_variants(tmp_path / "00_start.py")


def test_a_verdict_for_a_percent_is_never_rounded_up() -> None:
    wrong = [judge.Attempt(Variant(1, "wrong", str(n), ""), "not right yet", "", "") for n in range(999)]
    assert "999/1000  99%" in judge.to_table(
        [("x", [*wrong, judge.Attempt(Variant(1, "wrong", "", ""), "right", "", "")])]
    )
