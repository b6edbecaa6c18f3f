"""Every lesson runs from top to bottom; nbmake runs them too, as they stand (see pyproject.toml)."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from tests.notebooks.outputs import FOLDER, strip

LESSONS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
FINGERPRINT = 64  # hexadecimal digits


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_there_is_a_lesson_per_lab_between_start_and_comparison() -> None:
    assert LESSONS == ["00_start", "01_make", "02_airflow", "03_kubeflow", "04_dagster", "05_modal", "06_compare"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_papermill_runs_the_lesson_with_its_parameters(lesson: str, tmp_path: Path) -> None:
    store = tmp_path / "store"
    executed = papermill.execute_notebook(
        str(FOLDER / f"{lesson}.ipynb"),
        str(tmp_path / "executed.ipynb"),
        parameters={"preset": "tiny", "store": str(store)},
        cwd=str(FOLDER),
        progress_bar=False,
    )
    assert any((store).rglob("fingerprint.json")), "the lesson must write below its parameter `store`"
    kinds = {kind for output in outputs(executed) for kind in output.get("data", {})}
    assert "text/html" in kinds, "a table"
    assert "image/png" in kinds, "a picture"
    assert any(len(text.strip("'[]")) == FINGERPRINT for text in texts(executed)), "the fingerprint"


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    return ["".join(output.get("data", {}).get("text/plain", "")) for output in outputs(notebook)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_notebook_in_git_has_no_outputs(lesson: str) -> None:
    path = FOLDER / f"{lesson}.ipynb"
    assert path.read_text(encoding="utf-8") == strip(path)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_cells_have_stable_ids_and_the_parameters_are_marked(lesson: str) -> None:
    cells = nbformat.read(FOLDER / f"{lesson}.ipynb", as_version=4).cells
    assert [cell.id for cell in cells] == [f"{lesson.replace('_', '-')}-{number:02d}" for number in range(len(cells))]
    marked = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(marked) == 1
    assert "preset = " in marked[0]
    assert "store = " in marked[0]


def test_outputs_are_found_and_stripped(tmp_path: Path) -> None:
    """The enforcing command itself, on a copy of the notebooks with one that was run."""
    folder = tmp_path / "tests" / "notebooks"
    folder.mkdir(parents=True)
    shutil.copy(FOLDER.parent / "tests/notebooks/outputs.py", folder)
    (tmp_path / "notebooks").mkdir()
    notebook = nbformat.read(FOLDER / "00_start.ipynb", as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="secret")]
    nbformat.write(notebook, tmp_path / "notebooks" / "00_start.ipynb")

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(folder / "outputs.py"), *arguments], capture_output=True, text=True, check=False
        )

    assert command("--check").returncode == 1
    assert "00_start.ipynb: stripped" in command().stdout
    assert command("--check").returncode == 0
    assert "secret" not in (tmp_path / "notebooks" / "00_start.ipynb").read_text()
