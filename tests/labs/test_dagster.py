"""The Dagster lab: its assets as plain functions, its checks, its runs, read through Dagster's own API."""

import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from module4.lab3_dagster import run
from module4.lab3_dagster.assets import ASSETS, load_data, preprocess
from module4.lab3_dagster.checks import CHECKS, labels_are_plausible, splits_follow_time
from module4.lab3_dagster.resources import Pipeline, resources
from module4.platforms import ROOT
from shared.config import PipelineConfig, preset
from shared.deployment import Deployment
from shared.errors import PipelineError
from shared.models import Fitted

SMALL = {"baseline": {"max_iter": 5}}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture(scope="module")
def materialize(instance: dg.DagsterInstance, store: Path) -> Callable[..., dg.ExecuteInProcessResult]:
    def materialize(config: PipelineConfig, **options: Any) -> dg.ExecuteInProcessResult:
        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        return dg.materialize(
            [*ASSETS, *CHECKS], resources=resources(config.to_json(), str(store)), instance=instance, **options
        )

    return materialize


@pytest.fixture(scope="module")
def closed_gate(materialize: Callable[..., dg.ExecuteInProcessResult]) -> dg.ExecuteInProcessResult:
    """A whole run whose model is not good enough for production."""
    return materialize(preset("tiny", gate={"min_roc_auc": 0.99}, **SMALL))


def test_an_asset_is_a_function(tiny: PipelineConfig, tiny_flights: pd.DataFrame, tiny_features: pd.DataFrame) -> None:
    pipeline = Pipeline(config=tiny.to_json(), registry_uri="unused")
    pd.testing.assert_frame_equal(load_data(pipeline), tiny_flights)
    pd.testing.assert_frame_equal(preprocess(pipeline, tiny_flights), tiny_features)


def test_a_closed_gate_is_a_warning_and_the_run_succeeds(closed_gate: dg.ExecuteInProcessResult) -> None:
    checks = {check.check_name: check for check in closed_gate.get_asset_check_evaluations()}
    assert closed_gate.success
    assert {name: check.passed for name, check in checks.items()} == {
        "splits_follow_time": True,
        "labels_are_plausible": True,
        "quality_gate": False,
    }
    assert checks["quality_gate"].severity is dg.AssetCheckSeverity.WARN
    assert "is below 0.9900" in str(checks["quality_gate"].description)
    assert not closed_gate.asset_value("deploy").in_production


def test_trials_ran_as_steps_of_their_own(closed_gate: dg.ExecuteInProcessResult) -> None:
    succeeded = {event.step_key for event in closed_gate.get_step_success_events()}
    assert {"hyperparameter_search.run_trial[0]", "hyperparameter_search.run_trial[1]"} <= succeeded


def test_metadata_says_what_was_stored(closed_gate: dg.ExecuteInProcessResult, store: Path) -> None:
    (event,) = closed_gate.asset_materializations_for_node("preprocess")
    assert event.metadata["uri"].value == f"{store}/runs/{closed_gate.run_id}/preprocess"
    assert event.metadata["rows"].value == 29851
    (event,) = closed_gate.asset_materializations_for_node("deploy")
    assert event.metadata["in_production"].value is False


def test_nothing_is_pickled(closed_gate: dg.ExecuteInProcessResult, store: Path) -> None:
    names = {path.name for path in store.rglob("*") if path.is_file()}
    assert not any(path.suffix in (".pkl", ".pickle") for path in map(Path, names))
    files = list((store / "runs" / closed_gate.run_id).glob("hyperparameter_search.*/**/*"))
    assert all(path.read_bytes().startswith(b"{") for path in files if path.is_file())


def test_one_asset_alone_reads_what_an_earlier_run_stored(
    closed_gate: dg.ExecuteInProcessResult, materialize: Callable[..., dg.ExecuteInProcessResult], store: Path
) -> None:
    again = materialize(preset("tiny", **SMALL), selection=["train"])
    assert again.run_id != closed_gate.run_id
    assert again.asset_value("train").trial == closed_gate.asset_value("train").trial
    assert [path.name for path in (store / "runs" / again.run_id).iterdir()] == ["train"]


def test_values_load_from_outside_of_a_run(
    closed_gate: dg.ExecuteInProcessResult, instance: dg.DagsterInstance, store: Path
) -> None:
    defs = dg.Definitions(assets=ASSETS, resources=resources("tiny", str(store)))
    with defs.get_asset_value_loader(instance) as loader:
        deployment = loader.load_asset_value("deploy", python_type=Deployment)
        model = loader.load_asset_value("hyperparameter_search", python_type=Fitted)
    assert deployment == closed_gate.asset_value("deploy")
    assert model.trial == closed_gate.asset_value("hyperparameter_search").trial


def test_an_asset_that_was_never_made_is_named(store: Path) -> None:
    with dg.DagsterInstance.ephemeral() as empty, pytest.raises(dg.Failure, match="evaluate was never materialized"):
        dg.materialize(
            ASSETS, resources=resources("tiny", str(store)), instance=empty, selection=["deploy"], raise_on_error=True
        )


def test_splits_that_overlap_fail_the_check(tiny_features: pd.DataFrame) -> None:
    assert splits_follow_time(tiny_features).passed
    swapped = tiny_features.assign(split=tiny_features["split"].replace({"train": "test", "test": "train"}))
    assert not splits_follow_time(swapped).passed


@pytest.mark.parametrize("label", [0, None])
def test_labels_that_cannot_be_fail_the_check(tiny_features: pd.DataFrame, label: int | None) -> None:
    assert labels_are_plausible(tiny_features).passed
    assert not labels_are_plausible(tiny_features.assign(late=label)).passed


def test_a_failed_data_check_stops_the_run(tiny_features: pd.DataFrame, tmp_path: Path) -> None:
    @dg.asset(name="preprocess")
    def preprocess_without_late_flights() -> pd.DataFrame:
        return tiny_features.assign(late=0)

    train = next(asset for asset in ASSETS if asset.key == dg.AssetKey("train"))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [preprocess_without_late_flights, train, labels_are_plausible],
            resources=resources("tiny", str(tmp_path)),
            instance=instance,
            raise_on_error=False,
        )
    assert not result.success
    assert "labels_are_plausible" in str(next(event.step_key for event in result.get_step_failure_events()))
    assert not result.asset_materializations_for_node("train")


def test_a_failed_run_raises_and_names_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "restored after the test")
    with pytest.raises(PipelineError, match='Execution of step "load_data" failed'):
        run.run(preset("tiny", data_folder=str(tmp_path)), str(tmp_path / "store"))


def test_definitions_load_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        defs = dg.Definitions(assets=ASSETS, asset_checks=CHECKS, resources=resources("tiny", "unused"))
        dg.Definitions.validate_loadable(defs)


def test_the_command_line_accepts_the_definitions(run_python: Any, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "module4/lab3_dagster/dagster.yaml").read_text())
    command = ["-m", "dagster", "definitions", "validate", "-m", "module4.lab3_dagster.definitions"]
    result = run_python(*command, env={"DAGSTER_HOME": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert "All code locations passed validation" in result.stdout + result.stderr


def test_every_step_tries_again() -> None:
    for asset in ASSETS:
        for op in asset.node_def.iterate_op_defs():
            assert op.retry_policy is not None
            assert op.retry_policy.max_retries == 2
            assert op.retry_policy.backoff is dg.Backoff.EXPONENTIAL
