"""A container's view of a Volume: a copy that is synchronized with the committed files on commit and reload."""

import asyncio
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from modal_proto import api_pb2

from infra.modal_local.errors import invalid, refused
from infra.modal_local.records import new_id

# A file's size and modification time, or a link's target; a folder has no stamp.
Stamp = tuple[int, int] | str
Contents = dict[str, Stamp | None]


@dataclass(eq=False)
class Volume:
    """The committed files of a Volume. If it is bound, they are in a folder of the user's, which is never removed."""

    name: str
    folder: Path
    bound: bool = False
    deleted: bool = False
    id: str = field(default_factory=lambda: new_id("vo"))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def metadata(self) -> api_pb2.VolumeMetadata:
        """Return the Volume's metadata for clients."""
        return api_pb2.VolumeMetadata(version=api_pb2.VOLUME_FS_VERSION_V1, name=self.name)

    def path(self, name: str, follow: bool = True) -> Path:
        """Return the file or folder called `name`; with `follow=False` the link itself, if it is one.

        Raises an error for a name that leaves the Volume, through `..` or a link.
        """
        if "\0" in name:
            raise invalid(f"{name!r}: a path must not contain null characters.")
        root = self.folder.resolve()
        given = Path(os.path.normpath(root / name.lstrip("/")))
        path = given.resolve() if follow or given == root else given.parent.resolve() / given.name
        if not (given.is_relative_to(root) and path.is_relative_to(root)):
            raise refused(f"{name}: is outside the Volume.")
        return path


class Snapshot:
    """One container's view of a Volume, or of a folder in it.

    `seen` is its content when it was last synchronized.
    """

    def __init__(self, volume: Volume, folder: Path, read_only: bool = False, sub_path: str = "") -> None:
        self.volume, self.folder, self.read_only, self._sub_path = volume, folder, read_only, sub_path
        self.seen: Contents = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def reload(self) -> None:
        """Fetch what others have committed; uncommitted changes stay."""
        async with self.volume.lock:
            self._check()
            await asyncio.to_thread(self._reload)

    async def commit(self) -> None:
        """Publish the changes; the last to commit a file wins. Raises an error if the mount is read-only."""
        if self.read_only:
            raise refused(f"Volume {self.volume.name!r} is mounted read-only, so it cannot be committed.")
        async with self.volume.lock:
            self._check()
            await asyncio.to_thread(self._commit)

    def _check(self) -> None:
        if self.volume.deleted:
            raise refused(f"Volume {self.volume.name!r} has been deleted.")

    def _committed(self) -> Path:
        path = self.volume.path(self._sub_path)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _commit(self) -> None:
        committed, now = self._committed(), contents(self.folder)
        changed = {name: stamp for name, stamp in now.items() if name not in self.seen or self.seen[name] != stamp}
        remove(committed, [name for name in self.seen if name not in now])
        copy(self.folder, committed, changed)
        self.seen = now
        self._reload()

    def _reload(self) -> None:
        committed, local = contents(self._committed()), contents(self.folder)
        untouched = {name for name in {*committed, *self.seen} if local.get(name, ()) == self.seen.get(name, ())}
        newer = {
            name: stamp
            for name, stamp in committed.items()
            if name in untouched and (name not in self.seen or self.seen[name] != stamp)
        }
        gone = [name for name in self.seen if name in untouched and name not in committed]
        remove(self.folder, gone)
        copy(self._committed(), self.folder, newer)
        self.seen = {name: stamp for name, stamp in self.seen.items() if name not in gone} | newer


def contents(folder: Path) -> Contents:
    """Return the files, links and folders below a folder, each folder before its content."""
    found: Contents = {}
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # it may be removed meanwhile
            found |= {path.relative_to(folder).as_posix(): stamp for stamp in _stamps(path)}
    return found


def _stamps(path: Path) -> Iterable[Stamp | None]:
    """Yield a path's stamp; nothing if it is a socket or a pipe."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        yield os.readlink(path)
    elif stat.S_ISDIR(status.st_mode):
        yield None
    elif stat.S_ISREG(status.st_mode):
        yield status.st_size, status.st_mtime_ns


def copy(source: Path, target: Path, names: Mapping[str, Stamp | None]) -> None:
    """Copy files with their times, and links as links. Readers of `target` see the old file or the new one."""
    for name, stamp in names.items():
        place = target / name
        is_folder = place.is_dir() and not place.is_symlink()
        if stamp is None:
            if not is_folder:
                place.unlink(missing_ok=True)  # it was a file or a link
            place.mkdir(parents=True, exist_ok=True)
            continue
        if is_folder:
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f".{new_id('copy')}")
        with suppress(FileNotFoundError):  # it may be removed meanwhile
            shutil.copy2(source / name, partial, follow_symlinks=False)
            partial.replace(place)


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove files, links and empty folders, the deepest first."""
    for name in sorted(names, reverse=True):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        else:
            with suppress(NotADirectoryError):  # a folder above it has become a file
                path.unlink(missing_ok=True)
