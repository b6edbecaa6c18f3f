"""The code's version: a different source, name or order of bytes changes it, and nothing else does."""

from pathlib import Path

from shared.version import code_version


def test_the_version_follows_the_sources_alone(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    source = tmp_path / "inner" / "a.py"
    source.write_text("x = 1\n")
    first = code_version(tmp_path)
    (tmp_path / "notes.md").write_text("not code")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.cpython-312.pyc").write_bytes(b"compiled")
    assert code_version(tmp_path) == first
    source.write_text("x = 2\n")
    assert code_version(tmp_path) != first
    source.write_text("x = 1\n")
    assert code_version(tmp_path) == first
    source.rename(tmp_path / "inner" / "b.py")
    assert code_version(tmp_path) != first


def test_this_package_has_a_version() -> None:
    assert len(code_version()) == 12
    assert int(code_version(), 16) >= 0
