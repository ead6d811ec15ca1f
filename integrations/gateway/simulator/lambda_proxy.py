"""Lambda proxy functions: the event that they get, and the response that they describe."""

import json
import re
from typing import Any

from integrations.gateway.simulator.call import CONFIGURATION, Call, Refused, header, trace_id
from integrations.gateway.simulator.payload import NotBase64, Payload, as_bytes, converted, decoded, is_binary, media_type
from integrations.gateway.simulator.trace import Answer, Response

MALFORMED = CONFIGURATION + "Malformed Lambda proxy response"
CAPITALIZED = {"authorization": "Authorization", "user-agent": "User-Agent"}
"""Recorded: how a function reads these names, however they were sent."""


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


def function_response(call: Call, answer: Answer) -> Response:
    """The response that a proxy function describes. Raises Refused where it is none."""
    if answer.failure == "error":
        message = answer.error_message
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
    return Response(status=status, headers=headers, body=body)


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
