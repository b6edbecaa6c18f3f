"""What functions print, streamed to clients."""

import time
from collections.abc import AsyncIterator

from modal_proto import api_pb2

from infra.modal_local.records import AppTable, FunctionTable

STREAM_SECONDS = 50


class Logs:
    """Answers the RPCs about logs."""

    def __init__(self, apps: AppTable, functions: FunctionTable) -> None:
        self._apps, self._functions = apps, functions

    async def AppGetLogs(self, request: api_pb2.AppGetLogsRequest) -> AsyncIterator[api_pb2.TaskLogsBatch]:
        app = self._apps.get(request.app_id) if request.app_id else self._functions.get(request.function_id).app
        last = int(request.last_entry_id.partition("-")[0] or 0)
        deadline = time.monotonic() + min(request.timeout, STREAM_SECONDS)
        while True:
            done = app.log.done  # read first, so that nothing is lost that is logged meanwhile
            for number, batch in app.log.after(last):
                last = number
                if _matches(batch, request):
                    yield batch
            if done:
                yield api_pb2.TaskLogsBatch(app_done=True)
            if done or time.monotonic() >= deadline:
                return
            await app.log.changed.wait(deadline - time.monotonic())

    async def AppFetchLogs(self, request: api_pb2.AppFetchLogsRequest) -> api_pb2.AppFetchLogsResponse:
        batches = [batch for _, batch in self._apps.get(request.app_id).log.batches]
        return api_pb2.AppFetchLogsResponse(batches=batches[-(request.limit or len(batches) or 1) :])


def _matches(batch: api_pb2.TaskLogsBatch, request: api_pb2.AppGetLogsRequest) -> bool:
    return not (request.function_id and batch.function_id != request.function_id) and not (
        request.task_id and batch.task_id != request.task_id
    )
