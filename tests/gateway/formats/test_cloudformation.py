"""The CloudFormation export: every option speaks, text means itself, and cfn-lint finds nothing."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from hypothesis import given, settings

from integrations.gateway.definition import (
    Api,
    AwsService,
    DeploymentParameter,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Model,
    Raw,
    Route,
    Template,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.formats.cloudformation import template
from integrations.gateway.formats.export import Format, UnreadableText
from integrations.gateway.grammar import Reference
from integrations.gateway.rules import check
from tests.gateway.definitions import apis
from tests.gateway.normal import methods, read

OK = (IntegrationResponse(status_code="200", response_parameters={"method.response.header.A": "'*'"}),)
VALID = {
    "lambda": Route(path="/orders/{id}", method="ANY", integration=Integration(backend=Lambda(function="${Orders.Arn}"))),
    "stage variable": Route(
        integration=Integration(backend=Lambda(function="orders-${stageVariables.env}", permission_functions=("a", "b")))
    ),
    "http": Route(
        path="/books",
        request_models={"application/json": "Book"},
        validate_request_body=True,
        integration=Integration(backend=Http(url="https://${Host}/", proxy=False), integration_responses=OK, timeout_ms=5_000),
    ),
    "sqs": Route(
        integration=Integration(
            backend=AwsService(service="sqs", path="${AWS::AccountId}/orders"),
            credentials_role="${Role.Arn}",
            integration_responses=OK,
        )
    ),
    "mock": Route(
        method="OPTIONS",
        integration=Integration(
            backend=Mock(), request_templates={"application/json": Template('{"statusCode": 200}')}, integration_responses=OK
        ),
    ),
}


def an_api(*routes: Route) -> Api:
    schema = '{"type": "object", "properties": {"title": {"type": "string"}}}'
    return Api(name="books", routes=routes, models=(Model(name="Book", schema=schema),))


BOTH = [FORMATS["cloudformation"], FORMATS["cloudformation-json"]]


def complaints(text: str) -> list[str]:
    return [str(match) for match in lint(text, config=ManualArgs(regions=["eu-west-1"]))]


@pytest.mark.parametrize("format", BOTH, ids=lambda format: format.name)
@pytest.mark.parametrize("name", VALID)
def test_cfn_lint_finds_nothing(name: str, format: Format) -> None:
    api = an_api(VALID[name])

    assert [finding.rule for finding in check(api) if finding.blocks] == []
    assert complaints(format.dump(api).text) == []


@settings(max_examples=12, deadline=None)
@given(api=apis(routes=2, unique=True, whole=True))
def test_cfn_lint_finds_nothing_in_any_definition(api: Api) -> None:
    assert complaints(FORMATS["cloudformation"].dump(api).text) == []


@settings(max_examples=40, deadline=None)
@given(api=apis(routes=2, whole=True))
def test_yaml_and_json_say_the_same(api: Api) -> None:
    written, other = (format.dump(api).text for format in BOTH)

    assert read(written) == json.loads(other)


def meaning(value: Any) -> str:
    """What CloudFormation makes of a text, with `<Name>` for each reference."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::Join" in value:
        return str(value["Fn::Join"][0]).join(map(meaning, value["Fn::Join"][1]))
    return re.sub(r"\$\{(!?)([^{}]*)\}", lambda m: f"${{{m[2]}}}" if m[1] else f"<{m[2]}>", value["Fn::Sub"])


def the_method(template: Any) -> dict[str, Any]:
    [found] = [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::ApiGateway::Method"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("format", BOTH, ids=lambda format: format.name)
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("'${!x}'", "'${x}'"),
        ("'${Name}${!x}'", "'<Name>${x}'"),
        ("'${Orders.Arn}'", "'<OrdersArn>'"),
        ("'${Name}${stageVariables.a}'", "'<Name>${stageVariables.a}'"),
        ("'${a b}${Name}'", "'${a b}<Name>'"),
        ("'${!AWS::Region} $'", "'${AWS::Region} $'"),
        ("'${ ${Name} ${{x}}'", "'${ <Name> ${{x}}'"),
        ('\'"\\n{{resolve}}*/"""#{on\u2028\'', '\'"\\n{{resolve}}*/"""#{on\u2028\''),
    ],
)
def test_a_text_means_itself(given: str, wanted: str, format: Format) -> None:
    key = "integration.request.header.A"
    api = an_api(Route(integration=Integration(backend=Http(url="https://a.example"), request_parameters={key: given})))

    assert meaning(the_method(read(format.dump(api).text))["Integration"]["RequestParameters"][key]) == wanted


def deployment(api: Api) -> list[str]:
    return [name for name in template(api)["Resources"] if name.startswith("Deployment")]


def test_a_changed_method_is_deployed_anew() -> None:
    def api(timeout_ms: int) -> Api:
        return an_api(Route(integration=Integration(backend=Http(url="https://a.example"), timeout_ms=timeout_ms)))

    assert deployment(api(1_000)) == deployment(api(1_000)) != deployment(api(2_000))


