"""The registry: versions, aliases, the gate before production, and the way back."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.config import PipelineConfig
from shared.deployment import deploy
from shared.errors import ArtifactError, RegistryError
from shared.evaluation import Evaluation, evaluate
from shared.fitted import Fitted, dump_model, predict
from shared.places import Place, parse_place
from shared.registry import Metadata, Registry
from shared.storage import new_artifact

PASSED: Metadata = {
    "winner": "baseline",
    "passed": True,
    "metrics": {},
    "gate": [{"passed": True, "reason": "fine"}],
    "fingerprint": "f" * 64,
    "config": {},
    "trained_until": "2013-03-04",
}
FAILED: Metadata = {
    **PASSED,
    "passed": False,
    "gate": [
        {"passed": True, "reason": "fine"},
        {"passed": False, "reason": "ROC AUC: 0.5 is below 0.6"},
        {"passed": False, "reason": "calibration: bad"},
    ],
}


@pytest.fixture(params=["path", "file", "s3"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    if request.param == "s3":
        return Registry(request.getfixturevalue("s3_store"), "late-arrival")
    return Registry({"path": f"{tmp_path}/r", "file": f"file://{tmp_path}/r"}[request.param], "late-arrival")


@pytest.fixture
def local(tmp_path: Path) -> Registry:
    return Registry(f"{tmp_path}/r", "late-arrival")


def production(registry: Registry) -> list[str]:
    return [entry["version"] for entry in registry.aliases()["history"]]


# Versions


def test_a_version_is_named_after_its_models_content(registry: Registry, baseline: Fitted) -> None:
    version = registry.register(baseline.model, PASSED)
    assert version == hashlib.sha256(dump_model(baseline.model)).hexdigest()[:12]
    assert registry.versions() == [version]
    assert registry.metadata(version) == PASSED


def test_a_version_is_loaded_as_it_was_registered(
    registry: Registry, baseline: Fitted, small_features: pd.DataFrame
) -> None:
    model = registry.load(registry.register(baseline.model, PASSED))
    np.testing.assert_array_equal(predict(model, small_features), predict(baseline.model, small_features))


def test_registering_with_other_metadata_adds_a_record(registry: Registry, baseline: Fitted) -> None:
    first = registry.register(baseline.model, FAILED)
    assert registry.register(baseline.model, PASSED) == first
    assert registry.versions() == [first]
    assert registry.metadata(first) == PASSED


def test_models_of_other_names_are_apart(local: Registry, baseline: Fitted) -> None:
    local.register(baseline.model, PASSED)
    assert Registry(local.uri, "other").versions() == []


def test_leftovers_of_a_killed_process_are_no_versions(local: Registry, baseline: Fitted) -> None:
    version = local.register(baseline.model, PASSED)
    (Path(local.uri) / "late-arrival" / "versions" / ".partial" / "xyz").mkdir(parents=True)
    assert local.versions() == [version]


def test_an_empty_registry_has_nothing(registry: Registry) -> None:
    assert (registry.versions(), registry.aliases(), registry.find_champion()) == (
        [],
        {"history": [], "records": {}},
        None,
    )


@pytest.mark.parametrize("ask", [Registry.load, Registry.metadata, Registry.stage, Registry.promote])
def test_an_unknown_version_is_refused_with_those_there_are(registry: Registry, baseline: Fitted, ask: Any) -> None:
    with pytest.raises(RegistryError, match=r"no version or alias 'abc' in .*; versions: none\. Run the training"):
        ask(registry, "abc")
    version = registry.register(baseline.model, PASSED)
    with pytest.raises(RegistryError, match=f"versions: {version}"):
        ask(registry, "abc")


# Staging and production


def test_aliases_lead_to_their_versions(registry: Registry, baseline: Fitted, candidate: Fitted) -> None:
    first, second = registry.register(baseline.model, PASSED), registry.register(candidate.model, PASSED)
    registry.stage(first)
    registry.promote(first)
    registry.stage(second)
    assert {name: registry.aliases()[name] for name in ("staging", "production")} == {
        "staging": second,
        "production": first,
    }
    assert dump_model(registry.load("staging")) == dump_model(candidate.model)
    assert dump_model(registry.load("production")) == dump_model(baseline.model)


def test_promoting_tells_whether_it_changed_anything(registry: Registry, baseline: Fitted) -> None:
    version = registry.register(baseline.model, PASSED)
    assert registry.promote(version) is True
    assert registry.promote(version) is False
    assert production(registry) == [version]


def test_promotion_is_refused_with_the_gates_reasons(registry: Registry, baseline: Fitted, candidate: Fitted) -> None:
    good, bad = registry.register(baseline.model, PASSED), registry.register(candidate.model, FAILED)
    registry.promote(good)
    with pytest.raises(RegistryError) as caught:
        registry.promote(bad)
    assert str(caught.value) == (
        f"late-arrival {bad} may not go to production: ROC AUC: 0.5 is below 0.6; calibration: bad."
    )
    assert registry.aliases()["production"] == good


def test_promoting_an_alias_promotes_the_version_it_leads_to_now(
    registry: Registry, baseline: Fitted, candidate: Fitted
) -> None:
    good, bad = registry.register(baseline.model, PASSED), registry.register(candidate.model, FAILED)
    registry.stage(good)
    registry.promote("staging")
    registry.stage(bad)
    assert registry.aliases()["production"] == good
    assert dump_model(registry.load("production")) == dump_model(baseline.model)


def test_rollback_goes_one_version_back(registry: Registry, baseline: Fitted, candidate: Fitted) -> None:
    first, second = registry.register(baseline.model, PASSED), registry.register(candidate.model, PASSED)
    registry.promote(first)
    registry.stage(second)
    registry.promote(second)
    assert registry.rollback() == first
    assert (registry.aliases()["production"], registry.aliases()["staging"]) == (first, second)
    assert dump_model(registry.load("production")) == dump_model(baseline.model)
    assert registry.promote(second) is True
    assert production(registry) == [first, second]


@pytest.mark.parametrize("promotions", [0, 1])
def test_rollback_without_an_earlier_version_is_refused(registry: Registry, baseline: Fitted, promotions: int) -> None:
    for _ in range(promotions):
        registry.promote(registry.register(baseline.model, PASSED))
    with pytest.raises(RegistryError, match="late-arrival: there is no earlier production version to go back to"):
        registry.rollback()


def test_after_rolling_back_to_the_first_there_is_no_way_back(
    registry: Registry, baseline: Fitted, candidate: Fitted
) -> None:
    for fitted in (baseline, candidate):
        registry.promote(registry.register(fitted.model, PASSED))
    registry.rollback()
    with pytest.raises(RegistryError, match="no earlier production version"):
        registry.rollback()


# Deploying


def test_a_winner_that_passed_goes_to_production(registry: Registry, small: PipelineConfig, judged: Evaluation) -> None:
    assert judged.passed
    outcome = deploy(small, judged, registry)
    assert outcome.in_production
    assert outcome.reasons == [check.reason for check in judged.gate]
    aliases = registry.aliases()
    assert (aliases["staging"], aliases["production"]) == (outcome.version, outcome.version)
    metadata = registry.metadata(outcome.version)
    assert (metadata["winner"], metadata["trained_until"]) == ("candidate", "2013-03-04")
    assert metadata["fingerprint"] == judged.fingerprint["fingerprint"]
    assert metadata["config"]["trials"] == 3


def test_a_winner_that_did_not_pass_stays_in_staging(
    registry: Registry, small: PipelineConfig, judged: Evaluation
) -> None:
    failed = replace(judged, gate=[replace(judged.gate[0], passed=False)])
    outcome = deploy(small, failed, registry)
    assert not outcome.in_production
    aliases = registry.aliases()
    assert (aliases["history"], aliases["staging"], "production" in aliases) == ([], outcome.version, False)
    assert registry.find_champion() is None


Change = Callable[[Evaluation, Fitted], Evaluation]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("model", lambda judged, baseline: replace(judged, model=baseline.model)),
        ("winner", lambda judged, baseline: replace(judged, winner="baseline")),
        ("metrics", lambda judged, baseline: replace(judged, metrics={"candidate": {"roc_auc": 1.0}})),
        ("predictions", lambda judged, baseline: replace(judged, predictions=judged.predictions.iloc[::-1])),
        ("parts", lambda judged, baseline: replace(judged, fingerprint={**judged.fingerprint, "data": {}})),
        ("incomplete", lambda judged, baseline: replace(judged, fingerprint={})),
        ("incomplete", lambda judged, baseline: replace(judged, predictions=pd.DataFrame())),
    ],
)
def test_an_evaluation_whose_parts_do_not_belong_together_is_not_deployed(
    local: Registry, small: PipelineConfig, judged: Evaluation, baseline: Fitted, part: str, change: Change
) -> None:
    with pytest.raises(ArtifactError, match=rf"^deploy: the evaluation's fingerprint .*{part}.*Evaluate again\.$"):
        deploy(small, change(judged, baseline), local)
    assert not Path(local.uri).exists()


def test_deploying_again_changes_nothing(local: Registry, small: PipelineConfig, judged: Evaluation) -> None:
    outcome = deploy(small, judged, local)
    files = [path for path in Path(local.uri).rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert deploy(small, judged, local) == outcome
    assert {path: path.read_bytes() for path in Path(local.uri).rglob("*") if path.is_file()} == before


def test_the_champion_of_one_run_is_compared_in_the_next(
    local: Registry,
    small: PipelineConfig,
    small_features: pd.DataFrame,
    baseline: Fitted,
    candidate: Fitted,
    judged: Evaluation,
) -> None:
    deploy(small, judged, local)
    second = evaluate(small, small_features, baseline, candidate, local.find_champion())
    assert second.champion is not None
    assert second.champion["comparable"]
    assert second.champion["metrics"] == judged.metrics["candidate"]
    assert second.gate[-1].name.startswith("log loss against champion ")


def test_a_champion_that_has_seen_the_test_weeks_is_shown_but_not_compared(
    local: Registry,
    small: PipelineConfig,
    small_features: pd.DataFrame,
    baseline: Fitted,
    candidate: Fitted,
    judged: Evaluation,
) -> None:
    later = PipelineConfig.model_validate({**small.model_dump(), "test_start": "2013-04-01"})
    deploy(later, judged, local)
    second = evaluate(small, small_features, baseline, candidate, local.find_champion())
    assert second.champion is not None
    assert not second.champion["comparable"]
    assert second.champion["metrics"]["roc_auc"] > 0.5
    assert len(second.gate) == 4


def test_no_call_looks_at_all_versions(
    local: Registry, small: PipelineConfig, judged: Evaluation, baseline: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.promote(local.register(baseline.model, PASSED))
    root = Path(local.uri) / "late-arrival"
    aliases = json.loads((root / "aliases.json").read_text())
    others = [f"{number:012x}" for number in range(1000)]
    aliases["records"] |= dict.fromkeys(others, "0" * 12)
    aliases["history"] = [*({"version": other, "promoted": "2013-01-01"} for other in others), *aliases["history"]]
    (root / "aliases.json").write_text(json.dumps(aliases))
    looked: Counter[str] = Counter()
    scandir, listdir = os.scandir, os.listdir
    monkeypatch.setattr(os, "scandir", lambda path=".": looked.update([str(path)]) or scandir(path))
    monkeypatch.setattr(os, "listdir", lambda path=".": looked.update([str(path)]) or listdir(path))
    deploy(small, judged, local)
    local.get_champion()
    local.rollback()
    assert len(local.versions()) == 1002
    assert not {str(root), str(root / "versions"), str(root / "records")} & {*looked}


# What is broken


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "no json",
        "[]",
        "null",
        "3",
        "[" * 10_000,
        '{"history": []}',
        '{"history": null, "records": {}}',
        '{"history": [], "records": {}, "production": "0123456789ab"}',
        '{"history": [], "records": {}, "staging": "../../../etc"}',
        '{"history": [{"version": "0123456789ab", "promoted": "now"}], "records": {}, "production": "0123456789ab"}',
    ],
)
def test_aliases_that_cannot_be_read_are_refused(registry: Registry, baseline: Fitted, text: str) -> None:
    version = registry.register(baseline.model, PASSED)
    aliases = parse_place(registry.uri) / "late-arrival" / "aliases.json"
    aliases.write_text(text)
    for ask in (registry.promote, registry.load, registry.stage):
        with pytest.raises(RegistryError, match=r"aliases\.json: cannot be used \(.*\)\. Restore it, or remove .*"):
            ask(version)
    with pytest.raises(RegistryError, match="train again"):
        registry.find_champion()
    assert aliases.read_text() == text


def model_file(registry: Registry, version: str) -> Place:
    folder = parse_place(registry.uri) / "late-arrival" / "versions" / version
    return folder / json.loads((folder / "manifest.json").read_bytes()).get("folder", "") / "model.skops"


def test_a_model_with_a_flipped_byte_is_refused(registry: Registry, baseline: Fitted) -> None:
    version = registry.register(baseline.model, PASSED)
    registry.promote(version)
    path = model_file(registry, version)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match=r"model\.skops: is not as it was written \(checksum\)"):
        registry.load("production")
    with pytest.raises(ArtifactError, match=r"checksum"):
        registry.find_champion()


def test_registering_again_repairs_a_damaged_model(registry: Registry, baseline: Fitted) -> None:
    version = registry.register(baseline.model, PASSED)
    model_file(registry, version).write_bytes(b"")
    registry.register(baseline.model, PASSED)
    assert dump_model(registry.load(version)) == dump_model(baseline.model)


def test_a_model_that_has_vanished_is_refused(registry: Registry, baseline: Fitted) -> None:
    version = registry.register(baseline.model, PASSED)
    model_file(registry, version).unlink()
    with pytest.raises(ArtifactError, match=r"model\.skops: cannot be read"):
        registry.load(version)


def test_another_model_with_a_fitting_checksum_is_refused(
    registry: Registry, baseline: Fitted, candidate: Fitted
) -> None:
    version = registry.register(baseline.model, PASSED)
    registry.promote(version)
    with new_artifact(f"{registry.uri}/late-arrival/versions/{version}", {"version": version}) as folder:
        (folder / "model.skops").write_bytes(dump_model(candidate.model))
    for ask in (lambda: registry.load(version), registry.find_champion):
        with pytest.raises(ArtifactError, match=f"{version}: holds another model than {version}"):
            ask()
    registry.register(baseline.model, PASSED)
    assert dump_model(registry.load(version)) == dump_model(baseline.model)


def test_metadata_that_was_changed_is_refused(registry: Registry, baseline: Fitted) -> None:
    version = registry.register(baseline.model, FAILED)
    record = registry.aliases()["records"][version]
    path = parse_place(registry.uri) / "late-arrival" / "records" / version / f"{record}.json"
    path.write_text(path.read_text().replace("false", "true"))
    with pytest.raises(RegistryError, match=rf"{record}\.json: is missing or not as it was written"):
        registry.promote(version)
    registry.register(baseline.model, FAILED)
    assert registry.metadata(version) == FAILED


@pytest.mark.parametrize("missing", [*PASSED])
def test_metadata_without_a_field_is_refused_before_anything_is_written(
    local: Registry, baseline: Fitted, missing: str
) -> None:
    metadata: Any = {name: value for name, value in PASSED.items() if name != missing}
    with pytest.raises(RegistryError, match=f"its metadata cannot be used \\({missing}: Field required\\)"):
        local.register(baseline.model, metadata)
    assert not Path(local.uri).exists()


def test_a_registry_that_cannot_be_written_is_refused(tmp_path: Path, baseline: Fitted) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match=r"file/r/late-arrival/versions/.*: cannot be written \("):
        Registry(f"{tmp_path}/file/r", "late-arrival").register(baseline.model, PASSED)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_aliases_file_is_made_for_people_too(local: Registry, baseline: Fitted) -> None:
    version = local.register(baseline.model, PASSED)
    local.promote(version)
    parsed = json.loads((Path(local.uri) / "late-arrival" / "aliases.json").read_text())
    assert parsed["production"] == version
    assert set(parsed["history"][0]) == {"version", "promoted"}
