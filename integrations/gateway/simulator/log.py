"""The execution log of a call, line by line in the words of TestInvokeMethod, without the times."""

from collections.abc import Mapping

from integrations.gateway.simulator.call import Call
from integrations.gateway.simulator.trace import Answer, EndpointRequest, GatewayResponse, Request, Response, Values

LONGEST = 998
"""Characters of a map of headers before the log cuts it."""


def log_lines(
    call: Call,
    endpoint: EndpointRequest | None,
    answer: Answer | None,
    response: Response,
    made: GatewayResponse | None,
) -> tuple[str, ...]:
    """The lines that TestInvokeMethod's log has (recorded for a MOCK; the others are documented)."""
    request: Request = call.request
    lines = [
        f"Execution log for request {request.request_id}",
        f"Starting execution for request: {request.request_id}",
        f"HTTP Method: {request.method}, Resource Path: {request.path}",
        f"Method request path: {_map({name: (value,) for name, value in call.path_parameters.items()})}",
        f"Method request query string: {_map(request.query)}",
        f"Method request headers: {_map(request.headers)}",
        f"Method request body before transformations: {_text(request.body)}",
    ]
    if endpoint is not None:
        lines += [
            f"Endpoint request URI: {endpoint.url}",
            f"Endpoint request headers: {_map(endpoint.headers)}",
            f"Endpoint request body after transformations: {_text(endpoint.body)}",
            f"Sending request to {endpoint.url}",
        ]
        if answer is not None and answer.failure in ("", "error"):
            lines += [
                f"Received response. Status: {answer.status}",
                f"Endpoint response headers: {_map(answer.headers)}",
                f"Endpoint response body before transformations: {_text(answer.body)}",
            ]
    if made is not None:
        return (*lines, made.reason, f"Method completed with status: {response.status}")
    shown = {name: values for name, values in response.headers.items() if name not in UNLOGGED}
    return (
        *lines,
        f"Method response body after transformations: {_text(response.body)}",
        f"Method response headers: {_map(shown)}",
        "Successfully completed execution",
        f"Method completed with status: {response.status}",
    )


UNLOGGED = ("Content-Length", "x-amzn-RequestId", "x-amz-apigw-id")
"""What a deployed method adds, and TestInvokeMethod does not."""


def _map(values: Values | Mapping[str, tuple[str, ...]]) -> str:
    text = "{" + ", ".join(f"{name}={','.join(held)}" for name, held in values.items()) + "}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} [TRUNCATED]"


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