def test_a_route_that_is_added_leaves_the_names_of_the_others() -> None:
    before = template(an_api(VALID["lambda"], VALID["sqs"]))["Resources"]
    after = template(an_api(VALID["http"], VALID["lambda"], VALID["mock"], VALID["sqs"]))["Resources"]

    kept = [name for name in before if not name.startswith("Deployment") and name != "Stage"]
    assert {name: after.get(name) for name in kept} == {name: before[name] for name in kept}


def permissions(**options: Any) -> list[tuple[Any, str]]:
    found = template(an_api(Route(path="/orders/{id}", integration=Integration(backend=Lambda(**options)))))["Resources"]
    start = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/"
    return [
        (each["Properties"]["FunctionName"], each["Properties"]["SourceArn"]["Fn::Sub"].removeprefix(start))
        for each in found.values()
        if each["Type"] == "AWS::Lambda::Permission"
    ]


def named(name: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{name}"}


def test_permissions_are_scoped_as_the_cdk_scopes_them() -> None:
    stage, test = "${Stage}/GET/orders/*", "test-invoke-stage/GET/orders/*"
    listed = ("a", "${B.Arn}")
    function = "f-${stageVariables.env}"

    assert permissions(function="f") == [(named("f"), stage), (named("f"), test)]
    assert permissions(function="f", allow_test_invoke=False) == [(named("f"), stage)]
    assert permissions(function="f", scope_permission_to_method=False, allow_test_invoke=False) == [(named("f"), "*/*/*")]
    assert permissions(function=function) == []
    assert permissions(function=function, permission_functions=listed, allow_test_invoke=False) == [
        (named("a"), stage),
        ({"Ref": "BArn"}, stage),
    ]


def test_a_parameter_says_what_its_value_looks_like() -> None:
    integration = Integration(
        backend=Lambda(function="${Orders}"), timeout_ms=Reference("Patience"), content_handling="${Handling}"
    )
    parameters = (
        DeploymentParameter(name="Orders", kind="function", description="It takes the order."),
        DeploymentParameter(name="Patience", kind="number", default="5000"),
        DeploymentParameter(name="Unused"),
    )
    api = replace(an_api(Route(integration=integration, api_key_required=Reference("Key"))), parameters=parameters)

    assert template(api)["Parameters"] == {
        "Orders": {
            "Type": "String",
            "Description": "It takes the order.",
            "AllowedPattern": "^arn:[^:]+:lambda:[^:]+:[^:]+:function:.+$",
            "ConstraintDescription": "The ARN of a Lambda function.",
        },
        "Patience": {"Type": "Number", "Default": "5000"},
        "Handling": {"Type": "String", "AllowedValues": ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]},
        "Key": {"Type": "String", "AllowedValues": ["true", "false"]},
    }
    assert [finding.path for finding in BOTH[0].dump(api).findings] == [("parameters", 2)]


ANY = Http(url="https://a.example", proxy=False)


def answered(*responses: tuple[str, str | None]) -> Api:
    made = tuple(IntegrationResponse(status_code=status, selection_pattern=pattern) for status, pattern in responses)
    return an_api(Route(integration=Integration(backend=ANY, integration_responses=made)))


@pytest.mark.parametrize(
    ("api", "said"),
    [
        (answered(("200", None), ("200", "5.*")), [(1, "status_code")]),
        (answered(("200", "5.*"), ("400", "5.*")), [(1, "selection_pattern")]),
        (answered(("200", None), ("400", "")), [(1, "selection_pattern")]),
        (answered(("200", None), ("400", "default")), []),
    ],
    ids=["one status", "one pattern", "two defaults", "a pattern called default"],
)
def test_responses_that_api_gateway_does_not_keep_are_written_and_noted(api: Api, said: list[tuple[int, str]]) -> None:
    export = BOTH[0].dump(api)

    assert [finding.path[-2:] for finding in export.findings] == said
    assert len(the_method(read(export.text))["Integration"]["IntegrationResponses"]) == 2
    assert not export.refused


@pytest.mark.parametrize(
    "api",
    [
        an_api(Route(integration=Integration(backend=ANY, request_templates={"a/b": Template("{{resolve:ssm:a}}")}))),
        an_api(Route(integration=Integration(backend=ANY, request_templates={"a/b": Template("\ud800")}))),
        an_api(Route(integration=Integration(backend=AwsService(service="{{resolve", path="a")))),
        replace(an_api(Route(integration=Integration(backend=ANY))), stage_variables={"Ref": "x"}),
        replace(an_api(Route(integration=Integration(backend=ANY))), description="{{resolve:ssm:a}}"),
    ],
    ids=["dynamic reference", "lone surrogate", "assembled dynamic reference", "intrinsic as a key", "description"],
)
def test_what_cloudformation_would_read_as_something_else_is_refused(api: Api) -> None:
    assert [export.refused for export in (format.dump(api) for format in BOTH)] == [True, True]


