"""The OpenAPI export: valid, cased as AWS exports it, read back to what it can say, silent about nothing."""

import dataclasses
import json
import os
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV30SpecValidator

from integrations.gateway.definition import (
    Api,
    Http,
    Integration,
    IntegrationResponse,
    Mock,
    Model,
    Route,
)
from integrations.gateway.formats import FORMATS, UnreadableText
from integrations.gateway.formats.export import LOST
from integrations.gateway.formats.openapi import load, sayable
from tests.gateway.definitions import apis

CASES = int(os.environ.get("GATEHOUSE_CASES", "100"))
MANY = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))


def exported(api: Api) -> Any:
    return json.loads(FORMATS["openapi-json"].dump(api).text)


def an_api(integration: Integration | None = None, **options: Any) -> Api:
    route = Route(integration=integration or Integration(backend=Http(url="https://a.example")), **options)
    return Api(name="books", routes=(route,))


def validatable(document: Any) -> Any:
    """A copy with what API Gateway allows itself beyond OpenAPI put right: `{proxy+}`, methods without a response, one
    operationId twice, and ANY, which stands as a method of its own."""
    found = json.loads(json.dumps(document))
    for path, item in list(found["paths"].items()):
        if "x-amazon-apigateway-any-method" in item:
            verb = next(verb for verb in ("trace", "head", "patch") if verb not in item)
            item[verb] = item["x-amazon-apigateway-any-method"]
        for verb, operation in item.items():
            if verb.startswith("x-"):
                continue
            operation["responses"] = operation["responses"] or {"default": {"description": "any"}}
            if "operationId" in operation:
                operation["operationId"] += f" {verb} {path}"
        found["paths"][path.replace("+}", "}")] = found["paths"].pop(path)
    return found


@MANY
@given(apis(routes=3, whole=True))
def test_openapi_spec_validator_finds_nothing(api: Api) -> None:
    assert [error.message for error in OpenAPIV30SpecValidator(validatable(exported(api))).iter_errors()] == []


@pytest.mark.parametrize("name", ["openapi", "openapi-json"])
@MANY
@given(api=apis(routes=2))
def test_it_reads_back_to_what_it_can_say(name: str, api: Api) -> None:
    loaded = load(FORMATS[name].dump(api).text)

    assert loaded.findings == ()
    assert loaded.apis == (sayable(api),)


@MANY
@given(apis(routes=2, whole=True))
def test_yaml_and_json_are_one_document(api: Api) -> None:
    assert yaml.safe_load(FORMATS["openapi"].dump(api).text) == exported(api)


@pytest.mark.parametrize(
    ("integration", "path", "rule"),
    [
        (
            Integration(
                backend=Mock(),
                integration_responses=(
                    IntegrationResponse(status_code="200", selection_pattern="a"),
                    IntegrationResponse(status_code="400", selection_pattern="a"),
                ),
            ),
            (1, "selection_pattern"),
            LOST,
        ),
        (
            Integration(
                backend=Mock(),
                integration_responses=(IntegrationResponse(status_code="200"), IntegrationResponse(status_code="400")),
            ),
            (1, "selection_pattern"),
            LOST,
        ),
        (
            Integration(
                backend=Mock(),
                integration_responses=(
                    IntegrationResponse(status_code="200", selection_pattern="a"),
                    IntegrationResponse(status_code="200", selection_pattern="b"),
                ),
            ),
            (1, "status_code"),
            "export-note",
        ),
        (
            Integration(backend=Mock(), integration_responses=(IntegrationResponse(selection_pattern="default"),)),
            (0, "selection_pattern"),
            "export-note",
        ),
    ],
    ids=["equal patterns", "two defaults", "one status", "a pattern called default"],
)
def test_what_the_key_of_a_response_cannot_say_is_said(integration: Integration, path: tuple[Any, ...], rule: str) -> None:
    [finding] = FORMATS["openapi"].dump(an_api(integration)).findings

    assert (finding.path, finding.rule) == (("routes", 0, "integration", "integration_responses", *path), rule)


def test_a_pattern_called_default_stays_a_pattern() -> None:
    integration = Integration(
        backend=Mock(), integration_responses=(IntegrationResponse(status_code="400", selection_pattern="default"),)
    )
    [item] = exported(an_api(integration))["paths"].values()

    assert item["get"]["x-amazon-apigateway-integration"]["responses"] == {"(?:default)": {"statusCode": "400"}}


def test_a_method_with_an_authorizer_is_not_opened_to_everybody() -> None:
    api = an_api(authorization_type="COGNITO_USER_POOLS", authorizer="${Pool.Id}", authorization_scopes=("books/read",))
    document = exported(api)

    assert document["paths"]["/"]["get"]["security"] == [{"Pool.Id": ["books/read"]}]
    scheme = document["components"]["securitySchemes"]["Pool.Id"]
    assert scheme["x-amazon-apigateway-authorizer"] == {"type": "cognito_user_pools", "providerARNs": []}
    assert [(f.rule, f.path) for f in FORMATS["openapi"].dump(api).findings] == [(LOST, ("routes", 0, "authorizer"))]


