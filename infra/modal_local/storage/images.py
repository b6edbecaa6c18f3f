"""Images: recorded, not built. Only the variables and the working folder that they set have an effect."""

import hashlib
import os
import shlex
import sys
from pathlib import PurePosixPath

from modal_proto import api_pb2

from infra.modal_local.records import Result

IMAGE_BUILDER = "2024.10"
CARRIED_OUT = ("FROM", "ENV", "WORKDIR")


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

    def _layers(self, image_id: str) -> list[api_pb2.Image]:
        """Return an image and the images it is built on, the lowest first."""
        image = self._images.get(image_id)
        if image is None:
            return []
        return [*(layer for base in image.base_images for layer in self._layers(base.image_id)), image]

    def _commands(self, image_id: str) -> list[tuple[str, str]]:
        """Return the instructions of an image's build with their arguments."""
        steps = [step.strip() for layer in self._layers(image_id) for step in layer.dockerfile_commands]
        return [(step.split(maxsplit=1)[0].upper(), step.partition(" ")[2].strip()) for step in steps if step]

    def describe(self, image_id: str) -> str:
        """Describe an image that would differ from this Python; an empty text if it would not."""
        layers = self._layers(image_id)
        if not layers:
            return ""
        steps = [step for layer in layers[1:] for step in layer.dockerfile_commands if not step.startswith(CARRIED_OUT)]
        count = len(steps) + sum(layer.HasField("build_function") for layer in layers)
        base = next((about for command, about in self._commands(image_id) if command == "FROM"), "")
        same = base.startswith(f"python:{sys.version_info.major}.{sys.version_info.minor}")
        if same and not count:
            return ""
        built_on = "" if same else f" built on {base}"
        of = f" of {count} build step{'s' * (count > 1)}" if count else ""
        return f"an image{of}{built_on}"

    def workdir(self, image_id: str) -> str:
        """Return the working folder that an image sets, or an empty text."""
        folders = [about for command, about in self._commands(image_id) if command == "WORKDIR"]
        return str(PurePosixPath("/", *folders)) if folders else ""

    def environment(self, image_id: str) -> dict[str, str]:
        """Return the variables that an image sets; `$PATH` in them stands for this machine's."""
        words = [word for command, rest in self._commands(image_id) if command == "ENV" for word in shlex.split(rest)]
        path = os.environ.get("PATH", "")
        pairs = (word.partition("=") for word in words)
        return {name: value.replace("$PATH", path) for name, equals, value in pairs if equals}
