"""What boto3 is asked, as data: calls in their order, whose parameters refer to a deployment's values and to earlier answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from integrations.gateway.definition import (
    Api,
    Authorizer,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    MethodSettings,
    RequestValidator,
    Route,
    Template,
    effective,
)
from integrations.gateway.grammar import Reference, function_arn, path_parts, references_in, segments
from integrations.gateway.options import options_of, said


@dataclass(frozen=True, slots=True)
class Given:
    """The value that a deployment gives for a parameter, or AWS for a pseudo parameter such as `AWS::Region`."""

    name: str
    kind: Literal["text", "number", "flag", "json"] = "text"
    """What the call takes there; "json": the inside of a string in a JSON text."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A text in the answer to an earlier call: `Ref("api", "id")`."""

    call: str
    key: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A text made of parts."""

    parts: "tuple[str | Given | Ref, ...]"


type Value = str | int | float | bool | Given | Ref | Joined | list[Value] | dict[str, Value]


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
    """The calls that make the API from nothing: API, resources, models, authorizers, validators, methods with their integrations,
    gateway responses, Lambda permissions, deployment, stage and how it runs its methods. An order in which API Gateway knows
    each thing before another refers to it."""
    api = effective(api)
    found = [Call(service="apigateway", operation="create_rest_api", parameters=_rest_api(api), name="api")]
    resources: dict[str, Ref] = {"": Ref("api", "rootResourceId")}
    for route in api.routes:
        found += _resources(route, resources)
    for model in api.models:
        description = {} if model.description is None else {"description": model.description}
        own = {"name": model.name, "contentType": model.content_type, **description, "schema": model.schema}
        found.append(_call("create_model", **own))
    authorizers = {each.name: Ref(f"authorizer {each.name}", "id") for each in api.authorizers}
    found += [_call("create_authorizer", authorizers[each.name].call, **_authorizer(each)) for each in api.authorizers]
    validators: dict[tuple[Value, Value], Ref] = {}
    for each in api.request_validators:
        found += _validator(_checks(each), validators, each.name)
    for route in api.routes:
        found += _validator(_checks(route), validators)
    for route in api.routes:
        found += _method(route, _resource(route, resources), validators, authorizers)
    found += [_call("put_gateway_response", **_gateway_response(each)) for each in api.gateway_responses]
    seen: set[tuple[Value, Value]] = set()
    for permission in (*_decided(api, authorizers), *(one for route in api.routes for one in permissions(route, api.stage_name))):
        if (key := (permission["FunctionName"], permission["SourceArn"])) not in seen:
            seen.add(key)
            statement = joined("api-", Ref("api", "id"), f"-{len(seen)}")
            found.append(Call(service="lambda", operation="add_permission", parameters={"StatementId": statement} | permission))
    found.append(_call("create_deployment", "deployment"))
    found += _stage(api)
    return tuple(found)


def _rest_api(api: Api) -> dict[str, Value]:
    """What create_rest_api takes."""
    endpoint = {
        "types": None if api.endpoint_type is None else [text(api.endpoint_type)],
        "ipAddressType": maybe(api.ip_address_type),
        "vpcEndpointIds": [text(each) for each in api.vpc_endpoint_ids],
    }
    return {"name": text(api.name or "api")} | said(
        {
            "description": api.description or None,
            "binaryMediaTypes": list(api.binary_media_types),
            "endpointConfiguration": said(endpoint),
            "disableExecuteApiEndpoint": flag(api.disable_execute_api_endpoint),
            "securityPolicy": maybe(api.security_policy),
            "endpointAccessMode": maybe(api.endpoint_access_mode),
            "policy": None if api.policy is None else document(api.policy),
            "apiKeySource": maybe(api.api_key_source),
            "minimumCompressionSize": number(api.minimum_compression_size),
            "tags": texts(api.tags),
        }
    )


def _authorizer(authorizer: Authorizer) -> dict[str, Value]:
    """What create_authorizer takes."""
    return {"name": authorizer.name, "type": text(authorizer.type)} | said(
        {
            "providerARNs": [text(each) for each in authorizer.provider_arns],
            "authType": authorizer.auth_type,
            "authorizerUri": maybe(authorizer.authorizer_uri),
            "authorizerCredentials": maybe(authorizer.credentials_role),
            "identitySource": maybe(authorizer.identity_source),
            "identityValidationExpression": authorizer.identity_validation_expression,
            "authorizerResultTtlInSeconds": number(authorizer.result_ttl_seconds),
        }
    )


def _gateway_response(response: GatewayResponse) -> dict[str, Value]:
    """What put_gateway_response takes."""
    return {"responseType": text(response.response_type)} | said(
        {
            "statusCode": maybe(response.status_code),
            "responseParameters": texts(response.response_parameters),
            "responseTemplates": templates(response.response_templates),
        }
    )


def _stage(api: Api) -> Iterator[Call]:
    """The stage; how it logs and runs its methods is told by a patch, which its making does not take."""
    own = {
        "description": maybe(api.stage_description),
        "cacheClusterEnabled": flag(api.cache_cluster_enabled),
        "cacheClusterSize": maybe(api.cache_cluster_size),
        "variables": texts(api.stage_variables),
        "tracingEnabled": flag(api.tracing_enabled),
        "tags": texts(api.stage_tags),
    }
    name = text(api.stage_name)
    yield _call("create_stage", stageName=name, deploymentId=Ref("deployment", "id"), **said(own))
    patches = stage_patches(api)
    if patches:
        operations: list[Value] = [{"op": "replace", "path": path, "value": value} for path, value in patches]
        yield _call("update_stage", stageName=name, patchOperations=operations)


def stage_patches(api: Api) -> list[tuple[Value, Value]]:
    """(path, value) of what update_stage is told of the access log and of each method's settings."""
    log = {"destinationArn": api.access_log_destination, "format": api.access_log_format}
    found: list[tuple[Value, Value]] = [
        (f"/accessLogSettings/{name}", text(value)) for name, value in log.items() if value is not None
    ]
    for setting in api.method_settings:
        at = text(method_key(setting))
        for name, option in options_of(MethodSettings).items():
            value = getattr(setting, name)
            if option.boto3 and value is not None:
                found.append((joined("/", at, f"/{option.boto3}"), _spelt(value)))
    return found


