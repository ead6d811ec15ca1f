"""The integration request: what API Gateway sends to the backend, exactly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from integrations.gateway.headers import DROPPED, NOT_PASSED, forbidden
from integrations.gateway.simulator.call import CONFIGURATION, Call, Refused, header
from integrations.gateway.simulator.fidelity import Fidelity
from integrations.gateway.simulator.lambda_proxy import lambda_event
from integrations.gateway.simulator.mapping import Mapped, map_request
from integrations.gateway.simulator.outgoing import (
    WITHOUT_BODY,
    backend_method,
    integration_uri,
    joined,
    uri_at,
    with_defaults,
)
from integrations.gateway.simulator.payload import (
    NotBase64,
    Payload,
    as_bytes,
    converted,
    is_binary,
    media_type,
    request_conversion,
)
from integrations.gateway.simulator.rendering import FaultyTemplate, fault_words, run
from integrations.gateway.simulator.services import invocation, service_request
from integrations.gateway.simulator.trace import EndpointRequest, Rendered, Values
from integrations.gateway.velocity.objects import OVERRIDES

UNTRANSFORMED = CONFIGURATION + "Unable to transform request"


@dataclass
class Outgoing:
    """An integration request on its way."""

    endpoint: EndpointRequest | None
    """None for a MOCK."""
    body: bytes
    template: Rendered | None = None
    summary: str = ""


def make_integration_request(call: Call) -> Outgoing:
    """What goes out. Raises Refused where API Gateway answers itself."""
    match call.integration.type:
        case "AWS_PROXY":
            return _lambda_proxy(call)
        case "HTTP_PROXY":
            return _http_proxy(call)
        case "MOCK" | "HTTP" | "AWS":
            return _mapped(call)
    raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}Invalid integration type")


# --- Bodies and templates --------------------------------------------------------------------------


def _request_body(call: Call) -> Payload:
    """The body after conversion. Raises Refused."""
    sent, binary_types = header(call.headers, "Content-Type"), call.api.binary_media_types
    handling = call.integration.content_handling
    conversion = request_conversion(handling, is_binary(sent or "application/json", binary_types))
    where = [call.path("integration", "content_handling")] if handling else [("binary_media_types",)] if binary_types else []
    words = {
        "bytes": "passes as bytes",
        "text": "is read as UTF-8 text",
        "encoded": "becomes Base64 text",
        "decoded": "is decoded from Base64",
    }
    try:
        body = converted(call.request.body, conversion)
    except NotBase64 as error:
        call.did("request_conversion", "The body is to be decoded from Base64, and is none.", *where, level="error")
        raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}Unable to base64 decode the body") from error
    lost = conversion == "text" and "\ufffd" in body and b"\xef\xbf\xbd" not in call.request.body
    if call.request.body and (conversion != "text" or where or lost):
        said = f"The body {words[conversion]}" + (": bytes that are none are lost" if lost else "")
        call.did("request_conversion", f"{said}.", *where, level="warning" if lost else "ok")
    return body


def _template_key(call: Call) -> str:
    """The key of the template that the request's media type chooses; empty for passthrough. Raises Refused."""
    templates = call.integration.request_templates
    sent = media_type(header(call.headers, "Content-Type"))
    wanted = sent or "application/json"
    name = sent or "A request without Content-Type counts as application/json, and"
    found = next((key for key in templates if media_type(key).lower() == wanted.lower()), "")
    if found:
        said = f"{name} matches its template, passthrough is not used."
        call.did("passthrough", said, call.path("integration", "request_templates", found))
        return found
    if "$default" in templates:
        call.did(
            "passthrough",
            f"No template for {wanted}: $default is used.",
            call.path("integration", "request_templates", "$default"),
            fidelity=Fidelity.APPROXIMATION,
        )
        return "$default"
    behaviour = call.resolved(call.integration.passthrough_behavior or "WHEN_NO_MATCH")
    where = call.path("integration", "passthrough_behavior")
    if behaviour == "NEVER" or (behaviour == "WHEN_NO_TEMPLATES" and templates):
        said = f"No template for {wanted}, and {behaviour} lets nothing through: 415."
        call.did("passthrough", said, where, level="error")
        raise Refused("UNSUPPORTED_MEDIA_TYPE", f"Unsupported media type: {wanted}")
    said = "There are no templates" if not templates else f"No template for {wanted}"
    call.did("passthrough", f"{said}: the body passes through.", where)
    return ""


def _rendered(call: Call, key: str, body: Payload) -> Rendered:
    """The request template as it ran; its overrides are in $context. Raises Refused."""
    where = call.path("integration", "request_templates", key)
    if isinstance(body, bytes):
        call.did("request_template", "A template reads text, and the body is bytes.", where, level="error")
        raise Refused("API_CONFIGURATION_ERROR", UNTRANSFORMED)
    rendered, context = run(call.integration.request_templates[key], call.given(body), where, key)
    if rendered.fault:
        call.did("request_template", fault_words(rendered), where, level="error")
        raise FaultyTemplate(rendered)
    call.context = dict(context)
    call.did("request_template", f"The template wrote {len(rendered.output.encode('utf-8', 'replace')):,} bytes.", where)
    if rendered.iterations > 1_000:
        said = f"A loop went round {rendered.iterations:,} times; API Gateway allows 1,000."
        call.did("request_template", said, where, level="warning", fidelity=Fidelity.DOCUMENTED)
    return rendered


