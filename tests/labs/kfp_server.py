"""A server that speaks the few calls of Kubeflow Pipelines' API that the lab makes, over HTTP on this machine.

What may be called, and what a body may hold, is not written here: it is read from kfp-server-api, the published
definition of the API.
"""

import inspect
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
import yaml

BODIES = {
    "experiments": kfp_server_api.V2beta1Experiment,
    "runs": kfp_server_api.V2beta1Run,
    "recurringruns": kfp_server_api.V2beta1RecurringRun,
}
IDENTIFIERS = {"experiments": "experiment_id", "runs": "run_id", "recurringruns": "recurring_run_id"}


def published_calls() -> set[tuple[str, str]]:
    """Method and path of every call of the API, with * for what is filled in."""
    services = [service for name, service in vars(kfp_server_api).items() if name.endswith("ServiceApi")]
    found = re.findall(r"'(/apis/[^']+)', '([A-Z]+)'", "\n".join(inspect.getsource(service) for service in services))
    return {(method, re.sub(r"\{[^}]+\}", "*", path)) for path, method in found}


class FakeServer(ThreadingHTTPServer):
    """Keeps what it is sent. `token`: who is let in; `manner`: how it behaves (pipelines, login, old, broken)."""

    def __init__(self, token: str = "", manner: str = "pipelines") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token, self.manner = token, manner
        self.calls: list[tuple[str, str]] = []
        self.states: list[dict[str, Any]] = []  # what it answers about a run, one after the other
        self.kept: dict[str, list[dict[str, Any]]] = {name: [] for name in (*BODIES, "pipelines", "versions")}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        self._handle(self.rfile.read(int(self.headers["Content-Length"])))

    def _handle(self, body: bytes) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.server.calls.append((self.command, path))
        if self.server.manner == "old":
            return self._answer(404, {"error": "Not Found"})
        if self.server.manner == "login":
            return self._answer(200, "<html>Please log in.</html>")
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self._answer(401, {"error": "Unauthenticated", "code": 16})
        if self.server.manner == "broken" and self.command == "POST":
            return self._answer(400, {"error": "Bad", "message": "the pipeline spec is invalid: no root", "code": 3})
        shape = re.sub(r"/id-[^/]+", "/*", path)
        assert (self.command, shape) in published_calls(), f"{self.command} {path} is not in the published API"
        return self._answer(200, self._result(shape, path, query, body))

    def _result(self, shape: str, path: str, query: dict[str, list[str]], body: bytes) -> dict[str, Any]:
        name = shape.removeprefix("/apis/v2beta1/")
        if name == "healthz":
            return {"multi_user": False}
        if name in ("pipelines/upload", "pipelines/upload_version"):
            return self._uploaded(name, query, self._file(body))
        if name == "pipelines/*/versions":
            owner = path.split("/")[-2]
            found = [one for one in self.server.kept["versions"] if one["pipeline_id"] == owner]
            return {"pipeline_versions": found, "total_size": len(found)}
        if name == "runs/*":
            return self.server.states.pop(0)
        if self.command == "POST":
            return self._created(name, json.loads(body))
        wanted = json.loads(query["filter"][0])["predicates"][0]["stringValue"] if "filter" in query else None
        found = [one for one in self.server.kept[name] if wanted in (None, one["display_name"])]
        return {name: found, "total_size": len(found)}

    def _created(self, name: str, sent: dict[str, Any]) -> dict[str, Any]:
        unknown = set(sent) - set(BODIES[name].attribute_map.values())
        assert not unknown, f"{name}: {unknown} are not in the published definition"
        kept = {**sent, IDENTIFIERS[name]: f"id-{name}-{len(self.server.kept[name])}"}
        self.server.kept[name].append(kept)
        return kept

    def _uploaded(self, name: str, query: dict[str, list[str]], file: bytes) -> dict[str, Any]:
        assert next(yaml.safe_load_all(file))["pipelineInfo"]["name"]
        if name == "pipelines/upload":
            kept = {"pipeline_id": f"id-{query['name'][0]}", "display_name": query["name"][0]}
            self.server.kept["pipelines"].append(kept)
            return kept
        owner = query["pipelineid"][0]
        assert owner in {one["pipeline_id"] for one in self.server.kept["pipelines"]}
        number = len(self.server.kept["versions"])
        kept = {"pipeline_id": owner, "pipeline_version_id": f"id-{number}", "display_name": query["name"][0]}
        self.server.kept["versions"].append(kept)
        return kept

    def _file(self, body: bytes) -> bytes:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message: Message = BytesParser().parsebytes(head + body)
        (part,) = message.get_payload()  # type: ignore[misc]
        return bytes(part.get_payload(decode=True))  # type: ignore[union-attr]

    def _answer(self, status: int, content: dict[str, Any] | str) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(content, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        """Stay silent."""


@contextmanager
def serving(token: str = "", manner: str = "pipelines") -> Iterator[FakeServer]:
    """Serve until the end of the block."""
    with FakeServer(token, manner) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
