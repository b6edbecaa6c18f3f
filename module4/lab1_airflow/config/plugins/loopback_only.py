"""Refuse requests for other host names: a page on the web could otherwise reach this Airflow under its own name."""

from airflow.plugins_manager import AirflowPlugin
from starlette.middleware.trustedhost import TrustedHostMiddleware


class LoopbackOnly(AirflowPlugin):
    """Airflow finds this class because it is in the plugins folder; DNS rebinding is what it prevents."""

    name = "loopback_only"
    fastapi_root_middlewares = [
        {
            "name": "Only requests for this machine",
            "middleware": TrustedHostMiddleware,
            "kwargs": {"allowed_hosts": ["127.0.0.1", "localhost"]},
        }
    ]
