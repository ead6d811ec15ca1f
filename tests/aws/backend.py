"""A backend of the tests' own on loopback: it writes down what it gets, and answers as it was told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from integrations.gateway.simulator import Answer, EndpointRequest


@dataclass
class Backend:
    """Where it listens, what each path gets for an answer, and what came."""

    address: str
    answers: dict[str, Answer] = field(default_factory=dict)
    """First segment of the path → answer."""
    received: dict[str, list[EndpointRequest]] = field(default_factory=dict)
    """First segment of the path → requests, in order."""


def as_sent(answer: Answer) -> Answer:
    """The answer with the header that HTTP needs; the server adds none of its own."""
    return replace(answer, headers={**answer.headers, "Content-Length": (str(len(answer.body)),)})


@contextmanager
def recording() -> Iterator[Backend]:
    """A backend that listens on a free port of 127.0.0.1; ended afterwards."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self.answer()

        def answer(self) -> None:
            name = self.path.lstrip("/").partition("/")[0].partition("?")[0]
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers: dict[str, tuple[str, ...]] = {}
            for key, value in self.headers.items():
                headers[key] = (*headers.get(key, ()), value)
            got = EndpointRequest(method=self.command, url=f"http://{backend.address}{self.path}", headers=headers, body=body)
            backend.received.setdefault(name, []).append(got)
            given = backend.answers.get(name, Answer())
            self.send_response_only(given.status)
            for key, values in as_sent(given).headers.items():
                for value in values:
                    self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(given.body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    backend = Backend(f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield backend
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
