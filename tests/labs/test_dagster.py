"""The Dagster lab: its assets as plain functions, its checks, its runs, read through Dagster's own API."""

import base64
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from PIL import Image

from module4.lab3_dagster import run, training_in_pods
from module4.lab3_dagster.assets import ASSETS, features, flights
from module4.lab3_dagster.checks import CHECKS, class_balance, no_leakage, schema_and_ranges
from module4.lab3_dagster.definitions import defs
from module4.lab3_dagster.metadata import PREVIEW_ROWS
from module4.lab3_dagster.resources import Pipeline, resources
from module4.platforms import ROOT
from shared.config import PipelineConfig, preset
from shared.deployment import Deployment
from shared.errors import ConfigError, PipelineError
from shared.fitted import Fitted

SMALL = {"baseline": {"max_iter": 5}}
OPEN_GATE = {"min_roc_auc": 0, "max_calibration_error": 1, "min_origin_roc_auc": 0, "max_log_loss_increase": 1}


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
def whole_run(materialize: Callable[..., dg.ExecuteInProcessResult]) -> dg.ExecuteInProcessResult:
    return materialize(preset("tiny", gate=OPEN_GATE, **SMALL))


def test_an_asset_is_a_function(tiny: PipelineConfig, tiny_flights: pd.DataFrame, tiny_features: pd.DataFrame) -> None:
    pipeline = Pipeline(config_json=tiny.to_json(), registry_uri="unused")
    pd.testing.assert_frame_equal(flights(pipeline), tiny_flights)
    pd.testing.assert_frame_equal(features(pipeline, tiny_flights), tiny_features)


def test_all_checks_of_a_good_run_pass(whole_run: dg.ExecuteInProcessResult) -> None:
    checks = {check.check_name: check for check in whole_run.get_asset_check_evaluations()}
    assert {*checks} == {"schema_and_ranges", "no_leakage", "class_balance", "quality_gate", "beats_the_champion"}
    assert all(check.passed for check in checks.values())
    assert {name for name, check in checks.items() if not check.blocking} == {"beats_the_champion"}
    assert checks["beats_the_champion"].description == "There is no champion to compare with."
    assert checks["class_balance"].metadata["late in test"].value == pytest.approx(0.271, abs=0.001)
    assert whole_run.asset_value("deployment").in_production


def test_a_closed_gate_stops_the_run_before_deploy(tmp_path: Path) -> None:
    closed = preset("tiny", gate={**OPEN_GATE, "min_roc_auc": 0.99}, **SMALL)
    with dg.DagsterInstance.ephemeral() as empty:
        result = dg.materialize(
            [*ASSETS, *CHECKS],
            resources=resources(closed.to_json(), str(tmp_path)),
            instance=empty,
            raise_on_error=False,
        )
    (failed,) = (check for check in result.get_asset_check_evaluations() if not check.passed)
    assert not result.success
    assert failed.check_name == "quality_gate"
    assert "is below 0.9900" in str(failed.description)
    assert not result.asset_materializations_for_node("deployment")
    assert not (tmp_path / "registry").exists()


def test_a_winner_worse_than_the_champion_is_told_and_only_staged(
    whole_run: dg.ExecuteInProcessResult, store: Path
) -> None:
    champion = whole_run.asset_value("deployment").version
    config = preset("tiny", gate={**OPEN_GATE, "max_log_loss_increase": 0}, baseline={"max_iter": 1})
    bound = resources(config.to_json(), str(store))
    with dg.DagsterInstance.ephemeral() as instance:
        worse = dg.materialize([*ASSETS, *CHECKS], resources=bound, instance=instance)
        staged = worse.asset_value("deployment").version
    assert worse.success
    (failed,) = (check for check in worse.get_asset_check_evaluations() if not check.passed)
    assert failed.check_name == "beats_the_champion"
    assert failed.severity is dg.AssetCheckSeverity.WARN
    assert f"log loss against champion {champion}" in str(failed.description)
    aliases = Pipeline(config_json=config.to_json(), registry_uri=f"{store}/registry").registry.aliases()
    assert aliases["production"] == champion
    assert aliases["staging"] == staged != champion


