"""Refuse requests for other host names: a page on the web could otherwise reach this Airflow under its own name."""

from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from starlette.middleware.trustedhost import TrustedHostMiddleware

# In containers, the other services call the API by its service's name.
INTERNAL = urlsplit(conf.get("core", "execution_api_server_url", fallback="")).hostname


class LoopbackOnly(AirflowPlugin):
    """Airflow finds this class because it is in the plugins folder; DNS rebinding is what it prevents."""

    name = "loopback_only"
    fastapi_root_middlewares = [
        {
            "name": "Only requests for this machine",
            "middleware": TrustedHostMiddleware,
            "kwargs": {"allowed_hosts": ["127.0.0.1", "localhost", *([INTERNAL] if INTERNAL else [])]},
        }
    ]
