"""What clients upload: files by their content, mounts, images (recorded only), and large values over HTTP."""

import asyncio
import hashlib
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from infra.modal_local.model import Result, new_id
from infra.modal_local.rpc import not_found

if TYPE_CHECKING:
    from infra.modal_local.containers import Container

IMAGE_BUILDER = "2024.10"
LARGEST_BODY = 2**32


@dataclass(frozen=True)
class Offer:
    """A part of a file that may be downloaded by whoever knows its address."""

    path: Path
    begin: int
    end: int | None


class Files:
    """Answers the RPCs about files, mounts, images and blobs; serves and takes large ones over HTTP."""

    def __init__(self, folder: Path) -> None:
        self._contents, self._blobs = folder / "contents", folder / "blobs"
        for path in (self._contents, self._blobs):
            path.mkdir(parents=True, exist_ok=True)
        self._mounts: dict[str, list[api_pb2.MountFile]] = {}
        self._images: dict[str, api_pb2.Image] = {}
        self._offers: dict[str, Offer] = {}
        self._uploads: dict[str, Path] = {}
        self._runner: web.AppRunner | None = None
        self._address = ""

    async def start(self) -> None:
        """Listen on a free port of the loopback interface; every address has a secret part."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.add_routes([web.get("/{key}", self._get), web.put("/{key}", self._put)])
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    def offer(self, path: Path, begin: int = 0, end: int | None = None) -> str:
        """Return an address at which a part of a file can be downloaded, once."""
        key = secrets.token_urlsafe(24)
        self._offers[key] = Offer(path, begin, end)
        return f"{self._address}/{key}"

    async def _get(self, request: web.Request) -> web.Response:
        offer = self._offers.get(request.match_info["key"])
        if offer is None:
            raise web.HTTPNotFound
        return web.Response(body=await asyncio.to_thread(_read, offer))

    async def _put(self, request: web.Request) -> web.Response:
        path = self._uploads.get(request.match_info["key"])
        if path is None:
            raise web.HTTPNotFound
        digest = hashlib.md5(usedforsecurity=False)
        with path.open("wb") as file:
            async for chunk in request.content.iter_any():
                digest.update(chunk)
                file.write(chunk)
        return web.Response(headers={"ETag": f'"{digest.hexdigest()}"'})

    def blob(self, blob_id: str) -> bytes:
        """Return a blob's bytes."""
        return (self._blobs / Path(blob_id).name).read_bytes()

    async def BlobCreate(
        self, request: api_pb2.BlobCreateRequest, caller: "Container | None"
    ) -> api_pb2.BlobCreateResponse:
        blob_id, key = new_id("bl"), secrets.token_urlsafe(24)
        self._uploads[key] = self._blobs / blob_id
        urls = api_pb2.UploadUrlList(items=[f"{self._address}/{key}"])
        return api_pb2.BlobCreateResponse(blob_ids=[blob_id], upload_urls=urls)

    async def BlobGet(self, request: api_pb2.BlobGetRequest, caller: "Container | None") -> api_pb2.BlobGetResponse:
        path = self._blobs / Path(request.blob_id).name
        if not path.is_file():
            raise not_found(f"There is no blob {request.blob_id}.")
        return api_pb2.BlobGetResponse(download_url=self.offer(path))

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
            content = request.data if sent == "data" else self.blob(request.data_blob_id)
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

    def has_layers(self, image_id: str) -> bool:
        """Tell whether an image is more than a base image."""
        return bool(self._images.get(image_id, api_pb2.Image()).base_images)

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


def _read(offer: Offer) -> bytes:
    with offer.path.open("rb") as file:
        file.seek(offer.begin)
        return file.read(-1 if offer.end is None else offer.end - offer.begin)
