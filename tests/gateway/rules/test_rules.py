"""Each rule finds its own fault, and is silent on the mended definition."""

import dataclasses
from typing import Any

import pytest

from integrations.gateway.definition import (
    Api,
    AwsService,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Raw,
    Route,
    Template,
)
from integrations.gateway.findings import EVIDENCE, Severity
from integrations.gateway.options import GUIDE
from integrations.gateway.rules import RULES, check

HTTP = Http(url="https://books.example.com/", proxy=False)
SQS = AwsService(service="sqs", path="111122223333/orders")
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:f"
INVOKE = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
OK = IntegrationResponse(status_code="200")
ROLE = "arn:aws:iam::111122223333:role/r"


def integration(backend: Any = HTTP, **options: Any) -> Route:
    return Route(integration=Integration(backend=backend, **options))


def route(**options: Any) -> Route:
    return Route(integration=Integration(backend=Http(url="https://books.example.com/")), **options)


def mapped(value: str, key: str = "integration.request.header.X", backend: Any = HTTP, **options: Any) -> Route:
    return dataclasses.replace(integration(backend, request_parameters={key: value}), **options)


def answered(key: str, value: str, *suppressed: str) -> Route:
    responses = (IntegrationResponse(status_code="200", response_parameters={key: value}),)
    return dataclasses.replace(integration(integration_responses=responses), suppressed=suppressed)


def answers(*responses: IntegrationResponse, suppressed: tuple[str, ...] = ()) -> Route:
    return dataclasses.replace(integration(integration_responses=responses), suppressed=suppressed)


