"""What a container's process is given: its files and Volumes, its arguments, its variables."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modal_proto import api_pb2

from infra.modal_local.container import Container
from infra.modal_local.files import Files
from infra.modal_local.model import App
from infra.modal_local.sandbox import graft_point, write_spec
from infra.modal_local.state import State
from infra.modal_local.volumes import Snapshot, Volumes

PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Settings:
    """How containers run: how they get their files, where, how many, and which variables they inherit."""

    way: str
    folder: Path
    sockets: Path
    most: int
    passed_on: tuple[str, ...] = ()


class Equipment:
    """Prepares a container's folder and the variables of its process."""

    def __init__(self, settings: Settings, files: Files, state: State, volumes: Volumes) -> None:
        self._settings, self._files, self._state, self._volumes = settings, files, state, volumes
        self.layout: Callable[[App], api_pb2.AppLayout] = lambda app: api_pb2.AppLayout()

    async def prepare(self, container: Container, lifeline: int) -> Path:
        """Fill the container's folder and return the file that tells `boot.py` about it."""
        for name in ("new", "fs/root", "tmp"):
            (container.folder / name).mkdir(parents=True)
        root, definition = container.folder / "fs", container.function.definition
        points = {PurePosixPath("/root")}
        for mount_id in definition.mount_ids:
            for file in self._files.mounted(mount_id):
                path = PurePosixPath("/root", file.filename)
                points.add(graft_point(path))
                self._files.place(file, root / path.relative_to("/"))
        for mount in definition.volume_mounts:
            path = PurePosixPath("/root", mount.mount_path)
            points.add(path)
            snapshot = Snapshot(self._volumes.get(mount.volume_id), root / path.relative_to("/"))
            container.snapshots[mount.volume_id] = snapshot
            await snapshot.reload()
        (container.folder / "arguments").write_bytes(self._arguments(container).SerializeToString())
        # An outer point before an inner one; the inner one's files are already in its folder.
        grafts = {
            str(point): root / point.relative_to("/")
            for point in sorted(points)
            if not any(point != other and point.is_relative_to(other) for other in points)
        }
        return write_spec(container.folder, self._settings.way, grafts, lifeline=lifeline)

    def _arguments(self, container: Container) -> api_pb2.ContainerArguments:
        function = container.function
        layout = self.layout(function.app)
        for dependency in function.definition.object_dependencies:
            thing = api_pb2.Object(object_id=dependency.object_id)
            if thing.object_id.startswith("vo-"):
                thing.volume_metadata.CopyFrom(self._volumes.get(thing.object_id).metadata())
            layout.objects.append(thing)
        return api_pb2.ContainerArguments(
            task_id=container.id,
            function_id=function.id,
            app_id=function.app.id,
            function_def=function.definition,
            serialized_params=function.parameters,
            environment_name="main",
            app_layout=layout,
        )

    def environment(self, container: Container) -> dict[str, str]:
        """Return the variables of the container's process."""
        definition = container.function.definition
        names = (*PASSED_ON, *self._settings.passed_on)
        variables = {name: os.environ[name] for name in names if name in os.environ}
        variables |= self._files.image_environment(definition.image_id)
        for secret_id in definition.secret_ids:
            variables |= self._state.secret(secret_id)
        return {
            **variables,
            "TMPDIR": str(container.folder / "tmp"),
            "NO_PROXY": "127.0.0.1",
            "MODAL_SERVER_URL": f"unix://{self._settings.sockets / container.id}",
            "MODAL_CONTAINER_ARGUMENTS_PATH": str(container.folder / "arguments"),
            "MODAL_CONFIG_PATH": str(container.folder / "none.toml"),
            "MODAL_IS_REMOTE": "1",
            "MODAL_TASK_ID": container.id,
            "MODAL_IMAGE_ID": definition.image_id,
            "MODAL_ENVIRONMENT": "main",
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_LOCAL",
            "MODAL_REGION": "local",
        }


def inherited(names: Iterable[str], environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return those variables that are set; warn about the others."""
    for name in names:
        if name not in environment:
            print(f"infra.modal_local: {name} is not set here, so containers do not get it.", file=sys.stderr)
    return tuple(name for name in names if name in environment)
