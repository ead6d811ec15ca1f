"""What an account holds of a REST API → the definition that says the same, and remarks on what it does not say."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from integrations.gateway.account import AccountState, Answer
from integrations.gateway.definition import (
    BUILT_IN_MODELS,
    CALLER_CREDENTIALS,
    METHODS,
    Api,
    Authorizer,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    MethodSettings,
    Model,
    Raw,
    Route,
    Template,
)
from integrations.gateway.formats import loaded
from integrations.gateway.formats.backends import backend_of, shortest
from integrations.gateway.grammar import (
    StageVariable,
    escaped,
    function_arn,
    parse_integration_uri,
    parse_invocation,
    path_parts,
    segments,
)
from integrations.gateway.options import options_of

type Checks = tuple[bool, bool]
"""(body, parameters) that a request validator checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What became of a part of the account on its way into a definition."""

    route: str
    """`GET /books`; empty where it is the API's."""
    kind: Literal["raw", "left"]
    """Kept verbatim, because no backend says it; or left out, and why."""
    message: str


def observed(state: AccountState, *, stage_name: str = "", only: Iterable[str] = ()) -> tuple[Api, tuple[Remark, ...]]:
    """The REST API as a definition: methods in the order of their paths, the stage's variables, and remarks.

    An ARN in the API's own account, Region and partition is written with references, so that it means the same wherever it
    is deployed. `only`: the methods that are wanted, as `GET /books`.
    """
    wanted, routes, remarks = frozenset(only), [], []
    checks = {str(one["id"]): checks_of(one) for one in state.validators}
    for verb, resource, method in methods(state):
        path = str(resource["path"])
        name = f"{verb} {path}"
        if wanted and name not in wanted:
            continue
        if "methodIntegration" not in method:
            remarks.append(
                Remark(route=name, kind="left", message="The method has no integration yet: there is nothing to read.")
            )
            continue
        route = route_of(verb, path, method, checks=checks, state=state, namespace=str(resource["id"]))
        route = permitted(route, state, stage_name)
        routes.append(route)
        remarks += _remarks(name, route, method)
    answer, stage = state.api or {}, state.stage(stage_name) or {}
    api = Api(
        name=reading(str(answer.get("name", ""))),
        description=str(answer.get("description") or ""),
        models=tuple(models_of(state.models)),
        authorizers=tuple(authorizer_of(one, state) for one in sorted(state.authorizers, key=lambda one: str(one["name"]))),
        gateway_responses=tuple(gateway_responses_of(state.gateway_responses)),
        stage_name=reading(stage_name) if stage_name else "prod",
        routes=tuple(routes),
        **_api_settings(answer, state),
        **_stage_settings(stage),
    )
    return api, tuple(remarks)


MARK = "gatehouse"
"""The tag of a REST API that an operation of Gatehouse's made: none of the definition's."""


def _api_settings(answer: Answer, state: AccountState) -> dict[str, Any]:
    """What a REST API says of itself, by the names of the definition; what AWS chooses by itself is unset."""
    endpoint = answer.get("endpointConfiguration") or {}
    kind = next(iter(endpoint.get("types") or ()), None)
    address = endpoint.get("ipAddressType")
    return {
        "binary_media_types": tuple(sorted(answer.get("binaryMediaTypes") or ())),
        "endpoint_type": _maybe(kind),
        "ip_address_type": None if address == ("dualstack" if kind == "PRIVATE" else "ipv4") else _maybe(address),
        "vpc_endpoint_ids": tuple(map(reading, sorted(endpoint.get("vpcEndpointIds") or ()))),
        "disable_execute_api_endpoint": bool(answer.get("disableExecuteApiEndpoint")),
        "security_policy": _maybe(answer.get("securityPolicy")),
        "endpoint_access_mode": _maybe(answer.get("endpointAccessMode")),
        "policy": escaped(policy_of(answer, state)) or None,
        "api_key_source": _maybe(answer.get("apiKeySource")),
        "minimum_compression_size": answer.get("minimumCompressionSize"),
        "tags": {key: value for key, value in texts(answer.get("tags")).items() if key != MARK},
    }


