"""Run the training app with the real `modal run`: against the control plane on this machine, or in Modal's cloud."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from modal.config import config as modal_config

from infra.processes import without_proxy
from module4.lab4_modal.training import STORE, VOLUME
from module4.platforms import ROOT
from shared import steps
from shared.config import PipelineConfig
from shared.errors import ConfigError, PipelineError
from shared.fingerprint import Fingerprint
from shared.places import local_folder
from shared.progress import EVENTS_FILE

MODAL_RUN = [sys.executable, "-m", "modal", "run", "-m", "module4.lab4_modal.training"]
# Containers inherit only these: where steps report to, and the keys of a store or of W&B.
INHERITED = (
    EVENTS_FILE,
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ENDPOINT_URL",
    "WANDB_API_KEY",
    "WANDB_DIR",
)
GPUS = ("T4", "L4", "A10", "A10G", "A100", "A100-40GB", "A100-80GB", "L40S", "H100", "H200", "B200", "RTX-PRO-6000")


def run(config: PipelineConfig, store: str, *options: str) -> Fingerprint:
    """Run the pipeline below `store` and return its fingerprint; a local `store` becomes the app's volume."""
    folder = local_folder(store)
    bound = [f"--volume={VOLUME}={folder}"] if folder else []
    inherited = [f"--pass-env={name}" for name in INHERITED if name in os.environ]
    with tempfile.TemporaryDirectory() as temporary:
        result = Path(temporary, "deployment.json")
        text = _with_fault_on_volume(config, folder).to_json() if folder else config.to_json()
        app = [*MODAL_RUN, f"--config-json={text}", f"--store={STORE if folder else store}", f"--result={result}"]
        command = [sys.executable, "-m", "infra.modal_local", "run", *bound, *inherited, "--", *app, *options]
        # The control plane is on this machine, and answers over HTTP too.
        if code := subprocess.run(command, cwd=ROOT, env={**os.environ, **without_proxy(os.environ)}).returncode:
            raise PipelineError(f"modal run ended with exit code {code}; its output says why.")
        uri = json.loads(result.read_text(encoding="utf-8"))["uri"]
    return steps.read_fingerprint(f"{folder}{uri.removeprefix(STORE)}" if folder else uri)


def _with_fault_on_volume(config: PipelineConfig, folder: Path) -> PipelineConfig:
    """Let an injected fault count its attempts on the volume: containers share nothing else."""
    if config.fault is None:
        return config
    state = config.fault.state.replace(str(folder), STORE)
    return config.model_copy(update={"fault": config.fault.model_copy(update={"state": state})})


def run_in_cloud(preset: str, *options: str) -> None:
    """Run the same file in Modal's cloud. Raises ConfigError, before anything is sent, if Modal finds no token."""
    if not (modal_config.get("token_id") and modal_config.get("token_secret")):
        raise ConfigError(
            "cloud: Modal finds no token. Run `.venv/bin/modal setup` once, or set MODAL_TOKEN_ID and "
            "MODAL_TOKEN_SECRET; without CLOUD=1 (--cloud) everything runs on this machine and needs no token."
        )
    if code := subprocess.run([*MODAL_RUN, f"--preset={preset}", *options], cwd=ROOT).returncode:
        raise PipelineError(f"modal run ended with exit code {code}; its output says why.")


def check_gpu(gpu: str) -> str:
    """Return `gpu` if Modal rents such a GPU, or up to eight of them (`A100:2`). Raises ConfigError if it does not."""
    kind, _, count = gpu.partition(":")
    if kind.upper().removesuffix("!") not in GPUS or not re.fullmatch(r"[1-8]?", count) or gpu.endswith(":"):
        raise ConfigError(f"gpu: {gpu!r} is not a GPU of Modal's; choose {', '.join(GPUS)}, or several as A100:2.")
    return gpu
