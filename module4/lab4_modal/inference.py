"""Predictions every morning: Modal's own clock calls the deployed app, so nothing of ours has to keep running.

A scheduled function gets no arguments, and Modal has no backfill: `modal run` calls the same function for any day.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import modal

from module4.lab4_modal.training import STORE, image, retries, synced_volume, volume
from shared import steps
from shared.config import in_2013, parse
from shared.errors import exit_on_error
from shared.storage import Summary

app = modal.App("inference", image=image, volumes={STORE: volume})


@app.function(timeout=600, retries=retries)
def load_batch(config_json: str, day: str, output: str) -> Summary:
    """Compute the features of the day's flights."""
    with synced_volume():
        return steps.load_batch(config_json, day, output)


@app.function(timeout=600, retries=retries)
def load_model(config_json: str, registry: str, output: str) -> Summary:
    """Copy the model that is in production."""
    with synced_volume():
        return steps.load_model(config_json, registry, output)


@app.function(timeout=600, retries=retries)
def predict(config_json: str, batch: str, model: str, output: str) -> Summary:
    """Predict the day's flights."""
    with synced_volume():
        return steps.predict(config_json, batch, model, output)


@app.function(timeout=600, retries=retries)
def save_predictions(config_json: str, predictions: str, partitions: str) -> Summary:
    """Store the day's partition; storing it again changes nothing."""
    with synced_volume():
        return steps.save_predictions(config_json, predictions, partitions)


@app.function(timeout=1800, max_containers=4)
def predict_day(day: str, config_json: str = "tiny", store: str = STORE) -> Summary:
    """Predict one day. The first two steps run at the same time: `.spawn()` starts a call without waiting for it."""
    from shared.inference import parse_day

    day = parse_day(day, parse(config_json)).isoformat()  # it becomes a folder's name
    folder = f"{store}/inference/{day}"
    started = load_batch.spawn(config_json, day, f"{folder}/load_batch")
    model = load_model.remote(config_json, f"{store}/registry", f"{folder}/load_model")
    batch = started.get()
    predictions = predict.remote(config_json, batch["uri"], model["uri"], f"{folder}/predict")
    return save_predictions.remote(config_json, predictions["uri"], f"{store}/predictions")


@app.function(schedule=modal.Cron("30 5 * * *", timezone="America/New_York"), timeout=3600, max_containers=1)
def every_morning() -> None:
    """Predict today's flights before the first departure."""
    print(predict_day.local(today_in_2013()))


def today_in_2013() -> str:
    """Return today's date in 2013, the year of the data."""
    return in_2013(datetime.now(ZoneInfo("America/New_York")).date()).isoformat()


@app.local_entrypoint()
def main(first: str, days: int = 1, config_json: str = "tiny", store: str = STORE) -> None:
    """Backfill a few days: `modal run -m module4.lab4_modal.inference --first 2013-03-11 --days 7`."""
    from shared.inference import parse_day

    with exit_on_error():
        config = parse(config_json)
        begin = parse_day(first, config)
        dates = [parse_day((begin + timedelta(days=number)).isoformat(), config).isoformat() for number in range(days)]
    for summary in predict_day.map(dates, kwargs={"config_json": config_json, "store": store}):
        print(f"{summary['day']}: {summary['mean_probability']:.3f} late on average, by {summary['version']}")
