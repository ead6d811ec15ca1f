"""A command line of curl, as browsers and people copy it, in; the request that it would send out. It is data: nothing is run."""

import base64
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from integrations.gateway.simulator import Request, SampleError
from integrations.gateway.simulator.trace import LIMITS

LONGEST = 1_000_000
"""Characters of a command that are read."""

VALUED = {
    "-X": "method", "--request": "method", "-H": "header", "--header": "header", "--url": "url", "--json": "json",
    "-d": "data", "--data": "data", "--data-ascii": "data", "--data-binary": "data", "--data-raw": "raw",
    "--data-urlencode": "encoded", "-u": "user", "--user": "user", "-A": "agent", "--user-agent": "agent",
    "-e": "referer", "--referer": "referer", "-b": "cookie", "--cookie": "cookie", "--oauth2-bearer": "bearer",
}  # fmt: skip
FLAGS = {"-G": "get", "--get": "get", "-I": "head", "--head": "head", "--compressed": "compressed"}
SILENT = frozenset(
    "-s --silent -S --show-error -v --verbose -i --include -k --insecure -L --location -f --fail --fail-with-body -g --globoff "  # noqa: SIM905
    "-N --no-buffer -q --http1.0 --http1.1 --http2 --http3 --path-as-is --tlsv1.2 --tlsv1.3 -# --progress-bar".split()
)
"""They change nothing of the request."""
SILENT_VALUED = frozenset(
    "-o --output -w --write-out -m --max-time --connect-timeout --retry --retry-delay --resolve --connect-to --cacert "  # noqa: SIM905
    "--capath -E --cert --key -x --proxy -c --cookie-jar -D --dump-header --max-redirs --ciphers --aws-sigv4".split()
)


@dataclass
class _Command:
    method: str = ""
    url: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    get: bool = False
    head: bool = False


def read(command: str) -> Request:
    """The request. The stage of an execute-api address is left out of the path. Raises SampleError, in words."""
    if len(command) > LONGEST:
        raise SampleError(f"The command is longer than {LONGEST:,} characters. Paste a shorter one, and its body below.")
    try:
        words = shlex.split(unquoted(command.strip()))
    except ValueError as error:
        raise SampleError("A quote is not closed. Copy the whole command.") from error
    if not words or re.split(r"[/\\]", words[0])[-1].lower() not in ("curl", "curl.exe"):
        raise SampleError("A command that begins with curl is wanted.")
    found = _Command()
    rest = iter(words[1:])
    for word in rest:
        if word == "--next":
            raise SampleError("--next begins another request. Paste the first one only.")
        if not word.startswith("-") or word == "-":
            _take(found, "url", word)
            continue
        for name, given in _options(word):
            if name in FLAGS:
                _flag(found, FLAGS[name])
            elif name in VALUED or name in SILENT_VALUED:
                value = next(rest, None) if given is None else given
                if value is None:
                    raise SampleError(f"{name} has no value. Copy the whole command.")
                if name in VALUED:
                    _take(found, VALUED[name], value)
            elif name not in SILENT:
                raise SampleError(f"{name:.40} is not read here. Remove it, and say in the form what it does.")
    return _request(found)


