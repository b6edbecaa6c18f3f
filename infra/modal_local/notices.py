"""Messages to the user on the control plane's terminal, above all about what an app asks for and does not get."""

import sys

_shown: set[tuple[str, str]] = set()


def show(sentence: str, app_id: str = "") -> None:
    """Print a sentence on stderr, once per app."""
    if (app_id, sentence) not in _shown:
        _shown.add((app_id, sentence))
        print(f"infra.modal_local: {sentence}", file=sys.stderr, flush=True)
