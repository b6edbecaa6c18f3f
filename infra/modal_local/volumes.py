"""Volumes: the committed state is a folder, and every container has a snapshot of it until it commits or reloads."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from infra.modal_local.blobs import Blobs
from infra.modal_local.files import Files
from infra.modal_local.model import new_id
from infra.modal_local.rpc import not_found, refused

if TYPE_CHECKING:
    from infra.modal_local.container import Container

BLOCK = 8 * 2**20  # the client downloads files in blocks of this size

Stamp = tuple[int, int]  # size and time of change; a folder has none
Contents = dict[str, Stamp | None]


@dataclass(eq=False)
class Volume:
    """A Volume's committed state."""

    name: str
    folder: Path
    id: str = field(default_factory=lambda: new_id("vo"))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def metadata(self) -> api_pb2.VolumeMetadata:
        """Return what clients are told."""
        return api_pb2.VolumeMetadata(version=api_pb2.VOLUME_FS_VERSION_V1, name=self.name)

    def path(self, name: str) -> Path:
        """Return the file or folder called `name`. Raises an error for a name that leaves the Volume."""
        path = (self.folder / name.lstrip("/")).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise refused(f"{name}: is outside of the Volume.")
        return path


class Snapshot:
    """A container's view of a Volume; `seen` is what it was when both were last brought together."""

    def __init__(self, volume: Volume, folder: Path) -> None:
        self.volume, self.folder = volume, folder
        self.seen: Contents = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def reload(self) -> None:
        """See what others committed; what changed here and is not committed stays."""
        async with self.volume.lock:
            await asyncio.to_thread(self._reload)

    async def commit(self) -> None:
        """Let others see what changed here; the last to commit a file wins."""
        async with self.volume.lock:
            await asyncio.to_thread(self._commit)

    def _commit(self) -> None:
        now = contents(self.folder)
        changed = [name for name, stamp in now.items() if name not in self.seen or self.seen[name] != stamp]
        copy(self.folder, self.volume.folder, {name: now[name] for name in changed})
        remove(self.volume.folder, [name for name in self.seen if name not in now])
        self.seen = now
        self._reload()

    def _reload(self) -> None:
        committed, local = contents(self.volume.folder), contents(self.folder)
        untouched = {name for name in {*committed, *self.seen} if local.get(name, ()) == self.seen.get(name, ())}
        newer = {
            name: stamp
            for name, stamp in committed.items()
            if name in untouched and (name not in self.seen or self.seen[name] != stamp)
        }
        copy(self.volume.folder, self.folder, newer)
        gone = [name for name in self.seen if name in untouched and name not in committed]
        remove(self.folder, gone)
        self.seen = {name: stamp for name, stamp in self.seen.items() if name not in gone} | newer


def contents(folder: Path) -> Contents:
    """Return everything below a folder, folders before what they hold."""
    found: Contents = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found[path.relative_to(folder).as_posix()] = None if path.is_dir() else (status.st_size, status.st_mtime_ns)
    return found


def copy(source: Path, target: Path, names: Mapping[str, Stamp | None]) -> None:
    """Copy files with their times; readers of `target` see the old file or the new one."""
    for name, stamp in names.items():
        place = target / name
        if stamp is None:
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f".{place.name}.{new_id('copy')}")
        shutil.copy2(source / name, partial, follow_symlinks=False)
        partial.replace(place)


def remove(folder: Path, names: list[str]) -> None:
    """Remove files, and folders that are then empty, the deepest first."""
    for name in sorted(names, reverse=True):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        else:
            path.unlink(missing_ok=True)


