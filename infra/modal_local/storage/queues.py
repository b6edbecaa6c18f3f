"""Queues, kept in memory for as long as the control plane runs."""

import sys
import time
from dataclasses import dataclass, field

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.names import ENVIRONMENT
from infra.modal_local.records import Change
from infra.modal_local.storage.named import Named, NamedObjects


@dataclass
class Lines:
    """A Queue's partitions."""

    partitions: dict[bytes, list[bytes]] = field(default_factory=dict)
    changed: Change = field(default_factory=Change)


class Queues:
    """Answers the RPCs about Queues."""

    def __init__(self) -> None:
        self._queues: NamedObjects[Lines] = NamedObjects("Queue", "qu")

    async def QueueGetOrCreate(self, request: api_pb2.QueueGetOrCreateRequest) -> api_pb2.QueueGetOrCreateResponse:
        found = self._queues.get_or_create(request.deployment_name, request.object_creation_type, Lines())
        return api_pb2.QueueGetOrCreateResponse(queue_id=found.id, metadata=_metadata(found))

    async def QueueGetById(self, request: api_pb2.QueueGetByIdRequest) -> api_pb2.QueueGetByIdResponse:
        found = self._queues.get(request.queue_id)
        return api_pb2.QueueGetByIdResponse(queue_id=found.id, metadata=_metadata(found))

    async def QueueList(self, request: api_pb2.QueueListRequest) -> api_pb2.QueueListResponse:
        most = request.total_size_limit or sys.maxsize
        queues = [
            api_pb2.QueueListResponse.QueueInfo(
                name=one.name,
                created_at=one.created_at,
                num_partitions=len(one.value.partitions),
                total_size=min(most, sum(map(len, one.value.partitions.values()))),
                queue_id=one.id,
                metadata=_metadata(one),
            )
            for one in self._queues.page(request.pagination)
        ]
        return api_pb2.QueueListResponse(queues=queues, environment_name=ENVIRONMENT)

    async def QueueHeartbeat(self, request: api_pb2.QueueHeartbeatRequest) -> Empty:
        return Empty()

    async def QueueDelete(self, request: api_pb2.QueueDeleteRequest) -> Empty:
        self._queues.delete(request.queue_id)
        return Empty()

    async def QueuePut(self, request: api_pb2.QueuePutRequest) -> Empty:
        lines = self._queues.get(request.queue_id).value
        lines.partitions.setdefault(request.partition_key, []).extend(request.values)
        lines.changed.notify()
        return Empty()

    async def QueueGet(self, request: api_pb2.QueueGetRequest) -> api_pb2.QueueGetResponse:
        lines = self._queues.get(request.queue_id).value
        deadline = time.monotonic() + request.timeout
        while not (line := lines.partitions.get(request.partition_key)) and time.monotonic() < deadline:
            await lines.changed.wait(deadline - time.monotonic())
        taken = (line or [])[: request.n_values or 1]
        del (line or [])[: len(taken)]
        return api_pb2.QueueGetResponse(values=taken)

    async def QueueNextItems(self, request: api_pb2.QueueNextItemsRequest) -> api_pb2.QueueNextItemsResponse:
        lines, first = self._queues.get(request.queue_id).value, int(request.last_entry_id or 0)
        deadline = time.monotonic() + request.item_poll_timeout
        while not (new := lines.partitions.get(request.partition_key, [])[first:]) and time.monotonic() < deadline:
            await lines.changed.wait(deadline - time.monotonic())
        items = [api_pb2.QueueItem(value=value, entry_id=str(number)) for number, value in enumerate(new, first + 1)]
        return api_pb2.QueueNextItemsResponse(items=items)

    async def QueueClear(self, request: api_pb2.QueueClearRequest) -> Empty:
        partitions = self._queues.get(request.queue_id).value.partitions
        for key in list(partitions) if request.all_partitions else [request.partition_key]:
            partitions.pop(key, None)
        return Empty()

    async def QueueLen(self, request: api_pb2.QueueLenRequest) -> api_pb2.QueueLenResponse:
        partitions = self._queues.get(request.queue_id).value.partitions
        lines = list(partitions.values()) if request.total else [partitions.get(request.partition_key, [])]
        return api_pb2.QueueLenResponse(len=sum(len(line) for line in lines))


def _metadata(found: Named[Lines]) -> api_pb2.QueueMetadata:
    return api_pb2.QueueMetadata(name=found.name, creation_info=found.creation)
