"""Volumes: each is a folder of committed files, of which containers mount snapshots."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.container import Container
from infra.modal_local.errors import already_exists, not_found, refused
from infra.modal_local.names import check_name
from infra.modal_local.records import new_id
from infra.modal_local.storage.blobs import Blobs
from infra.modal_local.storage.mounts import Mounts
from infra.modal_local.storage.snapshots import Snapshot, Volume

BLOCK = 8 * 2**20  # the client downloads files in blocks of this size


class Volumes:
    """Answers the RPCs about Volumes and keeps the containers' snapshots of them.

    Volumes are kept in `folder`, except those in `bound`, which are folders of the user's.
    """

    def __init__(self, folder: Path, bound: Mapping[str, Path], mounts: Mounts, blobs: Blobs) -> None:
        self._folder, self._mounts, self._blobs = folder, mounts, blobs
        self._volumes: dict[str, Volume] = {}
        self._snapshots: dict[str, dict[str, Snapshot]] = {}  # by container, then by Volume
        folder.mkdir(parents=True, exist_ok=True)
        kept = {path.name: path for path in folder.glob("*") if path.is_dir()}
        for name, place in kept.items() | bound.items():
            self._add(name, place, bound=name in bound)

    def _add(self, name: str, place: Path, bound: bool = False) -> Volume:
        place.mkdir(parents=True, exist_ok=True)
        volume = Volume(name, place.absolute(), bound)
        self._volumes[volume.id] = volume
        return volume

    def _find(self, name: str) -> Volume | None:
        return next((one for one in self._volumes.values() if one.name == name), None)

    def get(self, volume_id: str) -> Volume:
        """Return the Volume with this id. Raises NOT_FOUND."""
        if volume_id not in self._volumes:
            raise not_found(f"There is no Volume {volume_id}.")
        return self._volumes[volume_id]

    # Containers' snapshots

    async def mount(self, container_id: str, mount: api_pb2.VolumeMount, folder: Path) -> None:
        """Mount a Volume: fill `folder` with a snapshot for the container."""
        snapshot = Snapshot(self.get(mount.volume_id), folder, mount.read_only, mount.sub_path)
        self._snapshots.setdefault(container_id, {})[mount.volume_id] = snapshot
        await snapshot.reload()

    async def commit_all(self, container_id: str) -> None:
        """Commit all Volumes of a container that crashed, so that the files it wrote are not lost."""
        for snapshot in self._snapshots.get(container_id, {}).values():
            with suppress(Exception):  # deleted or read-only
                await snapshot.commit()

    def unmount(self, container_id: str) -> None:
        """Forget a container's snapshots."""
        self._snapshots.pop(container_id, None)

    def _snapshot(self, volume_id: str, caller: Container | None, what: str) -> Snapshot:
        snapshot = self._snapshots.get(caller.id, {}).get(volume_id) if caller else None
        if snapshot is None:
            raise refused(f"{what} can only be called in a container that mounts the Volume.")
        return snapshot

    async def VolumeCommit(
        self, request: api_pb2.VolumeCommitRequest, caller: Container | None
    ) -> api_pb2.VolumeCommitResponse:
        await self._snapshot(request.volume_id, caller, "commit()").commit()
        return api_pb2.VolumeCommitResponse(skip_reload=True)

    async def VolumeReload(self, request: api_pb2.VolumeReloadRequest, caller: Container | None) -> Empty:
        await self._snapshot(request.volume_id, caller, "reload()").reload()
        return Empty()

    # Volumes

    async def VolumeGetOrCreate(self, request: api_pb2.VolumeGetOrCreateRequest) -> api_pb2.VolumeGetOrCreateResponse:
        if request.version == api_pb2.VOLUME_FS_VERSION_V2:
            raise refused("Volumes of version 2 are not emulated; leave the version out.")
        create = request.object_creation_type
        name = check_name("Volume", request.deployment_name) if request.deployment_name else new_id("ephemeral")
        volume = self._find(name)
        if volume and create == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise already_exists(f"Volume {name!r} exists already.")
        if not volume and create == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            raise not_found(f"Volume {name!r} not found.")
        volume = volume or self._add(name, self._folder / name)
        return api_pb2.VolumeGetOrCreateResponse(
            volume_id=volume.id, version=api_pb2.VOLUME_FS_VERSION_V1, metadata=volume.metadata()
        )

    async def VolumeGetById(self, request: api_pb2.VolumeGetByIdRequest) -> api_pb2.VolumeGetByIdResponse:
        volume = self.get(request.volume_id)
        return api_pb2.VolumeGetByIdResponse(volume_id=volume.id, metadata=volume.metadata())

    async def VolumeHeartbeat(self, request: api_pb2.VolumeHeartbeatRequest) -> Empty:
        return Empty()

    async def VolumeList(self, request: api_pb2.VolumeListRequest) -> api_pb2.VolumeListResponse:
        items = [
            api_pb2.VolumeListItem(label=one.name, volume_id=one.id, metadata=one.metadata())
            for one in self._volumes.values()
        ]
        return api_pb2.VolumeListResponse(items=items)

    async def VolumeRename(self, request: api_pb2.VolumeRenameRequest) -> Empty:
        volume, name = self.get(request.volume_id), check_name("Volume", request.name)
        if self._find(name):
            raise already_exists(f"Volume {name!r} exists already.")
        async with volume.lock:
            if not volume.bound:
                volume.folder = volume.folder.rename(self._folder / name)
            volume.name = name
        return Empty()

    async def VolumeDelete(self, request: api_pb2.VolumeDeleteRequest) -> Empty:
        volume = self.get(request.volume_id)
        async with volume.lock:
            del self._volumes[volume.id]
            volume.deleted = True
            if not volume.bound:
                await asyncio.to_thread(shutil.rmtree, volume.folder)
        return Empty()

    # Files

    async def VolumeListFiles(
        self, request: api_pb2.VolumeListFilesRequest
    ) -> AsyncIterator[api_pb2.VolumeListFilesResponse]:
        volume = self.get(request.volume_id)
        path = volume.path(request.path)
        if not path.exists():
            raise not_found(f"No such file or directory: {request.path}")
        inner = path.rglob("*") if request.recursive else path.glob("*")
        found = sorted(inner) if path.is_dir() else [path]
        yield api_pb2.VolumeListFilesResponse(entries=list(_entries(volume, found)))

    async def VolumeGetFile2(self, request: api_pb2.VolumeGetFile2Request) -> api_pb2.VolumeGetFile2Response:
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

    async def VolumePutFiles(self, request: api_pb2.VolumePutFilesRequest) -> Empty:
        volume = self.get(request.volume_id)
        async with volume.lock:
            paths = [_writable(volume, file.filename) for file in request.files]
            for path, file in zip(paths, request.files, strict=True):
                if request.disallow_overwrite_existing_files and path.exists():
                    raise already_exists(f"{file.filename}: exists already.")
            for path, file in zip(paths, request.files, strict=True):
                await asyncio.to_thread(self._mounts.place, file, path)
            self._mounts.release(request.files)
        return Empty()

    async def VolumeCopyFiles(self, request: api_pb2.VolumeCopyFilesRequest) -> Empty:
        volume = self.get(request.volume_id)
        sources = [(name, volume.path(name)) for name in request.src_paths]
        target = volume.path(request.dst_path)
        async with volume.lock:
            for name, source in sources:
                if not source.exists():
                    raise not_found(f"No such file or directory: {name}")
                if source.is_dir() and not request.recursive:
                    raise refused(f"{name}: is a folder; copy it with --recursive.")
                if target == source or target.is_relative_to(source):
                    raise refused(f"{name}: cannot be copied into itself.")
            if len(sources) > 1 and not target.is_dir():
                raise refused(f"{request.dst_path}: several files can only be copied into a folder.")
            for _, source in sources:
                place = target / source.name if target.is_dir() else target
                await asyncio.to_thread(_copy_tree, source, _writable(volume, str(place.relative_to(volume.path("/")))))
        return Empty()

    async def VolumeRemoveFile(self, request: api_pb2.VolumeRemoveFileRequest) -> Empty:
        volume = self.get(request.volume_id)
        path = volume.path(request.path, follow=False)
        async with volume.lock:
            if path.is_dir() and not path.is_symlink():
                if not request.recursive:
                    raise refused(f"{request.path}: is a folder; remove it with --recursive.")
                await asyncio.to_thread(_remove_tree, path, keep=path == volume.folder.resolve())
            elif path.exists() or path.is_symlink():
                path.unlink()
            else:
                raise not_found(f"No such file: {request.path}")
        return Empty()


