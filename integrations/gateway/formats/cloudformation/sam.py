"""The APIs that SAM makes: of AWS::Serverless::Api, and of the events of functions and state machines."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrations.gateway.definition import (
    Api,
    Authorizer,
    AwsService,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Mock,
    Route,
    Template,
)
from integrations.gateway.findings import Path
from integrations.gateway.formats.backends import shortest
from integrations.gateway.formats.cloudformation.resources import ELSEWHERE, SERVERLESS_API, Draft, Reader, as_dict, include
from integrations.gateway.formats.intrinsics import is_intrinsic, spelt
from integrations.gateway.formats.node import Node
from integrations.gateway.formats.openapi.reader import SAM
from integrations.gateway.formats.openapi.schemas import loaded_model

IMPLICIT = "ServerlessRestApi"
"""The logical id of the API that SAM makes for events that name none."""
FUNCTION, MACHINE = "AWS::Serverless::Function", "AWS::Serverless::StateMachine"
HTTP_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def is_sam(template: Mapping[str, Any]) -> bool:
    """Whether SAM transforms a template."""
    transform = template.get("Transform")
    names = transform if isinstance(transform, list) else [transform]
    kinds = (as_dict(each).get("Type") for each in as_dict(template.get("Resources")).values())
    return any(spelt(name).startswith("AWS::Serverless") for name in names) or any(
        isinstance(kind, str) and kind.startswith("AWS::Serverless::") for kind in kinds
    )


@dataclass(slots=True)
class Event:
    """An Api event of a function or a state machine."""

    owner: str
    name: str
    machine: bool
    node: Node
    method: str
    path: str
    api: str


def apis(reader: Reader) -> list[Draft]:
    """The APIs that SAM makes."""
    events = list(events_of(reader))
    found = []
    for name, node in reader.of(SERVERLESS_API).items():
        reader.read.add(name)
        own = [event for event in events if event.api == name]
        found.append(api(reader, name, Draft(node.path[:-1], reader.file), node, own))
    implicit = [event for event in events if event.api not in reader.of(SERVERLESS_API)]
    for key in dict.fromkeys(event.api for event in implicit):
        own = [event for event in implicit if event.api == key]
        where = ("Resources", own[0].owner)
        node = Node(reader.file, {}, where)
        found.append(api(reader, key or IMPLICIT, Draft(where, reader.file), node, own))
    return found


def events_of(reader: Reader) -> Iterator[Event]:
    """The events of all functions and state machines that are methods of a REST API."""
    for kind in (FUNCTION, MACHINE):
        for owner, node in reader.of(kind).items():
            for name, event in Node(reader.file, node.values.get("Events"), node.at("Events"), node.reason).nodes():
                if event.plain("Type") != "Api":
                    continue
                given = event.node("Properties")
                rest = given.raw("RestApiId")
                target = rest.get("Ref") if isinstance(rest, dict) else rest
                key = "" if rest is None else target if isinstance(target, str) else reader.values.plain(rest)
                method = (given.plain("Method") or "").upper()
                path = given.text("Path") or "/"
                yield Event(owner, name, kind == MACHINE, given, method, path, "" if key == IMPLICIT else key)


def api(reader: Reader, name: str, draft: Draft, node: Node, events: list[Event]) -> Draft:
    """One API: its document, then the events that it does not write out itself, then the preflights of CORS."""
    given = Node(reader.file, merged(as_dict(as_dict(reader.template.get("Globals")).get("Api")), node.values), node.path)
    draft.settings["name"] = given.text("Name") or ""
    draft.settings["description"] = given.plain("Description") or ""
    draft.settings["binary_media_types"] = reader.media_types(given)
    if name == IMPLICIT:
        draft.settings["stage_name"] = "Prod"
    settings(reader, draft, given)
    auth = Access(given.node("Auth"), draft)
    for model, schema in given.node("Models").nodes():
        draft.models[model.lower()] = loaded_model(model.lower(), schema.values)
    adds = given.flag("MergeDefinitions") is True or not ("DefinitionBody" in given or "DefinitionUri" in given)
    made = {(event.path, event.method): integration(reader, event, auth) for event in events}
    implied = made if adds else {}
    if "DefinitionBody" in given:
        reader.take_body(draft, given, "DefinitionBody", implied=implied)
    elif "DefinitionUri" in given:
        given.values["DefinitionUri"] = include(reader.location(given.values["DefinitionUri"]))
        reader.take_body(draft, given, "DefinitionUri", implied=implied)
    if draft.missing and events:
        given.note("Without its document, the methods that events of functions name are read as SAM makes them of the events.")
        adds = True
    draft.routes = [auth.applied(route) for route in draft.routes]
    written = {(route.path, route.method) for route in draft.routes}
    for event in events if adds else ():
        if (event.path, event.method) not in written:
            written.add((event.path, event.method))
            route(draft, event, made[event.path, event.method], auth)
    cors = given.raw("Cors")
    if cors is not None:
        preflights(reader, draft, cors, given, auth)
    given.drop("OpenApiVersion", "AlwaysDeploy", "Mode", "FailOnWarnings", "PropagateTags")
    given.end()
    reader.of_api(draft, name)
    draft.settings["name"] = draft.settings["name"] or name
    return draft


def settings(reader: Reader, draft: Draft, given: Node) -> None:
    """The options of the API and of its stage, which share one resource here."""
    endpoint = given.values.pop("EndpointConfiguration", None)
    if isinstance(endpoint, dict) and not is_intrinsic(endpoint):
        words = {"Type": "Types", "VPCEndpointIds": "VpcEndpointIds"}
        endpoint = {words.get(key, key): [value] if key == "Type" else value for key, value in endpoint.items()}
    elif endpoint is not None:
        endpoint = {"Types": [endpoint]}
    if endpoint is not None:
        given.values["EndpointConfiguration"] = endpoint
    draft.settings |= reader.of_stage(draft, given)
    draft.settings |= reader.options(Api, given, draft, (), lambda name: name not in (*ELSEWHERE, "tags"))
    answers: list[GatewayResponse] = []
    for kind, node in given.node("GatewayResponses").nodes():
        parameters = node.node("ResponseParameters")
        places = (("Headers", "header"), ("Paths", "path"), ("QueryStrings", "querystring"))
        answers.append(
            GatewayResponse(
                response_type=kind,
                status_code=node.text("StatusCode"),
                response_parameters={
                    f"gatewayresponse.{place}.{name}": text
                    for key, place in places
                    for name, text in parameters.texts(key).items()
                },
                response_templates={
                    name: reader.body_file.values.template(value) for name, value in node.pairs("ResponseTemplates")
                },
            )
        )
        parameters.end()
        node.end()
    if answers:
        draft.settings["gateway_responses"] = tuple(answers)


def authorizer(name: str, node: Node) -> Authorizer:
    """An authorizer of `Auth`."""
    values = node.file.values
    identity = node.node("Identity")
    header, check = identity.plain("Header"), identity.plain("ValidationExpression")
    time = identity.number("ReauthorizeEvery")
    pools = tuple(map(values.text, node.each("UserPoolArn")))
    kind = "COGNITO_USER_POOLS" if pools else node.text("FunctionPayloadType") or "TOKEN"
    places = (("Headers", "method.request.header."), ("QueryStrings", "method.request.querystring."))
    others = (("StageVariables", "stageVariables."), ("Context", "context."))
    sources = tuple(f"{start}{values.plain(part)}" for key, start in (*places, *others) for part, _, _ in identity.parts(key))
    if kind != "REQUEST":
        sources = (f"method.request.header.{header or 'Authorization'}",)
    function = node.raw("FunctionArn")
    role = node.raw("FunctionInvokeRole")
    node.drop("DisableFunctionDefaultPermissions", "AuthorizationScopes")
    identity.end()
    node.end()
    return Authorizer(
        name=name,
        type=kind,
        function=None if function is None else shortest(values.text(function)),
        credentials_role=None if role in (None, "NONE") else values.text(role),
        identity_sources=sources,
        identity_validation_expression=check,
        result_ttl_seconds=time,
        provider_arns=pools,
    )


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a resource with the Globals' before them: maps merge, lists join, the rest is the resource's own."""
    found = dict(shared)
    for key, value in own.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, dict) and not is_intrinsic(before) and not is_intrinsic(value):
            found[key] = merged(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            found[key] = [*before, *value]
        else:
            found[key] = value
    return found


class Access:
    """Who may call an API's methods, as `Auth` says it."""

    def __init__(self, node: Node, draft: Draft) -> None:
        self.kinds: dict[str, str] = {"AWS_IAM": "AWS_IAM"}
        self.scopes: dict[str, tuple[str, ...]] = {}
        """The scopes that an authorizer of user pools asks for where a method names none."""
        found: list[Authorizer] = []
        for name, each in node.node("Authorizers").nodes():
            draft.places["authorizers", len(found)] = each.path
            self.scopes[name] = tuple(each.file.values.text(part) for part, _, _ in each.parts("AuthorizationScopes"))
            found.append(authorizer(name, each))
            self.kinds[name] = found[-1].authorization_type
        if found:
            draft.settings["authorizers"] = tuple(found)
        policy = node.node("ResourcePolicy")
        if "CustomStatements" in policy:
            document = {"Version": "2012-10-17", "Statement": policy.raw("CustomStatements")}
            draft.settings["policy"] = node.file.values.document(document)
        policy.end()
        self.default = node.plain("DefaultAuthorizer")
        self.invoke_role = node.raw("InvokeRole")
        self.api_key = node.flag("ApiKeyRequired")
        self.on_preflights = node.flag("AddDefaultAuthorizerToCorsPreflight") is not False
        self.key_on_preflights = node.flag("AddApiKeyRequiredToCorsPreflight") is not False
        node.end()

    def kind(self, name: str | None) -> str | None:
        """The authorization type of an authorizer's name."""
        return None if name in (None, "NONE") else self.kinds.get(name or "", "CUSTOM")

    def named(self, name: str) -> str:
        """An authorizer as a route refers to it; one that the API does not make is something a deployment supplies."""
        return name if name in self.scopes else f"${{{name}}}"

    def applied(self, route: Route) -> Route:
        """A method that no event describes, with the API's defaults where it says nothing itself."""
        is_preflight = route.method == "OPTIONS"
        kind = self.kind(self.default)
        if kind and route.authorization_type is None and (self.on_preflights or not is_preflight):
            name = self.default or ""
            authorizer = self.named(name) if kind != "AWS_IAM" else None
            scopes = self.scopes.get(name, ()) if kind == "COGNITO_USER_POOLS" else ()
            route = replace(route, authorization_type=kind, authorizer=authorizer, authorization_scopes=scopes)
        if self.api_key and route.api_key_required is None and (self.key_on_preflights or not is_preflight):
            route = replace(route, api_key_required=self.api_key)
        return route


def integration(reader: Reader, event: Event, auth: Access) -> Integration:
    """What SAM makes of an event: the function's proxy, or an execution of the state machine."""
    return execution(reader, event) if event.machine else invocation(reader, event, auth)


def invocation(reader: Reader, event: Event, auth: Access) -> Integration:
    """The proxy integration of a function; an alias that SAM publishes is what is called."""
    own = merged(as_dict(as_dict(reader.template.get("Globals")).get("Function")), reader.resources[event.owner].node.values)
    alias = reader.file.conditions.known(own.get("AutoPublishAlias"))
    target: Any = {"Fn::GetAtt": [event.owner, "Arn"]}
    if alias:
        target = {"Ref": f"{event.owner}Alias{re.sub(r'[^A-Za-z0-9]', '', alias)}"}
    access = as_dict(event.node.values.get("Auth"))
    caller = (access.get("Authorizer") or auth.default) == "AWS_IAM"
    role = access.get("InvokeRole", auth.invoke_role or "CALLER_CREDENTIALS")
    if role == "NONE":
        role = None
    passed = role == "CALLER_CREDENTIALS"
    cached = tuple(
        name
        for each in event.node.values.get("RequestParameters") or ()
        if isinstance(each, dict)
        for name, said in each.items()
        if as_dict(said).get("Caching") is True
    )
    stream = event.node.values.get("ResponseTransferMode") == "RESPONSE_STREAM"
    return Integration(
        backend=Lambda(function=reader.values.text(target)),
        credentials_passthrough=True if passed and caller else None,
        credentials_role=None if passed or role is None or not caller else reader.values.text(role),
        cache_key_parameters=cached,
        response_transfer_mode="STREAM" if stream else None,
    )


def execution(reader: Reader, event: Event) -> Integration:
    """The integration that starts an execution of a state machine."""
    own = reader.resources[event.owner].node.values
    express = own.get("Type") == "EXPRESS"
    machine = reader.values.text({"Ref": event.owner})
    role = event.node.raw("Role")
    unescape = '.replaceAll("\\\\\'","\'")' if event.node.flag("UnescapeMappingTemplate") is True else ""
    body = f'{{"input": "$util.escapeJavaScript($input.json(\'$\')){unescape}", "stateMachineArn": "{machine}"}}'
    return Integration(
        backend=AwsService(service="states", action="StartSyncExecution" if express else "StartExecution"),
        request_templates={"application/json": Template(body, substituted=True)},
        credentials_role=reader.values.text(role or {"Fn::GetAtt": [f"{event.owner}{event.name}Role", "Arn"]}),
        integration_responses=tuple(IntegrationResponse(status_code=code, selection_pattern=code) for code in ("200", "400")),
    )


def route(draft: Draft, event: Event, made: Integration, auth: Access) -> None:
    """An event as the next route of its API."""
    at: Path = ("routes", len(draft.routes))
    node = event.node
    draft.places[at] = draft.places[*at, "integration"] = node.path
    draft.fixed[at] = node.reason or SAM
    access = node.node("Auth")
    name = access.plain("Authorizer") or auth.default
    kind = auth.kind(name)
    key = access.flag("ApiKeyRequired")
    key = auth.api_key if key is None else key
    scopes = tuple(node.file.values.text(part) for part, _, _ in access.parts("AuthorizationScopes"))
    access.drop("InvokeRole", "OverrideApiAuth")
    access.end()
    model = node.node("RequestModel")
    models = {}
    if "Model" in model:
        models["application/json"] = (model.plain("Model") or "").lower()
    body, parameters = model.flag("ValidateBody"), model.flag("ValidateParameters")
    model.drop("Required")
    model.end()
    declared: dict[str, bool] = {}
    for each, _, _ in node.parts("RequestParameters"):
        for key_name, said in each.items() if isinstance(each, dict) else ((spelt(each), {}),):
            declared[key_name] = as_dict(said).get("Required") is True
    node.drop("ResponseTransferMode", "TimeoutInMillis")
    node.end()
    has_authorizer = kind in ("CUSTOM", "COGNITO_USER_POOLS")
    found = Route(
        method="ANY" if event.method in ("ANY", "*") else event.method,
        path=event.path,
        integration=made,
        authorization_type=kind,
        authorizer=auth.named(name or "") if has_authorizer else None,
        authorization_scopes=(scopes or auth.scopes.get(name or "", ())) if has_authorizer else (),
        api_key_required=key or None,
        request_models=models,
        validate_request_body=body or None,
        validate_request_parameters=parameters or None,
    )
    parameters = {**found.derived_parameters(), **declared}
    draft.routes.append(found.with_effective(parameters, made_responses(made)))


def made_responses(made: Integration) -> tuple[MethodResponse, ...]:
    """The method responses that SAM declares beside what it makes."""
    return tuple(MethodResponse(status_code=each.status_code) for each in made.integration_responses)


def preflights(reader: Reader, draft: Draft, cors: Any, node: Node, auth: Access) -> None:
    """An OPTIONS method for each path that has none, as `Cors` says."""
    given = cors if isinstance(cors, dict) and not is_intrinsic(cors) else {"AllowOrigin": cors}
    methods: dict[str, list[str]] = {}
    for each in draft.routes:
        methods.setdefault(each.path, []).append(each.method)
    for path, its in methods.items():
        if "OPTIONS" in its:
            continue
        allowed = HTTP_METHODS if "ANY" in its else sorted({*its, "OPTIONS"})
        headers = {
            "Access-Control-Allow-Credentials": "'true'" if given.get("AllowCredentials") is True else None,
            "Access-Control-Allow-Headers": given.get("AllowHeaders"),
            "Access-Control-Allow-Methods": given.get("AllowMethods") or f"'{','.join(allowed)}'",
            "Access-Control-Allow-Origin": given.get("AllowOrigin", "'*'"),
            "Access-Control-Max-Age": given.get("MaxAge"),
        }
        mapped = {
            f"method.response.header.{name}": reader.values.text(value)
            for name, value in headers.items()
            if isinstance(value, str | dict)  # AWS's importer drops a number, with a warning
        }
        at: Path = ("routes", len(draft.routes))
        draft.places[at] = node.at("Cors")
        draft.fixed[at] = "SAM makes this preflight of Cors. Edit Cors."
        made = Integration(
            backend=Mock(),
            request_templates={"application/json": Template('{\n  "statusCode" : 200\n}\n')},
            integration_responses=(
                IntegrationResponse(
                    status_code="200",
                    response_parameters=mapped,
                    response_templates={"application/json": Template("{}\n")},
                ),
            ),
        )
        declared = {f"method.response.header.{name}": False for name, value in headers.items() if value is not None}
        answer = MethodResponse(status_code="200", response_parameters=declared)
        made_route = auth.applied(Route(method="OPTIONS", path=path, integration=made))
        draft.routes.append(made_route.with_effective(made_route.request_parameters, (answer,)))
