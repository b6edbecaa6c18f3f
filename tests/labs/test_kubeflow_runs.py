"""Real local runs of all three pipelines in one store, and what their lineage says afterwards."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from module4.lab2_kubeflow.lineage import Node, answer, last_run, read_run, table, to_markdown
from module4.lab2_kubeflow.pipelines import PIPELINES
from module4.platforms import ROOT
from shared import artifacts
from shared.config import Monitoring, PipelineConfig, preset
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint
from shared.registry import Registry
from shared.version import code_version

REFERENCE = "fcef926d4333b562"

RUN = """
import json, sys
from module4.lab2_kubeflow import run
from shared.config import parse
function, config, *arguments = sys.argv[1:]
print("RESULT", json.dumps(getattr(run, function)(parse(config), *arguments)))
"""


class Lab:
    """A store, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        fault = {"step": "train", "kind": "fail", "times": 2, "state": str(folder / "faults")}
        self.config = preset("tiny", fault=fault)
        self.output, self.first = self.run("run", self.config)
        self.first_run = self.last()

    def run(self, function: str, config: PipelineConfig, *arguments: str) -> tuple[str, Any]:
        """Run one pipeline in a separate process; return its output and its result."""
        store = str(self.folder / "store")
        done = subprocess.run(
            [sys.executable, "-c", RUN, function, config.to_json(), store, *arguments],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=600,  # a training run with nine processes, perhaps beside other tests
            check=True,
        )
        result = next(line for line in done.stdout.splitlines() if line.strip().startswith("RESULT"))
        return done.stdout, json.loads(result.strip()[7:])

    def last(self) -> Path:
        return last_run(self.folder / "store" / "runs")

    @property
    def registry(self) -> Registry:
        return Registry(str(self.folder / "store" / "registry"), self.config.model_name)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


def nodes_of(run: Path) -> dict[str, Node]:
    spec = PIPELINES[run.name.partition("-")[0]].pipeline_spec
    return {node.task.name: node for node in read_run(run, spec)}


def digests(nodes: dict[str, Node]) -> dict[str, str]:
    return {output.name: output.digest for node in nodes.values() for output in node.outputs}


def test_a_component_that_fails_twice_succeeds_and_the_model_is_the_same(lab: Lab) -> None:
    fingerprint: Fingerprint = lab.first
    assert lab.output.count("InjectedFault: train: broken on purpose") == 2
    assert str(fingerprint["fingerprint"]).startswith(REFERENCE)


def test_the_reports_are_artifacts_that_kfp_can_draw(lab: Lab) -> None:
    outputs = {output.name: output for output in nodes_of(lab.first_run)["evaluate"].outputs}
    assert {name: output.kind for name, output in outputs.items()} == {
        "curves": "ClassificationMetrics",
        "evaluation": "Artifact",
        "metrics": "Metrics",
        "page": "HTML",
        "report": "Markdown",
    }
    curves = outputs["curves"].metadata
    assert curves["confidenceMetrics"][0]["recall"] == 0
    assert curves["confidenceMetrics"][-1]["recall"] == 1
    counted = sum(sum(row["row"]) for row in curves["confusionMatrix"]["rows"])
    assert counted == outputs["metrics"].metadata["rows"]
    assert outputs["metrics"].metadata["roc_auc"] == lab.first["metrics"]["baseline"]["test"]["roc_auc"]
    page = (lab.first_run / "evaluate" / "page").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert (lab.first_run / "evaluate" / "report").read_text(encoding="utf-8").startswith("# Evaluation")


def test_every_artifact_knows_its_data_settings_and_code(lab: Lab) -> None:
    (features,) = nodes_of(lab.first_run)["preprocess"].outputs
    assert features.metadata["code"] == code_version()
    assert features.metadata["config"] == lab.config.to_json()
    assert features.metadata["rows"] == len(
        artifacts.load(str(lab.first_run / "preprocess" / "features"), pd.DataFrame)
    )


