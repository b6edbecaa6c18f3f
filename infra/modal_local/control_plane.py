"""Builds the control plane and listens on the loopback interface."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import modal
import psutil
from grpclib.server import Server

from infra.modal_local import NOT_EMULATED, WRITTEN_FOR
from infra.modal_local.apps.apps import Apps
from infra.modal_local.apps.calls import Calls
from infra.modal_local.apps.cron import Clock
from infra.modal_local.apps.deployments import Deployments
from infra.modal_local.apps.environments import Environments
from infra.modal_local.apps.functions import Functions
from infra.modal_local.apps.history import write_history
from infra.modal_local.apps.logs import Logs
from infra.modal_local.apps.schedules import Schedules
from infra.modal_local.containers.filesystem import best_way
from infra.modal_local.containers.inputs import Inputs
from infra.modal_local.containers.lifecycle import Lifecycle
from infra.modal_local.containers.preparation import Limits, Preparation
from infra.modal_local.containers.python import make_python
from infra.modal_local.records import AppTable, CallTable, FunctionTable
from infra.modal_local.rpc import Listener, Router, Token
from infra.modal_local.storage.blobs import Blobs
from infra.modal_local.storage.dicts import Dicts
from infra.modal_local.storage.images import Images
from infra.modal_local.storage.mounts import Mounts
from infra.modal_local.storage.queues import Queues
from infra.modal_local.storage.secrets import Secrets
from infra.modal_local.storage.volumes import Volumes
from infra.modal_local.temporary_folders import temporary_folder
from infra.processes import adopt_orphans, kill_tree, without_proxy

LOOPBACK = "127.0.0.1"
LONGEST_FOLDER = 40  # characters; a socket in it, and one in a folder in it, must fit into about 100


@dataclass(frozen=True)
class Options:
    """The options of the command line. `state` is a folder for all Volumes, `volumes` has folders for single ones.

    `calls` is the file that gets a line of JSON per call at the end.
    """

    state: Path | None = None
    volumes: Mapping[str, Path] = field(default_factory=dict)
    port: int = 0
    containers: int = max(2, os.cpu_count() or 1)
    inherited: tuple[str, ...] = ()
    paths: str = "auto"
    speed: float = 1.0
    blob_mib: int = 1024
    calls: Path | None = None


@dataclass(frozen=True)
class Plane:
    """A running control plane."""

    port: int
    token: Token
    folder: Path
    way: str
    lifeline: int  # a file descriptor that becomes readable when the control plane ends

    def environment(self) -> dict[str, str]:
        """Return the variables that point Modal's command and library to this control plane."""
        return {
            "MODAL_SERVER_URL": f"http://{LOOPBACK}:{self.port}",
            "MODAL_TOKEN_ID": self.token.id,
            "MODAL_TOKEN_SECRET": self.token.secret,
            "MODAL_CONFIG_PATH": str(self.folder / "modal.toml"),
            "MODAL_ENVIRONMENT": "main",
            "MODAL_DISABLE_API_PROXY": "1",
            **without_proxy(os.environ),
        }

    def introduce(self) -> str:
        """Describe the control plane in one line: what it is and what it does not emulate."""
        ways = {"mount": "a mount namespace", "user": "a user and a mount namespace", "redirect": "translated paths"}
        other = f" Written for {WRITTEN_FOR}!" if modal.__version__ != WRITTEN_FOR else ""
        return (
            f"infra.modal_local: modal {modal.__version__} on {LOOPBACK}:{self.port}, not in the cloud;"
            f" {NOT_EMULATED}. Containers' files: {ways[self.way]}.{other}"
        )


class Services:
    """All services that answer RPCs, each built from those before it."""

    def __init__(self, options: Options, folder: Path, sockets: Path, way: str, lifeline: int) -> None:
        apps, functions, calls = AppTable(), FunctionTable(), CallTable()
        self.calls = calls
        self.router = Router()
        self.blobs = Blobs(folder / "blobs", options.blob_mib << 20, calls)
        mounts, images, secrets = Mounts(folder / "contents", self.blobs), Images(), Secrets()
        volumes = Volumes((options.state or folder) / "volumes", options.volumes, mounts, self.blobs)
        limits = Limits(options.containers, options.inherited)
        python = make_python(folder / "python", redirect=way == "redirect")
        preparation = Preparation(
            way, python, folder / "containers", sockets, limits, functions, mounts, images, volumes, secrets
        )
        self.containers = Lifecycle(limits, preparation, volumes, self.router, lifeline)
        callers = Calls(functions, calls, self.containers)
        schedules = Schedules(callers, Clock(options.speed))
        self.apps = Apps(apps, functions, self.containers, schedules)
        self.router.add(Deployments(apps, functions, self.containers, schedules), Environments())
        self.router.add(
            self.apps, Logs(apps, functions), Functions(apps, functions, images, self.blobs, self.containers), callers
        )
        self.router.add(Inputs(self.containers), self.blobs, mounts, images, volumes, secrets, Dicts(), Queues())


def _place_for_sockets() -> Path:
    """Return the folder for temporary files, or /tmp if its name is long: the system limits the path of a socket."""
    folder = tempfile.gettempdir()
    return Path(folder if len(folder) <= LONGEST_FOLDER else "/tmp")


@asynccontextmanager
async def control_plane(options: Options) -> AsyncIterator[Plane]:
    """Run a control plane for the duration of the block. Only a state folder that was asked for remains."""
    adopt_orphans()
    with (
        _pipe() as lifeline,
        temporary_folder("modal-local-", Path(tempfile.gettempdir())) as folder,
        temporary_folder("modal-sockets-", _place_for_sockets()) as sockets,
    ):
        try:
            async with _listening(options, folder, sockets, lifeline) as plane:
                yield plane
        finally:
            await asyncio.to_thread(kill_tree, *(child.pid for child in psutil.Process().children()))


@contextmanager
def _pipe() -> Iterator[int]:
    """Yield the reading end of a pipe. Only this process has its writing end, which closes when this process ends."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(writing)
        os.close(reading)


@asynccontextmanager
async def _listening(options: Options, folder: Path, sockets: Path, lifeline: int) -> AsyncIterator[Plane]:
    (folder / "modal.toml").touch()
    token = Token(f"ak-{secrets.token_hex(11)}", f"as-{secrets.token_urlsafe(32)}")
    way = await best_way() if options.paths == "auto" else options.paths
    services = Services(options, folder, sockets, way, lifeline)
    server = Server([Listener(services.router, token)])
    await services.blobs.start()
    try:
        await server.start(LOOPBACK, options.port)
        port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        watch = asyncio.ensure_future(services.apps.end_abandoned())
        try:
            yield Plane(port, token, folder, way, lifeline)
        finally:
            watch.cancel()
            await services.apps.close()
            await services.containers.close()
            if options.calls:
                write_history(services.calls, options.calls)
            server.close()
            await server.wait_closed()
    finally:
        await services.blobs.stop()
