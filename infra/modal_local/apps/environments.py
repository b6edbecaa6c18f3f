"""Environments: there is one."""

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.names import ENVIRONMENT, check_environment
from infra.modal_local.storage.images import IMAGE_BUILDER

ENVIRONMENT_ID = "en-local"


class Environments:
    """Answers the RPCs about environments."""

    async def EnvironmentGetOrCreate(
        self, request: api_pb2.EnvironmentGetOrCreateRequest
    ) -> api_pb2.EnvironmentGetOrCreateResponse:
        settings = api_pb2.EnvironmentSettings(image_builder_version=IMAGE_BUILDER)
        metadata = api_pb2.EnvironmentMetadata(name=check_environment(request.deployment_name), settings=settings)
        return api_pb2.EnvironmentGetOrCreateResponse(environment_id=ENVIRONMENT_ID, metadata=metadata)

    async def EnvironmentList(self, request: Empty) -> api_pb2.EnvironmentListResponse:
        item = api_pb2.EnvironmentListItem(
            name=ENVIRONMENT, default=True, environment_id=ENVIRONMENT_ID, image_builder_version=IMAGE_BUILDER
        )
        return api_pb2.EnvironmentListResponse(items=[item])
