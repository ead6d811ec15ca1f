"""An OpenAPI 3.0 or Swagger 2.0 file as a definition, alone or within a template; what is not read is a finding."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from integrations.gateway.definition import (
    CALLER_CREDENTIALS,
    Api,
    Authorizer,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    MethodResponse,
    Model,
    RequestValidator,
    Route,
)
from integrations.gateway.findings import Path, Severity
from integrations.gateway.formats.backends import backend_of, with_uri
from integrations.gateway.formats.export import Loaded, UnreadableText, numbered, supplied
from integrations.gateway.formats.intrinsics import Values, is_intrinsic, spelt
from integrations.gateway.formats.node import File, Node
from integrations.gateway.formats.openapi.document import AUTHORIZER_TYPES, AUTHORIZERS
from integrations.gateway.formats.openapi.schemas import is_built_in, loaded_model
from integrations.gateway.formats.openapi.spelling import (
    LOCATIONS,
    METHOD_OF,
    PASSTHROUGH,
    is_usual,
    reference_text,
    referred,
    template,
    upper,
)
from integrations.gateway.formats.reading import Asked, ReadApi, Reading
from integrations.gateway.formats.source import FilePath, Source, read_source
from integrations.gateway.grammar import STATUS_CODE, path_variables
from integrations.gateway.options import ALL_TYPES, options_of

DOCUMENTATION = ("description", "summary", "tags", "externalDocs", "deprecated", "example", "examples")
SAM = "SAM makes this integration of the function's event. Edit the event, or write out the integration."
ENDPOINT = "x-amazon-apigateway-endpoint-configuration"
APART = ("request_validators", "gateway_responses")
"""Options of the API that are read part by part."""
INTEGRATION = "x-amazon-apigateway-integration"


def load(text: str) -> Loaded:
    """The API that an OpenAPI file describes, JSON or YAML; what is not read is a finding. Raises UnreadableText."""
    return read(read_source(text), Asked()).loaded


def read(source: Source, asked: Asked) -> Reading:
    """The API that an OpenAPI 3.0 or Swagger 2.0 file describes; what is not read is a finding. Raises UnreadableText."""
    value = source.value
    if not isinstance(value, dict) or not value.keys() & {"openapi", "swagger", "paths"}:
        raise UnreadableText("This is no OpenAPI file: it has none of the keys openapi, swagger and paths.", 1)
    file = File(source, asked, Values(literal=reference_text, verbatim=template))
    file.say_what_the_text_does(aliases=False)
    found = described(Node(file, value, ()), base_path=asked.base_path)
    api = found.api
    api = replace(api, parameters=file.values.parameters(supplied(api)))
    found.say_the_rest()
    whole = file.with_structures(ReadApi(api=api, places=found.places, fixed=found.fixed))
    return Reading(
        source=source,
        kind="openapi",
        name=asked.name,
        apis=(whole,),
        findings=tuple(file.findings),
    )


@dataclass(slots=True)
class Described:
    """An API that is being read from an OpenAPI document: what its methods refer to, and where its parts stand."""

    root: Node
    document: Mapping[str, Any]
    old: bool
    """Swagger 2.0."""
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    """The authorizers that the document completes, by the name of their scheme."""
    schemes: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Scheme → (authorization type or `api_key`, authorizer)."""
    validators: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Validator → (whether it checks bodies, parameters)."""
    validator: str | None = None
    security: list[Any] | None = None
    implied: Mapping[tuple[str, str], Integration] = field(default_factory=dict)
    """(path, method) → the integration that a method has without saying so: SAM's, of a function's event."""
    models: dict[str, Model] = field(default_factory=dict)
    places: dict[Path, FilePath] = field(default_factory=dict)
    fixed: dict[Path, str] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    api: Api = field(default_factory=Api)

    def say_the_rest(self) -> None:
        """Findings on what nobody has read."""
        self.root.end()
        self.root.file.say_what_documents()


def described(
    root: Node, *, base_path: str = "ignore", implied: Mapping[tuple[str, str], Integration] | None = None
) -> Described:
    """The API of an OpenAPI document that stands in a file."""
    document = dict(root.values)
    old = "swagger" in document
    version = spelt(root.raw("swagger" if old else "openapi"))
    found = Described(root, document, old, implied=implied or {})
    if not version:
        root.note("It says neither openapi nor swagger, without which AWS refuses it. It is read as OpenAPI 3.0.")
    if version.startswith("3.1"):
        message = "API Gateway refuses OpenAPI 3.1 (“Invalid OpenAPI input.”). It is read as 3.0; save it as 3.0.1."
        root.note(message, "openapi", Severity.FAILURE)
    root.drop("openapi", "swagger", "x-gatehouse", "host", "schemes", "jsonSchemaDialect")
    root.describe("tags", "externalDocs", "x-amazon-apigateway-documentation")
    info = root.node("info")
    name, description = info.text("title"), info.plain("description")
    info.drop("version", "termsOfService", "contact", "license", "summary")
    info.end()
    prefix = path_prefix(root, base_path)
    components = Node(root.file, None, root.path) if old else root.node("components")
    for name_of, scheme in (root.node("securityDefinitions") if old else components.node("securitySchemes")).nodes():
        found.schemes[name_of] = access(found, name_of, scheme)
    for name_of, checks in root.node("x-amazon-apigateway-request-validators").nodes():
        found.validators[name_of] = (checks.flag("validateRequestBody"), checks.flag("validateRequestParameters"))
        checks.end()
    own = settings(found, root)
    found.validator = root.plain("x-amazon-apigateway-request-validator")
    found.security = [part for part, _, _ in root.parts("security")] if "security" in root else None
    for name_of, schema in (root.node("definitions") if old else components.node("schemas")).nodes():
        found.models[name_of] = loaded_model(name_of, schema.values)
    consumes = media_types(root, "consumes"), media_types(root, "produces")
    components.drop("parameters", "responses", "requestBodies", "headers", "examples", "links", "callbacks")
    root.drop("parameters", "responses")
    for path, item in root.node("paths").nodes():
        if path.startswith("x-"):
            item.values.clear()
            continue
        item.describe("summary", "description")
        item.drop("servers")
        common = item.parts("parameters")
        for verb in [key for key in item.values if key.lower() in METHOD_OF]:
            read_route(found, prefix + path, METHOD_OF[verb.lower()], item.node(verb), common, consumes)
        item.end()
    components.end()
    found.api = Api(
        name=name or "api",
        description=description or "",
        models=tuple(model for model in found.models.values() if not is_built_in(model)),
        routes=tuple(found.routes),
        **own,
    )
    return found


def settings(found: Described, root: Node) -> dict[str, Any]:
    """The options of the API that stand in extensions at the root."""
    values = root.file.values
    own: dict[str, Any] = {}
    inner = {ENDPOINT: root.node(ENDPOINT)}
    for name, option in options_of(Api).items():
        head, _, tail = option.openapi.partition(".")
        place, key = (inner.get(head), tail) if tail else (root, head)
        if place is None or key not in place or not head.startswith("x-amazon-apigateway-") or name in APART:
            continue
        found.places[name,] = place.at(key)
        value: Any
        if option.text == "document":
            value = values.document(place.raw(key))
        elif isinstance(option.example, bool):
            value = place.flag(key)
        elif isinstance(option.example, int):
            value = place.number(key)
        elif isinstance(option.example, tuple):
            texts = values.text if option.text == "reference" else values.plain
            value = tuple(map(texts, place.each(key)))
        elif key == "types":
            value = next(map(values.text, place.each(key)), None)
        else:
            value = place.text(key)
        own[name] = value
    inner[ENDPOINT].end()
    validators = [
        RequestValidator(name=name, validate_request_body=body or None, validate_request_parameters=parameters or None)
        for name, (body, parameters) in found.validators.items()
        if not is_usual(name, body or False, parameters or False)
    ]
    answers: list[GatewayResponse] = []
    for kind, node in root.node("x-amazon-apigateway-gateway-responses").nodes():
        found.places["gateway_responses", len(answers)] = node.path
        answers.append(
            GatewayResponse(
                response_type=values.literal(kind),
                status_code=node.text("statusCode"),
                response_parameters=node.texts("responseParameters"),
                response_templates=templates(node, "responseTemplates"),
            )
        )
        node.end()
    parts = {
        "request_validators": tuple(validators),
        "authorizers": tuple(found.authorizers.values()),
        "gateway_responses": tuple(answers),
    }
    return own | parts


def path_prefix(root: Node, base_path: str) -> str:
    """What stands before each path: nothing, or as much of the base path as the import is told to use (APIGATEWAY.md 1.5)."""
    base = root.plain("basePath") or ""
    for part, _, _ in root.parts("servers")[:1]:
        server = part if isinstance(part, dict) else {}
        if ENDPOINT in server:  # where AWS documents it for OpenAPI 3.0
            root.values.setdefault(ENDPOINT, server[ENDPOINT])
        url, variables = spelt(server.get("url")), server.get("variables")
        defaults = {
            name: spelt(variable.get("default")) if isinstance(variable, dict) else ""
            for name, variable in (variables if isinstance(variables, dict) else {}).items()
        }
        for name, default in defaults.items():
            url = url.replace(f"{{{name}}}", default)
        # the importer takes the variable basePath also where the url does not hold it (LS)
        base = defaults["basePath"] if "basePath" in defaults else urlsplit(url).path
    base = "/" + base.strip("/") if base.strip("/") else ""
    if base_path == "prepend":
        return base
    if base_path == "split":  # the first part of the base path is the stage
        _, _, rest = base.lstrip("/").partition("/")
        return f"/{rest}" if rest else ""
    return ""


def media_types(node: Node, key: str) -> tuple[str, ...]:
    """Swagger's consumes or produces."""
    return tuple(spelt(part) for part, _, _ in node.parts(key))


