"""Airflow as a student starts it: the real scheduler, asked through its REST API and its commands, and its web pages.

One server lives through one story, `lived`; the tests look at what it left.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page

from module4.platforms import ROOT
from shared.config import preset
from shared.faults import parse_fault
from shared.graph import TRAINING
from shared.registry import Registry
from tests.browser.airflow_server import Server
from tests.browser.chromium import needs_chromium, take
from tests.browser.words import named_words
from tests.processes import listens_on

WEEK = [f"2013-03-{day}" for day in range(11, 16)]
XCOM_LIMIT = 4096


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("airflow-server"))
    try:
        yield server
    finally:
        server.stop()


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def fingerprint(store: Path, run: str) -> Any:
    return json.loads((store / "runs" / run / "deploy" / "fingerprint.json").read_text())


@pytest.fixture(scope="module")
def lived(server: Server) -> dict[str, Any]:
    """Train, predict five days, predict one day again, break a run, monitor the aging model, rerun a part."""
    store = server.store
    seen: dict[str, Any] = {}

    seen["first"] = server.wait_for("training", "first-run")  # `ui` asked for it
    seen["first tries"] = server.tries("training", "first-run")
    seen["first fingerprint"] = fingerprint(store, "first-run")
    seen["xcoms"] = [
        server.ask(f"dags/training/dagRuns/first-run/taskInstances/{x['task_id']}/xcomEntries/{x['key']}?map_index={x['map_index']}")
        for x in server.ask("dags/training/dagRuns/first-run/taskInstances/~/xcomEntries?limit=100")["xcom_entries"]
    ]  # fmt: skip

    server.trigger("inference", "no-model", "2013-03-10", store=f"{store}/empty")
    seen["no model"] = server.wait_for("inference", "no-model")  # alone: a busy machine has retries of its own
    seen["no model tries"] = server.tries("inference", "no-model")

    for kind in ("kill", "hang"):
        broken = preset("tiny", fault=parse_fault(f"train:{kind}", str(store))).to_json()
        server.trigger("training", kind, config=broken, store=f"{store}/{kind}")

    server.backfill(WEEK[0], WEEK[-1])
    seen["partitions"] = files(store / "predictions")
    server.backfill(WEEK[0], WEEK[0], "--reprocess-behavior", "completed")
    seen["partitions again"] = files(store / "predictions")
    seen["second tries"] = max(
        server.tries("inference", run["dag_run_id"])["save_predictions[-1]"]
        for run in server.runs("inference", "backfill")
    )

    for kind in ("kill", "hang"):
        seen[kind] = server.wait_for("training", kind)
        seen[f"{kind} tries"] = server.tries("training", kind)

    server.ask(
        "dags/training/clearTaskInstances",
        {"dry_run": False, "dag_run_id": "first-run", "task_ids": ["evaluate"], "include_downstream": True,
         "only_failed": False, "reset_dag_runs": True},
    )  # fmt: skip
    seen["cleared"] = server.wait_for("training", "first-run")
    seen["cleared tries"] = server.tries("training", "first-run")
    seen["cleared fingerprint"] = fingerprint(store, "first-run")

    server.trigger("monitoring", "quiet", "2013-04-08")
    seen["quiet"] = server.wait_for("monitoring", "quiet")
    seen["started by quiet"] = server.runs("training", "asset_triggered")
    server.trigger("monitoring", "aged", "2013-05-06")
    seen["aged"] = server.wait_for("monitoring", "aged")
    give_up = time.monotonic() + 60
    while not (started := server.runs("training", "asset_triggered")) and time.monotonic() < give_up:
        time.sleep(1)
    (run,) = started
    seen["retrained"] = server.wait_for("training", run["dag_run_id"])
    seen["retrained run"] = run["dag_run_id"]
    seen["events"] = server.ask("assets/events")["asset_events"]
    notes = (store / "airflow_home" / "failures.jsonl").read_text().splitlines()
    seen["failures"] = [json.loads(line) for line in notes]
    seen["listening"] = listens_on(server.children)
    return seen


def test_the_first_run_has_the_fingerprint_of_plain_python(lived: dict[str, Any], tmp_path: Path) -> None:
    from shared import pipeline

    assert lived["first"] == "success"
    assert lived["first fingerprint"] == pipeline.run(preset("tiny"), str(tmp_path))
    assert {*lived["first tries"].values()} == {1}


@pytest.mark.parametrize("kind", ["kill", "hang"])
def test_a_step_that_is_killed_or_hangs_is_tried_again_and_the_model_is_the_same(
    server: Server, lived: dict[str, Any], kind: str
) -> None:
    assert lived[kind] == "success"
    assert lived[f"{kind} tries"]["train[-1]"] > 1
    assert fingerprint(server.store / kind, kind) == lived["first fingerprint"]


def test_every_xcom_is_small(lived: dict[str, Any]) -> None:
    assert len(lived["xcoms"]) > 20
    assert [xcom for xcom in lived["xcoms"] if len(json.dumps(xcom["value"])) >= XCOM_LIMIT] == []


def test_a_backfill_makes_a_partition_per_day(server: Server, lived: dict[str, Any]) -> None:
    folders = {str(Path(name).parent.relative_to(server.store / "predictions")) for name in lived["partitions"]}
    assert folders == {f"date={day}" for day in WEEK}


def test_a_day_predicted_again_changes_nothing(lived: dict[str, Any]) -> None:
    assert lived["second tries"] >= 2
    assert lived["partitions again"] == lived["partitions"]


def test_without_a_production_model_inference_fails_at_once_and_says_why(server: Server, lived: dict[str, Any]) -> None:
    assert lived["no model"] == "failed"
    assert lived["no model tries"]["load_model[-1]"] == 1  # a retry would fail too
    (note,) = [note for note in lived["failures"] if note["run"] == "no-model"]
    assert note["task"] == "load_model"
    assert note["error"].startswith("RegistryError: late-arrival: ")
    assert not (server.store / "empty" / "predictions").exists()


def test_only_failures_for_good_are_noted(lived: dict[str, Any]) -> None:
    assert {note["run"] for note in lived["failures"]} == {"no-model"}


def test_a_cleared_task_runs_again_with_what_comes_after_it(lived: dict[str, Any]) -> None:
    again = {name for name, tries in lived["cleared tries"].items() if tries > lived["first tries"][name]}
    assert again == {"evaluate[-1]", "deploy[-1]"}
    assert lived["cleared"] == "success"
    assert lived["cleared fingerprint"] == lived["first fingerprint"]


def test_a_model_that_fits_starts_no_training(lived: dict[str, Any]) -> None:
    assert lived["quiet"] == "success"
    assert lived["started by quiet"] == []


def test_an_outdated_model_is_trained_again_by_an_event(server: Server, lived: dict[str, Any]) -> None:
    assert (lived["aged"], lived["retrained"]) == ("success", "success")
    (event,) = [event for event in lived["events"] if event["name"] == "retraining"]
    assert (event["source_dag_id"], event["source_task_id"]) == ("monitoring", "decide_retraining")
    wanted = json.loads(event["extra"]["config"])
    assert wanted["test_start"] == "2013-04-29"
    deployed = json.loads((server.store / "runs" / lived["retrained run"] / "deploy" / "manifest.json").read_text())
    registry = Registry(f"{server.store}/registry", "late-arrival")
    assert registry.metadata(deployed["summary"]["version"])["config"] == wanted


def test_a_promotion_is_an_event_that_names_the_version(server: Server, lived: dict[str, Any]) -> None:
    aliases = json.loads((server.store / "registry" / "late-arrival" / "aliases.json").read_text())
    promoted = [event["extra"]["version"] for event in lived["events"] if event["name"] == "production-model"]
    assert aliases["production"] in promoted


def test_nothing_listens_beyond_this_machine(lived: dict[str, Any]) -> None:
    assert lived["listening"] == {"127.0.0.1"}


@pytest.mark.parametrize(("setting", "value"), [("PORT", ""), ("STEP_TIMEOUT", "soon"), ("STEP_TIMEOUT", "0")])
def test_a_used_port_or_a_wrong_timeout_is_refused(server: Server, setting: str, value: str) -> None:
    port = server.url.rpartition(":")[2]
    command = [sys.executable, "-m", "module4.lab1_airflow", "ui", "--port", port]
    settings = {**server.settings, **({setting: value} if value else {})}
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {setting}: ")


@needs_chromium
@pytest.mark.usefixtures("lived")
def test_the_graph_of_the_first_run_shows_every_step(server: Server, page: Page, tmp_path: Path) -> None:
    page.add_init_script("localStorage.setItem('default_dag_view', '\"graph\"')")
    page.goto(f"{server.url}/dags/training/runs/first-run")
    nodes = page.locator(".react-flow__node")
    for name in TRAINING.names:
        nodes.filter(has_text=name).first.wait_for()
    page.wait_for_timeout(1000)  # until the graph has settled
    take(page, tmp_path / "airflow-graph.png")


@needs_chromium
@pytest.mark.usefixtures("lived")
def test_the_dags_are_listed_without_an_import_error(server: Server, page: Page, tmp_path: Path) -> None:
    page.goto(f"{server.url}/dags")
    for name in ("training", "training_in_pods", "inference", "monitoring"):
        page.get_by_role("link", name=name, exact=True).first.wait_for()
    assert "Import Error" not in page.locator("body").inner_text()
    take(page, tmp_path / "airflow-dags.png")


@needs_chromium
@pytest.mark.usefixtures("lived")
def test_the_demo_finds_the_log_of_the_failed_try_where_the_page_says(server: Server, page: Page) -> None:
    words = named_words("Airflow") - {"up for retry"}  # a state: it passes
    assert words == {"Task Tries", "1", "2", "Logs", "Storage", "XCom"}
    page.goto(f"{server.url}/dags/training/runs/kill/tasks/train")
    page.get_by_text("Task Tries").wait_for()
    page.get_by_text("Logs", exact=True).first.wait_for()
    page.get_by_role("button", name="2", exact=True).wait_for()
    page.get_by_role("button", name="1", exact=True).click()
    page.get_by_text("Log message source details").first.wait_for()
    page.get_by_text("Storage", exact=True).first.click()
    page.get_by_text("XCom", exact=True).first.wait_for()


@pytest.mark.usefixtures("lived")
def test_sigterm_in_the_middle_of_a_run_leaves_no_process(server: Server) -> None:
    server.trigger("training", "stopped")
    give_up = time.monotonic() + 120
    while not server.ask("dags/training/dagRuns/stopped/taskInstances?state=running")["total_entries"]:
        assert time.monotonic() < give_up
        time.sleep(0.2)
    assert server.stop() == 0
    assert [process.cmdline() for process in psutil.process_iter() if store_of(process) == str(server.store)] == []


def store_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("PIPELINE_STORE")
    except psutil.Error:
        return None