def test_trials_ran_as_steps_of_their_own(whole_run: dg.ExecuteInProcessResult) -> None:
    succeeded = {event.step_key for event in whole_run.get_step_success_events()}
    assert {"candidate.run_trial[0]", "candidate.run_trial[1]"} <= succeeded


def test_metadata_says_what_was_stored(whole_run: dg.ExecuteInProcessResult, store: Path) -> None:
    (event,) = whole_run.asset_materializations_for_node("features")
    assert event.metadata["uri"].value == f"{store}/runs/{whole_run.run_id}/features"
    assert event.metadata["rows"].value == 29851
    assert event.metadata["dagster/row_count"].value == 29851
    assert "late_share_plane_14d" in [column.name for column in event.metadata["dagster/column_schema"].value.columns]
    assert str(event.metadata["preview"].value).count("\n") == PREVIEW_ROWS + 1
    (event,) = whole_run.asset_materializations_for_node("deployment")
    assert event.metadata["in_production"].value is True


def test_the_evaluation_shows_its_report_and_its_plots(whole_run: dg.ExecuteInProcessResult, store: Path) -> None:
    (event,) = whole_run.asset_materializations_for_node("evaluation")
    folder = store / "runs" / whole_run.run_id / "evaluation"
    assert event.metadata["report"].value == (folder / "report.md").read_text()
    image = re.fullmatch(r"!\[.+\]\(data:image/png;base64,(.+)\)", str(event.metadata["plots"].value))
    assert image
    shown, stored = Image.open(BytesIO(base64.b64decode(image[1]))), Image.open(folder / "report.png")
    assert shown.width == 900
    assert shown.width / shown.height == pytest.approx(stored.width / stored.height, rel=0.01)


def test_nothing_is_pickled(whole_run: dg.ExecuteInProcessResult, store: Path) -> None:
    names = {path.name for path in store.rglob("*") if path.is_file()}
    assert not any(path.suffix in (".pkl", ".pickle") for path in map(Path, names))
    files = list((store / "runs" / whole_run.run_id).glob("candidate.*/**/*"))
    assert all(path.read_bytes().startswith(b"{") for path in files if path.is_file())


def test_one_asset_alone_reads_what_an_earlier_run_stored(
    whole_run: dg.ExecuteInProcessResult, materialize: Callable[..., dg.ExecuteInProcessResult], store: Path
) -> None:
    again = materialize(preset("tiny", **SMALL), selection=["baseline"])
    assert again.run_id != whole_run.run_id
    assert again.asset_value("baseline").trial == whole_run.asset_value("baseline").trial
    assert [path.name for path in (store / "runs" / again.run_id).iterdir()] == ["baseline"]


def test_values_load_from_outside_of_a_run(
    whole_run: dg.ExecuteInProcessResult, instance: dg.DagsterInstance, store: Path
) -> None:
    defs = dg.Definitions(assets=ASSETS, resources=resources("tiny", str(store)))
    with defs.get_asset_value_loader(instance) as loader:
        deployment = loader.load_asset_value("deployment", python_type=Deployment)
        model = loader.load_asset_value("candidate", python_type=Fitted)
    assert deployment == whole_run.asset_value("deployment")
    assert model.trial == whole_run.asset_value("candidate").trial


def test_an_asset_that_was_never_made_is_named(store: Path) -> None:
    with dg.DagsterInstance.ephemeral() as empty, pytest.raises(dg.Failure, match="evaluation was never materialized"):
        dg.materialize(
            ASSETS,
            resources=resources("tiny", str(store)),
            instance=empty,
            selection=["deployment"],
            raise_on_error=True,
        )


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (schema_and_ranges, {"distance": -1}),
        (no_leakage, {"split": pd.Categorical(["test"] * 29851)}),
        (class_balance, {"late": 0}),
    ],
)
def test_a_check_is_a_function_too(check: Any, change: dict[str, Any], tiny_features: pd.DataFrame) -> None:
    assert check(tiny_features).passed
    failed = check(tiny_features.assign(**change))
    assert not failed.passed
    assert failed.description


