"""The control plane that deployments are tested with, judged by what AWS was recorded to answer, and met by a real boto3."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from tests.aws.control_plane import ControlPlane, Refused
from tests.aws.wire import Cut, Line, served
from tests.fidelity.scores import ORACLE

SAID_ELSEWHERE = {"ValidationException", "SerializationException"}
"""What AWS says of a request's form. The rules are judged by that; here it is what stands in the account that matters."""

BEYOND = (
    *("canary", "access_log", "endpoint_configuration", "ip_address_type", "private_type", "copy_ops", "remove_wildcard"),
    *("test_create_update_stages#error", "test_create_update_stages#update", "invalid_responsetemplates"),
    "update-path-already-exists",  # an update that it needs is missing among its earlier calls
)
"""Recordings about what nothing here deploys."""


def recorded() -> list[Any]:
    """Recorded calls whose answer depends on the calls before, all of which are known here."""
    if not ORACLE.is_dir():
        return []
    found = []
    for case in json.loads((ORACLE / "validation_cases.json").read_text()):
        names = [case["operation"], *(one["op"] for one in case["setup"])]
        if (
            case["aws_recorded"]
            and all(hasattr(ControlPlane, name) for name in names)
            and case["expected"].get("error_code") not in SAID_ELSEWHERE
            and not any(word in case["id"] for word in BEYOND)
        ):
            found.append(pytest.param(case, id=case["id"].partition("::")[2]))
    return found


class Replay:
    """Recorded calls one after the other; their placeholders stand for the ids of what they made."""

    def __init__(self) -> None:
        self.plane = ControlPlane()
        self.ids: dict[str, str] = {}

    def filled(self, value: Any) -> Any:
        """The value with ids in place of placeholders."""
        if isinstance(value, dict):
            return {key: self.filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner) for inner in value]
        return self.ids.get(value, value) if isinstance(value, str) else value

    def call(self, operation: str, parameters: dict[str, Any]) -> tuple[str, ...]:
        """What came of it."""
        if operation == "create_rest_api":
            parameters = {"name": "unnamed"} | parameters
        try:
            answer = self.plane.perform("apigateway", operation, self.filled(parameters))
        except Refused as reason:
            return ("error", reason.code, str(reason.status), reason.message)
        if operation == "create_rest_api":
            root = answer["rootResourceId"]
            self.ids |= {"<restApiId>": answer["id"], "<rootResourceId>": root, "<idFromGetResources>": root}
        elif operation == "create_resource":
            self.ids |= {f"<resourceId:{answer['pathPart']}>": answer["id"], "<resourceId>": answer["id"]}
        elif operation == "create_deployment":
            self.ids["<deploymentId>"] = answer["id"]
        elif operation == "create_request_validator":
            self.ids |= {"<request_validatorId>": answer["id"], "<validatorId>": answer["id"]}
        return ("accepted",)


def as_recorded(expected: dict[str, Any]) -> tuple[str, ...]:
    """The recorded answer in the shape of Replay.call."""
    if expected["outcome"] == "accepted":
        return ("accepted",)
    return ("error", expected["error_code"], str(expected["http_status"]), expected["message"])


def unnamed(answer: tuple[str, ...]) -> tuple[str, ...]:
    """Without the ids in its words."""
    ids = re.compile(r"<[^>]+>|\d{12}:[\w-]+|model '[^']+'|(?<=is referenced in method request: ).*")
    return tuple(ids.sub("…", text) for text in answer)


@pytest.mark.skipif(not ORACLE.is_dir(), reason="no recorded AWS answers; set GATEHOUSE_ORACLE")
@pytest.mark.parametrize("case", recorded())
def test_it_answers_as_aws_was_recorded(case: dict[str, Any]) -> None:
    replay = Replay()
    for earlier in case["setup"]:
        replay.call(earlier["op"], earlier["params"])
    assert unnamed(replay.call(case["operation"], case["input"])) == unnamed(as_recorded(case["expected"]))


@pytest.fixture
def plane() -> ControlPlane:
    """One without quotas."""
    return ControlPlane()


@pytest.fixture
def line_and_clients(plane: ControlPlane) -> Iterator[tuple[Line, Any, Any, Any]]:
    """The line, and boto3's clients of API Gateway, Lambda and STS at the end of it."""
    with served(plane) as (url, line):
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=plane.region)
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
        gateway = session.client("apigateway", endpoint_url=url, config=config)
        functions = session.client("lambda", endpoint_url=url, config=config)
        identity = session.client("sts", endpoint_url=url, config=config)
        yield line, gateway, functions, identity
        for client in (gateway, functions, identity):
            client.close()


