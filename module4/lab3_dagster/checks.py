"""Asset checks: what must be true of an asset, kept and shown beside it.

A blocking check that fails ends the run before anything uses the asset. The gate does not block: a model that is not
good enough for production still goes to staging, and the run is a success.
"""

import dagster as dg
from pandas import DataFrame

from module4.lab3_dagster.assets import evaluate as evaluate_asset
from module4.lab3_dagster.assets import preprocess as preprocess_asset
from shared.evaluation import Evaluation
from shared.features import LABEL, SPLIT, SPLITS
from shared.report import evaluation_markdown


@dg.asset_check(asset=preprocess_asset, blocking=True)
def splits_follow_time(preprocess: DataFrame) -> dg.AssetCheckResult:
    """Test that each split begins after the one before has ended: no model is tested on days before its training."""
    days = preprocess.groupby(SPLIT, observed=True)["date"].agg(["min", "max"]).reindex(SPLITS)
    ordered = all(days["min"].iloc[i + 1] > days["max"].iloc[i] for i in range(len(SPLITS) - 1))
    return dg.AssetCheckResult(passed=ordered, metadata={"days": dg.MetadataValue.md(days.to_string())})


@dg.asset_check(asset=preprocess_asset, blocking=True)
def labels_are_plausible(preprocess: DataFrame) -> dg.AssetCheckResult:
    """Test that every row has a label, and that in no split nearly all or nearly none are late."""
    missing = int(preprocess[LABEL].isna().sum())
    late = preprocess.groupby(SPLIT, observed=True)[LABEL].mean()
    return dg.AssetCheckResult(
        passed=missing == 0 and bool(late.between(0.05, 0.6).all()),
        metadata={"missing labels": missing, **{f"late in {split}": float(late[split]) for split in late.index}},
    )


@dg.asset_check(asset=evaluate_asset)
def quality_gate(evaluate: Evaluation) -> dg.AssetCheckResult:
    """Tell whether the winner is good enough for production."""
    return dg.AssetCheckResult(
        passed=evaluate.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(check.reason for check in evaluate.gate),
        metadata={"report": dg.MetadataValue.md(evaluation_markdown(evaluate))},
    )


CHECKS = [splits_follow_time, labels_are_plausible, quality_gate]
