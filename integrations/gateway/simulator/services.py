"""Calls of AWS services: Lambda's Invoke, and an action or a path of any other."""

from urllib.parse import parse_qsl

from integrations.gateway.grammar import IntegrationUri, parse_integration_uri, parse_invocation
from integrations.gateway.simulator.call import CONFIGURATION, Call, Refused, header, trace_id
from integrations.gateway.simulator.mapping import Mapped
from integrations.gateway.simulator.outgoing import WITHOUT_BODY, backend_method, joined, uri_at, with_defaults
from integrations.gateway.simulator.trace import EndpointRequest, Values

TARGETS = {
    "dynamodb": "DynamoDB_20120810",
    "kinesis": "Kinesis_20131202",
    "states": "AWSStepFunctions",
    "ssm": "AmazonSSM",
}
"""Services whose actions API Gateway gives a X-Amz-Target, and its first half (APIGATEWAY.md U13)."""


def service_host(uri: IntegrationUri) -> str:
    """The host of a service in a Region."""
    suffix = "amazonaws.com.cn" if uri.partition == "aws-cn" else "amazonaws.com"
    service = f"{uri.subdomain}.{uri.service}" if uri.subdomain else uri.service
    return f"{service}.{uri.region}.{suffix}"


def invocation(call: Call, url: str, headers: Values, event: bytes) -> EndpointRequest:
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
        call.did("lambda_call", f"{url:.200} is no invocation of a function.", uri_at(call), level="error")
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


def service_request(call: Call, method: str, url: str, mapped: Mapped, headers: Values, body: bytes) -> EndpointRequest:
    """A call of an AWS service. Raises Refused where the URI is none."""
    uri = parse_integration_uri(url)
    if uri is None:
        call.did("service_call", f"{url:.200} names no service.", uri_at(call), level="error")
        raise Refused("API_CONFIGURATION_ERROR", f"{CONFIGURATION}Invalid endpoint address", status=500)
    if uri.service == "lambda" and parse_invocation(uri.rest.removeprefix("/")):
        kept = {name: values for name, values in headers.items() if name.lower() != "content-type"}
        call.did("lambda_call", f"The function gets {len(body):,} bytes as its event.", uri_at(call))
        return invocation(call, url, kept, body)
    host = service_host(uri)
    found = with_defaults(call, method, headers, host)
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
    call.did("service_call", said, uri_at(call), call.path("integration", "backend", "http_method"))
    call.did(
        "signature",
        "The call is signed with the execution role; permissions are not simulated.",
        call.path("integration", "credentials_role"),
    )
    return EndpointRequest(
        method=method, url=joined(target, query), headers=found, body=body, call=_call_words(uri, method, query, found, body)
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
