"""What the control plane remembers: apps, functions, calls and their inputs.

Nothing here answers an RPC or starts a process. The services share the tables at the end of this file.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from modal_proto import api_pb2

from infra.modal_local.errors import not_found

LOG_CHARACTERS_KEPT = 16_000_000
CALLS_KEPT = 2000  # finished calls; the outputs of older ones have expired

Result = api_pb2.GenericResult
FAILED_FOR_GOOD = {Result.GENERIC_STATUS_SUCCESS, Result.GENERIC_STATUS_TERMINATED}


def new_id(prefix: str) -> str:
    """Return an id that looks like Modal's: two letters for the kind of object, then random digits."""
    return f"{prefix}-{secrets.token_hex(11)}"


class Change:
    """Wakes all tasks that wait for something to change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake the tasks that are waiting now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the next change, at most `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), max(seconds, 0))


class Log:
    """The latest output of an app, in numbered batches that clients follow."""

    def __init__(self) -> None:
        self.batches: deque[tuple[int, api_pb2.TaskLogsBatch]] = deque()
        self._kept = 0
        self.changed = Change()
        self.done = False
        self._number = 0

    def add(self, task_id: str, function_id: str, stream: "api_pb2.FileDescriptor.ValueType", text: str) -> None:
        """Append what a container wrote."""
        self._number += 1
        item = api_pb2.TaskLogs(data=text, file_descriptor=stream, timestamp=time.time())
        batch = api_pb2.TaskLogsBatch(
            task_id=task_id, function_id=function_id, entry_id=f"{self._number}-0", items=[item]
        )
        self.batches.append((self._number, batch))
        self._kept += len(text)
        while self._kept > LOG_CHARACTERS_KEPT:
            self._kept -= len(self.batches.popleft()[1].items[0].data)
        self.changed.notify()

    def close(self) -> None:
        """Tell clients that the log is complete."""
        self.done = True
        self.changed.notify()

    def after(self, number: int) -> list[tuple[int, api_pb2.TaskLogsBatch]]:
        """Return the batches newer than `number`."""
        return [entry for entry in self.batches if entry[0] > number]


@dataclass(frozen=True)
class Deployment:
    """A version of an app: its entry in the app's history, and its functions' definitions and metadata by id."""

    history: api_pb2.AppDeploymentHistory
    function_ids: Mapping[str, str]
    class_ids: Mapping[str, str]
    definitions: Mapping[str, api_pb2.Function]
    metadata: Mapping[str, api_pb2.FunctionHandleMetadata]


@dataclass(eq=False)
class App:
    """An app: running, deployed or stopped."""

    description: str
    state: "api_pb2.AppState.ValueType"
    id: str = field(default_factory=lambda: new_id("ap"))
    name: str = ""  # only of a deployed app
    created_at: float = field(default_factory=time.time)
    deployed_at: float = 0.0
    stopped_at: float = 0.0
    version: int = 0
    heard_of_at: float = field(default_factory=time.monotonic)
    function_ids: dict[str, str] = field(default_factory=dict)
    class_ids: dict[str, str] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    deployments: list[Deployment] = field(default_factory=list)  # the oldest first

    @property
    def stopped(self) -> bool:
        """Whether the app has ended."""
        return self.state == api_pb2.APP_STATE_STOPPED

    def deployment(self, version: int) -> Deployment:
        """Return a version of the app. Raises NOT_FOUND."""
        found = next((one for one in self.deployments if one.history.version == version), None)
        if found is None:
            raise not_found(f"The app {self.name!r} has no version {version}: `modal app history {self.name}`.")
        return found

    def lifecycle(self) -> api_pb2.AppLifecycle:
        """Return the app's history in the protocol's terms."""
        return api_pb2.AppLifecycle(
            app_state=self.state,
            created_at=self.created_at,
            deployed_at=self.deployed_at,
            version=self.version,
            stopped_at=self.stopped_at,
        )


@dataclass(eq=False)
class Function:
    """A function, or all methods of a class; `parameters` are those of a parametrized class."""

    app: App
    definition: api_pb2.Function
    metadata: api_pb2.FunctionHandleMetadata = field(default_factory=api_pb2.FunctionHandleMetadata)
    id: str = field(default_factory=lambda: new_id("fu"))
    parameters: bytes = b""

    @property
    def name(self) -> str:
        """Its name in the app's file."""
        return self.definition.function_name

    @property
    def timeout(self) -> float:
        """Seconds that one input may take."""
        return self.definition.timeout_secs or 300

    @property
    def capacity(self) -> int:
        """How many inputs a container may run at the same time."""
        return max(1, self.definition.max_concurrent_inputs, self.definition.batch_max_size)