def access(found: Described, name: str, scheme: Node) -> tuple[str, str | None]:
    """What a security scheme asks of callers: an API key, a signature, or an authorizer that a deployment supplies."""
    kind = scheme.plain("type")
    header = scheme.plain("name") or ""
    scheme.drop("in", "description")
    style = scheme.plain("x-amazon-apigateway-authtype") or ""
    node = scheme.node("x-amazon-apigateway-authorizer")
    authorizer = decider(found, name, node, header, style) if node.values else None
    which = upper(node.text("type"), AUTHORIZERS)
    node.end()
    if style.lower() == "awssigv4":
        scheme.end()
        return "AWS_IAM", None
    if authorizer is not None:
        scheme.end()
        return authorizer.authorization_type, name
    if which == "COGNITO_USER_POOLS" or style.lower() == "cognito_user_pools":
        scheme.end()
        return "COGNITO_USER_POOLS", referred(name)
    if which or style:
        scheme.end()
        return "CUSTOM", referred(name)
    if kind == "apiKey" and header.lower() == "x-api-key":
        scheme.end()
        return "api_key", None
    scheme.values.clear()
    scheme.note("API Gateway knows no such scheme, and imports without it.", severity=Severity.IGNORED)
    return "", None


def decider(found: Described, name: str, node: Node, header: str, style: str) -> Authorizer | None:
    """An authorizer that the document completes; None for one that names neither a function nor user pools."""
    if not ("authorizerUri" in node or node.values.get("providerARNs")):
        node.drop("providerARNs")
        return None
    kind = upper(node.text("type"), AUTHORIZERS) or ""
    source = node.text("identitySource")
    if source is None and kind != "REQUEST" and header not in ("", "Unused"):
        source = f"method.request.header.{header}"
    usual = AUTHORIZER_TYPES["COGNITO_USER_POOLS" if kind == "COGNITO_USER_POOLS" else "CUSTOM"]
    authorizer = Authorizer(
        name=name,
        type=kind,
        credentials_role=node.text("authorizerCredentials"),
        identity_sources=tuple(part.strip() for part in source.split(",")) if source else (),
        identity_validation_expression=node.plain("identityValidationExpression"),
        result_ttl_seconds=node.number("authorizerResultTtlInSeconds"),
        provider_arns=tuple(map(node.file.values.text, node.each("providerARNs"))),
        auth_type=None if style in ("", usual) else style,
    )
    found.places["authorizers", len(found.authorizers)] = node.path
    found.authorizers[name] = with_uri(authorizer, node.text("authorizerUri"))
    return found.authorizers[name]