def policy_of(answer: Answer, state: AccountState) -> str:
    """A REST API's resource policy as it was given, on one line; empty where it has none.

    API Gateway answers with its quotes escaped, and keeps `execute-api:/stage/GET/path` as an ARN of the API.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
    """
    text = str(answer.get("policy") or "")
    own = f"arn:{state.partition}:execute-api:{state.region}:{state.account}:{answer.get('id', '')}/"
    try:
        text = str(json.loads(f'"{text}"')) if '\\"' in text else text
        return json.dumps(json.loads(text)).replace(own, "execute-api:/") if text else ""
    except ValueError:
        return text


def _stage_settings(stage: Answer) -> dict[str, Any]:
    """What a stage says of itself, by the names of the definition."""
    log = stage.get("accessLogSettings") or {}
    return {
        "stage_variables": texts(stage.get("variables")),
        "stage_description": _maybe(stage.get("description")),
        "cache_cluster_enabled": bool(stage.get("cacheClusterEnabled")),
        "cache_cluster_size": _maybe(stage.get("cacheClusterSize")) if stage.get("cacheClusterEnabled") else None,
        "tracing_enabled": bool(stage.get("tracingEnabled")),
        "access_log_destination": _maybe(log.get("destinationArn")),
        "access_log_format": _maybe(log.get("format")),
        "method_settings": tuple(method_settings_of(stage.get("methodSettings") or {})),
        "stage_tags": texts(stage.get("tags")),
    }


SETTINGS = {
    name: option.cloudformation[:1].lower() + option.cloudformation[1:]
    for name, option in options_of(MethodSettings).items()
    if option.boto3
}
"""An option of MethodSettings → its name in a stage's answer, which is CloudFormation's with a small letter."""


def method_settings_of(settings: Mapping[str, Answer]) -> Iterator[MethodSettings]:
    """The settings of a stage's methods; what says no more than API Gateway's defaults is left out."""
    for key, held in sorted(settings.items()):
        path, _, method = key.rpartition("/")
        plain = "/" + path.replace("~1", "/").strip("/")
        said: dict[str, Any] = {}
        for name, answer in SETTINGS.items():
            value, option = held.get(answer), options_of(MethodSettings)[name]
            unlimited = name.startswith("throttling") and value is not None and float(value) < 0
            if value is None or unlimited or value == option.aws_default or (option.aws_default is None and value is False):
                continue
            said[name] = reading(value) if isinstance(value, str) else value
        if said:
            yield MethodSettings(path="/*" if path == "*" else plain, method=method, **said)


def authorizer_of(answer: Answer, state: AccountState) -> Authorizer:
    """An authorizer in the shape of `get_authorizer`'s answer: by its function, or by a URI that says something else."""
    uri = portable(reading(answer["authorizerUri"]), state) if answer.get("authorizerUri") else None
    parts = parse_integration_uri(uri) if uri else None
    call = parse_invocation(parts.rest) if parts else None
    function = shortest(call[0]) if call is not None else None
    made = Authorizer(
        name=str(answer["name"]),
        type=reading(str(answer.get("type", "TOKEN"))),
        function=function,
        credentials_role=_maybe(answer.get("authorizerCredentials")),
        identity_sources=tuple(map(reading, filter(None, str(answer.get("identitySource") or "").split(",")))),
        identity_validation_expression=answer.get("identityValidationExpression") or None,
        result_ttl_seconds=answer.get("authorizerResultTtlInSeconds"),
        provider_arns=tuple(map(reading, sorted(answer.get("providerARNs") or ()))),
        auth_type=answer.get("authType") or None,
    )
    return made if made.authorizer_uri == uri else replace(made, function=None, uri=uri)


def gateway_responses_of(answers: Iterable[Answer]) -> Iterator[GatewayResponse]:
    """The gateway responses that were set."""
    for answer in sorted(answers, key=lambda one: str(one["responseType"])):
        bodies = answer.get("responseTemplates")
        yield GatewayResponse(
            response_type=reading(str(answer["responseType"])),
            status_code=_maybe(answer.get("statusCode")),
            response_parameters=texts(answer.get("responseParameters")),
            response_templates={} if bodies == GATEWAY_BODY else templates(bodies),
        )


