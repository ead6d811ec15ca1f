"""A definition as an OpenAPI 3.0.1 document with API Gateway's extensions, cased as AWS exports them."""

import re
from typing import Any

from integrations.gateway.calls import VALIDATORS
from integrations.gateway.definition import (
    Api,
    Authorizer,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    MethodResponse,
    RequestValidator,
    Route,
    effective,
)
from integrations.gateway.formats.export import numbered
from integrations.gateway.formats.openapi.schemas import content, parsed, schemas
from integrations.gateway.formats.openapi.spelling import (
    PASSTHROUGH,
    PLACES,
    VERBS,
    lower,
    maybe,
    scalar,
    template_text,
    text,
    texts,
)
from integrations.gateway.grammar import parse_method_parameter, parse_response_target, path_variables, whole_reference
from integrations.gateway.options import ALL_TYPES, said

VERSION = "1.0"
"""What OpenAPI wants as the API's own version; a definition has none."""

AUTHORIZER_TYPES = {"CUSTOM": "custom", "COGNITO_USER_POOLS": "cognito_user_pools"}
AUTHORIZERS = ("TOKEN", "REQUEST", "COGNITO_USER_POOLS")
SIGV4 = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
API_KEY = {"type": "apiKey", "name": "x-api-key", "in": "header"}


def document(api: Api) -> dict[str, Any]:
    """The whole OpenAPI document."""
    api = effective(api)
    names = Names(api)
    paths: dict[str, Any] = {}
    validators = {each.name: checks_of(each) for each in api.request_validators}
    for route in api.routes:
        checks = validator(route, names)
        if checks is not None:
            validators.setdefault(*checks)
        if route.method in VERBS:
            paths.setdefault(path_key(route), {}).setdefault(VERBS[route.method], operation(route, names))
    return {
        "openapi": "3.0.1",
        "info": said({"title": text(api.name) or "api", "description": api.description or None, "version": VERSION}),
        "paths": paths,
        "components": said({"schemas": schemas(api), "securitySchemes": security_schemes(api, names)}),
        **said({"x-amazon-apigateway-request-validators": validators, **settings(api)}),
    }


class Names:
    """What the document calls its security schemes and request validators."""

    def __init__(self, api: Api) -> None:
        self.declared: dict[str, Authorizer] = {}
        """The authorizers of the API, by name."""
        for authorizer in api.authorizers:
            self.declared.setdefault(authorizer.name, authorizer)
        self.sigv4 = numbered("sigv4", self.declared)
        self.api_key = numbered("api_key", self.declared)
        self.outside: dict[tuple[str, str], str] = {}
        """(authorization type, authorizer) of one that is not the API's → the name of its scheme; namesakes get a number."""
        taken = {*self.declared, self.sigv4, self.api_key}
        for route in api.routes:
            key = (authorization(route) or "", route.authorizer or "")
            if has_authorizer(route) and route.authorizer not in self.declared and key not in self.outside:
                alone = whole_reference(route.authorizer or "")
                base = alone.name if alone else re.sub(r"[^A-Za-z0-9._-]", "_", text(route.authorizer or ""))
                self.outside[key] = numbered(base.replace("::", "_"), taken)
                taken.add(self.outside[key])
        self.validators: dict[tuple[Any, Any], str] = {}
        """What is checked → the declared validator that checks exactly that."""
        for each in api.request_validators:
            checks = checks_of(each)
            self.validators.setdefault((checks["validateRequestBody"], checks["validateRequestParameters"]), each.name)

    def scheme(self, route: Route) -> str:
        """The scheme of the authorizer that decides on a method."""
        own = route.authorizer or ""
        return own if own in self.declared else self.outside[authorization(route) or "", own]


def settings(api: Api) -> dict[str, Any]:
    """The extensions at the root: what is set of the API itself."""
    endpoint = {
        "types": None if api.endpoint_type is None else [text(api.endpoint_type)],
        "vpcEndpointIds": [text(each) for each in api.vpc_endpoint_ids],
        "ipAddressType": maybe(api.ip_address_type),
        "disableExecuteApiEndpoint": scalar(api.disable_execute_api_endpoint),
    }
    answers = {text(each.response_type): gateway_response(each) for each in reversed(api.gateway_responses)}
    return {
        "x-amazon-apigateway-binary-media-types": list(api.binary_media_types),
        "x-amazon-apigateway-endpoint-configuration": said(endpoint),
        "x-amazon-apigateway-security-policy": maybe(api.security_policy),
        "x-amazon-apigateway-endpoint-access-mode": maybe(api.endpoint_access_mode),
        "x-amazon-apigateway-policy": None if api.policy is None else policy(api.policy),
        "x-amazon-apigateway-api-key-source": maybe(api.api_key_source),
        "x-amazon-apigateway-minimum-compression-size": scalar(api.minimum_compression_size),
        "x-amazon-apigateway-gateway-responses": dict(reversed(answers.items())),
    }


