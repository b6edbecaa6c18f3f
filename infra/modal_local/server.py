"""Puts the control plane together and listens on the loopback interface."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import modal
from grpclib.server import Server

from infra.modal_local import NOT_EMULATED, WRITTEN_FOR
from infra.modal_local.apps import Apps
from infra.modal_local.blobs import Blobs
from infra.modal_local.calls import Calls
from infra.modal_local.containers import Containers
from infra.modal_local.equipment import Equipment, Settings
from infra.modal_local.files import Files
from infra.modal_local.folders import temporary_folder
from infra.modal_local.functions import Functions
from infra.modal_local.rpc import Dispatcher, Token
from infra.modal_local.sandbox import best_way
from infra.modal_local.schedules import Clock
from infra.modal_local.state import State
from infra.modal_local.volumes import Volumes

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """What can be chosen. `state` keeps Volumes after the end, `volumes` puts some of them elsewhere."""

    state: Path | None = None
    volumes: Mapping[str, Path] = field(default_factory=dict)
    port: int = 0
    containers: int = max(2, os.cpu_count() or 1)
    passed_on: tuple[str, ...] = ()
    paths: str = "auto"
    speed: float = 1.0
    blob_mib: int = 1024


@dataclass(frozen=True)
class Plane:
    """A control plane that listens."""

    port: int
    token: Token
    folder: Path
    way: str

    def environment(self) -> dict[str, str]:
        """Return the variables that lead Modal's command and library here."""
        return {
            "MODAL_SERVER_URL": f"http://{LOOPBACK}:{self.port}",
            "MODAL_TOKEN_ID": self.token.id,
            "MODAL_TOKEN_SECRET": self.token.secret,
            "MODAL_CONFIG_PATH": str(self.folder / "modal.toml"),
            "MODAL_ENVIRONMENT": "main",
            "MODAL_DISABLE_API_PROXY": "1",
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY", ""), LOOPBACK])),
        }

    def introduce(self) -> str:
        """Say what this is and what it is not."""
        ways = {"mount": "a mount namespace", "user": "a user and a mount namespace", "redirect": "translated paths"}
        other = f" Written for {WRITTEN_FOR}!" if modal.__version__ != WRITTEN_FOR else ""
        return (
            f"infra.modal_local: modal {modal.__version__} on {LOOPBACK}:{self.port}, not in the cloud;"
            f" {NOT_EMULATED}. Containers' files: {ways[self.way]}.{other}"
        )


@asynccontextmanager
async def control_plane(options: Options) -> AsyncIterator[Plane]:
    """Run a control plane inside of the block; nothing is left of it afterwards except a named state folder."""
    with (
        temporary_folder("modal-local-", Path(tempfile.gettempdir())) as folder,
        temporary_folder("modal-sockets-", Path("/tmp")) as sockets,  # a socket's path must be short
    ):
        async with _listening(options, folder, sockets) as plane:
            yield plane


@asynccontextmanager
async def _listening(options: Options, folder: Path, sockets: Path) -> AsyncIterator[Plane]:
    (folder / "modal.toml").touch()
    token = Token(f"ak-{secrets.token_hex(11)}", f"as-{secrets.token_urlsafe(32)}")
    way = await best_way() if options.paths == "auto" else options.paths
    state, apps, blobs = State(), Apps(Clock(options.speed)), Blobs(folder / "blobs", options.blob_mib << 20)
    files = Files(folder / "contents", blobs)
    volumes = Volumes((options.state or folder) / "volumes", files, blobs, options.volumes)
    settings = Settings(way, folder / "containers", sockets, options.containers, options.passed_on)
    equipment = Equipment(settings, files, state, volumes)
    containers = Containers(settings, equipment)
    functions = Functions(apps, files)
    calls = Calls(functions, containers)
    blobs.in_use = calls.blobs_in_use
    apps.functions, apps.containers, apps.calls = functions, containers, calls
    containers.topics = [apps, functions, calls, containers, files, blobs, volumes, state]
    equipment.layout = functions.layout
    server = Server([Dispatcher(containers.topics, token)])
    watch = asyncio.ensure_future(apps.end_abandoned())
    try:
        await blobs.start()
        await server.start(LOOPBACK, options.port)
        port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        yield Plane(port, token, folder, way)
    finally:
        watch.cancel()
        await apps.close()
        await containers.close()
        server.close()
        await server.wait_closed()
        await blobs.stop()
