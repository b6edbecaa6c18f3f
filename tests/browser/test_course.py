"""The course as a student and a visitor see it, in headless Chromium: the site with its search, and JupyterLab.

`COURSE_ALL=1` also runs every lesson in JupyterLab, not only the first. That is for people: it takes minutes.
"""

import http.server
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from module4.platforms import PLATFORMS, ROOT
from notebooks.tools.build import FOLDER, lessons
from notebooks.tools.lab import fill, jupyterlab
from tests.browser.chromium import needs_chromium, take
from tests.notebooks.executed import execute_once
from tests.processes import processes_of
from tests.servers import free_port, wait_for

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site, built from the lessons that the other tests execute, on a separate server."""
    folder = execute_once(lessons()[0], tmp_path_factory).notebook.parent
    for lesson in lessons():
        execute_once(lesson, tmp_path_factory)
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "notebooks.tools.publish", "--executed", str(folder), "--target", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(target)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_every_page_of_the_site_is_whole_and_needs_no_other_server(site: str, page: Page) -> None:
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    page.goto(site)
    links = page.locator(".sidebar-tree a.reference").evaluate_all("links => links.map(link => link.href)")
    names = {Path(link).stem for link in links}
    assert {*lessons(), "INSTRUCTOR", "pictures"} <= names
    for link in links:
        page.goto(link)
        assert page.locator("h1").first.inner_text()
        broken = page.locator("article img").evaluate_all(
            "images => images.filter(image => !image.naturalWidth).map(image => image.src)"
        )
        assert broken == [], link
        if Path(link).stem in lessons():
            assert page.locator(".cell_output img, .mermaid-drawing svg").count() >= 1, f"{link}: pictures"
            assert page.locator(".cell_output table").count() >= 1, f"{link}: tables"
    assert failed == []
    assert {url for url in asked if not url.startswith((site, "data:"))} == set()


def test_the_site_can_be_searched_and_solutions_are_folded(site: str, page: Page, tmp_path: Path) -> None:
    page.goto(f"{site}/search.html?q=exponential")
    results = page.locator("#search-results .search li")
    results.first.wait_for()
    assert any("Airflow" in text for text in results.all_inner_texts())
    page.goto(f"{site}/notebooks/02_airflow.html")
    folded = page.locator("details.hide")
    assert folded.count() == 5, "four exercises, and the answers to the questions"
    assert not folded.first.evaluate("details => details.open")
    expect(page.locator("#exercise-1-every-morning-at-five")).to_be_visible()
    take(page, tmp_path / "course-site.png")


SEEN = """() => ({
    wide: document.documentElement.scrollWidth - innerWidth,
    cut: [...document.querySelectorAll("pre")].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent),
    mute: [...document.querySelectorAll("article img")].filter(e => !/^[A-Z].* .* /.test(e.alt)).map(e => e.src),
    undrawn: document.querySelectorAll(".highlight-mermaid").length,
})"""


@pytest.mark.parametrize("width", [1280, 390], ids=["laptop", "phone"])
def test_no_line_is_cut_and_every_picture_says_what_is_seen(width: int, site: str, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(site)
    for link in [
        site,
        *page.locator(".sidebar-tree a.reference").evaluate_all("links => links.map(link => link.href)"),
    ]:
        page.goto(link)
        page.wait_for_function("!document.querySelector('.mermaid-drawing:empty')")
        assert page.evaluate(SEEN) == {"wide": 0, "cut": [], "mute": [], "undrawn": 0}, link


def test_the_start_page_shows_the_way_in(site: str, page: Page) -> None:
    page.goto(site)
    assert page.locator("article table").first.locator("tbody tr").count() == len(PLATFORMS)
    assert page.locator("article table").last.locator("tbody tr").count() == len(lessons())
    page.locator("article").get_by_role("link", name="lesson 0").click()
    expect(page.locator("h1")).to_contain_text("The question")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab as `make lab` starts it, in a student's folder, with a home folder that must stay empty."""
    folder = tmp_path_factory.mktemp("lab")
    fill(folder)
    port = free_port()
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR", "HOME")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **{name: str(folder / ".jupyter" / name) for name in names}}
    environment["JUPYTER_CONFIG_PATH"] = str(FOLDER / "lab")
    (folder / ".jupyter" / "HOME").mkdir(parents=True)
    command = [*jupyterlab(folder, port), "--no-browser", "--IdentityProvider.token=secret"]
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/api", process, folder / "lab.log")
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/%s?token=secret&reset"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=120)  # kernels end first
    assert processes_of(folder) == []
    assert [path for path in (folder / ".jupyter" / "HOME").rglob("*") if path.is_file()] == []


RUN_IN_THE_BROWSER = lessons() if os.environ.get("COURSE_ALL") else lessons()[:1]


@pytest.mark.parametrize("lesson", RUN_IN_THE_BROWSER)
def test_a_student_runs_all_cells_in_jupyterlab(lesson: str, lab: str, page: Page, tmp_path: Path) -> None:
    page.goto(lab % f"{lesson}.ipynb")
    page.locator(".jp-NotebookPanel .jp-Notebook").wait_for()
    page.locator(".jp-Notebook h1").first.wait_for()
    idle = page.locator(".jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator[data-status=idle]")
    idle.wait_for()
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    last = page.locator(".jp-Notebook .jp-CodeCell").last  # the last cell with code is the last check
    expect(last.locator(".jp-OutputArea-output")).to_contain_text("not done yet", timeout=400_000)
    idle.wait_for()
    assert page.locator(".jp-Notebook [data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator(".jp-Notebook .jp-RenderedImage img").count() >= 1
    take(page, tmp_path / ("course-jupyterlab.png" if lesson == lessons()[0] else f"course-{lesson[:2]}-end.png"))
    page.locator(".jp-Notebook .jp-RenderedImage img").first.evaluate(
        "image => image.closest('.jp-Cell').scrollIntoView()"
    )
    take(page, tmp_path / f"course-{lesson[:2]}.png")


@pytest.mark.parametrize("lesson", lessons())
def test_every_lesson_opens_in_jupyterlab(lesson: str, lab: str, page: Page) -> None:
    page.goto(lab % f"{lesson}.ipynb")
    page.locator(".jp-Notebook h1").first.wait_for()
    assert page.locator(".jp-Dialog, .jp-toast-message").count() == 0
