"""A definition as an OpenAPI 3.0.1 document with API Gateway's extensions, cased as AWS exports them."""

import re
from collections.abc import Mapping
from typing import Any

from integrations.gateway.calls import VALIDATORS
from integrations.gateway.definition import Api, Integration, IntegrationResponse, MethodResponse, Route
from integrations.gateway.formats.export import numbered
from integrations.gateway.formats.openapi.schemas import content, schemas
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
SIGV4 = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
API_KEY = {"type": "apiKey", "name": "x-api-key", "in": "header"}


def document(api: Api) -> dict[str, Any]:
    """The whole OpenAPI document."""
    schemes = scheme_names(api)
    paths: dict[str, Any] = {}
    validators: dict[str, Any] = {}
    for route in api.routes:
        checks = validator(route)
        if checks is not None:
            validators[checks[0]] = checks[1]
        if route.method in VERBS:
            paths.setdefault(path_key(route), {}).setdefault(VERBS[route.method], operation(route, schemes))
    return {
        "openapi": "3.0.1",
        "info": said({"title": text(api.name) or "api", "description": api.description or None, "version": VERSION}),
        "paths": paths,
        "components": said({"schemas": schemas(api), "securitySchemes": security_schemes(api, schemes)}),
        **said(
            {
                "x-amazon-apigateway-request-validators": validators,
                "x-amazon-apigateway-binary-media-types": list(api.binary_media_types),
            }
        ),
    }


def path_key(route: Route) -> str:
    """The path as a key of `paths`."""
    return text(route.path) if route.path.startswith("/") else f"/{text(route.path)}"


def operation(route: Route, schemes: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """A method: what it takes and answers, who may call it, and its integration."""
    checks = validator(route)
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
                "security": security(route, schemes),
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


def validator(route: Route) -> tuple[str, dict[str, Any]] | None:
    """The name and the checks of the method's request validator."""
    body, others = route.validate_request_body or False, route.validate_request_parameters or False
    if not body and not others:
        return None
    checks = {"validateRequestBody": scalar(body), "validateRequestParameters": scalar(others)}
    if isinstance(body, bool) and isinstance(others, bool):
        return VALIDATORS[body, others], checks
    return f"Validate body: {scalar(body)}, parameters: {scalar(others)}", checks


def authorization(route: Route) -> str | None:
    """The authorization type as it stands in the file."""
    return maybe(route.authorization_type)


def auth_is_plain(route: Route) -> bool:
    """Whether the type alone says it all, with no security scheme."""
    return authorization(route) not in (None, "AWS_IAM") and not has_authorizer(route)


def has_authorizer(route: Route) -> bool:
    """Whether an authorizer decides on the method."""
    return authorization(route) in AUTHORIZER_TYPES and bool(route.authorizer)


def scheme_names(api: Api) -> dict[tuple[str, str], str]:
    """(authorization type, authorizer) → the name of its security scheme; namesakes get a number."""
    names: dict[tuple[str, str], str] = {}
    for route in api.routes:
        if has_authorizer(route):
            alone = whole_reference(route.authorizer or "")
            base = alone.name if alone else re.sub(r"[^A-Za-z0-9._-]", "_", text(route.authorizer or ""))
            base = base.replace("::", "_")
            key = (authorization(route) or "", route.authorizer or "")
            if key not in names:
                names[key] = numbered(base, ("sigv4", "api_key", *names.values()))
    return names


def security(route: Route, schemes: Mapping[tuple[str, str], str]) -> list[dict[str, list[str]]]:
    """Who may call the method: each entry names a scheme."""
    found: list[dict[str, list[str]]] = []
    if authorization(route) == "AWS_IAM":
        found.append({"sigv4": []})
    elif has_authorizer(route):
        name = schemes[authorization(route) or "", route.authorizer or ""]
        found.append({name: [text(scope) for scope in route.authorization_scopes]})
    if route.api_key_required is True:
        found.append({"api_key": []})
    return found


def security_schemes(api: Api, schemes: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """The schemes that the methods name. An authorizer is left without its URI or user pools, so that AWS refuses the import
    until somebody completes it: left out, it would open the method to everybody."""
    found: dict[str, Any] = {}
    if any(route.api_key_required is True for route in api.routes):
        found["api_key"] = API_KEY
    if any(authorization(route) == "AWS_IAM" for route in api.routes):
        found["sigv4"] = SIGV4
    for (kind, _), name in schemes.items():
        incomplete = {"type": "token"} if kind == "CUSTOM" else {"type": "cognito_user_pools", "providerARNs": []}
        found[name] = {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": AUTHORIZER_TYPES[kind],
            "x-amazon-apigateway-authorizer": incomplete,
        }
    return found


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
