"""The version of the training code: for caches, which see a step's inputs but not the code that it imports."""

import hashlib
from pathlib import Path

VERSION_LENGTH = 12


def code_version(folder: Path = Path(__file__).parent) -> str:
    """Return the first digits of the SHA-256 of all Python sources in `folder`, with their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}:{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:VERSION_LENGTH]
