"""What a URI means: a folder or file on this machine, or in a bucket of an S3-compatible store. Nothing else."""

import os
import re
from pathlib import Path

from upath import UPath

from shared import s3
from shared.errors import ConfigError

Place = Path | UPath  # on a disk, or in a bucket

_ADVICE = "Use a folder, or an S3-compatible store as s3://BUCKET/FOLDER."


def parse_place(uri: str) -> Place:
    """Return the path that a URI means; `~` is the home folder. Raises ConfigError for a URI that cannot be used."""
    if not uri.strip() or re.search(r"[\x00-\x1f\x7f]", uri):
        raise ConfigError(f"store: {uri!r} is not a place. {_ADVICE}")
    scheme, rest = _split(uri)
    if scheme in ("s3", "s3a"):
        return s3.open_path(_bucket_uri(uri, rest))
    if scheme == "file" and not rest.startswith("/"):
        raise ConfigError(f"store: {uri!r} is not absolute. Write it as file:///FOLDER, or as a plain path.")
    if scheme == "memory":
        raise ConfigError(f"store: {uri!r} would keep nothing after its process ends. {_ADVICE}")
    if scheme not in ("", "file"):
        raise ConfigError(f"store: {uri!r} cannot be used: {scheme}:// is not supported. {_ADVICE}")
    path = os.path.expanduser(rest)
    if path.startswith("~"):
        raise ConfigError(f"store: {uri!r} names the home folder of an unknown user. {_ADVICE}")
    return Path(path)


def store_uri(uri: str) -> str:
    """Return a store's absolute path, or its s3:// URI, in the one form that every step can use.

    Raises ConfigError for what cannot be a store.
    """
    place = parse_place(uri)
    if not isinstance(place, Path):
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if endpoint and not re.match(r"https?://[^/]+", endpoint):
            raise ConfigError(f"AWS_ENDPOINT_URL: {endpoint!r} is not an address. Write it as http://HOST:PORT.")
        return str(place)
    place = Path(os.path.abspath(place))
    try:
        existing = next(folder for folder in (place, *place.parents) if folder.exists())
    except OSError as error:
        raise ConfigError(f"store: {uri!r} cannot be used ({error.strerror}). Choose another folder.") from None
    if not existing.is_dir():
        raise ConfigError(f"store: {existing} is a file, not a folder. Choose another folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError(f"store: {existing} cannot be written (permission denied). Choose a folder of yours.")
    return str(place)


def local_folder(uri: str) -> Path | None:
    """Return the absolute path of a folder on this machine, or None if the URI is in a bucket."""
    place = parse_place(uri)
    return Path(os.path.abspath(place)) if isinstance(place, Path) else None


def _split(uri: str) -> tuple[str, str]:
    """Return a URI's scheme, empty for a plain path, and what follows it."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", uri)
    if not match:
        return "", uri
    if not uri[match.end() :].startswith("//"):
        raise ConfigError(
            f"store: {uri!r} is not a URI: it needs two slashes after {match[0]} {_ADVICE} "
            f"For a folder of that name, write ./{uri}"
        )
    return match[1].lower(), uri[match.end() + 2 :]


def _bucket_uri(uri: str, rest: str) -> str:
    bucket, *folders = rest.rstrip("/").split("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise ConfigError(
            f"store: {uri!r} names no bucket: a bucket's name has 3 to 63 characters: a to z, 0 to 9, dots and hyphens."
        )
    if {"", ".", ".."} & {*folders} or {*rest} & {*"*?[]#"}:
        raise ConfigError(f"store: {uri!r} has an empty name, '.', '..' or one of *?[]# in its path. Leave them out.")
    return f"s3://{'/'.join((bucket, *folders))}"
