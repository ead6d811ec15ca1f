"""The integration response: what API Gateway makes of the backend's answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from integrations.gateway.headers import (
    NOT_RETURNED,
    NOT_RETURNED_BY_HTTP_PROXY,
    NOT_RETURNED_BY_PROXY,
    RENAMED,
    RENAMED_WITHOUT_PROXY,
)
from integrations.gateway.simulator.call import CONFIGURATION, Call, Refused, header, own_headers
from integrations.gateway.simulator.fidelity import Fidelity
from integrations.gateway.simulator.lambda_proxy import function_response
from integrations.gateway.simulator.mapping import map_response
from integrations.gateway.simulator.payload import (
    Conversion,
    NotBase64,
    Payload,
    as_bytes,
    converted,
    is_binary,
    media_type,
    response_conversion,
)
from integrations.gateway.simulator.rendering import FaultyTemplate, fault_words, run
from integrations.gateway.simulator.selecting import select, selection_value
from integrations.gateway.simulator.trace import Answer, Pattern, Rendered, Response

UNTRANSFORMED = CONFIGURATION + "Unable to transform response"


@dataclass
class Incoming:
    """A response on its way to the caller."""

    response: Response
    template: Rendered | None = None
    patterns: tuple[Pattern, ...] = ()
    outcome: str = "Passed"
    summary: str = ""


class Unselected(Refused):
    """No integration response takes the answer: those that were tried."""

    def __init__(self, patterns: tuple[Pattern, ...], reason: str) -> None:
        super().__init__("API_CONFIGURATION_ERROR", reason)
        self.patterns = patterns


def make_response(call: Call, answer: Answer) -> Incoming:
    """What the answer becomes. Raises Refused where API Gateway answers itself."""
    _refuse_failures(call, answer)
    match call.integration.type:
        case "AWS_PROXY":
            response = function_response(call, answer)
            return Incoming(response, outcome=str(response.status), summary="The function gives the response")
        case "HTTP_PROXY":
            return _http_proxy_response(call, answer)
    return _mapped_response(call, answer)


def _refuse_failures(call: Call, answer: Answer) -> None:
    if answer.failure == "timeout":
        where = call.path("integration", "timeout_ms")
        call.did("backend_failure", "The backend does not answer in time: 504.", where, level="error")
        raise Refused("INTEGRATION_TIMEOUT", "Execution failed due to a timeout error")
    if answer.failure == "connection":
        call.did("backend_failure", "The backend cannot be reached.", level="error")
        raise Refused("INTEGRATION_FAILURE", "Execution failed due to a network error communicating with endpoint")


# --- HTTP proxy ------------------------------------------------------------------------------------


def _http_proxy_response(call: Call, answer: Answer) -> Incoming:
    body = as_bytes(_response_body(call, answer, None))
    call.did("http_call", "The answer passes through.", call.proxy_at)
    response = Response(status=answer.status, headers=answer.headers, body=body)
    return Incoming(response, outcome=str(answer.status), summary="The answer passes through")


# --- Without proxy ---------------------------------------------------------------------------------


def _mapped_response(call: Call, answer: Answer) -> Incoming:
    """MOCK, HTTP and AWS: an integration response, its mapped headers, its template. Raises Refused."""
    value = selection_value(call, answer)
    index, patterns = select(call, value)
    all_responses = call.path("integration", "integration_responses")
    if index is None:
        call.did("selection", "No pattern matches, and there is no default response.", all_responses, level="error")
        reason = "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: "
        raise Unselected(patterns, f"{CONFIGURATION}{reason}{answer.status}")
    response = call.integration.integration_responses[index]
    status_text = call.resolved(response.status_code)
    chosen = response.selection_pattern or "default"
    call.did(
        "selection",
        f"{chosen} is chosen for {'an answer without an error' if value is None else repr(value)[:80]}.",
        *[pattern.path for pattern in patterns if pattern.chosen],
    )
    declared = {call.resolved(one.status_code) for one in call.route.method_responses}
    if status_text not in declared:
        where = call.path("integration", "integration_responses", index, "status_code")
        call.did("method_response", f"The method declares no response {status_text}: 500.", where, level="error")
        raise Unselected(patterns, f"{CONFIGURATION}Output mapping refers to an invalid method response: {status_text}")
    headers = map_response(call, index, answer.headers, answer.body)
    body = _response_body(call, answer, response.content_handling, index)
    rendered = _rendered(call, index, body)
    sent = rendered.output.encode("utf-8", "replace") if rendered else as_bytes(body)
    status = _override(call, headers, int(status_text) if status_text.isdecimal() else 500)
    return Incoming(
        Response(status=status, headers=headers, body=sent),
        template=rendered,
        patterns=patterns,
        outcome=f"{chosen}, {status}",
        summary="Patterns are tried on the error of the function"
        if call.integration.is_lambda
        else f"Patterns are tried on the status {answer.status}",
    )


def _response_body(call: Call, answer: Answer, content_handling: str | None, index: int | None = None) -> Payload:
    """The body after conversion. Raises Refused."""
    binary_types = call.api.binary_media_types
    binary = is_binary(header(answer.headers, "Content-Type"), binary_types)
    accepts = header(call.headers, "Accept")
    conversion = response_conversion(content_handling, binary, is_binary(accepts, binary_types))
    where = (
        [call.path("integration", "integration_responses", index, "content_handling")]
        if content_handling and index is not None
        else []
    )
    words: Mapping[Conversion, str] = {
        "bytes": "passes as bytes",
        "text": "is read as UTF-8 text",
        "encoded": "becomes Base64 text",
        "decoded": "is decoded from Base64",
    }
    try:
        body = converted(answer.body, conversion)
    except NotBase64 as error:
        call.did(
            "response_conversion",
            "The body is to be decoded from Base64, and is none.",
            *where,
            ("binary_media_types",),
            level="error",
        )
        raise Refused("DEFAULT_5XX", f"{CONFIGURATION}Unable to base64 decode the body", status=500) from error
    lost = conversion == "text" and "\ufffd" in body and b"\xef\xbf\xbd" not in answer.body
    if answer.body and (conversion != "text" or where or lost):
        if binary_types:
            where.append(("binary_media_types",))
        said = f"The body {words[conversion]}" + (": bytes that are none are lost" if lost else "")
        call.did("response_conversion", f"{said}.", *where, level="warning" if lost else "ok")
    return body


def _template_key(call: Call, index: int) -> str:
    """The key of the response template; empty where there is none."""
    templates = call.integration.integration_responses[index].response_templates
    if not templates:
        return ""
    accepts = media_type(header(call.headers, "Accept"))
    found = next((key for key in templates if accepts and media_type(key).lower() == accepts.lower()), "")
    key = found or ("application/json" if "application/json" in templates else next(iter(templates)))
    said = (
        f"Accept {accepts} chooses its template" if found else f"Accept {accepts or 'is missing'}: the template for {key} is used"
    )
    where = call.path("integration", "integration_responses", index, "response_templates", key)
    call.did("response_template", f"{said}.", where)
    return key


def _rendered(call: Call, index: int, body: Payload) -> Rendered | None:
    key = _template_key(call, index)
    if not key:
        call.did("response_template", "No template: the body passes through.")
        return None
    template = call.integration.integration_responses[index].response_templates[key]
    where = call.path("integration", "integration_responses", index, "response_templates", key)
    if not template.text:
        call.did("response_template", "The template is empty: the body passes through.", where)
        return None
    if isinstance(body, bytes):
        call.did("response_template", "A template reads text, and the body is bytes.", where, level="error")
        raise Refused("API_CONFIGURATION_ERROR", UNTRANSFORMED)
    rendered, context = run(template, call.given(body), where, key)
    if rendered.fault:
        call.did("response_template", fault_words(rendered), where, level="error")
        raise FaultyTemplate(rendered)
    call.context = dict(context)
    if rendered.iterations > 1_000:
        said = f"A loop went round {rendered.iterations:,} times; API Gateway allows 1,000."
        call.did("response_template", said, where, level="warning", fidelity=Fidelity.DOCUMENTED)
    return rendered


def _override(call: Call, headers: dict[str, tuple[str, ...]], status: int) -> int:
    """Put the overrides of the templates into the response's headers; the status with its own."""
    override = call.context.get("responseOverride") or {}
    given = override.get("header")
    for name, value in given.items() if isinstance(given, Mapping) else ():
        headers[str(name)] = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),)
        call.did("response_override", f"A template sets the header {name}.")
    own = override.get("status")
    if own is None:
        return status
    number = int(own) if isinstance(own, str) and own.isdecimal() and len(own) == 3 else own
    if isinstance(number, int) and not isinstance(number, bool) and 100 <= number <= 599:
        call.did("response_override", f"A template sets the status {number}.")
        return number
    call.did("response_override", f"A template sets the status {own!r:.40}, which is none: it is ignored.", level="warning")
    return status


