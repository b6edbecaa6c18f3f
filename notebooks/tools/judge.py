"""Try answers in many styles against the checks, and count the verdicts: `python -m notebooks.tools.judge [LESSON …]`.

A lesson's answers are in `tests/notebooks/variants/LESSON.py`, one cell each. The first line of a cell says which
exercise it answers, whether it is right, and its name. For a wrong answer it may also give part of the hint that the
check must show. If the cell itself ends with an error, the line must name the error:

    # %% 1 wrong forgotten_return hint="`return`"
    # %% 2 wrong mistyped_field raises="ConfigError"

The lesson's cells run once, without the slow ones. At each exercise, every answer replaces the solution in a fork of
that kernel and is judged twice; then the solution is judged in the same fork. A right answer must be accepted both
times, a wrong one refused both times, and the solution must be right after each of them.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jupytext
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.io import capture_output

from infra.processes import kill_tree
from module4.platforms import ROOT
from notebooks.tools.build import FOLDER, SOLUTION, lessons, read_source, tags, to_solution, to_stub
from notebooks.tools.execute import keep_home_clean

VARIANTS = ROOT / "tests" / "notebooks" / "variants"
SECONDS = float(os.environ.get("JUDGE_SECONDS", "120"))  # for one answer, which may never end
KINDS = ("right", "wrong")


class JudgeError(Exception):
    """A lesson could not be played; the message says where it stopped."""


@dataclass(frozen=True)
class Variant:
    """An answer to an exercise. `kind` is right or wrong; the check must say `hint`, and its cell `raises` an error."""

    exercise: int
    kind: str
    name: str
    code: str
    hint: str = ""
    raises: str = ""


@dataclass(frozen=True)
class Attempt:
    """What the check said to an answer first, to the same answer `again`, and to the solution `after` it.

    `hints` are the hints of the first verdict, and `error` is that of the answer's own cell.
    """

    variant: Variant
    first: str
    again: str
    after: str
    hints: str = ""
    error: str = ""

    @property
    def judged_rightly(self) -> bool:
        """Whether the first verdict is the one that the answer deserves."""
        expected = {"stub": ["not done yet"], "wrong": ["not done yet", "not right yet"]}
        return self.first in expected.get(self.variant.kind, ["right"])

    @property
    def faults(self) -> list[str]:
        """What went wrong, in sentences; nothing if all is well."""
        hint, raises = self.variant.hint, self.variant.raises
        found = [] if self.judged_rightly else [f"{self.first} {self.hints}"]
        found += [f"its cell ended with {self.error}"] if self.error.partition(":")[0] != raises else []
        found += [f"judged again: {self.again}"] if self.again != self.first else []
        found += [f"the hint lacks {hint!r}: {self.hints}"] if hint not in self.hints else []
        found += [f"the solution after it: {self.after}"] if self.after != "right" else []
        return found


def read_variants(path: Path) -> list[Variant]:
    """Return the answers in a file. Raises JudgeError for a first line that says too little, or a name used twice."""
    variants: dict[tuple[int, str], Variant] = {}
    for cell in jupytext.read(path, fmt="py:percent").cells if path.exists() else []:
        words = cell.metadata.get("title", "").split()
        if not words:
            continue  # what the file says about itself
        if len(words) != 3 or not words[0].isdigit() or words[1] not in KINDS:
            raise JudgeError(f"{path.name}: {' '.join(words)!r}: write EXERCISE right|wrong NAME after # %%.")
        exercise, kind, name = int(words[0]), words[1], words[2]
        if (exercise, name) in variants:
            raise JudgeError(f"{path.name}: exercise {exercise} has two answers called {name!r}.")
        options = {option: cell.metadata.get(option, "") for option in ("hint", "raises")}
        variants[exercise, name] = Variant(exercise, kind, name, cell.source, **options)
    return list(variants.values())


def count_exercises(lesson: str) -> int:
    """Return how many exercises a lesson has."""
    return sum("exercise" in tags(cell) for cell in read_source(lesson).cells)


def play(lesson: str, variants: Sequence[Variant], store: str, once: bool = False) -> list[Attempt]:
    """Play a lesson in this process, and return what its checks say to the stubs, the answers and the solutions.

    With `once`, answers are judged once, and the solution is not judged after them: a third of the time.
    Raises JudgeError if a cell of the lesson fails.
    """
    shell = InteractiveShell.instance()
    _must_run(shell, "import matplotlib; matplotlib.use('agg')")
    attempts: list[Attempt] = []
    number, source = 0, ""
    for cell in read_source(lesson).cells:
        marked = tags(cell)
        if cell.cell_type != "code" or "slow" in marked:
            continue
        if "parameters" in marked:
            _must_run(shell, f"preset, store = 'tiny', {store!r}")
        elif "exercise" in marked:
            number, source = number + 1, cell.source
        elif "check" in marked:
            exercise = _Exercise(shell, source, cell.source, once)
            # First, so that the forks know what its check found out about it and need not find it out again.
            attempts.append(exercise.attempt(Variant(number, "solution", "solution", to_solution(source))))
            attempts.append(exercise.in_fork(Variant(number, "stub", "stub", to_stub(source))))
            attempts += [exercise.in_fork(one) for one in variants if one.exercise == number]
        else:
            _must_run(shell, cell.source)
    return attempts


@dataclass(frozen=True)
class _Exercise:
    """An exercise in a kernel that has run everything before it: its cell's source, and the check's cell."""

    shell: InteractiveShell
    source: str
    check: str
    once: bool

    def in_fork(self, variant: Variant) -> Attempt:
        """Attempt in a fork of this process, so that no answer meets what another one left behind."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "attempt.json")

            def work() -> None:
                try:
                    os.setsid()
                    _run(self.shell, to_stub(self.source))  # there is no answer yet
                    attempt = self.attempt(variant)
                except Exception as error:
                    attempt = _lost(variant, f"judging it ended with {type(error).__name__}: {error}")
                try:
                    file.write_text(json.dumps(asdict(attempt)), encoding="utf-8")
                finally:
                    os._exit(0)  # without waiting for what the answer may have started

            process = multiprocessing.get_context("fork").Process(target=work)
            process.start()
            process.join(SECONDS)
            lost = f"no verdict within {SECONDS} seconds" if process.is_alive() else "the process ended"
            kill_tree(process.pid or 0)
            process.join()
            text = file.read_text(encoding="utf-8") if file.exists() else ""
        return _to_attempt(json.loads(text)) if text else _lost(variant, lost)

    def attempt(self, variant: Variant) -> Attempt:
        """Run the answer in the place of the solution and judge it twice, then the solution."""
        written = variant.kind in KINDS  # the stub and the solution are whole cells
        code = SOLUTION.sub(lambda _: f"{variant.code}\n", self.source) if written else variant.code
        _, error = _run(self.shell, code)
        first, hints = _judge(self.shell, self.check)
        if self.once:
            return Attempt(variant, first, first, "right", hints, error)
        again, _ = _judge(self.shell, self.check)
        _run(self.shell, to_solution(self.source))
        after, why = _judge(self.shell, self.check)
        return Attempt(variant, first, again, f"{after} {why}".strip(), hints, error)