@pytest.mark.parametrize(
    ("api", "path"),
    [
        (an_api(method="TRACE"), ("routes", 0, "method")),
        (an_api(method="summary"), ("routes", 0, "method")),
        (dataclasses.replace(an_api(), routes=an_api().routes * 2), ("routes", 1, "path")),
        (dataclasses.replace(an_api(), models=(Model(name="A", schema="{"),)), ("models", 0, "schema")),
        (dataclasses.replace(an_api(), models=(Model(name="A", schema='{"minimum": NaN}'),)), ("models", 0, "schema")),
        (dataclasses.replace(an_api(), models=(Model(name="A"), Model(name="A"))), ("models", 1, "name")),
        (an_api(operation_name="a\ud800"), ("routes", 0, "operation_name")),
    ],
    ids=["TRACE", "a key of a path", "twice", "no JSON", "NaN", "one name", "half a pair"],
)
def test_what_no_file_can_hold_is_refused(api: Api, path: tuple[Any, ...]) -> None:
    export = FORMATS["openapi-json"].dump(api)

    assert export.refused
    assert [finding.path for finding in export.findings] == [path]


def written(integration: Integration) -> Any:
    return exported(an_api(integration))["paths"]["/"]["get"]["x-amazon-apigateway-integration"]


@pytest.mark.parametrize(
    ("given", "wanted", "rules"),
    [
        ("'${Name}'", "'${Name}'", [LOST]),
        ("'${AWS::Region}'", "'${AWS::Region}'", []),
        ("'${AWS::StackName}'", "'${AWS::StackName}'", [LOST]),
        ("'${stageVariables.a}'", "'${stageVariables.a}'", []),
        ("'${!Name}'", "'${Name}'", ["export-note"]),
        ("'${!AWS::Region}'", "'${AWS::Region}'", ["export-note"]),
        ("'${a b}'", "'${a b}'", []),
    ],
)
def test_references_stand_as_they_are(given: str, wanted: str, rules: list[str]) -> None:
    key = "integration.request.header.A"
    integration = Integration(backend=Http(url="https://a.example"), request_parameters={key: given})

    assert written(integration)["requestParameters"] == {key: wanted}
    assert [finding.rule for finding in FORMATS["openapi"].dump(an_api(integration)).findings] == rules


def test_a_model_refers_within_the_document() -> None:
    order = '{"$schema": "s", "properties": {"a": {"$ref": "#/definitions/A"}, "b": {"$ref": "%s"}}, "definitions": {"A": {}}}'
    other = "https://apigateway.amazonaws.com/restapis/abc/models/Book"
    api = dataclasses.replace(an_api(), models=(Model(name="Order", schema=order % other), Model(name="Book")))

    assert exported(api)["components"]["schemas"]["Order"] == {
        "properties": {
            "a": {"$ref": "#/components/schemas/Order/definitions/A"},
            "b": {"$ref": "#/components/schemas/Book"},
        },
        "definitions": {"A": {}},
    }
    [loaded] = load(FORMATS["openapi"].dump(api).text).apis
    assert json.loads(loaded.models[0].schema)["properties"]["a"] == {"$ref": "#/definitions/A"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "line 1, column 2: This is not JSON"),
        ("a: [", "line 2, column 1: This is not YAML"),
        ("a: &a [1]\nb: *b\n", "line 2, column 4: The alias"),
        ("[" * 200_000, "column 101: This is nested more than 100 levels deep"),
        ('{"a":' * 200_000, "column 501: This is nested more than 100 levels deep"),
        ("\x00", "This is not YAML"),
        ("[]", "line 1: This is no OpenAPI file"),
    ],
)
def test_only_broken_syntax_cannot_be_read(text: str, reason: str) -> None:
    with pytest.raises(UnreadableText, match=reason):
        load(text)


def test_what_is_not_read_is_said() -> None:
    document = exported(an_api())
    document["paths"]["/"]["get"] |= {"summary": "All books", "security": [{"none": []}]}
    document["paths"]["/"]["trace"] = {}
    document["paths"]["/"]["get"]["x-amazon-apigateway-integration"] |= {"payloadFormatVersion": 1.0, "timeoutInMillis": []}
    document["servers"] = [{"url": "/"}]
    document["paths"]["/none"] = {"get": {"responses": {}}}
    document["paths"]["/odd"] = 5

    found = load(json.dumps(document))

    assert [finding.message.split(": ")[0] for finding in found.findings] == [
        "paths./.get.x-amazon-apigateway-integration.timeoutInMillis",
        "paths./.get.x-amazon-apigateway-integration.payloadFormatVersion",
        "paths./.get.security",
        "paths./.trace",
        "paths./none.get",
        "paths./odd",
        "paths./.get.summary (descriptions, summaries, tags, examples) document the API; a definition does not hold them. "
        "They were left out.",
    ]
    assert found.apis == load(json.dumps(exported(an_api()))).apis