def _options(word: str) -> list[tuple[str, str | None]]:
    """`-sXPOST` is -s and -X with POST; `--request=POST` is not curl's, yet it is understood."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return [(name, value if equals else None)]
    found: list[tuple[str, str | None]] = []
    for at in range(1, len(word)):
        name = "-" + word[at]
        if name in VALUED or name in SILENT_VALUED:
            return [*found, (name, word[at + 1 :] or None)]
        found.append((name, None))
    return found


def _flag(found: _Command, what: str) -> None:
    if what == "compressed":
        found.headers.append(("Accept-Encoding", "deflate, gzip, br, zstd"))
    else:
        setattr(found, what, True)


def _take(found: _Command, what: str, value: str) -> None:
    match what:
        case "url":
            if found.url:
                raise SampleError(
                    f"There are two addresses, {found.url:.60} and {value:.60}. Quote what belongs to another option."
                )
            found.url = value
        case "method":
            found.method = value.upper()
        case "header":
            name, colon, text = value.partition(":")
            if not colon and value.endswith(";"):
                found.headers.append((value[:-1].strip(), ""))
            elif text.strip():  # a name alone takes a header of curl's own away
                found.headers.append((name.strip(), text.strip()))
        case "data" | "json" | "raw" | "encoded":
            if what != "raw" and (value.startswith("@") or (what == "encoded" and re.match(r"[^=]*@", value))):
                raise SampleError(
                    f"The body is in the file {value.partition('@')[2]:.60}, which is not here. Paste it as the body."
                )
            if what == "encoded":
                name, equals, text = value.rpartition("=") if value.startswith("=") else value.partition("=")
                value = quote_plus(name or value) if not equals else f"{name}={quote_plus(text)}" if name else quote_plus(text)
            elif what == "json":
                found.headers += [("Content-Type", "application/json"), ("Accept", "application/json")]
            found.data.append(value)
        case "user":
            found.headers.append(("Authorization", "Basic " + base64.b64encode(value.encode()).decode()))
        case "cookie":
            found.headers.append(("Cookie", value))
        case "bearer":
            found.headers.append(("Authorization", f"Bearer {value}"))
        case "agent" | "referer":
            found.headers.append(("User-Agent" if what == "agent" else "Referer", value))


def _request(found: _Command) -> Request:
    if not found.url:
        raise SampleError("There is no address in the command.")
    try:
        url = urlsplit(found.url if "://" in found.url else f"https://{found.url}")
        host = url.hostname or ""
    except ValueError as error:
        raise SampleError(f"{found.url:.60} is no address.") from error
    path, query, body = url.path or "/", url.query, "&".join(found.data)
    if ".execute-api." in host:
        stage = re.match(r"/[^/]+", path)
        path = path[stage.end() :] or "/" if stage else path
    if found.get:
        query, body = "&".join(filter(None, (query, body))), ""
    headers: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for name, value in found.headers:
        name = names.setdefault(name.lower(), name)
        headers[name] = (*headers.get(name, ()), value)
    if found.data and not found.get and "content-type" not in names:
        headers["Content-Type"] = ("application/x-www-form-urlencoded",)
    values: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values[name] = (*values.get(name, ()), value)
    if len(headers) > LIMITS["names"] or len(values) > LIMITS["names"]:
        raise SampleError(f"Keep it to {LIMITS['names']:,} headers and parameters.")
    method = found.method or ("HEAD" if found.head else "POST" if body and not found.get else "GET")
    return Request(
        method=method,
        path=quote(path, safe="/%:@!$&'()*+,;=~-._"),
        headers=headers,
        query=values,
        body=body.encode("utf-8", "replace"),
    )


# --- Quotes that shlex does not know ---------------------------------------------------------------

_PIECE = re.compile(
    r"""(?P<ansi>\$'(?:[^'\\]|\\.)*')|(?P<joined>\\\r?\n)|(?P<kept>\\.|'[^']*'|"(?:[^"\\]|\\.)*")|(?P<other>[^\\'"$]+|.)""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_NAMED = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unquoted(command: str) -> str:
    """The command with bash's $'…' as plain quotes, and lines that a backslash continues joined."""
    write: dict[str, Callable[[str], str]] = {
        "ansi": lambda text: shlex.quote(_ESCAPE.sub(_character, text[2:-1])),
        "joined": lambda text: " ",
        "kept": lambda text: re.sub(r"\\\r?\n", "", text) if text.startswith('"') else text,
        "other": lambda text: text,
    }
    return "".join(write[str(found.lastgroup)](found[0]) for found in _PIECE.finditer(command))


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code or found[4]:
        number = int(code, 16) if code else int(found[4], 8)
        return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
    return _NAMED.get(found[5], found[5])
