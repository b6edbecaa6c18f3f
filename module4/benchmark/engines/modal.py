"""Modal: the real `modal run`, against the control plane on this machine."""

import os
import subprocess
import sys

from infra.processes import without_proxy
from module4.benchmark.engines.noop import EVENTS_FILE, SHAPE, WORK


def main() -> None:
    """Run the app once; Modal keeps nothing between runs."""
    inherited = [f"--pass-env={name}" for name in (EVENTS_FILE, SHAPE, WORK) if name in os.environ]
    run = [sys.executable, "-m", "modal", "run", "-m", "module4.benchmark.engines.modal_app"]
    command = [sys.executable, "-m", "infra.modal_local", "run", *inherited, "--", *run]
    sys.exit(subprocess.run(command, env={**os.environ, **without_proxy(os.environ)}).returncode)


if __name__ == "__main__":
    main()