FUNCTION = "arn:aws:lambda:eu-central-1:444455556666:function:orders"


def test_boto3_makes_an_api_and_reads_it_back(plane: ControlPlane, line_and_clients: tuple[Line, Any, Any, Any]) -> None:
    _, gateway, functions, identity = line_and_clients
    plane.functions[FUNCTION] = []
    assert identity.get_caller_identity()["Account"] == plane.account

    api = gateway.create_rest_api(name="orders", tags={"gatehouse": "gh-1"})
    at = {"restApiId": api["id"]}
    orders = gateway.create_resource(**at, parentId=api["rootResourceId"], pathPart="{id}")
    at |= {"resourceId": orders["id"], "httpMethod": "GET"}
    gateway.put_method(**at, authorizationType="NONE", requestParameters={"method.request.path.id": True})
    gateway.put_method_response(**at, statusCode="200")
    uri = f"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    gateway.put_integration(**at, type="AWS", integrationHttpMethod="POST", uri=uri, timeoutInMillis=5000)
    gateway.put_integration_response(**at, statusCode="200", responseTemplates={"application/json": "$input.body"})
    change = [{"op": "replace", "path": "/responseTemplates/application~1json", "value": "{}"}]
    gateway.update_integration_response(**at, statusCode="200", patchOperations=change)
    deployment = gateway.create_deployment(restApiId=api["id"], description="first")
    gateway.create_stage(restApiId=api["id"], stageName="live", deploymentId=deployment["id"], variables={"a": "b"})
    arn = f"arn:aws:execute-api:eu-central-1:444455556666:{api['id']}/live/GET/*"
    permission = {"FunctionName": FUNCTION, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
    functions.add_permission(**permission, StatementId="api", SourceArn=arn)

    resources = gateway.get_resources(restApiId=api["id"], embed=["methods"])["items"]
    assert [resource["path"] for resource in resources] == ["/", "/{id}"]
    method = resources[1]["resourceMethods"]["GET"]
    assert method["requestParameters"] == {"method.request.path.id": True}
    integration = method["methodIntegration"]
    assert (integration["httpMethod"], integration["uri"], integration["timeoutInMillis"]) == ("POST", uri, 5000)
    assert integration["integrationResponses"]["200"]["responseTemplates"] == {"application/json": "{}"}
    assert gateway.get_rest_apis()["items"][0]["tags"] == {"gatehouse": "gh-1"}
    assert gateway.get_stage(restApiId=api["id"], stageName="live")["variables"] == {"a": "b"}
    [statement] = json.loads(functions.get_policy(FunctionName=FUNCTION)["Policy"])["Statement"]
    assert (statement["Sid"], statement["Condition"]) == ("api", {"ArnLike": {"AWS:SourceArn": arn}})


def test_callers_get_what_was_deployed(plane: ControlPlane, line_and_clients: tuple[Line, Any, Any, Any]) -> None:
    _, gateway, _, _ = line_and_clients
    api = gateway.create_rest_api(name="orders")
    at = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    gateway.put_method(**at, authorizationType="NONE")
    with pytest.raises(ClientError, match="No integration defined for method"):
        gateway.create_deployment(restApiId=api["id"])
    gateway.put_integration(**at, type="MOCK")
    first = gateway.create_deployment(restApiId=api["id"], stageName="live")["id"]
    gateway.update_method(**at, patchOperations=[{"op": "replace", "path": "/apiKeyRequired", "value": "true"}])

    def required() -> bool:
        method = plane.deployed(api["id"], "live")["resources"][api["rootResourceId"]]["resourceMethods"]["GET"]
        return bool(method["apiKeyRequired"])

    assert not required()
    second = gateway.create_deployment(restApiId=api["id"])["id"]
    assert not required()
    move = [{"op": "replace", "path": "/deploymentId", "value": second}]
    gateway.update_stage(restApiId=api["id"], stageName="live", patchOperations=move)
    assert required()
    with pytest.raises(ClientError, match="Active stages pointing to this deployment must be moved or deleted"):
        gateway.delete_deployment(restApiId=api["id"], deploymentId=second)
    gateway.delete_deployment(restApiId=api["id"], deploymentId=first)


def test_lists_come_in_pages(line_and_clients: tuple[Line, Any, Any, Any]) -> None:
    _, gateway, _, _ = line_and_clients
    api = gateway.create_rest_api(name="orders")
    for number in range(30):
        gateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart=f"p{number}")
    first = gateway.get_resources(restApiId=api["id"])
    assert (len(first["items"]), "position" in first) == (25, True)
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api["id"])
    assert len([item for page in pages for item in page["items"]]) == 31


