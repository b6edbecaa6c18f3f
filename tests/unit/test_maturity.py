"""Maturity: the counts on the page are those of the data, and what older tutorials write has changed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from module4.benchmark import maturity, publish
from module4.benchmark.reference import reference
from module4.lab1_airflow.environment import airflow_environment
from module4.platforms import ROOT
from shared.errors import PipelineError


def test_releases_are_counted() -> None:
    answer = "modal (1.6.4)\nAvailable versions: 1.6.4, 1.0.0, 0.73.0\n  INSTALLED: 1.6.4\n"
    assert maturity.count(answer) == {"releases": 3, "majors": 2, "first": "0.73.0", "latest": "1.6.4"}
    with pytest.raises(PipelineError, match="Is the package index reachable"):
        maturity.count("ERROR: no")


def test_the_index_was_asked_for_every_platform() -> None:
    known = maturity.releases()
    assert {*known} == {*maturity.PACKAGES}
    assert all(entry["releases"] > 10 for entry in known.values())


def test_the_criteria_table_has_the_counts() -> None:
    page = publish.choosing(reference())
    for count in ("releases", "majors", "changed"):
        assert " | ".join(str(row[count]) for row in maturity.maturity_rows()) in page
    assert len(maturity.older_names("modal")) > 10


VERDICTS = """
import json, sys, warnings

def verdict(statement):
    __import__(statement.split()[1].partition(".")[0])  # first: Airflow sets up warnings when it is imported
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(statement, {})
        except (ImportError, AttributeError, TypeError):
            return "gone"
    source = statement.split()[1]
    said = [str(one.message) for one in caught]
    return "deprecated" if any("deprecated" in text and source in text for text in said) else "fine"

entries = json.load(open(sys.argv[1], encoding="utf-8"))[sys.argv[2]]
print(json.dumps([[verdict(entry["then"]), verdict(entry["now"])] for entry in entries]))
"""


@pytest.mark.parametrize("platform", ["airflow", "kubeflow", "dagster"])
def test_what_older_tutorials_write_has_changed(platform: str, tmp_path: Path) -> None:
    entries = json.loads(maturity.OLDER.read_text(encoding="utf-8"))[platform]
    environment = airflow_environment(tmp_path) | {"PYTHONWARNINGS": ""}
    command = [sys.executable, "-c", VERDICTS, str(maturity.OLDER), platform]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    verdicts = json.loads(done.stdout.splitlines()[-1])
    found = {entry["then"]: tuple(one) for entry, one in zip(entries, verdicts, strict=True)}
    assert found == {entry["then"]: (entry["is"], "fine") for entry in entries}