def resolved(found: Described, value: Any, path: FilePath, reason: str) -> Node:
    """An object, or what its `$ref` to a part of this document stands for."""
    seen: set[str] = set()
    while isinstance(value, dict) and isinstance(value.get("$ref"), str) and value["$ref"] not in seen:
        ref = value["$ref"]
        seen.add(ref)
        inner: Any = found.document if ref.startswith("#/") else None
        steps = [unquote(step).replace("~1", "/").replace("~0", "~") for step in ref.removeprefix("#/").split("/")]
        for step in steps:
            inner = inner.get(step) if isinstance(inner, dict) else None
        if inner is None:
            break
        value, path = inner, (*found.root.path, *steps)
    return Node(found.root.file, value, path, reason)


def read_route(
    found: Described,
    path: str,
    method: str,
    node: Node,
    common: list[tuple[Any, FilePath, str]],
    media: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    """A method of the document as the next route; one without an integration is none."""
    at: Path = ("routes", len(found.routes))
    node.describe(*DOCUMENTATION)
    node.drop("servers", "callbacks", "schemes")
    if INTEGRATION in node:
        integration = read_integration(found, node.node(INTEGRATION), (*at, "integration"))
    elif (path, method) in found.implied:
        integration = found.implied[path, method]
        found.fixed[*at, "integration"] = SAM
    else:
        node.values.clear()
        node.lose(f"this method has no {INTEGRATION}")
        return
    found.places[at] = node.path
    if node.reason:
        found.fixed[at] = node.reason
    consumes, produces = media_types(node, "consumes") or media[0], media_types(node, "produces") or media[1]
    words = f"{method.lower()} {path}"
    required = {f"method.request.path.{name}": True for name in path_variables(path)}
    models: dict[str, str] = {}
    for value, where, reason in [*common, *node.parts("parameters")]:
        parameter = resolved(found, value, where, reason)
        place, name = parameter.plain("in"), parameter.plain("name")
        needed = parameter.flag("required")
        if place == "body":
            schema = parameter.raw("schema")
            for media_type in consumes or ("application/json",):
                models |= modelled(found, media_type, schema, parameter, f"{words} request")
        elif place in LOCATIONS and name is not None:
            required[f"method.request.{LOCATIONS[place]}.{name}"] = needed is True
        elif place in ("formData", "cookie"):
            parameter.lose(f"API Gateway takes no parameter in {place}")
        else:
            parameter.lose("a parameter of the path, the query or a header is wanted here")
        # of a parameter AWS keeps its name, its place and whether it is required (APIGATEWAY.md 2.3)
        parameter.values.clear()
    body = resolved(found, node.raw("requestBody"), node.at("requestBody"), node.reason)
    body.drop("required", "description")
    models |= contents(found, body, f"{words} request")
    body.end()
    answers = []
    for status, value in node.node("responses").nodes():
        if STATUS_CODE.fullmatch(status) or "${" in status:
            answers.append(read_response(found, status, resolved(found, value.values, value.path, value.reason), produces, words))
        else:
            value.values.clear()
            value.lose("API Gateway's responses each have a status from 100 to 599; its importer takes no other")
    name = node.plain("x-amazon-apigateway-request-validator") or found.validator
    checks = found.validators.get(name or "", (None, None))
    if name and name not in found.validators:
        node.note(f"No validator {name} is declared in x-amazon-apigateway-request-validators.", severity=Severity.FAILURE)
    kind, authorizer, scopes, api_key = read_access(found, node)
    route = Route(
        method=method,
        path=found.root.file.values.literal(path),
        integration=integration,
        operation_name=node.plain("operationId"),
        authorization_type=kind,
        authorizer=authorizer,
        authorization_scopes=scopes,
        api_key_required=api_key,
        request_models=models,
        validate_request_body=checks[0] or None,
        validate_request_parameters=checks[1] or None,
    ).with_effective(required, answers)
    found.routes.append(route)
    node.end()


def read_access(found: Described, node: Node) -> tuple[str | None, str | None, tuple[str, ...], bool | None]:
    """(authorization type, authorizer, scopes, API key) of a method; those of the whole file where it has none of its own."""
    plain = node.node("x-amazon-apigateway-auth")
    kind = plain.text("type")
    plain.end()
    authorizer: str | None = None
    scopes: tuple[str, ...] = ()
    api_key: bool | None = None
    own = [part for part, _, _ in node.parts("security")] if "security" in node else found.security
    for requirement in own or ():
        for name, asked in requirement.items() if isinstance(requirement, dict) else ():
            known, which = found.schemes.get(name, (None, None))
            if known == "api_key":
                api_key = True
            elif known:
                kind, authorizer = known, which
                scopes = tuple(map(node.file.values.text, asked)) if isinstance(asked, list) else ()
            elif known is None:
                node.lose(f"the security scheme {name} is not known", "security")
    return kind, authorizer, scopes, api_key


def contents(found: Described, node: Node, words: str) -> dict[str, str]:
    """Media type → model, of a `content`."""
    models: dict[str, str] = {}
    for media, inner in node.node("content").nodes():
        models |= modelled(found, media, inner.raw("schema"), inner, words)
        inner.describe("example", "examples")
        inner.drop("encoding")
        inner.end()
    return models


def modelled(found: Described, media: str, schema: Any, node: Node, words: str) -> dict[str, str]:
    """Media type → model, of a schema: the one that it refers to, or one made of it, as AWS makes one."""
    if not isinstance(schema, dict) or is_intrinsic(schema):
        if schema is not None:
            node.lose("a schema is wanted here", "schema")
        return {}
    ref = schema.get("$ref")
    start = "#/definitions/" if found.old else "#/components/schemas/"
    if isinstance(ref, str) and ref.startswith(start):
        name = unquote(ref.removeprefix(start)).replace("~1", "/").replace("~0", "~")
        return {media: node.file.values.literal(name)}
    if ref is not None:
        node.lose("a reference to a model of the file is wanted here", "schema")
        return {}
    if not schema:
        return {}
    model = loaded_model("", schema)
    wanted = "".join(part[0].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", words))
    name = next((own.name for own in found.models.values() if own.schema == model.schema and own.name.startswith(wanted)), "")
    if not name:
        name = numbered(wanted, found.models)
        found.models[name] = replace(model, name=name)
        node.note(f"API Gateway makes a model of this schema; it is called {name} here.", "schema")
    return {media: name}


def read_response(found: Described, status: str, node: Node, produces: tuple[str, ...], words: str) -> MethodResponse:
    """A response of the method."""
    node.drop("description", "links")
    node.describe("examples", "x-examples")
    headers = {}
    for name, header in node.node("headers").nodes():
        headers[f"method.response.header.{name}"] = header.flag("required") is True
        header.values.clear()
    models = contents(found, node, f"{words} {status}")
    if found.old and "schema" in node:
        schema = node.raw("schema")
        for media in produces or ("application/json",):
            models |= modelled(found, media, schema, node, f"{words} {status}")
    node.end()
    return MethodResponse(status_code=node.file.values.literal(status), response_parameters=headers, response_models=models)


def read_integration(found: Described, node: Node, at: Path) -> Integration:
    """x-amazon-apigateway-integration as an integration; its parts are placed under `at`."""
    found.places[at] = node.path
    found.places[*at, "backend"] = node.at("uri" if "uri" in node else "type")
    for name, option in options_of(Integration).items():
        key = option.openapi.partition(".")[0]
        if key and key in node:
            found.places[*at, name] = node.at(key)
    if node.reason:
        found.fixed[at] = node.reason
    if "passThroughBehavior" in node:
        node.drop("passThroughBehavior")
        node.lose("AWS knows no passThroughBehavior and ignores it; write passthroughBehavior", "passThroughBehavior")
    kind = upper(node.text("type"), ALL_TYPES) or ""
    transfer, credentials = node.text("responseTransferMode"), node.text("credentials")
    backend = backend_of(kind, verb(node), node.text("uri"), streaming=transfer == "STREAM")
    tls = node.node("tlsConfig")
    passed = credentials == CALLER_CREDENTIALS
    answers: list[IntegrationResponse] = []
    for key, response in node.node("responses").nodes():
        answers.append(read_answer(found, key, response, (*at, "integration_responses", len(answers))))
    integration = Integration(
        backend=backend,
        request_parameters=expressions(node, "requestParameters"),
        request_templates=templates(node, "requestTemplates"),
        passthrough_behavior=upper(node.text("passthroughBehavior"), PASSTHROUGH),
        content_handling=node.text("contentHandling"),
        cache_key_parameters=tuple(spelt(part) for part, _, _ in node.parts("cacheKeyParameters")),
        cache_namespace=node.text("cacheNamespace"),
        credentials_role=None if passed else credentials,
        credentials_passthrough=True if passed else None,
        connection_type=node.text("connectionType"),
        vpc_link=node.text("connectionId"),
        integration_target=node.text("integrationTarget"),
        timeout_ms=node.number("timeoutInMillis"),
        response_transfer_mode=transfer,
        insecure_skip_verification=tls.flag("insecureSkipVerification"),
        integration_responses=tuple(answers),
    )
    tls.end()
    node.end()
    return integration


def verb(node: Node) -> str | None:
    """The method of the call to the backend."""
    found = node.text("httpMethod")
    return found.upper() if found is not None and found.isalpha() else found


def expressions(node: Node, key: str) -> dict[str, str]:
    """A map of mapping expressions. AWS's importer drops what is no text, with a warning (LS)."""
    found = {}
    inner = node.node(key)
    for name, value in inner.values.items():
        if isinstance(value, str) or is_intrinsic(value):
            found[name] = node.file.values.text(value)
        elif value is not None:
            inner.lose("AWS takes a text here and drops anything else; put it in quotes", name)
    return found


def templates(node: Node, key: str) -> dict[str, Any]:
    """A map of Velocity templates; one that is an object is its JSON."""
    found = {}
    inner = node.node(key)
    for name, value in inner.values.items():
        if isinstance(value, dict | list) and not is_intrinsic(value):
            inner.note("This template is an object; its JSON is taken as its text. Write it as a text.", name)
        found[name] = node.file.values.template("" if value is None else value)
    return found


def read_answer(found: Described, key: str, node: Node, at: Path) -> IntegrationResponse:
    """An integration response, by its pattern or `default`."""
    found.places[at] = node.path
    for name, option in options_of(IntegrationResponse).items():
        if option.openapi and option.openapi in node:
            found.places[*at, name] = node.at(option.openapi)
    if node.reason:
        found.fixed[at] = node.reason
    answer = IntegrationResponse(
        status_code=node.text("statusCode") or "",
        selection_pattern=None if key == "default" else key,
        content_handling=node.text("contentHandling"),
        response_parameters=expressions(node, "responseParameters"),
        response_templates=templates(node, "responseTemplates"),
    )
    node.end()
    return answer
