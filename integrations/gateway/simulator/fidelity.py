"""What the simulator imitates, behaviour by behaviour, and how well that is known."""

from dataclasses import dataclass
from enum import StrEnum

from integrations.gateway.options import GUIDE


class Fidelity(StrEnum):
    """How a behaviour is known, best first."""

    RECORDED = "matches recorded AWS"
    DOCUMENTED = "documented"
    APPROXIMATION = "approximation"
    NOT_SIMULATED = "not simulated"

    @property
    def rank(self) -> int:
        """0 for the best."""
        return list(Fidelity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One thing that API Gateway does with a call."""

    title: str
    """What it does, in a sentence."""
    fidelity: Fidelity
    evidence: str
    """Tags of `findings.EVIDENCE`, as a rule has them."""
    docs: str
    rule: str = ""
    """The code of the rule that speaks about it, where there is one."""
    scores: tuple[str, ...] = ()
    """The categories of build/fidelity.json whose cases judge it."""


RECORDED, DOCUMENTED, APPROXIMATION, NOT_SIMULATED = Fidelity


def _behaviour(title: str, fidelity: Fidelity, evidence: str, page: str, rule: str = "", *scores: str) -> Behaviour:
    return Behaviour(title=title, fidelity=fidelity, evidence=evidence, docs=GUIDE + page, rule=rule, scores=scores)


_MAPPINGS = "request-response-data-mappings.html"
_TEMPLATES = "models-mappings.html"
_ENCODINGS = "api-gateway-payload-encodings-workflow.html"
_ERRORS = "supported-gateway-response-types.html"
_KNOWN = "api-gateway-known-issues.html"
_LAMBDA = "set-up-lambda-proxy-integrations.html"
_RESPONSES = "api-gateway-integration-settings-integration-response.html"

BEHAVIOURS: dict[str, Behaviour] = {
    "bindings": _behaviour(
        "References stand for what a deployment gives; without it, for a value of their kind.",
        APPROXIMATION,
        "INF",
        "how-to-deploy-api.html",
    ),
    "routing": _behaviour(
        "The path and the method find the route; a call that finds none is answered 403.",
        RECORDED,
        "LS",
        "api-gateway-method-settings-method-request.html",
        "",
        "misc_runtime",
        "proxy",
    ),
    "authorization": _behaviour(
        "The authorizer, or IAM, lets the call in; what it says is given with the request.",
        DOCUMENTED,
        "D",
        "apigateway-control-access-to-api.html",
        "T5",
    ),
    "api_key": _behaviour(
        "A method that needs an API key answers 403 without one; whether it is valid is given with the request.",
        DOCUMENTED,
        "D",
        "api-gateway-api-usage-plans.html",
    ),
    "required_parameters": _behaviour(
        "The validator asks for every required parameter, and names those that are missing.",
        RECORDED,
        "LS",
        "api-gateway-method-request-validation.html",
        "Z8-parameters",
        "misc_runtime",
        "live",
    ),
    "body_model": _behaviour(
        "The validator asks the body to fit its model, a JSON schema of draft 4.",
        RECORDED,
        "LS D",
        "api-gateway-method-request-validation.html",
        "Z8-body",
        "misc_runtime",
        "live",
    ),
    "passthrough": _behaviour(
        "The media type of the request chooses a template; without one the body passes through, or is refused with 415.",
        RECORDED,
        "LS D",
        "integration-passthrough-behaviors.html",
        "M6",
        "passthrough",
        "live",
    ),
    "request_conversion": _behaviour(
        "The body of the request is converted between text and bytes.",
        RECORDED,
        "LS D",
        _ENCODINGS,
        "M7",
        "content_handling",
        "live",
    ),
    "request_parameters": _behaviour(
        "Mapping expressions give the headers, the query string and the path variables of the backend's request.",
        RECORDED,
        "LS D",
        _MAPPINGS,
        "P3",
        "parameter_mapping",
        "live",
    ),
    "request_headers": _behaviour(
        "Some headers may not be mapped, some are dropped, and some are added on the way to the backend.",
        RECORDED,
        "LS D",
        _KNOWN,
        "P8",
        "parameter_mapping",
        "live",
    ),
    "request_template": _behaviour(
        "A Velocity template writes the body of the backend's request.",
        RECORDED,
        "LS",
        _TEMPLATES,
        "M3",
        "vtl",
        "vtl_calls",
        "vtl_corpus",
        "live",
    ),
    "request_override": _behaviour(
        "$context.requestOverride takes the place of mapped parameters.",
        RECORDED,
        "LS D",
        "apigateway-override-request-response-parameters.html",
        "M11",
        "vtl",
        "parameter_mapping",
        "live",
    ),
    "uri": _behaviour(
        "Stage variables and path variables are put into the URI.",
        RECORDED,
        "LS D",
        "aws-api-gateway-stage-variables-reference.html",
        "U9",
        "uri",
        "live",
    ),
    "lambda_event": _behaviour(
        "A Lambda proxy function gets the whole request as its event.",
        RECORDED,
        "LS D",
        _LAMBDA,
        "P10",
        "proxy",
    ),
    "lambda_call": _behaviour(
        "A Lambda function without proxy gets the body as its event.",
        RECORDED,
        "LS",
        "set-up-lambda-custom-integrations.html",
        "T3",
        "passthrough",
        "proxy",
    ),
    "http_call": _behaviour(
        "An HTTP endpoint is called with the backend's method and the query string, encoded.",
        RECORDED,
        "LS",
        "setup-http-integrations.html",
        "U1",
        "parameter_mapping",
        "uri",
        "live",
    ),
    "service_call": _behaviour(
        "An AWS service is called with a path, or with an action as the service's protocol has it.",
        APPROXIMATION,
        "LS LSi D",
        "integration-request-basic-setup.html",
        "U13",
        "parameter_mapping",
        "live",
    ),
    "signature": _behaviour(
        "The call of an AWS service is signed with the execution role.",
        NOT_SIMULATED,
        "D",
        "permissions.html",
        "K1",
    ),
    "connection": _behaviour(
        "The call goes over the internet or through a VPC link, and the certificate is verified.",
        NOT_SIMULATED,
        "D",
        "private-integration.html",
        "V1",
    ),
    "cache": _behaviour(
        "A stage with a cache answers repeated calls from it.",
        NOT_SIMULATED,
        "D",
        "api-gateway-caching.html",
        "C2",
    ),
    "limits": _behaviour(
        "Usage plans, throttling, resource policies and the web application firewall refuse calls.",
        NOT_SIMULATED,
        "D",
        "api-gateway-request-throttling.html",
    ),
    "backend_answer": _behaviour(
        "The backend's answer is given, or is an example; nothing is called.",
        DOCUMENTED,
        "D",
        "how-to-integration-settings.html",
    ),
    "mock": _behaviour(
        "A MOCK answers with the status that its request template writes.",
        RECORDED,
        "LS IS LSi",
        "how-to-mock-integration.html",
        "M8",
        "mock",
        "selection",
        "live",
    ),
    "backend_failure": _behaviour(
        "A backend that does not answer, or not in time, becomes 504.",
        DOCUMENTED,
        "D",
        _ERRORS,
        "",
        "proxy",
    ),
    "lambda_response": _behaviour(
        "A Lambda proxy function answers in one format; anything else becomes 502.",
        RECORDED,
        "LS",
        _LAMBDA,
        "",
        "proxy",
        "content_handling",
    ),
    "selection": _behaviour(
        "The backend's status, or a function's error message, chooses the integration response.",
        RECORDED,
        "LS D IS",
        _RESPONSES,
        "I10",
        "selection",
        "live",
    ),
    "response_conversion": _behaviour(
        "The body of the answer is converted between text and bytes.",
        RECORDED,
        "LS D",
        _ENCODINGS,
        "M7",
        "content_handling",
        "live",
    ),
    "response_parameters": _behaviour(
        "Mapping expressions give the headers of the response.",
        RECORDED,
        "LS D",
        _MAPPINGS,
        "I7",
        "parameter_mapping",
        "live",
    ),
    "response_template": _behaviour(
        "A Velocity template, chosen by what the caller accepts, writes the body of the response.",
        RECORDED,
        "LS D",
        _TEMPLATES,
        "I12",
        "vtl",
        "content_handling",
        "vtl_calls",
        "vtl_corpus",
        "live",
    ),
    "response_override": _behaviour(
        "$context.responseOverride takes the place of the status and of mapped headers.",
        RECORDED,
        "LS D",
        "apigateway-override-request-response-parameters.html",
        "M11",
        "vtl",
        "live",
    ),
    "response_headers": _behaviour(
        "Some headers of the response are renamed to x-amzn-Remapped-…, some dropped, some added.",
        RECORDED,
        "LS D",
        _KNOWN,
        "I14",
        "parameter_mapping",
        "live",
    ),
    "method_response": _behaviour(
        "The method declares the status; a status that it does not becomes 500.",
        DOCUMENTED,
        "IS D",
        "api-gateway-method-settings-method-response.html",
        "I5",
        "live",
    ),
    "gateway_response": _behaviour(
        "What API Gateway refuses or fails at, it answers itself.",
        RECORDED,
        "LS D",
        _ERRORS,
        "I15",
        "misc_runtime",
        "parameter_mapping",
        "live",
    ),
    "cors": _behaviour(
        "A browser of another origin reads the response only where the headers of CORS allow it.",
        DOCUMENTED,
        "D",
        "how-to-cors.html",
        "I15",
    ),
}
"""Name → behaviour, in the order of a call. Every step of a Trace names one."""
