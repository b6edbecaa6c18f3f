"""Images: recorded, not built. Of a build, only the variables that it sets are carried out."""

import hashlib
import shlex

from modal_proto import api_pb2

from infra.modal_local.records import Result

IMAGE_BUILDER = "2024.10"


class Images:
    """Answers the RPCs about images."""

    def __init__(self) -> None:
        self._images: dict[str, api_pb2.Image] = {}

    async def ImageGetOrCreate(self, request: api_pb2.ImageGetOrCreateRequest) -> api_pb2.ImageGetOrCreateResponse:
        digest = hashlib.sha256(request.image.SerializeToString(deterministic=True)).hexdigest()
        image_id = f"im-{digest[:22]}"
        self._images[image_id] = request.image
        metadata = api_pb2.ImageMetadata(image_builder_version=IMAGE_BUILDER, python_version_info="", workdir="/root")
        return api_pb2.ImageGetOrCreateResponse(
            image_id=image_id, result=Result(status=Result.GENERIC_STATUS_SUCCESS), metadata=metadata
        )

    def _steps(self, image_id: str) -> list[str]:
        """Return the commands that would build an image, from its base on."""
        image = self._images.get(image_id, api_pb2.Image())
        below = [step for base in image.base_images for step in self._steps(base.image_id)]
        return [*below, *(step for step in image.dockerfile_commands if not step.startswith("FROM base"))]

    def build_steps(self, image_id: str) -> list[str]:
        """Return the steps that are not carried out; of the default image, which every app has, none."""
        if not self._images.get(image_id, api_pb2.Image()).base_images:
            return []
        return [step for step in self._steps(image_id) if step.startswith(("RUN", "COPY"))]

    def environment(self, image_id: str) -> dict[str, str]:
        """Return the variables that an image sets: of its build the only part that is carried out."""
        steps = [step.partition(" ") for step in self._steps(image_id)]
        words = [word for command, _, rest in steps if command.upper() == "ENV" for word in shlex.split(rest)]
        return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}

    async def EnvironmentGetOrCreate(
        self, request: api_pb2.EnvironmentGetOrCreateRequest
    ) -> api_pb2.EnvironmentGetOrCreateResponse:
        settings = api_pb2.EnvironmentSettings(image_builder_version=IMAGE_BUILDER)
        metadata = api_pb2.EnvironmentMetadata(name=request.deployment_name or "main", settings=settings)
        return api_pb2.EnvironmentGetOrCreateResponse(environment_id="en-local", metadata=metadata)
