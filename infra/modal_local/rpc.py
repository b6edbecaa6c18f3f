"""Receives RPCs: checks the token, finds the method that answers, and refuses unknown RPCs at once."""

import hmac
import inspect
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import modal
from grpclib.const import Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream
from modal_proto.api_grpc import ModalClientBase

from infra.modal_local import WRITTEN_FOR
from infra.modal_local.container import Container
from infra.modal_local.errors import explain, refused
from infra.modal_local.names import check_environment

Method = Callable[..., Awaitable[Any] | AsyncIterator[Any]]

# What the user asked for, by the beginning of the name of the RPC that the client sends.
NOT_EMULATED = {
    "Sandbox": "Sandboxes and `modal shell`",
    "AuthToken": "Sandboxes and `modal shell`",
    "TaskCommandRouter": "Sandboxes, `modal shell` and `modal container exec`",
    "ContainerExec": "`modal container exec`",
    "AppPromote": "Staged deployments",
    "TaskClusterHello": "Clusters",
    "Tunnel": "Tunnels (`modal.forward`)",
    "SharedVolume": "Network file systems",
    "Proxy": "Proxies",
    "Domain": "Custom domains",
    "Flash": "Flash services",
    "Billing": "Billing reports",
    "WorkspaceBilling": "Billing reports",
    "ImageFromId": "Images of earlier runs",
}


@dataclass(frozen=True)
class Token:
    """The token that a client must send with every RPC."""

    id: str
    secret: str

    def accepts(self, metadata: Mapping[str, Any]) -> bool:
        """Whether the headers contain this token; a wrong one takes as long to refuse, however wrong it is."""
        shown = [str(metadata.get(f"x-modal-token-{part}", "")).encode() for part in ("id", "secret")]
        wanted = [self.id.encode(), self.secret.encode()]
        return hmac.compare_digest(b"\0".join(shown), b"\0".join(wanted))


class Router:
    """Finds the method that answers an RPC: a service's method with the RPC's name.

    A method takes the request; one that needs to know which container sent it has a second parameter, `caller`.
    """

    def __init__(self) -> None:
        self._methods: dict[str, tuple[Method, bool]] = {}

    def add(self, *services: object) -> None:
        """Add services that answer RPCs."""
        for service in services:
            for name, method in inspect.getmembers(service, inspect.ismethod):
                if name[0].isupper():
                    self._methods[name] = method, "caller" in inspect.signature(method).parameters

    def answer(self, name: str, request: Any, caller: Container | None) -> Awaitable[Any] | AsyncIterator[Any]:
        """Call the method that answers the RPC `name`. Raises UNIMPLEMENTED if there is none."""
        if name not in self._methods:
            raise GRPCError(Status.UNIMPLEMENTED, unknown(name))
        check_environment(getattr(request, "environment_name", ""))
        method, takes_caller = self._methods[name]
        return method(request, caller) if takes_caller else method(request)


class Listener:
    """The handlers of a server: the public one, whose clients send `token`, or the one of the container `caller`."""

    def __init__(self, router: Router, token: Token | None = None, caller: Container | None = None) -> None:
        self._router, self._token, self._caller = router, token, caller

    def __mapping__(self) -> dict[str, Handler]:
        """Return a handler for every RPC of the protocol, known here or not."""
        return ModalClientBase.__mapping__(self)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        """Return the handler of the RPC `name`."""

        async def handle(stream: Stream[Any, Any]) -> None:
            self._check(stream)
            request = await stream.recv_message()
            async for message in self._messages(name, request):
                await stream.send_message(message)

        return handle

    def _check(self, stream: Stream[Any, Any]) -> None:
        metadata = {str(key): value for key, value in (stream.metadata or {}).items()}
        if self._token is not None and not self._token.accepts(metadata):
            raise GRPCError(
                Status.UNAUTHENTICATED, "Token refused: it is not the one this control plane was started with."
            )

    async def _messages(self, name: str, request: Any) -> AsyncIterator[Any]:
        """Yield what the method for an RPC returns; turn its errors into sentences for the client."""
        try:
            answer = self._router.answer(name, request, self._caller)
            if inspect.isawaitable(answer):
                yield await answer
            else:
                async for message in answer:
                    yield message
        except GRPCError:
            raise
        except OSError as error:
            raise refused(explain(error)) from error
        except Exception as error:
            traceback.print_exc()
            raise refused(f"infra.modal_local failed: {error!r}") from error


def unknown(name: str) -> str:
    """Explain that an RPC is not emulated, and if possible what it is for."""
    asked: Iterable[str] = (what for prefix, what in NOT_EMULATED.items() if name.startswith(prefix))
    what = next(iter(asked), None)
    return (
        f"{what} are not emulated by infra.modal_local (RPC {name})."
        if what
        else f"infra.modal_local does not know the RPC {name}. It was written for modal {WRITTEN_FOR}"
        f" (installed: {modal.__version__}) and emulates only a part of it."
    )