GATEWAY_BODY = {"application/json": '{"message":$context.error.messageString}'}
"""The bodies of a gateway response that was given none."""


def methods(state: AccountState) -> Iterator[tuple[str, Answer, Answer]]:
    """(verb, resource, method) of all methods, by path and verb."""
    for resource in sorted(state.resources, key=lambda one: str(one.get("path", ""))):
        for verb, method in sorted((resource.get("resourceMethods") or {}).items()):
            yield verb, resource, method


def checks_of(validator: Answer) -> Checks:
    """What a request validator checks."""
    return bool(validator.get("validateRequestBody")), bool(validator.get("validateRequestParameters"))


def models_of(models: Iterable[Answer]) -> Iterator[Model]:
    """The models, without those that every API begins with."""
    for model in sorted(models, key=lambda one: str(one["name"])):
        name, schema = str(model["name"]), str(model.get("schema") or "{}")
        if not (name in BUILT_IN_MODELS and f'"{name} Schema"' in schema):
            content_type, description = str(model.get("contentType") or "application/json"), model.get("description") or None
            yield Model(name=name, content_type=content_type, schema=schema, description=description)


def route_of(
    verb: str, path: str, method: Answer, *, checks: Mapping[str, Checks], state: AccountState, namespace: str = ""
) -> Route:
    """A method in the shape of `get_method`'s answer, as a route. `checks`: what each validator's id stands for; `namespace`: the
    cache namespace that it has when nobody gave it one, the id of its resource."""
    body, parameters = checks.get(str(method.get("requestValidatorId") or ""), (False, False))
    route = Route(
        method=reading(verb),
        path=reading(path),
        integration=integration_of(method.get("methodIntegration") or {}, state, namespace),
        operation_name=method.get("operationName") or None,
        authorization_type=reading(method["authorizationType"]) if method.get("authorizationType") else None,
        authorizer=authorizer_name(str(method["authorizerId"]), state) if method.get("authorizerId") else None,
        authorization_scopes=tuple(map(reading, sorted(method.get("authorizationScopes") or ()))),
        api_key_required=bool(method.get("apiKeyRequired")),
        request_models=texts(method.get("requestModels")),
        validate_request_body=body,
        validate_request_parameters=parameters,
    )
    responses = (
        MethodResponse(
            status_code=reading(status),
            response_parameters={key: bool(value) for key, value in sorted((response.get("responseParameters") or {}).items())},
            response_models=texts(response.get("responseModels")),
        )
        for status, response in sorted((method.get("methodResponses") or {}).items())
    )
    declared = {key: bool(required) for key, required in sorted((method.get("requestParameters") or {}).items())}
    return route.with_effective(declared, tuple(responses))


def authorizer_name(id: str, state: AccountState) -> str:
    """The name of an authorizer that the API has; the id of another."""
    return next((str(one["name"]) for one in state.authorizers if one.get("id") == id), reading(id))


def integration_of(answer: Answer, state: AccountState, namespace: str = "") -> Integration:
    """An integration in the shape of `get_integration`'s answer."""
    type_, mode = str(answer.get("type", "")), answer.get("responseTransferMode")
    uri = portable(reading(answer["uri"]), state) if answer.get("uri") else None
    credentials = reading(answer["credentials"]) if answer.get("credentials") else None
    own = credentials == CALLER_CREDENTIALS.replace("${AWS::Partition}", state.partition)
    tls = answer.get("tlsConfig") or {}
    method = reading(answer["httpMethod"]) if answer.get("httpMethod") and type_ != "MOCK" else None
    return Integration(
        backend=backend_of(type_, method, uri, streaming=mode == "STREAM"),
        request_parameters=texts(answer.get("requestParameters")),
        request_templates=templates(answer.get("requestTemplates")),
        passthrough_behavior=_maybe(answer.get("passthroughBehavior")),
        content_handling=_maybe(answer.get("contentHandling")),
        cache_key_parameters=tuple(sorted(answer.get("cacheKeyParameters") or ())),
        cache_namespace=_maybe(answer.get("cacheNamespace")) if answer.get("cacheNamespace") != namespace else None,
        credentials_role=None if own else credentials,
        credentials_passthrough=True if own else None,
        connection_type=_maybe(answer.get("connectionType")),
        vpc_link=_maybe(answer.get("connectionId")),
        integration_target=_maybe(answer.get("integrationTarget")),
        timeout_ms=answer.get("timeoutInMillis"),
        response_transfer_mode=_maybe(mode),
        insecure_skip_verification=tls.get("insecureSkipVerification"),
        integration_responses=tuple(
            IntegrationResponse(
                status_code=reading(status),
                selection_pattern=response.get("selectionPattern") or None,
                content_handling=_maybe(response.get("contentHandling")),
                response_parameters=texts(response.get("responseParameters")),
                response_templates=templates(response.get("responseTemplates")),
            )
            for status, response in sorted((answer.get("integrationResponses") or {}).items())
        ),
    )


