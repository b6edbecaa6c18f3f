"""Calls: inputs go in, outputs come out, what failed is tried again by the client or, when none waits, from here."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.containers import Containers
from infra.modal_local.functions import Functions
from infra.modal_local.model import FAILED_FOR_GOOD, Call, Function, Input, Result
from infra.modal_local.rpc import not_found

if TYPE_CHECKING:
    from infra.modal_local.container import Container

CALLS_KEPT = 2000  # finished ones; the outputs of older ones have expired
STREAM_SECONDS = 50
INPUTS_OUTSTANDING = 1000


def token(**content: str | int) -> str:
    """Return what the client takes for a signed token; it reads `idx` from it and sends it back."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, content)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def read_token(text: str) -> dict[str, str | int]:
    """Return what a token of ours holds."""
    content: dict[str, str | int] = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    return content


class Calls:
    """Answers the RPCs about calls."""

    def __init__(self, functions: Functions, containers: Containers) -> None:
        self._functions, self._containers = functions, containers
        self._calls: dict[str, Call] = {}
        containers.finish = self.finish

    def get(self, call_id: str) -> Call:
        """Return the call with this id."""
        if call_id not in self._calls:
            raise not_found(f"There is no call {call_id}; its outputs may have expired.")
        return self._calls[call_id]

    def blobs_in_use(self) -> set[str]:
        """Return the ids of the large inputs that are not finished."""
        inputs = [one for call in self._calls.values() for one in call.inputs.values() if not one.finished]
        return {one.body.args_blob_id for one in inputs if one.body.args_blob_id}

    def start(self, function: Function, invocation: "api_pb2.FunctionCallInvocationType.ValueType") -> Call:
        """Begin a call without inputs."""
        call = Call(function, invocation)
        self._calls[call.id] = call
        if len(self._calls) > 2 * CALLS_KEPT:
            finished = [one.id for one in self._calls.values() if not one.unfinished]
            for call_id in finished[:-CALLS_KEPT]:
                del self._calls[call_id]
        return call

    def add(
        self, call: Call, items: list[api_pb2.FunctionPutInputsItem]
    ) -> list[api_pb2.FunctionPutInputsResponseItem]:
        """Give a call inputs, and let them run."""
        inputs = [Input(call, item.idx, item.input) for item in items]
        call.inputs |= {one.id: one for one in inputs}
        self._containers.enqueue(inputs)
        return [
            api_pb2.FunctionPutInputsResponseItem(idx=one.idx, input_id=one.id, input_jwt=_input_token(one))
            for one in inputs
        ]

    async def call_from_schedule(self, function: Function) -> None:
        """Call a function without arguments, for nobody who waits."""
        call = self.start(function, api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC)
        empty = api_pb2.FunctionInput(data_format=api_pb2.DATA_FORMAT_PICKLE)
        self.add(call, [api_pb2.FunctionPutInputsItem(idx=0, input=empty)])

    def finish(self, one: Input, result: Result, data_format: int = 0, started: float = 0.0) -> None:
        """Take the outcome of an input: try again, or keep it for those who ask."""
        if one.finished:
            return
        policy = one.call.function.definition.retry_policy
        failed = result.status not in FAILED_FOR_GOOD
        if failed and not one.call.retried_by_client and one.attempt < policy.retries:
            one.attempt += 1
            asyncio.get_running_loop().call_later(backoff(policy, one.attempt), self._again, one)
            return
        one.finished = True
        if not failed:
            one.body = api_pb2.FunctionInput()  # nobody will try it again
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

    def _again(self, one: Input) -> None:
        if not one.finished:
            self._containers.enqueue([one])

    async def FunctionMap(
        self, request: api_pb2.FunctionMapRequest, caller: "Container | None"
    ) -> api_pb2.FunctionMapResponse:
        function = self._functions.get(request.function_id)
        call = self.start(function, request.function_call_invocation_type)
        return api_pb2.FunctionMapResponse(
            function_call_id=call.id,
            function_call_jwt=token(call=call.id),
            pipelined_inputs=self.add(call, list(request.pipelined_inputs)),
            retry_policy=function.definition.retry_policy,
            sync_client_retries_enabled=True,
            max_inputs_outstanding=INPUTS_OUTSTANDING,
        )

    async def FunctionPutInputs(
        self, request: api_pb2.FunctionPutInputsRequest, caller: "Container | None"
    ) -> api_pb2.FunctionPutInputsResponse:
        call = self.get(request.function_call_id)
        return api_pb2.FunctionPutInputsResponse(inputs=self.add(call, list(request.inputs)))

    async def FunctionFinishInputs(
        self, request: api_pb2.FunctionFinishInputsRequest, caller: "Container | None"
    ) -> Empty:
        return Empty()

    async def FunctionRetryInputs(
        self, request: api_pb2.FunctionRetryInputsRequest, caller: "Container | None"
    ) -> api_pb2.FunctionRetryInputsResponse:
        call = self.get(str(read_token(request.function_call_jwt)["call"]))
        again = []
        for item in request.inputs:
            one = call.inputs[str(read_token(item.input_jwt)["input"])]
            one.finished, one.attempt = False, one.attempt + 1
            call.outputs = {number: output for number, output in call.outputs.items() if output.input_id != one.id}
            again.append(one)
        self._containers.enqueue(again)
        return api_pb2.FunctionRetryInputsResponse(input_jwts=[_input_token(one) for one in again])

    async def FunctionGetOutputs(
        self, request: api_pb2.FunctionGetOutputsRequest, caller: "Container | None"
    ) -> api_pb2.FunctionGetOutputsResponse:
        call = self.get(request.function_call_id)
        numbers = await self._wait(call, request, caller)
        response = api_pb2.FunctionGetOutputsResponse(
            idxs=[call.outputs[number].idx for number in numbers],
            outputs=[call.outputs[number] for number in numbers],
            last_entry_id=f"{max(numbers)}-0" if numbers else request.last_entry_id,
            num_unfinished_inputs=call.unfinished,
        )
        if request.clear_on_success:
            for number in numbers:
                del call.outputs[number]
        return response

    async def _wait(
        self, call: Call, request: api_pb2.FunctionGetOutputsRequest, caller: "Container | None"
    ) -> list[int]:
        """Return the numbers of the outputs asked for, as soon as there is one or the time is over."""
        deadline = time.monotonic() + request.timeout
        if found := _wanted(call, request):
            return found
        if caller:
            caller.waiting += 1
            self._containers.pump()  # its place is free for another
        try:
            while not (found := _wanted(call, request)) and time.monotonic() < deadline:
                await call.changed.wait(deadline - time.monotonic())
        finally:
            if caller:
                caller.waiting -= 1
        return found

    async def FunctionCallCancel(self, request: api_pb2.FunctionCallCancelRequest, caller: "Container | None") -> Empty:
        self._containers.cancel([one for one in self.get(request.function_call_id).inputs.values() if not one.finished])
        return Empty()

    async def FunctionCallFromId(
        self, request: api_pb2.FunctionCallFromIdRequest, caller: "Container | None"
    ) -> api_pb2.FunctionCallFromIdResponse:
        call = self.get(request.function_call_id)
        metadata = api_pb2.FunctionCallHandleMetadata(app_id=call.function.app.id, function_id=call.function.id)
        return api_pb2.FunctionCallFromIdResponse(
            function_call_id=call.id, num_inputs=len(call.inputs), metadata=metadata
        )

    async def FunctionCallPutDataOut(
        self, request: api_pb2.FunctionCallPutDataRequest, caller: "Container | None"
    ) -> Empty:
        call = self.get(request.function_call_id)
        call.chunks |= {chunk.index: chunk for chunk in request.data_chunks}
        call.changed.notify()
        return Empty()

    async def FunctionCallGetDataOut(
        self, request: api_pb2.FunctionCallGetDataRequest, caller: "Container | None"
    ) -> AsyncIterator[api_pb2.DataChunk]:
        call, last = self.get(request.function_call_id), request.last_index
        deadline = time.monotonic() + STREAM_SECONDS
        while time.monotonic() < deadline:
            while chunk := call.chunks.get(last + 1):
                yield chunk
                last += 1
            await call.changed.wait(deadline - time.monotonic())

    async def FunctionGetCurrentStats(
        self, request: api_pb2.FunctionGetCurrentStatsRequest, caller: "Container | None"
    ) -> api_pb2.FunctionStats:
        pool = self._containers.pool(self._functions.get(request.function_id))
        running = sum(len(one.running) for one in pool.containers)
        return api_pb2.FunctionStats(
            backlog=len(pool.queue), num_total_tasks=len(pool.containers), num_running_inputs=running
        )


def backoff(policy: api_pb2.FunctionRetryPolicy, attempt: int) -> float:
    """Return how many seconds to wait before attempt number `attempt`, the first retry being 1."""
    delay = policy.initial_delay_ms * policy.backoff_coefficient ** (attempt - 1)
    return min(delay, policy.max_delay_ms or 60_000) / 1000


def _input_token(one: Input) -> str:
    return token(idx=one.idx, input=one.id, attempt=one.attempt)


def _wanted(call: Call, request: api_pb2.FunctionGetOutputsRequest) -> list[int]:
    last = int(request.last_entry_id.partition("-")[0] or 0)
    return [
        number
        for number, output in call.outputs.items()
        if number > last
        and (not request.HasField("start_idx") or output.idx >= request.start_idx)
        and (not request.HasField("end_idx") or output.idx <= request.end_idx)
    ]
