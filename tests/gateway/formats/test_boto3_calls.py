"""The boto3 script: it runs, each call passes botocore's validator, in an order that API Gateway takes, as black leaves it."""

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import black
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.gateway.calls import Call, Given, Joined, Ref, calls_of, joined
from integrations.gateway.definition import (
    Api,
    AwsService,
    DeploymentParameter,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Route,
    effective,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.formats.export import LOST
from integrations.gateway.grammar import Reference
from tests.gateway.captured import captured
from tests.gateway.definitions import apis

MANY = settings(
    max_examples=int(os.environ.get("GATEHOUSE_CASES", "100")), deadline=None, suppress_health_check=list(HealthCheck)
)


def an_api(integration: Integration | None = None, **options: Any) -> Api:
    route = Route(integration=integration or Integration(backend=Http(url="https://a.example")), **options)
    return Api(name="books", routes=(route,))


def script(api: Api) -> str:
    return FORMATS["boto3"].dump(api).text


def arguments(source: str) -> dict[str, Any]:
    """A value for each parameter of the script's deploy()."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "<exported>", "exec"), namespace)
    types = namespace["deploy"].__annotations__
    return {name: 5_000 if kind is int else f"<{name}>" for name, kind in types.items() if name not in ("session", "return")}


@MANY
@given(st.integers(1, 3).flatmap(lambda routes: apis(routes=routes, whole=True)))
def test_every_call_passes_the_validator_and_knows_what_it_refers_to(api: Api) -> None:
    source = script(api)
    names = [operation for operation, _ in captured(source, arguments(source))]

    if len(effective(api).routes) == 1:
        assert names == sorted(names, key=ORDER.index)
    assert names.count("put_integration") == len(effective(api).routes)
    assert [name for name in names if name in ("create_deployment", "create_stage")] == ["create_deployment", "create_stage"]


ORDER = [
    "create_rest_api",
    "create_resource",
    "create_model",
    "create_authorizer",
    "create_request_validator",
    "put_method",
    "put_method_response",
    "put_integration",
    "put_integration_response",
    "put_gateway_response",
    "add_permission",
    "create_deployment",
    "create_stage",
    "update_stage",
]


@MANY
@given(apis(routes=2, whole=True))
def test_black_leaves_it_alone(api: Api) -> None:
    assert black.format_str(script(api), mode=black.Mode()) == script(api)


def test_it_has_a_command_line(tmp_path: Any) -> None:
    parameters = (
        DeploymentParameter(name="Orders.Arn", kind="function", description="100 % of the orders, %(prog)s"),
        DeploymentParameter(name="Patience", kind="number", default="5000"),
    )
    integration = Integration(backend=Lambda(function="${Orders.Arn}"), timeout_ms=Reference("Patience"))
    path = tmp_path / "books.py"
    path.write_text(script(replace(an_api(integration), parameters=parameters)))

    done = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, timeout=60, check=True)

    assert "--orders-arn ORDERS_ARN" in done.stdout
    assert "100 % of the orders, %(prog)s" in " ".join(done.stdout.split())
    assert subprocess.run([sys.executable, path], capture_output=True, timeout=60, check=False).returncode == 2


@pytest.mark.parametrize(
    "name", ["class", "help", "session", "api", "Api.Id", "boto3", "argparse", "main", "self", "None", "print"]
)
def test_a_parameter_may_have_any_name(name: str) -> None:
    api = an_api(
        Integration(backend=Http(url=f"https://${{{name}}}/")), path=f"/{name}/{{{name}}}", validate_request_parameters=True
    )
    source = script(api)
    [argument] = arguments(source)
    [uri] = [
        call["uri"] for operation, call in captured(source, {argument: "books.example.com"}) if operation == "put_integration"
    ]

    assert uri == "https://books.example.com/"


@pytest.mark.parametrize(
    ("backend", "tails"),
    [
        (Lambda(function="f"), ["GET/a/*", "test-invoke-stage/GET/a/*"]),
        (Lambda(function="f", allow_test_invoke=False), ["GET/a/*"]),
        (Lambda(function="f", scope_permission_to_method=False), ["*/*/*"]),
        (Lambda(function="f-${stageVariables.x}", permission_functions=("a", "b"), allow_test_invoke=False), ["GET/a/*"] * 2),
        (Lambda(function="f-${stageVariables.x}"), []),
        (AwsService(service="sqs", path="a/b"), []),
    ],
    ids=["function", "no test", "not scoped", "stage variable", "nobody listed", "no function"],
)
def test_a_function_is_permitted_as_the_cdk_permits_it(backend: Any, tails: list[str]) -> None:
    calls = captured(script(an_api(Integration(backend=backend), path="/a/{b}")))
    arns = [parameters["SourceArn"] for operation, parameters in calls if operation == "add_permission"]
    head = f"arn:aws:execute-api:us-east-2:123456789012:{calls[1][1]['restApiId']}/"

    assert [arn.removeprefix(head).removeprefix("prod/") for arn in arns] == tails


def test_a_second_response_of_a_status_is_said_and_not_put() -> None:
    answers = (IntegrationResponse(selection_pattern="a"), IntegrationResponse(selection_pattern="default"))
    api = an_api(Integration(backend=Mock(), integration_responses=answers))
    [finding] = FORMATS["boto3"].dump(api).findings

    assert (finding.rule, finding.path[-2:]) == (LOST, (1, "status_code"))
    assert [call["selectionPattern"] for name, call in captured(script(api)) if name == "put_integration_response"] == ["a"]


def test_calls_are_data() -> None:
    call = calls_of(an_api(Integration(backend=Http(url="https://${Host}/")), path="/a"))[3]

    assert call == Call(
        service="apigateway",
        operation="put_integration",
        parameters={
            "restApiId": Ref("api", "id"),
            "resourceId": Ref("/a", "id"),
            "httpMethod": "GET",
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "GET",
            "uri": Joined(("https://", Given("Host"), "/")),
        },
    )
    assert joined("", "a", "b") == "ab"
