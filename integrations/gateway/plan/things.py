"""What a call makes and what an account holds, in the same terms: things by key, what they say, how one becomes another."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.gateway.account import AccountState, Answer
from integrations.gateway.calls import Call, Given, Joined, Ref, Value, joined
from integrations.gateway.definition import Authorizer, Integration, MethodSettings
from integrations.gateway.observed import GATEWAY_BODY, checks_of, methods, policy_of, source_of
from integrations.gateway.options import options_of
from integrations.gateway.plan.value import canonical, value_to_json

type Key = tuple[str, ...]
"""The operation that makes a thing, and which one it is: `("put_method_response", "GET", "/books", "200")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What one operation makes."""

    noun: str
    """What it is called before its place: "integration" of GET /books."""
    says: Mapping[str, Any]
    """The parameters that can differ → what unset equals on AWS."""
    update: str = ""
    """The operation that patches it. Empty: the same call is made again, and replaces it."""
    delete: str = ""
    shared: bool = False
    """Whether it is the API's, not one method's: an integration that is adopted into somebody's API leaves it as it is."""


def _defaults(owner: type) -> dict[str, Any]:
    """The parameters that options of that kind declare → AWS's default, a flat one."""
    return {one.boto3: one.aws_default for one in options_of(owner).values() if one.boto3 and "." not in one.boto3}


KINDS: dict[str, Kind] = {
    "create_rest_api": Kind(
        noun="API",
        says={
            **{"name": "", "description": "", "binaryMediaTypes": [], "policy": "", "apiKeySource": "HEADER"},
            **{"disableExecuteApiEndpoint": False, "securityPolicy": "", "endpointAccessMode": "", "minimumCompressionSize": ""},
            **{"endpointConfiguration": {"types": ["EDGE"]}},
        },
        update="update_rest_api",
        delete="delete_rest_api",
        shared=True,
    ),
    "create_resource": Kind(noun="resource", says={}, delete="delete_resource"),
    "create_model": Kind(
        noun="model",
        says={"description": "", "schema": "", "contentType": "application/json"},
        update="update_model",
        delete="delete_model",
        shared=True,
    ),
    "create_authorizer": Kind(
        noun="authorizer",
        says=_defaults(Authorizer) | {"type": "", "providerARNs": [], "authorizerUri": ""},
        update="update_authorizer",
        delete="delete_authorizer",
        shared=True,
    ),
    "put_gateway_response": Kind(
        noun="gateway response",
        says={"statusCode": "", "responseParameters": {}, "responseTemplates": GATEWAY_BODY},
        delete="delete_gateway_response",
        shared=True,
    ),
    "create_request_validator": Kind(noun="request validator", says={}, delete="delete_request_validator", shared=True),
    "put_method": Kind(
        noun="method",
        says={
            "authorizationType": "NONE",
            "authorizerId": "",
            "authorizationScopes": [],
            "apiKeyRequired": False,
            "operationName": "",
            "requestParameters": {},
            "requestModels": {},
            "requestValidatorId": "",
        },
        update="update_method",
        delete="delete_method",
    ),
    "put_method_response": Kind(
        noun="method response",
        says={"responseParameters": {}, "responseModels": {}},
        update="update_method_response",
        delete="delete_method_response",
    ),
    "put_integration": Kind(
        noun="integration",
        says={
            **{"type": "", "integrationHttpMethod": "", "uri": "", "credentials": ""},
            **_defaults(Integration),
            **{"tlsConfig": {}},
        },
        delete="delete_integration",
    ),
    "put_integration_response": Kind(
        noun="integration response",
        says={"selectionPattern": "", "contentHandling": "", "responseParameters": {}, "responseTemplates": {}},
        delete="delete_integration_response",
    ),
    "add_permission": Kind(noun="permission", says={}, delete="remove_permission"),
    "create_deployment": Kind(noun="deployment", says={}, shared=True),
    "create_stage": Kind(
        noun="stage",
        says={
            **{"variables": {}, "description": "", "cacheClusterEnabled": False, "cacheClusterSize": ""},
            **{"tracingEnabled": False},
        },
        update="update_stage",
        delete="delete_stage",
        shared=True,
    ),
    "update_stage": Kind(noun="settings of the stage", says={}, shared=True),
}
"""Operation → what it makes. What `calls_of` may ask for stands here, parameter by parameter: a test holds it."""

CHOSEN = frozenset(
    {"securityPolicy", "endpointAccessMode", "ipAddressType", "cacheClusterSize", "statusCode"}
    | {"throttling/burstLimit", "throttling/rateLimit"}
)
"""What AWS chooses by the endpoint, the account or the kind of response where a definition says nothing: then it stays, whatever
it is."""
SETS = frozenset({"authorizationScopes", "binaryMediaTypes", "cacheKeyParameters", "providerARNs", "vpcEndpointIds"})
"""Lists whose order means nothing."""
REPLACED = frozenset({"variables"})
"""Maps whose new keys are replaced too: UpdateStage adds no variable otherwise (its reference, "Patch operations")."""
JSON_TEXTS = frozenset({"schema", "policy"})
"""Texts that are JSON: as AWS keeps them, they may be spaced in another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One thing, wanted or held."""

    key: Key
    says: Mapping[str, Value]
    """Its parameters by the name that the call takes; unset ones left out."""
    at: Mapping[str, Value] = field(default_factory=dict)
    """The parameters that say which it is to an update or a delete."""
    call: Call | None = None
    """What makes it, where it is wanted."""
    answer: Answer = field(default_factory=dict)
    """What the making call would have answered, where it is held."""

    @property
    def kind(self) -> Kind:
        """What it is."""
        return KINDS[self.key[0]]

    @property
    def route(self) -> str:
        """The method that it belongs to; empty for what is the API's."""
        return " ".join(self.key[1:3]) if self.key[0] in METHOD_PARTS else ""

    @property
    def words(self) -> str:
        """What people call it."""
        match self.key:
            case ("create_rest_api", *_):
                return "the API"
            case ("put_method", verb, path):
                return f"the method {verb} {path}"
            case (str(), verb, path, status):
                return f"the {self.kind.noun} {status} of {verb} {path}"
            case (operation, verb, path) if operation in METHOD_PARTS:
                return f"the {self.kind.noun} of {verb} {path}"
            case ("add_permission", function, source):
                return f"the permission of {function} for {source.rpartition(':')[2].partition('/')[2]}"
            case ("create_request_validator", body, parameters):
                checked = " and ".join(name for name, checks in (("body", body), ("parameters", parameters)) if checks == "True")
                return f"the request validator of {checked}"
            case (_, *rest):
                return f"the {self.kind.noun} {' '.join(rest)}"
            case _:
                return self.kind.noun


METHOD_PARTS = ("put_method", "put_method_response", "put_integration", "put_integration_response")


# --- What is wanted --------------------------------------------------------------------------------


def pseudo(state: AccountState) -> dict[str, str]:
    """What AWS itself supplies there."""
    return {
        "AWS::AccountId": state.account,
        "AWS::Region": state.region,
        "AWS::Partition": state.partition,
        "AWS::URLSuffix": state.dns_suffix,
    }


def settled(value: Value, given: Mapping[str, str], known: Mapping[str, Answer]) -> Value:
    """A value with what is given and what earlier answers are known to hold in place; other Refs stay."""
    match value:
        case Given(name=name) if name in given:
            return given[name]
        case Ref(call, key) if key in known.get(call, ()):
            return str(known[call][key])
        case Joined(parts):
            return joined(*(settled(part, given, known) for part in parts))  # type: ignore[arg-type]
        case dict():
            return {key: settled(inner, given, known) for key, inner in value.items()}
        case list():
            return [settled(inner, given, known) for inner in value]
        case _:
            return value


def wanted(calls: Iterable[Call], given: Mapping[str, str]) -> dict[Key, Thing]:
    """The things that the calls make, in their order; a permission by function and source, with the API's id as `{api}`."""
    found: dict[Key, Thing] = {}
    for call in calls:
        parameters = {name: settled(value, given, {}) for name, value in call.parameters.items()}
        made = Call(service=call.service, operation=call.operation, parameters=parameters, name=call.name)
        key = _key(made)
        says = {name: value for name, value in parameters.items() if name in KINDS[call.operation].says}
        if call.operation == "update_stage":
            says = dict(_patched(parameters["patchOperations"]))
        at = {name: value for name, value in parameters.items() if name not in says}
        found.setdefault(key, Thing(key=key, says=says, at=at, call=made))
    return found


def _patched(operations: Value) -> Iterator[tuple[str, Value]]:
    """(path, value) of each patch."""
    for one in operations if isinstance(operations, list) else ():
        if isinstance(one, dict):
            yield str(one["path"]), one["value"]


def _key(call: Call) -> Key:
    parameters = call.parameters
    match call.operation:
        case "create_rest_api" | "create_deployment":
            return (call.operation,)
        case "create_resource":
            return (call.operation, call.name)
        case "create_model" | "create_authorizer":
            return (call.operation, str(parameters["name"]))
        case "create_request_validator":
            checks = checks_of(parameters)
            return (call.operation, *map(str, checks))
        case "put_gateway_response":
            return (call.operation, str(parameters["responseType"]))
        case "create_stage" | "update_stage":
            return (call.operation, str(parameters["stageName"]))
        case "add_permission":
            return (call.operation, str(parameters["FunctionName"]), _with_place(parameters["SourceArn"]))
        case operation:
            at = parameters["resourceId"]
            path = at.call if isinstance(at, Ref) and at.call != "api" else "/"
            status = (str(parameters["statusCode"]),) if "statusCode" in parameters else ()
            return (operation, str(parameters["httpMethod"]), path, *status)


def _with_place(source: Value) -> str:
    """A source ARN with `{api}` where the API's id stands, and `{authorizer NAME}` for that of an authorizer."""
    return (
        "".join(f"{{{part.call}}}" if isinstance(part, Ref) else str(part) for part in source.parts)
        if isinstance(source, Joined)
        else str(source)
    )


def content(things: Mapping[Key, Thing]) -> str:
    """Twelve hexadecimal digits of all that a deployment of these things would hold: what its description carries."""
    held = [
        [*thing.key, {name: value_to_json(value) for name, value in thing.says.items() if not _is_default(thing, name, value)}]
        for thing in things.values()
        if thing.key[0] not in ("create_deployment", "create_stage", "update_stage", "add_permission")
    ]
    return hashlib.sha256(canonical(sorted(held, key=canonical)).encode("ascii")).hexdigest()[:12]


def _is_default(thing: Thing, name: str, value: Value) -> bool:
    """Whether a parameter says what AWS does anyway."""
    return bool(_plain(name, value) == _plain(name, thing.kind.says.get(name)))


# --- What is held ----------------------------------------------------------------------------------


def held(state: AccountState) -> dict[Key, Thing]:
    """The things of an account, by the same keys."""
    return {thing.key: thing for thing in _held(state)}


def _held(state: AccountState) -> Iterator[Thing]:
    if state.api is None:
        return
    api = {"restApiId": state.api_id}
    root = {"rootResourceId": state.root_id} if state.root_id else {}
    said = {**state.api, "policy": policy_of(state.api, state)}
    yield _thing(("create_rest_api",), said, api, {**state.api, **root})
    for resource in state.resources:
        if resource.get("path") != "/":
            yield _thing(("create_resource", str(resource["path"])), {}, api | {"resourceId": str(resource["id"])}, resource)
    for model in state.models:
        yield _thing(("create_model", str(model["name"])), model, api | {"modelName": str(model["name"])}, model)
    for validator in sorted(state.validators, key=lambda one: str(one["id"]), reverse=True):
        at = api | {"requestValidatorId": str(validator["id"])}
        yield _thing(("create_request_validator", *map(str, checks_of(validator))), {}, at, validator)
    for authorizer in state.authorizers:
        at = api | {"authorizerId": str(authorizer["id"])}
        yield _thing(("create_authorizer", str(authorizer["name"])), authorizer, at, authorizer)
    for response in state.gateway_responses:
        at = api | {"responseType": str(response["responseType"])}
        yield _thing(("put_gateway_response", str(response["responseType"])), response, at, response)
    for verb, resource, method in methods(state):
        yield from _of_method(verb, str(resource["path"]), api | {"resourceId": str(resource["id"]), "httpMethod": verb}, method)
    for stage in state.stages:
        at = api | {"stageName": str(stage["stageName"])}
        yield _thing(("create_stage", str(stage["stageName"])), stage, at, stage)
        yield Thing(key=("update_stage", str(stage["stageName"])), says=dict(_settings(stage)), at=at, answer=stage)
    for function, statements in state.policies.items():
        for statement in statements:
            if (source := permitted_source(statement)) and f":{state.api_id}/" in source:
                at = {"FunctionName": function, "StatementId": str(statement["Sid"])}
                place = source.replace(f":{state.api_id}/", ":{api}/", 1)
                for one in state.authorizers:
                    place = place.replace(
                        f":{{api}}/authorizers/{one['id']}", f":{{api}}/authorizers/{{authorizer {one['name']}}}"
                    )
                yield _thing(("add_permission", function, place), {}, at, statement)


def _settings(stage: Answer) -> Iterator[tuple[str, Value]]:
    """(path, value) of the patches that would give a stage its access log and the settings of its methods."""
    for name, value in (stage.get("accessLogSettings") or {}).items():
        yield f"/accessLogSettings/{name}", str(value)
    for method, held in (stage.get("methodSettings") or {}).items():
        for option in options_of(MethodSettings).values():
            name = option.cloudformation[:1].lower() + option.cloudformation[1:]
            if option.boto3 and name in held:
                value = held[name]
                yield f"/{method}/{option.boto3}", f"{value:g}" if isinstance(value, float) else _text(value)


def permitted_source(statement: Answer) -> str:
    """The source ARN for which a statement lets API Gateway invoke the function; empty where it is another permission."""
    principal = statement.get("Principal")
    service = principal.get("Service") if isinstance(principal, Mapping) else principal
    allows = statement.get("Effect") == "Allow" and statement.get("Action") in ("lambda:InvokeFunction", "lambda:*", "*")
    return source_of(statement) if allows and service == "apigateway.amazonaws.com" else ""


def _of_method(verb: str, path: str, at: Mapping[str, Value], method: Answer) -> Iterator[Thing]:
    yield _thing(("put_method", verb, path), method, at, method)
    for status, response in (method.get("methodResponses") or {}).items():
        yield _thing(("put_method_response", verb, path, status), response, {**at, "statusCode": status}, response)
    integration = method.get("methodIntegration")
    if integration is not None:
        said = dict(integration)
        if "httpMethod" in said:
            said["integrationHttpMethod"] = said.pop("httpMethod")
        yield _thing(("put_integration", verb, path), said, at, integration)
        for status, response in (integration.get("integrationResponses") or {}).items():
            yield _thing(("put_integration_response", verb, path, status), response, {**at, "statusCode": status}, response)


def _thing(key: Key, says: Mapping[str, Any], at: Mapping[str, Value], answer: Answer) -> Thing:
    kept = {name: says[name] for name in KINDS[key[0]].says if says.get(name) is not None} if key[0] in KINDS else {}
    return Thing(key=key, says=kept, at=at, answer=answer)


# --- One against the other -------------------------------------------------------------------------


def differing(before: Thing, after: Thing, known: Mapping[str, Answer]) -> tuple[str, ...]:
    """The parameters in which a held thing is another than the wanted one. What API Gateway ignores for the integration's type
    and did not keep is none."""
    kind, found = after.kind, []
    ignored = ignored_by(str(after.says.get("type", ""))) if after.key[0] == "put_integration" else frozenset()
    for name, default in (kind.says or dict.fromkeys(after.says, "")).items():
        mine, theirs = settled(after.says.get(name, default), {}, known), before.says.get(name, default)
        if name in ignored and name not in before.says:
            continue
        if name in CHOSEN and name not in after.says:
            continue
        if name == "cacheNamespace" and name not in after.says and theirs == before.at.get("resourceId"):
            continue
        if name in ("uri", "integrationHttpMethod") and after.says.get("type") == "MOCK":
            continue
        if name == "endpointConfiguration":
            mine = _endpoint(mine, theirs)
        if _plain(name, mine) != _plain(name, theirs):
            found.append(name)
    return tuple(found)


def _endpoint(mine: Any, theirs: Any) -> dict[str, Any]:
    """An endpoint's configuration with what AWS chose where nothing is said."""
    chosen = {name: theirs[name] for name in CHOSEN if name in theirs}
    return {"types": ["EDGE"]} | chosen | {name: value for name, value in mine.items() if value}


def ignored_by(type_: str) -> frozenset[str]:
    """The parameters of PutIntegration that an integration of this type has no use for."""
    return frozenset(
        one.boto3.partition(".")[0] for one in options_of(Integration).values() if one.boto3 and type_ not in one.types
    )


def _plain(name: str, value: Any) -> Any:
    """A value such that two which mean the same are equal."""
    if name in SETS:
        return sorted(map(str, value or ()))
    if name in JSON_TEXTS and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, Mapping):
        return {key: _plain(key, inner) for key, inner in value.items() if inner is not False or name != "tlsConfig"}
    if isinstance(value, bool):
        return value
    return value or ""


def patches(name: str, before: Any, after: Any) -> Iterator[dict[str, Value]]:
    """The patch operations (RFC 6902, as API Gateway takes them) that make one parameter another."""
    if name == "endpointConfiguration":
        yield from _endpoint_patches(before or {}, after or {})
    elif name == "minimumCompressionSize" and after in ("", None):
        yield {"op": "replace", "path": f"/{name}"}
    elif isinstance(before, Mapping) or isinstance(after, Mapping):
        before, after = before or {}, after or {}
        for key, value in after.items():
            if key not in before or before[key] != value:
                op = "replace" if key in before or name in REPLACED else "add"
                yield {"op": op, "path": f"/{name}/{pointed(key)}", "value": _text(value)}
        for key in before:
            if key not in after:
                yield {"op": "remove", "path": f"/{name}/{pointed(key)}"}
    elif isinstance(before, list | tuple) or isinstance(after, list | tuple):
        for value in after or ():
            if value not in (before or ()):
                yield _row(name, "add", value)
        for value in before or ():
            if value not in (after or ()):
                yield _row(name, "remove", value)
    else:
        yield {"op": "replace", "path": f"/{name}", "value": _text(after)}


def _endpoint_patches(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Value]]:
    """An endpoint's type is replaced under the one that it is; its VPC endpoints are rows."""
    old, new = (next(iter(one.get("types") or ["EDGE"])) for one in (before, after))
    if old != new:
        yield {"op": "replace", "path": f"/endpointConfiguration/types/{old}", "value": new}
    if (address := after.get("ipAddressType")) and address != before.get("ipAddressType"):
        yield {"op": "replace", "path": "/endpointConfiguration/ipAddressType", "value": address}
    for operation in patches("vpcEndpointIds", before.get("vpcEndpointIds") or [], after.get("vpcEndpointIds") or []):
        yield {**operation, "path": "/endpointConfiguration/vpcEndpointIds"}


def _row(name: str, op: str, value: Value) -> dict[str, Value]:
    """A row of a list: media types stand in the path, the others are a value."""
    if name == "binaryMediaTypes":
        return {"op": op, "path": f"/{name}/{pointed(str(value))}"}
    return {"op": op, "path": f"/{name}", "value": value}


def pointed(key: str) -> str:
    """A key within a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def _text(value: Value) -> Value:
    """A patch's value is a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value
