"""Predictions for one day: the flights as they were scheduled, with what was known about each before its hour.

The features are those of training, made by the same functions. A day's predictions are one partition. Made again with
the same model, they do not change; made with another model, they replace the old ones.
"""

import re
from datetime import date, datetime, timedelta

import pandas as pd

from shared import artifacts, fitted
from shared.config import DATA_BEGIN, DATA_END, PipelineConfig
from shared.data import load_flights, with_sorted_categories
from shared.errors import DataError
from shared.features import FEATURES, build_features
from shared.progress import logged_step
from shared.registry import Champion, Registry
from shared.storage import Summary

IDENTITY = ["date", "hour", "carrier", "flight", "tailnum", "origin", "dest"]


def parse_day(text: str, config: PipelineConfig | None = None) -> date:
    """Return the day of an ISO date (2013-03-06) or timestamp (2013-03-06T05:00:00+00:00).

    Raises DataError for anything else, and for a day that the configuration's data, by default that of 2013, does not
    cover.
    """
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+([+-][0-9:]+|Z)?)?", text):
            raise ValueError(text)
        day = datetime.fromisoformat(text).date()
    except ValueError:
        raise DataError(f"day: {text[:80]!r} is not a date. Write it like {DATA_BEGIN}.") from None
    begin, end = (config.data_begin, config.data_end) if config else (DATA_BEGIN, DATA_END)
    if not begin <= day <= end:
        raise DataError(f"day: {day} is outside the data, which covers {begin} to {end}.")
    return day


@logged_step
def load_batch(config: PipelineConfig, day: date) -> pd.DataFrame:
    """Return IDENTITY and FEATURES, without the label, of each flight scheduled on `day` (New York's calendar).

    Raises DataError if no flight is scheduled on that day.
    """
    flights = load_flights(config, day, day + timedelta(days=1))
    table = build_features(flights)
    batch = pd.concat([flights[[name for name in IDENTITY if name not in FEATURES]], table[FEATURES]], axis="columns")
    batch = batch[batch["date"] == pd.Timestamp(day)].reset_index(drop=True)
    if batch.empty:
        raise DataError(f"load_batch: no flight is scheduled on {day}. Choose another day.")
    return with_sorted_categories(batch)


@logged_step
def load_model(config: PipelineConfig, registry: Registry) -> Champion:
    """Return the model in production. Raises RegistryError if there is none."""
    return registry.get_champion()


@logged_step
def predict(config: PipelineConfig, champion: Champion, batch: pd.DataFrame) -> pd.DataFrame:
    """Return a row per flight of the batch: IDENTITY, `probability` of being late, and the model's `version`."""
    return batch[IDENTITY].assign(
        probability=fitted.predict(champion.model, batch),
        version=pd.Categorical([champion.version] * len(batch)),
    )


@logged_step
def save_predictions(config: PipelineConfig, predictions: pd.DataFrame, partitions: str) -> Summary:
    """Store a day's predictions as the artifact `<partitions>/date=<day>` and return its summary, with the `uri`.

    Raises DataError unless the predictions are for exactly one day.
    """
    days = predictions["date"].dt.date.unique()
    if len(days) != 1:
        raise DataError(f"save_predictions: a partition holds one day, got {len(days)}. Give one day's predictions.")
    summary = artifacts.save(predictions, f"{partitions}/date={days[0]}")
    return {
        **summary,
        "day": days[0].isoformat(),
        "version": str(predictions["version"].iloc[0]),
        "mean_probability": float(predictions["probability"].mean()),
    }
