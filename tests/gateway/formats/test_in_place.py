"""A changed integration in the file that it came from: its own lines change, and nothing else."""

import difflib
import re
from dataclasses import replace
from typing import Any

import pytest

from integrations.gateway.definition import Api, Http, IntegrationResponse, Template
from integrations.gateway.formats import Reading, patched, read

YAML = """\
Resources:
  Api: # ours
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: books}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      Integration:
        Type: AWS   # of the books
        IntegrationHttpMethod: POST
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Books.Arn}/invocations
        Credentials: !ImportValue role
        RequestTemplates:
          application/json: |
            {"a": 1}

          text/plain: '-'
        IntegrationResponses:
          - StatusCode: 200
          - {StatusCode: 404, SelectionPattern: 'no.*'}
  Put:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: PUT
      Integration: !If [Mocked, {Type: MOCK}, !Ref AWS::NoValue]
Conditions:
  Mocked: !Equals [!Ref AWS::Region, eu-west-1]
"""
JSON = """{
    "openapi": "3.0.1", "info": {"title": "books", "version": "1"},
    "paths": {
        "/": {"get": {"responses": {"200": {"description": "", "headers": {}}}, "x-amazon-apigateway-integration": {
            "type": "http",
            "httpMethod": "GET",
            "uri": {"Fn::Sub": "https://${Host}/"},
            "responses": {"default": {"statusCode": "200"}}
        }}}
    }
}"""


def changed(reading: Reading, index: int = 0, **options: Any) -> Api:
    """The API of a reading with options of one of its integrations changed."""
    api = reading.apis[0].api
    routes = list(api.routes)
    routes[index] = replace(routes[index], integration=replace(routes[index].integration, **options))
    return replace(api, routes=tuple(routes))


def difference(before: str, after: str) -> list[str]:
    """The lines that are gone and that are new."""
    before_lines, after_lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return [line for line in difflib.unified_diff(before_lines, after_lines, n=0) if line[:2] not in ("--", "++", "@@")]


@pytest.mark.parametrize("text", [YAML, JSON, YAML.replace("\n", "\r\n"), "\ufeff" + YAML], ids=["YAML", "JSON", "CRLF", "BOM"])
def test_what_was_not_changed_is_the_same_bytes(text: str) -> None:
    reading = read(text)

    assert patched(reading, reading.apis[0], reading.apis[0].api).text == text


OK = IntegrationResponse(status_code="200")
EDITS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a value": ({"backend": Http(url="https://${Host}/${Books.Arn}", proxy=False, http_method="PUT")}, [
        "-        Type: AWS   # of the books\n",
        "-        IntegrationHttpMethod: POST\n",
        "-        Uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Books.Arn}/invocations\n",
        "+        Type: HTTP   # of the books\n",
        "+        IntegrationHttpMethod: PUT\n",
        "+        Uri: !Sub https://${Host}/${Books.Arn}\n",
    ]),
    "an import within a text": ({"credentials_role": "${Role}/x"}, [
        "-        Credentials: !ImportValue role\n",
        "+        Credentials: !Sub\n",
        "+          - ${Role}/x\n",
        "+          - Role: !ImportValue role\n",
    ]),
    "a new option": ({"timeout_ms": 5_000}, ["+        TimeoutInMillis: 5000\n"]),
    "an option that goes": ({"credentials_role": None}, ["-        Credentials: !ImportValue role\n"]),
    "one template of two": ({"request_templates": {"application/json": Template("a\nb\n"), "text/plain": Template("-")}}, [
        '-            {"a": 1}\n',
        "+            a\n",
        "+            b\n",
    ]),
    "a response in brackets": (
        {"integration_responses": (OK, IntegrationResponse(status_code="404", selection_pattern="x"))},
        [
            "-          - {StatusCode: 404, SelectionPattern: 'no.*'}\n",
            '+          - {StatusCode: 404, SelectionPattern: "x"}\n',
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_only_its_own_lines_change(name: str, newline: str) -> None:
    options, lines = EDITS[name]
    reading = read(YAML.replace("\n", newline))
    api = changed(reading, **options)
    found = patched(reading, reading.apis[0], api)

    assert not found.refused
    assert difference(reading.source.text, found.text) == [line.replace("\n", newline) for line in lines]
    assert read(found.text).apis[0].api.routes[0].integration == api.routes[0].integration


def test_json_keeps_its_layout() -> None:
    reading = read(JSON)
    responses = (IntegrationResponse(status_code="200", response_templates={"a/b": Template("${Host}")}),)
    api = changed(reading, timeout_ms=50, integration_responses=responses, backend=Http(url="https://${Host}/a", proxy=False))
    found = patched(reading, reading.apis[0], api)

    assert difference(JSON, found.text) == [
        '-            "uri": {"Fn::Sub": "https://${Host}/"},\n',
        '-            "responses": {"default": {"statusCode": "200"}}\n',
        '+            "uri": {\n',
        '+                "Fn::Sub": "https://${Host}/a"\n',
        "+            },\n",
        '+            "responses": {"default": {"statusCode": "200", "responseTemplates": {\n',
        '+                "a/b": "${Host}"\n',
        "+            }}},\n",
        '+            "timeoutInMillis": 50\n',
    ]
    assert read(found.text).apis[0].api.routes[0].integration == api.routes[0].integration


def test_what_a_condition_decides_is_not_edited() -> None:
    reading = read(YAML)
    found = patched(reading, reading.apis[0], changed(reading, 1, timeout_ms=5_000))

    assert (found.text, found.refused) == (YAML, True)
    assert found.findings[0].message == (
        "It stands under Fn::If Mocked; this is the branch for true. Edit it in the file, or export the API on its own."
    )


def test_what_is_no_integration_is_not_written() -> None:
    reading = read(YAML)
    api = reading.apis[0].api
    more = replace(
        api, description="Books", routes=(replace(api.routes[0], path="/more"), replace(api.routes[1], operation_name="x"))
    )
    found = patched(reading, reading.apis[0], more)

    assert found.text == YAML
    assert [(finding.path, re.split("[:;,]", finding.message)[0]) for finding in found.findings] == [
        (("routes", 0), "The file has no GET /more"),
        (("routes", 1), "Only its integration is written back"),
        ((), "GET / stays in the file"),
        ((), "Only integrations are written back"),
    ]


def test_what_the_method_would_have_to_declare_is_said() -> None:
    reading = read(YAML)
    parameters = {"integration.request.header.A": "method.request.header.B"}
    found = patched(reading, reading.apis[0], changed(reading, request_parameters=parameters))

    assert [finding.message for finding in found.findings] == [
        "The method in the file has to declare this too: method.request.header.B. Write it there."
    ]
    assert not found.refused


def test_an_event_of_sam_is_edited_as_an_event() -> None:
    text = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events: {E: {Type: Api, Properties: {Path: /, Method: get}}}
"""
    reading = read(text)
    found = patched(reading, reading.apis[0], changed(reading, timeout_ms=5_000))

    assert (found.text, [finding.message.split(".")[0] for finding in found.findings]) == (
        text,
        ["SAM makes this integration of the function's event"],
    )


def test_a_file_that_shares_by_alias_is_not_torn_apart() -> None:
    text = (
        "openapi: 3.0.1\ninfo: {title: a, version: '1'}\npaths:\n  /a: &a\n    get:\n      responses: {}\n"
        "      x-amazon-apigateway-integration: {type: mock}\n  /b: *a\n"
    )
    reading = read(text)
    found = patched(reading, reading.apis[0], changed(reading, timeout_ms=5_000))

    assert (found.text, found.refused) == (text, True)
