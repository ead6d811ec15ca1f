"""A definition as OpenAPI 3.0.1 with API Gateway's extensions, cased as AWS exports them; and such a file back."""

import functools
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import unquote

from integrations.gateway.calls import VALIDATORS
from integrations.gateway.definition import (
    CALLER_CREDENTIALS,
    METHODS,
    Api,
    AwsService,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Model,
    Route,
    Template,
    leaves,
)
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.formats.backends import backend_of
from integrations.gateway.formats.export import (
    Export,
    Format,
    Loaded,
    UnreadableText,
    broken_text,
    file_name,
    lost,
    noted,
    refused,
)
from integrations.gateway.formats.yaml_text import yaml_text
from integrations.gateway.formats.yaml_value import yaml_value
from integrations.gateway.grammar import (
    REFERENCE_NAME,
    Reference,
    parse_method_parameter,
    parse_response_target,
    path_variables,
    references_in,
    segments,
    whole_reference,
)
from integrations.gateway.options import ALL_TYPES, GUIDE

EXTENSIONS = GUIDE + "api-gateway-swagger-extensions.html"
RESPONSES = GUIDE + "api-gateway-swagger-extensions-integration-responses.html"
PERMISSION = GUIDE + "permissions.html"
VERSION = "1.0"
"""What OpenAPI wants as the API's own version; a definition has none."""

IMPORTED = ("AWS::AccountId", "AWS::Partition", "AWS::Region")
"""What AWS's importer puts in by itself, wherever it stands in the file."""

VERBS = {method: "x-amazon-apigateway-any-method" if method == "ANY" else method.lower() for method in METHODS}
METHOD_OF = {verb: method for method, verb in VERBS.items()}
PLACES = {"path": "path", "querystring": "query", "header": "header"}
LOCATIONS = {place: location for location, place in PLACES.items()}
PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
AUTHORIZER_TYPES = {"CUSTOM": "custom", "COGNITO_USER_POOLS": "cognito_user_pools"}
SIGV4 = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
API_KEY = {"type": "apiKey", "name": "x-api-key", "in": "header"}
SCHEMAS = "#/components/schemas/"
BUILT_IN_MODELS = {
    "Empty": {"title": "Empty Schema", "type": "object"},
    "Error": {"title": "Error Schema", "type": "object", "properties": {"message": {"type": "string"}}},
}
"""The models that every REST API begins with."""


# --- Text ------------------------------------------------------------------------------------------


def text(value: str) -> str:
    """Reference text as it stands in the file: what it means to API Gateway, with `${Name}` where a value is missing."""
    return "".join(map(str, segments(value))) if "${" in value else value


def reference_text(written: str) -> str:
    """Text of a file as reference text: `${Name}` refers again, and what looks like an escape stays what it is."""
    return re.sub(r"\$\{!([^{}]*)\}", r"${!!\1}", written)


def template_text(template: Template) -> str:
    """A Velocity template: verbatim, or with its marked references as `text` writes them."""
    return text(template.text) if template.substituted else template.text


def template(written: str) -> Template:
    """A template of a file; AWS's importer substitutes in it, so one that names the Region, say, is marked as substituted."""
    if not any(f"${{{name}}}" in written for name in IMPORTED):
        return Template(written)

    def escape(match: re.Match[str]) -> str:
        return match[0] if match[1] in IMPORTED else f"${{!{match[1]}}}"

    return Template(re.sub(r"\$\{([^{}]*)\}", escape, written), substituted=True)


def scalar(value: int | Reference | None) -> int | str | None:
    """A number or a flag, or the text of the reference that stands for one."""
    return str(value) if isinstance(value, Reference) else value


def maybe(value: str | None) -> str | None:
    """Reference text where it is set."""
    return None if value is None else text(value)


def texts(values: Mapping[str, str]) -> dict[str, str]:
    """A map of reference texts."""
    return {key: text(value) for key, value in values.items()}


