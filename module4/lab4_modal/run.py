"""Run the app with the real `modal run`, without an account: against the control plane of `infra/modal_local`."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from upath import UPath

from module4.platforms import ROOT
from shared import steps
from shared.config import PipelineConfig
from shared.errors import PipelineError
from shared.fingerprint import Fingerprint
from shared.progress import EVENTS_FILE
from shared.storage import is_local

VOLUME, MOUNTED_AT = "training-store", "/store"
# Containers inherit nothing but these: where steps report to, and the keys of a store or of W&B.
INHERITED = (
    EVENTS_FILE,
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ENDPOINT_URL",
    "WANDB_API_KEY",
    "WANDB_DIR",
)


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run the pipeline below `store` and return its fingerprint; a local `store` becomes the app's Volume."""
    folder = Path(UPath(store).path).absolute() if is_local(UPath(store)) else None
    place = [f"--volume={VOLUME}={folder}"] if folder else []
    inherited = [f"--pass-env={name}" for name in INHERITED if name in os.environ]
    with tempfile.TemporaryDirectory() as temporary:
        result = Path(temporary, "deployment.json")
        app = ["modal", "run", "-m", "module4.lab4_modal.training", f"--config={config.to_json()}"]
        app += [f"--store={MOUNTED_AT if folder else store}", f"--result={result}"]
        command = [sys.executable, "-m", "infra.modal_local", "run", *place, *inherited, "--", *app]
        if code := subprocess.run(command, cwd=ROOT).returncode:
            raise PipelineError(f"modal run ended with exit code {code}; its output says why.")
        uri = json.loads(result.read_text())["uri"]
    return steps.read_fingerprint(f"{folder}{uri.removeprefix(MOUNTED_AT)}" if folder else uri)
