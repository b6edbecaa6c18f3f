"""Apps: how they are created, listed and stopped."""

import asyncio
import time

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.modal_local import notices
from infra.modal_local.apps.schedules import Schedules
from infra.modal_local.containers.lifecycle import Lifecycle
from infra.modal_local.errors import not_found
from infra.modal_local.records import App, AppTable, FunctionTable

SILENCE_SECONDS = 90  # clients send a heartbeat every 15 s; a killed client cannot say that it stops
RUNNING = (api_pb2.APP_STATE_EPHEMERAL, api_pb2.APP_STATE_INITIALIZING)


class Apps:
    """Answers the RPCs about apps."""

    def __init__(self, apps: AppTable, functions: FunctionTable, containers: Lifecycle, schedules: Schedules) -> None:
        self._apps, self._functions = apps, functions
        self._containers, self._schedules = containers, schedules
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self, app: App) -> None:
        """Stop an app: its schedules, its containers, its log."""
        if app.stopped:
            return
        app.state, app.stopped_at = api_pb2.APP_STATE_STOPPED, time.time()
        self._schedules.stop(app)
        await self._containers.stop(self._functions.of(app))
        app.log.close()

    async def end_abandoned(self) -> None:
        """Stop running apps whose clients have disappeared; never return."""
        while True:
            await asyncio.sleep(SILENCE_SECONDS / 3)
            for app in self._apps:
                if time.monotonic() - app.heard_of_at > SILENCE_SECONDS and app.state in RUNNING:
                    await self.stop(app)

    async def close(self) -> None:
        """Stop all schedules."""
        for app in self._apps:
            self._schedules.stop(app)
        for task in self._tasks:
            task.cancel()

    def _stop_soon(self, app: App) -> None:
        task = asyncio.ensure_future(self.stop(app))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ClientHello(self, request: Empty) -> api_pb2.ClientHelloResponse:
        return api_pb2.ClientHelloResponse()

    async def AppCreate(self, request: api_pb2.AppCreateRequest) -> api_pb2.AppCreateResponse:
        app = self._apps.add(App(request.description, request.app_state))
        if app.state == api_pb2.APP_STATE_DETACHED:
            said = (
                f"The detached app {app.description!r} ends with this control plane; start `serve` to keep it running."
            )
            notices.show(said, app.id)
        page = "(local: there is no web page)"
        return api_pb2.AppCreateResponse(app_id=app.id, app_page_url=page, app_logs_url=page)

    async def AppGetOrCreate(self, request: api_pb2.AppGetOrCreateRequest) -> api_pb2.AppGetOrCreateResponse:
        found = [one for one in self._apps if one.name == request.app_name and not one.stopped]
        if not found and request.object_creation_type != api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
            raise not_found(f"No app named {request.app_name!r} is deployed.")
        app = found[0] if found else App(request.app_name, api_pb2.APP_STATE_DEPLOYED, name=request.app_name)
        self._apps.add(app)
        return api_pb2.AppGetOrCreateResponse(app_id=app.id)

    async def AppHeartbeat(self, request: api_pb2.AppHeartbeatRequest) -> Empty:
        self._apps.get(request.app_id).heard_of_at = time.monotonic()
        return Empty()

    async def AppClientDisconnect(self, request: api_pb2.AppClientDisconnectRequest) -> Empty:
        app = self._apps.get(request.app_id)
        if app.state in RUNNING:
            self._stop_soon(app)
        return Empty()

    async def AppStop(self, request: api_pb2.AppStopRequest) -> Empty:
        await self.stop(self._apps.get(request.app_id))
        return Empty()

    async def AppList(self, request: api_pb2.AppListRequest) -> api_pb2.AppListResponse:
        return api_pb2.AppListResponse(apps=[self._item(app) for app in self._apps])

    def _item(self, app: App) -> api_pb2.AppListResponse.AppListItem:
        return api_pb2.AppListResponse.AppListItem(
            app_id=app.id,
            name=app.name,
            description=app.description,
            state=app.state,
            created_at=app.created_at,
            stopped_at=app.stopped_at,
            n_running_tasks=len(self._containers.of(app)),
        )

    async def AppGetByDeploymentName(
        self, request: api_pb2.AppGetByDeploymentNameRequest
    ) -> api_pb2.AppGetByDeploymentNameResponse:
        named = [one for one in self._apps if one.name == request.name]
        running, ended = ([one for one in named if one.stopped is stopped] for stopped in (False, True))
        response = api_pb2.AppGetByDeploymentNameResponse(
            app_id=running[0].id if running else "",
            previous_app_id=ended[-1].id if ended and not running else "",
            environment_name="main",
        )
        if named:
            response.lifecycle.CopyFrom((running or ended)[-1].lifecycle())
        return response

    async def AppGetLifecycle(self, request: api_pb2.AppGetLifecycleRequest) -> api_pb2.AppGetLifecycleResponse:
        return api_pb2.AppGetLifecycleResponse(lifecycle=self._apps.get(request.app_id).lifecycle())

    async def AppGetLayout(self, request: api_pb2.AppGetLayoutRequest) -> api_pb2.AppGetLayoutResponse:
        return api_pb2.AppGetLayoutResponse(app_layout=self._functions.layout(self._apps.get(request.app_id)))

    async def TaskList(self, request: api_pb2.TaskListRequest) -> api_pb2.TaskListResponse:
        apps = [self._apps.get(request.app_id)] if request.app_id else list(self._apps)
        tasks = [
            api_pb2.TaskStats(task_id=one.id, app_id=app.id, app_description=app.description, started_at=one.started_at)
            for app in apps
            for one in self._containers.of(app)
        ]
        return api_pb2.TaskListResponse(tasks=tasks)

    async def ObjectSuggest(self, request: api_pb2.ObjectSuggestRequest) -> api_pb2.ObjectSuggestResponse:
        return api_pb2.ObjectSuggestResponse()
