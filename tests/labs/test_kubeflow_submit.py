"""Sending pipelines to a server: the real client against a server that speaks the published API, and mistakes."""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import yaml

from module4.lab2_kubeflow import __main__ as command
from module4.lab2_kubeflow import forward, submit
from module4.lab2_kubeflow.compile import FOLDER
from module4.lab2_kubeflow.submit import arguments_for
from shared.config import parse, preset
from shared.errors import PipelineError
from shared.version import code_version
from tests.labs.kfp_server import FakeServer, published_calls, serving
from tests.processes import running
from tests.servers import free_port

TRAINING, INFERENCE = FOLDER / "training-cluster.yaml", FOLDER / "inference-cluster.yaml"


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KFP_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # the client looks there for the user's settings


def specification(kept: dict[str, Any]) -> list[dict[str, Any]]:
    """What was sent as the pipeline: its specification and Kubernetes' settings."""
    return [kept["pipeline_spec"]["pipeline_spec"], kept["pipeline_spec"]["platform_spec"]]


def test_the_definition_of_the_api_was_found() -> None:
    assert {("GET", "/apis/v2beta1/healthz"), ("GET", "/apis/v2beta1/runs/*")} <= published_calls()


def test_a_run_gets_the_whole_file_and_the_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        command.submit(TRAINING, server.url)
    assert "id-runs-0" in capsys.readouterr().out
    (run,) = server.kept["runs"]
    assert run["experiment_id"] == "id-experiments-0"
    assert [experiment["display_name"] for experiment in server.kept["experiments"]] == ["one-pipeline"]
    assert specification(run) == list(yaml.safe_load_all(TRAINING.read_text()))
    parameters = run["runtime_config"]["parameters"]
    assert parse(parameters.pop("config")) == preset("tiny")
    assert parameters == {"registry": "/store/registry", "code": code_version()}


def a_run(state: str, *tasks: tuple[str | None, str]) -> dict[str, Any]:
    """What the server answers about a run."""
    details = {"task_details": [{"display_name": name, "state": state} for name, state in tasks]}
    times = {"created_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:04:01Z"}
    return {"run_id": "id-runs-0", "state": state, "run_details": details, **times}


def test_waiting_names_each_of_the_pipelines_own_tasks_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(submit, "POLL_SECONDS", 0)
    with serving() as server:
        inner = [("root-driver", "SUCCEEDED"), ("train(0)", "PENDING"), ("executor", "RUNNING"), (None, "RUNNING")]
        server.states = [{"run_id": "id-runs-0"}, *2 * [a_run("RUNNING", ("train", "RUNNING"), *inner)]]
        server.states.append(a_run("SUCCEEDED", ("train", "SUCCEEDED")))
        command.submit(TRAINING, server.url, wait=True)
    said = capsys.readouterr().out.splitlines()
    assert said[-3:] == ["train: RUNNING", "train: SUCCEEDED", "SUCCEEDED after 241 s"]


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_waiting_for_a_run_that_fails_says_so(state: str) -> None:
    with serving() as server:
        server.states = [a_run(state)]
        with pytest.raises(PipelineError, match=rf"^run id-runs-0: {state}\. .*/#/runs/details/id-runs-0"):
            command.submit(TRAINING, server.url, wait=True)


@pytest.mark.parametrize("cron", ["", "daily", "0 6 * * *", "0 61 6 * * *", "99 0 6 * * *", "0 0 6 * * * *", "@daily"])
def test_what_is_not_a_schedule_is_refused_before_anything_is_sent(cron: str) -> None:
    with serving() as server, pytest.raises(PipelineError, match=r"^cron: .* is not a schedule"):
        command.submit(INFERENCE, server.url, "schedule", cron=cron)
    assert not any(server.kept.values())


