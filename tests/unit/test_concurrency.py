"""Many at once on one store, and killers among them: nothing is lost, nothing is torn, nobody pays for the dead."""

import copy
import hashlib
import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from shared import files
from shared.errors import ArtifactError
from shared.fitted import Fitted, Model, dump_model
from shared.places import parse_place
from shared.registry import Metadata, Registry
from shared.storage import change_file, create_mark, exclusive, new_artifact, open_artifact, read_file, replace_file
from tests.unit.test_registry import PASSED

DEPLOYERS = 50


@pytest.fixture(params=["path", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{tmp_path}/store" if request.param == "path" else str(request.getfixturevalue("s3_store"))


def start(work: Callable[[], None]) -> multiprocessing.process.BaseProcess:
    """Run the work in a fork of this process: it starts at once, with everything imported."""
    process = multiprocessing.get_context("fork").Process(target=work, daemon=True)
    process.start()
    return process


def run_all(works: list[Callable[[], None]], seconds: float = 300) -> list[int | None]:
    """Run all works at once; return their exit codes."""
    processes = [start(work) for work in works]
    deadline = time.monotonic() + seconds
    for process in processes:
        process.join(max(0, deadline - time.monotonic()))
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    return codes


def variant(model: Model, number: int) -> Model:
    """Return a model that differs from all other variants, without fitting one."""
    other = copy.deepcopy(model)
    other._baseline_prediction = other._baseline_prediction + number / 1000
    return other


def metadata(number: int) -> Metadata:
    return {**PASSED, "fingerprint": f"{number:064x}"}


@pytest.fixture
def leftovers(tmp_path: Path) -> Callable[[], list[Path]]:
    return lambda: [path for path in tmp_path.rglob("*") if path.parent.name == ".partial"]


# Deploying


def die_somewhere(seconds: float) -> None:
    """Let this process be killed after a while, wherever it is then."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))


def test_fifty_different_deployments_at_once_are_all_in_the_history(
    store: str, baseline: Fitted, tmp_path: Path
) -> None:
    registry = Registry(f"{store}/registry", "late-arrival")
    models = [variant(baseline.model, number) for number in range(DEPLOYERS)]

    def deploy(numbers: Sequence[int]) -> None:
        with ThreadPoolExecutor(len(numbers)) as threads:
            versions = list(threads.map(lambda number: registry.deploy(models[number], metadata(number)), numbers))
        (tmp_path / f"deployed-{numbers[0]}").write_text("\n".join(versions))

    def be_killed(number: int) -> None:
        die_somewhere(random.Random(number).uniform(0.1, 2))
        while True:
            registry.deploy(variant(baseline.model, number), metadata(number))
            number += 1000

    groups = [range(first, first + 10) for first in range(0, DEPLOYERS, 10)]
    killers = [partial(be_killed, number) for number in range(1000, 1005)]
    codes = run_all([*[partial(deploy, numbers) for numbers in groups], *killers])
    assert Counter(codes) == {0: len(groups), -signal.SIGKILL: len(killers)}
    aliases = registry.aliases()
    history = [entry["version"] for entry in aliases["history"]]
    deployed = {version for path in tmp_path.glob("deployed-*") for version in path.read_text().splitlines()}
    assert len(deployed) == DEPLOYERS
    assert deployed <= {*history} <= {*registry.versions()}
    assert len(history) == len({*history}), "each was promoted once"
    times = [entry["promoted"] for entry in aliases["history"]]
    assert times == sorted(times)
    assert history[-1] == aliases["production"] == aliases["staging"]
    assert registry.get_champion().version == aliases["production"]
    for number in random.Random(0).sample(range(DEPLOYERS), 5):
        version = hashlib.sha256(dump_model(models[number])).hexdigest()[:12]
        assert dump_model(registry.load(version)) == dump_model(models[number])
        assert registry.metadata(version) == metadata(number)


def test_one_model_with_other_metadata_from_twenty_at_once_is_one_version(store: str, baseline: Fitted) -> None:
    registry = Registry(f"{store}/registry", "late-arrival")

    def deploy(numbers: Sequence[int]) -> None:
        with ThreadPoolExecutor(len(numbers)) as threads:
            list(threads.map(lambda number: registry.deploy(baseline.model, metadata(number)), numbers))

    assert run_all([partial(deploy, range(first, first + 5)) for first in (0, 5, 10, 15)]) == [0] * 4
    (version,) = registry.versions()
    aliases = registry.aliases()
    assert [entry["version"] for entry in aliases["history"]] == [version]
    assert (aliases["production"], aliases["staging"]) == (version, version)
    assert dump_model(registry.load("production")) == dump_model(baseline.model)
    records = parse_place(f"{registry.uri}/late-arrival/records/{version}")
    assert len([path for path in records.iterdir() if path.suffix == ".json"]) == 20
    assert registry.metadata(version) in [metadata(number) for number in range(20)]


def test_production_always_leads_to_a_model_while_others_deploy_and_roll_back(store: str, baseline: Fitted) -> None:
    registry = Registry(f"{store}/registry", "late-arrival")
    models = [variant(baseline.model, number) for number in range(6)]
    for number in (0, 1, 2):
        registry.deploy(models[number], metadata(number))

    def deploy() -> None:
        for number in (3, 4, 5):
            registry.deploy(models[number], metadata(number))

    def roll_back() -> None:
        registry.rollback()

    def read() -> None:
        for _ in range(8):
            assert registry.get_champion().version in registry.aliases()["records"]

    assert run_all([deploy, roll_back, roll_back, read, read]) == [0] * 5
    history = [entry["version"] for entry in registry.aliases()["history"]]
    assert len(history) == 4
    assert history[-1] == registry.aliases()["production"]
    assert len(registry.versions()) == 6


def test_of_many_who_make_the_same_mark_one_succeeds(store: str) -> None:
    def mark() -> None:
        with ThreadPoolExecutor(10) as threads:
            won = sum(threads.map(lambda _: create_mark(f"{store}/mark"), range(10)))
        os._exit(won)

    assert sorted(code or 0 for code in run_all([mark, mark])) == [0, 1]


# Reading what is replaced


def test_readers_see_the_old_artifact_or_the_new(store: str) -> None:
    uri = f"{store}/artifact"

    def write(number: int) -> None:
        with new_artifact(uri, {"number": number}) as folder:
            (folder / "a").write_text(f"a{number}" * 1000)
            (folder / f"b{number}").write_text(f"b{number}")

    def write_for_ever(number: int) -> None:
        while True:
            write(number)
            number += 2

    def read() -> None:
        seen: set[int] = set()
        end = time.monotonic() + 2
        while len(seen) < 5 or time.monotonic() < end:
            artifact = open_artifact(uri)
            number = artifact.summary["number"]
            assert sorted(artifact.files) == ["a", f"b{number}"]
            assert artifact.read("a").decode() == f"a{number}" * 1000
            assert artifact.read(f"b{number}").decode() == f"b{number}"
            seen.add(number)

    write(0)
    writers = [start(partial(write_for_ever, number)) for number in (1, 2)]
    codes = run_all([read] * 3)
    for writer in writers:
        writer.kill()
        writer.join()
    assert codes == [0] * 3


def test_two_runs_on_one_store_both_succeed(store: str) -> None:
    def run() -> None:
        for number in range(20):
            with new_artifact(f"{store}/runs/one/step{number}", {}) as folder:
                (folder / "a").write_text(str(number))
            assert open_artifact(f"{store}/runs/one/step{number}").read("a") == str(number).encode()

    assert run_all([run, run, run]) == [0, 0, 0]


def test_a_run_says_that_it_waits_for_another_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    uri = f"{tmp_path}/runs/one"

    def run() -> None:
        with exclusive(uri):
            pass

    with exclusive(uri):
        second = start(run)
        said = ""
        while not said:
            assert second.is_alive()
            time.sleep(0.05)
            said = capfd.readouterr().err
        assert said == f"Another run is using {uri}. Waiting for it to end; press Ctrl-C to stop waiting.\n"
    second.join()
    assert second.exitcode == 0
    assert capfd.readouterr().err == ""


def test_where_folders_cannot_be_swapped_the_last_writer_wins_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_swap", lambda first, second: False)
    uri = f"{tmp_path}/one"

    def write(number: int) -> None:
        for _ in range(20):
            with new_artifact(uri, {"writer": number}) as folder:
                (folder / "a").write_text(str(number))

    assert run_all([partial(write, number) for number in range(3)]) == [0] * 3
    assert open_artifact(uri).read("a").decode() == str(open_artifact(uri).summary["writer"])
    assert {path.name for path in tmp_path.iterdir()} == {"one"}


def test_a_writer_killed_between_moving_the_old_folder_and_the_new_one_loses_neither(tmp_path: Path) -> None:
    uri = f"{tmp_path}/one"
    with new_artifact(uri, {}) as folder:
        (folder / "a").write_text("old")
    lost = tmp_path / ".partial" / "dead" / "replaced-0"
    lost.mkdir(parents=True)
    (tmp_path / "one").rename(lost / "one")
    replace_file(f"{tmp_path}/other", b"")
    assert open_artifact(uri).read("a") == b"old"


# What the dead leave


def test_killed_writers_are_swept_and_living_ones_never(tmp_path: Path, leftovers: Callable[[], list[Path]]) -> None:
    def write_slowly(number: int) -> None:
        with new_artifact(f"{tmp_path}/slow{number}", {}) as folder:
            (folder / "a").write_text("1")
            time.sleep(2)
            (folder / "b").write_text("2")

    def be_killed(number: int) -> None:
        with new_artifact(f"{tmp_path}/dead{number}", {}) as folder:
            (folder / "a").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)

    living = [start(partial(write_slowly, number)) for number in range(5)]
    run_all([partial(be_killed, number) for number in range(60)])
    assert leftovers()
    for _ in range(3):
        replace_file(f"{tmp_path}/file", b"1")
    assert len(leftovers()) <= len(living)
    for process in living:
        process.join(30)
    assert [process.exitcode for process in living] == [0] * 5
    assert {path.name for path in tmp_path.iterdir()} == {"file", *(f"slow{number}" for number in range(5))}
    for number in range(5):
        assert open_artifact(f"{tmp_path}/slow{number}").read("b") == b"2"


def test_a_writer_looks_at_a_bounded_number_of_leftovers(tmp_path: Path, leftovers: Callable[[], list[Path]]) -> None:
    for number in range(250):
        (tmp_path / ".partial" / f"{number}" / "content").mkdir(parents=True)
    remaining = []
    while left := len(leftovers()):
        replace_file(f"{tmp_path}/file", b"1")
        remaining.append(left - len(leftovers()))
    assert max(remaining) <= files.SWEPT_AT_ONCE
    assert len(remaining) <= 4


def test_a_writer_does_not_look_at_its_siblings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        (tmp_path / f"sibling{number}").mkdir()
    looked: Counter[str] = Counter()
    scandir, listdir = os.scandir, os.listdir
    monkeypatch.setattr(os, "scandir", lambda path=".": looked.update([str(path)]) or scandir(path))
    monkeypatch.setattr(os, "listdir", lambda path=".": looked.update([str(path)]) or listdir(path))
    with new_artifact(f"{tmp_path}/one", {}) as folder:
        (folder / "a").write_text("1")
    with new_artifact(f"{tmp_path}/one", {}) as folder:
        (folder / "a").write_text("2")
    assert looked, "the folders that it writes were looked at"
    assert str(tmp_path) not in looked


def test_killed_writers_in_a_bucket_keep_the_earlier_artifact(s3_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"{s3_store}/one"
    with new_artifact(uri, {}) as folder:
        (folder / "a").write_text("earlier")

    def be_killed(seconds: float) -> None:
        die_somewhere(seconds)
        while True:
            with new_artifact(uri, {"seconds": seconds}) as folder:
                (folder / "a").write_text(f"{random.random()}")

    assert {*run_all([partial(be_killed, 0.2 + number / 40) for number in range(10)])} == {-signal.SIGKILL}
    artifact = open_artifact(uri)
    assert artifact.read("a")
    with new_artifact(uri, {}) as folder:
        (folder / "a").write_text("whole")
    assert open_artifact(uri).read("a") == b"whole"


def test_what_dead_writers_left_in_a_bucket_is_removed_after_an_hour(
    s3_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from shared import s3

    place = parse_place(f"{s3_store}/one")
    (place / "0123abcd" / "a").write_bytes(b"left")
    for age, remains in ((timedelta(hours=1), True), (timedelta(0), False)):
        time.sleep(1.1)  # the store's times have whole seconds
        monkeypatch.setattr(s3, "ORPHAN_AGE", age)
        with new_artifact(str(place), {"remains": remains}) as folder:
            (folder / "a").write_text("whole")
        assert (place / "0123abcd" / "a").exists() is remains
        assert open_artifact(str(place)).read("a") == b"whole"


# Changing a file


def test_no_change_of_a_file_is_lost(store: str) -> None:
    uri = f"{store}/counts.json"

    def count(number: int) -> None:
        for _ in range(3):
            change_file(uri, lambda content: json.dumps([*json.loads(content or "[]"), number]).encode())

    assert run_all([partial(count, number) for number in range(10)]) == [0] * 10
    assert Counter(json.loads(read_file(uri) or "")) == dict.fromkeys(range(10), 3)


def test_a_dead_process_holds_no_lock(tmp_path: Path) -> None:
    def die(content: bytes | None) -> bytes | None:
        os.kill(os.getpid(), signal.SIGKILL)
        return content

    uri = f"{tmp_path}/file"
    replace_file(uri, b"old")
    assert run_all([lambda: change_file(uri, die)]) == [-signal.SIGKILL]
    change_file(uri, lambda content: (content or b"") + b" and new")
    assert read_file(uri) == b"old and new"


def test_whoever_waits_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.2)

    def hold(content: bytes | None) -> bytes | None:
        (tmp_path / "held").touch()
        time.sleep(30)
        return None

    holder = start(lambda: change_file(f"{tmp_path}/file", hold))
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with pytest.raises(ArtifactError, match=r"file: cannot be changed \(.*lock.*\)\. Try again in a minute\."):
        change_file(f"{tmp_path}/file", lambda content: b"")
    holder.kill()
    holder.join()
