"""Every page with commands is typed from its first command to its last; the instructor's page has separate tests."""

import pytest

from tests.pages.reader import Terminal, blocks, type_page
from tests.unit.test_prose import pages

MARKDOWN = {name: text for name, text in pages().items() if name.endswith(".md")}
BY_SECTION = "module4/INSTRUCTOR.md"


@pytest.mark.parametrize("page", [name for name, text in MARKDOWN.items() if blocks(text) and name != BY_SECTION])
def test_the_page_runs(page: str, terminal: Terminal) -> None:
    type_page(page, terminal)


def test_all_pages_are_found() -> None:
    labs = {
        f"module4/lab{number}_{name}" for number, name in enumerate(("make", "airflow", "kubeflow", "dagster", "modal"))
    }
    assert {f"{lab}/README.md" for lab in labs} | {"README.md", BY_SECTION} <= {*MARKDOWN}