def _override(call: Call, mapped: Mapped) -> None:
    """Put the overrides of the template into what was mapped."""
    overrides = call.context.get("requestOverride") or {}
    for location in OVERRIDES["requestOverride"]:
        held = overrides.get(location)
        for name, value in held.items() if isinstance(held, Mapping) else ():
            values = tuple(map(_word, value)) if isinstance(value, list) else (_word(value),)
            mapped[location][str(name)] = values
            call.did("request_override", f"The template sets {location} {name} to {', '.join(values):.120}.")


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- Without proxy ---------------------------------------------------------------------------------


def _mapped(call: Call) -> Outgoing:
    """MOCK, HTTP and AWS: mapped parameters and a template."""
    key = _template_key(call)
    mapped = map_request(call)
    body = _request_body(call)
    rendered = _rendered(call, key, body) if key else None
    sent = rendered.output.encode("utf-8", "replace") if rendered else as_bytes(body)
    _override(call, mapped)
    if call.integration.type == "MOCK":
        return Outgoing(None, sent, rendered, _summary(call, key))
    _refuse_forbidden(call, mapped["header"])
    headers = _kept(call, mapped["header"])
    method = backend_method(call)
    if method in WITHOUT_BODY and not call.integration.is_lambda:
        if sent:
            said = f"A {method} carries no body: the {len(sent):,} bytes are not sent."
            call.did(
                "http_call",
                said,
                call.path("integration", "backend", "http_method"),
                level="warning",
                fidelity=Fidelity.APPROXIMATION,
            )
        sent = b""
    url = integration_uri(call, mapped["path"])
    if call.integration.type == "AWS":
        return Outgoing(service_request(call, method, url, mapped, headers, sent), sent, rendered, _summary(call, key))
    endpoint = _http_request(call, method, url, mapped["querystring"], headers, sent)
    return Outgoing(endpoint, sent, rendered, _summary(call, key))


def _summary(call: Call, key: str) -> str:
    return f"{key} matches its template, passthrough is not used" if key else "The body passes through"


def _refuse_forbidden(call: Call, mapped: Values) -> None:
    """Raise Refused where a header is mapped that may not be; it was recorded for proxies too."""
    for name in mapped:
        if name.lower() in forbidden(call.integration.type):
            where = call.path("integration", "request_parameters", f"integration.request.header.{name}")
            call.did("request_headers", f"{name} may not be mapped: every call fails.", where, level="error")
            raise Refused("DEFAULT_5XX", f"{CONFIGURATION}{name} header already present", status=500)


def _kept(call: Call, mapped: Values) -> dict[str, tuple[str, ...]]:
    """The mapped headers that are sent."""
    dropped = DROPPED.get(call.integration.type, frozenset())
    found = {}
    for name, values in mapped.items():
        if name.lower() in dropped or (name.lower() == "connection" and "HTTP" in call.integration.type):
            call.did("request_headers", f"{name} is dropped before the call.", level="warning")
        else:
            found[name] = values
    return found


# --- HTTP ------------------------------------------------------------------------------------------


def _http_request(
    call: Call, method: str, url: str, query: Mapping[str, tuple[str, ...]], headers: Values, body: bytes
) -> EndpointRequest:
    """A call of an HTTP endpoint. Raises Refused where the URL cannot be called."""
    host = _host(url)
    if host is None or set(url) & set('{}|\\^ "<>'):
        call.did("http_call", f"{url:.200} is no address that can be called.", uri_at(call), level="error")
        raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}Invalid endpoint address", status=500)
    if call.integration.connection_type == "VPC_LINK":
        call.did(
            "connection",
            "The call goes through the VPC link; the link itself is not simulated.",
            call.path("integration", "vpc_link"),
        )
    found = with_defaults(call, method, headers, host)
    if body or method not in WITHOUT_BODY:
        found["Content-Length"] = (str(len(body)),)
    call.did("http_call", f"{method} {url:.200}", uri_at(call), call.path("integration", "backend", "http_method"))
    return EndpointRequest(method=method, url=joined(url, query), headers=found, body=body)


def _host(url: str) -> str | None:
    """The host, and the port, of an absolute URL of HTTP; None where there is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return f"{parts.hostname}:{port}" if port else parts.hostname


def _http_proxy(call: Call) -> Outgoing:
    """The request passes through; mapped headers take the place of the caller's, mapped query parameters are added."""
    mapped = map_request(call)
    _refuse_forbidden(call, mapped["header"])
    body = as_bytes(_request_body(call))
    passed = {name: values for name, values in call.headers.items() if name.lower() not in NOT_PASSED}
    own = _kept(call, mapped["header"])
    names = {name.lower() for name in own}
    headers = {name: values for name, values in passed.items() if name.lower() not in names} | own
    query = {
        name: (*call.request.query.get(name, ()), *mapped["querystring"].get(name, ()))
        for name in [*call.request.query, *mapped["querystring"]]
    }
    method = backend_method(call)
    url = integration_uri(call, mapped["path"])
    call.did("http_call", "The caller's headers, query string and body pass through.", call.proxy_at)
    return Outgoing(_http_request(call, method, url, query, headers, body), body, summary="The request passes through")


# --- Lambda ----------------------------------------------------------------------------------------


def _lambda_proxy(call: Call) -> Outgoing:
    """The whole request as the function's event."""
    mapped = map_request(call) if call.integration.request_parameters else {"header": {}}
    _refuse_forbidden(call, mapped["header"])
    if call.integration.request_parameters:
        said = "A Lambda proxy sends the request as it came: mapped parameters are ignored."
        call.did("lambda_event", said, call.path("integration", "request_parameters"), level="warning")
    event = json.dumps(lambda_event(call), ensure_ascii=False).encode("utf-8", "replace")
    call.did("lambda_event", f"The function gets an event of {len(event):,} bytes.", call.proxy_at)
    url = integration_uri(call, {})
    return Outgoing(invocation(call, url, {}, event), event, summary="The whole request is the event")
