"""Asset checks: what must be true of an asset, kept and shown beside it.

A *blocking* check that fails ends the run before anything uses the asset. The others only tell.
"""

import dagster as dg
from pandas import DataFrame

from module4.lab3_dagster.assets import evaluate as evaluate_asset
from module4.lab3_dagster.assets import preprocess as preprocess_asset
from shared import quality
from shared.evaluation import Check, Evaluation


def result(problems: list[str], **metadata: dg.MetadataValue) -> dg.AssetCheckResult:
    """Return a check's result: it passes when there is no problem, or names them."""
    return dg.AssetCheckResult(passed=not problems, description="; ".join(problems), metadata=metadata)


@dg.asset_check(asset=preprocess_asset, blocking=True)
def schema_and_ranges(preprocess: DataFrame) -> dg.AssetCheckResult:
    """Test that all columns are there, and that every value is one that can be."""
    return result(quality.schema_problems(preprocess))


@dg.asset_check(asset=preprocess_asset, blocking=True)
def no_leakage(preprocess: DataFrame) -> dg.AssetCheckResult:
    """Test that nothing of the future is in the table: splits follow time, and no feature knows the label."""
    alone = quality.single_roc_auc(preprocess)
    best = max(alone, key=lambda name: alone[name])
    return result(
        quality.leakage_problems(preprocess),
        **{"best single feature": dg.MetadataValue.text(best), "its ROC AUC": dg.MetadataValue.float(alone[best])},
    )


@dg.asset_check(asset=preprocess_asset, blocking=True)
def class_balance(preprocess: DataFrame) -> dg.AssetCheckResult:
    """Test that every row has a label, and that in no split nearly all or nearly none are late."""
    shares = {
        f"late in {split}": dg.MetadataValue.float(share) for split, share in quality.late_shares(preprocess).items()
    }
    return result(quality.balance_problems(preprocess), **shares)


@dg.asset_check(asset=evaluate_asset, blocking=True)
def quality_gate(evaluate: Evaluation) -> dg.AssetCheckResult:
    """Stop a winner that no one should use: `deploy` does not run, staging and production stay as they are."""
    return result([check.reason for check in evaluate.gate if not check.passed and not _of_champion(check)])


@dg.asset_check(asset=evaluate_asset)
def beats_the_champion(evaluate: Evaluation) -> dg.AssetCheckResult:
    """Tell whether the winner is as good as the model in production. If not, it goes to staging only."""
    compared = [check for check in evaluate.gate if _of_champion(check)]
    return dg.AssetCheckResult(
        passed=all(check.passed for check in compared),
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(check.reason for check in compared) or "There is no champion to compare with.",
    )


def _of_champion(check: Check) -> bool:
    return "champion" in check.name


CHECKS = [schema_and_ranges, no_leakage, class_balance, quality_gate, beats_the_champion]
