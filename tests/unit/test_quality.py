"""The rules for the model's table hold for the real one, and each rule rejects a table that breaks it."""

from typing import Any

import pandas as pd
import pytest

from shared import quality
from shared.features import FEATURES


def test_the_real_table_keeps_every_rule(tiny_features: pd.DataFrame) -> None:
    assert quality.schema_problems(tiny_features) == []
    assert quality.leakage_problems(tiny_features) == []
    assert quality.balance_problems(tiny_features) == []


def test_every_numeric_feature_has_a_range(tiny_features: pd.DataFrame) -> None:
    numeric = list(quality.single_roc_auc(tiny_features))
    beyond = tiny_features.assign(**(tiny_features[numeric].astype("float64") + 9001))
    named = {problem.partition(":")[0] for problem in quality.schema_problems(beyond)}
    assert named == set(FEATURES) - set(tiny_features.select_dtypes("category"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"distance": 0}, "distance: in_range(1, 9000) fails for 29851 rows"),
        ({"arr_delay": 3}, "arr_delay: does not belong here"),
        ({"late": None}, "late: not_nullable fails for 29851 rows"),
    ],
)
def test_a_value_that_cannot_be_is_named(tiny_features: pd.DataFrame, change: dict[str, Any], problem: str) -> None:
    assert problem in quality.schema_problems(tiny_features.assign(**change))


def test_a_missing_column_is_named(tiny_features: pd.DataFrame) -> None:
    assert quality.schema_problems(tiny_features.drop(columns="plane_age")) == ["plane_age: is missing"]


def test_overlapping_splits_are_leakage(tiny_features: pd.DataFrame) -> None:
    swapped = tiny_features.assign(split=tiny_features["split"].replace({"train": "test", "test": "train"}))
    (first, second) = quality.leakage_problems(swapped)
    assert first.startswith("validation: begins on 2013-02-25, before train has ended")
    assert second.startswith("test: begins on")


def test_a_feature_that_knows_the_label_is_leakage(tiny_features: pd.DataFrame) -> None:
    (problem,) = quality.leakage_problems(tiny_features.assign(late_share_1d=1.0 - tiny_features["late"]))
    assert problem.startswith("late_share_1d: alone it reaches a ROC AUC of 0.000")


def test_only_late_flights_are_no_balance(tiny_features: pd.DataFrame) -> None:
    assert "test: 100.0% are late, expected 5% to 60%" in quality.balance_problems(tiny_features.assign(late=1))
    assert quality.balance_problems(tiny_features.assign(late=None))[0] == "late: 29851 rows have none"


def test_a_split_without_rows_is_named(tiny_features: pd.DataFrame) -> None:
    assert quality.leakage_problems(tiny_features[tiny_features["split"] != "test"]) == ["test: has no rows"]
