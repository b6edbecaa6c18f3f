"""Apps: running and deployed ones, their logs and their schedules."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local.model import App, Function
from infra.modal_local.rpc import not_found
from infra.modal_local.schedules import Clock, keep_schedule

if TYPE_CHECKING:
    from infra.modal_local.calls import Calls
    from infra.modal_local.container import Container
    from infra.modal_local.containers import Containers
    from infra.modal_local.functions import Functions

SILENCE_SECONDS = 90  # a client sends a heartbeat every 15; one that was killed cannot say goodbye
STREAM_SECONDS = 50


class Apps:
    """Answers the RPCs about apps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apps: dict[str, App] = {}
        self._schedules: dict[str, list[asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.functions: Functions
        self.containers: Containers
        self.calls: Calls

    def get(self, app_id: str) -> App:
        """Return the app with this id."""
        if app_id not in self._apps:
            raise not_found(f"There is no app {app_id}.")
        return self._apps[app_id]

    def deployed(self, name: str) -> App:
        """Return the deployed app with this name."""
        for app in self._apps.values():
            if app.name == name and not app.stopped:
                return app
        raise not_found(f"No app with the name {name!r} is deployed.")

    async def stop(self, app: App) -> None:
        """End an app: its schedules, its containers, its log."""
        if app.stopped:
            return
        app.state, app.stopped_at = api_pb2.APP_STATE_STOPPED, time.time()
        self._unschedule(app)
        await self.containers.stop(self.functions.of(app))
        app.log.close()

    async def end_abandoned(self) -> None:
        """Stop, forever, running apps whose client has gone without a word."""
        while True:
            await asyncio.sleep(SILENCE_SECONDS / 3)
            for app in list(self._apps.values()):
                silent = time.monotonic() - app.heard_of_at > SILENCE_SECONDS
                if silent and app.state in (api_pb2.APP_STATE_EPHEMERAL, api_pb2.APP_STATE_INITIALIZING):
                    await self.stop(app)

    async def close(self) -> None:
        """End all apps."""
        for app in list(self._apps.values()):
            self._unschedule(app)
        for task in self._tasks:
            task.cancel()

    def _stop_soon(self, app: App) -> None:
        task = asyncio.ensure_future(self.stop(app))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Schedules

    def _schedule(self, app: App) -> None:
        self._unschedule(app)
        scheduled = [self.functions.get(one) for one in app.function_ids.values()]
        self._schedules[app.id] = [
            asyncio.ensure_future(self._keep(one)) for one in scheduled if one.definition.HasField("schedule")
        ]

    async def _keep(self, function: Function) -> None:
        async def fire() -> None:
            await self.calls.call_from_schedule(function)

        try:
            await keep_schedule(function.definition.schedule, self._clock, fire)
        except ValueError as error:
            function.app.log.add("", function.id, api_pb2.FILE_DESCRIPTOR_STDERR, f"{function.name}: {error}\n")

    def _unschedule(self, app: App) -> None:
        for task in self._schedules.pop(app.id, []):
            task.cancel()

    # RPCs

    async def ClientHello(self, request: Empty, caller: "Container | None") -> api_pb2.ClientHelloResponse:
        return api_pb2.ClientHelloResponse()

    async def AppCreate(
        self, request: api_pb2.AppCreateRequest, caller: "Container | None"
    ) -> api_pb2.AppCreateResponse:
        app = App(request.description, request.app_state)
        self._apps[app.id] = app
        page = "(local: there is no web page)"
        return api_pb2.AppCreateResponse(app_id=app.id, app_page_url=page, app_logs_url=page)

    async def AppGetOrCreate(
        self, request: api_pb2.AppGetOrCreateRequest, caller: "Container | None"
    ) -> api_pb2.AppGetOrCreateResponse:
        found = [one for one in self._apps.values() if one.name == request.app_name and not one.stopped]
        if not found and request.object_creation_type != api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
            raise not_found(f"No app with the name {request.app_name!r} is deployed.")
        app = found[0] if found else App(request.app_name, api_pb2.APP_STATE_DEPLOYED, name=request.app_name)
        self._apps[app.id] = app
        return api_pb2.AppGetOrCreateResponse(app_id=app.id)

    async def AppPublish(
        self, request: api_pb2.AppPublishRequest, caller: "Container | None"
    ) -> api_pb2.AppPublishResponse:
        app = self.get(request.app_id)
        for mine, theirs in ((app.function_ids, request.function_ids), (app.class_ids, request.class_ids)):
            mine.clear()
            mine.update(theirs)
        if request.app_state == api_pb2.APP_STATE_DEPLOYED:
            await self._deploy(app, request.name)
        elif request.app_state:
            app.state = request.app_state
        return api_pb2.AppPublishResponse(url=f"local:{app.id}", deployed_at=app.deployed_at)

    async def _deploy(self, app: App, name: str) -> None:
        old = self.containers.of(app)
        app.state, app.name, app.deployed_at, app.version = (
            api_pb2.APP_STATE_DEPLOYED,
            name,
            time.time(),
            app.version + 1,
        )
        for container in old:  # they finish what they do; new inputs find the new code
            container.draining = True
            self.containers.pool(container.function).changed.notify()
        self._schedule(app)
        for function_id in app.function_ids.values():  # those that are kept warm start now
            self.containers.pool(self.functions.get(function_id))
        self.containers.pump()

    async def AppHeartbeat(self, request: api_pb2.AppHeartbeatRequest, caller: "Container | None") -> Empty:
        self.get(request.app_id).heard_of_at = time.monotonic()
        return Empty()

    async def AppClientDisconnect(
        self, request: api_pb2.AppClientDisconnectRequest, caller: "Container | None"
    ) -> Empty:
        app = self.get(request.app_id)
        if app.state in (api_pb2.APP_STATE_EPHEMERAL, api_pb2.APP_STATE_INITIALIZING):
            self._stop_soon(app)
        return Empty()

    async def AppStop(self, request: api_pb2.AppStopRequest, caller: "Container | None") -> Empty:
        await self.stop(self.get(request.app_id))
        return Empty()

    async def AppList(self, request: api_pb2.AppListRequest, caller: "Container | None") -> api_pb2.AppListResponse:
        return api_pb2.AppListResponse(apps=[self._item(app) for app in self._apps.values()])

    def _item(self, app: App) -> api_pb2.AppListResponse.AppListItem:
        return api_pb2.AppListResponse.AppListItem(
            app_id=app.id,
            name=app.name,
            description=app.description,
            state=app.state,
            created_at=app.created_at,
            stopped_at=app.stopped_at,
            n_running_tasks=len(self.containers.of(app)),
        )

    async def AppGetByDeploymentName(
        self, request: api_pb2.AppGetByDeploymentNameRequest, caller: "Container | None"
    ) -> api_pb2.AppGetByDeploymentNameResponse:
        named = [one for one in self._apps.values() if one.name == request.name]
        running, ended = ([one for one in named if one.stopped is stopped] for stopped in (False, True))
        response = api_pb2.AppGetByDeploymentNameResponse(
            app_id=running[0].id if running else "",
            previous_app_id=ended[-1].id if ended and not running else "",
            environment_name="main",
        )
        if named:
            response.lifecycle.CopyFrom((running or ended)[-1].lifecycle())
        return response

    async def AppGetLifecycle(
        self, request: api_pb2.AppGetLifecycleRequest, caller: "Container | None"
    ) -> api_pb2.AppGetLifecycleResponse:
        return api_pb2.AppGetLifecycleResponse(lifecycle=self.get(request.app_id).lifecycle())

    async def AppGetLayout(
        self, request: api_pb2.AppGetLayoutRequest, caller: "Container | None"
    ) -> api_pb2.AppGetLayoutResponse:
        return api_pb2.AppGetLayoutResponse(app_layout=self.functions.layout(self.get(request.app_id)))

    async def TaskList(self, request: api_pb2.TaskListRequest, caller: "Container | None") -> api_pb2.TaskListResponse:
        apps = [self.get(request.app_id)] if request.app_id else list(self._apps.values())
        tasks = [
            api_pb2.TaskStats(task_id=one.id, app_id=app.id, app_description=app.description, started_at=one.started_at)
            for app in apps
            for one in self.containers.of(app)
        ]
        return api_pb2.TaskListResponse(tasks=tasks)

    async def ObjectSuggest(
        self, request: api_pb2.ObjectSuggestRequest, caller: "Container | None"
    ) -> api_pb2.ObjectSuggestResponse:
        return api_pb2.ObjectSuggestResponse()

    async def AppGetLogs(
        self, request: api_pb2.AppGetLogsRequest, caller: "Container | None"
    ) -> AsyncIterator[api_pb2.TaskLogsBatch]:
        app = self.get(request.app_id) if request.app_id else self.functions.get(request.function_id).app
        last = int(request.last_entry_id.partition("-")[0] or 0)
        deadline = time.monotonic() + min(request.timeout, STREAM_SECONDS)
        while True:
            done = app.log.done  # before looking: what comes after is not lost
            for number, batch in app.log.after(last):
                last = number
                if _matches(batch, request):
                    yield batch
            if done:
                yield api_pb2.TaskLogsBatch(app_done=True)
            if done or time.monotonic() >= deadline:
                return
            await app.log.changed.wait(deadline - time.monotonic())

    async def AppFetchLogs(
        self, request: api_pb2.AppFetchLogsRequest, caller: "Container | None"
    ) -> api_pb2.AppFetchLogsResponse:
        batches = [batch for _, batch in self.get(request.app_id).log.batches]
        return api_pb2.AppFetchLogsResponse(batches=batches[-(request.limit or len(batches) or 1) :])


def _matches(batch: api_pb2.TaskLogsBatch, request: api_pb2.AppGetLogsRequest) -> bool:
    return not (request.function_id and batch.function_id != request.function_id) and not (
        request.task_id and batch.task_id != request.task_id
    )
