"""No file imports another in a circle, not even under TYPE_CHECKING or inside a function."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("shared", "module4", "infra", "notebooks")


def module_name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def import_graph(room: Path) -> dict[str, set[str]]:
    """The files of a room, and for each the files that it imports anywhere in it."""
    paths = {module_name(path, room.parent): path for path in room.rglob("*.py")}
    return {name: {*imports(name, path, paths)} - {name} for name, path in paths.items()}


def imports(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:  # a module of the package, or a name that the package itself defines
                yield from [found for found in (f"{base}.{alias.name}", base) if found in known][:1]


def find_cycle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("room", ROOMS)
def test_no_file_imports_another_in_a_circle(room: str) -> None:
    assert find_cycle(import_graph(ROOT / room)) == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_files_that_import_each_other(room: str) -> None:
    assert any(import_graph(ROOT / room).values())


@pytest.mark.parametrize(
    "back",
    [
        "import room.first",
        "from room import first",
        "from room.first import name",
        "from . import first",
        "from .first import name",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from room.first import name",
        "def function():\n    import room.first",
        "from room.inner import third",
    ],
)
def test_a_planted_circle_is_found(tmp_path: Path, back: str) -> None:
    files = {
        "__init__.py": "",
        "first.py": "from room import second",
        "second.py": back,
        "inner/__init__.py": "",
        "inner/third.py": "from ..first import name",
    }
    for name, text in files.items():
        (tmp_path / "room" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "room" / name).write_text(text, encoding="utf-8")
    assert {"room.first", "room.second"} <= {*find_cycle(import_graph(tmp_path / "room"))}


def test_a_room_without_a_circle_passes(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    for name, text in {"__init__": "", "first": "from room import second", "second": "import json"}.items():
        (tmp_path / "room" / f"{name}.py").write_text(text, encoding="utf-8")
    assert find_cycle(import_graph(tmp_path / "room")) == []