def test_a_failed_data_check_stops_the_run(tiny_features: pd.DataFrame, tmp_path: Path) -> None:
    @dg.asset(name="features")
    def preprocess_without_late_flights() -> pd.DataFrame:
        return tiny_features.assign(late=0)

    train = next(asset for asset in ASSETS if asset.key == dg.AssetKey("baseline"))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [preprocess_without_late_flights, train, class_balance],
            resources=resources("tiny", str(tmp_path)),
            instance=instance,
            raise_on_error=False,
        )
    assert not result.success
    assert "class_balance" in str(next(event.step_key for event in result.get_step_failure_events()))
    assert not result.asset_materializations_for_node("baseline")


def test_a_failed_run_raises_and_names_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "restored after the test")
    with pytest.raises(PipelineError, match='Execution of step "flights" failed'):
        run.run(preset("tiny", data_folder=str(tmp_path)), str(tmp_path / "store"))


def test_a_wrong_configuration_ends_a_run_before_its_first_step(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"trials: Input should be greater"):
        resources(preset("tiny").model_copy(update={"trials": 0}).to_json(), str(tmp_path))
    job = defs.resolve_job_def("training")
    wrong = {"resources": {"pipeline": {"config": {"config_json": "huge", "registry_uri": str(tmp_path)}}}}
    result = job.execute_in_process(run_config=wrong, raise_on_error=False)
    assert not result.success
    assert not result.get_step_failure_events()
    assert list(tmp_path.iterdir()) == []


def test_definitions_load_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dg.Definitions.validate_loadable(defs)


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "dagster", "definitions", "validate", "-m", "module4.lab3_dagster.definitions"),
        ("-m", "dagster", "definitions", "validate", "-m", "module4.lab3_dagster.training_in_pods"),
        ("-m", "dagster_dg_cli.cli", "check", "defs"),
    ],
)
def test_the_command_lines_accept_the_definitions(command: tuple[str, ...], run_python: Any, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "module4/lab3_dagster/dagster.yaml").read_text())
    result = run_python(*command, env={"DAGSTER_HOME": str(tmp_path)})
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search("All (code locations passed validation|definitions loaded)", result.stdout + result.stderr)


def test_a_cluster_loads_the_same_definitions_and_one_job_more() -> None:
    here, there = defs.get_repository_def(), training_in_pods.defs.get_repository_def()
    assert {*there.job_names} - {*here.job_names} == {"training_in_pods"}
    assert {*here.job_names} <= {*there.job_names}
    assets = [repository.asset_graph for repository in (here, there)]
    arrows, others = ({key: graph.get(key).parent_keys for key in graph.get_all_asset_keys()} for graph in assets)
    assert arrows == others
    assert {one.name for one in there.schedule_defs} == {one.name for one in here.schedule_defs}
    assert {one.name for one in there.sensor_defs} == {one.name for one in here.sensor_defs}


def test_the_steps_of_training_in_pods_are_those_of_training() -> None:
    here, there = (training_in_pods.defs.resolve_job_def(name) for name in ("training", "training_in_pods"))
    assert there.executor_def is training_in_pods.in_pods
    assert {*there.graph.node_dict} == {*here.graph.node_dict}
    assert there.graph.dependencies == here.graph.dependencies
    assert there.tags == here.tags  # so only one of the two runs at a time


def test_every_step_tries_again() -> None:
    for asset in ASSETS:
        for op in asset.node_def.iterate_op_defs():
            assert op.retry_policy is not None
            assert op.retry_policy.max_retries == 2
            assert op.retry_policy.backoff is dg.Backoff.EXPONENTIAL
            assert op.retry_policy.jitter is dg.Jitter.PLUS_MINUS
