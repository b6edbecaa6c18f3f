"""Small state: Dicts, Queues and Secrets. They are kept in memory and end with the control plane."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from google.protobuf.empty_pb2 import Empty
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from infra.modal_local.model import Signal, new_id
from infra.modal_local.rpc import not_found

if TYPE_CHECKING:
    from infra.modal_local.container import Container

T = TypeVar("T")


@dataclass(eq=False)
class Named(Generic[T]):
    """A value with the name and the id that clients know it by."""

    name: str
    id: str
    value: T
    created_at: float = field(default_factory=time.time)


class Shelf(Generic[T]):
    """Objects of one kind, by name and by id."""

    def __init__(self, kind: str, prefix: str) -> None:
        self._kind, self._prefix = kind, prefix
        self._objects: dict[str, Named[T]] = {}

    def get(self, object_id: str) -> Named[T]:
        """Return the object with this id."""
        if object_id not in self._objects:
            raise not_found(f"There is no {self._kind} {object_id}.")
        return self._objects[object_id]

    def get_or_create(self, name: str, create: int, value: T) -> Named[T]:
        """Return the object of this name, or a new one with `value`, as the way of creation asks."""
        found = next((one for one in self._objects.values() if name and one.name == name), None)
        if found and create == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"{self._kind} {name!r} exists already.")
        if found and create == api_pb2.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            found.value = value
        if not found and create == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            raise not_found(f"{self._kind} {name!r} not found.")
        found = found or Named(name, new_id(self._prefix), value)
        self._objects[found.id] = found
        return found

    def named(self) -> list[Named[T]]:
        """Return the objects that have a name."""
        return [one for one in self._objects.values() if one.name]

    def delete(self, object_id: str) -> None:
        """Forget an object."""
        self._objects.pop(object_id, None)


@dataclass
class Lines:
    """A Queue's partitions."""

    partitions: dict[bytes, list[bytes]] = field(default_factory=dict)
    changed: Signal = field(default_factory=Signal)


