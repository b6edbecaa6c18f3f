"""`python -m module4.worker PLATFORM CONFIG STORE RESULT`: run one platform, write its fingerprint to RESULT."""

import json
import logging
import sys
from importlib import import_module
from pathlib import Path

from module4.platforms import PLATFORMS
from shared.config import parse


def main() -> None:
    """Import only the platform that was asked for; its whole output goes to the log of `measure.measured_run`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    name, config, store, result = sys.argv[1:]
    fingerprint = import_module(PLATFORMS[name].module).run(parse(config), store)
    Path(result).write_text(json.dumps(fingerprint))


if __name__ == "__main__":
    main()
