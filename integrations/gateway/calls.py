"""What boto3 is asked, as data: calls in their order, whose parameters refer to a deployment's values and to earlier answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from integrations.gateway.definition import Api, Integration, IntegrationResponse, Lambda, MethodResponse, Route, Template
from integrations.gateway.grammar import Reference, function_arn, path_parts, references_in, segments
from integrations.gateway.options import said


@dataclass(frozen=True, slots=True)
class Given:
    """The value that a deployment gives for a parameter, or AWS for a pseudo parameter such as `AWS::Region`."""

    name: str
    kind: Literal["text", "number", "flag"] = "text"
    """What the call takes there."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A text in the answer to an earlier call: `Ref("api", "id")`."""

    call: str
    key: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A text made of parts."""

    parts: "tuple[str | Given | Ref, ...]"


type Value = str | int | bool | Given | Ref | Joined | list[Value] | dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation of an AWS service, in boto3's names."""

    service: Literal["apigateway", "lambda"]
    operation: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""
    """What later calls refer to its answer by; empty where none does."""


VALIDATORS = {
    (True, False): "Validate body",
    (False, True): "Validate query string parameters and headers",
    (True, True): "Validate body, query string parameters, and headers",
}
"""(body, parameters) → the name of a request validator, as API Gateway's console gives it."""


def calls_of(api: Api) -> tuple[Call, ...]:
    """The calls that make the API from nothing: API, resources, models, validators, methods with their integrations, Lambda
    permissions, deployment, stage. An order in which API Gateway knows each thing before another refers to it."""
    settings = said({"description": api.description or None, "binaryMediaTypes": list(api.binary_media_types)})
    parameters = {"name": text(api.name or "api")} | settings
    found = [Call(service="apigateway", operation="create_rest_api", parameters=parameters, name="api")]
    resources: dict[str, Ref] = {"": Ref("api", "rootResourceId")}
    for route in api.routes:
        found += _resources(route, resources)
    for model in api.models:
        found.append(_call("create_model", name=model.name, contentType=model.content_type, schema=model.schema))
    validators: dict[tuple[Value, Value], Ref] = {}
    for route in api.routes:
        found += _validator(route, validators)
    for route in api.routes:
        found += _method(route, _resource(route, resources), validators)
    permitted: list[dict[str, Value]] = []
    for permission in (one for route in api.routes for one in permissions(route, api.stage_name)):
        if permission not in permitted:
            permitted.append(permission)
            statement = joined("api-", Ref("api", "id"), f"-{len(permitted)}")
            found.append(Call(service="lambda", operation="add_permission", parameters={"StatementId": statement} | permission))
    found.append(_call("create_deployment", "deployment"))
    variables = said({"variables": texts(api.stage_variables)})
    stage = text(api.stage_name)
    found.append(_call("create_stage", stageName=stage, deploymentId=Ref("deployment", "id"), **variables))
    return tuple(found)


def _call(operation: str, called: str = "", /, **parameters: Value) -> Call:
    """A call within the API."""
    return Call(service="apigateway", operation=operation, parameters={"restApiId": Ref("api", "id")} | parameters, name=called)


def _resources(route: Route, known: dict[str, Ref]) -> Iterator[Call]:
    """The resources of a path that are not known yet."""
    parent = ""
    for part in path_parts(route.path):
        path = f"{parent}/{part.text}"
        if path not in known:
            known[path] = Ref(path, "id")
            yield _call("create_resource", path, parentId=known[parent], pathPart=text(part.text))
        parent = path


def _resource(route: Route, known: Mapping[str, Ref]) -> Ref:
    return known["".join(f"/{part.text}" for part in path_parts(route.path))]


def _checks(route: Route) -> tuple[Value, Value]:
    """(body, parameters) that the method validates."""
    return flag(route.validate_request_body) or False, flag(route.validate_request_parameters) or False


def _validator(route: Route, known: dict[tuple[Value, Value], Ref]) -> Iterator[Call]:
    """The request validator of a method, where it has one that is not known yet."""
    checks = _checks(route)
    if checks == (False, False) or checks in known:
        return
    name = next((name for plain, name in VALIDATORS.items() if plain == checks), f"Validator {len(known) + 1}")
    called = f"validator {len(known) + 1}" if known else "validator"
    known[checks] = Ref(called, "id")
    body, parameters = checks
    yield _call("create_request_validator", called, name=name, validateRequestBody=body, validateRequestParameters=parameters)


def _method(route: Route, resource: Ref, validators: Mapping[tuple[Value, Value], Ref]) -> Iterator[Call]:
    """A method, its responses, its integration, and how that answers."""
    at: dict[str, Value] = {"resourceId": resource, "httpMethod": text(route.method)}
    method: dict[str, Value | None] = {
        "authorizationType": text(route.authorization_type or "NONE"),
        "authorizerId": maybe(route.authorizer),
        "authorizationScopes": [text(scope) for scope in route.authorization_scopes],
        "apiKeyRequired": flag(route.api_key_required),
        "operationName": route.operation_name,
        "requestParameters": dict(route.request_parameters),
        "requestModels": texts(route.request_models),
        "requestValidatorId": validators.get(_checks(route)),
    }
    yield _call("put_method", **at, **said(method))
    for response in route.method_responses:
        yield _call("put_method_response", **at, **_method_response(response))
    yield _call("put_integration", **at, **integration(route.integration))
    for answer in answers(route.integration):
        yield _call("put_integration_response", **at, **_integration_response(answer))


