"""Errors for clients, which print them as one sentence on the user's terminal."""

from grpclib.const import Status
from grpclib.exceptions import GRPCError


def not_found(message: str) -> GRPCError:
    """Return the error for an unknown name or id."""
    return GRPCError(Status.NOT_FOUND, message)


def already_exists(message: str) -> GRPCError:
    """Return the error for a name that is taken."""
    return GRPCError(Status.ALREADY_EXISTS, message)


def invalid(message: str) -> GRPCError:
    """Return the error for a malformed argument."""
    return GRPCError(Status.INVALID_ARGUMENT, message)


def refused(message: str) -> GRPCError:
    """Return the error for a request that cannot be served; the client does not retry it."""
    return GRPCError(Status.FAILED_PRECONDITION, message)


def explain(error: OSError) -> str:
    """Explain in one sentence what the operating system refused."""
    names = [str(name) for name in (error.filename, error.filename2) if name]
    return f"{' → '.join(names) or 'The system refused'}: {error.strerror or error}"
