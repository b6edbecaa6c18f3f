"""What was called, for those who want to know afterward: a line of JSON per input."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from infra.modal_local.records import Call, Result

OUTCOMES: dict[int, str] = {
    Result.GENERIC_STATUS_UNSPECIFIED: "unfinished",
    Result.GENERIC_STATUS_SUCCESS: "success",
    Result.GENERIC_STATUS_FAILURE: "failure",
    Result.GENERIC_STATUS_TERMINATED: "terminated",
    Result.GENERIC_STATUS_TIMEOUT: "timeout",
}


def write_history(calls: Iterable[Call], path: Path) -> None:
    """Write the calls that are remembered (all unfinished ones, and the newest 2000 others at least), oldest first."""
    text = "".join(f"{json.dumps(row)}\n" for row in _rows(calls))
    path.write_text(text, encoding="utf-8")


def _rows(calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    """Yield a row per input. Times are seconds since the epoch; `parent` is the input whose function made the call."""
    for call in calls:
        definition = call.function.definition
        for one in call.inputs.values():
            yield {
                "function": call.function.name,
                "max_containers": definition.autoscaler_settings.max_containers or definition.concurrency_limit or None,
                "inputs_per_container": call.function.capacity,
                "call": call.id,
                "input": one.id,
                "parent": call.parent or None,
                "container": one.container or None,
                "attempts": one.attempt + 1,
                "submitted": one.submitted_at,
                "finished": one.finished_at if one.finished else None,
                "status": OUTCOMES.get(one.outcome, "failure"),
            }