def test_its_errors_are_boto3s_own(plane: ControlPlane, line_and_clients: tuple[Line, Any, Any, Any]) -> None:
    _, gateway, functions, identity = line_and_clients
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.get_rest_api(restApiId="nothing")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_policy(FunctionName=FUNCTION)
    plane.expired = True
    for call in (gateway.get_rest_apis, identity.get_caller_identity):
        with pytest.raises(ClientError, match="is expired"):
            call()


def test_a_cut_line_drops_the_request_or_the_answer(plane: ControlPlane, line_and_clients: tuple[Line, Any, Any, Any]) -> None:
    line, gateway, _, _ = line_and_clients

    def cut(service: str, operation: str, parameters: dict[str, Any]) -> None:
        raise Cut

    line.before = cut
    with pytest.raises(HTTPClientError):
        gateway.create_rest_api(name="dropped")
    assert not plane.apis
    line.before, line.after = Line().before, cut
    with pytest.raises(HTTPClientError):
        gateway.create_rest_api(name="lost")
    assert [api["settings"]["name"] for api in plane.apis.values()] == ["lost"]


@pytest.mark.parametrize(
    ("operation", "at_once", "seconds"),
    [("create_deployment", 1, 5), ("create_resource", 5, 0.2), ("get_resources", 5, 0.4), ("get_models", 40, 0.1)],
)
def test_it_enforces_the_documented_rates(operation: str, at_once: int, seconds: float) -> None:
    now = 1_000.0
    plane = ControlPlane(clock=lambda: now)
    asked: dict[str, Any] = {"parentId": "x", "pathPart": "x"} if operation == "create_resource" else {}

    def allowed() -> bool:
        try:
            plane.perform("apigateway", operation, {"restApiId": "x"} | asked)
        except Refused as reason:
            return reason.code != "TooManyRequestsException"
        raise AssertionError("there is no such REST API")

    assert [allowed() for _ in range(at_once + 1)] == [True] * at_once + [False]
    now += seconds * 0.99
    assert not allowed()
    now += seconds * 0.02
    assert [allowed(), allowed()] == [True, False]


def test_what_is_refused_changes_nothing(plane: ControlPlane) -> None:
    api = plane.create_rest_api("orders")
    change = [{"op": "replace", "path": "/name", "value": "changed"}, {"op": "replace", "path": "/no", "value": "such"}]
    with pytest.raises(Refused):
        plane.perform("apigateway", "update_rest_api", {"restApiId": api["id"], "patchOperations": change})
    assert plane.get_rest_api(api["id"])["name"] == "orders"


