"""The pictures show what there is now, and a stale one is found."""

import shutil
from pathlib import Path

import pytest

from notebooks.tools import pictures


def test_no_picture_is_stale() -> None:
    assert pictures.stale() == []


def test_a_stale_missing_or_unknown_picture_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "images"
    shutil.copytree(pictures.IMAGES, folder)
    (folder / "watch-lab.png").rename(folder / "another.png")
    monkeypatch.setitem(pictures.SHOWN, "dagster-assets.png", lambda: "other assets")
    assert pictures.stale(folder) == [
        "watch-lab.png is missing.",
        "another.png is in no list: say in SHOWN what it shows.",
        "dagster-assets.png is stale: take it again with make pictures.",
    ]
    (folder / "another.png").rename(folder / "watch-lab.png")
    pictures.record("dagster-assets.png", folder)
    assert pictures.stale(folder) == []


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("def f():\n    return 1  # a remark\n", True),
        ("def f():\n\n    return (1)\n", True),
        ("def f():\n    return 2\n", False),
    ],
)
def test_only_code_counts(text: str, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text("def f():\n    return 1\n")
    before = pictures._code("a.py", "f")
    (tmp_path / "a.py").write_text(text)
    assert (pictures._code("a.py", "f") == before) is same
