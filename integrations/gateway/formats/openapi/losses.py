"""What an OpenAPI file leaves out of a definition or says in another way, as findings."""

from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from typing import Any

from integrations.gateway.definition import METHODS, Api, AwsService, Integration, Lambda, Route, leaves
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.formats.export import broken_text, evaluated, lost, noted, refused
from integrations.gateway.formats.openapi.document import authorization, has_authorizer, path_key, response_key
from integrations.gateway.formats.openapi.schemas import parsed
from integrations.gateway.formats.openapi.spelling import IMPORTED, VERBS, text
from integrations.gateway.grammar import (
    Reference,
    parse_method_parameter,
    parse_response_target,
    path_variables,
    references_in,
    segments,
)
from integrations.gateway.options import GUIDE

EXTENSIONS = GUIDE + "api-gateway-swagger-extensions.html"
RESPONSES = GUIDE + "api-gateway-swagger-extensions-integration-responses.html"
PERMISSION = GUIDE + "permissions.html"

NO_PERMISSION = (
    "OpenAPI holds no Lambda permission: let apigateway.amazonaws.com invoke the function, or every call answers 500. "
    "CloudFormation, CDK and boto3 hold it."
)
OF_THE_STAGE = {
    "stage_variables": "Give it the variables after the import.",
    "stage_description": "Describe it after the import.",
    "cache_cluster_enabled": "Give it a cache cluster after the import.",
    "cache_cluster_size": "Give it a cache cluster after the import.",
    "tracing_enabled": "Turn tracing on after the import.",
    "access_log_destination": "Give it its access log after the import.",
    "access_log_format": "Give it its access log after the import.",
    "method_settings": "Give it the settings of its methods after the import.",
    "stage_tags": "Tag it after the import.",
}
"""The settings of a stage → what to do instead."""

PERMISSION_OPTIONS = {"allow_test_invoke": True, "scope_permission_to_method": True, "permission_functions": ()}
"""What only shapes the Lambda permission → its default."""

UNREAD = (("authorizer",), ("api_key_required",), ("backend", "permission_functions"))
"""Where a reference does not reach the file as text; each has a finding of its own."""


def unsaid(api: Api) -> Iterator[Finding]:
    """What the file leaves out or says in another way, by option."""
    if api.stage_name != Api().stage_name:
        message = f"OpenAPI holds no stage. Name it when you deploy the import: --stage-name {api.stage_name}."
        yield lost(("stage_name",), message, docs=EXTENSIONS)
    for name in (name for name in OF_THE_STAGE if getattr(api, name) not in (None, (), {})):
        yield lost((name,), f"OpenAPI holds no stage. {OF_THE_STAGE[name]}", docs=EXTENSIONS)
    if api.tags:
        yield lost(("tags",), "AWS's importer gives tags to HTTP APIs only. Tag the API after the import.", docs=EXTENSIONS)
    for index, parameter in enumerate(api.parameters):
        message = f"OpenAPI has no parameters: what is declared of {parameter.name} is not in the file."
        yield lost(("parameters", index), message, docs=EXTENSIONS)
    yield from _unsaid_models(api)
    declared = {authorizer.name for authorizer in api.authorizers}
    seen: set[tuple[str, str]] = set()
    for index, route in enumerate(api.routes):
        path: Path = ("routes", index)
        if route.method not in VERBS:
            message = f"OpenAPI has no method {route.method!r:.40}. Choose one of {', '.join(METHODS)}."
            yield refused((*path, "method"), message, docs=EXTENSIONS)
        if (path_key(route), route.method) in seen:
            yield refused((*path, "path"), "Another route has the same method and path; OpenAPI holds one. Change either.")
        seen.add((path_key(route), route.method))
        yield from _unsaid_access(route, path, declared)
        yield from _unsaid_parameters(route, path)
        yield from _unsaid_responses(route.integration, (*path, "integration", "integration_responses"))
        yield from _unsaid_backend(route.integration, (*path, "integration"))
    yield from _unsaid_shared(api)
    yield from _references(api)
    yield from evaluated(api)
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
        if model.description is not None:
            yield lost((*path, "description"), "A model in OpenAPI is its schema; describe it there.", docs=EXTENSIONS)


def _unsaid_shared(api: Api) -> Iterator[Finding]:
    named: dict[str, Callable[[Any], str]] = {
        "authorizers": lambda authorizer: authorizer.name,
        "request_validators": lambda validator: validator.name,
        "gateway_responses": lambda response: text(response.response_type),
    }
    for part, name_of in named.items():
        names: set[str] = set()
        for index, each in enumerate(getattr(api, part)):
            if name_of(each) in names:
                yield refused(
                    (part, index), f"Another one is called {name_of(each)!r:.40} too; OpenAPI holds one. Change either."
                )
            names.add(name_of(each))
    for index, authorizer in enumerate(api.authorizers):
        if authorizer.function and not authorizer.credentials_role:
            yield noted(("authorizers", index, "function"), NO_PERMISSION, Severity.FAILURE, docs=PERMISSION, evidence="PF")
    if api.policy is not None and not isinstance(parsed(api.policy), dict):
        yield refused(("policy",), "OpenAPI holds the policy as JSON, and this is no JSON object. Correct it.")


def _unsaid_access(route: Route, path: Path, declared: Container[str]) -> Iterator[Finding]:
    if has_authorizer(route) and route.authorizer in declared:
        return
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
        yield noted((*path, "backend", "function"), NO_PERMISSION, Severity.FAILURE, docs=PERMISSION, evidence="PF")


def _references(api: Api) -> Iterator[Finding]:
    elsewhere = ("stage_name", *OF_THE_STAGE, "tags", "structures")
    for leaf in leaves(replace(api, parameters=(), **{name: getattr(Api(), name) for name in elsewhere})):
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
