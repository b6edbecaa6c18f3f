"""`python -m infra.answers URL [PART]`: the health check of a service in a container. Exit status 0 if it answers.

With PART, the answer must be JSON that calls that part healthy, as Airflow's API does for each of its services.
"""

import json
import sys
from urllib.request import ProxyHandler, build_opener


def answers(url: str, part: str = "", timeout: float = 20) -> bool:
    """Return whether `url` answers within `timeout` seconds, without a proxy, and calls `part` healthy."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=timeout) as response:
            return not part or json.load(response)[part]["status"] == "healthy"
    except (OSError, ValueError, KeyError, TypeError):  # a URLError is an OSError
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1], "".join(sys.argv[2:3])) else 1)
