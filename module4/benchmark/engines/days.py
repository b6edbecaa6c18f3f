"""Predict days in a row on one platform, as its lab does it.

`python -m module4.benchmark.engines.days PLATFORM STORE FIRST COUNT`; the store has a model in production.
Days follow each other, except on Modal, which maps them over containers.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from infra.processes import without_proxy
from shared.config import preset

PRESET = "tiny"


def python(store: str, days: Sequence[date]) -> None:
    """Call the steps."""
    from shared import steps

    config = preset(PRESET).to_json()
    for day in days:
        folder = f"{store}/inference/{day}"
        batch = steps.load_batch(config, day.isoformat(), f"{folder}/load_batch")["uri"]
        model = steps.load_model(config, f"{store}/registry", f"{folder}/load_model")["uri"]
        predictions = steps.predict(config, batch, model, f"{folder}/predict")["uri"]
        steps.save_predictions(config, predictions, f"{store}/predictions")


def airflow(store: str, days: Sequence[date]) -> None:
    """Test the DAG with each logical date."""
    from module4.lab1_airflow.environment import configure_airflow

    configure_airflow(store)
    from airflow.utils.db import upgradedb

    from module4.lab1_airflow.inference import inference_dag

    upgradedb()
    for day in days:
        date_time = datetime(day.year, day.month, day.day, tzinfo=UTC)
        done = inference_dag.test(logical_date=date_time, run_conf={"config": PRESET, "store": store})
        if done.state != "success":
            sys.exit(f"{day}: {done.state}")


def kubeflow(store: str, days: Sequence[date]) -> None:
    """Run the pipeline for each day."""
    from module4.lab2_kubeflow.run import run_inference

    for day in days:
        run_inference(preset(PRESET), store, day.isoformat())


def dagster(store: str, days: Sequence[date]) -> None:
    """Materialize each day's partitions."""
    from module4.lab3_dagster.run import prepare_environment

    prepare_environment(store)
    import dagster as dg

    from module4.lab3_dagster.inference import ASSETS
    from module4.lab3_dagster.resources import resources

    bound = resources(PRESET, store)
    daily = [asset for asset in ASSETS if asset.partitions_def]
    with dg.DagsterInstance.get() as instance:
        dg.materialize(ASSETS, selection=["production_model"], resources=bound, instance=instance)
        for day in days:
            dg.materialize(ASSETS, selection=daily, resources=bound, instance=instance, partition_key=day.isoformat())


def modal(store: str, days: Sequence[date]) -> None:
    """Start the app once; it maps its function over the days."""
    import os

    from module4.lab4_modal.run import INHERITED
    from module4.lab4_modal.training import VOLUME
    from module4.platforms import ROOT

    app = [sys.executable, "-m", "modal", "run", "-m", "module4.lab4_modal.inference"]
    options = [f"--first={days[0]}", f"--days={len(days)}", f"--config-json={PRESET}"]
    inherited = [f"--pass-env={name}" for name in INHERITED if name in os.environ]
    plane = [sys.executable, "-m", "infra.modal_local", "run", f"--volume={VOLUME}={store}", *inherited, "--"]
    sys.exit(
        subprocess.run([*plane, *app, *options], cwd=ROOT, env={**os.environ, **without_proxy(os.environ)}).returncode
    )


PLATFORMS: dict[str, Callable[[str, Sequence[date]], None]] = {
    function.__name__: function for function in (python, airflow, kubeflow, dagster, modal)
}


def main() -> None:
    """Predict the days that the command line names."""
    name, store, first, count = sys.argv[1:]
    begin = date.fromisoformat(first)
    PLATFORMS[name](store, [begin + timedelta(days=number) for number in range(int(count))])


if __name__ == "__main__":
    main()
