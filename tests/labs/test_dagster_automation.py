"""What starts automatically: conditions, schedule and sensor, ticked through Dagster's own testing API."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.freshness import FreshnessDaemon
from dagster._time import get_current_datetime

from module4.lab3_dagster import assets, inference, monitoring
from module4.lab3_dagster.automation import weekly_training
from module4.lab3_dagster.definitions import defs
from module4.lab3_dagster.resources import Pipeline, resources
from module4.lab3_dagster.run import prepare_home
from shared import inference as shared_inference
from shared import pipeline as plain
from shared.artifacts import load
from shared.config import PipelineConfig, parse, preset
from shared.monitoring import Decision

# A model of March 2013 that may go to production, with limits that no week can satisfy.
CONFIG = preset(
    "tiny",
    baseline={"max_iter": 5},
    gate={"min_roc_auc": 0, "max_calibration_error": 1, "min_origin_roc_auc": 0, "max_log_loss_increase": 1},
    monitoring={"max_calibration_gap": 0.0001},
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with a model in production, made without Dagster."""
    store = str(tmp_path_factory.mktemp("store"))
    plain.run(CONFIG, store)
    return store


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(assets.deployment.key))  # the model of the store
        yield instance


def materialize(instance: dg.DagsterInstance, store: str, *selected: Any, day: str | None = None) -> Any:
    return dg.materialize(
        [*inference.ASSETS, *inference.CHECKS, *monitoring.ASSETS],
        selection=dg.AssetSelection.assets(*selected),
        resources=resources(CONFIG.to_json(), store),
        instance=instance,
        partition_key=day,
    )


# Predictions --------------------------------------------------------------------------------------------------------


def requested(instance: dg.DagsterInstance, at: datetime, cursor: Any = None) -> tuple[dict[str, set[str]], Any]:
    """Which partitions of which asset the conditions request at that time; an unpartitioned asset has none."""
    found = dg.evaluate_automation_conditions(
        defs, instance, asset_selection=dg.AssetSelection.groups("inference"), evaluation_time=at, cursor=cursor
    )
    subsets = {
        result.key.to_user_string(): result.true_subset.expensively_compute_asset_partitions()
        for result in found.results
        if result.true_subset.size
    }
    return {name: {str(part.partition_key) for part in parts} for name, parts in subsets.items()}, found.cursor


def test_a_new_day_asks_for_its_predictions_and_so_does_a_new_model(instance: dg.DagsterInstance, store: str) -> None:
    _, cursor = requested(instance, datetime(2013, 3, 12, 6))  # whatever exists when it is switched on counts as known
    nothing, cursor = requested(instance, datetime(2013, 3, 12, 7), cursor)
    assert nothing == {}

    new_day, cursor = requested(instance, datetime(2013, 3, 13, 6), cursor)
    assert new_day == {"batch": {"2013-03-12"}}

    materialize(instance, store, "production_model")
    materialize(instance, store, "batch", day="2013-03-12")
    wanted, cursor = requested(instance, datetime(2013, 3, 13, 7), cursor)
    assert wanted["scores"] == {"2013-03-12"}
    materialize(instance, store, "scores", "predictions", day="2013-03-12")
    nothing, cursor = requested(instance, datetime(2013, 3, 13, 8), cursor)
    assert nothing == {}

    instance.report_runless_asset_event(dg.AssetMaterialization(assets.deployment.key))
    new_model, cursor = requested(instance, datetime(2013, 3, 13, 9), cursor)
    assert new_model == {"production_model": {"None"}}
    materialize(instance, store, "production_model")
    again, cursor = requested(instance, datetime(2013, 3, 13, 10), cursor)
    assert again["scores"] == {"2013-03-12"}


def test_a_days_predictions_are_those_of_the_plain_functions(instance: dg.DagsterInstance, store: str) -> None:
    result = materialize(instance, store, "production_model", "batch", "scores", "predictions", day="2013-03-20")
    pipeline = Pipeline(config_json=CONFIG.to_json(), registry_uri=f"{store}/registry", store=store)
    day = date(2013, 3, 20)
    champion = pipeline.registry.get_champion()
    expected = shared_inference.predict(CONFIG, champion, shared_inference.load_batch(CONFIG, day))
    pd.testing.assert_frame_equal(load(f"{store}/predictions/date=2013-03-20", pd.DataFrame), expected)
    (event,) = result.asset_materializations_for_node("predictions")
    assert event.partition == "2013-03-20"
    assert event.metadata["version"].value == champion.version


