"""A method tested in an account, beside the prediction: what TestInvokeMethod answered in, what the simulator says of it out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrations.gateway.cases import value_of
from integrations.gateway.definition import Api
from integrations.gateway.execution_log import stages_of
from integrations.gateway.simulator import Answer, Request, Trace, simulate

REQUEST_ID = re.compile(r"Execution log for request (\S+)")
STATUS = re.compile(r"(\d{3})\b.*", re.DOTALL)
TRUNCATED = "[TRUNCATED]"
"""What the log ends a long map or body with."""

COMPARED = {
    "Method request path": "Path variables",
    "Endpoint request URI": "Endpoint request, URI",
    "Endpoint request headers": "Endpoint request, header",
    "Endpoint request body after transformations": "Endpoint request, body",
}
"""The lines of the log that are compared, in the order of a call, and what they are about."""

OWN = re.compile(
    "accept-encoding|authorization|content-length|date|user-agent|x-amz-(apigw-id|date|security-token|source-arn)"
    "|x-amzn-(apigateway-api-id|lambda-integration-tag|requestid|trace-id)"
)
"""Headers that are another one at each call, or of API Gateway's own."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that the log tells, and what was predicted of it. None: it is not told, or was not predicted."""

    label: str
    predicted: str | None
    deployed: str | None

    @property
    def same(self) -> bool:
        """Whether they say the same. JSON may be laid out in another way; a text that the log cut counts as far as it goes."""
        one, other = self.predicted, self.deployed
        if one is None or other is None:
            return one is other
        if other.endswith(TRUNCATED):
            return one.startswith(other.removesuffix(TRUNCATED).rstrip())
        return one == other or value_of(one) == value_of(other)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A test beside its prediction."""

    trace: Trace
    rows: tuple[Compared, ...]
    answer: Answer | None
    """What the backend answered, as the log has it: the prediction starts from it. None: nothing is told of it."""

    @property
    def differences(self) -> int:
        """How many things went another way than predicted."""
        return sum(not row.same for row in self.rows)


def compare(api: Api, route: int, request: Request, result: Mapping[str, Any]) -> Comparison:
    """What the simulator says of a call that was made, given the backend's answer that the log tells.

    `result` is TestInvokeMethod's: `status`, `body`, `multiValueHeaders`, `log`.
    """
    log = str(result.get("log") or "")
    told = dict(_lines(log))
    answer = answered(log, told)
    known = REQUEST_ID.search(log)
    called = replace(
        request,
        context={"identity": IDENTITY, **request.context},
        stage="test-invoke-stage",
        request_id=known[1] if known else request.request_id,
    )
    trace = simulate(unguarded(api, route), called, answer, route=route)
    return Comparison(trace, tuple(_rows(trace, told, result)), answer)


IDENTITY = {"sourceIp": "test-invoke-source-ip", "apiKey": "test-invoke-api-key", "apiKeyId": "test-invoke-api-key-id"}
"""What $context.identity holds in a test, as the developer guide and logs in public show it."""


def unguarded(api: Api, route: int) -> Api:
    """The API as a test calls it: no authorization is asked, and no API key."""
    routes = list(api.routes)
    routes[route] = replace(routes[route], authorization_type="NONE", authorizer=None, api_key_required=None)
    return replace(api, routes=tuple(routes))


def answered(log: str, told: Mapping[str, str]) -> Answer | None:
    """The backend's answer as the log tells it; None where it tells none, as of a MOCK."""
    status = STATUS.match(told.get("Received response. Status", ""))
    if status is None:
        if "timeout error" in log or "timed out" in log:
            return Answer(failure="timeout")
        return Answer(failure="connection") if "Execution failed due to" in log and "Endpoint request URI" in told else None
    headers = dict(_pairs(told.get("Endpoint response headers", "{}")))
    failed = any(name.lower() == "x-amz-function-error" for name in headers)
    body = told.get("Endpoint response body before transformations", "")
    return Answer(
        status=int(status[1]),
        headers={name: (value,) for name, value in headers.items()},
        body=body.encode("utf-8", "replace"),
        failure="error" if failed else "",
    )


# --- The log ---------------------------------------------------------------------------------------


def _lines(log: str) -> Iterator[tuple[str, str]]:
    """Label and text of each line; a sentence has an empty text."""
    for stage in stages_of(log):
        for line in stage.lines:
            yield (line.label, line.text) if line.label else _split(line.text)


def _split(line: str) -> tuple[str, str]:
    label, _, text = line.partition(": ")
    return label.removesuffix(":"), text


def _rows(trace: Trace, told: Mapping[str, str], result: Mapping[str, Any]) -> Iterator[Compared]:
    """The lines of the log, then the response, whose values the result has as they are."""
    predicted = dict(_split(line) for line in trace.log)
    for label, words in COMPARED.items():
        mine, theirs = predicted.get(label), told.get(label)
        if label.endswith("headers") and (mine or theirs):
            ours, held = dict(_pairs(mine or "")), dict(_pairs(theirs or ""))
            yield from _headers(words, ours, held, cut=(theirs or "").endswith(TRUNCATED))
        elif mine is not None or theirs is not None:
            yield Compared(words, mine, theirs)
    response = trace.response
    yield Compared("Response, status", str(response.status), str(result.get("status", "")))
    held = {name: ",".join(values) for name, values in (result.get("multiValueHeaders") or {}).items()}
    yield from _headers("Response, header", {name: ",".join(values) for name, values in response.headers.items()}, held)
    yield Compared("Response, body", response.body.decode("utf-8", "replace"), str(result.get("body") or ""))


def _headers(words: str, ours: Mapping[str, str], held: Mapping[str, str], *, cut: bool = False) -> Iterator[Compared]:
    """Headers by name, whatever its case. `cut`: the log holds not all of them."""
    mine, theirs = ({name.lower(): value for name, value in side.items()} for side in (ours, held))
    for lower, name in {name.lower(): name for name in (*ours, *held)}.items():
        if not OWN.fullmatch(lower) and not (cut and lower not in theirs):
            yield Compared(f"{words} {name}", mine.get(lower), theirs.get(lower))


_HEADER = re.compile(r", (?=[!#$%&'*+.^_`|~0-9A-Za-z-]+=)")


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """The entries of a map as the log writes it: {a=b, c=d}."""
    inner = text.removesuffix(TRUNCATED).strip().removeprefix("{").removesuffix("}")
    for entry in _HEADER.split(inner) if inner else ():
        name, _, value = entry.partition("=")
        yield name.strip(), value
