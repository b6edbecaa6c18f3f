"""Tracking: nothing unless requested, a full record offline, a clear message online without a key. No network."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.config import PipelineConfig
from shared.deployment import Deployment
from shared.errors import PipelineError
from shared.evaluation import Evaluation
from shared.tracking import log_run


@pytest.fixture
def deployment(judged: Evaluation) -> Deployment:
    return Deployment("0123456789ab", True, ["fine"], judged.fingerprint)


@pytest.fixture
def wandb_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """W&B with its files below a folder, nobody logged in, and no address that leads anywhere."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "WANDB_RUN_ID", "WANDB_TAGS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    import wandb

    yield tmp_path
    wandb.teardown()


def test_disabled_tracking_does_not_import_wandb(
    small: PipelineConfig, judged: Evaluation, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # importing it would now fail
    assert small.tracking == "disabled"
    assert log_run(small, judged, deployment, platform="airflow", run_id="7") is None


def test_offline_tracking_leaves_a_whole_record(
    small: PipelineConfig, judged: Evaluation, deployment: Deployment, wandb_below: Path
) -> None:
    import wandb

    offline = small.model_copy(update={"tracking": "offline"})
    folder = log_run(offline, judged, deployment, platform="airflow", run_id="manual__2013")
    assert folder is not None
    wandb.teardown()  # as when the process ends: only then is the record surely on disk
    assert Path(folder).is_relative_to(wandb_below / "wandb")
    (record,) = (wandb_below / "wandb").glob("offline-run-*/run-*.wandb")
    content = record.read_bytes()
    for text in ("airflow", "training", "tiny", "airflow-tiny-0123456789ab", "manual__2013", "late-arrival"):
        assert text.encode() in content, text
    assert deployment.fingerprint["fingerprint"].encode() in content
    assert b"candidate/roc_auc" in content
    assert json.dumps(judged.metrics["candidate"]["roc_auc"]).encode() in content
    assert b"model.skops" in content


def test_online_tracking_without_a_key_says_what_to_do(
    small: PipelineConfig, judged: Evaluation, deployment: Deployment, wandb_below: Path
) -> None:
    online = small.model_copy(update={"tracking": "online"})
    with pytest.raises(PipelineError, match=r"tracking: W&B .* Set WANDB_API_KEY, or use tracking=offline\."):
        log_run(online, judged, deployment, platform="airflow", run_id="")
