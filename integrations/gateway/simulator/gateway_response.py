"""Gateway responses: what API Gateway answers by itself."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from integrations.gateway.definition import Api, GatewayResponse, Template
from integrations.gateway.findings import Path
from integrations.gateway.grammar import STATUS_CODE, parse_request_source
from integrations.gateway.simulator.call import Call, Refused, header, own_headers
from integrations.gateway.simulator.fidelity import Fidelity
from integrations.gateway.simulator.mapping import in_context, value_of
from integrations.gateway.simulator.payload import media_type
from integrations.gateway.simulator.rendering import deployed_text
from integrations.gateway.simulator.trace import GatewayResponse as Made
from integrations.gateway.simulator.trace import Response, Values


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of gateway response: its status and words where nothing else is said, and the x-amzn-ErrorType that it carries."""

    status: int
    message: str
    error: str


KINDS = {
    "ACCESS_DENIED": Kind(403, "User is not authorized to access this resource", "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": Kind(500, "Internal server error", "InternalServerErrorException"),
    "AUTHORIZER_CONFIGURATION_ERROR": Kind(500, "Internal server error", "AuthorizerConfigurationException"),
    "AUTHORIZER_FAILURE": Kind(500, "Internal server error", "AuthorizerConfigurationException"),
    "BAD_REQUEST_BODY": Kind(400, "Invalid request body", "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": Kind(400, "Missing required request parameters", "BadRequestException"),
    "DEFAULT_4XX": Kind(400, "Bad Request", "BadRequestException"),
    "DEFAULT_5XX": Kind(500, "Internal server error", "InternalServerErrorException"),
    "INTEGRATION_FAILURE": Kind(504, "Network error communicating with endpoint", "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": Kind(504, "Endpoint request timed out", "InternalServerErrorException"),
    "INVALID_API_KEY": Kind(403, "Forbidden", "ForbiddenException"),
    "MISSING_AUTHENTICATION_TOKEN": Kind(403, "Missing Authentication Token", "MissingAuthenticationTokenException"),
    "UNAUTHORIZED": Kind(401, "Unauthorized", "UnauthorizedException"),
    "UNSUPPORTED_MEDIA_TYPE": Kind(415, "Unsupported Media Type", "BadRequestException"),
}
"""Type → what it is unless the API says otherwise (APIGATEWAY.md I15)."""


def refusal(call: Call, refused: Refused) -> tuple[Made, Response]:
    """What API Gateway answers where it refuses a call or fails at it; noted as steps of the stage under way."""
    kind = KINDS[refused.type]
    message, status = refused.message or kind.message, refused.status or kind.status
    error = call.context.get("error")
    call.context["error"] = {
        "message": message,
        "messageString": json.dumps(message, ensure_ascii=False),
        "responseType": refused.type,
        **(error if isinstance(error, Mapping) else {}),
    }
    index, own = declared_response(call.api, refused.type, status)
    headers: dict[str, tuple[str, ...]] = {"Content-Type": ("application/json",), "x-amzn-ErrorType": (kind.error,)}
    body = json.dumps({"message": message}, ensure_ascii=False, separators=(",", ":"))
    said = f"API Gateway answers by itself: {refused.type}"
    if own is None:
        call.did("gateway_response", f"{said}, {status}.", level="error")
    else:
        where: Path = ("gateway_responses", index) if index < len(call.definition.gateway_responses) else ("cors",)
        if STATUS_CODE.fullmatch(text := call.resolved(own.status_code or "")):
            status = int(text)
        call.did(
            "gateway_response",
            f"{said}, {status}, as {own.response_type} says.",
            where,
            level="error",
            fidelity=Fidelity.DOCUMENTED,
        )
        media_type, template = _template(call, own)
        if template is not None:
            headers["Content-Type"] = (media_type,)
            body = substituted(deployed_text(template), call)
        headers |= _headers(call, own, where)
    sent = body.encode("utf-8", "replace")
    made = Made(type=refused.type, status=status, message=message, reason=refused.reason)
    return made, Response(status=status, headers=headers | own_headers(call, sent, refused=True), body=sent)


def declared_response(api: Api, type: str, status: int) -> tuple[int, GatewayResponse | None]:
    """The gateway response that the API declares for a type, or for all of its kind; with its index."""
    for wanted in (type, "DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX"):
        for index, response in enumerate(api.gateway_responses):
            if response.response_type == wanted:
                return index, response
    return -1, None


def _template(call: Call, response: GatewayResponse) -> tuple[str, Template | None]:
    """The template that the caller's Accept chooses, else the one for application/json, else the first."""
    templates = response.response_templates
    accepts = media_type(header(call.headers, "Accept"))
    for wanted in (accepts, "application/json", *templates):
        if wanted in templates:
            return wanted, templates[wanted]
    return "", None


_VARIABLE = re.compile(r"\$(?:\{(context|stageVariables)\.([\w.]+)\}|(context|stageVariables)\.([\w.]*\w))")


def substituted(text: str, call: Call) -> str:
    """The body of a gateway response: variables are put in, nothing else of Velocity is read."""

    def value(found: re.Match[str]) -> str:
        scope, name = found[1] or found[3], found[2] or found[4]
        if scope == "stageVariables":
            return call.stage_variables.get(name, "")
        return in_context(name, call.context)

    return _VARIABLE.sub(value, text)


def _headers(call: Call, response: GatewayResponse, where: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, text in response.response_parameters.items():
        name = key.removeprefix("gatewayresponse.header.")
        source = parse_request_source(call.resolved(text))
        if name == key or source is None:
            continue
        values = value_of(
            source, call, call.headers, call.request.body, lambda: Refused("DEFAULT_4XX", "Invalid JSON in request body")
        )
        if any(values):
            found[name] = (",".join(values),)
            call.did(
                "gateway_response",
                f"{name} is {', '.join(values):.120}, from {text}.",
                where,
                fidelity=Fidelity.DOCUMENTED,
            )
    return found


def note_cors(call: Call, headers: Values) -> None:
    """Whether a page of the origin that calls may read a response with these headers."""
    origin = header(call.request.headers, "Origin")
    if origin is None:
        return
    allowed = header(headers, "Access-Control-Allow-Origin")
    if allowed in ("*", origin):
        call.did("cors", f"A page of {origin:.100} may read the response.")
    else:
        held = f"says {allowed:.100}" if allowed else "is missing"
        said = f"A page of {origin:.100} cannot read the response: Access-Control-Allow-Origin {held}."
        call.did("cors", said, level="warning")