def method_key(setting: MethodSettings) -> str:
    """What a stage calls the methods of a setting, in reference notation: `~1books~1{id}/GET`, `*/*` for all."""
    path = "*" if setting.path in ("/*", "*") else setting.path.replace("/", "~1")
    return f"{path}/{setting.method}"


def _spelt(value: str | float | Reference) -> Value:
    """A value as the text that a patch takes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return Given(value.name) if isinstance(value, Reference) else text(value) if isinstance(value, str) else f"{value:g}"


def _decided(api: Api, authorizers: Mapping[str, Ref]) -> Iterator[dict[str, Value]]:
    """What lets API Gateway invoke the functions of authorizers that no role is assumed for."""
    for authorizer in api.authorizers:
        if authorizer.function and not authorizer.credentials_role:
            yield _permission(authorizer.function, joined("authorizers/", authorizers[authorizer.name]))


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


def _checks(of: Route | RequestValidator) -> tuple[Value, Value]:
    """(body, parameters) that are validated."""
    return flag(of.validate_request_body) or False, flag(of.validate_request_parameters) or False


def _validator(checks: tuple[Value, Value], known: dict[tuple[Value, Value], Ref], declared: str = "") -> Iterator[Call]:
    """The request validator that checks exactly this, where there is none yet. A declared one has a name, and may check
    nothing."""
    if checks in known or (checks == (False, False) and not declared):
        return
    usual = next((name for plain, name in VALIDATORS.items() if plain == checks), f"Validator {len(known) + 1}")
    name = declared or usual
    called = f"validator {len(known) + 1}" if known else "validator"
    known[checks] = Ref(called, "id")
    body, parameters = checks
    yield _call("create_request_validator", called, name=name, validateRequestBody=body, validateRequestParameters=parameters)


def _method(
    route: Route, resource: Ref, validators: Mapping[tuple[Value, Value], Ref], authorizers: Mapping[str, Ref]
) -> Iterator[Call]:
    """A method, its responses, its integration, and how that answers."""
    at: dict[str, Value] = {"resourceId": resource, "httpMethod": text(route.method)}
    checks = _checks(route)
    method: dict[str, Value | None] = {
        "authorizationType": text(route.authorization_type or "NONE"),
        "authorizerId": authorizers.get(route.authorizer or "") or maybe(route.authorizer),
        "authorizationScopes": [text(scope) for scope in route.authorization_scopes],
        "apiKeyRequired": flag(route.api_key_required),
        "operationName": route.operation_name,
        "requestParameters": dict(route.request_parameters),
        "requestModels": texts(route.request_models),
        "requestValidatorId": validators.get(checks) if checks != (False, False) else None,
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
            yield _permission(function, text(tail))


def _permission(function: str, tail: str | Given | Joined) -> dict[str, Value]:
    """What lets API Gateway invoke a function for what stands at the end of an execute-api ARN."""
    arn = text("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:")
    return {
        "FunctionName": text(function_arn(function)),
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": joined(arn, Ref("api", "id"), "/", tail),
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


def document(value: str) -> str | Given | Joined:
    """A JSON text whose texts may hold references."""
    return joined(*(Given(part.name, "json") if isinstance(part, Reference) else str(part) for part in segments(value)))


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


def number(value: float | Reference | None) -> Value | None:
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
