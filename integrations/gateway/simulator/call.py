"""One call while it is simulated: what is known of it, what was done so far, and how it is refused."""

import base64
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from integrations.gateway.definition import Api, Integration, Route
from integrations.gateway.findings import Path
from integrations.gateway.grammar import Reference, Segment, StageVariable, path_parts, segments
from integrations.gateway.simulator.fidelity import BEHAVIOURS, Fidelity
from integrations.gateway.simulator.payload import Payload
from integrations.gateway.simulator.trace import Level, Request, Step, Values
from integrations.gateway.velocity import Given

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}
"""What `${AWS::…}` stands for where nothing is given."""


CONFIGURATION = "Execution failed due to configuration error: "
"""How the log begins where the API is to blame."""


class Refused(Exception):
    """API Gateway answers by itself: the type of its gateway response, what the caller reads, what the log says."""

    def __init__(self, type: str, reason: str, *, message: str | None = None, status: int | None = None) -> None:
        super().__init__(reason)
        self.type = type
        self.reason = reason
        self.message = message
        """None: the type's own words."""
        self.status = status
        """None: the type's own status."""


@dataclass
class Call:
    """A request on its way through one route."""

    definition: Api
    """As it was given."""
    api: Api
    """What is in effect of it, with this route alone, and every reference bound that something was given for."""
    place: Path
    """Of the route in the definition; of the CORS setting that made it."""
    request: Request
    path_parameters: Mapping[str, str]
    """As on the wire: still percent-encoded."""
    bindings: Mapping[str, str]
    """What references stand for, by name."""
    stage_variables: Mapping[str, str]
    context: dict[str, Any]
    """$context; the overrides that a template set are kept in it."""
    headers: Values = field(default_factory=dict)
    """Those of the request that API Gateway lets a mapping, a template or a backend see."""
    steps: list[Step] = field(default_factory=list)
    """Of the stage that is under way."""

    @property
    def route(self) -> Route:
        """The route that takes the call."""
        return self.api.routes[0]

    @property
    def integration(self) -> Integration:
        """The route's integration."""
        return self.route.integration

    def path(self, *parts: str | int) -> Path:
        """The path of an option of the route, in the definition; a route that CORS made has none, but its setting's."""
        return (*self.place, *parts) if self.place[0] == "routes" else self.place

    @property
    def proxy_at(self) -> Path:
        """The path of what makes the integration a proxy."""
        return self.path("integration", "backend", "type" if self.integration.backend.kind == "raw" else "proxy")

    def did(self, behaviour: str, said: str, *paths: Path, level: Level = "ok", fidelity: Fidelity | None = None) -> None:
        """Note a step. `fidelity`: where it is less than the behaviour's own."""
        known = fidelity or BEHAVIOURS[behaviour].fidelity
        self.steps.append(Step(behaviour=behaviour, said=said, level=level, paths=paths, fidelity=known))

    def taken(self) -> tuple[Step, ...]:
        """The steps so far, which belong to the stage that ends here."""
        found, self.steps = tuple(self.steps), []
        return found

    def given(self, body: Payload) -> Given:
        """What stands before a template."""
        return Given(
            body=body if isinstance(body, str) else body.decode("utf-8", "replace"),
            parameters={
                "path": self.path_parameters,
                "querystring": {name: values[-1] for name, values in self.request.query.items() if values},
                "header": {name: values[-1] for name, values in self.headers.items() if values},
            },
            context=self.context,
            stage_variables=self.stage_variables,
        )

    def resolved(self, text: str) -> str:
        """A text of the definition as AWS has it: references and stage variables in their places, nothing for a variable
        that is not defined."""
        return "".join(map(self._part, segments(text))) if "${" in text else text

    def _part(self, part: Segment) -> str:
        match part:
            case StageVariable(name=name):
                return self.stage_variables.get(name, "")
            case Reference(name=name):
                return self.bindings.get(name, str(part))
        return part


def header(headers: Values, name: str) -> str | None:
    """The last value of a header, whatever the case of its name."""
    wanted = name.lower()
    return next((values[-1] for known, values in headers.items() if known.lower() == wanted and values), None)


# --- Routing ---------------------------------------------------------------------------------------


def path_segments(path: str) -> list[str]:
    """The segments of a path as resources see them: slashes in a row, and one at the end, count for nothing."""
    return [part for part in path.split("/") if part]


