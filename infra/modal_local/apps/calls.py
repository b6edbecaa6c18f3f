"""Calls: inputs go in, outputs come out."""

import base64
import json
import time
from collections.abc import AsyncIterator

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.apps.requirements import why_not_callable
from infra.modal_local.container import Container
from infra.modal_local.containers.lifecycle import Lifecycle
from infra.modal_local.errors import refused
from infra.modal_local.records import Call, CallTable, Function, FunctionTable, Input

STREAM_SECONDS = 50
INPUTS_OUTSTANDING = 1000


def token(**content: str | int) -> str:
    """Return a token that the client accepts as a signed one: it reads `idx` from it and sends it back."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, content)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def read_token(text: str) -> dict[str, str | int]:
    """Return the content of such a token."""
    content: dict[str, str | int] = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    return content


class Calls:
    """Answers the RPCs about calls."""

    def __init__(self, functions: FunctionTable, calls: CallTable, containers: Lifecycle) -> None:
        self._functions, self._calls, self._containers = functions, calls, containers

    def _start(
        self, function: Function, invocation: "api_pb2.FunctionCallInvocationType.ValueType", parent: str = ""
    ) -> Call:
        """Start a call that has no inputs yet."""
        return self._calls.add(Call(function, invocation, parent))

    def _add(
        self, call: Call, items: list[api_pb2.FunctionPutInputsItem]
    ) -> list[api_pb2.FunctionPutInputsResponseItem]:
        """Add inputs to a call and let them run."""
        inputs = [Input(call, item.idx, item.input) for item in items]
        call.inputs |= {one.id: one for one in inputs}
        self._containers.enqueue(inputs)
        return [
            api_pb2.FunctionPutInputsResponseItem(idx=one.idx, input_id=one.id, input_jwt=_input_token(one))
            for one in inputs
        ]

    def call_from_schedule(self, function: Function) -> None:
        """Call a function without arguments; nobody waits for its result."""
        call = self._start(function, api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC)
        empty = api_pb2.FunctionInput(data_format=api_pb2.DATA_FORMAT_PICKLE)
        self._add(call, [api_pb2.FunctionPutInputsItem(idx=0, input=empty)])

    async def FunctionMap(self, request: api_pb2.FunctionMapRequest) -> api_pb2.FunctionMapResponse:
        function = self._functions.get(request.function_id)
        if reason := why_not_callable(function.definition):
            raise refused(f"infra.modal_local: {reason}.")
        call = self._start(function, request.function_call_invocation_type, request.parent_input_id)
        return api_pb2.FunctionMapResponse(
            function_call_id=call.id,
            function_call_jwt=token(call=call.id),
            pipelined_inputs=self._add(call, list(request.pipelined_inputs)),
            retry_policy=function.definition.retry_policy,
            sync_client_retries_enabled=True,
            max_inputs_outstanding=INPUTS_OUTSTANDING,
        )

    async def FunctionPutInputs(self, request: api_pb2.FunctionPutInputsRequest) -> api_pb2.FunctionPutInputsResponse:
        call = self._calls.get(request.function_call_id)
        return api_pb2.FunctionPutInputsResponse(inputs=self._add(call, list(request.inputs)))

    async def FunctionFinishInputs(self, request: api_pb2.FunctionFinishInputsRequest) -> Empty:
        return Empty()

    async def FunctionRetryInputs(
        self, request: api_pb2.FunctionRetryInputsRequest
    ) -> api_pb2.FunctionRetryInputsResponse:
        call = self._calls.get(str(read_token(request.function_call_jwt)["call"]))
        again = []
        for item in request.inputs:
            one = call.inputs[str(read_token(item.input_jwt)["input"])]
            one.finished, one.attempt = False, one.attempt + 1
            call.outputs = {number: output for number, output in call.outputs.items() if output.input_id != one.id}
            again.append(one)
        self._containers.enqueue(again)
        return api_pb2.FunctionRetryInputsResponse(input_jwts=[_input_token(one) for one in again])

    async def FunctionGetOutputs(
        self, request: api_pb2.FunctionGetOutputsRequest, caller: Container | None
    ) -> api_pb2.FunctionGetOutputsResponse:
        call = self._calls.get(request.function_call_id)
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
        self, call: Call, request: api_pb2.FunctionGetOutputsRequest, caller: Container | None
    ) -> list[int]:
        """Wait for outputs and return their numbers: as soon as there is one, or none after the timeout."""
        deadline = time.monotonic() + request.timeout
        if found := _wanted(call, request):
            return found
        if caller:
            caller.waiting += 1
            self._containers.pump()  # another container may run meanwhile
        try:
            while not (found := _wanted(call, request)) and time.monotonic() < deadline:
                await call.changed.wait(deadline - time.monotonic())
        finally:
            if caller:
                caller.waiting -= 1
        return found

    async def FunctionCallCancel(self, request: api_pb2.FunctionCallCancelRequest) -> Empty:
        self._containers.cancel(
            [one for one in self._calls.get(request.function_call_id).inputs.values() if not one.finished]
        )
        return Empty()

    async def FunctionCallFromId(
        self, request: api_pb2.FunctionCallFromIdRequest
    ) -> api_pb2.FunctionCallFromIdResponse:
        call = self._calls.get(request.function_call_id)
        metadata = api_pb2.FunctionCallHandleMetadata(app_id=call.function.app.id, function_id=call.function.id)
        return api_pb2.FunctionCallFromIdResponse(
            function_call_id=call.id, num_inputs=len(call.inputs), metadata=metadata
        )

    async def FunctionCallPutDataOut(self, request: api_pb2.FunctionCallPutDataRequest) -> Empty:
        call = self._calls.get(request.function_call_id)
        call.chunks |= {chunk.index: chunk for chunk in request.data_chunks}
        call.changed.notify()
        return Empty()

    async def FunctionCallGetDataOut(
        self, request: api_pb2.FunctionCallGetDataRequest
    ) -> AsyncIterator[api_pb2.DataChunk]:
        call, last = self._calls.get(request.function_call_id), request.last_index
        deadline = time.monotonic() + STREAM_SECONDS
        while time.monotonic() < deadline:
            while chunk := call.chunks.get(last + 1):
                yield chunk
                last += 1
            await call.changed.wait(deadline - time.monotonic())

    async def FunctionGetCurrentStats(self, request: api_pb2.FunctionGetCurrentStatsRequest) -> api_pb2.FunctionStats:
        pool = self._containers.pool(self._functions.get(request.function_id))
        running = sum(len(one.running) for one in pool.containers)
        return api_pb2.FunctionStats(
            backlog=len(pool.queue), num_total_tasks=len(pool.containers), num_running_inputs=running
        )


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
