"""The integration request: what API Gateway sends to the backend, exactly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from integrations.gateway.grammar import (
    IntegrationUri,
    parse_integration_uri,
    parse_invocation,
    stage_variables_in,
    uri_variables,
)
from integrations.gateway.headers import DROPPED, NOT_PASSED, forbidden
from integrations.gateway.simulator.call import Call, Refused, encoded_path, header, trace_id
from integrations.gateway.simulator.fidelity import Fidelity
from integrations.gateway.simulator.mapping import Mapped, map_request
from integrations.gateway.simulator.payload import (
    NotBase64,
    Payload,
    as_bytes,
    converted,
    is_binary,
    media_type,
    request_conversion,
)
from integrations.gateway.simulator.rendering import run
from integrations.gateway.simulator.trace import EndpointRequest, Level, Rendered, Values
from integrations.gateway.velocity.objects import OVERRIDES

WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")
"""Methods of the backend's request that carry no body."""
CONFIGURATION = "Execution failed due to configuration error: "
UNTRANSFORMED = CONFIGURATION + "Unable to transform request"
TARGETS = {
    "dynamodb": "DynamoDB_20120810",
    "kinesis": "Kinesis_20131202",
    "states": "AWSStepFunctions",
    "ssm": "AmazonSSM",
}
"""Services whose actions API Gateway gives a X-Amz-Target, and its first half (APIGATEWAY.md U13)."""


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


def backend_method(call: Call) -> str:
    """The method of the backend's request: ANY is the caller's."""
    method = call.resolved(call.integration.http_method or "")
    return call.request.method if method in ("", "ANY") else method


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


class FaultyTemplate(Refused):
    """A template that could not be used, as it ran."""

    def __init__(self, rendered: Rendered) -> None:
        super().__init__("API_CONFIGURATION_ERROR", rendered.fault.aws if rendered.fault else "")
        self.rendered = rendered


def fault_words(rendered: Rendered) -> str:
    """Why a template could not be used, in words."""
    fault = rendered.fault
    if fault is None:
        return ""
    return f"Line {fault.line}, column {fault.column}: {fault.message}" if fault.line else fault.message


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
        return Outgoing(_service_request(call, method, url, mapped, headers, sent), sent, rendered, _summary(call, key))
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


def _with_defaults(call: Call, method: str, headers: Mapping[str, tuple[str, ...]], host: str) -> dict[str, tuple[str, ...]]:
    """Headers with those that API Gateway adds."""
    found = dict(headers)
    present = {name.lower() for name in found}
    sent = header(call.headers, "Content-Type")
    api_id = str(call.context["apiId"])
    added = {
        "Accept": "application/json",
        "User-Agent": f"AmazonAPIGateway_{api_id}",
        "Host": host,
    }
    if sent and call.request.method not in WITHOUT_BODY:
        added["Content-Type"] = sent
    for name, value in added.items():
        if name.lower() not in present:
            found[name] = (value,)
    found["X-Amzn-Trace-Id"] = (trace_id(call.request, call.context),)
    if call.integration.type in ("HTTP", "HTTP_PROXY"):
        found["X-Amzn-Apigateway-Api-Id"] = (api_id,)
    call.did("request_headers", "API Gateway adds Accept, User-Agent, Host and its own, where they are not mapped.")
    return found


# --- The URI ---------------------------------------------------------------------------------------


def integration_uri(call: Call, path: Mapping[str, tuple[str, ...]]) -> str:
    """The integration's URI with stage variables and path variables in their places."""
    text = call.integration.uri
    found = call.resolved(text)
    for variable in stage_variables_in(text):
        value = call.stage_variables.get(variable.name, "")
        said = f"{variable} becomes {value:.120}." if value else f"{variable} is not defined: nothing stands in its place."
        level: Level = "ok" if value else "warning"
        declared = [("stage_variables", variable.name)] if variable.name in call.api.stage_variables else []
        call.did("uri", said, _uri_path(call), *declared, level=level)
    for name in dict.fromkeys(uri_variables(found)):
        if name in path:
            found = found.replace(f"{{{name}}}", encoded_path(path[name][-1]))
            call.did("uri", f"{{{name}}} becomes {path[name][-1]:.120}.", _uri_path(call))
        else:
            call.did("uri", f"{{{name}}} is mapped to nothing: it stays in the URI.", _uri_path(call), level="warning")
    return found


