"""Run the training job in this process; the run is recorded where `dg dev` will show it."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from infra.processes import without_proxy
from module4.platforms import WORKSPACE
from shared import steps
from shared.config import PipelineConfig, parse
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint
from shared.places import local_folder

if TYPE_CHECKING:
    import dagster as dg


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run the pipeline below `store` and return its fingerprint. Raises PipelineError that names the failed steps."""
    config_json = parse(config.to_json()).to_json()  # nothing is written for a configuration that cannot be used
    prepare_environment(store)
    import dagster as dg

    from module4.lab3_dagster.definitions import defs
    from module4.lab3_dagster.resources import overrides

    # The job that the web pages know: they can start this run again from where it failed.
    job = defs.resolve_job_def("training")
    with dg.DagsterInstance.get() as instance, limited_runtime(instance):
        result = job.execute_in_process(
            overrides(config_json, store),
            instance,
            tags={"preset": config.preset},
            raise_on_error=False,  # all errors are in the log already
        )
    if not result.success:
        raise PipelineError(" ".join(event.message or "" for event in result.get_step_failure_events()))
    return steps.read_fingerprint(f"{store}/runs/{result.run_id}/deployment")


def prepare_environment(store: str) -> None:
    """Make Dagster keep its records where `prepare_home` says, and talk to itself without a proxy.

    Its processes do not print that Dagster itself uses a parameter that is in beta.
    """
    quiet = ["ignore:Parameter `include_sources`", os.environ.get("PYTHONWARNINGS", "")]
    os.environ |= {"DAGSTER_HOME": str(prepare_home(store)), **without_proxy(os.environ)}
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, quiet))


@contextmanager
def limited_runtime(instance: "dg.DagsterInstance") -> Iterator[None]:
    """Interrupt the run inside the block after as long as Dagster's daemon lets a run take.

    Raises PipelineError then. Only the main thread of a process can be interrupted; elsewhere there is no limit.
    """
    seconds = instance.run_monitoring_max_runtime_seconds
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    expired: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        expired.append(number)
        signal.raise_signal(signal.SIGINT)  # Dagster ends the run as after Ctrl-C

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    try:
        yield
    except BaseException:
        if not expired:
            raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    if expired:
        raise PipelineError(
            f"the run was stopped after {seconds} s. To allow more, change max_runtime_seconds in "
            "module4/lab3_dagster/dagster.yaml."
        )


def prepare_home(store: str) -> Path:
    """Make the folder of Dagster's own records (runs, events, check results): in the store, if that is a folder."""
    home = (local_folder(store) or WORKSPACE / "dagster") / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("dagster.yaml"), home)
    return home
