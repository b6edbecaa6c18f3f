"""Dagster as a student starts it: web pages in a real browser, and the daemon that starts runs automatically.

One server for all tests here.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import dagster as dg
import psutil
import pytest
from playwright.sync_api import Page

from module4.lab3_dagster import inference, monitoring
from module4.lab3_dagster.resources import resources
from module4.lab3_dagster.step_table import STEP_OF
from module4.platforms import ROOT
from shared import pipeline as plain
from shared import steps
from shared.config import preset
from shared.graph import GRAPHS
from tests.browser.chromium import needs_chromium, take
from tests.browser.words import named_words
from tests.processes import listens_on, running_after
from tests.servers import free_port, wait_for

LOCATION = "lab3_dagster"
TWO_WEEKS = [f"2013-03-{day}" for day in range(11, 25)]
# No month satisfies this, so every decision after the first four weeks is to retrain.
STRICT = preset("tiny", monitoring={"max_calibration_gap": 0.0001})


@dataclass(frozen=True)
class Server:
    url: str
    store: Path
    instance: dg.DagsterInstance

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return dict(answer["data"])

    def switch_on(self, sensor: str) -> None:
        text = "mutation ($it: SensorSelector!) { startSensor(sensorSelector: $it) { __typename } }"
        it = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", "sensorName": sensor}
        assert self.query(text, it=it) == {"startSensor": {"__typename": "Sensor"}}

    def runs(self, **filters: Any) -> list[dg.DagsterRun]:
        return list(self.instance.get_runs(dg.RunsFilter(**filters)))

    def materialize(self, *selected: str, day: str | None = None) -> None:
        done = dg.materialize(
            [*inference.ASSETS, *monitoring.ASSETS],
            selection=list(selected),
            resources=resources(STRICT.to_json(), str(self.store)),
            instance=self.instance,
            partition_key=day,
        )
        assert done.success


def wait_until(what: Callable[[], Any], seconds: float = 300) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"still waiting after {seconds} s"
        time.sleep(0.5)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = tmp_path_factory.mktemp("dagster") / "store"
    port = free_port()
    command = [sys.executable, "-m", "module4.lab3_dagster", "ui", "--port", str(port), "--store", str(store)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DAGSTER_DISABLE_TELEMETRY": "yes"}
    with (store.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/server_info", process, store.parent / "log")
        with dg.DagsterInstance.from_config(str(store / "dagster_home")) as instance:
            yield Server(url, store, instance)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        assert listens_on(family) <= {"127.0.0.1", "::1"}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert running_after(family, 20) == []


# The daemon -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drifted(server: Server) -> Server:
    """The sensors are on, and the decision is to train a model as of 8 April."""
    server.materialize("batch", day="2013-12-31")
    server.switch_on("on_conditions")
    server.materialize("drift", "retraining_decision", day="2013-04-08")
    server.switch_on("train_when_drifted")
    return server


def test_drift_starts_a_training_with_the_decisions_configuration(drifted: Server, tmp_path: Path) -> None:
    def finished() -> list[dg.DagsterRun]:
        return [run for run in drifted.runs(tags={"dagster/sensor_name": "train_when_drifted"}) if run.is_finished]

    (run,) = wait_until(finished)
    assert run.is_success
    assert run.tags["dagster/sensor_name"] == "train_when_drifted"
    assert run.tags["day"] == "2013-04-08"
    expected = plain.run(STRICT.ending_at(date(2013, 4, 8)), str(tmp_path))
    assert steps.read_fingerprint(f"{drifted.store}/runs/{run.run_id}/deployment") == expected


def test_a_new_model_starts_the_latest_days_predictions(drifted: Server) -> None:
    saved = drifted.store / "predictions" / "date=2013-12-31" / "manifest.json"
    wait_until(saved.exists)
    aliases = json.loads((drifted.store / "registry" / STRICT.model_name / "aliases.json").read_text())
    assert json.loads(saved.read_text())["summary"]["rows"] > 500
    runs = wait_until(lambda: drifted.runs(tags={"dagster/from_automation_condition": "true"}))
    assert {key.to_user_string() for run in runs for key in run.asset_selection or ()} >= {"production_model", "scores"}
    assert aliases["production"]


def test_two_weeks_are_backfilled(server: Server) -> None:
    server.materialize("production_model")
    text = """mutation ($it: LaunchBackfillParams!) {
        launchPartitionBackfill(backfillParams: $it) { ... on LaunchBackfillSuccess { backfillId } } }"""
    keys = [{"path": [name]} for name in ("batch", "scores", "predictions")]
    answer = server.query(text, it={"assetSelection": keys, "partitionNames": TWO_WEEKS})
    backfill = answer["launchPartitionBackfill"]["backfillId"]
    wait_until(lambda: server.instance.get_backfill(backfill).status.value.startswith("COMPLETED"), seconds=600)
    assert server.instance.get_backfill(backfill).status.value == "COMPLETED_SUCCESS"
    runs = server.runs(tags={"dagster/backfill": backfill})
    assert sorted(run.tags["dagster/partition"] for run in runs) == TWO_WEEKS
    days = {path.name for path in (server.store / "predictions").iterdir()}
    assert {f"date={day}" for day in TWO_WEEKS} <= days


# The web pages --------------------------------------------------------------------------------------------------------


def shown(name: str) -> re.Pattern[str]:
    """A node's label: Dagster leaves out the middle of a long name."""
    return re.compile(rf"^{name[:9]}\w*(…\w*)?$")


@needs_chromium
@pytest.mark.parametrize("group", GRAPHS)
def test_the_asset_graph_of_a_group_is_shown(group: str, page: Page, server: Server, tmp_path: Path) -> None:
    page.goto(f"{server.url}/locations/{LOCATION}/asset-groups/{group}/lineage")
    for name in (asset for asset, step in STEP_OF.items() if step in GRAPHS[group].names):
        page.get_by_text(shown(name)).first.wait_for()
    page.wait_for_timeout(3000)  # until the graph is laid out and has settled
    if group == "training":
        take(page, tmp_path / "dagster-assets.png")


@needs_chromium
def test_the_evaluation_shows_report_and_plots(page: Page, server: Server, tmp_path: Path) -> None:
    page.goto(f"{server.url}/assets/evaluation?view=events")
    page.get_by_text("Evaluation on the test weeks").wait_for()
    page.get_by_text("Show Markdown").click()
    plot = page.get_by_alt_text("the winner on the test weeks")
    plot.wait_for()
    assert plot.evaluate("image => image.naturalWidth") == 900
    page.wait_for_timeout(1000)  # the dialog fades in
    take(page, tmp_path / "dagster-evaluate.png")


@needs_chromium
def test_the_demo_finds_the_checks_where_the_page_says(page: Page, server: Server) -> None:
    assert named_words("Dagster") == {"Lineage", "Catalog", "Checks"}
    page.goto(server.url)
    page.get_by_text("Lineage", exact=True).first.click()
    page.get_by_text("training", exact=True).first.wait_for()
    page.get_by_text("Catalog", exact=True).first.click()
    page.get_by_text("evaluation", exact=True).first.click()
    page.get_by_text("Checks", exact=True).first.click()
    for name in ("quality_gate", "beats_the_champion"):
        page.get_by_text(name, exact=True).first.wait_for()
