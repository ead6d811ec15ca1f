"""The control plane as boto3 meets it: a loopback server that reads requests and writes answers by botocore's own service models.

`served(plane)` gives the endpoint's URL, and the line, on which a test cuts, loses or refuses what goes over it.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import botocore.loaders
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel

from tests.aws.control_plane import ControlPlane, Refused


@dataclass
class Route:
    """How an operation stands in HTTP."""

    service: str
    name: str
    model: OperationModel
    method: str
    pattern: re.Pattern[str]
    query: dict[str, str]


def routes() -> list[Route]:
    """The operations that the control plane knows; the ones with a fixed query string first."""
    found = []
    for service in ("apigateway", "lambda"):
        models = ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)
        for name in models.operation_names:
            if not hasattr(ControlPlane, xform_name(name)):
                continue
            model = models.operation_model(name)
            path, _, query = model.http["requestUri"].partition("?")
            pattern = re.sub(r"\\\{(\w+)\\?\+?\\\}", r"(?P<\1>[^/]+)", re.escape(path))
            fixed = dict(part.partition("=")[::2] for part in query.split("&")) if query else {}
            found.append(Route(service, xform_name(name), model, model.http["method"], re.compile(pattern), fixed))
    return sorted(found, key=lambda route: -len(route.query))


ROUTES = routes()


@dataclass
class Line:
    """What happens to requests on their way. Each is called with service, operation and parameters, by the server's threads."""

    before: Callable[[str, str, dict[str, Any]], None] = lambda service, operation, parameters: None
    """Ahead of the control plane. Raises Refused to have that answered, Cut to drop the connection."""
    after: Callable[[str, str, dict[str, Any]], None] = lambda service, operation, parameters: None
    """Once it was carried out: Cut here loses the answer."""


class Cut(Exception):
    """The connection is closed without an answer."""


def parsed(shape: Any, value: Any) -> Any:
    """A value of a request's body under the names that boto3 has for its members."""
    if shape is None or value is None:
        return value
    if shape.type_name == "structure":
        return {
            name: parsed(member, value[wire])
            for name, member in shape.members.items()
            if (wire := member.serialization.get("name", name)) in value
        }
    if shape.type_name == "list":
        return [parsed(shape.member, inner) for inner in value]
    if shape.type_name == "map":
        return {key: parsed(shape.value, inner) for key, inner in value.items()}
    return value


def written(shape: Any, value: Any) -> Any:
    """The opposite, for an answer; what its shape does not know is refused: boto3 would not show it."""
    if shape is None or value is None:
        return value
    if shape.type_name == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{shape.name} has no {unknown}"
        return {shape.members[name].serialization.get("name", name): written(shape.members[name], value[name]) for name in value}
    if shape.type_name == "list":
        return [written(shape.member, inner) for inner in value]
    if shape.type_name == "map":
        return {key: written(shape.value, inner) for key, inner in value.items()}
    return value


def read_request(route: Route, groups: dict[str, str], query: dict[str, list[str]], body: bytes) -> dict[str, Any]:
    """The parameters of an operation, from the request's path, query and body."""
    shape: Any = route.model.input_shape
    if shape is None:
        return {}
    found = dict(parsed(shape, json.loads(body))) if body else {}
    for name, member in shape.members.items():
        where, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if where == "uri":
            found[name] = unquote(groups[re.sub(r"\W", "", wire)])
        elif where == "querystring" and wire in query:
            found[name] = query[wire] if member.type_name == "list" else query[wire][0]
            if member.type_name == "integer":
                found[name] = int(found[name])
    return found


STS = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result>{1}</{0}Result></{0}Response>"""


def xml(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return "".join(f"<{key}>{xml(inner)}</{key}>" for key, inner in value.items())


@contextmanager
def served(plane: ControlPlane) -> Iterator[tuple[str, Line]]:
    """(endpoint URL, line) of a server on a port of its own."""
    line, one_at_a_time = Line(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            try:
                with one_at_a_time:
                    if parts.path == "/":
                        self._sts(parse_qs(body.decode()))
                    else:
                        self._rest(parts.path, query, body)
            except Cut:
                self.close_connection = True

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer

        def _rest(self, path: str, query: dict[str, list[str]], body: bytes) -> None:
            fits = (
                (route, match)
                for route in ROUTES
                if route.method == self.command
                and (match := route.pattern.fullmatch(path))
                and all(query.get(key) == [value] for key, value in route.query.items())
            )
            route, match = next(fits)
            try:
                answer = self._performed(route.service, route.name, read_request(route, match.groupdict(), query, body))
                shape = route.model.output_shape
                text = json.dumps(written(shape, answer)) if shape is not None else ""
                self._send(route.model.http.get("responseCode", 200), text)
            except Refused as reason:
                key = "Message" if route.service == "lambda" else "message"
                self._send(reason.status, json.dumps({key: reason.message}), {"x-amzn-ErrorType": reason.code})

        def _sts(self, form: dict[str, list[str]]) -> None:
            name = form.pop("Action")[0]
            form.pop("Version")
            try:
                answer = self._performed("sts", xform_name(name), {key: values[0] for key, values in form.items()})
                self._send(200, STS.format(name, xml(answer)), {"Content-Type": "text/xml"})
            except Refused as reason:
                error = xml({"Error": {"Type": "Sender", "Code": reason.code, "Message": reason.message}, "RequestId": "sts"})
                self._send(reason.status, f"<ErrorResponse>{error}</ErrorResponse>", {"Content-Type": "text/xml"})

        def _performed(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            line.before(service, operation, parameters)
            answer = plane.perform(service, operation, parameters)
            line.after(service, operation, parameters)
            return answer

        def _send(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
            data = text.encode()
            self.send_response_only(status)
            sent = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid4()), "Date": formatdate(usegmt=True)}
            for key, value in (sent | (headers or {}) | {"Content-Length": str(len(data))}).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: what matters is in the test."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", line
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
