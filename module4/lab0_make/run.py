"""Run the lab's Makefile in the run's folder, as many steps at a time as there are processors."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from module4.measure import describe_failed_step
from module4.platforms import ROOT
from module4.runs import make_folder, one_at_a_time
from shared import steps
from shared.config import PipelineConfig
from shared.errors import ConfigError, PipelineError
from shared.fingerprint import Fingerprint
from shared.places import local_folder
from shared.progress import EVENTS_FILE

MAKEFILE = Path(__file__).resolve().with_name("Makefile")
OF_OUTER_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEFILES", "GNUMAKEFLAGS")
CONTINUE = "To continue, type the same command again: it makes only what is missing."


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Make the target `deploy` below `store`, which must be a folder because Make compares the times of files."""
    # This process may have been started by another make, whose job server and options are not meant for this one.
    environment = {name: value for name, value in os.environ.items() if name not in OF_OUTER_MAKE}
    command = ["make", f"-j{os.cpu_count()}", "deploy"]
    if status := make(store, command, {**environment, "PIPELINE_CONFIG": config.to_json()}):
        raise PipelineError(f"make ended with status {status}.")
    return steps.read_fingerprint(f"{store}/runs/make/deploy")


def make(store: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a GNU make command in the run's folder below `store`, when no other make works there; return its status.

    Make inherits this process's file descriptors. If it fails, a sentence on standard error names the step and says how
    to continue. Raises ConfigError if `store` is not a folder that can be written.
    """
    place = local_folder(store)
    if not place:
        raise ConfigError(f"store: Make works on files, so {store!r} must be a folder.")
    folder = place / "runs" / "make"
    make_folder(folder, "store")
    with one_at_a_time(folder), tempfile.NamedTemporaryFile(suffix=".jsonl") as own_events:
        events = environment.get(EVENTS_FILE, own_events.name)
        places = {"RUN": folder, "REGISTRY": folder.parents[1] / "registry", "ROOT": ROOT, "MAKEFILE": MAKEFILE}
        process = subprocess.Popen(
            [*command, "-f", str(MAKEFILE), "IN_RUN_FOLDER=1", "--no-print-directory"],
            cwd=folder,
            env={
                **environment,
                **{name: str(path) for name, path in places.items()},
                "PY": sys.executable,
                EVENTS_FILE: events,
            },
            close_fds=False,  # the job server's, and the lock: it is held until the last step has ended
        )
        try:
            status = process.wait()
        except KeyboardInterrupt:
            status = 128 + signal.SIGINT
        finally:
            process.terminate()
            process.wait()
        if status and events == own_events.name:
            lines = Path(events).read_text(encoding="utf-8").splitlines()
            step = describe_failed_step([json.loads(line) for line in lines])
            print(f"error: make stopped. {step or 'The line above names the target.'} {CONTINUE}", file=sys.stderr)
    return status
