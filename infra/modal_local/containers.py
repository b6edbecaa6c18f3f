"""Containers: a process per container, started when inputs wait, ended when none come; bounded in number."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from google.protobuf.empty_pb2 import Empty
from grpclib.server import Server
from modal_proto import api_pb2

from infra.modal_local.files import Files
from infra.modal_local.model import App, Function, Input, Result, Signal, new_id
from infra.modal_local.rpc import Dispatcher
from infra.modal_local.sandbox import COMMAND, graft_point, write_spec
from infra.modal_local.state import State
from infra.modal_local.volumes import Snapshot, Volumes

IDLE_SECONDS = 60
GRACE_SECONDS = 10
HEARTBEAT_SECONDS = 8
MOST_CONTAINERS = 64  # with those that only wait for others; a function that calls itself forever ends here
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "SSL_CERT_FILE")


class Finish(Protocol):
    """What is called with the outcome of an input."""

    def __call__(self, one: Input, result: Result, data_format: int = 0, started: float = 0.0) -> None:
        """Take the outcome."""


@dataclass(eq=False)
class Container:
    """One container and the process in it."""

    function: Function
    folder: Path
    id: str = field(default_factory=lambda: new_id("ta"))
    process: asyncio.subprocess.Process | None = None
    server: Server | None = None
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    running: dict[str, Input] = field(default_factory=dict)
    started_at: float = field(default_factory=time.time)
    ready: bool = False
    draining: bool = False
    killed: bool = False
    asking: int = 0  # RPCs that wait for an input
    waiting: int = 0  # RPCs that wait for another function's output
    result: Result | None = None  # of the container itself, when its code cannot even be imported

    @property
    def idle(self) -> bool:
        """Whether it only waits for inputs."""
        return self.ready and not self.running and not self.draining

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process and to what it started."""
        self.killed = True
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


@dataclass(eq=False)
class Pool:
    """A function's containers and the inputs that wait for one."""

    function: Function
    queue: deque[Input] = field(default_factory=deque)
    containers: list[Container] = field(default_factory=list)
    changed: Signal = field(default_factory=Signal)

    @property
    def missing(self) -> int:
        """For how many waiting inputs no container has room."""
        room = sum(self.function.capacity - len(one.running) for one in self.containers if not one.draining)
        return len(self.queue) - room

    @property
    def has_room(self) -> bool:
        """Whether the function allows one more container."""
        definition = self.function.definition
        most = definition.autoscaler_settings.max_containers or definition.concurrency_limit or MOST_CONTAINERS
        return sum(not one.draining for one in self.containers) < most


@dataclass(frozen=True)
class Settings:
    """How containers run: the way they get their files, how many, and which variables they inherit."""

    way: str
    folder: Path
    most: int
    passed_on: tuple[str, ...] = ()


