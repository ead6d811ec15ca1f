"""The values of a simulation: a request and a backend's answer in, a Trace of what became of them out; as JSON too."""

import base64
import binascii
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import parse_qsl

from integrations.gateway.findings import Path
from integrations.gateway.simulator.fidelity import BEHAVIOURS, Fidelity

type Values = Mapping[str, tuple[str, ...]]
"""Headers, or a query string decoded: each name, as it was written, → its values in order."""

LIMITS = {"bytes": 10 * 1024 * 1024, "names": 1_000}
"""What a sample may hold: bytes of a body (API Gateway's own payload limit), names of headers and of the query string."""


class SampleError(ValueError):
    """A text that is no request or answer: what is wrong, in words for whoever wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a caller sends, and what is given of the call. No clock and no chance: time and ids are given too."""

    method: str = "GET"
    path: str = "/"
    """After the stage, percent-encoded as on the wire, without the query string: /books/a%20b."""
    headers: Values = field(default_factory=dict)
    query: Values = field(default_factory=dict)
    body: bytes = b""
    authorization: Literal["allow", "deny", "unauthorized", "error"] = "allow"
    """What the method's authorizer, or IAM, says to the request; read only where the method asks it."""
    api_key_valid: bool = True
    """Whether the API key that is sent is one of a usage plan of the stage."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What $context holds beside or instead of what follows from the call: `identity`, `authorizer`, ids."""
    stage: str | None = None
    """None: the API's own stage."""
    stage_variables: Mapping[str, str] | None = None
    """None: the API's own."""
    request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    time_ms: int = 1_767_225_600_000
    """When the request arrived, in milliseconds since 1970 UTC."""


type Failure = Literal["", "error", "timeout", "connection"]
"""The function raised (the body is its error as JSON); no answer in time; no connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the backend answers. Of a Lambda function, `body` is the JSON that it returns, or its error."""

    status: int = 200
    headers: Values = field(default_factory=dict)
    body: bytes = b""
    failure: Failure = ""

    @property
    def error_message(self) -> str:
        """The errorMessage of a function that raised; empty where there is none."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRequest:
    """What API Gateway sends to the backend. Of a Lambda function, `body` is its event."""

    method: str
    url: str
    """With the query string, encoded as it goes out."""
    headers: Values = field(default_factory=dict)
    body: bytes = b""
    call: str = ""
    """The call of an AWS service in words: `sqs SendMessage`, `lambda Invoke orders`; empty for HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What goes to the caller."""

    status: int
    headers: Values = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLine:
    """One line of a template: what stands there and what it wrote, over all times that it ran."""

    number: int
    source: str
    wrote: str = ""
    note: str = ""
    """What it did beside writing: "branch taken", "$result is an object"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a template could not be used, where (from 1, 0 where unknown), and what the log of AWS says."""

    message: str
    line: int
    column: int
    aws: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A template that ran."""

    path: Path
    """Of the template in the definition."""
    media_type: str
    output: str
    lines: tuple[TemplateLine, ...]
    spans: tuple[tuple[int, int], ...]
    """(offset in `output`, line of the template from 1): from there on that line wrote it."""
    fault: Fault | None = None
    iterations: int = 0
    """How often the body of its longest loop ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """An integration response that was considered: whether it was chosen, and why or why not."""

    path: Path
    pattern: str
    """Empty for the default."""
    status_code: str
    chosen: bool
    said: str


type Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that API Gateway did: what and why, in words, and which options made it so."""

    behaviour: str
    """A key of `fidelity.BEHAVIOURS`."""
    said: str
    level: Level = "ok"
    paths: tuple[Path, ...] = ()
    """The options in the definition."""
    fidelity: Fidelity
    """The behaviour's own, or a lesser one where this call goes beyond what is known."""

    @property
    def rule(self) -> str:
        """The code of the rule that speaks about it; empty where there is none."""
        return BEHAVIOURS[self.behaviour].rule

    @property
    def docs(self) -> str:
        """Where AWS documents it."""
        return BEHAVIOURS[self.behaviour].docs