def match(resource: str, path: str) -> dict[str, str] | None:
    """The variables of a resource's path in a request's, or None where it is another one."""
    parts, given = path_parts(resource), path_segments(path)
    found: dict[str, str] = {}
    for position, part in enumerate(parts):
        if part.greedy and part.variable:
            rest = given[position:]
            return {**found, part.variable: "/".join(rest)} if rest else None
        if position >= len(given) or (part.variable is None and part.text != given[position]):
            return None
        if part.variable:
            found[part.variable] = given[position]
    return found if len(given) == len(parts) else None


def find_route(api: Api, request: Request) -> tuple[int, dict[str, str]] | None:
    """The route that takes a request, and its path variables: plain text goes before a variable, a variable before the
    rest of the path, the method itself before ANY."""
    found: list[tuple[tuple[int, ...], int, dict[str, str]]] = []
    for index, route in enumerate(api.routes):
        variables = match(route.path, request.path)
        if variables is not None:
            parts = path_parts(route.path)
            rank = tuple(2 if part.greedy else 1 if part.variable else 0 for part in parts)
            found.append((rank, index, variables))
    best = min((rank for rank, _, _ in found), default=None)
    mine = {api.routes[index].method: (index, variables) for rank, index, variables in found if rank == best}
    return mine.get(request.method) or mine.get("ANY")


# --- $context --------------------------------------------------------------------------------------


def identifier(text: str, length: int) -> str:
    """An id as AWS's look, the same for the same text: letters and digits."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:length]


def request_time(time_ms: int) -> str:
    """CLF time, as $context.requestTime has it: 10/Oct/2026:12:00:00 +0000."""
    moment = time.gmtime(time_ms // 1000)
    return time.strftime(f"%d/{MONTHS[moment.tm_mon - 1]}/%Y:%H:%M:%S +0000", moment)


def trace_id(request: Request, context: Mapping[str, Any]) -> str:
    """X-Amzn-Trace-Id: the caller's own Root is kept."""
    own = header(request.headers, "X-Amzn-Trace-Id")
    if own and "Root=" in own:
        return own if "Parent=" in own else f"{own};Parent={identifier(own, 16)};Sampled=0"
    return f"Root=1-{request.time_ms // 1000:08x}-{identifier(str(context['requestId']), 24)}"


def call_context(api: Api, route: Route, request: Request, stage: str, values: Mapping[str, str]) -> dict[str, Any]:
    """What $context holds before anything of the call is done: what follows from it, and what was given."""
    api_id = str(request.context.get("apiId", identifier(api.name, 10)))
    region, suffix = values["AWS::Region"], values["AWS::URLSuffix"]
    made: dict[str, Any] = {
        "accountId": values["AWS::AccountId"],
        "apiId": api_id,
        "deploymentId": identifier(f"{api.name} {stage}", 6),
        "domainName": f"{api_id}.execute-api.{region}.{suffix}",
        "domainPrefix": api_id,
        "extendedRequestId": base64.b64encode(hashlib.sha256(request.request_id.encode("utf-8", "replace")).digest()[:11]).decode(
            "ascii"
        ),
        "httpMethod": request.method,
        "identity": {
            "accessKey": None,
            "accountId": None,
            "caller": None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": "127.0.0.1",
            "user": None,
            "userAgent": header(request.headers, "User-Agent"),
            "userArn": None,
        },
        "path": f"/{stage}{request.path}",
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "requestTime": request_time(request.time_ms),
        "requestTimeEpoch": request.time_ms,
        "resourceId": identifier(route.path, 6),
        "resourcePath": route.path,
        "stage": stage,
    }
    if route.operation_name:
        made["operationName"] = route.operation_name
    if key := header(request.headers, "x-api-key"):
        made["identity"] |= {"apiKey": key, "apiKeyId": identifier(key, 10)}
    identity = request.context.get("identity")
    given = {**request.context, "identity": {**made["identity"], **(identity if isinstance(identity, Mapping) else {})}}
    return {**made, **given}


def own_headers(call: Call, body: bytes, *, refused: bool = False) -> dict[str, tuple[str, ...]]:
    """What API Gateway adds to every response."""
    found: dict[str, tuple[str, ...]] = {
        "Content-Length": (str(len(body)),),
        "x-amzn-RequestId": (str(call.context["requestId"]),),
        "x-amz-apigw-id": (str(call.context["extendedRequestId"]),),
    }
    if not refused and call.integration.type not in ("MOCK", "HTTP_PROXY"):
        found["X-Amzn-Trace-Id"] = (trace_id(call.request, call.context),)
    return found


def encoded_path(text: str) -> str:
    """A value in a URL's path: what may stand there stays, an escape too; the rest is percent-encoded."""
    return quote(text, safe="/%:@!$&'()*+,;=-._~", errors="replace")
