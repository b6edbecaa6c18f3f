"""What must be true of the model's table: rules that a platform can test and show, and that can stop a run.

Each function returns what is wrong, one sentence per finding; an empty list means that all is well.
"""

from itertools import pairwise

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors
from sklearn.metrics import roc_auc_score

from shared.data import MAX_WIND_MPH, SOURCES
from shared.features import CATEGORIES, FEATURES, LABEL, SPLIT, SPLITS

# Smallest and largest possible value, by column or by the beginning of its name. Columns that come unchanged from a
# source keep the source's bounds.
RANGES: dict[str, tuple[float, float]] = {
    "day_of_week": (0, 6),
    "days_from_holiday": (-8, 8),
    "departure_minute": (0, 1439),
    "arrival_minute": (0, 1440),
    "scheduled_minutes": (0, 1440),
    "distance": SOURCES["flights"].columns["distance"].range,
    "plane_age": (0, 113),
    "plane_seats": SOURCES["planes"].columns["seats"].range,
    "departures_": (1, 2000),
    "weather_temp": SOURCES["weather"].columns["temp"].range,
    "weather_humid": SOURCES["weather"].columns["humid"].range,
    "weather_wind_": (0, MAX_WIND_MPH),
    "weather_precip": (0, 120),
    "weather_pressure_change": (-100, 100),
    "weather_pressure": SOURCES["weather"].columns["pressure"].range,
    "weather_visib": SOURCES["weather"].columns["visib"].range,
    "late": (0, 1),  # the label, and every share of late flights
}
LATE_SHARES = (0.05, 0.6)  # the smallest and largest plausible share in a split
# The best honest feature alone reaches a ROC AUC of 0.66. One that scores much higher must have seen the arrival.
MAX_SINGLE_ROC_AUC = 0.85


def schema_problems(features: pd.DataFrame) -> list[str]:
    """Check the columns, their types, and the ranges of their values."""
    schema = _schema()
    problems = [f"{name}: is missing" for name in schema.columns if name not in features]
    problems += [f"{name}: does not belong here" for name in features if name not in schema.columns]
    if problems:
        return problems
    try:
        schema.validate(features, lazy=True)
    except SchemaErrors as error:
        found = error.failure_cases.groupby(["column", "check"], sort=False).size()
        problems = [f"{column}: {check} fails for {rows} rows" for (column, check), rows in found.items()]
    return problems


def leakage_problems(features: pd.DataFrame) -> list[str]:
    """Check that the table holds nothing from the future: splits follow time, and no feature knows the label."""
    days = {split: features.loc[features[SPLIT] == split, "date"] for split in SPLITS}
    if empty := [split for split, found in days.items() if found.empty]:
        return [f"{split}: has no rows" for split in empty]
    problems = [
        f"{later}: begins on {days[later].min():%Y-%m-%d}, before {earlier} has ended"
        for earlier, later in pairwise(SPLITS)
        if not days[later].min() > days[earlier].max()
    ]
    for name, auc in single_roc_auc(features).items():
        if max(auc, 1 - auc) > MAX_SINGLE_ROC_AUC:
            problems.append(f"{name}: alone it reaches a ROC AUC of {auc:.3f}; does it know the arrival?")
    return problems


def single_roc_auc(features: pd.DataFrame) -> dict[str, float]:
    """Return the ROC AUC of each numeric feature alone; missing values are left out."""
    scores = {}
    for name in [name for name in FEATURES if name not in CATEGORIES]:
        known = features[name].notna()
        if features.loc[known, LABEL].nunique() == 2:
            scores[name] = float(roc_auc_score(features.loc[known, LABEL], features.loc[known, name]))
    return scores


def balance_problems(features: pd.DataFrame) -> list[str]:
    """Check that every row has a label, and that every split has a plausible share of late flights."""
    missing = int(features[LABEL].isna().sum())
    problems = [f"{LABEL}: {missing} rows have none"] if missing else []
    low, high = LATE_SHARES
    return problems + [
        f"{split}: {share:.1%} are late, expected {low:.0%} to {high:.0%}"
        for split, share in late_shares(features).items()
        if not low <= share <= high
    ]


def late_shares(features: pd.DataFrame) -> dict[str, float]:
    """Return the share of late flights per split."""
    shares = features.groupby(SPLIT, observed=True)[LABEL].mean()
    return {str(split): float(share) for split, share in shares.items()}


def _schema() -> pa.DataFrameSchema:
    columns = {name: pa.Column(checks=_in_range(name), nullable=True) for name in FEATURES if name not in CATEGORIES}
    columns |= {name: pa.Column("category", nullable=True) for name in CATEGORIES}
    columns |= {
        LABEL: pa.Column(checks=_in_range(LABEL)),
        "date": pa.Column("datetime64[ms]"),
        SPLIT: pa.Column("category", pa.Check.isin(SPLITS)),
    }
    return pa.DataFrameSchema(columns)


def _in_range(name: str) -> pa.Check:
    prefix = max((prefix for prefix in RANGES if name.startswith(prefix)), key=len)
    return pa.Check.in_range(*RANGES[prefix])
