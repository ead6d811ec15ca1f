"""What AWS answered to recorded put calls, against what the rules say of the same input.

Reads `$GATEHOUSE_ORACLE` (default ../shared/oracle), is skipped where it is absent, and writes its scores.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from integrations.gateway.definition import Api, DefinitionError, MethodResponse, from_json
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.rules import check
from tests.fidelity.scores import ORACLE, write_score

PUTS = ("put_method", "put_method_response", "put_integration", "put_integration_response")
pytestmark = pytest.mark.skipif(not ORACLE.is_dir(), reason="no recorded AWS answers; set GATEHOUSE_ORACLE")

NOT_OF_THE_INPUT = (
    "Invalid API identifier specified",
    "Invalid Method identifier specified",
    "Invalid Resource identifier specified",
    "Invalid Integration identifier specified",
    "Invalid model identifier specified",
    "Invalid Request Validator identifier specified",
    "Invalid Response status code specified",
    "No integration defined for method",
    "already exists",
    "concurrent modification",
    "Too Many Requests",
)
"""AWS's words for what did not exist, or existed already, before the call."""

REASONS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Parameter names must be unique", frozenset({"P6"})),
    ("Parameter name should match the following regular expression", frozenset({"P1"})),
    ("Invalid HttpMethod specified", frozenset({"T4"})),
    ("Invalid authorizer ID specified", frozenset({"T5"})),
    ("Authorization Scopes are only valid", frozenset({"T6"})),
    ("putIntegrationInput.type", frozenset({"T1"})),
    ("putIntegrationInput.connectionType", frozenset({"V1-value"})),
    ("contentHandling", frozenset({"M7-value"})),
    ("responseTransferMode", frozenset({"S1-value"})),
    ("passthroughBehavior", frozenset({"M6-value"})),
    ("Enumeration value for HttpMethod must be non-empty", frozenset({"T2"})),
    ("Invalid HTTP endpoint specified for URI", frozenset({"U1"})),
    ("Invalid ARN specified in the request", frozenset({"U2", "K1"})),
    ("AWS ARN for integration must contain path or action", frozenset({"U3"})),
    ("currently only supports Lambda function", frozenset({"U4"})),
    ("Role ARN must be specified for AWS integrations", frozenset({"K4"})),
    ("Invalid content type specified", frozenset({"M1"})),
    ("at 'statusCode' failed to satisfy constraint", frozenset({"I1"})),
    ("Invalid cache key parameter specified", frozenset({"C1"})),
    ("Invalid regex pattern specified", frozenset({"I8"})),
    ("No method response exists for method", frozenset({"I5-mapped"})),
    ("Invalid mapping expression parameter specified", frozenset({"P2", "P5", "P5-target", "I6", "I6-declared"})),
    ("Invalid mapping expression specified", frozenset({"P3", "P3-source", "I7", "I7-source"})),
    ("Timeout should be between", frozenset({"X1", "X1-quota", "X2"})),
    ("Invalid ResponseTransferMode", frozenset({"S2"})),
    ("ConnectionId should be set", frozenset({"V1"})),
    ("can not be converted to", frozenset({"type"})),
)
"""AWS's words → the rules of which one must have found it. `type`: the reader of definitions refuses it, with its path."""

REWRITTEN = "__py__:"
"""Marks a key that was no text in the recording, as it went over the wire."""


def as_map(values: Any, unset: Any = "") -> Any:
    """A map as it went over the wire: keys are texts, null in place of a template is the empty one."""
    if not isinstance(values, Mapping):
        return {} if values is None else values
    return {str(key).removeprefix(REWRITTEN): unset if value is None else value for key, value in values.items()}


