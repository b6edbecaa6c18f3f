"""Calls the functions of deployed apps on schedule."""

import asyncio
from collections.abc import Iterable

from modal_proto import api_pb2

from infra.modal_local.apps.calls import Calls
from infra.modal_local.apps.cron import Clock, next_run
from infra.modal_local.records import App, Function


class Schedules:
    """Runs one task for each scheduled function of a deployed app."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls, self._clock = calls, clock
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}

    def start(self, app: App, functions: Iterable[Function]) -> None:
        """Start the schedules of an app's functions and stop those of an earlier deployment."""
        self.stop(app)
        self._tasks[app.id] = [
            asyncio.ensure_future(self._keep(one)) for one in functions if one.definition.HasField("schedule")
        ]

    def stop(self, app: App) -> None:
        """Stop an app's schedules."""
        for task in self._tasks.pop(app.id, []):
            task.cancel()

    async def _keep(self, function: Function) -> None:
        """Call a function at every scheduled time until cancelled; missed times count as one."""
        moment = self._clock.now()
        try:
            while True:
                moment = max(next_run(function.definition.schedule, moment), self._clock.now())
                await self._clock.sleep_until(moment)
                self._calls.call_from_schedule(function)
        except ValueError as error:
            function.app.log.add("", function.id, api_pb2.FILE_DESCRIPTOR_STDERR, f"{function.name}: {error}\n")
