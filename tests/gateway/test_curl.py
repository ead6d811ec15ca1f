"""Commands of curl, as browsers and people copy them; of the hard ones, bash and curl itself are the judges."""

import base64
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.gateway.curl import LONGEST, read
from integrations.gateway.simulator import Request, SampleError

HOST = "https://api.example.com"


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        (f"curl {HOST}/books", Request(path="/books")),
        (f"curl '{HOST}/books?q=a+b&q=c&empty='", Request(path="/books", query={"q": ("a b", "c"), "empty": ("",)})),
        ("curl https://x1.execute-api.eu-west-1.amazonaws.com/prod/books/7", Request(path="/books/7")),
        ("curl https://x1.execute-api.eu-west-1.amazonaws.com/prod", Request(path="/")),
        (f"curl -sSLX DELETE {HOST}/b/1", Request(method="DELETE", path="/b/1")),
        (f"curl -XPUT {HOST}/b -d a=1 -d b=2", Request(
            method="PUT", path="/b", headers={"Content-Type": ("application/x-www-form-urlencoded",)}, body=b"a=1&b=2"
        )),
        (f"""curl {HOST}/o -H 'Content-Type: application/json' --data-raw '{{"a": "it'\\''s"}}'""", Request(
            method="POST", path="/o", headers={"Content-Type": ("application/json",)}, body=b"""{"a": "it's"}"""
        )),
        (f"curl {HOST}/o --json '{{}}'", Request(
            method="POST", path="/o", headers={"Content-Type": ("application/json",), "Accept": ("application/json",)}, body=b"{}"
        )),
        (f"curl -G {HOST}/s -d q=1 --data-urlencode 'r=a b'", Request(path="/s", query={"q": ("1",), "r": ("a b",)})),
        (f"curl -I {HOST}/s", Request(method="HEAD", path="/s")),
        (f"curl -u me:secret {HOST}/", Request(headers={"Authorization": ("Basic " + base64.b64encode(b"me:secret").decode(),)})),
        (f"curl -H 'X-A: 1' -H 'x-a: 2' {HOST}/", Request(headers={"X-A": ("1", "2")})),
        (f"curl -H 'Accept:' -H 'X-Empty;' {HOST}/", Request(headers={"X-Empty": ("",)})),
        (f"curl --header='X-A: 1' -o /dev/null --max-time 3 {HOST}/", Request(headers={"X-A": ("1",)})),
        (f"curl.exe {HOST}/a%20b/ü", Request(path="/a%20b/%C3%BC")),
        (f"curl {HOST}/a \\\n  -H 'X: 1' \\\r\n  --compressed", Request(
            path="/a", headers={"X": ("1",), "Accept-Encoding": ("deflate, gzip, br, zstd",)}
        )),
        (f"curl {HOST}/a --data-raw $'{{\"a\":\"it\\'s \\u0021 \\x41\\n\"}}' -H 'Content-Type: text/plain'", Request(
            method="POST", path="/a", headers={"Content-Type": ("text/plain",)}, body=b'{"a":"it\'s ! A\n"}'
        )),
        (f"curl {HOST}/a -d '$(rm -rf /) `id` $HOME' -H 'Content-Type: text/plain'", Request(
            method="POST", path="/a", headers={"Content-Type": ("text/plain",)}, body=b"$(rm -rf /) `id` $HOME"
        )),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_command_is_read(command: str, wanted: Request) -> None:
    assert read(command) == wanted


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "begins with curl"),
        ("wget https://a.example", "begins with curl"),
        ("curl", "no address"),
        ("curl 'https://a.example", "A quote is not closed"),
        ("curl -d @body.json https://a.example", "in the file body.json"),
        ("curl -F a=b https://a.example", "-F is not read here"),
        ("curl https://a.example https://b.example", "two addresses"),
        ("curl https://a.example -H", "-H has no value"),
        ("curl https://[ -s", "no address"),
        ("curl https://a.example --next https://b.example", "Paste the first"),
        ("curl " + "x" * LONGEST, "longer than"),
    ],
)
def test_what_cannot_be_read_is_said(command: str, words: str) -> None:
    with pytest.raises(SampleError) as said:
        read(command)
    assert words in str(said.value)


@given(st.text(st.sampled_from("curl -HdX'\"$\\@{}:/?&= \n\tabü\x00"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read("curl " + text)
    except SampleError as error:
        assert str(error)


# --- By curl itself --------------------------------------------------------------------------------


class Mirror(BaseHTTPRequestHandler):
    """Keeps what it gets."""

    got: Request | None = None

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name: (value,) for name, value in self.headers.items() if name.startswith(("X-", "Content-T"))}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        values: dict[str, tuple[str, ...]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            values[name] = (*values.get(name, ()), value)
        Mirror.got = Request(method=self.command, path=path, headers=headers, query=values, body=body)
        self.send_response(204)
        self.end_headers()

    do_GET = do_PUT = do_DELETE = do_POST

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def mirror() -> Iterator[str]:
    if not (shutil.which("curl") and shutil.which("bash")):
        pytest.skip("curl or bash is not here")
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "options",
    [
        "-d a=1 -d 'b=two words' {}/x",
        "--data-raw @literal {}/x",
        "-d $'line one\\nline two' {}/x",
        "--data-binary $'line one\\nline two' {}/x",
        "--data-urlencode 'a=b c&d' --data-urlencode 'plain text' --data-urlencode '=e f' {}/x",
        "-G -d a=1 --data-urlencode 'q=ü &' '{}/x?z=0'",
        "-XPUT --json '{{\"a\": [1]}}' {}/x/y",
        "-H 'X-One: 1' -H $'X-Two: it\\'s' -H \"X-Three: \\\"q\\\"\" {}/x",
        "-X DELETE '{}/a%20b?x=%26&x=+'",
    ],
)
def test_it_is_what_curl_sends(mirror: str, options: str) -> None:
    command = "curl -s " + options.format(mirror)
    subprocess.run(["bash", "-c", command], check=True, timeout=20)
    mine = read(command)
    assert Mirror.got is not None
    kept = {name: values for name, values in mine.headers.items() if name.startswith(("X-", "Content-T"))}
    assert (mine.method, mine.path, kept, mine.query, mine.body) == (
        Mirror.got.method,
        Mirror.got.path,
        dict(Mirror.got.headers),
        dict(Mirror.got.query),
        Mirror.got.body,
    )
