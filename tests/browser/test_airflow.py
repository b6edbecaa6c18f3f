"""Airflow's own pages, in a browser: the first run of `make ui-airflow` as a graph."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from shared.graph import TRAINING
from tests.browser.chromium import needs_chromium, take
from tests.labs.airflow_server import Server
from tests.processes import running

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("airflow-browser"))
    try:
        assert server.wait_for("training", "first-run") == "success"
        yield server
    finally:
        server.stop()


def test_the_graph_of_the_first_run_shows_every_step(server: Server, page: Page, tmp_path: Path) -> None:
    page.add_init_script("localStorage.setItem('default_dag_view', '\"graph\"')")
    page.goto(f"{server.url}/dags/training/runs/first-run")
    nodes = page.locator(".react-flow__node")
    for name in TRAINING.names:
        nodes.filter(has_text=name).first.wait_for()
    page.wait_for_timeout(1000)  # until the graph has found its place
    take(page, tmp_path / "airflow-graph.png")


def test_the_dags_are_listed_without_an_import_error(server: Server, page: Page, tmp_path: Path) -> None:
    page.goto(f"{server.url}/dags")
    for name in ("training", "training_in_pods", "inference", "monitoring"):
        page.get_by_role("link", name=name, exact=True).first.wait_for()
    assert "Import Error" not in page.locator("body").inner_text()
    take(page, tmp_path / "airflow-dags.png")


def test_ctrl_c_leaves_no_process(server: Server) -> None:
    assert server.stop(signal.SIGINT) == 0
    assert running(server.children) == []
