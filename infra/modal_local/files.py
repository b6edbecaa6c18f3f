"""What clients upload: files by their content, mounts, and images (recorded only)."""

import hashlib
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from infra.modal_local.blobs import Blobs
from infra.modal_local.model import Result, new_id

if TYPE_CHECKING:
    from infra.modal_local.container import Container

IMAGE_BUILDER = "2024.10"


class Files:
    """Answers the RPCs about files, mounts and images."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self._contents, self._blobs = folder, blobs
        folder.mkdir(parents=True)
        self._mounts: dict[str, list[api_pb2.MountFile]] = {}
        self._images: dict[str, api_pb2.Image] = {}

    async def MountBatchedCheckExistence(
        self, request: api_pb2.MountBatchedCheckExistenceRequest, caller: "Container | None"
    ) -> api_pb2.MountBatchedCheckExistenceResponse:
        missing = [name for name in request.sha256_hex_hashes if not self._content(name).is_file()]
        return api_pb2.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    async def MountPutFile(
        self, request: api_pb2.MountPutFileRequest, caller: "Container | None"
    ) -> api_pb2.MountPutFileResponse:
        path = self._content(request.sha256_hex)
        sent = request.WhichOneof("data_oneof")
        if sent and not path.is_file():
            content = request.data if sent == "data" else self._blobs.take(request.data_blob_id)
            if hashlib.sha256(content).hexdigest() != request.sha256_hex:
                raise GRPCError(Status.INVALID_ARGUMENT, "The file is not what its checksum says.")
            partial = path.with_name(new_id("partial"))
            partial.write_bytes(content)
            partial.replace(path)
        return api_pb2.MountPutFileResponse(exists=path.is_file())

    def _content(self, sha256: str) -> Path:
        return self._contents / Path(sha256).name

    async def MountGetOrCreate(
        self, request: api_pb2.MountGetOrCreateRequest, caller: "Container | None"
    ) -> api_pb2.MountGetOrCreateResponse:
        # A named mount is Modal's own client or Python: the interpreter that serves here has both.
        mount_id = new_id("mo")
        self._mounts[mount_id] = list(request.files)
        return api_pb2.MountGetOrCreateResponse(
            mount_id=mount_id, handle_metadata=api_pb2.MountHandleMetadata(content_checksum_sha256_hex="0" * 64)
        )

    def mounted(self, mount_id: str) -> list[api_pb2.MountFile]:
        """Return the files of a mount."""
        return self._mounts.get(mount_id, [])

    def place(self, file: api_pb2.MountFile, place: Path) -> None:
        """Write an uploaded file to `place`; a copy, so that nobody changes the original."""
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self._content(file.sha256_hex).read_bytes())
        if file.mode:
            place.chmod(file.mode & 0o777 | 0o600)

    def release(self, files: Iterable[api_pb2.MountFile]) -> None:
        """Forget files that have been placed, except those that a mount needs."""
        needed = {file.sha256_hex for mount in self._mounts.values() for file in mount}
        for file in files:
            if file.sha256_hex not in needed:
                self._content(file.sha256_hex).unlink(missing_ok=True)

    async def ImageGetOrCreate(
        self, request: api_pb2.ImageGetOrCreateRequest, caller: "Container | None"
    ) -> api_pb2.ImageGetOrCreateResponse:
        digest = hashlib.sha256(request.image.SerializeToString(deterministic=True)).hexdigest()
        image_id = f"im-{digest[:22]}"
        self._images[image_id] = request.image
        metadata = api_pb2.ImageMetadata(image_builder_version=IMAGE_BUILDER, python_version_info="", workdir="/root")
        return api_pb2.ImageGetOrCreateResponse(
            image_id=image_id, result=Result(status=Result.GENERIC_STATUS_SUCCESS), metadata=metadata
        )

    def image_steps(self, image_id: str) -> list[str]:
        """Return the commands that would build an image, from its base on."""
        image = self._images.get(image_id, api_pb2.Image())
        below = [step for base in image.base_images for step in self.image_steps(base.image_id)]
        return [*below, *(step for step in image.dockerfile_commands if not step.startswith("FROM base"))]

    def build_steps(self, image_id: str) -> list[str]:
        """Return the steps that are not carried out; of the default image, which every app has, none."""
        if not self._images.get(image_id, api_pb2.Image()).base_images:
            return []
        return [step for step in self.image_steps(image_id) if step.startswith(("RUN", "COPY"))]

    def image_environment(self, image_id: str) -> dict[str, str]:
        """Return the variables that an image sets: of its build the only part that is carried out."""
        steps = [step.partition(" ") for step in self.image_steps(image_id)]
        words = [word for command, _, rest in steps if command.upper() == "ENV" for word in shlex.split(rest)]
        return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}

    async def EnvironmentGetOrCreate(
        self, request: api_pb2.EnvironmentGetOrCreateRequest, caller: "Container | None"
    ) -> api_pb2.EnvironmentGetOrCreateResponse:
        settings = api_pb2.EnvironmentSettings(image_builder_version=IMAGE_BUILDER)
        metadata = api_pb2.EnvironmentMetadata(name=request.deployment_name or "main", settings=settings)
        return api_pb2.EnvironmentGetOrCreateResponse(environment_id="en-local", metadata=metadata)
