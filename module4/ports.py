"""Ports of the labs' web pages."""

import socket

from shared.errors import ConfigError


def check_port(port: int, target: str) -> None:
    """Raise ConfigError, with advice, if a port of 127.0.0.1 cannot be used; `target` is the make target to name."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            other = port + 1 if 1024 < port < 65535 else 8081
            raise ConfigError(
                f"PORT: {port} cannot be used ({error.strerror}). Choose another one: make {target} PORT={other}"
            ) from None