def _method_response(response: MethodResponse) -> dict[str, Value]:
    return said(
        {
            "statusCode": text(response.status_code),
            "responseParameters": dict(response.response_parameters),
            "responseModels": texts(response.response_models),
        }
    )


def integration(value: Integration) -> dict[str, Value]:
    """What put_integration takes of an integration."""
    insecure = flag(value.insecure_skip_verification)
    return said(
        {
            "type": text(value.type),
            "integrationHttpMethod": maybe(value.http_method),
            "uri": text(value.uri) if value.uri else None,
            "connectionType": maybe(value.connection_type),
            "connectionId": maybe(value.vpc_link),
            "integrationTarget": maybe(value.integration_target),
            "credentials": maybe(value.credentials),
            "requestParameters": texts(value.request_parameters),
            "requestTemplates": templates(value.request_templates),
            "passthroughBehavior": maybe(value.passthrough_behavior),
            "contentHandling": maybe(value.content_handling),
            "cacheNamespace": maybe(value.cache_namespace),
            "cacheKeyParameters": list(value.cache_key_parameters),
            "timeoutInMillis": number(value.timeout_ms),
            "responseTransferMode": maybe(value.response_transfer_mode),
            "tlsConfig": None if insecure is None else {"insecureSkipVerification": insecure},
        }
    )


def answers(value: Integration) -> tuple[IntegrationResponse, ...]:
    """The integration responses, the first of each status: a second put of one status would replace it."""
    found: dict[str, IntegrationResponse] = {}
    for response in value.integration_responses:
        found.setdefault(response.status_code, response)
    return tuple(found.values())


def _integration_response(response: IntegrationResponse) -> dict[str, Value]:
    return said(
        {
            "statusCode": text(response.status_code),
            "selectionPattern": response.selection_pattern,
            "contentHandling": maybe(response.content_handling),
            "responseParameters": texts(response.response_parameters),
            "responseTemplates": templates(response.response_templates),
        }
    )


def permissions(route: Route, stage_name: str) -> Iterator[dict[str, Value]]:
    """What lets API Gateway invoke the functions, scoped as the CDK scopes it. A function that a stage variable names is known at
    the call only: those that are listed get a permission each."""
    backend = route.integration.backend
    if not isinstance(backend, Lambda):
        return
    method = method_scope(route)
    tails = [f"{stage_name}/{method}"]
    if backend.scope_permission_to_method is False:
        tails = ["*/*/*"]
    elif backend.allow_test_invoke is not False:
        tails.append(f"test-invoke-stage/{method}")
    for function in backend.permitted:
        for tail in tails:
            arn = text("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:")
            yield {
                "FunctionName": text(function_arn(function)),
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": joined(arn, Ref("api", "id"), "/", text(tail)),
            }


def method_scope(route: Route, written: Callable[[str], str] = str) -> str:
    """The method in a source ARN, `GET/orders/*`: any for one that is not known here, any value for a variable of the path; each
    other part of the path as `written` gives it."""
    verb = "*" if route.method == "ANY" or references_in(route.method) else route.method
    path = "".join("/*" if part.variable else f"/{written(part.text)}" for part in path_parts(route.path)) or "/"
    return f"{verb}{path}"


# --- Values ----------------------------------------------------------------------------------------


def text(value: str) -> str | Given | Joined:
    """Reference text as a value."""
    if "${" not in value:
        return value
    return joined(*(Given(part.name) if isinstance(part, Reference) else str(part) for part in segments(value)))


def joined(*values: str | Given | Ref | Joined) -> str | Given | Joined:
    """The values one after the other; neighbouring texts become one."""
    parts: list[str | Given | Ref] = []
    for part in (part for value in values for part in (value.parts if isinstance(value, Joined) else (value,))):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif part != "":
            parts.append(part)
    if len(parts) == 1 and isinstance(parts[0], str | Given):
        return parts[0]
    return Joined(tuple(parts)) if parts else ""


def maybe(value: str | None) -> Value | None:
    """Reference text where it is set."""
    return None if value is None else text(value)


def number(value: int | Reference | None) -> Value | None:
    """A number, or the one that a deployment gives."""
    return Given(value.name, "number") if isinstance(value, Reference) else value


def flag(value: bool | Reference | None) -> Value | None:
    """True or false, or what a deployment gives."""
    return Given(value.name, "flag") if isinstance(value, Reference) else value


def texts(values: Mapping[str, str]) -> dict[str, Value]:
    """A map of reference texts."""
    return {key: text(value) for key, value in values.items()}


def templates(values: Mapping[str, Template]) -> dict[str, Value]:
    """Velocity templates: verbatim, or with their marked references."""
    return {key: text(value.text) if value.substituted else value.text for key, value in values.items()}
