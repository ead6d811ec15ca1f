"""What became of a call whose answer nobody has: the call and the account in, the answer that was lost out.

A worker may end, or a line be cut, between a call and the record of its answer. What the call makes is then looked for by what it
carries (see `marked`) or by the name that it alone can have, and used as if the answer had come.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from integrations.aws import Account, AwsError
from integrations.models import OVER, CallState, Operation, OperationCall, Placement

type Answer = Mapping[str, Any]

type Ask = Callable[[str, str, Mapping[str, Any]], Answer | None]
"""(service, operation, parameters) → what AWS answers; None where it has no such thing."""

type Finder = Callable[[Ask, str, Mapping[str, Any], str], Answer | None]
"""(ask, the call's operation, its parameters, the marker) → its answer; None where AWS has not done it."""

TAG = "gatehouse"
"""The tag of a REST API that says which operation made it."""

PAGE = 500


def marked(operation: str, parameters: Mapping[str, Any], marker: str) -> dict[str, Any]:
    """The parameters of a call with the marker of its operation, where what it makes has no name that is its own."""
    if operation == "create_rest_api":
        return {**parameters, "tags": {**parameters.get("tags", {}), TAG: marker}}
    if operation == "create_deployment":
        return {**parameters, "description": f"{parameters.get('description', '')} {marker}".strip()}
    return dict(parameters)


def find(ask: Ask, service: str, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    """The answer to a call that AWS has carried out; None where it has not, or where calling again does no harm."""
    verb = operation.partition("_")[0]
    finder = FINDERS.get(operation) or VERBS.get(verb)
    return finder(ask, operation, parameters, marker) if finder else None


def _rest_api(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    found = _items(ask, "get_rest_apis", {})
    return next((one for one in found if one.get("tags", {}).get(TAG) == marker), None)


def _resource(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    return _like(ask, "get_resources", parameters, ("parentId", "pathPart"))


def _validator(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    return _like(ask, "get_request_validators", parameters, ("name", "validateRequestBody", "validateRequestParameters"))


def _authorizer(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    return _like(ask, "get_authorizers", parameters, ("name", "type"))


def _deployment(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    found = _items(ask, "get_deployments", {"restApiId": parameters["restApiId"]})
    return next((one for one in found if marker in one.get("description", "").split()), None)


def _model(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    found = ask("apigateway", "get_model", {"restApiId": parameters["restApiId"], "modelName": parameters["name"]})
    return found if found and found.get("schema") == parameters.get("schema") else None


def _stage(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    found = ask("apigateway", "get_stage", {key: parameters[key] for key in ("restApiId", "stageName")})
    return found if found and found.get("deploymentId") == parameters["deploymentId"] else None


KEYS = ("restApiId", "resourceId", "httpMethod", "statusCode")


def _put(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    """put_method and put_method_response, which AWS refuses a second time; there as they were put."""
    found = ask("apigateway", operation.replace("put_", "get_", 1), {key: parameters[key] for key in KEYS if key in parameters})
    wanted = {key: value for key, value in parameters.items() if key not in KEYS and value not in ({}, [], "", None)}
    return found if found is not None and all(found.get(key) == value for key, value in wanted.items()) else None


def _update(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    """A patch of which every operation has been carried out."""
    at = {key: value for key, value in parameters.items() if key != "patchOperations"}
    found = ask("apigateway", operation.replace("update_", "get_", 1), at)
    return found if found is not None and all(_holds(found, patch) for patch in parameters["patchOperations"]) else None


def _holds(answer: Answer, patch: Mapping[str, Any]) -> bool:
    """Whether what a patch asks for is so."""
    value: Any = answer
    for part in patch["path"].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = name if name in value else None
        else:
            value = value.get(name) if isinstance(value, Mapping) else None
    if patch["op"] == "remove":
        return value in (None, "", {}, [])
    if "value" not in patch:
        return value is not None
    return _as_text(value) == str(patch["value"])


def _as_text(value: Any) -> str:
    """A value as patches write it."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _delete(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    return {} if ask("apigateway", operation.replace("delete_", "get_", 1), parameters) is None else None


def _statements(ask: Ask, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statements of a function's policy that have the id of a permission."""
    at = {key: parameters[key] for key in ("FunctionName", "Qualifier") if key in parameters}
    found = ask("lambda", "get_policy", at)
    statements = json.loads(found["Policy"])["Statement"] if found else []
    return (one for one in statements if one.get("Sid") == parameters["StatementId"])


def _add_permission(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    arns = [one.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn") for one in _statements(ask, parameters)]
    return {} if parameters.get("SourceArn") in arns else None


def _remove_permission(ask: Ask, operation: str, parameters: Mapping[str, Any], marker: str) -> Answer | None:
    return None if any(_statements(ask, parameters)) else {}


FINDERS: Mapping[str, Finder] = {
    "create_rest_api": _rest_api,
    "create_resource": _resource,
    "create_request_validator": _validator,
    "create_authorizer": _authorizer,
    "create_deployment": _deployment,
    "create_model": _model,
    "create_stage": _stage,
    "put_method": _put,
    "put_method_response": _put,
    "add_permission": _add_permission,
    "remove_permission": _remove_permission,
}
VERBS: Mapping[str, Finder] = {"update": _update, "delete": _delete}
"""What is left are puts, which replace what is there: they are called again."""


def _like(ask: Ask, operation: str, parameters: Mapping[str, Any], keys: tuple[str, ...]) -> Answer | None:
    """The one of a list that has these parameters' values."""
    found = _items(ask, operation, {"restApiId": parameters["restApiId"]})
    return next((one for one in found if all(one.get(key) == parameters[key] for key in keys if key in parameters)), None)


def _items(ask: Ask, operation: str, at: Mapping[str, Any]) -> Iterator[Answer]:
    """A list, page by page."""
    position: dict[str, Any] = {}
    while True:
        page = ask("apigateway", operation, {**at, **position, "limit": PAGE})
        if page is None:
            return
        yield from page.get("items", [])
        if not page.get("position"):
            return
        position = {"position": page["position"]}


# --- After an operation -----------------------------------------------------------------------------


def settle(placement: Placement, account: Account) -> None:
    """Find out what became of calls whose answers were lost for good: the REST API that was made, the stage that moved. The next
    plan goes on from there. Raises AwsError."""

    def ask(service: str, operation: str, parameters: Mapping[str, Any]) -> Answer | None:
        try:
            return account.ask(service, operation, **parameters)
        except AwsError as error:
            if error.is_missing:
                return None
            raise

    lost = OperationCall.objects.filter(operation__placement=placement, operation__state__in=OVER, state=CallState.STARTED)
    for call in lost.select_related("operation").order_by("operation__requested_at"):
        found = find(ask, call.service, call.operation_name, call.parameters, call.operation.marker)
        call.state = CallState.FAILED if found is None else CallState.FOUND
        call.save(update_fields=["state"])
        if found is not None and call.operation_name == "create_rest_api" and not placement.rest_api_id:
            placement.rest_api_id = str(found["id"])
            placement.save(update_fields=["rest_api_id"])
        elif found is not None and call.operation_name in ("create_stage", "update_stage"):
            call.operation.placement = placement
            keep_live(call.operation, deployment_of(call))


def deployment_of(call: OperationCall) -> str:
    """The deployment that a call pointed a stage to; empty where it pointed it to none."""
    if call.operation_name == "create_deployment":
        return str(call.answer["id"])
    patches = (patch["value"] for patch in call.parameters.get("patchOperations", []) if patch["path"] == "/deploymentId")
    return str(call.parameters.get("deploymentId") or next(patches, ""))


def keep_live(operation: Operation, deployment_id: str) -> None:
    """Remember what the stage points to since the operation moved it."""
    placement, former = operation.placement, operation.placement.deployments.filter(deployment_id=deployment_id).first()
    if former is not None:
        placement.live = former
        placement.forget()
    elif deployment_id and operation.definition:
        placement.went_live(
            deployment_id, operation.api, revision=operation.revision, by=operation.requested_by, note=operation.note
        )