STAGES = ("Method request", "Integration request", "Backend", "Integration response", "Method response")
"""The stages of a call, numbered from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One of STAGES: what went in, what came out, and every step between."""

    number: int
    summary: str = ""
    """In a sentence: "application/json matches its template, passthrough is not used"."""
    outcome: str = "Not reached"
    """In a word or two: "Passed", "Mapped", "Answered 200", "default, 202"."""
    level: Level | Literal["none"] = "none"
    """`none`: the call ended before."""
    input: Request | EndpointRequest | Answer | Response | None = None
    output: Request | EndpointRequest | Answer | Response | None = None
    steps: tuple[Step, ...] = ()
    template: Rendered | None = None
    patterns: tuple[Pattern, ...] = ()

    @property
    def name(self) -> str:
        """What the stage is called."""
        return STAGES[self.number - 1]

    @property
    def fidelity(self) -> Fidelity:
        """The least certain of its steps'; a step that is not simulated says so for itself."""
        known = [step.fidelity for step in self.steps if step.fidelity is not Fidelity.NOT_SIMULATED]
        return max(known, key=lambda found: found.rank, default=Fidelity.NOT_SIMULATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """The answer that API Gateway makes itself, in place of the backend's."""

    type: str
    """`BAD_REQUEST_BODY`, `INTEGRATION_TIMEOUT`, `API_CONFIGURATION_ERROR`…"""
    status: int
    message: str
    """What the caller reads."""
    reason: str
    """What the execution log says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One simulated call: five stages, and how it ended."""

    request: Request
    route: str
    """`POST /orders`; empty where no route takes the call."""
    stages: tuple[Stage, ...]
    endpoint: EndpointRequest | None
    """What the backend got; None where it was not called, and of a MOCK."""
    answer: Answer | None
    """What the backend answered."""
    response: Response
    gateway_response: GatewayResponse | None = None
    log: tuple[str, ...] = ()
    """The execution log, as TestInvokeMethod gives it, without times."""

    @property
    def is_fault(self) -> bool:
        """Whether the call ends in a 5XX of API Gateway's own."""
        return self.gateway_response is not None and self.gateway_response.status >= 500


# --- JSON ------------------------------------------------------------------------------------------


def as_json(value: Any) -> Any:
    """The JSON value of a trace or a part of it. Bodies are text, or `{"base64": …}` where they are not UTF-8."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, StrEnum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        known = {name: as_json(getattr(value, name)) for name in value.__dataclass_fields__}
        if isinstance(value, Stage):
            known = {"name": value.name, "fidelity": value.fidelity.value} | known
        if isinstance(value, Step):
            known |= {"rule": value.rule, "docs": value.docs}
        return known
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, tuple | list) else value


def dumps(value: Trace | Request | Answer | EndpointRequest | Response, *, indent: int | None = None) -> str:
    """Canonical JSON (ASCII, no spaces); `indent` for people. `load_request` and `load_answer` read theirs back."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(as_json(value), ensure_ascii=True, indent=indent, separators=separators)


def load_request(text: str) -> Request:
    """The request of a JSON text: the fields of Request, `path` with a query string too. Raises SampleError.

    Names map to a value or a list of them; a body is text, `{"base64": …}`, or `{"json": …}` for a value to be written.
    """
    found = _object(text, Request)
    path, _, query = str(found.get("path", "/")).partition("?")
    if query:
        merged = {name: list(values) for name, values in found.get("query", {}).items()}
        for name, value in parse_qsl(query, keep_blank_values=True):
            merged.setdefault(name, []).append(value)
        found |= {"path": path, "query": {name: tuple(values) for name, values in merged.items()}}
    return Request(**found)


def load_answer(text: str) -> Answer:
    """The answer of a JSON text: the fields of Answer, as `load_request` reads them. Raises SampleError."""
    return Answer(**_object(text, Answer))


def _object(text: str, wanted: type) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SampleError(f"This is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise SampleError("A JSON object is wanted.")
    fields = {declared.name: declared.type for declared in dataclasses.fields(wanted)}
    for name in value:
        if name not in fields:
            raise SampleError(f"{name!r:.40} is not known here. Use {', '.join(fields)}.")
    return {name: _read(name, inner) for name, inner in value.items()}


_CHOICES = {"authorization": ("allow", "deny", "unauthorized", "error"), "failure": ("", "error", "timeout", "connection")}


def _read(name: str, value: Any) -> Any:
    """The value of one field."""
    match name:
        case "headers" | "query":
            return _values(name, value)
        case "body":
            return _body(value)
        case "status":
            if type(value) is not int or not 100 <= value <= 599:
                raise SampleError("status: use a number from 100 to 599.")
        case "time_ms":
            if type(value) is not int or not 0 <= value < 2**53:
                raise SampleError("time_ms: use a number of milliseconds since 1970.")
        case "api_key_valid":
            if not isinstance(value, bool):
                raise SampleError("api_key_valid: use true or false.")
        case "authorization" | "failure":
            if value not in _CHOICES[name]:
                raise SampleError(f"{name}: use one of {', '.join(map(repr, _CHOICES[name]))}.")
        case "context" | "stage_variables":
            if value is None and name == "stage_variables":
                return None
            if not isinstance(value, dict):
                raise SampleError(f"{name}: an object is wanted.")
            if name == "stage_variables" and not all(isinstance(inner, str) for inner in value.values()):
                raise SampleError("stage_variables: every value is a text.")
        case _:
            if not isinstance(value, str) and not (name == "stage" and value is None):
                raise SampleError(f"{name}: a text is wanted.")
    return value


def _values(name: str, value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict) or len(value) > LIMITS["names"]:
        raise SampleError(f"{name}: an object of up to {LIMITS['names']:,} names is wanted.")
    found = {}
    for key, inner in value.items():
        values = inner if isinstance(inner, list) else [inner]
        if not all(isinstance(one, str) for one in values):
            raise SampleError(f"{name}: {key!r:.40} has a text, or a list of texts.")
        found[key] = tuple(values)
    return found


def _body(value: Any) -> bytes:
    if isinstance(value, dict) and set(value) == {"json"}:
        body = json.dumps(value["json"], ensure_ascii=False).encode("utf-8", "replace")
    elif isinstance(value, dict) and set(value) == {"base64"} and isinstance(value["base64"], str):
        try:
            body = base64.b64decode(value["base64"], validate=True)
        except binascii.Error as error:
            raise SampleError("body: this is not Base64.") from error
    elif isinstance(value, str):
        body = value.encode("utf-8", "replace")
    else:
        raise SampleError('body: use a text, {"json": …} or {"base64": …}.')
    if len(body) > LIMITS["bytes"]:
        raise SampleError(f"body: {LIMITS['bytes']:,} bytes are the most that API Gateway takes.")
    return body
