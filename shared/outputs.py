"""Files that a command line names: if they cannot be written, they are refused before the work starts."""

import os
from pathlib import Path

from shared.errors import ConfigError


def check_output(file: Path, argument: str) -> None:
    """Raise ConfigError, naming the command line's `argument`, if `file` cannot be written. It is left as it is."""
    existed = os.path.exists(file)
    if existed and not os.path.isfile(file) and not os.path.isdir(file):
        return  # a pipe or a device: the program at its other end would notice
    try:
        file.open("ab").close()
    except OSError as error:
        raise ConfigError(f"{argument}: {file} cannot be written ({error.strerror}). Choose another file.") from None
    if not existed:
        file.unlink()