@pytest.mark.parametrize("store", ["", "store", "~/store", "./x", " ", "s3:/bucket", "s3://", "/a b"])
def test_a_store_that_pods_cannot_find_is_refused(store: str) -> None:
    with serving() as server, pytest.raises(PipelineError, match=r"^store: pods cannot find"):
        command.submit(TRAINING, server.url, store=store)
    assert not any(server.kept.values())


@pytest.mark.parametrize("day", ["2014-01-02", "tomorrow", "2013-05-06/../x"])
def test_a_scheduled_day_is_a_day_or_the_schedules(day: str) -> None:
    with serving() as server, pytest.raises(PipelineError, match=r"^day: "):
        command.submit(INFERENCE, server.url, "schedule", day=day)
    assert not any(server.kept.values())


def test_a_recurring_run_gets_schedule_and_day(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        command.submit(INFERENCE, server.url, "schedule", store="s3://bucket")
    assert "id-recurringruns-0" in capsys.readouterr().out
    (recurring,) = server.kept["recurringruns"]
    (version,) = server.kept["versions"]
    # Only for the newest version of a stored pipeline does the server fill in the day.
    assert recurring["pipeline_version_reference"] == {"pipeline_id": version["pipeline_id"]}
    assert "pipeline_spec" not in recurring
    assert recurring["trigger"] == {"cron_schedule": {"cron": "0 0 6 * * *"}}
    assert (recurring["mode"], recurring["max_concurrency"], recurring["no_catchup"]) == ("ENABLE", 1, True)
    assert recurring["runtime_config"]["parameters"]["day"] == "2013-[[CurrentTime.01-02]]"
    assert recurring["runtime_config"]["parameters"]["partitions"] == "s3://bucket/predictions"


def test_a_file_is_stored_once_and_a_changed_one_is_a_new_version(tmp_path: Path) -> None:
    changed = tmp_path / TRAINING.name
    changed.write_text(TRAINING.read_text() + "\n")
    with serving() as server:
        for file in (TRAINING, TRAINING, changed):
            command.submit(file, server.url, "upload")
    assert [pipeline["display_name"] for pipeline in server.kept["pipelines"]] == ["training-cluster"]
    assert len({version["display_name"] for version in server.kept["versions"]}) == 2


def test_the_token_of_the_environment_opens_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_TOKEN", "a-fake-token")
    with serving(token="a-fake-token") as server:
        command.submit(TRAINING, server.url)
    assert len(server.kept["runs"]) == 1
    assert "a-fake-token" not in json.dumps(server.kept)


# Mistakes: each is found with one call, before anything is sent


def refused(server: FakeServer) -> str:
    with pytest.raises(PipelineError) as caught:
        command.submit(TRAINING, server.url)
    assert server.calls == [("GET", "/apis/v2beta1/healthz")]
    return str(caught.value)


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_the_right_token_it_says_where_to_put_it(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_TOKEN", token)
    with serving(token="right") as server:
        message = refused(server)
    assert "does not let us in" in message
    assert "KFP_TOKEN" in message


def test_a_page_to_log_in_is_no_answer() -> None:
    with serving(manner="login") as server:
        assert "does not let us in" in refused(server)


def test_a_server_of_another_version_is_named() -> None:
    with serving(manner="old") as server:
        assert "API v2beta1" in refused(server)


def test_no_server_there() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(PipelineError, match=f"no server answers at {address}.*kubectl port-forward"):
        command.submit(TRAINING, address)


def test_what_the_server_objects_to_is_shown() -> None:
    with (
        serving(manner="broken") as server,
        pytest.raises(PipelineError, match="the pipeline spec is invalid: no root"),
    ):
        command.submit(TRAINING, server.url, "upload")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"file": TRAINING, "host": "localhost:8080"}, "host: 'localhost:8080' is not a server's URL"),
        ({"file": TRAINING, "host": "http://"}, "host: 'http://' is not"),
        ({"file": TRAINING, "host": "http://localhost:http"}, "host: 'http://localhost:http' is not"),
        ({"file": TRAINING, "host": "http://localhost:99999"}, "host: 'http://localhost:99999' is not"),
        ({"file": TRAINING, "host": "http://[::1"}, "is not a server's URL"),
        ({"file": TRAINING, "host": "http://my server"}, "host: 'http://my server' is not"),
        ({"file": TRAINING, "host": "ftp://x"}, "host: 'ftp://x' is not"),
        ({"file": Path("nowhere.yaml"), "host": "http://x"}, "file: cannot read nowhere.yaml"),
        ({"file": Path("tests"), "host": "http://x"}, "file: cannot read tests"),
        ({"file": INFERENCE, "host": "http://x", "day": "tomorrow"}, "'tomorrow'"),
        ({"file": INFERENCE, "host": "http://x", "day": "2015-01-01"}, "2015-01-01"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=re.escape(message)):
        command.submit(**arguments)


