"""Artifacts: complete or absent, unchanged when written again, and checked when read."""

import json
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shared.errors import ArtifactError
from shared.places import Place, parse_place
from shared.storage import (
    check_store,
    check_writable,
    new_artifact,
    open_artifact,
    read_file,
    replace_file,
    write_json,
    write_table,
)

RunPython = Callable[..., subprocess.CompletedProcess[str]]


def write(uri: str, files: dict[str, str], summary: dict[str, Any] | None = None) -> None:
    with new_artifact(uri, summary or {}) as folder:
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)


def everything_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.fixture(params=["path", "path with spaces, ü, # and %20", "file", "s3"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        return f"{request.getfixturevalue('s3_store')}/runs/one"
    return {"path": f"{tmp_path}/runs/one", "file": f"file://{tmp_path}/runs/one"}.get(
        request.param, f"{tmp_path}/{request.param}"
    )


def stored(uri: str, name: str) -> Place:
    """Return where an artifact's file is: in a bucket, every write gets a separate folder."""
    place = parse_place(uri)
    folder = json.loads((place / "manifest.json").read_bytes()).get("folder", "")
    return place / folder / name


# Writing and reading


def test_what_was_written_is_read(uri: str) -> None:
    write(uri, {"a.txt": "first", "inner/b.txt": "second"}, {"rows": 3})
    artifact = open_artifact(uri)
    assert artifact.summary == {"rows": 3}
    assert list(artifact.files) == ["a.txt", "inner/b.txt"]
    assert (artifact.read("a.txt"), artifact.read("inner/b.txt")) == (b"first", b"second")


def test_the_manifest_holds_size_and_checksum(uri: str) -> None:
    write(uri, {"a.txt": "abc"})
    assert open_artifact(uri).files == {
        "a.txt": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "bytes": 3}
    }


def test_the_summary_may_be_filled_inside_of_the_block(uri: str) -> None:
    summary: dict[str, Any] = {}
    with new_artifact(uri, summary):
        summary["late"] = True
    assert open_artifact(uri).summary == {"late": True}


def test_a_relative_path_lies_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("runs/one", {"a": "1"})
    assert everything_below(tmp_path) == {"runs", "runs/one", "runs/one/a", "runs/one/manifest.json"}


def test_tables_and_json_come_back_exactly(uri: str) -> None:
    frame = pd.DataFrame({"x": [0.1 + 0.2, None], "kind": pd.Categorical(["b", None], categories=["a", "b"])})
    with new_artifact(uri, {}) as folder:
        write_table(frame, folder / "table.parquet")
        write_json({"x": 0.1 + 0.2}, folder / "value.json")
    artifact = open_artifact(uri)
    pd.testing.assert_frame_equal(artifact.read_table("table.parquet"), frame, check_exact=True)
    assert artifact.read_json("value.json") == {"x": 0.1 + 0.2}


def test_others_may_read_a_local_artifact(tmp_path: Path) -> None:
    write(f"{tmp_path}/one", {"a": "1"})
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "plain").stat().st_mode


# Writing again


def test_the_same_content_is_left_untouched(tmp_path: Path) -> None:
    target = tmp_path / "one"
    write(str(target), {"a": "1"}, {"rows": 1})
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in [target, *target.iterdir()]}
    write(str(target), {"a": "1"}, {"rows": 1})
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in [target, *target.iterdir()]} == before
    assert everything_below(tmp_path) == {"one", "one/a", "one/manifest.json"}


@pytest.mark.parametrize(
    ("files", "summary"),
    [({"a": "2"}, {"rows": 1}), ({"a": "1"}, {"rows": 2}), ({"b": "1"}, {"rows": 1}), ({"a": "1", "b": ""}, {})],
)
def test_other_content_replaces_the_whole_artifact(uri: str, files: dict[str, str], summary: dict[str, Any]) -> None:
    write(uri, {"a": "1"}, {"rows": 1})
    write(uri, files, summary)
    artifact = open_artifact(uri)
    assert artifact.summary == summary
    assert {name: artifact.read(name).decode() for name in artifact.files} == files


def test_replacing_leaves_nothing_of_the_old_artifact(tmp_path: Path) -> None:
    write(f"{tmp_path}/one", {"old": "1"})
    write(f"{tmp_path}/one", {"new": "1"})
    assert everything_below(tmp_path) == {"one", "one/new", "one/manifest.json"}


def test_writing_again_repairs_a_damaged_artifact(uri: str) -> None:
    write(uri, {"a": "1"})
    stored(uri, "a").write_bytes(b"damaged")
    write(uri, {"a": "1"})
    assert open_artifact(uri).read("a") == b"1"


