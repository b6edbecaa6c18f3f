"""GitHub's workflows: what they may do, and that they run what this repository runs itself."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS: dict[str, Any] = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").glob("*.yml"))
}
# The only jobs that may write anything.
MAY_WRITE = {("site", "publish"): {"pages": "write", "id-token": "write"}}


def jobs() -> list[tuple[str, str]]:
    return [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"]]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_only_and_knows_no_secret(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    assert "secrets." not in (ROOT / f".github/workflows/{name}.yml").read_text()


@pytest.mark.parametrize(("name", "job"), jobs())
def test_a_job_has_a_time_limit_and_no_more_rights(name: str, job: str) -> None:
    described = WORKFLOWS[name]["jobs"][job]
    assert 0 < described["timeout-minutes"] <= 90
    assert described.get("permissions", {}) == MAY_WRITE.get((name, job), {})


@pytest.mark.parametrize(("name", "job"), jobs())
def test_an_action_is_pinned_to_a_commit_and_says_its_version(name: str, job: str) -> None:
    text = (ROOT / f".github/workflows/{name}.yml").read_text()
    for step in WORKFLOWS[name]["jobs"][job]["steps"]:
        if uses := step.get("uses"):
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", uses)
            assert re.search(rf"{re.escape(uses)} # v\d+\.\d+\.\d+$", text, re.MULTILINE), uses
        if "checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize(("name", "job"), jobs())
def test_no_command_contains_an_expression(name: str, job: str) -> None:
    # An expression is pasted into the shell's text, so a branch's name could be a command.
    for step in WORKFLOWS[name]["jobs"][job]["steps"]:
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize(("name", "job"), jobs())
def test_a_command_names_targets_and_files_that_exist(name: str, job: str) -> None:
    targets = {*re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)}
    for step in WORKFLOWS[name]["jobs"][job]["steps"]:
        for line in step.get("run", "").splitlines():
            if match := re.match(r"\s*make (.*)", line):
                words = [word for word in re.sub(r'"[^"]*"', "", match[1]).split() if "=" not in word]
                assert {*words} <= targets, line
            for path in re.findall(r"(?:infra|tests|module4)/[\w/.-]+", line):
                assert (ROOT / path).exists(), path


def test_ci_and_the_local_ci_run_the_same_commands_on_every_accepted_python() -> None:
    job = WORKFLOWS["ci"]["jobs"]["check-and-test"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert "make check test" in commands
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("\nmake check test")
    accepted = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert accepted is not None
    assert job["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in range(int(accepted[1]), int(accepted[2]))]


def test_dependabot_waits_before_it_proposes_a_new_version() -> None:
    (updates,) = [yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]]
    assert {update["package-ecosystem"] for update in updates} >= {"github-actions", "docker"}
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)


def test_hosted_environments_install_the_one_lock() -> None:
    container = (ROOT / ".devcontainer/devcontainer.json").read_text()
    assert '"postCreateCommand": "make setup && make doctor"' in container
    assert "-r ../requirements.lock" in (ROOT / ".binder/requirements.txt").read_text().splitlines()


def test_a_report_asks_for_the_lesson_the_system_and_the_doctor() -> None:
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/problem.yml").read_text())
    required = {field["id"] for field in form["body"] if field["validations"]["required"]}
    assert {"place", "system", "doctor"} <= required
