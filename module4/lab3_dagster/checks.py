"""Asset checks: what must be true of an asset, kept and shown beside it.

If a *blocking* check fails, the run ends before anything uses the asset. The others only report.
"""

import dagster as dg
from pandas import DataFrame

from module4.lab3_dagster import assets
from shared import quality
from shared.evaluation import Evaluation
from shared.gate import Check


def result(problems: list[str], **metadata: dg.MetadataValue) -> dg.AssetCheckResult:
    """Return a check's result: it passes if there are no problems, and names them otherwise."""
    return dg.AssetCheckResult(passed=not problems, description="; ".join(problems), metadata=metadata)


@dg.asset_check(asset=assets.features, blocking=True)
def schema_and_ranges(features: DataFrame) -> dg.AssetCheckResult:
    """Test that no column is missing, and that every value is possible."""
    return result(quality.schema_problems(features))


@dg.asset_check(asset=assets.features, blocking=True)
def no_leakage(features: DataFrame) -> dg.AssetCheckResult:
    """Test that the table holds nothing from the future: splits follow time, and no feature knows the label."""
    alone = quality.single_roc_auc(features)
    best = max(alone, key=lambda name: alone[name])
    return result(
        quality.leakage_problems(features),
        **{"best single feature": dg.MetadataValue.text(best), "its ROC AUC": dg.MetadataValue.float(alone[best])},
    )


@dg.asset_check(asset=assets.features, blocking=True)
def class_balance(features: DataFrame) -> dg.AssetCheckResult:
    """Test that every row has a label, and that every split has a plausible share of late flights."""
    shares = {
        f"late in {split}": dg.MetadataValue.float(share) for split, share in quality.late_shares(features).items()
    }
    return result(quality.balance_problems(features), **shares)


@dg.asset_check(asset=assets.evaluation, blocking=True)
def quality_gate(evaluation: Evaluation) -> dg.AssetCheckResult:
    """Stop a winner that nobody should use: no deployment is made, and staging and production stay as they are."""
    return result([check.reason for check in evaluation.gate if not check.passed and not _of_champion(check)])


@dg.asset_check(asset=assets.evaluation)
def beats_the_champion(evaluation: Evaluation) -> dg.AssetCheckResult:
    """Test that the winner is as good as the model in production. If not, it goes only to staging."""
    compared = [check for check in evaluation.gate if _of_champion(check)]
    return dg.AssetCheckResult(
        passed=all(check.passed for check in compared),
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(check.reason for check in compared) or "There is no champion to compare with.",
    )


def _of_champion(check: Check) -> bool:
    return "champion" in check.name


CHECKS = [schema_and_ranges, no_leakage, class_balance, quality_gate, beats_the_champion]