class Volumes:
    """Answers the RPCs about Volumes. `places` says which Volumes are not kept in `folder` but somewhere else."""

    def __init__(self, folder: Path, files: Files, blobs: Blobs, places: Mapping[str, Path]) -> None:
        self._folder, self._files, self._blobs = folder, files, blobs
        self._volumes: dict[str, Volume] = {}
        for name, place in {path.name: path for path in folder.glob("*")}.items() | places.items():
            self._add(name, place)

    def _add(self, name: str, place: Path) -> Volume:
        place.mkdir(parents=True, exist_ok=True)
        volume = Volume(name, place.absolute())
        self._volumes[volume.id] = volume
        return volume

    def get(self, volume_id: str) -> Volume:
        """Return the Volume with this id."""
        if volume_id not in self._volumes:
            raise not_found(f"There is no Volume {volume_id}.")
        return self._volumes[volume_id]

    async def VolumeGetOrCreate(
        self, request: api_pb2.VolumeGetOrCreateRequest, caller: "Container | None"
    ) -> api_pb2.VolumeGetOrCreateResponse:
        if request.version == api_pb2.VOLUME_FS_VERSION_V2:
            raise refused("Volumes of version 2 are not emulated; leave the version out.")
        create = request.object_creation_type
        name = request.deployment_name or new_id("ephemeral")
        volume = next((one for one in self._volumes.values() if one.name == name), None)
        if volume and create == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"Volume {name!r} exists already.")
        if not volume and create == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            raise not_found(f"Volume {name!r} not found.")
        volume = volume or self._add(name, self._folder / name)
        return api_pb2.VolumeGetOrCreateResponse(
            volume_id=volume.id, version=api_pb2.VOLUME_FS_VERSION_V1, metadata=volume.metadata()
        )

    async def VolumeGetById(
        self, request: api_pb2.VolumeGetByIdRequest, caller: "Container | None"
    ) -> api_pb2.VolumeGetByIdResponse:
        volume = self.get(request.volume_id)
        return api_pb2.VolumeGetByIdResponse(volume_id=volume.id, metadata=volume.metadata())

    async def VolumeHeartbeat(self, request: api_pb2.VolumeHeartbeatRequest, caller: "Container | None") -> Empty:
        return Empty()

    async def VolumeList(
        self, request: api_pb2.VolumeListRequest, caller: "Container | None"
    ) -> api_pb2.VolumeListResponse:
        items = [
            api_pb2.VolumeListItem(label=one.name, volume_id=one.id, metadata=one.metadata())
            for one in self._volumes.values()
        ]
        return api_pb2.VolumeListResponse(items=items)

    async def VolumeDelete(self, request: api_pb2.VolumeDeleteRequest, caller: "Container | None") -> Empty:
        volume = self.get(request.volume_id)
        del self._volumes[volume.id]
        await asyncio.to_thread(shutil.rmtree, volume.folder)
        return Empty()

    async def VolumeCommit(
        self, request: api_pb2.VolumeCommitRequest, caller: "Container | None"
    ) -> api_pb2.VolumeCommitResponse:
        await _mounted(request.volume_id, caller, "commit()").commit()
        return api_pb2.VolumeCommitResponse(skip_reload=True)

    async def VolumeReload(self, request: api_pb2.VolumeReloadRequest, caller: "Container | None") -> Empty:
        await _mounted(request.volume_id, caller, "reload()").reload()
        return Empty()

    async def VolumeListFiles(
        self, request: api_pb2.VolumeListFilesRequest, caller: "Container | None"
    ) -> AsyncIterator[api_pb2.VolumeListFilesResponse]:
        volume = self.get(request.volume_id)
        path = volume.path(request.path)
        if not path.exists():
            raise not_found(f"No such file or directory: {request.path}")
        found = [path] if path.is_file() else sorted(path.rglob("*") if request.recursive else path.iterdir())
        yield api_pb2.VolumeListFilesResponse(entries=[_entry(volume, one) for one in found])

    async def VolumeGetFile2(
        self, request: api_pb2.VolumeGetFile2Request, caller: "Container | None"
    ) -> api_pb2.VolumeGetFile2Response:
        path = self.get(request.volume_id).path(request.path)
        if not path.is_file():
            raise not_found(f"No such file: {request.path}")
        size = path.stat().st_size
        length = min(request.len or size, size - request.start)
        starts = range(request.start - request.start % BLOCK, request.start + length, BLOCK)
        urls = [
            self._blobs.offer(path, max(one, request.start), min(one + BLOCK, request.start + length)) for one in starts
        ]
        return api_pb2.VolumeGetFile2Response(get_urls=urls, size=size, start=request.start, len=length)

    async def VolumePutFiles(self, request: api_pb2.VolumePutFilesRequest, caller: "Container | None") -> Empty:
        volume = self.get(request.volume_id)
        async with volume.lock:
            for file in request.files:
                if request.disallow_overwrite_existing_files and volume.path(file.filename).exists():
                    raise GRPCError(Status.ALREADY_EXISTS, f"{file.filename}: exists already.")
            for file in request.files:
                await asyncio.to_thread(self._files.place, file, volume.path(file.filename))
            self._files.release(request.files)
        return Empty()

    async def VolumeRemoveFile(self, request: api_pb2.VolumeRemoveFileRequest, caller: "Container | None") -> Empty:
        path = self.get(request.volume_id).path(request.path)
        if path.is_dir() and request.recursive:
            await asyncio.to_thread(shutil.rmtree, path)
        elif path.is_file():
            path.unlink()
        else:
            raise not_found(f"No such file: {request.path}")
        return Empty()


def _mounted(volume_id: str, caller: "Container | None", what: str) -> Snapshot:
    snapshot = caller.snapshots.get(volume_id) if caller else None
    if snapshot is None:
        raise refused(f"{what} can only be called in a container that mounts the Volume.")
    return snapshot


def _entry(volume: Volume, path: Path) -> api_pb2.FileEntry:
    status = path.lstat()
    kind = api_pb2.FileEntry.DIRECTORY if path.is_dir() else api_pb2.FileEntry.FILE
    name = PurePosixPath(path.relative_to(volume.folder.resolve())).as_posix()
    return api_pb2.FileEntry(path=name, type=kind, mtime=int(status.st_mtime), size=status.st_size)