def test_predictions_of_an_older_model_fail_their_check(instance: dg.DagsterInstance, store: str) -> None:
    pipeline = Pipeline(config_json=CONFIG.to_json(), registry_uri=f"{store}/registry")
    (version,) = pipeline.registry.versions()
    check = inference.made_by_the_production_model
    for used in (version, "another"):
        told = dg.AssetMaterialization(inference.predictions.key, metadata={"version": used})
        instance.report_runless_asset_event(told)
        context = dg.build_asset_check_context(instance=instance)
        assert check(context, pipeline).passed is (used == version)


def test_predictions_grow_stale_with_time_and_fresh_with_new_ones(tmp_path: Path) -> None:
    """Dagster's own daemon checks, on the lab's instance and definitions; only the clock is moved."""
    key, begin = inference.predictions.key, get_current_datetime()
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="module4.lab3_dagster.definitions"), "lab")

    def state(hours: float) -> str:
        with freeze_time(begin + timedelta(hours=hours)):
            list(FreshnessDaemon().run_iteration(workspace))
        return instance.get_freshness_state_records([key])[key].freshness_state.value

    with (
        dg.DagsterInstance.from_config(str(prepare_home(str(tmp_path)))) as instance,
        create_test_daemon_workspace_context(InProcessWorkspaceLoadTarget(location), instance) as workspace,
    ):
        assert FreshnessDaemon.daemon_type() in instance.get_required_daemon_types()
        assert state(0) == "UNKNOWN"  # never made
        instance.report_runless_asset_event(dg.AssetMaterialization(key))
        assert [state(hours) for hours in (23, 25, 47, 49)] == ["PASS", "WARN", "WARN", "FAIL"]
        with freeze_time(begin + timedelta(hours=50)):
            instance.report_runless_asset_event(dg.AssetMaterialization(key))
        assert state(73) == "PASS"


# Training -----------------------------------------------------------------------------------------------------------


def config_of(request: dg.RunRequest) -> PipelineConfig:
    return parse(request.run_config["resources"]["pipeline"]["config"]["config_json"])


@pytest.mark.parametrize("year", [2013, 2026])
def test_the_weekly_training_ends_on_the_day_of_its_schedule(year: int) -> None:
    monday = dg.build_schedule_context(
        scheduled_execution_time=datetime(year, 6, 3, 5), resources=resources("lab", "unused")
    )
    request = weekly_training(monday)
    assert isinstance(request, dg.RunRequest)
    assert config_of(request).test_end == date(2013, 6, 3)
    assert config_of(request).train_weeks == preset("lab").train_weeks
    assert weekly_training.cron_schedule == "0 5 * * 1"


def test_the_weekly_training_skips_weeks_without_enough_data() -> None:
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2013, 1, 14, 5), resources=resources("lab", "unused")
    )
    skipped = weekly_training(context)
    assert isinstance(skipped, dg.SkipReason)
    assert "cannot be trained as of 2013-01-14" in str(skipped.skip_message)


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources("tiny", "unused"))
    return monitoring.train_when_drifted.evaluate_tick(context)


def test_drift_asks_for_training_with_the_decisions_configuration(store: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        early = materialize(instance, store, "drift", "retraining_decision", day="2013-03-18")
        skipped = tick(instance)
        assert not early.asset_value("retraining_decision").retrain
        assert skipped.run_requests == []
        assert "too early" in skipped.skip_message

        drifted = materialize(instance, store, "drift", "retraining_decision", day="2013-04-08")
        asked = tick(instance, skipped.cursor)
        decision = drifted.asset_value("retraining_decision")
        assert isinstance(decision, Decision)
        (request,) = asked.run_requests
        assert config_of(request) == parse(decision.config) == CONFIG.ending_at(date(2013, 4, 8))
        assert request.tags["day"] == "2013-04-08"
        assert tick(instance, asked.cursor).run_requests == []

        # The request can be run unchanged: the job accepts its configuration.
        job = defs.resolve_job_def(monitoring.train_when_drifted.job_name)
        validated = dg.validate_run_config(job, request.run_config)
        assert validated["resources"]["pipeline"]["config"]["config_json"] == decision.config


def test_drift_is_shown_with_its_plots(store: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(instance, store, "drift", day="2013-04-08")
    (event,) = result.asset_materializations_for_node("drift")
    assert str(event.metadata["plots"].value).startswith("![features and predictions against")