class State:
    """Answers the RPCs about Dicts, Queues and Secrets."""

    def __init__(self) -> None:
        self._dicts: Shelf[dict[bytes, bytes]] = Shelf("Dict", "di")
        self._queues: Shelf[Lines] = Shelf("Queue", "qu")
        self._secrets: Shelf[dict[str, str]] = Shelf("Secret", "st")

    def secret(self, secret_id: str) -> dict[str, str]:
        """Return a Secret's variables."""
        return self._secrets.get(secret_id).value

    async def SecretGetOrCreate(
        self, request: api_pb2.SecretGetOrCreateRequest, caller: "Container | None"
    ) -> api_pb2.SecretGetOrCreateResponse:
        create = request.object_creation_type
        secret = self._secrets.get_or_create(request.deployment_name, create, dict(request.env_dict))
        if missing := sorted({*request.required_keys} - {*secret.value}):
            raise not_found(f"Secret {secret.name!r} has no {', '.join(missing)}.")
        return api_pb2.SecretGetOrCreateResponse(secret_id=secret.id, metadata=_metadata(secret))

    async def SecretGetInfo(
        self, request: api_pb2.SecretGetInfoRequest, caller: "Container | None"
    ) -> api_pb2.SecretGetInfoResponse:
        return api_pb2.SecretGetInfoResponse(metadata=_metadata(self._secrets.get(request.secret_id)))

    async def SecretList(
        self, request: api_pb2.SecretListRequest, caller: "Container | None"
    ) -> api_pb2.SecretListResponse:
        items = [
            api_pb2.SecretListItem(label=one.name, secret_id=one.id, metadata=_metadata(one))
            for one in self._secrets.named()
            if one.created_at < request.pagination.created_before
        ]
        return api_pb2.SecretListResponse(items=items)

    async def SecretUpdate(self, request: api_pb2.SecretUpdateRequest, caller: "Container | None") -> Empty:
        self._secrets.get(request.secret_id).value.update({one.key: one.value for one in request.updates})
        return Empty()

    async def SecretDelete(self, request: api_pb2.SecretDeleteRequest, caller: "Container | None") -> Empty:
        self._secrets.delete(request.secret_id)
        return Empty()

    async def DictGetOrCreate(
        self, request: api_pb2.DictGetOrCreateRequest, caller: "Container | None"
    ) -> api_pb2.DictGetOrCreateResponse:
        value = {entry.key: entry.value for entry in request.data}
        found = self._dicts.get_or_create(request.deployment_name, request.object_creation_type, value)
        return api_pb2.DictGetOrCreateResponse(dict_id=found.id, metadata=api_pb2.DictMetadata(name=found.name))

    async def DictHeartbeat(self, request: api_pb2.DictHeartbeatRequest, caller: "Container | None") -> Empty:
        return Empty()

    async def DictDelete(self, request: api_pb2.DictDeleteRequest, caller: "Container | None") -> Empty:
        self._dicts.delete(request.dict_id)
        return Empty()

    async def DictUpdate(
        self, request: api_pb2.DictUpdateRequest, caller: "Container | None"
    ) -> api_pb2.DictUpdateResponse:
        value = self._dicts.get(request.dict_id).value
        if request.if_not_exists and any(entry.key in value for entry in request.updates):
            return api_pb2.DictUpdateResponse(created=False)
        value.update({entry.key: entry.value for entry in request.updates})
        return api_pb2.DictUpdateResponse(created=True)

    async def DictGet(self, request: api_pb2.DictGetRequest, caller: "Container | None") -> api_pb2.DictGetResponse:
        value = self._dicts.get(request.dict_id).value.get(request.key)
        return api_pb2.DictGetResponse(found=value is not None, value=value)

    async def DictPop(self, request: api_pb2.DictPopRequest, caller: "Container | None") -> api_pb2.DictPopResponse:
        value = self._dicts.get(request.dict_id).value.pop(request.key, None)
        return api_pb2.DictPopResponse(found=value is not None, value=value)

    async def DictContains(
        self, request: api_pb2.DictContainsRequest, caller: "Container | None"
    ) -> api_pb2.DictContainsResponse:
        return api_pb2.DictContainsResponse(found=request.key in self._dicts.get(request.dict_id).value)

    async def DictLen(self, request: api_pb2.DictLenRequest, caller: "Container | None") -> api_pb2.DictLenResponse:
        return api_pb2.DictLenResponse(len=len(self._dicts.get(request.dict_id).value))

    async def DictClear(self, request: api_pb2.DictClearRequest, caller: "Container | None") -> Empty:
        self._dicts.get(request.dict_id).value.clear()
        return Empty()

    async def DictContents(
        self, request: api_pb2.DictContentsRequest, caller: "Container | None"
    ) -> AsyncIterator[api_pb2.DictEntry]:
        for key, value in list(self._dicts.get(request.dict_id).value.items()):
            yield api_pb2.DictEntry(key=key if request.keys else b"", value=value if request.values else b"")

    async def QueueGetOrCreate(
        self, request: api_pb2.QueueGetOrCreateRequest, caller: "Container | None"
    ) -> api_pb2.QueueGetOrCreateResponse:
        found = self._queues.get_or_create(request.deployment_name, request.object_creation_type, Lines())
        return api_pb2.QueueGetOrCreateResponse(queue_id=found.id, metadata=api_pb2.QueueMetadata(name=found.name))

    async def QueueHeartbeat(self, request: api_pb2.QueueHeartbeatRequest, caller: "Container | None") -> Empty:
        return Empty()

    async def QueueDelete(self, request: api_pb2.QueueDeleteRequest, caller: "Container | None") -> Empty:
        self._queues.delete(request.queue_id)
        return Empty()

    async def QueuePut(self, request: api_pb2.QueuePutRequest, caller: "Container | None") -> Empty:
        lines = self._queues.get(request.queue_id).value
        lines.partitions.setdefault(request.partition_key, []).extend(request.values)
        lines.changed.notify()
        return Empty()

    async def QueueGet(self, request: api_pb2.QueueGetRequest, caller: "Container | None") -> api_pb2.QueueGetResponse:
        lines = self._queues.get(request.queue_id).value
        deadline = time.monotonic() + request.timeout
        while not (line := lines.partitions.get(request.partition_key)) and time.monotonic() < deadline:
            await lines.changed.wait(deadline - time.monotonic())
        taken = (line or [])[: request.n_values or 1]
        del (line or [])[: len(taken)]
        return api_pb2.QueueGetResponse(values=taken)

    async def QueueNextItems(
        self, request: api_pb2.QueueNextItemsRequest, caller: "Container | None"
    ) -> api_pb2.QueueNextItemsResponse:
        lines, first = self._queues.get(request.queue_id).value, int(request.last_entry_id or 0)
        deadline = time.monotonic() + request.item_poll_timeout
        while not (new := lines.partitions.get(request.partition_key, [])[first:]) and time.monotonic() < deadline:
            await lines.changed.wait(deadline - time.monotonic())
        items = [api_pb2.QueueItem(value=value, entry_id=str(number)) for number, value in enumerate(new, first + 1)]
        return api_pb2.QueueNextItemsResponse(items=items)

    async def QueueClear(self, request: api_pb2.QueueClearRequest, caller: "Container | None") -> Empty:
        partitions = self._queues.get(request.queue_id).value.partitions
        for key in list(partitions) if request.all_partitions else [request.partition_key]:
            partitions.pop(key, None)
        return Empty()

    async def QueueLen(self, request: api_pb2.QueueLenRequest, caller: "Container | None") -> api_pb2.QueueLenResponse:
        partitions = self._queues.get(request.queue_id).value.partitions
        lines = list(partitions.values()) if request.total else [partitions.get(request.partition_key, [])]
        return api_pb2.QueueLenResponse(len=sum(len(line) for line in lines))


def _metadata(secret: Named[dict[str, str]]) -> api_pb2.SecretMetadata:
    created = api_pb2.CreationInfo(created_at=secret.created_at)
    return api_pb2.SecretMetadata(name=secret.name, keys=list(secret.value), creation_info=created)
