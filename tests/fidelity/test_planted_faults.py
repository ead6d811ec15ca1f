"""The planted faults of the fact sheet's experiment (APIGATEWAY.md 6), one change each to a clean API; cfn-lint finds 6 of 50.

The sheet names 48 of its 50. What no definition can hold is listed below, with the reason.
"""

import dataclasses
from typing import Any

import pytest

from integrations.gateway.definition import (
    Api,
    AwsService,
    DefinitionError,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Mock,
    Raw,
    Route,
    Template,
    from_json,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.rules import check
from tests.fidelity.scores import write_score

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:orders"
S3 = "arn:aws:apigateway:us-east-1:s3:path/books/{key}"
INVOKE = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
ROLE = "arn:aws:iam::111122223333:role/apigateway-calls"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/books/50dc6c495c0c9188"
ORIGIN = "method.response.header.Access-Control-Allow-Origin"
BOOKS = Http(url="https://books.example.com/v1/{id}", http_method="POST", proxy=False)
HTTP = Integration(
    backend=BOOKS,
    request_parameters={
        "integration.request.path.id": "method.request.path.id",
        "integration.request.header.X-Client": "'gatehouse'",
        "integration.request.querystring.page": "method.request.querystring.page",
    },
    request_templates={"application/json": Template('{"id": "$util.escapeJavaScript($input.params(\'id\'))"}')},
    passthrough_behavior="WHEN_NO_TEMPLATES",
    content_handling="CONVERT_TO_TEXT",
    timeout_ms=10_000,
    integration_responses=(
        IntegrationResponse(status_code="200", response_parameters={ORIGIN: "'*'"}),
        IntegrationResponse(status_code="404", selection_pattern="404"),
    ),
)
LAMBDA = Integration(backend=Lambda(function=FUNCTION))
MOCK = Integration(
    backend=Mock(),
    request_templates={"application/json": Template('{"statusCode": 200}')},
    integration_responses=(IntegrationResponse(status_code="200"),),
)
S3_GET = Integration(
    backend=AwsService(service="s3", path="books/{key}", http_method="GET", region="us-east-1", partition="aws"),
    credentials_role=ROLE,
    request_parameters={"integration.request.path.key": "method.request.path.key"},
    integration_responses=(IntegrationResponse(status_code="200"),),
)
ROUTES = {
    "http": Route(path="/books/{id}", method="POST", integration=HTTP),
    "lambda": Route(path="/orders", method="POST", integration=LAMBDA),
    "mock": Route(path="/orders", method="OPTIONS", integration=MOCK),
    "s3": Route(path="/files/{key}", method="GET", integration=S3_GET),
}
CLEAN = Api(name="shop", routes=tuple(ROUTES.values()))


def changed(name: str, route: dict[str, Any] | None = None, **integration: Any) -> Api:
    """The clean API with one route changed."""
    before = ROUTES[name]
    after = dataclasses.replace(before, integration=dataclasses.replace(before.integration, **integration), **(route or {}))
    return Api(name="shop", routes=tuple(after if one is before else one for one in ROUTES.values()))


def answers(*responses: IntegrationResponse) -> Api:
    return changed("http", integration_responses=responses)


def beside(path: str) -> Api:
    """The clean API with one route more."""
    return dataclasses.replace(CLEAN, routes=(*CLEAN.routes, Route(path=path, method="POST", integration=LAMBDA)))


DEFAULT, MISSING = HTTP.integration_responses
FAULTS: dict[str, tuple[str, Api]] = {
    "missing Type": ("T1", changed("lambda", backend=Raw(http_method="POST", raw_uri=INVOKE))),
    "wrong enum case of Type": ("T1", changed("lambda", backend=Raw(type="aws_proxy", http_method="POST", raw_uri=INVOKE))),
    "PassthroughBehavior lower case": ("M6-value", changed("http", passthrough_behavior="never")),
    "bad ContentHandling": ("M7-value", changed("http", content_handling="CONVERT_TO_BYTES")),
    "timeout under 50": ("X1", changed("http", timeout_ms=49)),
    "missing IntegrationHttpMethod": ("T2", changed("lambda", backend=Lambda(function=FUNCTION, http_method=None))),
    "Lambda with GET": ("T3", changed("lambda", backend=Lambda(function=FUNCTION, http_method="GET"))),
    "bare Lambda ARN as Uri": ("U3", changed("lambda", backend=Raw(type="AWS_PROXY", http_method="POST", raw_uri=FUNCTION))),
    "AWS_PROXY to S3": ("U4", changed("s3", backend=Raw(type="AWS_PROXY", http_method="GET", raw_uri=S3))),
    "non-URL Uri": ("U1", changed("http", backend=dataclasses.replace(BOOKS, url="books.example.com/v1/{id}"))),
    "undeclared method parameter": ("P2", changed("http", {"suppressed": ("method.request.querystring.page",)})),
    "unquoted static": (
        "P3",
        changed("http", request_parameters={**HTTP.request_parameters, "integration.request.header.X-Client": "gatehouse"}),
    ),
    "undeclared cache key": (
        "C1",
        changed(
            "http",
            {"suppressed": ("method.request.header.Accept",), "method": "ANY"},
            cache_key_parameters=("method.request.header.Accept",),
        ),
    ),
    "undeclared response header": ("I6", changed("http", {"suppressed": (f"200 {ORIGIN}",)})),
    "integration response without method response": ("I5", changed("http", {"suppressed": ("404",)})),
    "no default response": ("I2", answers(MISSING)),
    "two default responses": ("I3", answers(DEFAULT, IntegrationResponse(status_code="201"))),
    "bad regex": ("I8", answers(DEFAULT, dataclasses.replace(MISSING, selection_pattern="(4[0-9]{2}"))),
    "timeout 60000": ("X1-quota", changed("http", timeout_ms=60_000)),
    "VPC_LINK without id": ("V1", changed("http", connection_type="VPC_LINK")),
    "VPC_LINK on AWS": ("V2", changed("s3", connection_type="VPC_LINK", vpc_link="abc123")),
    "STREAM on HTTP": ("S1", changed("http", response_transfer_mode="STREAM")),
    "STREAM with wrong URI": (
        "S2",
        changed(
            "lambda",
            backend=Raw(type="AWS_PROXY", http_method="POST", raw_uri=INVOKE),
            response_transfer_mode="STREAM",
            timeout_ms=60_000,
        ),
    ),
    "Credentials not an ARN": ("K1", changed("s3", credentials_role="apigateway-calls")),
    "MOCK without statusCode": ("M8", changed("mock", request_templates={})),
    "MOCK with string statusCode": (
        "M8-status",
        changed("mock", request_templates={"application/json": Template('{"statusCode": "200"}')}),
    ),
    "unmapped {id}": (
        "U7",
        changed("http", request_parameters={k: v for k, v in HTTP.request_parameters.items() if ".path." not in k}),
    ),
    "status 99": ("I1", changed("http", {"responses": (MethodResponse(status_code="99"),)})),
    "lower-case verb": ("T4", changed("lambda", {"method": "post"})),
    "no Lambda permission": ("K5", changed("lambda", backend=Lambda(function="orders-${stageVariables.env}"))),
    "templates on proxy": ("M5", changed("lambda", request_templates={"application/json": Template("{}")})),
    "bad media type": ("M1", changed("http", request_templates={"json": Template("{}")})),
    "VTL syntax": ("M3", changed("http", request_templates={"application/json": Template('#if($input.body)\n{"a": 1}')})),
    "bad path part": ("Z1", changed("lambda", {"path": "/orders{id}"})),
    "sibling variables": ("Z2-sibling", beside("/books/{isbn}/pages")),
    "child of greedy": ("Z2", beside("/rest/{proxy+}/more")),
    "duplicate names": ("P6", changed("http", {"declared": {"method.request.header.page": False}})),
    "bracketed names": ("P1", changed("http", {"declared": {"method.request.querystring.filter[name]": False}})),
    "310 KB template": ("M2", changed("http", request_templates={"application/json": Template("x" * 310 * 1024)})),
    "CUSTOM without authorizer": ("T5", changed("lambda", {"authorization_type": "CUSTOM"})),
    "partition mismatch": (
        "U6",
        changed("s3", backend=AwsService(service="s3", path="books/{key}", region="cn-north-1", partition="aws")),
    ),
    "Content-Length mapping": (
        "P8",
        changed("http", request_parameters={**HTTP.request_parameters, "integration.request.header.Content-Length": "'0'"}),
    ),
    "duplicate status": ("I4", answers(DEFAULT, dataclasses.replace(MISSING, status_code="200"))),
    "IntegrationTarget without VPC_LINK": ("V4-link", changed("http", integration_target=BALANCER)),
}
OF_NO_DEFINITION = {
    "TlsConfig in Method": "a definition holds the option; that CloudFormation cannot say it is a finding of that export",
    "numeric StatusCode": "a status is a text; the reader of definitions says so, with the path",
    "Deployment without DependsOn": "the exporter writes it always",
    "logging without Account": "a definition holds no access logging",
}


def is_found(code: str, api: Api) -> bool:
    return code in {finding.rule for finding in check(api)}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    code, api = FAULTS[name]

    assert is_found(code, api)


def test_the_clean_one_is_silent() -> None:
    assert check(CLEAN) == []


def test_what_no_definition_holds_is_said_elsewhere() -> None:
    export = FORMATS["cloudformation-json"].dump(changed("http", insecure_skip_verification=True))

    assert "insecure_skip_verification" in {finding.path[-1] for finding in export.findings}
    with pytest.raises(DefinitionError, match="status_code: A text is wanted here"):
        from_json({"status_code": 200}, IntegrationResponse)


def test_the_score_is_written() -> None:
    missed = [name for name, (code, api) in FAULTS.items() if not is_found(code, api)]
    write_score("planted_faults", len(FAULTS), missed)

    assert missed == []
    assert len(FAULTS) + len(OF_NO_DEFINITION) == 48
