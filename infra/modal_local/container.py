"""A container, and the pool of containers that a function has."""

import asyncio
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from grpclib.server import Server

from infra.modal_local.records import Change, Function, Input, Result, new_id
from infra.modal_local.supervisor import INTERRUPT, KILL

MOST_CONTAINERS = 64  # of all functions together: a function that calls itself forever is stopped here


@dataclass(eq=False)
class Container:
    """One container; `process` supervises the process in it."""

    function: Function
    folder: Path
    id: str = field(default_factory=lambda: new_id("ta"))
    process: asyncio.subprocess.Process | None = None
    server: Server | None = None
    running: dict[str, Input] = field(default_factory=dict)
    started_at: float = field(default_factory=time.time)
    ready: bool = False
    draining: bool = False
    killed: bool = False
    asking: int = 0  # RPCs that wait for an input
    waiting: int = 0  # RPCs that wait for another function's output
    result: Result | None = None  # of the container itself, when its code cannot even be imported

    @property
    def idle(self) -> bool:
        """Whether it is ready and has nothing to do."""
        return self.ready and not self.running and not self.draining

    @property
    def counts(self) -> bool:
        """Whether it counts toward the limit: not while it stops, nor (against deadlocks) while it waits for a call."""
        return not self.waiting and not (self.draining and not self.running)

    def interrupt(self) -> None:
        """Interrupt the container's code, as Ctrl-C would."""
        self.killed = True
        self._signal(INTERRUPT)

    def kill(self) -> None:
        """Kill the container's processes."""
        self.killed = True
        self._signal(KILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.process:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)


@dataclass(eq=False)
class Pool:
    """A function's containers and the inputs that wait for one."""

    function: Function
    queue: deque[Input] = field(default_factory=deque)
    containers: list[Container] = field(default_factory=list)
    changed: Change = field(default_factory=Change)

    @property
    def missing(self) -> int:
        """How many waiting inputs have no room in any container."""
        room = sum(self.function.capacity - len(one.running) for one in self.containers if not one.draining)
        return len(self.queue) - room

    @property
    def has_room(self) -> bool:
        """Whether the function may have one more container."""
        definition = self.function.definition
        most = definition.autoscaler_settings.max_containers or definition.concurrency_limit or MOST_CONTAINERS
        return sum(not one.draining for one in self.containers) < most