def permitted(route: Route, state: AccountState, stage_name: str) -> Route:
    """The route with what its function's policy says of how the invocation is permitted; as it was where it says nothing."""
    backend = route.integration.backend
    if not isinstance(backend, Lambda) or not state.api_id:
        return route
    tails = {function: frozenset(_tails(statements, state.api_id)) for function, statements in state.policies.items()}
    parts = "".join("/*" if part.variable else f"/{part.text}" for part in path_parts(route.path)) or "/"
    scope = f"{'*' if route.method == 'ANY' else route.method}{parts}"
    own = _literal(function_arn(backend.function), state)
    named = [one for one in tails if one != own and {f"{stage_name}/{scope}", "*/*/*"} & tails[one]]
    mine = tails.get(own, frozenset()).union(*(tails[one] for one in named if not backend.permitted))
    settings: dict[str, Any] = {}
    if "*/*/*" in mine:
        settings["scope_permission_to_method"] = False
    elif f"{stage_name}/{scope}" in mine and f"test-invoke-stage/{scope}" not in mine:
        settings["allow_test_invoke"] = False
    if not backend.permitted and named:
        settings["permission_functions"] = tuple(sorted(map(reading, named)))
    return replace(route, integration=replace(route.integration, backend=replace(backend, **settings)))


def _tails(statements: Iterable[Answer], api_id: str) -> Iterator[str]:
    """What the statements permit of this API: `prod/GET/books`."""
    for statement in statements:
        source = source_of(statement)
        _, found, tail = source.partition(f":{api_id}/")
        if found and statement.get("Effect", "Allow") == "Allow":
            yield tail


def source_of(statement: Answer) -> str:
    """The source ARN that a statement of a resource policy wants; empty where it wants none."""
    conditions = [one for operator in (statement.get("Condition") or {}).values() for one in operator.items()]
    return next((str(value) for key, value in conditions if key.lower() == "aws:sourcearn"), "")


def _literal(text: str, state: AccountState) -> str:
    pseudo = {"AWS::AccountId": state.account, "AWS::Region": state.region, "AWS::Partition": state.partition}
    return re.sub(r"\$\{(AWS::\w+)\}", lambda match: pseudo.get(match[1], match[0]), text)


def portable(uri: str, state: AccountState) -> str:
    """A URI (reference text) with references in the place of the API's own partition and Region, and of its own account where
    a function is there too; a function somewhere else keeps its ARN."""
    pattern = re.compile(r"arn:(?P<partition>[^:]+):(?P<service>apigateway|lambda):(?P<region>[^:]+):(?P<account>\d{12})?")

    def written(match: re.Match[str]) -> str:
        partition, service, region, account = match.groups()
        if service == "lambda":
            own = (partition, region, account) == (state.partition, state.region, state.account)
            return "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}" if own else match[0]
        partition = "${AWS::Partition}" if partition == state.partition else partition
        return f"arn:{partition}:apigateway:{'${AWS::Region}' if region == state.region else region}:"

    return pattern.sub(written, uri) if uri.startswith("arn:") else uri


# --- What a stage serves ---------------------------------------------------------------------------


