"""Containers: a process per container, started when inputs wait, ended when none come; bounded in number."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

from google.protobuf.empty_pb2 import Empty
from grpclib.server import Server
from modal_proto import api_pb2

from infra.modal_local.container import MOST_CONTAINERS, Container, Finish, Pool, failure
from infra.modal_local.equipment import Equipment, Settings
from infra.modal_local.model import App, Function, Input, Result
from infra.modal_local.rpc import Dispatcher
from infra.modal_local.sandbox import COMMAND

IDLE_SECONDS = 60
GRACE_SECONDS = 10
START_SECONDS = 60  # at least; the client sends a function's timeout when no other is given
HEARTBEAT_SECONDS = 8


class Containers:
    """Starts and ends containers, gives them inputs, and answers the RPCs that only containers send."""

    def __init__(self, settings: Settings, equipment: Equipment) -> None:
        self._settings, self._equipment = settings, equipment
        self._pools: dict[str, Pool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets = settings.sockets
        self._lifeline, self._held = os.pipe()
        self.topics: list[object] = []
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
                if container.running.pop(one.id, None):
                    self._sacrifice(container)

    def _sacrifice(self, container: Container) -> None:
        """Kill a container because of one input; the others that ran in it run again elsewhere."""
        container.draining = True
        others = list(container.running.values())
        container.running.clear()
        container.kill()
        self.enqueue(others)

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
        if sum(not one.ready for one in everyone) >= max(2, os.cpu_count() or 2):
            return False
        if sum(one.counts for one in everyone) < self._settings.most:
            return True
        spare = next((one for one in everyone if one.idle and not self.pool(one.function).queue), None)
        if spare:
            spare.draining = True
            self.pool(spare.function).changed.notify()
        return spare is not None

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
            await self._save(container)
            pool.containers.remove(container)
            self._account_for(pool, container)
            container.kill()  # what the process may have left behind
            if container.server:
                container.server.close()
            shutil.rmtree(container.folder, ignore_errors=True)
            (self._sockets / container.id).unlink(missing_ok=True)
            self.pump()

    async def _save(self, container: Container) -> None:
        """Commit the Volumes of a container that could not do so itself: a crash loses no file that was written."""
        if container.process and container.process.returncode:
            for snapshot in container.snapshots.values():
                with suppress(OSError):
                    await snapshot.commit()

    async def _run(self, container: Container) -> None:
        spec = await self._equipment.prepare(container, self._lifeline)
        container.server = Server([Dispatcher(self.topics, None, container)])
        await container.server.start(path=str(self._sockets / container.id))
        container.process = process = await asyncio.create_subprocess_exec(
            *COMMAND,
            str(spec),
            env=self._equipment.environment(container),
            cwd=container.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=[self._lifeline],
            start_new_session=True,
        )
        timeout, startup = container.function.timeout, container.function.definition.startup_timeout_secs
        limit = startup if startup and startup != timeout else max(timeout, START_SECONDS)
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
        self._sacrifice(container)

    async def FunctionPutOutputs(self, request: api_pb2.FunctionPutOutputsRequest, caller: Container | None) -> Empty:
        assert caller is not None
        for item in request.outputs:
            one = caller.running.pop(item.input_id, None)
            if one is not None and one.attempt == item.retry_count:
                self.finish(one, item.result, item.data_format, item.input_started_at)
        return Empty()
