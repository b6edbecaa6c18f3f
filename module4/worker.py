"""`python -m module4.worker PLATFORM CONFIG STORE RESULT`: run one platform, write its outcome to RESULT."""

import json
import logging
import sys
import traceback
from importlib import import_module
from pathlib import Path

from module4.platforms import PLATFORMS
from shared.config import parse
from shared.errors import PipelineError


def main() -> None:
    """Import only the platform that was asked for; its whole output goes to the log of `measure.measured_run`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    name, config, store, result = sys.argv[1:]
    try:
        outcome = {"fingerprint": import_module(PLATFORMS[name].module).run(parse(config), store)}
    except PipelineError as error:
        traceback.print_exc()
        outcome = {"error": str(error)}
    Path(result).write_text(json.dumps(outcome), encoding="utf-8")
    sys.exit("error" in outcome)


if __name__ == "__main__":
    main()
