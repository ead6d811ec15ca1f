"""The judge of templates sees through names and notation, and sees every change."""

import copy
from typing import Any

import pytest

from tests.gateway.normal import methods, normal, read

YAML = """
Parameters: {Function: {Type: String}}
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: books}}
  Book: {Type: AWS::ApiGateway::Model, Properties: {RestApiId: !Ref Api, Name: Book, Schema: {type: object}}}
  Books:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: books}
  Checks: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref Api, ValidateRequestBody: true}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Books
      HttpMethod: GET
      RequestModels: {application/json: !Ref Book}
      RequestValidatorId: !Ref Checks
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub "arn:${AWS::Partition}:lambda:${Function}/${!x}"
        CacheKeyParameters: [b, a]
        IntegrationResponses: [{StatusCode: "404"}, {StatusCode: "200", ResponseParameters: {}}]
      MethodResponses: [{StatusCode: "200", ResponseModels: {application/json: Empty}}]
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: prod}}
  Permission: {Type: AWS::Lambda::Permission, Properties: {SourceArn: !Sub "${Api}/${Stage}"}}
"""


def renamed() -> dict[str, Any]:
    """The same template with other logical ids, other intrinsics and another order."""
    found = read(YAML)
    method = found["Resources"]["Get"]["Properties"]
    method["Integration"]["Uri"] = {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":lambda:", {"Ref": "Function"}, "/${x}"]]
    }
    method["Integration"]["IntegrationResponses"].reverse()
    method["Integration"]["CacheKeyParameters"].reverse()
    method["ResourceId"] = {"Ref": "Other"}
    found["Resources"]["Other"] = found["Resources"].pop("Books")
    return found


def test_names_notation_and_order_do_not_matter() -> None:
    assert normal(read(YAML)) == normal(renamed())
    assert normal(read(YAML), {"Function": "f"}) != normal(renamed(), {"Function": "g"})


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, inner in pairs for leaf in leaves(inner, (*path, key))]
    named = path[-1] in ("Ref", "Type", "DependsOn") or "Fn::GetAtt" in path
    return [path] if isinstance(value, str) and not named else []


@pytest.mark.parametrize("path", leaves(read(YAML)["Resources"]), ids=lambda path: ".".join(map(str, path)))
def test_every_changed_text_is_seen(path: tuple[Any, ...]) -> None:
    changed = copy.deepcopy(read(YAML))
    inner = changed["Resources"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] += "x"

    assert normal(changed) != normal(read(YAML))


def test_a_deployment_waits_for_its_methods() -> None:
    changed = read(YAML)
    del changed["Resources"]["Deployment"]["DependsOn"]

    with pytest.raises(AssertionError, match="does not wait"):
        normal(changed)


def test_a_method_in_the_words_of_the_api() -> None:
    assert methods(read(YAML), {"Function": "f"}) == {
        ("GET", "/books"): {
            "requestModels": {"application/json": "Book"},
            "validateRequestBody": True,
            "integration": {
                "type": "AWS_PROXY",
                "httpMethod": "POST",
                "uri": "arn:aws:lambda:f/${x}",
                "cacheKeyParameters": ["a", "b"],
                "integrationResponses": {"404": {}, "200": {}},
            },
            "methodResponses": {"200": {"responseModels": {"application/json": "Empty"}}},
        }
    }
