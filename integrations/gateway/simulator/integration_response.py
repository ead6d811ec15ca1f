"""The integration response: what API Gateway makes of the backend's answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.gateway.headers import (
    NOT_RETURNED,
    NOT_RETURNED_BY_HTTP_PROXY,
    NOT_RETURNED_BY_PROXY,
    RENAMED,
    RENAMED_WITHOUT_PROXY,
)
from integrations.gateway.selection import InvalidPattern, Undecided, compile_pattern
from integrations.gateway.simulator.call import Call, Refused, header, own_headers
from integrations.gateway.simulator.fidelity import Fidelity
from integrations.gateway.simulator.integration_request import CONFIGURATION, FaultyTemplate, fault_words
from integrations.gateway.simulator.mapping import map_response
from integrations.gateway.simulator.payload import (
    Conversion,
    NotBase64,
    Payload,
    as_bytes,
    converted,
    decoded,
    is_binary,
    media_type,
    response_conversion,
)
from integrations.gateway.simulator.rendering import run
from integrations.gateway.simulator.trace import Answer, Pattern, Rendered, Response

UNTRANSFORMED = CONFIGURATION + "Unable to transform response"
MALFORMED = CONFIGURATION + "Malformed Lambda proxy response"
CHOSEN = "Chosen"


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
            return _lambda_proxy_response(call, answer)
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


# --- MOCK ------------------------------------------------------------------------------------------

_LOOSE = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.)*")|(?P<single>'(?:[^'\\]|\\.)*')|(?P<key>[A-Za-z_$][\w$]*)(?=\s*:)|(?P<other>.)""", re.DOTALL
)


def loose_json(text: str) -> Any:
    """JSON as a MOCK reads it: names may stand without quotes, and single quotes are quotes (recorded). Raises ValueError."""

    def strict(found: re.Match[str]) -> str:
        if found["single"]:
            return json.dumps(re.sub(r"\\(.)", r"\1", found["single"][1:-1]))
        return json.dumps(found["key"]) if found["key"] else found[0]

    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except ValueError:
        return json.loads(_LOOSE.sub(strict, text))


def mock_answer(call: Call, body: bytes) -> Answer:
    """What a MOCK answers: the status that its request template wrote. Raises Refused."""
    where = call.path("integration", "request_templates")
    try:
        document = loose_json(body.decode("utf-8", "replace").strip())
    except (ValueError, RecursionError):
        document = None
    status = document.get("statusCode") if isinstance(document, dict) else None
    if not isinstance(status, int) or isinstance(status, bool):
        call.did("mock", "The request template gives no integer statusCode.", where, level="error")
        reason = "Unable to parse statusCode. It should be an integer that is defined in the request template."
        raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}{reason}")
    call.did("mock", f"The request template gives the status {status}.", where)
    return Answer(status=status)


# --- Lambda proxy ----------------------------------------------------------------------------------


def _lambda_proxy_response(call: Call, answer: Answer) -> Incoming:
    """The response that a proxy function describes. Raises Refused where it is none."""
    if answer.failure == "error":
        message = _error_message(answer.body)
        call.did("lambda_response", f"The function raised {message!r:.120}: 502.", level="error")
        reason = f"Lambda execution failed with status 200 due to customer function error: {message:.200}"
        raise Refused("DEFAULT_5XX", reason, status=502)
    try:
        document = json.loads(answer.body or b"null")
    except (ValueError, RecursionError):
        document = None
    fault = malformed(document)
    if fault:
        call.did("lambda_response", f"{fault} 502.", level="error")
        raise Refused("DEFAULT_5XX", MALFORMED, status=502)
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in (document.get("headers") or {}).items():
        headers[name] = (_header_text(value),)
    for name, values in (document.get("multiValueHeaders") or {}).items():
        headers = {known: held for known, held in headers.items() if known.lower() != name.lower()}
        headers[name] = tuple(map(_header_text, values))
    status = int(document["statusCode"]) if document.get("statusCode") is not None else 200
    body = as_bytes(document.get("body") or "")
    call.did("lambda_response", f"The function answers {status} with a body of {len(body):,} bytes.")
    if document.get("isBase64Encoded") is True:
        body = _decoded_answer(call, body)
    return Incoming(
        Response(status=status, headers=headers, body=body), outcome=str(status), summary="The function gives the response"
    )