def gateway_response(response: GatewayResponse) -> dict[str, Any]:
    """One of the gateway's own answers; empty where only its type is said."""
    return said(
        {
            "statusCode": maybe(response.status_code),
            "responseParameters": texts(response.response_parameters),
            "responseTemplates": {key: template_text(found) for key, found in response.response_templates.items()},
        }
    )


def policy(document: str) -> Any:
    """The resource policy as the JSON value that it is, or its text where it is none."""
    value = parsed(document)
    return filled(value) if isinstance(value, dict) else text(document)


def filled(value: Any) -> Any:
    """A JSON value with its texts as they stand in the file."""
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    return text(value) if isinstance(value, str) else value


def path_key(route: Route) -> str:
    """The path as a key of `paths`."""
    return text(route.path) if route.path.startswith("/") else f"/{text(route.path)}"


def operation(route: Route, names: Names) -> dict[str, Any]:
    """A method: what it takes and answers, who may call it, and its integration."""
    checks = validator(route, names)
    bodies = content(route.request_models)
    auth = authorization(route)
    return said(
        {
            "operationId": route.operation_name,
            "parameters": [
                said({"name": name, "in": place, "required": required or None, "schema": {"type": "string"}})
                for (place, name), required in parameters(route).items()
            ],
            "requestBody": {"content": bodies, "required": True} if bodies else None,
        }
    ) | {
        "responses": {text(response.status_code): method_response(response) for response in route.method_responses},
        **said(
            {
                "security": security(route, names),
                "x-amazon-apigateway-auth": {"type": auth} if auth is not None and auth_is_plain(route) else None,
                "x-amazon-apigateway-request-validator": checks[0] if checks else None,
                "x-amazon-apigateway-integration": integration(route.integration),
            }
        ),
    }


def parameters(route: Route) -> dict[tuple[str, str], bool]:
    """(in, name) → required, of the method's parameters in effect. Those of the path are always required in OpenAPI, and AWS's
    importer declares each variable of the path, whether the file does or not (LS)."""
    found = {("path", name): True for name in path_variables(route.path)}
    for key, required in route.request_parameters.items():
        parsed = parse_method_parameter(key)
        if parsed is not None:
            found[PLACES[parsed.location], parsed.name] = required or parsed.location == "path"
    return found


def method_response(response: MethodResponse) -> dict[str, Any]:
    """A response of the method: its headers and models."""
    headers = {}
    for key, required in response.response_parameters.items():
        target = parse_response_target(key)
        if target is not None:
            headers[target.name] = said({"required": required or None, "schema": {"type": "string"}})
    return {
        "description": f"{text(response.status_code)} response",
        **said({"headers": headers, "content": content(response.response_models)}),
    }


def checks_of(of: Route | RequestValidator) -> dict[str, Any]:
    """What is checked, as a request validator says it."""
    body, others = of.validate_request_body or False, of.validate_request_parameters or False
    return {"validateRequestBody": scalar(body), "validateRequestParameters": scalar(others)}


def validator(route: Route, names: Names) -> tuple[str, dict[str, Any]] | None:
    """The name and the checks of the method's request validator."""
    checks = checks_of(route)
    body, others = checks.values()
    if body is False and others is False:
        return None
    usual = VALIDATORS.get((body, others), f"Validate body: {body}, parameters: {others}")
    return names.validators.get((body, others), usual), checks


def authorization(route: Route) -> str | None:
    """The authorization type as it stands in the file."""
    return maybe(route.authorization_type)


def auth_is_plain(route: Route) -> bool:
    """Whether the type alone says it all, with no security scheme."""
    return authorization(route) not in (None, "AWS_IAM") and not has_authorizer(route)


def has_authorizer(route: Route) -> bool:
    """Whether an authorizer decides on the method."""
    return authorization(route) in AUTHORIZER_TYPES and bool(route.authorizer)


