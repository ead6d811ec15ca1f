"""What an account holds, read as a definition: what was understood, what was kept as it is, what was left."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.gateway.account import AccountState
from integrations.gateway.definition import AwsService, Http, Lambda, Mock, Raw
from integrations.gateway.observed import Remark, deployed, observed, unpublished

ACCOUNT, REGION = "111122223333", "eu-west-1"
ARN = f"arn:aws:apigateway:{REGION}"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"


def invoking(function: str) -> str:
    return f"{ARN}:lambda:path/2015-03-31/functions/{function}/invocations"


def holding(method: dict[str, Any], path: str = "/books/{id}", verb: str = "GET", **more: Any) -> AccountState:
    resource = {"id": "r1", "path": path, "resourceMethods": {verb: {"httpMethod": verb, "authorizationType": "NONE"} | method}}
    return AccountState(account=ACCOUNT, region=REGION, api={"id": "a1b2", "name": "books"}, resources=(resource,), **more)


def integration(**said: Any) -> dict[str, Any]:
    return {"methodIntegration": said}


@pytest.mark.parametrize(
    ("said", "backend"),
    [
        ({"type": "MOCK"}, Mock()),
        (
            {"type": "HTTP_PROXY", "httpMethod": "ANY", "uri": "https://b.example.com/{proxy}"},
            Http(url="https://b.example.com/{proxy}", http_method="ANY"),
        ),
        ({"type": "AWS_PROXY", "httpMethod": "POST", "uri": invoking(f"{FUNCTION}:orders:live")}, Lambda(function="orders:live")),
        (
            {"type": "AWS", "httpMethod": "POST", "uri": invoking(f"{FUNCTION}:orders-${{stageVariables.env}}")},
            Lambda(function="orders-${stageVariables.env}", proxy=False),
        ),
        (
            {"type": "AWS_PROXY", "httpMethod": "POST", "uri": invoking("arn:aws:lambda:us-east-1:444455556666:function:orders")},
            Lambda(function="arn:aws:lambda:us-east-1:444455556666:function:orders"),
        ),
        (
            {"type": "AWS", "httpMethod": "POST", "uri": f"{ARN}:states:action/StartExecution"},
            AwsService(service="states", action="StartExecution"),
        ),
        (
            {"type": "AWS", "httpMethod": "PUT", "uri": "arn:aws:apigateway:us-east-1:s3:path/books/a"},
            AwsService(service="s3", path="books/a", http_method="PUT", region="us-east-1"),
        ),
        (
            {"type": "HTTP", "httpMethod": "GET", "uri": "https://${Host}/a"},
            Http(url="https://${!Host}/a", proxy=False),
        ),
        (
            {"type": "AWS_PROXY", "httpMethod": "POST", "uri": "arn:aws:firehose:eu-west-1:111122223333:stream"},
            Raw(type="AWS_PROXY", http_method="POST", raw_uri="arn:aws:firehose:eu-west-1:111122223333:stream"),
        ),
    ],
    ids=lambda value: value.kind if hasattr(value, "kind") else "",
)
def test_a_backend_is_known_by_what_it_says(said: dict[str, Any], backend: Any) -> None:
    api, _ = observed(holding(integration(**said)))
    assert api.routes[0].integration.backend == backend


def test_what_is_kept_and_what_is_left_is_said() -> None:
    uri = "arn:aws:firehose:eu-west-1:111122223333:stream"
    method = {"methodIntegration": {"type": "AWS_PROXY", "httpMethod": "POST", "uri": uri, "newThing": 1}, "another": {"a": 1}}
    bare = {"id": "r2", "path": "/bare", "resourceMethods": {"PUT": {"httpMethod": "PUT"}}}
    state = holding(method)
    api, remarks = observed(replace(state, resources=(*state.resources, bare)))
    assert [f"{route.method} {route.path}" for route in api.routes] == ["GET /books/{id}"]
    assert remarks == (
        Remark(route="PUT /bare", kind="left", message="The method has no integration yet: there is nothing to read."),
        Remark(route="GET /books/{id}", kind="raw", message=f"Type and URI are kept as they are: AWS_PROXY {uri}."),
        Remark(route="GET /books/{id}", kind="left", message='another of the method is not known here: {"a": 1}.'),
        Remark(route="GET /books/{id}", kind="left", message="newThing of the integration is not known here: 1."),
    )


def test_methods_are_picked_by_name() -> None:
    state = holding(integration(type="MOCK"))
    state = replace(state, resources=(*state.resources, {**state.resources[0], "id": "r2", "path": "/a"}))
    api, remarks = observed(state, only=["GET /a"])
    assert ([route.path for route in api.routes], remarks) == (["/a"], ())


def test_the_checks_of_a_validator_and_the_name_of_an_authorizer_stand_in_the_route() -> None:
    state = holding(
        {"requestValidatorId": "v1", "authorizationType": "CUSTOM", "authorizerId": "z1"} | integration(type="MOCK"),
        validators=({"id": "v1", "name": "any", "validateRequestBody": True, "validateRequestParameters": False},),
        authorizers=(
            {
                "id": "z1",
                "name": "readers",
                "type": "TOKEN",
                "authorizerUri": invoking(f"{FUNCTION}:readers"),
                "identitySource": "method.request.header.Authorization",
                "authorizerResultTtlInSeconds": 60,
            },
        ),
    )
    api, _ = observed(state)
    route, authorizer = api.routes[0], api.authorizers[0]
    assert (route.validate_request_body, route.validate_request_parameters, route.authorizer) == (True, False, "readers")
    assert (authorizer.function, authorizer.identity_sources, authorizer.result_ttl_seconds) == (
        "readers",
        ("method.request.header.Authorization",),
        60,
    )


def permission(tail: str) -> dict[str, Any]:
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2/{tail}"
    return {"Sid": tail, "Effect": "Allow", "Condition": {"ArnLike": {"AWS:SourceArn": source}}}


@pytest.mark.parametrize(
    ("tails", "allow_test_invoke", "scoped"),
    [
        (["prod/GET/books/*", "test-invoke-stage/GET/books/*"], None, None),
        (["prod/GET/books/*"], False, None),
        (["*/*/*"], None, False),
        ([], None, None),
    ],
)
def test_how_a_function_is_permitted_is_read_from_its_policy(tails: list[str], allow_test_invoke: Any, scoped: Any) -> None:
    state = holding(integration(type="AWS_PROXY", httpMethod="POST", uri=invoking(f"{FUNCTION}:orders")))
    state = replace(state, policies={f"{FUNCTION}:orders": tuple(map(permission, tails))})
    backend = observed(state, stage_name="prod")[0].routes[0].integration.backend
    assert isinstance(backend, Lambda)
    assert (backend.allow_test_invoke, backend.scope_permission_to_method) == (allow_test_invoke, scoped)


def test_a_policy_is_read_as_it_was_given() -> None:
    kept = f'{{\\"Resource\\": \\"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2/*\\"}}'
    state = replace(holding(integration(type="MOCK")), api={"id": "a1b2", "name": "books", "policy": kept})
    assert observed(state)[0].policy == '{"Resource": "execute-api:/*"}'


# --- What a stage serves ---------------------------------------------------------------------------


def exported(**paths: Any) -> dict[str, Any]:
    return {"openapi": "3.0.1", "info": {"title": "books", "version": "1"}, "paths": paths}


def test_an_export_is_what_a_stage_serves() -> None:
    mock = {"type": "mock", "passthroughBehavior": "when_no_match"}
    operation = {"responses": {}, "x-amazon-apigateway-integration": mock}
    state = replace(holding(integration(type="MOCK")), exports={"prod": exported(**{"/served": {"get": operation}})})
    api = deployed(state, "prod")
    assert api is not None
    assert [f"{route.method} {route.path}" for route in api.routes] == ["GET /served"]
    assert deployed(state, "test") is None


def test_what_is_configured_and_not_served_is_found_by_the_export() -> None:
    held = {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "https://b.example.com", "passthroughBehavior": "WHEN_NO_MATCH"}
    served = {"type": "http_proxy", "httpMethod": "GET", "uri": "https://b.example.com", "passthroughBehavior": "when_no_match"}
    state = holding({"methodIntegration": held})

    def stage(said: dict[str, Any], path: str = "/books/{id}") -> tuple[str, ...]:
        body = exported(**{path: {"get": {"x-amazon-apigateway-integration": said}}})
        return unpublished(replace(state, exports={"prod": body}), "prod")

    assert stage(served) == ()
    assert stage(served | {"uri": "https://old.example.com"}) == ("GET /books/{id}",)
    assert stage(served, "/gone") == ("GET /books/{id}", "GET /gone")