def _decoded_answer(call: Call, body: bytes) -> bytes:
    accepts = header(call.headers, "Accept")
    if not is_binary(accepts, call.api.binary_media_types):
        said = f"isBase64Encoded: {media_type(accepts) or 'no Accept'} is no binary media type, the text stays as it is."
        call.did("response_conversion", said, ("binary_media_types",), level="warning")
        return body
    call.did("response_conversion", "isBase64Encoded: the body is decoded from Base64.", ("binary_media_types",))
    try:
        return decoded(body)
    except NotBase64 as error:
        raise Refused("DEFAULT_5XX", f"{CONFIGURATION}Unable to base64 decode the body", status=500) from error


def _header_text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def malformed(document: Any) -> str:
    """Why a value is no response of a Lambda proxy function; empty where it is one (recorded case by case)."""
    if not isinstance(document, dict):
        return "The function returns no JSON object."
    known = ("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded")
    if extra := next((name for name in document if name not in known), None):
        return f"The function returns {extra!r:.60}, which is none of {', '.join(known)}."
    status, headers, multiple = document.get("statusCode"), document.get("headers"), document.get("multiValueHeaders")
    if status is not None and not re.fullmatch(r"\d{1,3}", str(status), re.ASCII):
        return "statusCode is no number."
    if headers is not None and not (
        isinstance(headers, dict) and all(isinstance(value, str | bool) for value in headers.values())
    ):
        return "headers is no object of texts."
    lists = isinstance(multiple, dict) and all(
        isinstance(values, list) and all(isinstance(value, str | bool) for value in values) for values in multiple.values()
    )
    if multiple is not None and not lists:
        return "multiValueHeaders is no object of lists."
    if not isinstance(document.get("body"), str | None):
        return "body is no text."
    return "" if isinstance(document.get("isBase64Encoded"), bool | None) else "isBase64Encoded is neither true nor false."


# --- HTTP proxy ------------------------------------------------------------------------------------


def _http_proxy_response(call: Call, answer: Answer) -> Incoming:
    body = as_bytes(_response_body(call, answer, None))
    call.did("http_call", "The answer passes through.", call.proxy_at)
    response = Response(status=answer.status, headers=answer.headers, body=body)
    return Incoming(response, outcome=str(answer.status), summary="The answer passes through")


# --- Without proxy ---------------------------------------------------------------------------------


def selection_value(call: Call, answer: Answer) -> str | None:
    """What patterns are matched against: the status, or the error of a function; None for a function that did not raise."""
    if call.integration.type == "AWS" and call.integration.is_lambda:
        return _error_message(answer.body) if answer.failure == "error" else None
    return str(answer.status)


def _error_message(body: bytes) -> str:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""


def select(call: Call, value: str | None) -> tuple[int | None, tuple[Pattern, ...]]:
    """The integration response that a value chooses, and what was said of each."""
    chosen: int | None = None
    default: int | None = None
    said: list[tuple[str, bool]] = []
    for index, response in enumerate(call.integration.integration_responses):
        pattern = response.selection_pattern
        if not pattern:
            said.append(("", False))
            default = index if default is None else default
            continue
        if value is None:
            said.append(("No: the function did not raise, and patterns are matched against errors", False))
            continue
        matched, words = _tried(pattern, value)
        if matched and chosen is not None:
            words, matched = "Matches too: which of them wins is not defined", False
        chosen = index if matched else chosen
        said.append((words, matched))
    taken = default if chosen is None else chosen
    patterns = []
    for index, response in enumerate(call.integration.integration_responses):
        words = said[index][0]
        if not response.selection_pattern:
            words = (
                "Chosen, no pattern matched"
                if taken == index
                else "No: a pattern matched"
                if chosen is not None
                else "No: another default goes before"
            )
        patterns.append(
            Pattern(
                path=call.path("integration", "integration_responses", index, "selection_pattern"),
                pattern=response.selection_pattern or "",
                status_code=call.resolved(response.status_code),
                chosen=taken == index,
                said=words,
            )
        )
    return taken, tuple(patterns)


def _tried(pattern: str, value: str) -> tuple[bool, str]:
    """Whether a pattern matches the whole value, and why or why not."""
    try:
        compiled = compile_pattern(pattern)
        if compiled.matches(value):
            return True, f'{CHOSEN}: matches "{value:.60}"'
        at = compiled.fails_at(value)
    except InvalidPattern as error:
        return False, f"No: it is no regular expression ({error.message})"
    except Undecided as error:
        return False, f"No: {error}"
    if at is None:
        return False, "No: it wants more after the end"
    return False, f'No: it does not take "{value[at]}" at position {at + 1}'


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
