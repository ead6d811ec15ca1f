"""Gateway responses: what API Gateway answers by itself."""

import json
from dataclasses import dataclass

from integrations.gateway.simulator.call import Call, Refused, header, own_headers
from integrations.gateway.simulator.trace import GatewayResponse, Response, Values


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


def refusal(call: Call, refused: Refused) -> tuple[GatewayResponse, Response]:
    """What API Gateway answers where it refuses a call or fails at it; noted as a step of the stage under way."""
    kind = KINDS[refused.type]
    message = refused.message or kind.message
    status = refused.status or kind.status
    made = GatewayResponse(type=refused.type, status=status, message=message, reason=refused.reason)
    call.did("gateway_response", f"API Gateway answers {status} by itself: {refused.type}.", level="error")
    body = json.dumps({"message": message}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    headers = {"Content-Type": ("application/json",), "x-amzn-ErrorType": (kind.error,)}
    return made, Response(status=status, headers=headers | own_headers(call, body, refused=True), body=body)


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