def as_definition(operation: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The JSON of an API that holds the input, and the parts of its route that the input is."""
    mock = {"backend": {"kind": "raw", "type": "MOCK"}}
    if operation == "put_method":
        route = {
            "method": given.get("httpMethod", ""),
            "authorization_type": given.get("authorizationType"),
            "authorizer": given.get("authorizerId"),
            "authorization_scopes": given.get("authorizationScopes") or [],
            "api_key_required": given.get("apiKeyRequired"),
            "operation_name": given.get("operationName"),
            "declared": as_map(given.get("requestParameters")),
            "request_models": as_map(given.get("requestModels")),
            "integration": mock,
        }
        return route, ("method", "authorization_type", "authorizer", "authorization_scopes", "declared", "request_models")
    if operation == "put_method_response":
        declared = {
            "status_code": given.get("statusCode", ""),
            "response_parameters": as_map(given.get("responseParameters")),
            "response_models": as_map(given.get("responseModels")),
        }
        return {"integration": mock, "responses": [declared]}, ("responses",)
    if operation == "put_integration_response":
        answer = {
            "status_code": given.get("statusCode", ""),
            "selection_pattern": given.get("selectionPattern"),
            "content_handling": given.get("contentHandling"),
            "response_parameters": as_map(given.get("responseParameters")),
            "response_templates": as_map(given.get("responseTemplates")),
        }
        return {"integration": mock | {"integration_responses": [answer]}}, ("integration",)
    tls = given.get("tlsConfig") or {}
    integration = {
        "backend": {
            "kind": "raw",
            "type": given.get("type", ""),
            "http_method": given.get("integrationHttpMethod"),
            "raw_uri": given.get("uri"),
        },
        "credentials_role": given.get("credentials"),
        "request_parameters": as_map(given.get("requestParameters")),
        "request_templates": as_map(given.get("requestTemplates")),
        "passthrough_behavior": given.get("passthroughBehavior"),
        "content_handling": given.get("contentHandling"),
        "timeout_ms": given.get("timeoutInMillis"),
        "connection_type": given.get("connectionType"),
        "vpc_link": given.get("connectionId"),
        "cache_key_parameters": given.get("cacheKeyParameters") or [],
        "cache_namespace": given.get("cacheNamespace"),
        "response_transfer_mode": given.get("responseTransferMode"),
        "integration_target": given.get("integrationTarget"),
        "insecure_skip_verification": tls.get("insecureSkipVerification"),
    }
    return {"method": "ANY", "integration": integration}, ("integration",)


def earlier(case: Mapping[str, Any], operation: str) -> list[Mapping[str, Any]]:
    """The inputs of earlier calls of this operation on the same method."""
    same = ("restApiId", "resourceId", "httpMethod")
    inputs = [call.get("params") or call.get("input") or {} for call in case.get("setup") or () if call.get("op") == operation]
    return [given for given in inputs if all(given.get(name) == case["input"].get(name) for name in same)]


def in_context(case: Mapping[str, Any], api: Api) -> Api:
    """The API with exactly what the recorded earlier calls declared for the method, where the case records them."""
    [route] = api.routes
    methods = earlier(case, "put_method")
    if case["operation"] == "put_integration" and methods:
        declared = as_map(methods[-1].get("requestParameters"))
        return Api(routes=(route.with_effective(declared, route.method_responses),))
    if case["operation"] == "put_integration_response" and (methods or earlier(case, "put_method_response")):
        responses = [
            MethodResponse(status_code=given["statusCode"], response_parameters=as_map(given.get("responseParameters")))
            for given in earlier(case, "put_method_response")
        ]
        return Api(routes=(route.with_effective(route.request_parameters, responses),))
    return api


def found(case: Mapping[str, Any]) -> list[Finding]:
    """What is said of the call's own input; a DefinitionError of the reader counts as the finding of a type."""
    route, parts = as_definition(case["operation"], case["input"])
    try:
        api: Api = from_json({"routes": [route]}, Api)
    except DefinitionError as refusal:
        return [Finding(rule="type", severity=Severity.ERROR, path=refusal.path, message=refusal.message)]
    return [finding for finding in check(in_context(case, api)) if finding.path[2] in parts]


def errors(case: Mapping[str, Any]) -> list[Finding]:
    return [finding for finding in found(case) if finding.severity is Severity.ERROR]


def recorded(name: str) -> list[dict[str, Any]]:
    path = ORACLE / name
    cases: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return [case for case in cases if case.get("operation") in PUTS]


def earlier_puts(name: str) -> list[dict[str, Any]]:
    """Each put of the cases' earlier calls once, with the calls before it: AWS took them, or the case could not be."""
    path = ORACLE / name
    found: dict[str, dict[str, Any]] = {}
    for case in json.loads(path.read_text()) if path.exists() else []:
        setup = case.get("setup") or []
        for index, call in enumerate(setup):
            if call.get("op") in PUTS:
                put = {"operation": call["op"], "input": call.get("params") or {}, "setup": setup[:index]}
                found.setdefault(json.dumps(put["input"], sort_keys=True), put | {"id": f"{case['id']}+{index}"})
    return list(found.values())


def message(case: Mapping[str, Any]) -> str:
    return json.dumps(case["expected"])


VALIDATIONS = recorded("validation_cases.json")
REFUSED = [
    case
    for case in VALIDATIONS
    if case["expected"]["outcome"] == "error" and not any(words in message(case) for words in NOT_OF_THE_INPUT)
]
TAKEN = [case for case in VALIDATIONS if case["expected"]["outcome"] == "accepted"] + recorded("accepted_inputs.json")


SET_UP = earlier_puts("validation_cases.json") + earlier_puts("test_invoke_cases.json")


def refused_for_the_reason(case: Mapping[str, Any]) -> bool:
    """Whether a finding that blocks or warns of a failure has the reason that AWS gives."""
    wanted = next((codes for words, codes in REASONS if words in message(case)), frozenset[str]())
    serious = {finding.rule for finding in found(case) if finding.severity in (Severity.ERROR, Severity.FAILURE)}
    return bool(wanted & serious)


@pytest.mark.parametrize("case", REFUSED, ids=[case["id"] for case in REFUSED])
def test_what_aws_refused_is_found_for_its_reason(case: dict[str, Any]) -> None:
    assert refused_for_the_reason(case), (case["input"], message(case), found(case))


@pytest.mark.parametrize("case", TAKEN + SET_UP, ids=[case["id"] for case in TAKEN + SET_UP])
def test_what_aws_took_is_no_error(case: dict[str, Any]) -> None:
    assert errors(case) == []


def test_the_score_is_written() -> None:
    missed = [case["id"] for case in REFUSED if not refused_for_the_reason(case)]
    wrong = [case["id"] for case in TAKEN if errors(case)]
    write_score("validation_refused", len(REFUSED), missed)
    write_score("validation_accepted", len(TAKEN), wrong)
    refused = [case["id"] for case in SET_UP if errors(case)]
    write_score("validation_setups", len(SET_UP), refused)

    assert (missed, wrong, refused) == ([], [], [])
