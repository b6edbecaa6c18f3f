"""Dicts, kept in memory for as long as the control plane runs."""

from collections.abc import AsyncIterator

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.names import ENVIRONMENT
from infra.modal_local.storage.named import Named, NamedObjects


class Dicts:
    """Answers the RPCs about Dicts."""

    def __init__(self) -> None:
        self._dicts: NamedObjects[dict[bytes, bytes]] = NamedObjects("Dict", "di")

    async def DictGetOrCreate(self, request: api_pb2.DictGetOrCreateRequest) -> api_pb2.DictGetOrCreateResponse:
        value = {entry.key: entry.value for entry in request.data}
        found = self._dicts.get_or_create(request.deployment_name, request.object_creation_type, value)
        return api_pb2.DictGetOrCreateResponse(dict_id=found.id, metadata=_metadata(found))

    async def DictGetById(self, request: api_pb2.DictGetByIdRequest) -> api_pb2.DictGetByIdResponse:
        return api_pb2.DictGetByIdResponse(
            dict_id=request.dict_id, metadata=_metadata(self._dicts.get(request.dict_id))
        )

    async def DictList(self, request: api_pb2.DictListRequest) -> api_pb2.DictListResponse:
        dicts = [
            api_pb2.DictListResponse.DictInfo(
                name=one.name, created_at=one.created_at, dict_id=one.id, metadata=_metadata(one)
            )
            for one in self._dicts.page(request.pagination)
        ]
        return api_pb2.DictListResponse(dicts=dicts, environment_name=ENVIRONMENT)

    async def DictHeartbeat(self, request: api_pb2.DictHeartbeatRequest) -> Empty:
        return Empty()

    async def DictDelete(self, request: api_pb2.DictDeleteRequest) -> Empty:
        self._dicts.delete(request.dict_id)
        return Empty()

    async def DictUpdate(self, request: api_pb2.DictUpdateRequest) -> api_pb2.DictUpdateResponse:
        value = self._dicts.get(request.dict_id).value
        if request.if_not_exists and any(entry.key in value for entry in request.updates):
            return api_pb2.DictUpdateResponse(created=False)
        value.update({entry.key: entry.value for entry in request.updates})
        return api_pb2.DictUpdateResponse(created=True)

    async def DictGet(self, request: api_pb2.DictGetRequest) -> api_pb2.DictGetResponse:
        value = self._dicts.get(request.dict_id).value.get(request.key)
        return api_pb2.DictGetResponse(found=value is not None, value=value)

    async def DictPop(self, request: api_pb2.DictPopRequest) -> api_pb2.DictPopResponse:
        value = self._dicts.get(request.dict_id).value.pop(request.key, None)
        return api_pb2.DictPopResponse(found=value is not None, value=value)

    async def DictContains(self, request: api_pb2.DictContainsRequest) -> api_pb2.DictContainsResponse:
        return api_pb2.DictContainsResponse(found=request.key in self._dicts.get(request.dict_id).value)

    async def DictLen(self, request: api_pb2.DictLenRequest) -> api_pb2.DictLenResponse:
        return api_pb2.DictLenResponse(len=len(self._dicts.get(request.dict_id).value))

    async def DictClear(self, request: api_pb2.DictClearRequest) -> Empty:
        self._dicts.get(request.dict_id).value.clear()
        return Empty()

    async def DictContents(self, request: api_pb2.DictContentsRequest) -> AsyncIterator[api_pb2.DictEntry]:
        for key, value in list(self._dicts.get(request.dict_id).value.items()):
            yield api_pb2.DictEntry(key=key if request.keys else b"", value=value if request.values else b"")


def _metadata(found: Named[dict[bytes, bytes]]) -> api_pb2.DictMetadata:
    return api_pb2.DictMetadata(name=found.name, creation_info=found.creation)
