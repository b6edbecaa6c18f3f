"""Secrets, kept in memory for as long as the control plane runs."""

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.errors import not_found
from infra.modal_local.storage.named import Named, NamedObjects


class Secrets:
    """Answers the RPCs about Secrets."""

    def __init__(self) -> None:
        self._secrets: NamedObjects[dict[str, str]] = NamedObjects("Secret", "st")

    def variables(self, secret_id: str) -> dict[str, str]:
        """Return a Secret's variables."""
        return self._secrets.get(secret_id).value

    async def SecretGetOrCreate(self, request: api_pb2.SecretGetOrCreateRequest) -> api_pb2.SecretGetOrCreateResponse:
        create = request.object_creation_type
        secret = self._secrets.get_or_create(request.deployment_name, create, dict(request.env_dict))
        if missing := sorted({*request.required_keys} - {*secret.value}):
            raise not_found(f"Secret {secret.name!r} has no {', '.join(missing)}.")
        return api_pb2.SecretGetOrCreateResponse(secret_id=secret.id, metadata=_metadata(secret))

    async def SecretGetInfo(self, request: api_pb2.SecretGetInfoRequest) -> api_pb2.SecretGetInfoResponse:
        return api_pb2.SecretGetInfoResponse(metadata=_metadata(self._secrets.get(request.secret_id)))

    async def SecretList(self, request: api_pb2.SecretListRequest) -> api_pb2.SecretListResponse:
        items = [
            api_pb2.SecretListItem(label=one.name, secret_id=one.id, metadata=_metadata(one))
            for one in self._secrets.page(request.pagination)
        ]
        return api_pb2.SecretListResponse(items=items)

    async def SecretUpdate(self, request: api_pb2.SecretUpdateRequest) -> Empty:
        self._secrets.get(request.secret_id).value.update({one.key: one.value for one in request.updates})
        return Empty()

    async def SecretDelete(self, request: api_pb2.SecretDeleteRequest) -> Empty:
        self._secrets.delete(request.secret_id)
        return Empty()


def _metadata(secret: Named[dict[str, str]]) -> api_pb2.SecretMetadata:
    return api_pb2.SecretMetadata(name=secret.name, keys=list(secret.value), creation_info=secret.creation)
