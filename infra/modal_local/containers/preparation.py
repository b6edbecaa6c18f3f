"""Prepares what a container gets: its files and Volumes, its arguments, its environment variables."""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modal_proto import api_pb2

from infra.modal_local.container import Container
from infra.modal_local.containers.filesystem import graft_point, write_spec
from infra.modal_local.records import FunctionTable
from infra.modal_local.storage.images import Images
from infra.modal_local.storage.mounts import Mounts
from infra.modal_local.storage.secrets import Secrets
from infra.modal_local.storage.volumes import Volumes
from infra.processes import without_proxy

PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Limits:
    """How many containers may run at the same time, and which environment variables they inherit."""

    containers: int
    inherited: tuple[str, ...] = ()


class Preparation:
    """Prepares a container's folder, inside `folder`, and its environment variables.

    `way` is one of WAYS, `python` the interpreter of all containers.
    """

    def __init__(
        self,
        way: str,
        python: Path,
        folder: Path,
        sockets: Path,
        limits: Limits,
        functions: FunctionTable,
        mounts: Mounts,
        images: Images,
        volumes: Volumes,
        secrets: Secrets,
    ) -> None:
        self._way, self._python, self.folder, self._sockets, self._limits = way, python, folder, sockets, limits
        self._functions, self._mounts, self._images = functions, mounts, images
        self._volumes, self._secrets = volumes, secrets

    def socket(self, container: Container) -> Path:
        """Return the socket on which the control plane listens to a container."""
        return self._sockets / container.id

    def _short_tmp(self, container: Container) -> Path:
        """Return a link to the container's temporary folder, short enough for the sockets that libraries put there."""
        return self._sockets / f"{container.id}.tmp"

    def remove(self, container: Container) -> None:
        """Remove the files of a container that has ended."""
        shutil.rmtree(container.folder, ignore_errors=True)
        for path in (self.socket(container), self._short_tmp(container)):
            path.unlink(missing_ok=True)

    async def prepare(self, container: Container) -> Path:
        """Fill the container's folder and return the file that tells `boot.py` what to do."""
        for name in ("new", "fs/root", "tmp"):
            (container.folder / name).mkdir(parents=True)
        self._short_tmp(container).symlink_to(container.folder / "tmp")
        root, definition = container.folder / "fs", container.function.definition
        points = {PurePosixPath("/root")}
        for mount_id in definition.mount_ids:
            for file in self._mounts.files(mount_id):
                path = PurePosixPath("/root", file.filename)
                points.add(graft_point(path))
                self._mounts.place(file, root / path.relative_to("/"))
        for mount in definition.volume_mounts:
            path = PurePosixPath("/root", mount.mount_path)
            points.add(path)
            await self._volumes.mount(container.id, mount, root / path.relative_to("/"))
        workdir = PurePosixPath(self._images.workdir(definition.image_id) or "/root")
        if not Path(workdir).exists():  # otherwise the machine's folder is used
            points.add(graft_point(workdir))
        if any(workdir.is_relative_to(point) for point in points):
            (root / workdir.relative_to("/")).mkdir(parents=True, exist_ok=True)
        (container.folder / "arguments").write_bytes(self._arguments(container).SerializeToString())
        # A graft below another one is not needed: its files are in the outer one's folder already.
        grafts = {
            str(point): root / point.relative_to("/")
            for point in sorted(points)
            if not any(point != other and point.is_relative_to(other) for other in points)
        }
        return write_spec(
            container.folder,
            self._way,
            grafts,
            keep=[str(self._python.parent.parent), str(self._sockets)],
            python=str(self._python),
            workdir=str(workdir),
            read_only=[
                str(PurePosixPath("/root", mount.mount_path)) for mount in definition.volume_mounts if mount.read_only
            ],
        )

    def _arguments(self, container: Container) -> api_pb2.ContainerArguments:
        function = container.function
        layout = self._functions.layout(function.app)
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
        """Return the container's environment variables."""
        definition = container.function.definition
        names = (*PASSED_ON, *self._limits.inherited)
        variables = {name: os.environ[name] for name in names if name in os.environ}
        variables |= self._images.environment(definition.image_id)
        for secret_id in definition.secret_ids:
            variables |= self._secrets.variables(secret_id)
        return {
            **variables,
            "PATH": os.pathsep.join(filter(None, [str(self._python.parent), variables.get("PATH", "")])),
            "TMPDIR": str(self._short_tmp(container)),
            **without_proxy(variables),
            "MODAL_SERVER_URL": f"unix://{self.socket(container)}",
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
    """Return the names of variables that are set; warn about the others."""
    for name in names:
        if name not in environment:
            print(f"infra.modal_local: {name} is not set here, so containers do not get it.", file=sys.stderr)
    return tuple(name for name in names if name in environment)
