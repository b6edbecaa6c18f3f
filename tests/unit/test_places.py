"""Stores: what a URI means, and what is refused before anything is written."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.errors import ArtifactError, ConfigError
from shared.places import local_folder, parse_place, store_uri
from shared.storage import check_store, new_artifact, open_artifact
from tests.s3_server import BUCKET

RunPython = Callable[..., subprocess.CompletedProcess[str]]

REFUSED = [
    *("gs://bucket/x", "abfs://x", "http://host/x", "https://host", "nope://x", "memory://x", "ftp://h/x", "az://c/x"),
    *("s3:/bucket/x", "s3:bucket", "s3://", "s3:///x", "s3://b", "s3://UPPER/x", "s3://my_bucket", "s3://bucket//x"),
    *("s3://bucket/../x", "s3://bucket/a*b", "s3://bucket/x?y", "nope:x", "C:\\data", "file:x", "file://relative/x"),
    *("", " ", "a\x00b", "a\nb", "~nobody-of-this-name/x"),
]


@pytest.mark.parametrize("uri", REFUSED)
def test_what_is_no_store_is_refused_with_what_is_one(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for ask in (store_uri, parse_place, check_store, open_artifact, lambda uri: new_artifact(uri, {}).__enter__()):
        with pytest.raises(ConfigError, match=r"^store: .*\.( |$)"):
            ask(uri)
    assert not list(tmp_path.iterdir())


def test_the_home_folder_has_a_short_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store_uri("~/x") == f"{tmp_path}/x"
    assert parse_place("~/x") == tmp_path / "x"
    assert store_uri("~") == str(tmp_path)


def test_a_store_has_one_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_uri("x") == store_uri("./y/../x/") == store_uri(f"file://{tmp_path}/x") == f"{tmp_path}/x"
    assert store_uri("./nope:x") == f"{tmp_path}/nope:x"
    assert store_uri("S3://bucket/x/") == store_uri("s3a://bucket/x") == "s3://bucket/x"


def test_only_folders_are_local(tmp_path: Path) -> None:
    assert local_folder(f"file://{tmp_path}") == tmp_path
    assert local_folder("s3://bucket/x") is None


@pytest.mark.parametrize("place", ["file", "file/x", "n" * 300])
def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"is a file, not a folder|File name too long"):
        check_store(f"{tmp_path}/{place}")


def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:8333")
    with pytest.raises(ConfigError, match=r"^AWS_ENDPOINT_URL: '127\.0\.0\.1:8333' is not an address"):
        check_store("s3://bucket/x")


# A bucket that cannot be used


def test_trying_a_bucket_leaves_nothing_in_it(s3_store: str) -> None:
    assert check_store(s3_store) == s3_store
    place = parse_place(s3_store)
    assert not [name for name in place.fs.find(place.path) if ".condition" in name]


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may use"),
        ("AWS_ACCESS_KEY_ID", "nobody", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may use"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "Start the store's server, or correct its address"),
    ],
)
def test_a_bucket_that_cannot_be_used_says_why(s3_store: str, variable: str, value: str, advice: str) -> None:
    check_store(s3_store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable, value)
        for ask in (check_store, open_artifact):
            with pytest.raises(ArtifactError, match=rf"^s3://{BUCKET}/.*: cannot be .*\. {advice}"):
                ask(s3_store)
    assert check_store(s3_store) == s3_store, "a notebook that corrects the variable goes on"


def test_a_bucket_without_keys_says_why(s3_store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ArtifactError, match=r"Unable to locate credentials.*Set AWS_ACCESS_KEY_ID"):
        check_store(s3_store)


# On the command line


@pytest.mark.parametrize("store", ["gs://bucket/x", "s3:/x", "nope://x", "memory://x"])
@pytest.mark.parametrize("platform", ["python", "modal"])
def test_the_command_refuses_it_before_any_work(platform: str, store: str, run_python: RunPython) -> None:
    done = run_python("-m", "module4", "run", platform, "--store", store)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: store: {store!r}")
    assert done.stderr.count("\n") == 1
