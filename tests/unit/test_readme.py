"""What the README says is true: the graph, the commands, the links, the form of the numbers."""

import re
from pathlib import Path

import pytest

from module4.platforms import PLATFORMS, ROOT
from shared.graph import TRAINING

PAGES = sorted([ROOT / "README.md", *ROOT.glob("*/README.md"), *ROOT.glob("module4/*/README.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_picture_is_the_declared_graph() -> None:
    assert f"```mermaid\n{TRAINING.to_mermaid()}\n```" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:^    |`)make ([a-z][a-z-]*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= targets


def test_the_table_has_every_platform_with_one_fingerprint() -> None:
    rows = [line.split("|") for line in README.splitlines() if re.search(r"\| ok \|", line)]
    shown = [(row[1].strip(), row[2].strip()) for row in rows]
    assert shown == [(platform.title, platform.mode) for platform in PLATFORMS.values()]
    assert len({row[4].strip() for row in rows}) == 1
