"""The CloudFormation export: every option speaks, text means itself, and cfn-lint finds nothing."""

import json
import re
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from integrations.gateway.definition import (
    Api,
    AwsService,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Model,
    Route,
    Template,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.formats.cloudformation import UNSUPPORTED, dump
from integrations.gateway.options import options_of
from integrations.gateway.rules import check

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
    return Api(name="books", routes=routes, models=(Model(name="Book", schema='{"type": "object"}'),))


@pytest.mark.parametrize("name", VALID)
def test_cfn_lint_finds_nothing(name: str) -> None:
    api = an_api(VALID[name])

    assert [finding.rule for finding in check(api) if finding.blocks] == []
    assert [str(match) for match in lint(dump(api).text, config=ManualArgs(regions=["eu-west-1"]))] == []


@pytest.mark.parametrize("name", options_of(Integration))
def test_no_option_is_dropped_in_silence(name: str) -> None:
    before = dump(an_api(Route(integration=Integration(backend=Http(url="https://a.example")))))
    changed = Integration(backend=Http(url="https://a.example"), **{name: options_of(Integration)[name].example})
    after = dump(an_api(Route(integration=changed)))

    if name in UNSUPPORTED:
        assert [finding.path[-1] for finding in after.findings] == [name]
    else:
        assert after.text != before.text
        assert after.findings == ()


def test_the_api_names_its_binary_media_types() -> None:
    api = Api(name="books", binary_media_types=("image/png",), routes=(VALID["mock"],))

    assert json.loads(dump(api).text)["Resources"]["Api"]["Properties"] == {"Name": "books", "BinaryMediaTypes": ["image/png"]}


def meaning(value: Any) -> str:
    """What CloudFormation makes of a text, with `<Name>` for each reference."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    return re.sub(r"\$\{(!?)([^{}]*)\}", lambda m: f"${{{m[2]}}}" if m[1] else f"<{m[2]}>", value["Fn::Sub"])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("'${!x}'", "'${x}'"),
        ("'${Name}${!x}'", "'<Name>${x}'"),
        ("'${Orders.Arn}'", "'<OrdersArn>'"),
        ("'${Name}${stageVariables.a}'", "'<Name>${stageVariables.a}'"),
        ("'${a b}${Name}'", "'${a b}<Name>'"),
        ('\'"\\n{{resolve}}*/"""#{on\u2028\'', '\'"\\n{{resolve}}*/"""#{on\u2028\''),
    ],
)
def test_a_text_means_itself(given: str, wanted: str) -> None:
    key = "integration.request.header.A"
    api = an_api(Route(integration=Integration(backend=Http(url="https://a.example"), request_parameters={key: given})))
    [written] = [
        resource["Properties"]["Integration"]["RequestParameters"][key]
        for resource in json.loads(dump(api).text)["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::Method"
    ]

    assert meaning(written) == wanted


def test_a_changed_method_is_deployed_anew() -> None:
    def deployment(timeout_ms: int) -> list[str]:
        api = an_api(Route(integration=Integration(backend=Http(url="https://a.example"), timeout_ms=timeout_ms)))
        return [name for name in json.loads(dump(api).text)["Resources"] if name.startswith("Deployment")]

    assert deployment(1_000) == deployment(1_000) != deployment(2_000)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_definition_gives_the_same_bytes(name: str) -> None:
    assert FORMATS[name].dump(an_api(*VALID.values())) == FORMATS[name].dump(an_api(*VALID.values()))
