"""Keep notebooks free of outputs: `python tests/notebooks/outputs.py` strips them, with `--check` it only tells."""

import sys
from pathlib import Path

import nbformat

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"


def strip(path: Path) -> str:
    """Return the notebook's text without outputs, counts and the traces of who ran it."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.writes(notebook) + "\n"


def main() -> int:
    check = "--check" in sys.argv[1:]
    dirty = [path for path in sorted(FOLDER.glob("*.ipynb")) if path.read_text(encoding="utf-8") != strip(path)]
    for path in dirty:
        print(f"{path}: {'has outputs; strip it with python tests/notebooks/outputs.py' if check else 'stripped'}")
        if not check:
            path.write_text(strip(path), encoding="utf-8")
    return int(check and bool(dirty))


if __name__ == "__main__":
    sys.exit(main())