def deployed(state: AccountState, stage_name: str) -> Api | None:
    """What a stage serves, as its export says it; None where it was not exported. What OpenAPI cannot say is not in it."""
    export = state.exports.get(stage_name)
    if export is None:
        return None
    apis = loaded(json.dumps(export)).apis
    return apis[0] if apis else None


def unpublished(state: AccountState, stage_name: str) -> tuple[str, ...]:
    """The methods whose configuration is another than what the stage's export holds of them, added and removed ones too.

    The export is not read as a definition for this: it holds less than a method does. What it says of an integration is
    compared with what the account says under the same name, and nothing else.
    """
    served: dict[str, Answer] = {}
    for path, item in (state.exports.get(stage_name, {}).get("paths") or {}).items():
        for verb, operation in item.items():
            name = "ANY" if verb == "x-amazon-apigateway-any-method" else verb.upper()
            if isinstance(operation, Mapping) and name in METHODS:
                served[f"{name} {path}"] = operation.get("x-amazon-apigateway-integration") or {}
    configured = {
        f"{verb} {resource['path']}": method.get("methodIntegration") or {} for verb, resource, method in methods(state)
    }
    return tuple(
        name
        for name in sorted({*served, *configured})
        if name not in served or name not in configured or not _is_served(configured[name], served[name])
    )


EXPORTED = ("type", "httpMethod", "uri", "credentials", "requestParameters", "requestTemplates", "passthroughBehavior")
"""What an export says of every integration, as AWS's own recorded exports do; in lower case where it is one of a few words."""


def _is_served(configured: Answer, served: Answer) -> bool:
    def plain(value: Any, name: str) -> Any:
        return str(value).lower() if name in ("type", "passthroughBehavior") and value else value or ""

    return all(plain(configured.get(name), name) == plain(served.get(name), name) for name in EXPORTED)


# --- Texts -----------------------------------------------------------------------------------------


def reading(text: str) -> str:
    """AWS's text as reference text: stage variables are API Gateway's, and nothing else in it refers to anything."""
    if "${" not in text:
        return text
    return "".join(str(part) if isinstance(part, StageVariable) else escaped(str(part)) for part in segments(text))


def texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    """A map of texts as reference texts, by key."""
    return {key: reading(str(value)) for key, value in sorted((values or {}).items())}


def templates(values: Mapping[str, Any] | None) -> dict[str, Template]:
    """Templates, verbatim; AWS keeps an empty one as null."""
    return {key: Template(value or "") for key, value in sorted((values or {}).items())}


def _maybe(value: Any) -> str | None:
    return reading(str(value)) if value else None


# --- Remarks ---------------------------------------------------------------------------------------


def _remarks(name: str, route: Route, method: Answer) -> Iterator[Remark]:
    backend = route.integration.backend
    if isinstance(backend, Raw):
        message = f"Type and URI are kept as they are: {backend.type} {backend.raw_uri or ''}".strip()
        yield Remark(route=name, kind="raw", message=f"{message}.")
    for key in sorted(set(method) - METHOD_KEYS):
        yield Remark(route=name, kind="left", message=f"{key} of the method is not known here: {json.dumps(method[key])[:80]}.")
    integration = method.get("methodIntegration") or {}
    for key in sorted(set(integration) - INTEGRATION_KEYS):
        message = f"{key} of the integration is not known here: {json.dumps(integration[key])[:80]}."
        yield Remark(route=name, kind="left", message=message)


METHOD_KEYS = frozenset(
    {
        "httpMethod",
        "authorizationType",
        "authorizerId",
        "authorizationScopes",
        "apiKeyRequired",
        "operationName",
        "requestParameters",
        "requestModels",
        "requestValidatorId",
        "methodResponses",
        "methodIntegration",
    }
)
INTEGRATION_KEYS = frozenset(
    {
        "type",
        "httpMethod",
        "uri",
        "connectionType",
        "connectionId",
        "integrationTarget",
        "credentials",
        "requestParameters",
        "requestTemplates",
        "passthroughBehavior",
        "contentHandling",
        "cacheNamespace",
        "cacheKeyParameters",
        "timeoutInMillis",
        "responseTransferMode",
        "tlsConfig",
        "integrationResponses",
    }
)
"""What a definition says of a method and of an integration, by its name in the answers."""
