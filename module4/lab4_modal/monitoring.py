"""Every Monday: is the model in production still right? If it is not, this app starts the training app."""

import modal

from module4.lab4_modal.inference import today_in_2013
from module4.lab4_modal.training import STORE, image, retries, synced_volume, volume
from shared import steps
from shared.config import parse
from shared.errors import exit_on_error
from shared.storage import Summary

app = modal.App("monitoring", image=image, volumes={STORE: volume})


@app.function(timeout=600, retries=retries)
def measure_drift(config_json: str, registry: str, day: str, output: str) -> Summary:
    """Compare the days before `day` with the weeks on which the model was trained."""
    with synced_volume():
        return steps.measure_drift(config_json, registry, day, output)


@app.function(timeout=600, retries=retries)
def decide_retraining(config_json: str, drift: str, output: str) -> Summary:
    """Decide whether to retrain."""
    with synced_volume():
        return steps.decide_retraining(config_json, drift, output)


@app.function(timeout=1800)
def watch(day: str, config_json: str = "tiny", store: str = STORE) -> Summary:
    """Measure drift and decide. If the model is outdated, start the deployed training app without waiting for it."""
    from shared.inference import parse_day

    day = parse_day(day, parse(config_json)).isoformat()  # it becomes a folder's name
    folder = f"{store}/monitoring/{day}"
    drift = measure_drift.remote(config_json, f"{store}/registry", day, f"{folder}/measure_drift")
    decision = decide_retraining.remote(config_json, drift["uri"], f"{folder}/decide_retraining")
    call = ""
    if decision["retrain"]:
        pipeline = modal.Function.from_name("training", "pipeline")
        call = pipeline.spawn(decision["config"], store).object_id
    return {**decision, "training_call": call}


@app.function(schedule=modal.Cron("0 6 * * mon", timezone="America/New_York"), timeout=3600, max_containers=1)
def every_week() -> None:
    """Watch the model in production."""
    print(watch.local(today_in_2013()))


@app.local_entrypoint()
def main(day: str, config_json: str = "tiny", store: str = STORE) -> None:
    """Watch on any day: `modal run -m module4.lab4_modal.monitoring --day 2013-07-08`."""
    from shared.inference import parse_day

    with exit_on_error():
        parse_day(day, parse(config_json))
    decision = watch.remote(day, config_json, store)
    print("\n".join(decision["reasons"]))
    print(f"retraining: {decision['training_call'] or 'no'}")
