"""Run the app with the real `modal run`: against the control plane of `infra/modal_local`, or in Modal's cloud.

python -m module4.lab4_modal.run [--preset tiny] [--gpu L40S] [--cloud]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from modal.config import config as modal_settings
from upath import UPath

from module4.lab4_modal.common import STORE, VOLUME
from module4.platforms import ROOT, WORKSPACE
from shared import steps
from shared.config import PRESETS, PipelineConfig, preset
from shared.errors import ConfigError, PipelineError, exit_on_error
from shared.fingerprint import Fingerprint
from shared.progress import EVENTS_FILE
from shared.storage import is_local

MODAL_RUN = [sys.executable, "-m", "modal", "run", "-m", "module4.lab4_modal.training"]
# Containers inherit nothing but these: where steps report to, and the keys of a store or of W&B.
INHERITED = (
    EVENTS_FILE,
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ENDPOINT_URL",
    "WANDB_API_KEY",
    "WANDB_DIR",
)


def run(config: PipelineConfig, store: str, *options: str) -> Fingerprint:
    """Run the pipeline below `store` and return its fingerprint; a local `store` becomes the app's Volume."""
    folder = Path(UPath(store).path).absolute() if is_local(UPath(store)) else None
    place = [f"--volume={VOLUME}={folder}"] if folder else []
    inherited = [f"--pass-env={name}" for name in INHERITED if name in os.environ]
    with tempfile.TemporaryDirectory() as temporary:
        result = Path(temporary, "deployment.json")
        text = _seen_from_inside(config, folder).to_json() if folder else config.to_json()
        app = [*MODAL_RUN, f"--config={text}", f"--store={STORE if folder else store}", f"--result={result}"]
        command = [sys.executable, "-m", "infra.modal_local", "run", *place, *inherited, "--", *app, *options]
        if code := subprocess.run(command, cwd=ROOT).returncode:
            raise PipelineError(f"modal run ended with exit code {code}; its output says why.")
        uri = json.loads(result.read_text())["uri"]
    return steps.read_fingerprint(f"{folder}{uri.removeprefix(STORE)}" if folder else uri)


def _seen_from_inside(config: PipelineConfig, folder: Path) -> PipelineConfig:
    """Count the attempts that are broken on purpose on the Volume: containers share nothing else."""
    if config.fault is None:
        return config
    state = config.fault.state.replace(str(folder), STORE)
    return config.model_copy(update={"fault": config.fault.model_copy(update={"state": state})})


def run_in_cloud(preset_name: str, *options: str) -> None:
    """Run the same file in Modal's cloud. Raises ConfigError, before anything is sent, when Modal finds no token."""
    if not (modal_settings.get("token_id") and modal_settings.get("token_secret")):
        raise ConfigError(
            "cloud: Modal finds no token. Run `.venv/bin/modal setup` once, or set MODAL_TOKEN_ID and "
            "MODAL_TOKEN_SECRET; without CLOUD=1 (--cloud) everything runs on this machine and needs none."
        )
    if code := subprocess.run([*MODAL_RUN, f"--preset={preset_name}", *options], cwd=ROOT).returncode:
        raise PipelineError(f"modal run ended with exit code {code}; its output says why.")


def main() -> None:
    """Run one of the presets, its output on this terminal."""
    parser = argparse.ArgumentParser(prog="python -m module4.lab4_modal.run")
    parser.add_argument("--preset", choices=PRESETS, default="tiny")
    parser.add_argument("--gpu", default="", help="ask for a GPU for the step train, such as L40S")
    parser.add_argument("--cloud", action="store_true", help="in Modal's cloud: needs an account, costs money")
    arguments = parser.parse_args()
    options = [f"--gpu={arguments.gpu}"] if arguments.gpu else []
    with exit_on_error():
        if arguments.cloud:
            run_in_cloud(arguments.preset, *options)
        else:
            run(preset(arguments.preset), str(WORKSPACE / "modal"), *options)


if __name__ == "__main__":
    main()