# --- Back ------------------------------------------------------------------------------------------


def loaded(text: str) -> Api:
    [api] = FORMATS["cloudformation"].load(text).apis  # type: ignore[misc]
    return api


@settings(max_examples=60, deadline=None)
@given(api=apis())
def test_what_it_says_reads_back(api: Api) -> None:
    for format in BOTH:
        text = format.dump(api).text

        assert format.load is not None
        assert format.load(text).apis == (format.sayable(api),) if format.sayable else False
        assert format.load(text).findings == ()
        again = loaded(text)
        if isinstance(api.routes[0].integration.backend, Raw) and isinstance(again.routes[0].integration.backend, Lambda):
            continue  # a function that is recognised is given its permission
        assert format.dump(again).text == text


@settings(max_examples=20, deadline=None)
@given(api=apis(routes=3))
def test_so_does_an_api_of_several_routes(api: Api) -> None:
    text = BOTH[0].dump(api).text

    assert methods(read(BOTH[0].dump(loaded(text)).text)) == methods(read(text))


CANONICAL = [
    Integration(backend=Lambda(function="orders:live", allow_test_invoke=False)),
    Integration(backend=Lambda(function="${Orders}", proxy=False, scope_permission_to_method=False)),
    Integration(backend=Lambda(function="f-${stageVariables.env}", permission_functions=("a", "b"), region="eu-west-1")),
    Integration(
        backend=Http(url="https://${Host}/{id}", proxy=False),
        request_parameters={"integration.request.header.A": "'${!x}${stageVariables.env}'"},
        request_templates={"a/b": Template("${x}"), "c/d": Template("${X}${!y}", substituted=True)},
        timeout_ms=Reference("Patience"),
        integration_responses=OK,
    ),
    Integration(
        backend=AwsService(service="sqs", action="SendMessage", action_parameters={"A b": "${Host}"}),
        credentials_passthrough=True,
    ),
    Integration(backend=AwsService(service="s3", subdomain="b", path="${AWS::AccountId}/{k}"), credentials_role="${Role}"),
    Integration(backend=Mock(), passthrough_behavior="NEVER"),
    Integration(backend=Raw(type="AWS", http_method="POST", raw_uri="${Host}")),
]


@pytest.mark.parametrize("integration", CANONICAL, ids=lambda value: type(value.backend).__name__)
def test_structure_is_recognised(integration: Integration) -> None:
    route = Route(path="/books/{id}", integration=integration, suppressed=("method.request.path.id",), validate_request_body=True)

    assert loaded(BOTH[0].dump(an_api(route)).text).routes == (route,)


FOREIGN = """
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Orders: {Type: AWS::Lambda::Function}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: books}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Orders.Arn}/invocations"
        Credentials: !ImportValue role
        TimeoutInMillis: "5000"
"""


def test_an_intrinsic_becomes_a_reference_that_keeps_it() -> None:
    found = FORMATS["cloudformation"].load(FOREIGN)  # type: ignore[misc]
    [api] = found.apis
    backend = Lambda(function="${Orders.Arn}")

    assert api.routes[0].integration == Integration(backend=backend, credentials_role="${Role}", timeout_ms=5_000)
    assert {parameter.name: parameter.origin.value for parameter in api.parameters if parameter.origin} == {
        "Orders.Arn": {"Fn::GetAtt": ["Orders", "Arn"]},
        "Role": {"Fn::ImportValue": "role"},
    }
    message = (
        "Beside the APIs this holds 1 AWS::Lambda::Function. What an API refers to of them is a parameter of its definition."
    )
    assert [(finding.rule, finding.message) for finding in found.findings] == [("import-kept", message)]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [", 1), ("{", 1), ("[]", None), ("a: &x 1\nResources: *y", 2), ("Resources: 1", None), ("{" * 100_000, None)],
)
def test_broken_syntax_is_refused_with_its_line(text: str, line: int | None) -> None:
    with pytest.raises(UnreadableText) as refused:
        FORMATS["cloudformation"].load(text)  # type: ignore[misc]

    assert line is None or refused.value.line is not None


@pytest.mark.parametrize("name", ["cloudformation", "cdk-python"])
@pytest.mark.parametrize(("routes", "said"), [(60, False), (200, True)])
def test_a_stack_of_too_many_resources_is_said(name: str, routes: int, said: bool) -> None:
    backend = Lambda(function="orders")
    many = tuple(Route(path=f"/a{number}", integration=Integration(backend=backend)) for number in range(routes))
    found = [finding for finding in FORMATS[name].dump(Api(name="books", routes=many)).findings if "resources" in finding.message]

    assert [finding.path for finding in found] == [("routes",)] * said
