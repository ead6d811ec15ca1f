"""What an intrinsic decides over a list or an object of a file: kept verbatim, at the part of the definition that it gives."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.gateway.composition import Composition, Source, Use, resolve
from integrations.gateway.definition import Api, Http, Integration, Intrinsic, Mock, Route, Structure, dumps, loads
from integrations.gateway.formats import FORMATS, Asked, patched, read

METHOD = """\
Parameters:
  Stage: {{Type: String, Default: test}}
Conditions:
  Mapped: !Equals [!Ref Stage, test]
  Wide: !Equals [!Ref Stage, live]
Resources:
  Books: {{Type: AWS::ApiGateway::RestApi, Properties: {{Name: books}}}}
  First:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Books
      ResourceId: !GetAtt Books.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      MethodResponses: [{{StatusCode: 200}}]
      Integration: {{Type: MOCK}}
  Second:
    Type: AWS::ApiGateway::Method
    Properties: {properties}
"""
PROPERTIES = """
      RestApiId: !Ref Books
      ResourceId: !GetAtt Books.RootResourceId
      HttpMethod: POST
      AuthorizationType: NONE
      Integration:
        Type: HTTP
        IntegrationHttpMethod: GET
        Uri: https://books.example.com
        """


def of(integration: str) -> str:
    return METHOD.format(properties=PROPERTIES + integration)


def said(text: str, **decided: bool) -> list[tuple[str, Any, dict[str, bool]]]:
    api = read(text, Asked(conditions=decided)).apis[0].api
    assert loads(dumps(api)) == api
    return [(each.path, each.origin.value, dict(each.chosen)) for each in api.structures]


AT = "/routes/1/integration"
NO_VALUE = {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(
    ("written", "path", "origin", "chosen"),
    [
        (
            "IntegrationResponses: !If [Mapped, [{StatusCode: 200}], !Ref AWS::NoValue]",
            f"{AT}/integration_responses",
            {"Fn::If": ["Mapped", [{"StatusCode": 200}], NO_VALUE]},
            {"Mapped": True},
        ),
        (
            "IntegrationResponses: !If [Wide, [{StatusCode: 200}], !Ref AWS::NoValue]",
            f"{AT}/integration_responses",
            {"Fn::If": ["Wide", [{"StatusCode": 200}], NO_VALUE]},
            {"Wide": False},
        ),
        (
            "IntegrationResponses: [{StatusCode: 200}, !If [Mapped, {StatusCode: 404}, !Ref AWS::NoValue]]",
            f"{AT}/integration_responses/1",
            {"Fn::If": ["Mapped", {"StatusCode": 404}, NO_VALUE]},
            {"Mapped": True},
        ),
        (
            "RequestParameters: !If [Wide, {integration.request.header.A: \"'1'\"}, !If [Mapped, {}, {}]]",
            f"{AT}/request_parameters",
            {"Fn::If": ["Wide", {"integration.request.header.A": "'1'"}, {"Fn::If": ["Mapped", {}, {}]}]},
            {"Wide": False, "Mapped": True},
        ),
        (
            "IntegrationResponses: !If [Mapped, [!If [Wide, {StatusCode: 200}, {StatusCode: 201}]], []]",
            f"{AT}/integration_responses",
            {"Fn::If": ["Mapped", [{"Fn::If": ["Wide", {"StatusCode": 200}, {"StatusCode": 201}]}], []]},
            {"Mapped": True, "Wide": False},
        ),
    ],
)
def test_it_is_kept_verbatim_where_its_view_stands(written: str, path: str, origin: Any, chosen: dict[str, bool]) -> None:
    assert said(of(written)) == [(path, origin, chosen)]


def test_what_decides_over_a_method_is_at_its_route() -> None:
    [(path, origin, chosen)] = said(METHOD.format(properties=f"!If\n    - Wide\n    - {{}}\n    -{PROPERTIES}"), Wide=False)

    assert (path, chosen) == ("/routes/1", {"Wide": False})
    assert origin["Fn::If"][:2] == ["Wide", {}]
    assert origin["Fn::If"][2]["ResourceId"] == {"Fn::GetAtt": ["Books", "RootResourceId"]}


def test_what_is_decided_at_the_import_is_the_view() -> None:
    text = of("IntegrationResponses: !If [Mapped, [{StatusCode: 200}], !Ref AWS::NoValue]")
    views = {holds: read(text, Asked(conditions={"Mapped": holds})).apis[0].api for holds in (True, False)}

    assert {holds: len(api.routes[1].integration.integration_responses) for holds, api in views.items()} == {True: 1, False: 0}
    assert [api.structures[0].chosen for api in views.values()] == [{"Mapped": True}, {"Mapped": False}]


def test_a_scalar_is_a_reference_and_a_file_without_intrinsics_has_none() -> None:
    api = read(of("TimeoutInMillis: !If [Mapped, 50, 100]")).apis[0].api

    assert api.structures == ()
    assert "structures" not in dumps(api)


def test_a_document_that_is_included_is_the_whole() -> None:
    text = """\