def _writable(volume: Volume, name: str) -> Path:
    """Return where a file may be written. Raises an error if a folder is there, or a file where a folder is needed."""
    path, root = volume.path(name), volume.path("/")
    if path.is_dir():
        raise refused(f"{name}: is a folder, so no file can be written there.")
    for above in path.relative_to(root).parents:
        if (root / above).exists() and not (root / above).is_dir():
            raise refused(f"{name}: {above.as_posix()} is a file, not a folder.")
    return path


def _copy_tree(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _remove_tree(path: Path, keep: bool) -> None:
    """Remove a folder, or just its content."""
    if not keep:
        shutil.rmtree(path)
        return
    for inner in path.iterdir():
        if inner.is_dir() and not inner.is_symlink():
            shutil.rmtree(inner)
        else:
            inner.unlink()


def _entries(volume: Volume, paths: list[Path]) -> Iterator[api_pb2.FileEntry]:
    root = volume.folder.resolve()
    for path in paths:
        status = path.lstat()
        kind = api_pb2.FileEntry.FILE
        if path.is_symlink():
            kind = api_pb2.FileEntry.SYMLINK
        elif path.is_dir():
            kind = api_pb2.FileEntry.DIRECTORY
        name = path.relative_to(root).as_posix()
        yield api_pb2.FileEntry(path=name, type=kind, mtime=int(status.st_mtime), size=status.st_size)
