"""The Chromium that is installed here, its pages, and the pictures that are taken of them.

    make pictures

also takes the documents' pictures of web pages again: those in module4/images that have a picture's name.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from notebooks.tools.pictures import IMAGES, record

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
OPTIONS += ["--disable-component-update", "--disable-sync"]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome: install one of them")


@contextmanager
def started() -> Iterator[Browser]:
    """Run the browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


def open_page(browser: Browser) -> Page:
    """Return a page of the size used in the documents, with timeouts for slow machines."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(90_000)
    return page


def take(page: Page, path: Path) -> None:
    """Take a picture for the test's folder, and for the documents if requested."""
    page.screenshot(path=path)
    assert path.stat().st_size > 10_000, "the page is empty"
    if os.environ.get("PICTURES") and (IMAGES / path.name).exists():
        assert path.stat().st_size < 150_000, "too large for Git"
        shutil.copy(path, IMAGES)
        record(path.name)