@dataclass(eq=False)
class Input:
    """One input of a call; `attempt` counts from zero. `outcome` is a status of Result, once it has ended."""

    call: "Call"
    idx: int
    body: api_pb2.FunctionInput
    id: str = field(default_factory=lambda: new_id("in"))
    attempt: int = 0
    finished: bool = False
    submitted_at: float = field(default_factory=time.time)
    finished_at: float = 0.0
    outcome: int = Result.GENERIC_STATUS_UNSPECIFIED
    container: str = ""  # the id of the one that ran it last


@dataclass(eq=False)
class Call:
    """A call of a function: one input for `.remote` and `.spawn`, many for `.map`."""

    function: Function
    invocation: "api_pb2.FunctionCallInvocationType.ValueType"
    parent: str = ""  # the id of the input whose function made this call
    id: str = field(default_factory=lambda: new_id("fc"))
    created_at: float = field(default_factory=time.time)
    inputs: dict[str, Input] = field(default_factory=dict)
    outputs: dict[int, api_pb2.FunctionGetOutputsItem] = field(default_factory=dict)  # in order of arrival
    chunks: dict[int, api_pb2.DataChunk] = field(default_factory=dict)  # of a generator
    changed: Change = field(default_factory=Change)
    number: int = 0

    @property
    def retried_by_client(self) -> bool:
        """Whether the client waits for the outputs and retries failed inputs itself."""
        return self.invocation == api_pb2.FUNCTION_CALL_INVOCATION_TYPE_SYNC

    @property
    def unfinished(self) -> int:
        """How many inputs have no output yet."""
        return sum(not one.finished for one in self.inputs.values())

    def add_output(self, item: api_pb2.FunctionGetOutputsItem) -> None:
        """Keep an output until the client fetches it."""
        self.number += 1
        self.outputs[self.number] = item
        self.changed.notify()


def failure(message: str, status: "Result.GenericStatus.ValueType" = Result.GENERIC_STATUS_FAILURE) -> Result:
    """Return the outcome of an input that no container could report."""
    return Result(status=status, exception=message)


class AppTable:
    """All apps, running, deployed and stopped."""

    def __init__(self) -> None:
        self._apps: dict[str, App] = {}

    def __iter__(self) -> Iterator[App]:
        return iter(list(self._apps.values()))

    def add(self, app: App) -> App:
        """Add a new app and return it."""
        self._apps[app.id] = app
        return app

    def get(self, app_id: str) -> App:
        """Return the app with this id. Raises NOT_FOUND."""
        if app_id not in self._apps:
            raise not_found(f"There is no app {app_id}.")
        return self._apps[app_id]

    def deployed(self, name: str) -> App:
        """Return the deployed app with this name. Raises NOT_FOUND."""
        found = next((app for app in self if app.name == name and not app.stopped), None)
        if found is None:
            raise not_found(f"No app named {name!r} is deployed.")
        return found


class FunctionTable:
    """All functions, including those that are bound to a class's parameters or to other options."""

    def __init__(self) -> None:
        self._functions: dict[str, Function] = {}

    def add(self, function: Function) -> Function:
        """Add a new function and return it."""
        self._functions[function.id] = function
        return function

    def find(self, function_id: str) -> Function | None:
        """Return the function with this id, if there is one."""
        return self._functions.get(function_id)

    def get(self, function_id: str) -> Function:
        """Return the function with this id. Raises NOT_FOUND."""
        if function_id not in self._functions:
            raise not_found(f"There is no function {function_id}.")
        return self._functions[function_id]

    def of(self, app: App) -> list[Function]:
        """Return an app's functions."""
        return [function for function in self._functions.values() if function.app is app]

    def layout(self, app: App) -> api_pb2.AppLayout:
        """Return an app's functions and classes in the protocol's terms."""
        objects = [
            api_pb2.Object(object_id=function.id, function_handle_metadata=function.metadata)
            for function in self.of(app)
        ]
        objects += [
            api_pb2.Object(object_id=class_id, class_handle_metadata=api_pb2.ClassHandleMetadata())
            for class_id in app.class_ids.values()
        ]
        return api_pb2.AppLayout(objects=objects, function_ids=app.function_ids, class_ids=app.class_ids)


class CallTable:
    """All unfinished calls and the latest finished ones."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls.values()))

    def get(self, call_id: str) -> Call:
        """Return the call with this id. Raises NOT_FOUND."""
        if call_id not in self._calls:
            raise not_found(f"There is no call {call_id}; its outputs may have expired.")
        return self._calls[call_id]

    def add(self, call: Call) -> Call:
        """Add a new call and return it; if there are too many, forget the oldest finished ones."""
        self._calls[call.id] = call
        if len(self._calls) > 2 * CALLS_KEPT:
            finished = [one.id for one in self._calls.values() if not one.unfinished]
            for call_id in finished[:-CALLS_KEPT]:
                del self._calls[call_id]
        return call

    def unfinished_inputs(self) -> list[Input]:
        """Return all inputs that have no outcome yet."""
        return [one for call in self._calls.values() for one in call.inputs.values() if not one.finished]
