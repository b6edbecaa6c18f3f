"""Functions and classes: how they are defined, found by name, and bound to a class's parameters."""

from collections.abc import Sequence
from platform import python_version

from modal_proto import api_pb2

from infra.modal_local import notices
from infra.modal_local.apps.requirements import asked_for, web_endpoints, why_not_callable
from infra.modal_local.containers.lifecycle import Lifecycle
from infra.modal_local.errors import not_found
from infra.modal_local.records import App, AppTable, Function, FunctionTable, new_id
from infra.modal_local.storage.blobs import Blobs
from infra.modal_local.storage.images import Images

Metadata = api_pb2.FunctionHandleMetadata
# Options of `with_options`, `with_concurrency` and `with_batching` that have the same name in a definition.
PLAIN_OPTIONS = [
    *("timeout_secs", "task_idle_timeout_secs", "max_concurrent_inputs", "batch_max_size", "batch_linger_ms"),
    *("cloud_provider_str", "routing_region"),
]


class Functions:
    """Answers the RPCs that define and find functions and classes."""

    def __init__(
        self, apps: AppTable, functions: FunctionTable, images: Images, blobs: Blobs, containers: Lifecycle
    ) -> None:
        self._apps, self._functions, self._images, self._containers = apps, functions, images, containers
        self._blobs = blobs
        self._bound: dict[tuple[str, int, bytes, bytes], Function] = {}
        self._pinned: dict[tuple[str, int], Function] = {}

    async def FunctionPrecreate(self, request: api_pb2.FunctionPrecreateRequest) -> api_pb2.FunctionPrecreateResponse:
        definition = api_pb2.Function(
            function_name=request.function_name,
            function_type=request.function_type,
            function_schema=request.function_schema,
            supported_input_formats=request.supported_input_formats,
            supported_output_formats=request.supported_output_formats,
        )
        for name, method in request.method_definitions.items():
            definition.method_definitions[name].CopyFrom(method)
        function = self._functions.find(request.existing_function_id)
        if function is None:
            function = self._functions.add(Function(self._apps.get(request.app_id), definition))
        function.metadata = self._describe(function, definition)
        return api_pb2.FunctionPrecreateResponse(function_id=function.id, handle_metadata=function.metadata)

    async def FunctionCreate(self, request: api_pb2.FunctionCreateRequest) -> api_pb2.FunctionCreateResponse:
        data = request.function_data
        definition = data.ranked_functions[0].function if data.ranked_functions else request.function
        function = self._functions.find(request.existing_function_id)
        if function is None:
            function = self._functions.add(Function(self._apps.get(request.app_id), definition))
        function.definition = definition
        function.metadata = self._describe(function)
        self._tell(function, [one.function for one in data.ranked_functions])
        if not data.ranked_functions:
            data = _as_data(definition)
        return api_pb2.FunctionCreateResponse(
            function_id=function.id, function=definition, function_data=data, handle_metadata=function.metadata
        )

    def _describe(self, function: Function, definition: api_pb2.Function | None = None) -> Metadata:
        """Return a function's metadata for clients, also for a definition that it does not have yet."""
        definition = definition or function.definition
        metadata = describe(function, definition)
        for name in web_endpoints(definition):
            method = metadata.method_handle_metadata.get(name.rpartition(".")[2])
            (method or metadata).web_url = self._blobs.not_served(name)
        return metadata

    def _tell(self, function: Function, ranked: Sequence[api_pb2.Function] = ()) -> None:
        """Tell the user what the function asks for and does not get here."""
        if asked := asked_for(function.definition, ranked):
            notices.show(f"{function.name} asks for {asked}: recorded, not given.", function.app.id)
        endpoints = web_endpoints(function.definition)
        for name in endpoints:
            notices.show(f"{name} is a web endpoint: recorded, not served.", function.app.id)
        reason = why_not_callable(function.definition)
        if reason and not endpoints:
            notices.show(f"{reason}: recorded, but it cannot be called.", function.app.id)
        if image := self._images.describe(function.definition.image_id):
            notices.show(f"{image}: recorded, not built; this Python {python_version()} runs it.", function.app.id)

    async def ClassCreate(self, request: api_pb2.ClassCreateRequest) -> api_pb2.ClassCreateResponse:
        class_id = request.existing_class_id or new_id("cs")
        return api_pb2.ClassCreateResponse(class_id=class_id, handle_metadata=api_pb2.ClassHandleMetadata())

    async def ClassGet(self, request: api_pb2.ClassGetRequest) -> api_pb2.ClassGetResponse:
        app = self._apps.deployed(request.app_name)
        if request.object_tag not in app.class_ids:
            raise not_found(f"The app {request.app_name!r} has no class {request.object_tag!r}.")
        return api_pb2.ClassGetResponse(
            class_id=app.class_ids[request.object_tag], handle_metadata=api_pb2.ClassHandleMetadata()
        )

    async def FunctionGet(self, request: api_pb2.FunctionGetRequest) -> api_pb2.FunctionGetResponse:
        app = self._apps.deployed(request.app_name)
        if request.object_tag not in app.function_ids:
            raise not_found(f"The app {request.app_name!r} has no function {request.object_tag!r}.")
        function = self._functions.get(app.function_ids[request.object_tag])
        if request.app_version not in (0, app.version):
            function = self._pin(app, request.object_tag, request.app_version)
        return api_pb2.FunctionGetResponse(
            function_id=function.id, handle_metadata=function.metadata, function=_as_data(function.definition)
        )

    def _pin(self, app: App, tag: str, version: int) -> Function:
        """Return a function as it was in an earlier version of its app."""
        deployment = app.deployment(version)
        function_id = deployment.function_ids.get(tag)
        if function_id is None:
            raise not_found(f"Version {version} of the app {app.name!r} has no function {tag!r}.")
        key = (function_id, version)
        if key not in self._pinned:
            function = self._functions.add(Function(app, deployment.definitions[function_id]))
            function.metadata = self._describe(function)
            self._pinned[key] = function
        return self._pinned[key]

    async def FunctionUpdateSchedulingParams(
        self, request: api_pb2.FunctionUpdateSchedulingParamsRequest
    ) -> api_pb2.FunctionUpdateSchedulingParamsResponse:
        function = self._functions.get(request.function_id)
        settings = function.definition.autoscaler_settings
        settings.MergeFrom(request.settings)
        if request.warm_pool_size_override:
            settings.min_containers = request.warm_pool_size_override
        self._containers.pool(function)
        self._containers.pump()
        return api_pb2.FunctionUpdateSchedulingParamsResponse(current_settings=settings)

    async def FunctionGetById(self, request: api_pb2.FunctionGetByIdRequest) -> api_pb2.FunctionGetByIdResponse:
        function = self._functions.get(request.function_id)
        return api_pb2.FunctionGetByIdResponse(
            handle_metadata=function.metadata, function=_as_data(function.definition)
        )

    async def FunctionBindParams(
        self, request: api_pb2.FunctionBindParamsRequest
    ) -> api_pb2.FunctionBindParamsResponse:
        base = self._functions.get(request.function_id)
        options = request.function_options
        key = (base.id, base.app.version, request.serialized_params, options.SerializeToString(deterministic=True))
        if key not in self._bound:
            bound = Function(base.app, _with_options(base.definition, options), parameters=request.serialized_params)
            bound.metadata = self._describe(bound)
            bound.metadata.base_function_id = base.id
            self._bound[key] = self._functions.add(bound)
            if request.HasField("function_options"):
                self._tell(bound)
        bound = self._bound[key]
        return api_pb2.FunctionBindParamsResponse(bound_function_id=bound.id, handle_metadata=bound.metadata)