def test_the_lineage_names_the_data_of_the_model_in_production(lab: Lab) -> None:
    nodes = nodes_of(lab.first_run)
    assert {node.state for node in nodes.values()} == {"finished"}
    assert nodes["run-trial"].times == 2
    version = lab.registry.find_champion().version  # type: ignore[union-attr]
    found = digests(nodes)
    assert version in (found["baseline"], found["candidate"])  # a version is named after its model's file
    line = answer(lab.first_run, list(nodes.values()))
    assert line.startswith(f"Model {version} (in production) came from flights {found['flights']} (")
    assert f"→ features {found['features']} (" in line
    assert line.endswith(f"by code {code_version()}, in run {lab.first_run.name}.")
    picture = to_markdown(list(nodes.values()), line)
    assert picture.startswith(f"{line}\n\n```mermaid\nflowchart LR\n")
    rows = f"{nodes['preprocess'].outputs[0].metadata['rows']:,.0f} rows"
    for wanted in (
        '    run-trial["run_trial × 2<br/>finished"]:::finished',
        f'    preprocess/features(["features (Dataset)<br/>{found["features"]}<br/>{rows}"]):::artifact',
        "    preprocess --> preprocess/features",
        "    preprocess/features --> train",
        "    run-trial -.-> select-best",
    ):
        assert wanted in picture.splitlines()


def test_a_second_run_takes_pure_steps_from_the_cache_and_its_lineage_finds_them(lab: Lab) -> None:
    output, fingerprint = lab.run("run", lab.config)
    assert fingerprint == lab.first
    assert "broken on purpose" not in output
    nodes = nodes_of(lab.last())
    assert {name for name, node in nodes.items() if node.state == "finished"} == {
        "evaluate",
        "deploy",
        "report-outcome",
    }
    assert {node.state for name, node in nodes.items()} == {"finished", "cached"}
    first, second = digests(nodes_of(lab.first_run)), digests(nodes)
    same = ("flights", "features", "baseline", "candidate", "evaluation", "deployment")
    assert [second[name] for name in same] == [first[name] for name in same]
    shown = [line.split() for line in table(list(nodes.values())).splitlines()]
    assert ["preprocess", "cached", "features", "Dataset", first["features"], "load-data/flights"] in shown


def test_a_failed_run_says_where_it_ended(lab: Lab, tmp_path: Path) -> None:
    broken = tmp_path / lab.first_run.name
    shutil.copytree(lab.first_run, broken)
    (broken / "train" / "executor_output.json").unlink()
    for name in ("propose-trials", "select-best", "evaluate", "deploy", *(p.name for p in broken.glob("for-loop-*"))):
        shutil.rmtree(broken / name)
    nodes = nodes_of(broken)
    states = {name: node.state for name, node in nodes.items()}
    assert {name for name, state in states.items() if state == "finished"} == {
        "load-data",
        "preprocess",
        "report-outcome",
    }
    assert states["train"] == "failed"
    assert states["evaluate"] == states["run-trial"] == states["deploy"] == "skipped"
    assert answer(broken, list(nodes.values())) == f"Run {broken.name} did not finish: train failed."


def test_a_store_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=f"{tmp_path} holds no run"):
        last_run(tmp_path)


def test_inference_saves_the_days_partition_with_the_model_in_production(lab: Lab) -> None:
    _, saved = lab.run("run_inference", lab.config, "2013-03-12")
    partition = lab.folder / "store" / "predictions" / "date=2013-03-12"
    assert saved["uri"] == str(partition)
    predictions = artifacts.load(str(partition), pd.DataFrame)
    assert len(predictions) == saved["rows"] > 700
    assert predictions["probability"].between(0, 1).all()
    champion = lab.registry.find_champion()
    assert champion is not None
    assert set(predictions["version"]) == {champion.version}
    line = answer(lab.last(), list(nodes_of(lab.last()).values()))
    assert line.startswith(f"saved {saved['digest'][:12]} came from ")
    assert f"model {champion.version}" in line
    assert "batch " in line


def test_monitoring_trains_again_only_behind_its_condition(lab: Lab) -> None:
    before = lab.registry.find_champion()
    lab.run("run_monitoring", lab.config, "2013-03-18")
    states = {name: node.state for name, node in nodes_of(lab.last()).items()}
    assert {name for name, state in states.items() if state == "finished"} == {
        "measure-drift",
        "decide-retraining",
        "report-outcome",
    }
    assert {state for name, state in states.items()} == {"finished", "skipped"}
    strict = preset("tiny", monitoring=Monitoring(max_calibration_gap=0.0001))
    lab.run("run_monitoring", strict, "2013-04-15")
    nodes = nodes_of(lab.last())
    assert {node.state for node in nodes.values()} == {"finished"}
    (deployment,) = nodes["deploy"].outputs
    after = lab.registry.find_champion()
    assert before is not None
    assert after is not None
    assert deployment.metadata["version"] == after.version != before.version
    assert after.trained_until == "2013-04-08"  # the week before the day is the new test week