def _lost(variant: Variant, why: str) -> Attempt:
    """Return an attempt without a verdict."""
    return Attempt(variant, why, why, why)


def _to_attempt(values: dict[str, Any]) -> Attempt:
    return Attempt(**{**values, "variant": Variant(**values["variant"])})


def _judge(shell: InteractiveShell, check: str) -> tuple[str, str]:
    """Return the verdict and the hints of what did not pass."""
    result, error = _run(shell, check)
    if error:
        return f"the check raised {error}", ""
    return result.verdict, " ".join(finding.hint for finding in result.findings if not finding.passed)


def _run(shell: InteractiveShell, code: str) -> tuple[Any, str]:
    """Run a cell and return its last value and its error, if it had one; what it prints is not ours."""
    with capture_output():
        done = shell.run_cell(code.replace("%matplotlib inline\n", ""))  # there is no notebook to draw in
    error = done.error_before_exec or done.error_in_exec
    return done.result, f"{type(error).__name__}: {error}" if error else ""


def _must_run(shell: InteractiveShell, code: str) -> None:
    if error := _run(shell, code)[1]:
        raise JudgeError(f"The cell {code.splitlines()[:1]} ended with {error}")


def judge(lesson: str, variants: Path = VARIANTS, once: bool = False) -> list[Attempt]:
    """Play a lesson in a separate process and return what its checks said. Raises JudgeError."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "attempts.json")
        options = ["--variants", str(variants), "--play", str(file), *(["--once"] if once else [])]
        done = subprocess.run(
            [sys.executable, "-m", "notebooks.tools.judge", lesson, *options],
            cwd=ROOT,
            env={"OMP_NUM_THREADS": "1", **os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not file.exists():
            raise JudgeError(f"{lesson}: {done.stderr.strip()[-2000:] or f'ended with status {done.returncode}'}")
        return [_to_attempt(one) for one in json.loads(file.read_text(encoding="utf-8"))]


def to_table(judged: Iterable[tuple[str, Sequence[Attempt]]]) -> str:
    """Return the counts of right and wrong verdicts as text, a line per exercise, and one for all."""
    lines, total = [f"{'lesson':15}{'exercise':>9}{'right accepted':>17}{'wrong refused':>17}"], Counter[str]()
    for lesson, attempts in judged:
        for exercise in sorted({attempt.variant.exercise for attempt in attempts}):
            counts = Counter[str]()
            for attempt in (one for one in attempts if one.variant.exercise == exercise):
                kind = attempt.variant.kind
                counts.update({kind: 1, f"{kind} rightly": attempt.judged_rightly})
            lines.append(f"{lesson:15}{exercise:>9}" + "".join(f"{_share(counts, kind):>17}" for kind in KINDS))
            total += counts
    return "\n".join([*lines, f"{'all':24}" + "".join(f"{_share(total, kind):>17}" for kind in KINDS)])


def _share(counts: Counter[str], kind: str) -> str:
    good, all_ = counts[f"{kind} rightly"], counts[kind]
    return f"{good}/{all_} {100 * good // all_:>3}%" if all_ else "none"  # 99.9 % is not 100 %


def main(words: Sequence[str] | None = None) -> int:
    """Print the table, and then every answer that was misjudged; the status is 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.tools.judge", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", choices=[*lessons(), []], metavar="LESSON", help="default: all")
    parser.add_argument("--variants", type=Path, default=VARIANTS, help="the folder with the answers")
    parser.add_argument("--workers", type=int, default=2, help="lessons at a time (%(default)s)")
    parser.add_argument("--once", action="store_true", help="judge each answer once; faster, finds fewer faults")
    parser.add_argument("--play", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    names = options.lessons or lessons()
    if options.play:
        return _play(names[0], options.variants, options.play, options.once)
    try:
        with ThreadPoolExecutor(options.workers) as pool:
            judged = list(
                zip(names, pool.map(lambda name: judge(name, options.variants, options.once), names), strict=True)
            )
    except JudgeError as error:
        print(error, file=sys.stderr)
        return 1
    print(to_table(judged))
    faults = [(name, attempt) for name, attempts in judged for attempt in attempts if attempt.faults]
    for name, attempt in faults:
        variant = attempt.variant
        print(f"\n{name}, exercise {variant.exercise}, {variant.kind}: {variant.name}")
        print("\n".join(f"  {fault}" for fault in attempt.faults))
    return int(bool(faults))


def _play(lesson: str, variants: Path, file: Path, once: bool) -> int:
    sys.path.insert(0, str(FOLDER))
    with tempfile.TemporaryDirectory() as store:
        keep_home_clean(Path(store, "home"))
        try:
            attempts = play(lesson, read_variants(variants / f"{lesson}.py"), store, once)
        except JudgeError as error:
            print(error, file=sys.stderr)
            return 1
        file.write_text(json.dumps([asdict(attempt) for attempt in attempts]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
