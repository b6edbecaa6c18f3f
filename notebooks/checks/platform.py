"""Checks of lesson 9: the student's folder, judged by the contract and by equivalence as every platform is."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from module4 import check_platform
from notebooks.checks import Exercises, Finding, kind_of, must

check = Exercises()

DRAFT = Path(__file__).parents[1] / "course" / "draft_platform"


@check.exercise(1, "folder")
def contract(answer: str | Path) -> Iterator[Finding]:
    """The row, and the graph that `graph.py` reads from the platform."""
    yield from _is_a_folder(answer)
    folder = Path(answer).expanduser()
    yield from _findings(check_platform.check_row(folder, (check_platform.ROW_FILE, "graph.py")))
    yield from _findings(check_platform.check_graph(folder))


@check.exercise(2, "platform")
def equivalence(answer: str | Path) -> Iterator[Finding]:
    """The row, and the run, which makes the model of plain Python."""
    yield from _is_a_folder(answer)
    folder = Path(answer).expanduser()
    yield from _findings(check_platform.check_row(folder))
    yield from _findings(check_platform.check_run(folder))


def _is_a_folder(answer: object) -> Iterator[Finding]:
    yield must(
        isinstance(answer, str | Path),
        "it is a path",
        f"It is {kind_of(answer)}. Write the path of your folder, as text or as a Path.",
    )
    folder = Path(str(answer)).expanduser()
    yield must(folder.is_dir(), "the folder exists", f"{folder.absolute()} is not a folder.")
    copied = folder.resolve() == DRAFT.resolve()
    yield must(not copied, "it is your own folder", "That is the lesson's draft. Copy it to a folder of yours first.")


def _findings(found: Iterable[check_platform.Finding]) -> Iterator[Finding]:
    for finding in found:
        yield must(finding.passed, finding.what, finding.hint)