def security(route: Route, names: Names) -> list[dict[str, list[str]]]:
    """Who may call the method: each entry names a scheme."""
    found: list[dict[str, list[str]]] = []
    if authorization(route) == "AWS_IAM":
        found.append({names.sigv4: []})
    elif has_authorizer(route):
        found.append({names.scheme(route): [text(scope) for scope in route.authorization_scopes]})
    if route.api_key_required is True:
        found.append({names.api_key: []})
    return found


def security_schemes(api: Api, names: Names) -> dict[str, Any]:
    """The schemes that the methods name, and the API's authorizers. One that is not the API's is left without its URI or user
    pools, so that AWS refuses the import until somebody completes it: left out, it would open the method to everybody."""
    found: dict[str, Any] = {}
    if any(route.api_key_required is True for route in api.routes):
        found[names.api_key] = API_KEY
    if any(authorization(route) == "AWS_IAM" for route in api.routes):
        found[names.sigv4] = SIGV4
    found |= {name: scheme(authorizer) for name, authorizer in names.declared.items()}
    for (kind, _), name in names.outside.items():
        incomplete = {"type": "token"} if kind == "CUSTOM" else {"type": "cognito_user_pools", "providerARNs": []}
        found[name] = {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": AUTHORIZER_TYPES[kind],
            "x-amazon-apigateway-authorizer": incomplete,
        }
    return found


HEADER = "method.request.header."


def scheme(authorizer: Authorizer) -> dict[str, Any]:
    """An authorizer of the API as a security scheme: a token's header is the scheme's own, other sources stand beside it."""
    source = maybe(authorizer.identity_source)
    is_header = source is not None and source.startswith(HEADER) and authorizer.type != "REQUEST"
    own = {
        "type": lower(authorizer.type, AUTHORIZERS),
        "authorizerUri": maybe(authorizer.authorizer_uri),
        "authorizerCredentials": maybe(authorizer.credentials_role),
        "identitySource": None if is_header else source,
        "identityValidationExpression": authorizer.identity_validation_expression,
        "authorizerResultTtlInSeconds": scalar(authorizer.result_ttl_seconds),
        "providerARNs": [text(each) for each in authorizer.provider_arns],
    }
    return {
        "type": "apiKey",
        "name": source.removeprefix(HEADER) if source and is_header else "Unused",
        "in": "header",
        "x-amazon-apigateway-authtype": authorizer.auth_type or AUTHORIZER_TYPES[authorizer.authorization_type],
        "x-amazon-apigateway-authorizer": said(own),
    }


def integration(value: Integration) -> dict[str, Any]:
    """x-amazon-apigateway-integration."""
    secure = value.insecure_skip_verification
    return said(
        {
            "type": lower(value.type, ALL_TYPES),
            "httpMethod": maybe(value.http_method),
            "uri": text(value.uri) if value.uri else None,
            "credentials": maybe(value.credentials),
            "connectionType": maybe(value.connection_type),
            "connectionId": maybe(value.vpc_link),
            "integrationTarget": maybe(value.integration_target),
            "responses": {key: integration_response(response) for key, response in responses(value).items()},
            "requestParameters": texts(value.request_parameters),
            "requestTemplates": {key: template_text(found) for key, found in value.request_templates.items()},
            "passthroughBehavior": lower(value.passthrough_behavior, PASSTHROUGH),
            "contentHandling": maybe(value.content_handling),
            "cacheNamespace": maybe(value.cache_namespace),
            "cacheKeyParameters": list(value.cache_key_parameters),
            "timeoutInMillis": scalar(value.timeout_ms),
            "responseTransferMode": maybe(value.response_transfer_mode),
            "tlsConfig": None if secure is None else {"insecureSkipVerification": scalar(secure)},
        }
    )


def responses(value: Integration) -> dict[str, IntegrationResponse]:
    """The integration responses by their key: the pattern, or `default`. Of equal patterns the first stands here."""
    found: dict[str, IntegrationResponse] = {}
    for response in value.integration_responses:
        found.setdefault(response_key(response), response)
    return found


def response_key(response: IntegrationResponse) -> str:
    """The pattern as a key; the pattern `default` as a group, which matches the same and is not the default response."""
    pattern = response.selection_pattern or "default"
    return "(?:default)" if response.selection_pattern == "default" else pattern


def integration_response(response: IntegrationResponse) -> dict[str, Any]:
    """One answer of the backend, without its pattern."""
    return said(
        {
            "statusCode": text(response.status_code),
            "contentHandling": maybe(response.content_handling),
            "responseParameters": texts(response.response_parameters),
            "responseTemplates": {key: template_text(found) for key, found in response.response_templates.items()},
        }
    )