def _uri_path(call: Call) -> tuple[str | int, ...]:
    name = {"http": "url", "lambda": "function", "raw": "raw_uri"}.get(call.integration.backend.kind, "path")
    if name == "path" and getattr(call.integration.backend, "action", None) is not None:
        name = "action"
    return call.path("integration", "backend", name)


def encoded_query(values: Mapping[str, tuple[str, ...]]) -> str:
    """A query string as it goes out."""
    pairs = [(name, value) for name, held in values.items() for value in held]
    return "&".join(
        f"{quote(name, safe='-._~', errors='replace')}={quote(value, safe='-._~', errors='replace')}" for name, value in pairs
    )


def _joined(url: str, query: Mapping[str, tuple[str, ...]]) -> str:
    more = encoded_query(query)
    return f"{url}{'&' if '?' in url else '?'}{more}" if more else url


# --- HTTP ------------------------------------------------------------------------------------------


def _http_request(
    call: Call, method: str, url: str, query: Mapping[str, tuple[str, ...]], headers: Values, body: bytes
) -> EndpointRequest:
    """A call of an HTTP endpoint. Raises Refused where the URL cannot be called."""
    host = _host(url)
    if host is None or set(url) & set('{}|\\^ "<>'):
        call.did("http_call", f"{url:.200} is no address that can be called.", _uri_path(call), level="error")
        raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}Invalid endpoint address", status=500)
    if call.integration.connection_type == "VPC_LINK":
        call.did(
            "connection",
            "The call goes through the VPC link; the link itself is not simulated.",
            call.path("integration", "vpc_link"),
        )
    found = _with_defaults(call, method, headers, host)
    if body or method not in WITHOUT_BODY:
        found["Content-Length"] = (str(len(body)),)
    call.did("http_call", f"{method} {url:.200}", _uri_path(call), call.path("integration", "backend", "http_method"))
    return EndpointRequest(method=method, url=_joined(url, query), headers=found, body=body)


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

CAPITALIZED = {"authorization": "Authorization", "user-agent": "User-Agent"}
"""Recorded: how a function reads these names, however they were sent."""


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
    return Outgoing(_invocation(call, url, {}, event), event, summary="The whole request is the event")


def lambda_event(call: Call) -> dict[str, Any]:
    """The event of a Lambda proxy function, as the guide describes and recorded calls show it."""
    request = call.request
    headers = _event_headers(call)
    binary = is_binary(header(request.headers, "Content-Type"), call.api.binary_media_types)
    body: str | None = None
    if request.body:
        body = as_text(converted(request.body, "encoded" if binary else "text"))
    context = {key: value for key, value in call.context.items() if key not in ("requestOverride", "responseOverride", "error")}
    return {
        "resource": call.route.path,
        "path": "/" + request.path.lstrip("/"),
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": {name: list(values) for name, values in headers.items()} or None,
        "queryStringParameters": {name: values[-1] for name, values in request.query.items() if values} or None,
        "multiValueQueryStringParameters": {name: list(values) for name, values in request.query.items() if values} or None,
        "pathParameters": dict(call.path_parameters) or None,
        "stageVariables": dict(call.stage_variables) or None,
        "requestContext": context,
        "body": body,
        "isBase64Encoded": bool(request.body) and binary,
    }


def as_text(payload: Payload) -> str:
    """A body that is text by now."""
    return payload if isinstance(payload, str) else payload.decode("utf-8", "replace")