@pytest.mark.parametrize("existing", ["folder", "file"])
def test_what_is_no_artifact_is_not_replaced(tmp_path: Path, existing: str) -> None:
    precious = tmp_path / "home" if existing == "file" else tmp_path / "home" / "thesis.tex"
    precious.parent.mkdir(exist_ok=True)
    precious.write_text("years of work")
    with pytest.raises(ArtifactError, match="home"):
        write(f"{tmp_path}/home", {"a": "1"})
    assert precious.read_text() == "years of work"


# Failing


def write_half(uri: str) -> None:
    with new_artifact(uri, {}) as folder:
        (folder / "a").write_text("half")
        raise ZeroDivisionError


def test_an_error_in_the_block_leaves_nothing_behind(uri: str, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_half(uri)
    with pytest.raises(ArtifactError, match="there is no complete artifact"):
        open_artifact(uri)
    assert not [path for path in tmp_path.rglob("*") if path.name not in ("runs", "path with spaces, ü, # and %20")]


def test_an_error_in_the_block_keeps_the_earlier_artifact(uri: str) -> None:
    write(uri, {"a": "1"})
    with pytest.raises(ZeroDivisionError):
        write_half(uri)
    assert open_artifact(uri).read("a") == b"1"


def test_a_summary_that_is_no_json_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write(f"{tmp_path}/one", {"a": "1"}, {"x": float("nan")})
    assert everything_below(tmp_path) == set()


@pytest.mark.parametrize("place", ["file/one", "file/runs/one"])
def test_a_store_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("a regular file")
    uri = f"{tmp_path}/{place}"
    with pytest.raises(ArtifactError) as caught:
        write(uri, {"a": "1"})
    text = str(caught.value)
    assert text.startswith(f"{uri}: cannot be written (")
    assert "Not a directory" in text or "File exists" in text
    assert text.endswith("A file is where a folder is needed, or the reverse: remove it.")
    assert everything_below(tmp_path) == {"file"}


def test_a_missing_bucket_is_refused(s3_store: str) -> None:
    for refuse in (lambda uri: write(uri, {"a": "1"}), check_writable, check_store):
        with pytest.raises(
            ArtifactError, match=r"cannot be written \(.*bucket does not exist.*\)\. Make the bucket first"
        ):
            refuse("s3://no-such-bucket/one")


def small_files_only() -> None:
    """Let writing fail, as on a full disk, once a file has this many bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize(
    "statement",
    [
        "(folder / 'a').write_bytes(bytes(10_000))",
        "write_table(pd.DataFrame({'x': np.random.default_rng(0).random(10_000)}), folder / 'table.parquet')",
        "summary['text'] = 'x' * 10_000",
    ],
)
def test_a_full_disk_is_reported_and_leaves_nothing_behind(
    tmp_path: Path, run_python: RunPython, statement: str
) -> None:
    code = f"""
import sys
import numpy as np, pandas as pd
from shared.errors import ArtifactError
from shared.storage import new_artifact, write_table
summary = {{}}
try:
    with new_artifact(sys.argv[1], summary) as folder:
        {statement}
except ArtifactError as error:
    print(error)
"""
    done = run_python("-c", code, f"{tmp_path}/one", preexec_fn=small_files_only)
    assert done.stdout.startswith(f"{tmp_path}/one: cannot be written ("), done.stderr
    assert "File too large" in done.stdout
    assert everything_below(tmp_path) == set()


# Being killed

KILLED_INSIDE = """
import os, signal, sys
from shared.storage import new_artifact
with new_artifact(sys.argv[1], {}) as folder:
    (folder / "a").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_no_artifact_and_the_next_one_sweeps(tmp_path: Path, run_python: RunPython) -> None:
    uri = f"{tmp_path}/one"
    assert run_python("-c", KILLED_INSIDE, uri).returncode == -signal.SIGKILL
    with pytest.raises(ArtifactError, match="there is no complete artifact"):
        open_artifact(uri)
    assert [path.name for path in tmp_path.iterdir()] == [".partial"]
    write(f"{tmp_path}/two", {"a": "other"})
    assert everything_below(tmp_path) == {"two", "two/a", "two/manifest.json"}
    write(uri, {"a": "whole"})
    assert open_artifact(uri).read("a") == b"whole"


def test_a_killed_writer_keeps_the_earlier_artifact(tmp_path: Path, run_python: RunPython) -> None:
    write(f"{tmp_path}/one", {"a": "earlier"})
    assert run_python("-c", KILLED_INSIDE, f"{tmp_path}/one").returncode == -signal.SIGKILL
    assert open_artifact(f"{tmp_path}/one").read("a") == b"earlier"


def test_an_artifact_in_a_bucket_without_its_manifest_is_not_complete(s3_store: str) -> None:
    uri = f"{s3_store}/one"
    (parse_place(uri) / "a").write_bytes(b"half")
    with pytest.raises(ArtifactError, match="there is no complete artifact"):
        open_artifact(uri)
    write(uri, {"a": "whole"})
    assert open_artifact(uri).read("a") == b"whole"


# Reading what is wrong


def test_a_missing_artifact_says_what_to_do(uri: str) -> None:
    with pytest.raises(ArtifactError) as caught:
        open_artifact(uri)
    assert str(caught.value) == f"{uri}: there is no complete artifact. Run the step that makes it first."


def test_an_artifact_below_a_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="file/one"):
        open_artifact(f"{tmp_path}/file/one")


