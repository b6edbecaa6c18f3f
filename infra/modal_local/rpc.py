"""Takes RPCs: checks the token, finds the method that answers, and turns what is unknown into an error at once."""

import hmac
import inspect
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import modal
from grpclib.const import Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream
from modal_proto.api_grpc import ModalClientBase

from infra.modal_local import WRITTEN_FOR

if TYPE_CHECKING:
    from infra.modal_local.container import Container

Method = Callable[[Any, "Container | None"], Awaitable[Any] | AsyncIterator[Any]]


@dataclass(frozen=True)
class Token:
    """What a client must show with every RPC."""

    id: str
    secret: str

    def accepts(self, metadata: Mapping[str, Any]) -> bool:
        """Tell whether the headers carry this token; takes the same time for every wrong one."""
        shown = [str(metadata.get(f"x-modal-token-{part}", "")).encode() for part in ("id", "secret")]
        wanted = [self.id.encode(), self.secret.encode()]
        return hmac.compare_digest(b"\0".join(shown), b"\0".join(wanted))


def not_found(what: str) -> GRPCError:
    """Return the error for a name or id that nothing has."""
    return GRPCError(Status.NOT_FOUND, what)


def refused(why: str) -> GRPCError:
    """Return the error for a request that makes no sense here; the client does not try it again."""
    return GRPCError(Status.FAILED_PRECONDITION, why)


class Dispatcher:
    """Answers the RPCs of one listener with the methods of `topics` that are called like the RPC.

    Clients show `token`. A container has a socket of its own in a private folder instead, and `caller` says whose.
    """

    def __init__(self, topics: Iterable[object], token: Token | None, caller: "Container | None" = None) -> None:
        self._topics = list(topics)
        self._token = token
        self._caller = caller

    def __mapping__(self) -> dict[str, Handler]:
        """Return a handler for every RPC that the protocol has, known here or not."""
        return ModalClientBase.__mapping__(self)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        """Return the handler of the RPC `name`."""
        method: Method | None = next((getattr(topic, name) for topic in self._topics if hasattr(topic, name)), None)

        async def handle(stream: Stream[Any, Any]) -> None:
            self._check(stream)
            if method is None:
                raise GRPCError(Status.UNIMPLEMENTED, unknown(name))
            await _answer(stream, method, self._caller)

        return handle

    def _check(self, stream: Stream[Any, Any]) -> None:
        metadata = {str(key): value for key, value in (stream.metadata or {}).items()}
        if self._token is not None and not self._token.accepts(metadata):
            raise GRPCError(
                Status.UNAUTHENTICATED, "Token refused: it is not the one this control plane was started with."
            )


def unknown(name: str) -> str:
    """Say that an RPC is not emulated, and what was."""
    return (
        f"infra.modal_local does not know the RPC {name}. It was written for modal {WRITTEN_FOR}"
        f" (installed: {modal.__version__}) and emulates only a part of it."
    )


async def _answer(stream: Stream[Any, Any], method: Method, caller: "Container | None") -> None:
    request = await stream.recv_message()
    try:
        answer = method(request, caller)
        if inspect.isawaitable(answer):
            await stream.send_message(await answer)
        else:
            async for message in answer:
                await stream.send_message(message)
    except (GRPCError, OSError):
        raise
    except Exception as error:
        traceback.print_exc()
        raise refused(f"infra.modal_local failed: {error!r}") from error
