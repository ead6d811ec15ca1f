"""An OpenAPI file as a definition; what is not read is a finding."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

from integrations.gateway.definition import (
    CALLER_CREDENTIALS,
    Api,
    Integration,
    IntegrationResponse,
    MethodResponse,
    Route,
)
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.formats.backends import backend_of
from integrations.gateway.formats.export import Loaded, UnreadableText
from integrations.gateway.formats.openapi.schemas import SCHEMAS, is_built_in, loaded_model
from integrations.gateway.formats.openapi.spelling import (
    LOCATIONS,
    METHOD_OF,
    PASSTHROUGH,
    reference_text,
    referred,
    spelt,
    template,
    upper,
)
from integrations.gateway.formats.reading import Asked, ReadApi, Reading
from integrations.gateway.formats.source import FilePath, Source, read_source
from integrations.gateway.grammar import Reference, path_variables, whole_reference
from integrations.gateway.options import ALL_TYPES


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


def load(text: str) -> Loaded:
    """The API that an OpenAPI 3.0 file describes, JSON or YAML; what is not read is a finding. Raises UnreadableText."""
    return read(read_source(text), Asked()).loaded


def read(source: Source, asked: Asked) -> Reading:
    """The API that an OpenAPI 3.0 file describes; what is not read is a finding. Raises UnreadableText."""
    value = source.value
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
    models = [loaded_model(model, schema.values) for model, schema in components.node("schemas").nodes()]
    for node in (info, components, root):
        node.end()
    api = Api(
        name=name or "api",
        description=description or "",
        models=tuple(model for model in models if not is_built_in(model)),
        binary_media_types=tuple(map(spelt, binary)),
        routes=tuple(routes),
    )
    places: dict[Path, FilePath] = {("routes", index): ("paths", route.path) for index, route in enumerate(routes)}
    return Reading(
        source=source, kind="openapi", name=asked.name, apis=(ReadApi(api=api, places=places),), findings=tuple(findings)
    )


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
