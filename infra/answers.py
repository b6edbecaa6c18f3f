"""`python -m infra.answers URL`: the health check of a service inside its container. Exit status 0 if it answers."""

import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener


def answers(url: str, timeout: float = 20) -> bool:
    """Return whether `url` answers with a success within `timeout` seconds. No proxy is asked."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=timeout):
            return True
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