# --- To the caller ---------------------------------------------------------------------------------


def to_caller(call: Call, response: Response) -> Response:
    """The response as it leaves: headers renamed, dropped and added."""
    kind = call.integration.type
    renamed = RENAMED if call.integration.is_proxy else RENAMED_WITHOUT_PROXY if kind != "MOCK" else RENAMED
    dropped = (
        NOT_RETURNED_BY_HTTP_PROXY if kind == "HTTP_PROXY" else NOT_RETURNED_BY_PROXY if kind == "AWS_PROXY" else NOT_RETURNED
    )
    headers: dict[str, tuple[str, ...]] = {}
    for name, values in response.headers.items():
        if name.lower() in renamed:
            headers[f"x-amzn-Remapped-{name}"] = values
            call.did("response_headers", f"{name} reaches the caller as x-amzn-Remapped-{name}.", level="warning")
        elif name.lower() in dropped:
            call.did("response_headers", f"{name} does not reach the caller.", level="warning")
        else:
            headers[name] = values
    if kind != "HTTP_PROXY" and header(headers, "Content-Type") is None:
        headers["Content-Type"] = ("application/json",)
        call.did("response_headers", "Content-Type is not given: application/json.")
    return Response(status=response.status, headers=headers | own_headers(call, response.body), body=response.body)
