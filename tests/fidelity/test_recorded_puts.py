"""What AWS answered to recorded put calls, against what the rules say of the same input.

Reads `$GATEHOUSE_ORACLE` (default ../shared/oracle), is skipped where it is absent, and writes build/fidelity.json.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from integrations.gateway.definition import Api, Integration, IntegrationResponse, MethodResponse, Raw, Route, Template
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.rules import check

ROOT = Path(__file__).resolve().parents[2]
ORACLE = Path(os.environ.get("GATEHOUSE_ORACLE", ROOT.parent / "shared" / "oracle"))
PUTS = ("put_method", "put_method_response", "put_integration", "put_integration_response")
pytestmark = pytest.mark.skipif(not ORACLE.is_dir(), reason="no recorded AWS answers; set GATEHOUSE_ORACLE")

NOT_OF_THE_INPUT = (
    "Invalid Method identifier specified",
    "Invalid Resource identifier specified",
    "Invalid Integration identifier specified",
    "Invalid model identifier specified",
    "Invalid Request Validator identifier specified",
    "Invalid Response status code specified",
    "No integration defined for method",
)
"""AWS's words for what did not exist before the call."""

REASONS = {
    "Parameter names must be unique": "P6",
    "Invalid HttpMethod specified": "T4",
    "Invalid authorizer ID specified": "T5",
    "putIntegrationInput.type": "T1",
    "Enumeration value for HttpMethod must be non-empty": "T2",
    "Invalid HTTP endpoint specified for URI": "U1",
    "Invalid ARN specified in the request": "U2",
    "AWS ARN for integration must contain path or action": "U3",
    "currently only supports Lambda function": "U4",
    "Invalid content type specified": "M1",
    "at 'statusCode' failed to satisfy constraint": "I1",
}
"""AWS's reason → the rule that must have found it. What no text can hold (a number as a template) is a type, not a rule."""


def texts(values: dict[str, Any] | None) -> dict[str, str]:
    """The map with keys as they went over the wire; `__py__:` marks a key that was no text in the recording."""
    return {str(key).removeprefix("__py__:"): value for key, value in (values or {}).items()}


def only_texts(case: dict[str, Any]) -> bool:
    """Whether every mapped value of the input is text; JSON of another type cannot stand in a definition."""
    maps = ("requestParameters", "requestTemplates", "responseParameters", "responseTemplates")
    given = case["input"]
    if case["operation"] in ("put_method", "put_method_response"):
        return True
    return all(isinstance(value, str | None) for name in maps for value in (given.get(name) or {}).values())


def as_route(operation: str, given: dict[str, Any]) -> tuple[Route, tuple[str, ...]]:
    """A route that holds the input, and the part of a finding's path that concerns it."""
    if operation == "put_method":
        route = Route(
            method=given["httpMethod"],
            authorization_type=given.get("authorizationType"),
            authorizer=given.get("authorizerId"),
            declared=given.get("requestParameters") or {},
            integration=Integration(backend=Raw(type="MOCK")),
        )
        return route, ("method", "authorization_type", "authorizer", "authorization_scopes", "declared")
    if operation == "put_method_response":
        response = MethodResponse(status_code=given["statusCode"], response_parameters=given.get("responseParameters") or {})
        return Route(integration=Integration(backend=Raw(type="MOCK")), responses=(response,)), ("responses",)
    if operation == "put_integration_response":
        answer = IntegrationResponse(
            status_code=given["statusCode"],
            selection_pattern=given.get("selectionPattern"),
            content_handling=given.get("contentHandling"),
            response_parameters=texts(given.get("responseParameters")),
            response_templates={k: Template(v or "") for k, v in texts(given.get("responseTemplates")).items()},
        )
        return Route(integration=Integration(backend=Raw(type="MOCK"), integration_responses=(answer,))), ("integration",)
    backend = Raw(type=given["type"], http_method=given.get("integrationHttpMethod"), raw_uri=given.get("uri"))
    integration = Integration(
        backend=backend,
        credentials_role=given.get("credentials") or None,
        request_parameters=texts(given.get("requestParameters")),
        request_templates={k: Template(v or "") for k, v in texts(given.get("requestTemplates")).items()},
        passthrough_behavior=given.get("passthroughBehavior"),
        content_handling=given.get("contentHandling"),
        timeout_ms=given.get("timeoutInMillis"),
        connection_type=given.get("connectionType"),
        vpc_link=given.get("connectionId"),
    )
    return Route(method="ANY", integration=integration), ("integration",)


def errors(case: dict[str, Any]) -> list[Finding]:
    """The errors that concern the call's own input."""
    route, parts = as_route(case["operation"], case["input"])
    found = check(Api(routes=(route,)))
    return [finding for finding in found if finding.severity is Severity.ERROR and finding.path[2] in parts]


def recorded(name: str) -> list[dict[str, Any]]:
    if not ORACLE.is_dir():
        return []
    cases: list[dict[str, Any]] = json.loads((ORACLE / name).read_text())
    return [case for case in cases if case["operation"] in PUTS and only_texts(case)]


def message(case: dict[str, Any]) -> str:
    return json.dumps(case["expected"])


VALIDATIONS = recorded("validation_cases.json")
REFUSED = [
    case
    for case in VALIDATIONS
    if case["expected"]["outcome"] == "error" and not any(words in message(case) for words in NOT_OF_THE_INPUT)
]
TAKEN = [case for case in VALIDATIONS if case["expected"]["outcome"] == "accepted"] + recorded("accepted_inputs.json")


def refused_for_the_reason(case: dict[str, Any]) -> bool:
    wanted = {code for words, code in REASONS.items() if words in message(case)}
    return bool(wanted) and wanted <= {finding.rule for finding in errors(case)}


@pytest.mark.parametrize("case", REFUSED, ids=[case["id"] for case in REFUSED])
def test_what_aws_refused_is_found_for_its_reason(case: dict[str, Any]) -> None:
    assert refused_for_the_reason(case), (case["input"], message(case), errors(case))


@pytest.mark.parametrize("case", TAKEN, ids=[case["id"] for case in TAKEN])
def test_what_aws_took_is_no_error(case: dict[str, Any]) -> None:
    assert errors(case) == []


def test_the_score_is_written() -> None:
    scores = {}
    for category, cases, passed in (
        ("validation_refused", REFUSED, refused_for_the_reason),
        ("validation_accepted", TAKEN, lambda case: not errors(case)),
    ):
        failed = [case["id"] for case in cases if not passed(case)]
        scores[category] = {"passed": len(cases) - len(failed), "total": len(cases), "failed": failed}
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "fidelity.json").write_text(json.dumps(scores, indent=1))

    assert [score["failed"] for score in scores.values()] == [[], []]