def test_without_kubectl_a_server_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PipelineError, match=r"^host: missing\. Name the server's URL, HOST=http://localhost:8080"):
        command.submit(TRAINING)


def kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Put a kubectl that runs `script` on the path, and return the file with its arguments."""
    program, arguments = folder / "bin" / "kubectl", folder / "arguments"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {arguments}\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return arguments


@pytest.mark.parametrize(
    ("script", "reason"),
    [("echo first >&2; echo 'no such context' >&2; exit 1", "(no such context)"), ("sleep 60", "(no answer in 1 s)")],
)
def test_without_a_way_to_the_cluster_kubectls_reason_is_shown(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl(tmp_path, monkeypatch, script)
    monkeypatch.setattr(forward, "PATIENCE_SECONDS", 1)
    with pytest.raises(PipelineError, match=re.escape(reason) + r"\. Name the server's URL, HOST=.*KUBEFLOW=1"):
        command.submit(TRAINING)


@pytest.mark.parametrize(("asked", "context"), [("", "kind-one-pipeline"), ("mine", "mine")])
def test_the_way_to_the_clusters_server_is_opened_and_closed(
    asked: str, context: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        port = urlsplit(server.url).port
        script = f"echo $$ > {tmp_path}/pid; echo 'Forwarding from 127.0.0.1:{port} -> 3000'; exec sleep 600"
        arguments = kubectl(tmp_path, monkeypatch, script)
        command.submit(TRAINING, context=asked)
    assert "id-runs-0" in capsys.readouterr().out
    expected = f"--context={context} port-forward --namespace=kubeflow service/ml-pipeline-ui :80"
    assert arguments.read_text().strip() == expected
    pid = int((tmp_path / "pid").read_text())
    assert not running(process for process in psutil.process_iter() if process.pid == pid)


NOT_PIPELINES = {
    "empty": b"",
    "text": b"Dear cluster, please train.",
    "yaml": b"name: training\n",
    "list": b"- 1\n- 2\n",
    "broken": b"root: [1, 2\n",
    "binary": bytes(range(256)),
    "component": b"components: {}\npipelineInfo: {name: x}\n",
    "odd root": b"pipelineInfo: {name: x}\nroot: text\n",
    "odd inputs": b"pipelineInfo: {name: x}\nroot: {inputDefinitions: {parameters: [a]}}\n",
    "many": b"pipelineInfo: {name: x}\nroot: {}\n---\na: 1\n---\nb: 1\n",
}


@pytest.mark.parametrize("content", NOT_PIPELINES.values(), ids=NOT_PIPELINES)
def test_a_file_that_is_not_a_pipeline_is_refused_before_the_server_is_asked(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(content)
    with serving() as server, pytest.raises(PipelineError, match=f"file: {file} "):
        command.submit(file, server.url)
    assert server.calls == []


def test_a_file_that_needs_more_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(INFERENCE.read_text().replace("partitions:", "destination:"))
    with pytest.raises(PipelineError, match="needs arguments that are not known here: destination"):
        arguments_for(file, preset("tiny"), "/store")
