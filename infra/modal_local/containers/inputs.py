"""Hands inputs to containers and takes their outputs."""

import asyncio
import time

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.container import Container, Pool
from infra.modal_local.containers.lifecycle import Lifecycle
from infra.modal_local.records import Input, Result, failure

IDLE_SECONDS = 60


class Inputs:
    """Answers the RPCs that only containers send."""

    def __init__(self, containers: Lifecycle) -> None:
        self._containers = containers

    async def ContainerHello(self, request: Empty) -> Empty:
        return Empty()

    async def ContainerHeartbeat(
        self, request: api_pb2.ContainerHeartbeatRequest
    ) -> api_pb2.ContainerHeartbeatResponse:
        return api_pb2.ContainerHeartbeatResponse()

    async def TaskResult(self, request: api_pb2.TaskResultRequest, caller: Container | None) -> Empty:
        if caller:
            caller.result = request.result
        return Empty()

    async def ContainerStop(self, request: api_pb2.ContainerStopRequest) -> api_pb2.ContainerStopResponse:
        for pool in self._containers.pools:
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
        pool = self._containers.pool(caller.function)
        if not caller.ready:
            caller.ready = True
            self._containers.pump()  # the next container may start now
        if inputs := await self._next_inputs(pool, caller, request):
            return api_pb2.FunctionGetInputsResponse(inputs=[self._hand_over(caller, one) for one in inputs])
        caller.draining = True
        return api_pb2.FunctionGetInputsResponse(inputs=[api_pb2.FunctionGetInputsItem(kill_switch=True)])

    async def _next_inputs(
        self, pool: Pool, container: Container, request: api_pb2.FunctionGetInputsRequest
    ) -> list[Input]:
        """Wait for inputs for a container; return none if the container should stop."""
        definition = pool.function.definition
        settings = definition.autoscaler_settings
        window = settings.scaledown_window or definition.task_idle_timeout_secs or IDLE_SECONDS
        deadline, warm = time.monotonic() + window, settings.min_containers
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
        one.container = container.id
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
        self._containers.finish(one, failure(said, Result.GENERIC_STATUS_TIMEOUT))
        self._containers.sacrifice(container)

    async def FunctionPutOutputs(self, request: api_pb2.FunctionPutOutputsRequest, caller: Container | None) -> Empty:
        assert caller is not None
        for item in request.outputs:
            one = caller.running.pop(item.input_id, None)
            if one is not None and one.attempt == item.retry_count:
                self._containers.finish(one, item.result, item.data_format, item.input_started_at)
        return Empty()