Resources:
  Books:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      DefinitionBody: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: books.yaml}}}
"""
    document = """\
openapi: 3.0.1
paths:
  /books:
    get: {x-amazon-apigateway-integration: {type: mock}}
"""
    [found] = read(text, Asked(beside=lambda name: document if name == "books.yaml" else None)).apis

    include = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "books.yaml"}}}
    assert [(each.path, each.origin.value) for each in found.api.structures] == [("", include)]


def test_a_path_of_an_openapi_file() -> None:
    text = """\
openapi: 3.0.1
paths:
  /books:
    Fn::If:
    - Open
    - get: {x-amazon-apigateway-integration: {type: mock}}
    - AWS::NoValue
"""
    [(path, origin, chosen)] = said(text)

    assert (path, origin["Fn::If"][0], chosen) == ("/routes/0", "Open", {"Open": True})


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "definition"])
def test_a_file_of_its_own_says_once_that_the_choice_is_not_in_it(format: str) -> None:
    origin = Intrinsic.of({"Fn::If": ["Mapped", [], []]})
    rows = (Structure(path="/routes/0/integration/integration_responses", origin=origin), Structure(path="", origin=origin))
    route = Route(integration=Integration(backend=Http(url="https://a.example")))
    api = Api(name="books", routes=(route,), structures=rows)

    found = [finding for finding in FORMATS[format].dump(api).findings if finding.path == ("structures",)]

    assert len(found) == 1
    assert FORMATS[format].dump(api).text == FORMATS[format].dump(replace(api, structures=())).text


def test_in_place_they_are_no_setting_that_was_changed() -> None:
    text = of("IntegrationResponses: !If [Mapped, [{StatusCode: 200}], !Ref AWS::NoValue]")
    reading = read(text)

    found = patched(reading, reading.apis[0], replace(reading.apis[0].api, structures=()))

    assert (found.text, found.findings) == (text, ())


def test_those_of_an_integration_stand_at_its_route_in_an_api() -> None:
    origin = Intrinsic.of({"Fn::If": ["Mapped", [], []]})
    rows = (Structure(path="/routes/0/integration/integration_responses", origin=origin),)
    source = Source(
        "books", "Books", 1, Api(name="books", routes=(Route(integration=Integration(backend=Mock())),), structures=rows)
    )
    whole = Composition(api=Api(name="all", structures=(Structure(path="/tags", origin=origin),)))
    for path in ("/a", "/b"):
        whole = whole.with_route(Route(path=path, integration=Integration(backend=Mock())), Use(integration=7, pin=1))

    found = resolve(whole, {(7, 1): source}).api.structures

    assert [each.path for each in found] == [
        "/tags",
        "/routes/0/integration/integration_responses",
        "/routes/1/integration/integration_responses",
    ]


def test_what_is_more_than_a_definition_holds_is_said_and_the_rest_is_a_definition() -> None:
    rows = ", ".join("!If [Mapped, {StatusCode: 200}, {StatusCode: 201}]" for _ in range(2_001))
    found = read(of(f"IntegrationResponses: [{rows}]"))

    assert len(found.apis[0].api.structures) == 2_000
    assert [finding.line for finding in found.findings if "this choice and those behind it" in finding.message] == [28]
