"""Uploaded files, stored by the hash of their content, and mounts, which are lists of such files."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from modal_proto import api_pb2

from infra.modal_local.errors import invalid
from infra.modal_local.records import new_id
from infra.modal_local.storage.blobs import Blobs


class Mounts:
    """Answers the RPCs about uploaded files and mounts."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self._contents, self._blobs = folder, blobs
        folder.mkdir(parents=True)
        self._mounts: dict[str, list[api_pb2.MountFile]] = {}

    async def MountBatchedCheckExistence(
        self, request: api_pb2.MountBatchedCheckExistenceRequest
    ) -> api_pb2.MountBatchedCheckExistenceResponse:
        missing = [name for name in request.sha256_hex_hashes if not self._content(name).is_file()]
        return api_pb2.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    async def MountPutFile(self, request: api_pb2.MountPutFileRequest) -> api_pb2.MountPutFileResponse:
        path = self._content(request.sha256_hex)
        sent = request.WhichOneof("data_oneof")
        if sent and not path.is_file():
            content = request.data if sent == "data" else self._blobs.take(request.data_blob_id)
            if hashlib.sha256(content).hexdigest() != request.sha256_hex:
                raise invalid("The file is not what its checksum says.")
            partial = path.with_name(new_id("partial"))
            partial.write_bytes(content)
            partial.replace(path)
        return api_pb2.MountPutFileResponse(exists=path.is_file())

    def _content(self, sha256: str) -> Path:
        return self._contents / Path(sha256).name

    async def MountGetOrCreate(self, request: api_pb2.MountGetOrCreateRequest) -> api_pb2.MountGetOrCreateResponse:
        # A named mount holds Modal's client or a Python, and the containers' Python has both.
        mount_id = new_id("mo")
        self._mounts[mount_id] = list(request.files)
        return api_pb2.MountGetOrCreateResponse(
            mount_id=mount_id, handle_metadata=api_pb2.MountHandleMetadata(content_checksum_sha256_hex="0" * 64)
        )

    def files(self, mount_id: str) -> list[api_pb2.MountFile]:
        """Return the files of a mount."""
        return self._mounts.get(mount_id, [])

    def place(self, file: api_pb2.MountFile, place: Path) -> None:
        """Copy an uploaded file to `place`."""
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self._content(file.sha256_hex).read_bytes())
        if file.mode:
            place.chmod(file.mode & 0o777 | 0o600)

    def release(self, files: Iterable[api_pb2.MountFile]) -> None:
        """Remove uploaded files that have been copied, except those that a mount needs."""
        needed = {file.sha256_hex for mount in self._mounts.values() for file in mount}
        for file in files:
            if file.sha256_hex not in needed:
                self._content(file.sha256_hex).unlink(missing_ok=True)