class Containers:
    """Starts and ends containers, gives them inputs, and answers the RPCs that only containers send."""

    def __init__(self, settings: Settings, files: Files, state: State, volumes: Volumes) -> None:
        self._settings, self._files, self._state, self._volumes = settings, files, state, volumes
        self._pools: dict[str, Pool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lifeline, self._held = os.pipe()
        self._sockets = Path(tempfile.mkdtemp(prefix="modal-", dir="/tmp"))  # a socket's path must be short
        self.topics: list[object] = []
        self.layout: Callable[[App], api_pb2.AppLayout] = lambda app: api_pb2.AppLayout()
        self.finish: Finish

    # What the rest of the control plane asks for

    def pool(self, function: Function) -> Pool:
        """Return the function's pool."""
        return self._pools.setdefault(function.id, Pool(function))

    def enqueue(self, inputs: Iterable[Input]) -> None:
        """Let inputs run as soon as there are containers for them."""
        for one in inputs:
            if one.call.function.app.stopped:
                self.finish(one, failure("The app has been stopped.", Result.GENERIC_STATUS_TERMINATED))
            else:
                pool = self.pool(one.call.function)
                pool.queue.append(one)
                pool.changed.notify()
        self.pump()

    def cancel(self, inputs: Iterable[Input]) -> None:
        """End inputs that wait or run, with the containers they run in."""
        for one in inputs:
            pool = self.pool(one.call.function)
            with suppress(ValueError):
                pool.queue.remove(one)
            self.finish(one, failure("The call was cancelled.", Result.GENERIC_STATUS_TERMINATED))
            for container in pool.containers:
                if one.id in container.running:
                    container.kill()

    async def stop(self, functions: Iterable[Function]) -> None:
        """End the functions' containers: those at work at once, the others after their exit methods."""
        pools = [self._pools[function.id] for function in functions if function.id in self._pools]
        for pool in pools:
            waiting = [*pool.queue, *(one for container in pool.containers for one in container.running.values())]
            pool.queue.clear()
            for one in waiting:
                self.finish(one, failure("The app has been stopped.", Result.GENERIC_STATUS_TERMINATED))
        await self.retire([container for pool in pools for container in pool.containers])

    async def retire(self, containers: list[Container]) -> None:
        """Let containers end; kill those that do not."""
        for container in containers:
            container.draining = True
            if container.running or not container.ready:
                container.kill(signal.SIGINT if container.ready else signal.SIGKILL)
            self.pool(container.function).changed.notify()
        ended = [container.process.wait() for container in containers if container.process]
        if ended:
            await asyncio.wait([asyncio.ensure_future(one) for one in ended], timeout=GRACE_SECONDS)
        for container in containers:
            container.kill()
        while any(container in self.pool(container.function).containers for container in containers):
            await asyncio.sleep(0.01)

    def of(self, app: App) -> list[Container]:
        """Return an app's containers."""
        return [one for pool in self._pools.values() if pool.function.app is app for one in pool.containers]

    async def close(self) -> None:
        """End everything and leave nothing."""
        await self.stop([pool.function for pool in self._pools.values()])
        for task in self._tasks:
            task.cancel()
        os.close(self._lifeline)
        os.close(self._held)
        shutil.rmtree(self._sockets, ignore_errors=True)

    # Starting and ending

    def pump(self) -> None:
        """Start as many containers as waiting inputs need and the limits allow."""
        for pool in self._pools.values():
            while (pool.missing > 0 and pool.has_room) or self._wants_warm(pool):
                if not self._may_start(pool):
                    break
                self._start(pool)

    def _wants_warm(self, pool: Pool) -> bool:
        app, settings = pool.function.app, pool.function.definition.autoscaler_settings
        alive = sum(not one.draining for one in pool.containers)
        return app.deployed_at > 0 and not app.stopped and alive < settings.min_containers

    def _may_start(self, pool: Pool) -> bool:
        everyone = [one for other in self._pools.values() for one in other.containers]
        if len(everyone) >= MOST_CONTAINERS:
            while pool.queue:
                self.finish(pool.queue.popleft(), failure(f"More than {MOST_CONTAINERS} containers would be needed."))
            return False
        # One that waits for another function's result takes no processor; without this, nested calls could lock up.
        if sum(not one.waiting for one in everyone) < self._settings.most:
            return sum(not one.ready for one in everyone) < max(2, os.cpu_count() or 2)
        if spare := next((one for one in everyone if one.idle and not self.pool(one.function).queue), None):
            spare.draining = True
            self.pool(spare.function).changed.notify()
        return False

    def _start(self, pool: Pool) -> None:
        container = Container(pool.function, self._settings.folder)
        container.folder = self._settings.folder / container.id
        pool.containers.append(container)
        self._do(self._live(pool, container))

    def _do(self, work: "asyncio.Future[None] | object") -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, pool: Pool, container: Container) -> None:
        try:
            await self._run(container)
        except Exception as error:
            container.result = failure(f"infra.modal_local could not start the container: {error!r}")
        finally:
            pool.containers.remove(container)
            self._account_for(pool, container)
            container.kill()  # what the process may have left behind
            if container.server:
                container.server.close()
            shutil.rmtree(container.folder, ignore_errors=True)
            (self._sockets / container.id).unlink(missing_ok=True)
            self.pump()

    async def _run(self, container: Container) -> None:
        spec = await self._prepare(container)
        container.server = Server([Dispatcher(self.topics, None, container)])
        await container.server.start(path=str(self._sockets / container.id))
        container.process = process = await asyncio.create_subprocess_exec(
            *COMMAND,
            str(spec),
            env=self._environment(container),
            cwd=container.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=[self._lifeline],
            start_new_session=True,
        )
        limit = container.function.definition.startup_timeout_secs or container.function.timeout
        timer = asyncio.get_running_loop().call_later(limit, self._end_slow_start, container, limit)
        assert process.stdout
        assert process.stderr
        readers = [
            asyncio.ensure_future(self._read(container, process.stdout, api_pb2.FILE_DESCRIPTOR_STDOUT)),
            asyncio.ensure_future(self._read(container, process.stderr, api_pb2.FILE_DESCRIPTOR_STDERR)),
        ]
        await process.wait()
        timer.cancel()
        await asyncio.wait(readers, timeout=1)

    async def _read(
        self, container: Container, stream: asyncio.StreamReader, kind: "api_pb2.FileDescriptor.ValueType"
    ) -> None:
        while chunk := await stream.read(65536):
            text = chunk.decode(errors="replace")
            container.function.app.log.add(container.id, container.function.id, kind, text)

    def _end_slow_start(self, container: Container, limit: float) -> None:
        if not container.ready:
            container.result = failure(f"The container was not ready after {limit:g} s.", Result.GENERIC_STATUS_TIMEOUT)
            container.kill()

    def _account_for(self, pool: Pool, container: Container) -> None:
        """Say what became of the inputs of a container that has ended, and of those it should have taken."""
        code = container.process.returncode if container.process else None
        how = f"exit code {code}" if code is None or code >= 0 else f"signal {-code} ({signal.strsignal(-code)})"
        crash = failure(f"The container {container.id} of {container.function.name} crashed: {how}.")
        for one in list(container.running.values()):
            self.finish(one, crash)
        if not container.ready and (container.result or not container.killed):
            waiting = list(pool.queue)
            pool.queue.clear()
            for one in waiting:
                self.finish(one, container.result or crash)

    # A container's files and variables

    async def _prepare(self, container: Container) -> Path:
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
        return write_spec(container.folder, self._settings.way, grafts, lifeline=self._lifeline)

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

    def _environment(self, container: Container) -> dict[str, str]:
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
            "MODAL_SERVER_URL": f"unix://{self._sockets / container.id}",
            "MODAL_CONTAINER_ARGUMENTS_PATH": str(container.folder / "arguments"),
            "MODAL_CONFIG_PATH": str(container.folder / "none.toml"),
            "MODAL_IS_REMOTE": "1",
            "MODAL_TASK_ID": container.id,
            "MODAL_IMAGE_ID": definition.image_id,
            "MODAL_ENVIRONMENT": "main",
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_LOCAL",
            "MODAL_REGION": "local",
        }

    # RPCs of containers

    async def ContainerHello(self, request: Empty, caller: Container | None) -> Empty:
        return Empty()

    async def ContainerHeartbeat(
        self, request: api_pb2.ContainerHeartbeatRequest, caller: Container | None
    ) -> api_pb2.ContainerHeartbeatResponse:
        return api_pb2.ContainerHeartbeatResponse()

    async def TaskResult(self, request: api_pb2.TaskResultRequest, caller: Container | None) -> Empty:
        if caller:
            caller.result = request.result
        return Empty()

    async def ContainerStop(
        self, request: api_pb2.ContainerStopRequest, caller: Container | None
    ) -> api_pb2.ContainerStopResponse:
        for pool in self._pools.values():
            for container in pool.containers:
                if container.id == request.task_id:
                    container.draining = True
                    pool.changed.notify()
        return api_pb2.ContainerStopResponse()

    async def FunctionGetDynamicConcurrency(
        self, request: api_pb2.FunctionGetDynamicConcurrencyRequest, caller: Container | None
    ) -> api_pb2.FunctionGetDynamicConcurrencyResponse:
        most = caller.function.definition.max_concurrent_inputs if caller else 1
        return api_pb2.FunctionGetDynamicConcurrencyResponse(concurrency=max(1, most))

    async def FunctionGetInputs(
        self, request: api_pb2.FunctionGetInputsRequest, caller: Container | None
    ) -> api_pb2.FunctionGetInputsResponse:
        assert caller is not None
        pool = self.pool(caller.function)
        if not caller.ready:
            caller.ready = True
            self.pump()  # the next one may boot now
        if inputs := await self._next_inputs(pool, caller, request):
            return api_pb2.FunctionGetInputsResponse(inputs=[self._hand_over(caller, one) for one in inputs])
        caller.draining = True
        return api_pb2.FunctionGetInputsResponse(inputs=[api_pb2.FunctionGetInputsItem(kill_switch=True)])

    async def _next_inputs(
        self, pool: Pool, container: Container, request: api_pb2.FunctionGetInputsRequest
    ) -> list[Input]:
        """Return inputs for a container, or none when it should end."""
        deadline = time.monotonic() + (pool.function.definition.task_idle_timeout_secs or IDLE_SECONDS)
        warm = pool.function.definition.autoscaler_settings.min_containers
        while not container.draining:
            if pool.queue:
                return await self._batch(pool, request)
            if time.monotonic() >= deadline and not container.running and len(pool.containers) > warm:
                return []
            await pool.changed.wait(max(deadline - time.monotonic(), 1))
        return []

    async def _batch(self, pool: Pool, request: api_pb2.FunctionGetInputsRequest) -> list[Input]:
        taken = [pool.queue.popleft()]
        deadline = time.monotonic() + request.batch_linger_ms / 1000
        while len(taken) < request.batch_max_size:
            if pool.queue:
                taken.append(pool.queue.popleft())
            elif time.monotonic() >= deadline:
                break
            else:
                await pool.changed.wait(deadline - time.monotonic())
        return taken

    def _hand_over(self, container: Container, one: Input) -> api_pb2.FunctionGetInputsItem:
        container.running[one.id] = one
        limit = container.function.timeout
        asyncio.get_running_loop().call_later(limit, self._time_out, container, one, one.attempt, limit)
        return api_pb2.FunctionGetInputsItem(
            input_id=one.id,
            input=one.body,
            function_call_id=one.call.id,
            function_call_invocation_type=one.call.invocation,
            retry_count=one.attempt,
            function_map_idx=one.idx,
        )

    def _time_out(self, container: Container, one: Input, attempt: int, limit: float) -> None:
        if container.running.get(one.id) is not one or one.attempt != attempt:
            return
        del container.running[one.id]
        said = f"{container.function.name} took longer than its timeout of {limit:g} s and was stopped."
        self.finish(one, failure(said, Result.GENERIC_STATUS_TIMEOUT))
        container.kill()

    async def FunctionPutOutputs(self, request: api_pb2.FunctionPutOutputsRequest, caller: Container | None) -> Empty:
        assert caller is not None
        for item in request.outputs:
            one = caller.running.pop(item.input_id, None)
            if one is not None and one.attempt == item.retry_count:
                self.finish(one, item.result, item.data_format, item.input_started_at)
        return Empty()


def failure(
    said: str, status: "Result.GenericStatus.ValueType" = Result.GENERIC_STATUS_FAILURE
) -> api_pb2.GenericResult:
    """Return the outcome of an input that never got to say anything itself."""
    return Result(status=status, exception=said)


def inherited(names: Iterable[str], environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return those variables that are set; warn about the others."""
    for name in names:
        if name not in environment:
            print(f"infra.modal_local: {name} is not set here, so containers do not get it.", file=sys.stderr)
    return tuple(name for name in names if name in environment)