def describe(function: Function, definition: api_pb2.Function) -> Metadata:
    """Return a definition's metadata for clients."""
    metadata = Metadata(
        function_name=definition.function_name,
        function_type=definition.function_type,
        function_schema=definition.function_schema,
        class_parameter_info=definition.class_parameter_info,
        supported_input_formats=definition.supported_input_formats,
        supported_output_formats=definition.supported_output_formats,
        definition_id=f"de-{function.id[3:]}",
        app_id=function.app.id,
    )
    for name, method in definition.method_definitions.items():
        metadata.method_handle_metadata[name].CopyFrom(
            Metadata(
                function_name=method.function_name,
                function_type=method.function_type,
                function_schema=method.function_schema,
                supported_input_formats=method.supported_input_formats,
                supported_output_formats=method.supported_output_formats,
                is_method=True,
                use_method_name=name,
                app_id=function.app.id,
            )
        )
    return metadata


def _as_data(definition: api_pb2.Function) -> api_pb2.FunctionData:
    """Return a definition in the form that allows for alternative GPUs."""
    data = api_pb2.FunctionData(
        module_name=definition.module_name,
        function_name=definition.function_name,
        function_type=definition.function_type,
        timeout_secs=definition.timeout_secs,
        is_class=definition.is_class,
        ranked_functions=[api_pb2.FunctionData.RankedFunction(rank=0, function=definition)],
    )
    if definition.HasField("schedule"):
        data.schedule.CopyFrom(definition.schedule)
    return data


def _with_options(definition: api_pb2.Function, options: api_pb2.FunctionOptions) -> api_pb2.Function:
    changed = api_pb2.Function()
    changed.CopyFrom(definition)
    given = {descriptor.name for descriptor, _ in options.ListFields()}
    for name in ("secret_ids", "volume_mounts", "cloud_bucket_mounts"):
        if f"replace_{name}" in given:
            del getattr(changed, name)[:]
        getattr(changed, name).extend(getattr(options, name))
    for name in given.intersection(["resources", "retry_policy", "scheduler_placement"]):
        getattr(changed, name).MergeFrom(getattr(options, name))
    for name in given.intersection(PLAIN_OPTIONS):
        setattr(changed, name, getattr(options, name))
    if "concurrency_limit" in given:
        changed.autoscaler_settings.max_containers = options.concurrency_limit
    if "buffer_containers" in given:
        changed.autoscaler_settings.buffer_containers = options.buffer_containers
    if "warm_pool_size" in given:
        changed.autoscaler_settings.min_containers = options.warm_pool_size
    return changed