def test_changed_bytes_are_refused(uri: str) -> None:
    write(uri, {"a": "1", "b": "2"})
    stored(uri, "a").write_bytes(b"3")
    with pytest.raises(ArtifactError) as caught:
        open_artifact(uri).read("a")
    assert str(caught.value) == f"{uri}/a: is not as it was written (checksum). Run its step again."
    assert open_artifact(uri).read("b") == b"2"


def test_a_file_that_has_vanished_is_refused(uri: str) -> None:
    write(uri, {"a": "1"})
    stored(uri, "a").unlink()
    with pytest.raises(ArtifactError, match=r"/a: cannot be read \(.*\)\. Run its step again\."):
        open_artifact(uri).read("a")


@pytest.mark.parametrize("name", ["c", "../secret", "manifest.json"])
def test_a_file_outside_of_the_manifest_is_refused(uri: str, name: str) -> None:
    write(uri, {"a": "1", "b": "2"})
    with pytest.raises(ArtifactError, match=f"has no file '{name}', only a, b"):
        open_artifact(uri).read(name)


OUTSIDE = ("../../etc/passwd", "/etc/passwd", "inner/../../one", "", ".", "a\x00b", "..\\a", "manifest.json")


@pytest.mark.parametrize(
    "manifest",
    [
        *("", "{", "[]", "3", "null", "{}", "\udcff", "[" * 10_000, '{"files": {}, "summary": ' + '{"a":' * 10_000),
        *(json.dumps(value) for value in ({"files": {}}, {"files": None, "summary": {}}, {"files": {}, "summary": 3})),
        *(
            json.dumps({"files": {"a": file}, "summary": {}})
            for file in ({}, None, {"bytes": 1}, {"sha256": None, "bytes": 1}, {"sha256": "0", "bytes": 1})
        ),
        *(json.dumps({"files": {name: {"sha256": "0" * 64, "bytes": 1}}, "summary": {}}) for name in OUTSIDE),
        json.dumps({"files": {}, "summary": {}, "folder": "../.."}),
    ],
)
def test_a_broken_manifest_is_refused(uri: str, manifest: str) -> None:
    write(uri, {"a": "1"})
    (parse_place(uri) / "manifest.json").write_bytes(manifest.encode(errors="surrogateescape"))
    with pytest.raises(ArtifactError, match=r"manifest\.json: cannot be used .* Run the step that makes it again\."):
        open_artifact(uri)


# Single files


def test_replacing_a_file_makes_its_folder(uri: str) -> None:
    replace_file(f"{uri}/a.json", b"1")
    replace_file(f"{uri}/a.json", b"2")
    assert read_file(f"{uri}/a.json") == b"2"
    assert [path.name for path in parse_place(uri).iterdir()] == ["a.json"]


def test_others_may_read_a_replaced_file(tmp_path: Path) -> None:
    replace_file(f"{tmp_path}/a.json", b"1")
    (tmp_path / "plain").write_text("1")
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, run_python: RunPython) -> None:
    (tmp_path / "a.json").write_text("old")
    code = """
import sys
from shared.errors import ArtifactError
from shared.storage import replace_file
try:
    replace_file(sys.argv[1], bytes(10_000))
except ArtifactError as error:
    print(error)
"""
    done = run_python("-c", code, f"{tmp_path}/a.json", preexec_fn=small_files_only)
    assert everything_below(tmp_path) == {"a.json"}
    assert (tmp_path / "a.json").read_text() == "old"
    assert "a.json: cannot be written (" in done.stdout, done.stderr
