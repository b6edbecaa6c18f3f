"""Deployments: the versions of an app, which can be called by number, listed and rolled back to."""

import time
from collections.abc import Iterable

import modal
from modal_proto import api_pb2

from infra.modal_local import notices
from infra.modal_local.apps.schedules import Schedules
from infra.modal_local.containers.lifecycle import Lifecycle
from infra.modal_local.errors import refused
from infra.modal_local.records import App, AppTable, Deployment, Function, FunctionTable


class Deployments:
    """Answers the RPCs that publish apps and roll them back."""

    def __init__(self, apps: AppTable, functions: FunctionTable, containers: Lifecycle, schedules: Schedules) -> None:
        self._apps, self._functions = apps, functions
        self._containers, self._schedules = containers, schedules

    async def AppPublish(self, request: api_pb2.AppPublishRequest) -> api_pb2.AppPublishResponse:
        if request.staged:
            raise refused("Staged deployments are not emulated by infra.modal_local.")
        app = self._apps.get(request.app_id)
        for mine, theirs in ((app.function_ids, request.function_ids), (app.class_ids, request.class_ids)):
            mine.clear()
            mine.update(theirs)
        functions = [self._functions.get(one) for one in app.function_ids.values()]
        if request.app_state == api_pb2.APP_STATE_DEPLOYED:
            app.state, app.name = api_pb2.APP_STATE_DEPLOYED, request.name
            self._deploy(app, _deployment(app, functions, request))
        elif request.app_state:
            app.state = request.app_state
            for function in functions:
                if function.definition.HasField("schedule"):
                    said = f"{function.name} has a schedule, which starts only when the app is deployed."
                    notices.show(said, app.id)
        return api_pb2.AppPublishResponse(url=f"local:{app.id}", deployed_at=app.deployed_at)

    def _deploy(self, app: App, deployment: Deployment) -> None:
        app.deployments.append(deployment)
        app.deployed_at, app.version = deployment.history.deployed_at, deployment.history.version
        self._replace_containers(app)
        functions = [self._functions.get(one) for one in app.function_ids.values()]
        self._schedules.start(app, functions)
        for function in functions:  # so that warm containers start now
            self._containers.pool(function)
        self._containers.pump()

    def _replace_containers(self, app: App) -> None:
        for container in self._containers.of(app):  # running inputs finish; new ones get the new code
            container.draining = True
            self._containers.pool(container.function).changed.notify()

    async def AppDeploymentHistory(
        self, request: api_pb2.AppDeploymentHistoryRequest
    ) -> api_pb2.AppDeploymentHistoryResponse:
        app = self._apps.get(request.app_id)
        histories = [one.history for one in reversed(app.deployments)]
        return api_pb2.AppDeploymentHistoryResponse(
            app_deployment_histories=histories, production_app_version=app.version
        )

    async def AppRollback(self, request: api_pb2.AppRollbackRequest) -> api_pb2.AppRollbackResponse:
        app = self._apps.get(request.app_id)
        if app.version == 1 and request.version < 0:
            raise refused(f"The app {app.name!r} has only one version: there is nothing to roll back to.")
        old = app.deployment(request.version if request.version > 0 else app.version - 1)
        for mine, theirs in ((app.function_ids, old.function_ids), (app.class_ids, old.class_ids)):
            mine.clear()
            mine.update(theirs)
        for function_id, definition in old.definitions.items():
            function = self._functions.get(function_id)
            function.definition, function.metadata = definition, old.metadata[function_id]
        history = api_pb2.AppDeploymentHistory()
        history.CopyFrom(old.history)
        history.version, history.deployed_at = app.version + 1, time.time()
        history.rollback_version = old.history.version
        self._deploy(app, Deployment(history, old.function_ids, old.class_ids, old.definitions, old.metadata))
        return api_pb2.AppRollbackResponse(url=f"local:{app.id}", deployed_at=app.deployed_at)

    async def AppRollover(self, request: api_pb2.AppRolloverRequest) -> api_pb2.AppRolloverResponse:
        app = self._apps.get(request.app_id)
        self._replace_containers(app)
        self._containers.pump()
        return api_pb2.AppRolloverResponse(url=f"local:{app.id}", deployed_at=time.time())


def _deployment(app: App, functions: Iterable[Function], request: api_pb2.AppPublishRequest) -> Deployment:
    """Return a copy of everything that makes up the app's next deployment."""
    history = api_pb2.AppDeploymentHistory(
        app_id=app.id,
        version=app.version + 1,
        client_version=request.client_version or modal.__version__,
        deployed_at=time.time(),
        deployed_by="you",
        tag=request.deployment_tag,
        rollback_allowed=True,
        commit_info=request.commit_info,
    )
    definitions, metadata = {}, {}
    for function in functions:
        definitions[function.id] = api_pb2.Function()
        definitions[function.id].CopyFrom(function.definition)
        metadata[function.id] = api_pb2.FunctionHandleMetadata()
        metadata[function.id].CopyFrom(function.metadata)
    return Deployment(history, dict(app.function_ids), dict(app.class_ids), definitions, metadata)