def _event_headers(call: Call) -> dict[str, tuple[str, ...]]:
    """The caller's headers, and those that the front of API Gateway adds."""
    found = {CAPITALIZED.get(name.lower(), name): values for name, values in call.headers.items() if values}
    present = {name.lower() for name in found}
    added = {
        "Host": call.context["domainName"],
        "X-Amzn-Trace-Id": trace_id(call.request, call.context),
        "X-Forwarded-For": call.context["identity"].get("sourceIp") or "",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    return found | {name: (str(value),) for name, value in added.items() if name.lower() not in present}


def _invocation(call: Call, url: str, headers: Values, event: bytes) -> EndpointRequest:
    """A call of Lambda's Invoke. Raises Refused where it is not POST."""
    method = backend_method(call)
    if method != "POST":
        where = call.path("integration", "backend", "http_method")
        call.did("lambda_call", f"Lambda is invoked with POST, and {method} is not: every call fails.", where, level="error")
        raise Refused(
            "INTEGRATION_FAILURE",
            f"{CONFIGURATION}Invalid permissions on Lambda function",
            message="Internal server error",
            status=500,
        )
    uri = parse_integration_uri(url)
    function = parse_invocation(uri.rest.removeprefix("/")) if uri else None
    if uri is None or function is None:
        call.did("lambda_call", f"{url:.200} is no invocation of a function.", _uri_path(call), level="error")
        raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}Invalid endpoint address", status=500)
    host = service_host(uri)
    sent = {
        "Host": (host,),
        **headers,
        "Content-Type": ("application/json",),
        "X-Amzn-Trace-Id": (trace_id(call.request, call.context),),
    }
    call.did(
        "signature", "The call is signed for Lambda; permissions are not simulated.", call.path("integration", "credentials_role")
    )
    return EndpointRequest(
        method="POST",
        url=f"https://{host}/{uri.rest.removeprefix('/')}",
        headers=sent,
        body=event,
        call=f"lambda Invoke {function[0].rpartition(':function:')[2]}",
    )


# --- AWS services ----------------------------------------------------------------------------------


def service_host(uri: IntegrationUri) -> str:
    """The host of a service in a Region."""
    suffix = "amazonaws.com.cn" if uri.partition == "aws-cn" else "amazonaws.com"
    service = f"{uri.subdomain}.{uri.service}" if uri.subdomain else uri.service
    return f"{service}.{uri.region}.{suffix}"


def _service_request(call: Call, method: str, url: str, mapped: Mapped, headers: Values, body: bytes) -> EndpointRequest:
    """A call of an AWS service. Raises Refused where the URI is none."""
    uri = parse_integration_uri(url)
    if uri is None:
        call.did("service_call", f"{url:.200} names no service.", _uri_path(call), level="error")
        raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}Invalid endpoint address", status=500)
    if uri.service == "lambda" and parse_invocation(uri.rest.removeprefix("/")):
        kept = {name: values for name, values in headers.items() if name.lower() != "content-type"}
        call.did("lambda_call", f"The function gets {len(body):,} bytes as its event.", _uri_path(call))
        return _invocation(call, url, kept, body)
    host = service_host(uri)
    found = _with_defaults(call, method, headers, host)
    query = dict(mapped["querystring"])
    if uri.kind == "path":
        target = f"https://{host}/{uri.rest.removeprefix('/')}"
        said = f"{method} {target:.200}"
    else:
        action, _, parameters = uri.rest.partition("&")
        query = {"Action": (action,), **{name: (value,) for name, value in parse_qsl(parameters)}, **query}
        if uri.service in TARGETS:
            del query["Action"]
            found["X-Amz-Target"] = (f"{TARGETS[uri.service]}.{action}",)
        target, said = f"https://{host}/", f"{uri.service} {action}"
    if body or method not in WITHOUT_BODY:
        found["Content-Length"] = (str(len(body)),)
    call.did("service_call", said, _uri_path(call), call.path("integration", "backend", "http_method"))
    call.did(
        "signature",
        "The call is signed with the execution role; permissions are not simulated.",
        call.path("integration", "credentials_role"),
    )
    return EndpointRequest(
        method=method, url=_joined(target, query), headers=found, body=body, call=_call_words(uri, method, query, found, body)
    )


def _call_words(uri: IntegrationUri, method: str, query: Values, headers: Values, body: bytes) -> str:
    """The call of a service: its action where one is named, in the URI, the query string, the body or X-Amz-Target."""
    if uri.kind == "action":
        return f"{uri.service} {uri.rest.partition('&')[0]}"
    if target := header(headers, "X-Amz-Target"):
        return f"{uri.service} {target.rpartition('.')[2]}"
    if action := query.get("Action"):
        return f"{uri.service} {action[-1]}"
    form = "x-www-form-urlencoded" in (header(headers, "Content-Type") or "")
    if form and (named := next((value for name, value in parse_qsl(body.decode("utf-8", "replace")) if name == "Action"), "")):
        return f"{uri.service} {named}"
    return f"{uri.service} {method} /{uri.rest.removeprefix('/')}"