PROBES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("create_deployment", {}),
    ("create_resource", {"parentId": "<root>", "pathPart": "a"}),
    ("create_resource", {"parentId": "<root>", "pathPart": "a"}),
    ("create_resource", {"parentId": "<root>", "pathPart": "{b}"}),
    ("create_resource", {"parentId": "<root>", "pathPart": "{c}"}),
    ("create_resource", {"parentId": "nothing", "pathPart": "a"}),
    ("get_resource", {"resourceId": "nothing"}),
    ("put_method_response", {"resourceId": "<a>", "httpMethod": "GET", "statusCode": "200"}),
    ("put_integration", {"resourceId": "<a>", "httpMethod": "GET", "type": "MOCK"}),
    ("put_method", {"resourceId": "nothing", "httpMethod": "GET", "authorizationType": "NONE"}),
    ("put_method", {"resourceId": "<a>", "httpMethod": "GET", "authorizationType": "NONE"}),
    ("put_method", {"resourceId": "<a>", "httpMethod": "GET", "authorizationType": "NONE"}),
    ("create_deployment", {}),
    ("get_integration", {"resourceId": "<a>", "httpMethod": "GET"}),
    ("put_integration", {"resourceId": "<a>", "httpMethod": "GET", "type": "HTTP", "uri": "https://example.com/"}),
    ("put_integration", {"resourceId": "<a>", "httpMethod": "GET", "type": "MOCK"}),
    ("put_method_response", {"resourceId": "<a>", "httpMethod": "GET", "statusCode": "200"}),
    ("put_method_response", {"resourceId": "<a>", "httpMethod": "GET", "statusCode": "200"}),
    ("get_method_response", {"resourceId": "<a>", "httpMethod": "GET", "statusCode": "404"}),
    ("put_integration_response", {"resourceId": "<a>", "httpMethod": "GET", "statusCode": "200"}),
    ("delete_integration_response", {"resourceId": "<a>", "httpMethod": "GET", "statusCode": "404"}),
    ("create_model", {"name": "Order", "contentType": "application/json", "schema": '{"type": "object"}'}),
    ("create_model", {"name": "Order", "contentType": "application/json", "schema": '{"type": "object"}'}),
    ("get_model", {"modelName": "Nothing"}),
    ("create_deployment", {"description": "first"}),
    ("create_stage", {"stageName": "live", "deploymentId": "<deployment>"}),
    ("create_stage", {"stageName": "live", "deploymentId": "<deployment>"}),
    ("create_stage", {"stageName": "test", "deploymentId": "nothing"}),
    ("delete_deployment", {"deploymentId": "<deployment>"}),
    ("get_stage", {"stageName": "nothing"}),
    ("delete_method", {"resourceId": "<a>", "httpMethod": "POST"}),
    ("delete_resource", {"resourceId": "nothing"}),
    ("delete_request_validator", {"requestValidatorId": "nothing"}),
    ("update_stage", {"stageName": "live", "patchOperations": [{"op": "replace", "path": "/deploymentId", "value": "nothing"}]}),
    ("delete_stage", {"stageName": "live"}),
    ("delete_deployment", {"deploymentId": "<deployment>"}),
    ("delete_resource", {"resourceId": "<a>"}),
    ("get_method", {"resourceId": "<a>", "httpMethod": "GET"}),
)


def probed(perform: Callable[[str, dict[str, Any]], dict[str, Any]]) -> list[str]:
    """What each probe is answered, one after the other."""
    api = perform("create_rest_api", {"name": "orders"})
    ids = {"<root>": api["rootResourceId"]}
    found = []
    for operation, parameters in PROBES:
        given = {key: ids.get(value, value) if isinstance(value, str) else value for key, value in parameters.items()}
        try:
            answer = perform(operation, {"restApiId": api["id"]} | given)
        except Refused as reason:
            found.append(f"{operation}: {reason.status} {reason.code} {reason.message}")
        else:
            found.append(f"{operation}: done")
            if operation == "create_resource":
                ids.setdefault(f"<{answer['pathPart']}>", answer["id"])
            elif operation == "create_deployment":
                ids["<deployment>"] = answer["id"]
    return found


LAXER = {
    "create_resource: 409 ConflictException Another resource with the same parent already has this name: a",
    "put_method: 409 ConflictException Method already exists for this resource",
    "put_method_response: 409 ConflictException Response already exists for this resource",
}
"""What AWS refuses (recorded, or quoted in reports), and LocalStack does."""
OTHERWISE = {
    "create_deployment: 400 BadRequestException No integration defined for method",
    "create_stage: 400 BadRequestException Deployment id does not exist",
}
"""What LocalStack refuses too, in another way than AWS was recorded to."""


@pytest.mark.localstack
def test_localstack_answers_alike(localstack: str, plane: ControlPlane) -> None:
    session = boto3.Session(aws_access_key_id=plane.account, aws_secret_access_key="test", region_name=plane.region)
    client = session.client("apigateway", endpoint_url=localstack)

    def perform(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
            return answer
        except ClientError as error:
            said, metadata = error.response["Error"], error.response["ResponseMetadata"]
            raise Refused(metadata["HTTPStatusCode"], said["Code"], said["Message"]) from error

    theirs = probed(perform)
    client.close()
    ours = probed(lambda operation, parameters: plane.perform("apigateway", operation, parameters))
    pairs = list(zip(ours, theirs, strict=True))
    assert {one for one, other in pairs if other.endswith(": done") and not one.endswith(": done")} == LAXER
    assert {one for one, other in pairs if one.lower() != other.lower() and one not in LAXER} == OTHERWISE
