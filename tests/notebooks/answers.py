"""Try a lesson's exercises in a process of their own: `python -m tests.notebooks.answers LESSON STORE`.

The cells run one after the other as in a notebook, without the slow ones. At each exercise the stub, every wrong answer
and the solution are run, each followed by the check's own cell. The results are printed as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import jupytext
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.io import capture_output

from notebooks.tools.build import FOLDER, read_source, tags, to_solution, to_stub

WRONG = Path(__file__).with_name("wrong")


def wrong_answers(lesson: str) -> list[Any]:
    """Return the cells with wrong answers; their metadata say to which exercise, and what the hint must say."""
    cells = jupytext.read(WRONG / f"{lesson}.py", fmt="py:percent").cells
    return [cell for cell in cells if "exercise" in cell.metadata]


def try_answers(lesson: str, store: str) -> list[dict[str, Any]]:
    """Return what the check said to each answer."""
    shell = InteractiveShell.instance()
    run(shell, "import matplotlib; matplotlib.use('agg')")
    records: list[dict[str, Any]] = []
    variants: list[tuple[str, str, str]] = []
    number = 0
    for cell in read_source(lesson).cells:
        marked = tags(cell)
        if cell.cell_type != "code" or "slow" in marked:
            continue
        if "parameters" in marked:
            run(shell, f"preset, store = 'tiny', {store!r}")
        elif "exercise" in marked:
            number += 1
            variants = [("stub", "", to_stub(cell.source))]
            variants += [
                ("wrong", wrong.metadata["hint"], f"{imports(cell.source)}\n{wrong.source}")
                for wrong in wrong_answers(lesson)
                if int(wrong.metadata["exercise"]) == number
            ]
            variants += [("solution", "", to_solution(cell.source))]
        elif "check" in marked:
            for kind, hint, code in variants:
                run(shell, code)
                result = run(shell, cell.source)
                hints = " ".join(finding.hint for finding in result.findings if not finding.passed)
                records.append(
                    {"exercise": number, "kind": kind, "hint": hint, "verdict": result.verdict, "hints": hints}
                )
        else:
            run(shell, cell.source)
    return records


def imports(source: str) -> str:
    """Return what an exercise's cell brings before the solution: a wrong answer may use it too."""
    return source.partition("# BEGIN SOLUTION")[0]


def run(shell: InteractiveShell, code: str) -> Any:
    """Run a cell and return its last value; what it prints is not ours."""
    with capture_output() as printed:
        outcome = shell.run_cell(code.replace("%matplotlib inline\n", ""))  # there is no notebook to draw in
    if not outcome.success:
        raise SystemExit(f"{code}\n{printed.stdout[-4000:]}\n{outcome.error_before_exec or outcome.error_in_exec!r}")
    return outcome.result


if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER))
    print(json.dumps(try_answers(sys.argv[1], sys.argv[2])))
