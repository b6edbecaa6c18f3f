"""Large values, which clients and containers upload and download over HTTP; their disk space is limited."""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from aiohttp import web
from modal_proto import api_pb2

from infra.modal_local.errors import not_found, refused
from infra.modal_local.records import CallTable, new_id

LARGEST_BODY = 2**32
ADDRESSES_KEPT = 10_000
NOT_SERVED = "not-served"

T = TypeVar("T")


@dataclass(frozen=True)
class Offer:
    """Part of a file, which anyone who knows its address may download."""

    path: Path
    begin: int
    end: int | None


class Blobs:
    """Answers the RPCs about blobs and transfers them; keeps at most `most` bytes."""

    def __init__(self, folder: Path, most: int, calls: CallTable) -> None:
        self._folder, self._most, self._calls = folder, most, calls
        folder.mkdir(parents=True)
        self._offers: OrderedDict[str, Offer] = OrderedDict()
        self._uploads: OrderedDict[str, Path] = OrderedDict()
        self._awaited: set[str] = set()  # uploaded, but not yet fetched
        self._runner: web.AppRunner | None = None
        self._address = ""

    async def start(self) -> None:
        """Listen on a free port of the loopback interface; every address has a secret part."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.add_routes([web.get("/{key}", self._get), web.put("/{key}", self._put)])
        application.add_routes([web.route("*", f"/{NOT_SERVED}/{{name}}{{path:.*}}", _refuse)])
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
        """Return the address for downloading part of a file."""
        return self._publish(self._offers, Offer(path, begin, end))

    def not_served(self, name: str) -> str:
        """Return an address for a web endpoint that is not served; requests to it get an error that says so."""
        return f"{self._address}/{NOT_SERVED}/{name}"

    def _publish(self, addresses: "OrderedDict[str, T]", what: T) -> str:
        key = secrets.token_urlsafe(24)
        addresses[key] = what
        if len(addresses) > ADDRESSES_KEPT:
            addresses.popitem(last=False)
        return f"{self._address}/{key}"

    async def _get(self, request: web.Request) -> web.Response:
        offer = self._offers.get(request.match_info["key"])
        if offer is None or not offer.path.is_file():
            raise web.HTTPNotFound
        content = await asyncio.to_thread(_read, offer)
        self._awaited.discard(offer.path.name)
        return web.Response(body=content)

    async def _put(self, request: web.Request) -> web.Response:
        path = self._uploads.get(request.match_info["key"])
        if path is None:
            raise web.HTTPNotFound
        digest = hashlib.md5(usedforsecurity=False)
        self._awaited.add(path.name)
        with path.open("wb") as file:
            async for chunk in request.content.iter_any():
                digest.update(chunk)
                file.write(chunk)
        return web.Response(headers={"ETag": f'"{digest.hexdigest()}"'})

    def take(self, blob_id: str) -> bytes:
        """Return a blob's bytes and remove it."""
        path = self._folder / Path(blob_id).name
        content = path.read_bytes()
        path.unlink()
        self._awaited.discard(path.name)
        return content

    def _prune(self) -> None:
        """Remove the oldest fetched blobs until the rest fits."""
        sizes = {path: path.stat() for path in self._folder.iterdir()}
        total = sum(one.st_size for one in sizes.values())
        needed = self._awaited | {one.body.args_blob_id for one in self._calls.unfinished_inputs()}
        for path in sorted(sizes, key=lambda path: sizes[path].st_mtime):
            if total > self._most and path.name not in needed:
                path.unlink()
                total -= sizes[path].st_size
        if total > self._most:
            raise refused(
                f"infra.modal_local keeps {self._most >> 20} MiB of large inputs and outputs, and more wait to be"
                " fetched. Fetch results earlier, write them to a Volume, or start it with a larger --blob-mib."
            )

    async def BlobCreate(self, request: api_pb2.BlobCreateRequest) -> api_pb2.BlobCreateResponse:
        self._prune()
        blob_id = new_id("bl")
        urls = api_pb2.UploadUrlList(items=[self._publish(self._uploads, self._folder / blob_id)])
        return api_pb2.BlobCreateResponse(blob_ids=[blob_id], upload_urls=urls)

    async def BlobGet(self, request: api_pb2.BlobGetRequest) -> api_pb2.BlobGetResponse:
        path = self._folder / Path(request.blob_id).name
        if not path.is_file():
            raise not_found(f"There is no blob {request.blob_id}; it may have been removed to make room for others.")
        return api_pb2.BlobGetResponse(download_url=self.offer(path))


async def _refuse(request: web.Request) -> web.Response:
    text = f"infra.modal_local does not serve web endpoints: {request.match_info['name']}\n"
    return web.Response(status=501, text=text)


def _read(offer: Offer) -> bytes:
    with offer.path.open("rb") as file:
        file.seek(offer.begin)
        return file.read(-1 if offer.end is None else offer.end - offer.begin)
