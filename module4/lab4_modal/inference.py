"""Predictions every morning: a deployed app that Modal's own clock calls, with nothing of ours kept running.

A scheduled function gets no arguments, and there is no backfill: `modal run` calls the same function for any days.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import modal

from module4.lab4_modal.common import STORE, image, retries, synced, volume
from shared import steps
from shared.config import in_2013
from shared.storage import Summary

app = modal.App("inference", image=image, volumes={STORE: volume})


@app.function(timeout=600, retries=retries)
@synced()
def load_batch(config: str, day: str, output: str) -> Summary:
    """Make the features of the day's flights."""
    return steps.load_batch(config, day, output)


@app.function(timeout=600, retries=retries)
@synced()
def load_model(config: str, registry: str, output: str) -> Summary:
    """Copy the model that is in production."""
    return steps.load_model(config, registry, output)


@app.function(timeout=600, retries=retries)
@synced()
def predict(config: str, batch: str, model: str, output: str) -> Summary:
    """Predict the day's flights."""
    return steps.predict(config, batch, model, output)


@app.function(timeout=600, retries=retries)
@synced()
def save_predictions(config: str, predictions: str, partitions: str) -> Summary:
    """Store the day's partition; again, it changes nothing."""
    return steps.save_predictions(config, predictions, partitions)


@app.function(timeout=1800, max_containers=4)
def predict_day(day: str, config: str = "tiny", store: str = STORE) -> Summary:
    """Predict one day. The first two steps do not wait for each other: `.spawn()` starts a call and returns at once."""
    folder = f"{store}/inference/{day}"
    started = load_batch.spawn(config, day, f"{folder}/load_batch")
    model = load_model.remote(config, f"{store}/registry", f"{folder}/load_model")
    batch = started.get()
    predictions = predict.remote(config, batch["uri"], model["uri"], f"{folder}/predict")
    return save_predictions.remote(config, predictions["uri"], f"{store}/predictions")


@app.function(schedule=modal.Cron("30 5 * * *", timezone="America/New_York"), timeout=3600, max_containers=1)
def every_morning() -> None:
    """Predict today, before the first departure."""
    print(predict_day.local(today_in_2013()))


def today_in_2013() -> str:
    """Return the day of 2013, the year of the data, that stands for today."""
    return in_2013(datetime.now(ZoneInfo("America/New_York")).date()).isoformat()


@app.local_entrypoint()
def main(first: str, days: int = 1, config: str = "tiny", store: str = STORE) -> None:
    """Backfill: `modal run -m module4.lab4_modal.inference --first 2013-03-11 --days 7`, a few days at a time."""
    dates = [(date.fromisoformat(first) + timedelta(days=number)).isoformat() for number in range(days)]
    for summary in predict_day.map(dates, kwargs={"config": config, "store": store}):
        print(f"{summary['day']}: {summary['mean_probability']:.3f} late on average, by {summary['version']}")
