"""Starts containers when inputs wait and stops them when no more arrive; their number is limited."""

import asyncio
import codecs
import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil
from grpclib.server import Server
from modal_proto import api_pb2

from infra.modal_local.container import MOST_CONTAINERS, Container, Pool
from infra.modal_local.containers.filesystem import COMMAND
from infra.modal_local.containers.preparation import Limits, Preparation
from infra.modal_local.records import FAILED_FOR_GOOD, App, Function, Input, Result, failure
from infra.modal_local.rpc import Listener, Router
from infra.modal_local.storage.volumes import Volumes
from infra.modal_local.supervisor import supervised
from infra.processes import kill_tree, signal_name

GRACE_SECONDS = 10
KILL_SECONDS = 5  # how long a supervisor may take to kill what it started
KEPT = 4  # times as many containers as may run are kept idle: functions that call each other in turn find theirs warm
START_SECONDS = 60  # at least: if no startup timeout is given, the client sends the function's timeout


class Lifecycle:
    """Starts and stops containers, and takes the outcome of every input.

    `router` has the RPCs that a container may send: each container gets a server for itself. `lifeline` is a file
    descriptor that becomes readable when the control plane ends.
    """

    def __init__(
        self, limits: Limits, preparation: Preparation, volumes: Volumes, router: Router, lifeline: int
    ) -> None:
        self._limits, self._preparation = limits, preparation
        self._volumes, self._router, self._lifeline = volumes, router, lifeline
        self._pools: dict[str, Pool] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # For the rest of the control plane

    @property
    def pools(self) -> list[Pool]:
        """All functions' pools."""
        return list(self._pools.values())

    def pool(self, function: Function) -> Pool:
        """Return the function's pool."""
        return self._pools.setdefault(function.id, Pool(function))

    def enqueue(self, inputs: Iterable[Input]) -> None:
        """Queue inputs, and start containers for them if necessary."""
        for one in inputs:
            if one.call.function.app.stopped:
                self.finish(one, failure("The app has been stopped.", Result.GENERIC_STATUS_TERMINATED))
            else:
                pool = self.pool(one.call.function)
                pool.queue.append(one)
                pool.changed.notify()
        self.pump()

    def finish(self, one: Input, result: Result, data_format: int = 0, started: float = 0.0) -> None:
        """Take the outcome of an input: retry it if the client does not, or keep the outcome for the client."""
        if one.finished:
            return
        policy = one.call.function.definition.retry_policy
        failed = result.status not in FAILED_FOR_GOOD
        if failed and not one.call.retried_by_client and one.attempt < policy.retries:
            one.attempt += 1
            asyncio.get_running_loop().call_later(backoff(policy, one.attempt), self._retry, one)
            return
        one.finished, one.finished_at, one.outcome = True, time.time(), result.status
        if not failed:
            one.body = api_pb2.FunctionInput()  # it will not be retried
        one.call.add_output(
            api_pb2.FunctionGetOutputsItem(
                result=result,
                idx=one.idx,
                input_id=one.id,
                data_format=data_format,  # type: ignore[arg-type]
                input_started_at=started,
                output_created_at=time.time(),
                retry_count=one.attempt,
            )
        )

    def _retry(self, one: Input) -> None:
        if not one.finished:
            self.enqueue([one])

    def cancel(self, inputs: Iterable[Input]) -> None:
        """Cancel inputs. Containers that run them are killed."""
        for one in inputs:
            pool = self.pool(one.call.function)
            with suppress(ValueError):
                pool.queue.remove(one)
            self.finish(one, failure("The call was cancelled.", Result.GENERIC_STATUS_TERMINATED))
            for container in pool.containers:
                if container.running.pop(one.id, None):
                    self.sacrifice(container)

    def sacrifice(self, container: Container) -> None:
        """Kill a container because of one input; its other inputs run again in another container."""
        container.draining = True
        others = list(container.running.values())
        container.running.clear()
        container.kill()
        self.enqueue(others)

    async def stop(self, functions: Iterable[Function]) -> None:
        """Stop the functions' containers: interrupt busy ones, let idle ones run their exit methods."""
        pools = [self._pools[function.id] for function in functions if function.id in self._pools]
        for pool in pools:
            waiting = [*pool.queue, *(one for container in pool.containers for one in container.running.values())]
            pool.queue.clear()
            for one in waiting:
                self.finish(one, failure("The app has been stopped.", Result.GENERIC_STATUS_TERMINATED))
        await self.retire([container for pool in pools for container in pool.containers])

    async def retire(self, containers: list[Container]) -> None:
        """Let containers stop; kill those that do not stop in time."""
        for container in containers:
            container.draining = True
            if not container.ready:
                container.kill()
            elif container.running:
                container.interrupt()
            self.pool(container.function).changed.notify()
        ended = [container.process.wait() for container in containers if container.process]
        if ended:
            await asyncio.wait([asyncio.ensure_future(one) for one in ended], timeout=GRACE_SECONDS)
        for container in containers:
            container.kill()
        if left := [
            process for process in (one.process for one in containers) if process and process.returncode is None
        ]:
            await asyncio.wait([asyncio.ensure_future(one.wait()) for one in left], timeout=KILL_SECONDS)
            await asyncio.to_thread(kill_tree, *(one.pid for one in left if one.returncode is None))
        while any(container in self.pool(container.function).containers for container in containers):
            await asyncio.sleep(0.01)

    def of(self, app: App) -> list[Container]:
        """Return an app's containers."""
        return [one for pool in self._pools.values() if pool.function.app is app for one in pool.containers]

    async def close(self) -> None:
        """Stop all containers and clean up."""
        await self.stop([pool.function for pool in self._pools.values()])
        for task in self._tasks:
            task.cancel()

    # Starting and stopping

    def pump(self) -> None:
        """Start the containers that waiting inputs need, as far as the limits allow."""
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
        counted = [one for one in everyone if one.counts]
        if sum(not one.idle for one in counted) >= self._limits.containers:
            return False
        if len(counted) < KEPT * self._limits.containers:
            return True
        spare = next((one for one in everyone if one.idle and not self.pool(one.function).queue), None)
        if spare:
            spare.draining = True
            self.pool(spare.function).changed.notify()
        return spare is not None

    def _start(self, pool: Pool) -> None:
        container = Container(pool.function, self._preparation.folder)
        container.folder = self._preparation.folder / container.id
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
            self._volumes.unmount(container.id)
            pool.containers.remove(container)
            self._account_for(pool, container)
            if container.server:
                container.server.close()
            self._preparation.remove(container)
            self.pump()

    async def _save(self, container: Container) -> None:
        """Commit the Volumes of a container that crashed, so that the files it wrote are not lost."""
        if container.process and container.process.returncode:
            await self._volumes.commit_all(container.id)

    async def _run(self, container: Container) -> None:
        spec = await self._preparation.prepare(container)
        container.server = Server([Listener(self._router, caller=container)])
        await container.server.start(path=str(self._preparation.socket(container)))
        out, follow_out = await self._log(container, api_pb2.FILE_DESCRIPTOR_STDOUT)
        err, follow_err = await self._log(container, api_pb2.FILE_DESCRIPTOR_STDERR)
        try:
            container.process = process = await asyncio.create_subprocess_exec(
                *supervised([*COMMAND, str(spec)], self._lifeline, own_session=True),
                env=self._preparation.environment(container),
                cwd=container.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                pass_fds=[self._lifeline],
                start_new_session=True,
            )
        finally:
            os.close(out)
            os.close(err)
        timeout, startup = container.function.timeout, container.function.definition.startup_timeout_secs
        limit = startup if startup and startup != timeout else max(timeout, START_SECONDS)
        timer = asyncio.get_running_loop().call_later(limit, self._end_slow_start, container, limit)
        await process.wait()
        timer.cancel()
        if process.returncode or sys.platform != "linux":  # its supervisor may have been killed
            await asyncio.to_thread(kill_left_behind, container.id)
        await asyncio.wait([follow_out, follow_err], timeout=1)
        follow_out.cancel()
        follow_err.cancel()

    async def _log(
        self, container: Container, kind: "api_pb2.FileDescriptor.ValueType"
    ) -> tuple[int, "asyncio.Task[None]"]:
        """Return the writing end of a pipe and the task that logs what is written to it.

        With `subprocess.PIPE`, asyncio would wait for every process that has inherited the pipe, not just for its own.
        """
        reading, writing = os.pipe()
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb")
        )

        async def follow() -> None:
            decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
            try:
                while chunk := await stream.read(65536):
                    container.function.app.log.add(container.id, container.function.id, kind, decoder.decode(chunk))
            finally:
                transport.close()

        return writing, asyncio.ensure_future(follow())

    def _end_slow_start(self, container: Container, limit: float) -> None:
        if not container.ready:
            container.result = failure(f"The container was not ready after {limit:g} s.", Result.GENERIC_STATUS_TIMEOUT)
            container.kill()

    def _account_for(self, pool: Pool, container: Container) -> None:
        """Report the crash of a container for the inputs that it ran, and if it never got ready for those that wait."""
        status = container.process.returncode if container.process else None
        name = signal_name(status) if status is not None and status < 0 else None
        how = f"killed by {name}" if name else f"exit status {status}"
        crash = failure(f"The container {container.id} of {container.function.name} crashed: {how}.")
        for one in list(container.running.values()):
            self.finish(one, crash)
        if not container.ready and (container.result or not container.killed):
            waiting = list(pool.queue)
            pool.queue.clear()
            for one in waiting:
                self.finish(one, container.result or crash)


def kill_left_behind(container_id: str) -> None:
    """Kill all processes that have inherited a container's variables, in case its supervisor is gone."""
    left = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("MODAL_TASK_ID") == container_id:
                left.append(process.pid)
    kill_tree(*left)


def backoff(policy: api_pb2.FunctionRetryPolicy, attempt: int) -> float:
    """Return how many seconds to wait before retry number `attempt`, counted from 1."""
    delay = policy.initial_delay_ms * policy.backoff_coefficient ** (attempt - 1)
    return min(delay, policy.max_delay_ms or 60_000) / 1000