def said(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """What is set."""
    return {key: value for key, value in pairs.items() if value is not None and value != {} and value != []}


# --- Out -------------------------------------------------------------------------------------------


def dump_json(api: Api) -> Export:
    """The document as JSON, two spaces deep. The same definition gives the same bytes."""
    text = json.dumps(document(api), indent=2) + "\n"
    return Export(filename=file_name(api, ".openapi.json"), text=text, findings=tuple(unsaid(api)))


def dump_yaml(api: Api) -> Export:
    """The document as YAML. The same definition gives the same bytes."""
    return Export(filename=file_name(api, ".openapi.yaml"), text=yaml_text(document(api)), findings=tuple(unsaid(api)))


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
        "info": said({"title": api.name or "api", "description": api.description or None, "version": VERSION}),
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


def content(models: Mapping[str, str]) -> dict[str, Any]:
    """The models by media type."""
    return {media: {"schema": {"$ref": SCHEMAS + pointer(text(name))}} for media, name in models.items()}


def pointer(name: str) -> str:
    """A key as one step of a JSON pointer in a URI fragment."""
    return re.sub(r"[^A-Za-z0-9._~!$&'()*+,;=:@-]", _percent, name.replace("~", "~0").replace("/", "~1"))


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


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


# --- Authorization ---------------------------------------------------------------------------------


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
            name, number = base, 2
            key = (authorization(route) or "", route.authorizer or "")
            while key not in names and name in ("sigv4", "api_key", *names.values()):
                name, number = f"{base}{number}", number + 1
            names.setdefault(key, name)
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


# --- Models ----------------------------------------------------------------------------------------


def schemas(api: Api) -> dict[str, Any]:
    """The models that are declared, and the built-in ones that are used."""
    found = {model.name: schema(model) for model in api.models}
    for route in api.routes:
        for models in (route.request_models, *(response.response_models for response in route.method_responses)):
            for name in map(text, models.values()):
                if name in BUILT_IN_MODELS:
                    found.setdefault(name, BUILT_IN_MODELS[name])
    return found


def schema(model: Model) -> Any:
    """A model's schema as OpenAPI takes it: without `$schema`, references within the document. {} where it is no JSON object."""
    value = parsed(model.schema)
    return rewritten(value, lambda ref: _outward(ref, model.name)) if isinstance(value, dict) else {}


def parsed(schema: str) -> Any:
    """The JSON value of a schema, or None where it is none."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        return json.loads(schema, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def rewritten(value: Any, ref: Any) -> Any:
    """A schema without its outermost `$schema`, each `$ref` as `ref` gives it."""
    if not isinstance(value, dict):
        return value
    return {key: _rewritten(inner, ref, key) for key, inner in value.items() if key != "$schema"}


def _rewritten(value: Any, ref: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _rewritten(inner, ref, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rewritten(inner, ref) for inner in value]
    return ref(value) if key == "$ref" and isinstance(value, str) else value


def _outward(ref: str, name: str) -> str:
    if match := re.fullmatch(r"https://apigateway\.amazonaws\.com/restapis/[^/]+/models/([A-Za-z0-9]+)", ref):
        return SCHEMAS + match[1]
    if ref == "#" or (ref.startswith("#/") and not ref.startswith(SCHEMAS)):
        return SCHEMAS + pointer(name) + ref[1:]
    return ref


def _inward(ref: str, name: str) -> str:
    own = SCHEMAS + pointer(name)
    return "#" + ref[len(own) :] if ref == own or ref.startswith(own + "/") else ref


# --- The integration -------------------------------------------------------------------------------


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


def lower(value: str | None, choices: Collection[str]) -> str | None:
    """One of the choices in lower case, as AWS exports it; any other text as it stands."""
    return value.lower() if value is not None and value in choices else maybe(value)


def upper(written: str | None, choices: Collection[str]) -> str | None:
    """A text of the file in upper case where that is one of the choices: AWS's importer takes both."""
    if written is None:
        return None
    return written.upper() if written.upper() in choices else reference_text(written)


# --- What the file says ----------------------------------------------------------------------------


def sayable(api: Api) -> Api:
    """The definition as this format holds it: what `load` makes of the file that `dump` writes."""
    schemes = scheme_names(api)
    routes: dict[tuple[str, str], Route] = {}
    for route in api.routes:
        if route.method in VERBS:
            routes.setdefault((path_key(route), route.method), sayable_route(route, schemes))
    models = {model.name: Model(name=model.name, schema=compact(schema(model))) for model in api.models}
    by_path = dict.fromkeys(path for path, _ in routes)
    return Api(
        name=api.name or "api",
        description=api.description,
        binary_media_types=api.binary_media_types,
        models=tuple(model for model in models.values() if model.schema != compact(BUILT_IN_MODELS.get(model.name))),
        routes=tuple(route for path in by_path for (its, _), route in routes.items() if its == path),
    )


def sayable_route(route: Route, schemes: Mapping[tuple[str, str], str]) -> Route:
    """A route as the file holds it."""
    by_authorizer = has_authorizer(route)
    kind, authorizer = authorization(route), None
    if by_authorizer:
        authorizer = referred(schemes[kind or "", route.authorizer or ""])
    required = {f"method.request.{LOCATIONS[place]}.{name}": value for (place, name), value in parameters(route).items()}
    answers = [
        MethodResponse(
            status_code=again(response.status_code),
            response_parameters={k: v for k, v in response.response_parameters.items() if parse_response_target(k)},
            response_models={media: again(name) for media, name in response.response_models.items()},
        )
        for response in route.method_responses
    ]
    return Route(
        method=route.method,
        path=reference_text(path_key(route)),
        integration=sayable_integration(route.integration),
        operation_name=route.operation_name,
        authorization_type=None if kind is None else reference_text(kind),
        authorizer=authorizer,
        authorization_scopes=tuple(map(again, route.authorization_scopes)) if by_authorizer else (),
        api_key_required=True if route.api_key_required is True else None,
        request_models={media: again(name) for media, name in route.request_models.items()},
        validate_request_body=route.validate_request_body or None,
        validate_request_parameters=route.validate_request_parameters or None,
    ).with_effective(required, answers)


def sayable_integration(value: Integration) -> Integration:
    """An integration as the file holds it."""

    def maybe_again(found: str | None) -> str | None:
        return None if found is None else again(found)

    credentials = maybe_again(value.credentials)
    kind, transfer = upper(lower(value.type, ALL_TYPES), ALL_TYPES) or "", maybe_again(value.response_transfer_mode)
    return replace(
        value,
        backend=backend_of(kind, maybe_again(value.http_method), again(value.uri) or None, streaming=transfer == "STREAM"),
        request_parameters={key: again(found) for key, found in value.request_parameters.items()},
        request_templates={key: template(template_text(found)) for key, found in value.request_templates.items()},
        passthrough_behavior=upper(lower(value.passthrough_behavior, PASSTHROUGH), PASSTHROUGH),
        content_handling=maybe_again(value.content_handling),
        cache_namespace=maybe_again(value.cache_namespace),
        credentials_role=None if credentials == CALLER_CREDENTIALS else credentials,
        credentials_passthrough=True if credentials == CALLER_CREDENTIALS else None,
        connection_type=maybe_again(value.connection_type),
        vpc_link=maybe_again(value.vpc_link),
        integration_target=maybe_again(value.integration_target),
        response_transfer_mode=transfer,
        integration_responses=tuple(
            replace(
                response,
                status_code=again(response.status_code),
                selection_pattern=None if key == "default" else key,
                content_handling=maybe_again(response.content_handling),
                response_parameters={name: again(found) for name, found in response.response_parameters.items()},
                response_templates={name: template(template_text(found)) for name, found in response.response_templates.items()},
            )
            for key, response in responses(value).items()
        ),
    )


def again(value: str) -> str:
    """Reference text as it reads back from the file."""
    return reference_text(text(value))


def referred(scheme: str) -> str:
    """The authorizer that a security scheme stands for: a reference of its name where that is one."""
    return f"${{{scheme}}}" if REFERENCE_NAME.fullmatch(scheme) else scheme


def compact(value: Any) -> str:
    """A schema as a definition keeps it."""
    return json.dumps(value, separators=(",", ":"))


# --- What it does not say --------------------------------------------------------------------------

PERMISSION_OPTIONS = {"allow_test_invoke": True, "scope_permission_to_method": True, "permission_functions": ()}
"""What only shapes the Lambda permission → its default."""

UNREAD = (("authorizer",), ("api_key_required",), ("backend", "permission_functions"))
"""Where a reference does not reach the file as text; each has a finding of its own."""


def unsaid(api: Api) -> Iterator[Finding]:
    """What the file leaves out or says in another way, by option."""
    if api.stage_name != Api().stage_name:
        message = f"OpenAPI holds no stage. Name it when you deploy the import: --stage-name {api.stage_name}."
        yield lost(("stage_name",), message, docs=EXTENSIONS)
    if api.stage_variables:
        yield lost(("stage_variables",), "OpenAPI holds no stage. Give it the variables after the import.", docs=EXTENSIONS)
    for index, parameter in enumerate(api.parameters):
        message = f"OpenAPI has no parameters: what is declared of {parameter.name} is not in the file."
        yield lost(("parameters", index), message, docs=EXTENSIONS)
    yield from _unsaid_models(api)
    seen: set[tuple[str, str]] = set()
    for index, route in enumerate(api.routes):
        path: Path = ("routes", index)
        if route.method not in VERBS:
            message = f"OpenAPI has no method {route.method!r:.40}. Choose one of {', '.join(METHODS)}."
            yield refused((*path, "method"), message, docs=EXTENSIONS)
        if (path_key(route), route.method) in seen:
            yield refused((*path, "path"), "Another route has the same method and path; OpenAPI holds one. Change either.")
        seen.add((path_key(route), route.method))
        yield from _unsaid_access(route, path)
        yield from _unsaid_parameters(route, path)
        yield from _unsaid_responses(route.integration, (*path, "integration", "integration_responses"))
        yield from _unsaid_backend(route.integration, (*path, "integration"))
    yield from _references(api)
    yield from broken_text(api)


def _unsaid_models(api: Api) -> Iterator[Finding]:
    names: set[str] = set()
    for index, model in enumerate(api.models):
        path: Path = ("models", index)
        if model.name in names:
            yield refused((*path, "name"), f"Another model is called {model.name!r:.40} too. Change either name.")
        names.add(model.name)
        if not isinstance(parsed(model.schema), dict):
            yield refused((*path, "schema"), "OpenAPI holds the schema as JSON, and this is no JSON object. Correct the schema.")
        if model.content_type != "application/json":
            yield lost((*path, "content_type"), "A model in OpenAPI is one of application/json.", docs=EXTENSIONS)


def _unsaid_access(route: Route, path: Path) -> Iterator[Finding]:
    if has_authorizer(route):
        what = "Lambda function" if authorization(route) == "CUSTOM" else "user pools"
        message = (
            f"OpenAPI holds an authorizer itself, not its id. Complete its security scheme in the file with its {what}; "
            "until then AWS refuses the import."
        )
        yield lost((*path, "authorizer"), message, docs=GUIDE + "api-gateway-swagger-extensions-authorizer.html", evidence="INF")
    elif route.authorizer:
        yield lost((*path, "authorizer"), "Only CUSTOM and COGNITO_USER_POOLS have an authorizer; it is not in the file.")
    if route.authorization_scopes and not has_authorizer(route):
        yield lost((*path, "authorization_scopes"), "OpenAPI says scopes of an authorizer only; they are not in the file.")
    if isinstance(route.api_key_required, Reference):
        message = f"Whether a key is needed shapes the file. Give {route.api_key_required.name} its value before the export."
        yield lost((*path, "api_key_required"), message, docs=EXTENSIONS)


def _unsaid_parameters(route: Route, path: Path) -> Iterator[Finding]:
    for name in path_variables(route.path):
        if f"method.request.path.{name}" not in route.request_parameters:
            message = f"AWS's importer declares every variable of the path: {name} is declared in the file."
            yield lost((*path, "suppressed"), message, docs=EXTENSIONS, evidence="LS")
    for key, required in route.request_parameters.items():
        parsed = parse_method_parameter(key)
        if parsed is None:
            yield lost((*path, "declared", key), "OpenAPI says a path, querystring or header parameter of a plain name only.")
        elif parsed.location == "path" and not required:
            yield noted((*path, "declared", key), "In OpenAPI a path parameter is always required; it stands there as required.")
    for index, response in enumerate(route.method_responses):
        for key in response.response_parameters:
            if parse_response_target(key) is None:
                yield lost((*path, "responses", index, "response_parameters", key), "OpenAPI says response headers only.")


def _unsaid_responses(value: Integration, path: Path) -> Iterator[Finding]:
    keys: dict[str, int] = {}
    statuses: dict[str, int] = {}
    for index, response in enumerate(value.integration_responses):
        key = response_key(response)
        if key in keys:
            what = "no pattern" if key == "default" else "the same pattern"
            message = f"Response {keys[key] + 1} has {what} too, and OpenAPI holds one of them: this one is not in the file."
            yield lost((*path, index, "selection_pattern"), message, docs=RESPONSES)
            continue
        keys[key] = index
        if response.status_code in statuses:
            message = (
                f"Response {statuses[response.status_code] + 1} has status {response.status_code} too. Both are in the file; "
                "API Gateway keeps one for each status."
            )
            yield noted((*path, index, "status_code"), message, Severity.IGNORED, docs=RESPONSES, evidence="B")
        statuses.setdefault(response.status_code, index)
        if response.selection_pattern == "default":
            message = "The key default is the default response: the pattern stands as (?:default), which matches the same."
            yield noted((*path, index, "selection_pattern"), message, docs=RESPONSES)


def _unsaid_backend(value: Integration, path: Path) -> Iterator[Finding]:
    if value.credentials_passthrough and value.credentials_role:
        yield lost((*path, "credentials_passthrough"), "The execution role stands in its place; a call has one or the other.")
    if isinstance(value.backend, AwsService):
        if value.backend.action is not None and value.backend.path:
            yield lost((*path, "backend", "path"), "The action stands in its place; a URI has one or the other.")
        if value.backend.action is None and value.backend.action_parameters:
            yield lost((*path, "backend", "action_parameters"), "Without an action, its parameters have no place in the URI.")
    if not isinstance(value.backend, Lambda):
        return
    for name, default in PERMISSION_OPTIONS.items():
        if getattr(value.backend, name) not in (None, default):
            yield lost((*path, "backend", name), "It shapes the Lambda permission, which OpenAPI does not hold.", docs=PERMISSION)
    if not value.credentials:
        message = (
            "OpenAPI holds no Lambda permission: let apigateway.amazonaws.com invoke the function, or every call answers 500. "
            "CloudFormation, CDK and boto3 hold it."
        )
        yield noted((*path, "backend", "function"), message, Severity.FAILURE, docs=PERMISSION, evidence="PF")


def _references(api: Api) -> Iterator[Finding]:
    for leaf in leaves(replace(api, parameters=(), stage_name="", stage_variables={})):
        value = leaf.value
        if not isinstance(value, str) or "${" not in value or leaf.path[2:3] in UNREAD or leaf.path[3:5] in UNREAD:
            continue
        reads = leaf.substituted and not leaf.key
        names = [reference.name for reference in references_in(value)] if reads else []
        missing = [name for name in names if name not in IMPORTED]
        if missing:
            message = f"OpenAPI has no parameters: ${{{missing[0]}}} stands in the file as it is. Give it a value first."
            yield lost(leaf.path, message, docs=EXTENSIONS)
        written = text(value) if reads else value
        caught = [name for name in IMPORTED if written.count(f"${{{name}}}") > names.count(name)]
        if caught:
            message = f"AWS's importer puts a value in the place of ${{{caught[0]}}}, plain text here. Write it in another way."
            yield noted(leaf.path, message, Severity.FAILURE, docs=EXTENSIONS, evidence="D")
        elif reads and any(references_in(str(part)) for part in segments(value) if isinstance(part, str)):
            yield noted(leaf.path, "The literal ${…} is in the file as it is; read back, it is a reference.")


# --- In --------------------------------------------------------------------------------------------


class Node:
    """An object of the file, and what of it nobody has read yet."""

    def __init__(self, value: Any, where: str, findings: list[Finding]) -> None:
        self.where = where
        self.findings = findings
        self.values = dict(value) if isinstance(value, dict) else {}
        if value is not None and not isinstance(value, dict):
            self.leave("an object is wanted here")

    def leave(self, reason: str, key: Any = None) -> None:
        """Say that something is not read."""
        where = self.where if key is None else f"{self.where}.{key}" if self.where else str(key)
        message = f"{where}: {reason}. It was left out."
        title = "This part of the file is not in the definition."
        self.findings.append(Finding(rule="import-lost", severity=Severity.IGNORED, path=(), message=message, title=title))

    def take[T](self, key: str, *wanted: type[T]) -> T | None:
        """The value of a key, of one of these types."""
        value = self.values.pop(key, None)
        if value is None or type(value) in wanted:
            return value  # type: ignore[no-any-return]
        self.leave("another type of value is wanted here", key)
        return None

    def text(self, key: str) -> str | None:
        """Reference text; a number or a flag as AWS's importer writes it."""
        value = self.take(key, str, int, float, bool)
        return None if value is None else reference_text(spelt(value))

    def node(self, key: str) -> "Node":
        """An object; an empty one where there is none."""
        return Node(self.values.pop(key, None), f"{self.where}.{key}" if self.where else key, self.findings)

    def nodes(self) -> Iterator[tuple[str, "Node"]]:
        """All values as objects, by key."""
        for key in list(self.values):
            name = spelt(key)
            yield name, Node(self.values.pop(key), f"{self.where}.{name}", self.findings)

    def texts(self, key: str) -> dict[str, str]:
        """A map of texts, verbatim."""
        inner = self.node(key)
        found = {}
        for name, value in inner.values.items():
            if isinstance(value, str | int | float):
                found[spelt(name)] = spelt(value)
            else:
                inner.leave("a text is wanted here", name)
        return found

    def end(self) -> None:
        """Say what nobody has read."""
        for key in self.values:
            self.leave("Gatehouse does not read this", key)


def spelt(value: Any) -> str:
    """A scalar as text."""
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else str(value)


def load(text: str) -> Loaded:
    """The API that an OpenAPI 3.0 file describes, JSON or YAML; what is not read is a finding. Raises UnreadableText."""
    value = parsed_file(text)
    version = value.get("openapi") if isinstance(value, dict) else None
    if not spelt(version).startswith("3.0"):
        raise UnreadableText("This is no OpenAPI 3.0 file: its key openapi does not say 3.0.")
    findings: list[Finding] = []
    root = Node(value, "", findings)
    root.take("openapi", str, float)
    root.take("x-gatehouse", dict)  # where a file of ours says it comes from
    info = root.node("info")
    info.take("version", str, int, float)
    components = root.node("components")
    schemes = {name: access(name, scheme) for name, scheme in components.node("securitySchemes").nodes()}
    validators = {name: checks.values for name, checks in root.node("x-amazon-apigateway-request-validators").nodes()}
    shared = Shared(
        schemes=schemes,
        validators=validators,
        validator=root.take("x-amazon-apigateway-request-validator", str),
        security=root.take("security", list) or [],
    )
    name, description = info.take("title", str), info.take("description", str)
    binary = root.take("x-amazon-apigateway-binary-media-types", list) or []
    routes = []
    for path, item in root.node("paths").nodes():
        common = item.take("parameters", list) or []
        for verb in [key for key in item.values if key in METHOD_OF]:
            route = loaded_route(path, METHOD_OF[verb], item.node(verb), common, shared)
            routes += [route] if route is not None else []
        item.end()
    models = []
    for model, node in components.node("schemas").nodes():
        schema = compact(rewritten(node.values, functools.partial(_inward, name=model)))
        if schema != compact(BUILT_IN_MODELS.get(model)):
            models.append(Model(name=model, schema=schema))
    for node in (info, components, root):
        node.end()
    api = Api(
        name=name or "api",
        description=description or "",
        models=tuple(models),
        binary_media_types=tuple(map(spelt, binary)),
        routes=tuple(routes),
    )
    return Loaded(apis=(api,), findings=tuple(findings))


def parsed_file(text: str) -> Any:
    """The value of a JSON or YAML text. Raises UnreadableText."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise UnreadableText(f"This is not JSON: {error.msg}.", error.lineno) from error
        except (ValueError, RecursionError) as error:
            raise UnreadableText("This JSON is nested too deeply, or holds a number that is too long.") from error
    return yaml_value(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the methods of a file refer to."""

    schemes: Mapping[str, tuple[str, str | None]]
    """Scheme → (authorization type or `api_key`, authorizer)."""
    validators: Mapping[str, Mapping[str, Any]]
    validator: str | None
    security: list[Any]


def access(name: str, scheme: Node) -> tuple[str, str | None]:
    """What a security scheme asks of callers: an API key, a signature, or an authorizer that a deployment supplies."""
    kind = scheme.take("type", str)
    scheme.take("in", str)
    header = scheme.take("name", str) or ""
    scheme.take("description", str)
    style = (scheme.take("x-amazon-apigateway-authtype", str) or "").lower()
    authorizer = scheme.node("x-amazon-apigateway-authorizer")
    which = (authorizer.take("type", str) or "").lower()
    if authorizer.values.get("providerARNs") == []:
        del authorizer.values["providerARNs"]
    authorizer.end()
    scheme.end()
    if style == "awssigv4":
        return "AWS_IAM", None
    if which == "cognito_user_pools" or style == "cognito_user_pools":
        return "COGNITO_USER_POOLS", referred(name)
    if which or style:
        return "CUSTOM", referred(name)
    if kind == "apiKey" and header.lower() == "x-api-key":
        return "api_key", None
    scheme.leave("API Gateway knows no such scheme")
    return "", None


def loaded_route(path: str, method: str, node: Node, common: list[Any], shared: Shared) -> Route | None:
    """A method of the file as a route; None where it has no integration."""
    if "x-amazon-apigateway-integration" not in node.values:
        node.leave("this method has no x-amazon-apigateway-integration")
        return None
    integration = loaded_integration(node.node("x-amazon-apigateway-integration"))
    required = {f"method.request.path.{name}": True for name in path_variables(path)}
    for index, value in enumerate([*common, *(node.take("parameters", list) or [])]):
        parameter = Node(value, f"{node.where}.parameters.{index}", node.findings)
        place, name = parameter.take("in", str), parameter.take("name", str)
        if place in LOCATIONS and name is not None:
            required[f"method.request.{LOCATIONS[place]}.{name}"] = parameter.take("required", bool) or False
            if parameter.values.get("schema") == {"type": "string"}:
                del parameter.values["schema"]
            parameter.end()
        else:
            parameter.leave("a parameter of the path, the query or a header is wanted here")
    body = node.node("requestBody")
    body.take("required", bool)
    models = loaded_models(body)
    body.end()
    answers = [loaded_response(status, response) for status, response in node.node("responses").nodes()]
    name = node.take("x-amazon-apigateway-request-validator", str) or shared.validator
    checks = shared.validators.get(name or "", {})
    kind, authorizer, scopes, api_key = loaded_access(node, shared)
    route = Route(
        method=method,
        path=reference_text(path),
        integration=integration,
        operation_name=node.take("operationId", str),
        authorization_type=kind,
        authorizer=authorizer,
        authorization_scopes=scopes,
        api_key_required=api_key,
        request_models=models,
        validate_request_body=flag(checks.get("validateRequestBody")) or None,
        validate_request_parameters=flag(checks.get("validateRequestParameters")) or None,
    ).with_effective(required, answers)
    node.end()
    return route


def loaded_access(node: Node, shared: Shared) -> tuple[str | None, str | None, tuple[str, ...], bool | None]:
    """(authorization type, authorizer, scopes, API key) of a method; those of the whole file where it has none of its own."""
    plain = node.node("x-amazon-apigateway-auth")
    kind = plain.text("type")
    authorizer: str | None = None
    scopes: tuple[str, ...] = ()
    api_key: bool | None = None
    plain.end()
    own = node.take("security", list)
    for requirement in shared.security if own is None else own:
        for name, asked in requirement.items() if isinstance(requirement, dict) else ():
            found, which = shared.schemes.get(name, ("", None))
            if found == "api_key":
                api_key = True
            elif found:
                kind, authorizer = found, which
                scopes = tuple(reference_text(spelt(scope)) for scope in asked) if isinstance(asked, list) else ()
            else:
                node.leave(f"the security scheme {name} is not known", "security")
    return kind, authorizer, scopes, api_key


def loaded_models(node: Node) -> dict[str, str]:
    """Media type → model, of a `content`."""
    found = {}
    for media, inner in node.node("content").nodes():
        ref = inner.node("schema").take("$ref", str)
        if ref is not None and ref.startswith(SCHEMAS):
            name = unquote(ref.removeprefix(SCHEMAS)).replace("~1", "/").replace("~0", "~")
            found[media] = reference_text(name)
        else:
            inner.leave("a reference to a model of the file is wanted here", "schema")
        inner.end()
    return found


def loaded_response(status: str, node: Node) -> MethodResponse:
    """A response of the method."""
    node.take("description", str)
    headers = {}
    for name, header in node.node("headers").nodes():
        headers[f"method.response.header.{name}"] = header.take("required", bool) or False
        if header.values.get("schema") == {"type": "string"}:
            del header.values["schema"]
        header.end()
    models = loaded_models(node)
    node.end()
    return MethodResponse(status_code=reference_text(status), response_parameters=headers, response_models=models)


def loaded_integration(node: Node) -> Integration:
    """x-amazon-apigateway-integration as an integration."""
    kind = upper(node.take("type", str), ALL_TYPES) or ""
    transfer, credentials = node.text("responseTransferMode"), node.text("credentials")
    backend = backend_of(kind, node.text("httpMethod"), node.text("uri"), streaming=transfer == "STREAM")
    tls = node.node("tlsConfig")
    passed = credentials == CALLER_CREDENTIALS
    found = Integration(
        backend=backend,
        request_parameters={key: reference_text(value) for key, value in node.texts("requestParameters").items()},
        request_templates={key: template(value) for key, value in node.texts("requestTemplates").items()},
        passthrough_behavior=upper(node.take("passthroughBehavior", str), PASSTHROUGH),
        content_handling=node.text("contentHandling"),
        cache_key_parameters=tuple(map(spelt, node.take("cacheKeyParameters", list) or ())),
        cache_namespace=node.text("cacheNamespace"),
        credentials_role=None if passed else credentials,
        credentials_passthrough=True if passed else None,
        connection_type=node.text("connectionType"),
        vpc_link=node.text("connectionId"),
        integration_target=node.text("integrationTarget"),
        timeout_ms=number(node),
        response_transfer_mode=transfer,
        insecure_skip_verification=flag(tls.take("insecureSkipVerification", bool, str)),
        integration_responses=tuple(loaded_answer(key, response) for key, response in node.node("responses").nodes()),
    )
    tls.end()
    node.end()
    return found


def flag(value: Any) -> bool | Reference | None:
    """True, false, or the reference that stands for one."""
    return value if isinstance(value, bool) else whole_reference(value) if isinstance(value, str) else None


def number(node: Node) -> int | Reference | None:
    """The timeout: a whole number, also as text, or a reference."""
    value = node.take("timeoutInMillis", int, str)
    if not isinstance(value, str):
        return cast(int | None, value)
    if re.fullmatch(r"\d{1,15}", value, re.ASCII):
        return int(value)
    found = whole_reference(value)
    if found is None:
        node.leave("a whole number is wanted here", "timeoutInMillis")
    return found


def loaded_answer(key: str, node: Node) -> IntegrationResponse:
    """An integration response, by its pattern or `default`."""
    found = IntegrationResponse(
        status_code=node.text("statusCode") or "",
        selection_pattern=None if key == "default" else key,
        content_handling=node.text("contentHandling"),
        response_parameters={name: reference_text(value) for name, value in node.texts("responseParameters").items()},
        response_templates={name: template(value) for name, value in node.texts("responseTemplates").items()},
    )
    node.end()
    return found


JSON = Format(
    name="openapi-json",
    label="OpenAPI JSON",
    lexer="json",
    media_type="application/json",
    dump=dump_json,
    load=load,
    marks=("openapi", "swagger"),
    sayable=sayable,
)
YAML = Format(
    name="openapi",
    label="OpenAPI YAML",
    lexer="yaml",
    media_type="application/yaml",
    dump=dump_yaml,
    load=load,
    marks=("openapi", "swagger"),
    sayable=sayable,
)
