"""Every Monday: is the model in production still right? If not, this app starts the training of the other one."""

import modal

from module4.lab4_modal.common import STORE, image, retries, synced, volume
from module4.lab4_modal.inference import today_in_2013
from shared import steps
from shared.storage import Summary

app = modal.App("monitoring", image=image, volumes={STORE: volume})


@app.function(timeout=600, retries=retries)
@synced()
def measure_drift(config: str, registry: str, day: str, output: str) -> Summary:
    """Compare the days before `day` with the weeks that the model was trained on."""
    return steps.measure_drift(config, registry, day, output)


@app.function(timeout=600, retries=retries)
@synced()
def decide_retraining(config: str, drift: str, output: str) -> Summary:
    """Decide whether to train again."""
    return steps.decide_retraining(config, drift, output)


@app.function(timeout=1800)
def watch(day: str, config: str = "tiny", store: str = STORE) -> Summary:
    """Measure and decide; if the model is outdated, call the deployed training app and do not wait for it."""
    folder = f"{store}/monitoring/{day}"
    drift = measure_drift.remote(config, f"{store}/registry", day, f"{folder}/measure_drift")
    decision = decide_retraining.remote(config, drift["uri"], f"{folder}/decide_retraining")
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
def main(day: str, config: str = "tiny", store: str = STORE) -> None:
    """Watch any day: `modal run -m module4.lab4_modal.monitoring --day 2013-07-08`."""
    decision = watch.remote(day, config, store)
    print("\n".join(decision["reasons"]))
    print(f"training again: {decision['training_call'] or 'no'}")