CASES: list[tuple[str, Route, Route]] = [
    ("T1", integration(Raw(type="HTTPS_PROXY")), integration(Raw(type="MOCK"))),
    ("T2", integration(Http(url="https://a", http_method=None)), integration(Raw(type="MOCK"))),
    ("T3", integration(Lambda(function="f", http_method="GET")), integration(Lambda(function="f"))),
    ("T4", route(method="get"), route(method="GET")),
    ("T5", route(authorization_type="custom"), route(authorization_type="CUSTOM", authorizer="abc")),
    ("T6", route(authorization_scopes=("a",)), route(authorization_scopes=("a",), authorization_type="COGNITO_USER_POOLS")),
    ("U1", integration(Http(url="books.example.com")), integration(Http(url="${Host}/books"))),
    ("U2", integration(Raw(type="AWS", raw_uri="https://a")), integration(Raw(type="AWS", raw_uri="${Uri}"))),
    (
        "U3",
        integration(Raw(type="AWS", raw_uri=FUNCTION)),
        integration(Raw(type="AWS", raw_uri=INVOKE)),
    ),
    (
        "U4",
        integration(Raw(type="AWS_PROXY", raw_uri="arn:aws:apigateway:eu-west-1:s3:path/b")),
        integration(Raw(type="AWS_PROXY", raw_uri=INVOKE)),
    ),
    (
        "U7",
        integration(Http(url="https://a/{id}")),
        mapped("'1'", "integration.request.path.id", Http(url="https://a/{id}")),
    ),
    (
        "U8",
        mapped("'1'", "integration.request.path.id"),
        mapped("'1'", "integration.request.path.id", Http(url="https://a/{id}")),
    ),
    ("P1", route(declared={"method.request.querystring.filter[a]": False}), route(declared={"method.request.header.a:b": False})),
    (
        "P2",
        mapped("method.request.header.A", suppressed=("method.request.header.A",)),
        mapped("method.request.header.A"),
    ),
    ("P3", mapped("application/json"), mapped("'application/json'")),
    ("P5", route(declared={"request.header.A": False}), route(declared={"method.request.header.A": False})),
    (
        "P6",
        route(declared={"method.request.header.a": False, "method.request.querystring.a": False}),
        route(declared={"method.request.header.a": False, "method.request.querystring.A": False}),
    ),
    ("P8", mapped("'0'", "integration.request.header.Content-Length"), mapped("'0'", "integration.request.header.Expect")),
    (
        "C1",
        dataclasses.replace(
            integration(cache_key_parameters=("method.request.querystring.q",)), suppressed=("method.request.querystring.q",)
        ),
        integration(cache_key_parameters=("method.request.querystring.q",)),
    ),
    ("M1", integration(request_templates={"123": Template("")}), integration(request_templates={"a/b": Template("")})),
    (
        "M1-form",
        integration(request_templates={"application/json; charset=utf-8": Template("")}),
        integration(request_templates={"application/json": Template("")}),
    ),
    ("M5", integration(Lambda(function="f"), passthrough_behavior="NEVER"), integration(passthrough_behavior="NEVER")),
    ("M8", integration(Mock()), integration(Mock(), request_templates={"application/json": Template('{"statusCode": 200}')})),
    ("I1", answers(IntegrationResponse(status_code="99")), answers(IntegrationResponse(status_code="599"))),
    ("I2", answers(IntegrationResponse(selection_pattern="5.*")), answers(OK)),
    ("I3", answers(OK, IntegrationResponse(status_code="400")), answers(OK)),
    ("I4", answers(OK, IntegrationResponse(selection_pattern="4.*")), answers(OK)),
    ("I5", answers(OK, suppressed=("200",)), answers(OK)),
    (
        "I6",
        answered("method.response.header.A", "'1'", "200 method.response.header.A"),
        answered("method.response.header.A", "'1'"),
    ),
    ("I7", answered("method.response.header.A", "*"), answered("method.response.header.A", "'*'")),
    ("X1", integration(timeout_ms=49), integration(timeout_ms=50)),
    ("X1-quota", integration(timeout_ms=29_001), integration(timeout_ms=29_000)),
    (
        "X2",
        integration(Lambda(function="f"), response_transfer_mode="STREAM", timeout_ms=900_001),
        integration(Lambda(function="f"), response_transfer_mode="STREAM", timeout_ms=900_000),
    ),
    ("S1", integration(response_transfer_mode="STREAM"), integration(Lambda(function="f"), response_transfer_mode="STREAM")),
    (
        "S2",
        integration(Raw(type="AWS_PROXY", raw_uri=INVOKE), response_transfer_mode="STREAM"),
        integration(Lambda(function="f"), response_transfer_mode="STREAM"),
    ),
    ("V1", integration(connection_type="VPC_LINK"), integration(connection_type="VPC_LINK", vpc_link="${stageVariables.link}")),
    ("V2", integration(SQS, connection_type="VPC_LINK", vpc_link="a"), integration(connection_type="VPC_LINK", vpc_link="a")),
    ("K1", integration(SQS, credentials_role="my-role"), integration(SQS, credentials_role="${Role.Arn}")),
    ("K4", integration(SQS), integration(SQS, credentials_role=ROLE)),
    (
        "K7",
        integration(SQS, credentials_passthrough=True),
        dataclasses.replace(integration(SQS, credentials_passthrough=True), authorization_type="AWS_IAM"),
    ),
    ("L1", integration(SQS, insecure_skip_verification=True), integration(insecure_skip_verification=True)),
    ("Z1", route(path="/a{b}"), route(path="/{b}/a.b-c:d")),
    ("Z2", route(path="/{proxy+}/a"), route(path="/a/{proxy+}")),
]


@pytest.mark.parametrize(("code", "faulty", "mended"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_finds_its_fault_and_is_silent_when_it_is_mended(code: str, faulty: Route, mended: Route) -> None:
    assert code in {finding.rule for finding in check(Api(routes=(faulty,)))}
    assert code not in {finding.rule for finding in check(Api(routes=(mended,)))}


def test_every_rule_has_a_case() -> None:
    assert [case[0] for case in CASES] == sorted({case[0] for case in CASES}, key=[case[0] for case in CASES].index)
    assert {case[0] for case in CASES} == set(RULES)


@pytest.mark.parametrize("code", RULES)
def test_a_rule_says_how_it_is_known(code: str) -> None:
    declared = RULES[code]

    assert declared.title.endswith(".")
    assert declared.docs.startswith("https://docs.aws.amazon.com/")
    assert {tag for tag in declared.evidence.split() if tag not in EVIDENCE} == set()
    if declared.severity is Severity.ERROR:
        assert any(EVIDENCE[tag].recorded for tag in declared.evidence.split())


def test_a_finding_points_into_the_definition() -> None:
    [finding] = check(Api(routes=(integration(timeout_ms=1, integration_responses=(OK,)),)))

    assert finding.path == ("routes", 0, "integration", "timeout_ms")
    assert finding.message == "Use 50 ms or more."
    assert finding.blocks
    assert finding.docs.startswith(GUIDE)
