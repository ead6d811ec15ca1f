"""The resources of a template as definitions: its APIs, and the methods of each."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from integrations.gateway.calls import method_scope
from integrations.gateway.definition import (
    CALLER_CREDENTIALS,
    Api,
    Authorizer,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    MethodSettings,
    Model,
    RequestValidator,
    Route,
)
from integrations.gateway.findings import Path, Severity
from integrations.gateway.formats.backends import backend_of, shortest, with_uri
from integrations.gateway.formats.cloudformation.document import OF_THE_STAGE, Names, sub_text
from integrations.gateway.formats.export import supplied
from integrations.gateway.formats.intrinsics import NO_VALUE, from_literal, is_intrinsic, spelt
from integrations.gateway.formats.node import File, Node, shown
from integrations.gateway.formats.openapi.reader import Described, described
from integrations.gateway.formats.openapi.spelling import IMPORTED
from integrations.gateway.formats.openapi.spelling import template as importer_template
from integrations.gateway.formats.reading import KEPT, LOST, NOTED, ReadApi
from integrations.gateway.formats.source import FilePath
from integrations.gateway.options import Option, options_of

API = "AWS::ApiGateway::RestApi"
SERVERLESS_API = "AWS::Serverless::Api"
APIS = (API, SERVERLESS_API)
ELSEWHERE = (*OF_THE_STAGE, "parameters", "binary_media_types")
"""Options of an API that are not the RestApi's properties, or are read before the others."""
PARTS = ("integration_responses",)
"""Options that are read part by part, each with its place."""


@dataclass(slots=True)
class Resource:
    """A resource that exists in this view of the template."""

    kind: str
    node: Node
    """Its properties."""
    reason: str = ""


@dataclass(slots=True)
class Draft:
    """An API that is being read."""

    where: FilePath
    file: File
    places: dict[Path, FilePath] = field(default_factory=dict)
    fixed: dict[Path, str] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)
    """The API's models, by logical id."""
    authorizers: dict[str, str] = field(default_factory=dict)
    """Logical id of an authorizer → its name."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The API's own options."""
    beside: str = ""
    missing: str = ""
    """The file that would hold its document, where it is not beside this one."""

    def take(self, found: Described) -> None:
        """All that an OpenAPI document says."""
        self.places |= found.places
        self.fixed |= found.fixed
        self.file.structures |= found.root.file.structures
        self.routes += found.routes
        self.models |= {model.name: model for model in found.api.models}
        for name in ("name", "description"):
            if not self.settings.get(name) and getattr(found.api, name):
                self.settings[name] = getattr(found.api, name)
        both = (*self.settings.get("binary_media_types", ()), *found.api.binary_media_types)  # AWS joins them (LS)
        self.settings["binary_media_types"] = tuple(dict.fromkeys(both))
        for name in options_of(Api):
            value = getattr(found.api, name)
            if name not in ("name", "description", "models", "parameters") and value not in (None, (), {}, "prod"):
                self.settings.setdefault(name, value)
        found.say_the_rest()

    def read(self) -> ReadApi:
        """The API with the parameters that it refers to."""
        api = Api(routes=tuple(self.routes), models=tuple(self.models.values()), **self.settings)
        api = replace(api, parameters=self.file.values.parameters(supplied(api)))
        self.places[()] = self.where
        return self.file.with_structures(
            ReadApi(api=api, where=self.where, places=self.places, fixed=self.fixed, beside=self.beside)
        )


def body_literal(text: str) -> str:
    """Text of an OpenAPI body in a template as reference text: AWS's importer puts in account, Region and partition."""
    found = from_literal(text)
    for name in IMPORTED:
        found = found.replace(f"${{!{name}}}", f"${{{name}}}")
    return found


class Reader:
    """A template's resources as definitions: structure by what refers to what, values by the options' own names."""

    def __init__(self, file: File, found: Mapping[str, Any], root: FilePath = ()) -> None:
        self.file = file
        self.template = found
        self.values = file.values
        self.body_file = replace(file, values=replace(file.values, literal=body_literal, verbatim=importer_template))
        """The same file, read as API Gateway's importer reads what stands in a Body."""
        self.resources: dict[str, Resource] = {}
        self.tails: dict[str, dict[str, list[str]]] = {}
        self.read: set[str] = set()
        """The resources that the definitions hold."""
        for name, value, path, reason in self._written(as_dict(found.get("Resources")), (*root, "Resources"), ""):
            if not isinstance(value, dict) or not isinstance(value.get("Type"), str):
                continue
            condition = value.get("Condition")
            if isinstance(condition, str) and not file.conditions.holds(condition):
                if value["Type"].startswith(("AWS::ApiGateway::", "AWS::Serverless::")):
                    message = f"{name} ({value['Type']}) exists only when {condition} holds. It is left out of this view."
                    file.say(NOTED, path, message, Severity.ADVICE)
                continue
            node = Node(file, value.get("Properties"), (*path, "Properties"), reason)
            self.resources[name] = Resource(value["Type"], node, reason)

    def _written(self, found: Mapping[str, Any], path: FilePath, reason: str) -> Iterator[tuple[str, Any, FilePath, str]]:
        """All resources with their places, those that Fn::ForEach makes written out."""
        for name, value in found.items():
            if not name.startswith("Fn::ForEach::"):
                yield name, value, (*path, name), reason
                continue
            match value:
                case [str(each), collection, dict(made)]:
                    chosen = self.collection(collection)
                    self.file.structures[*path, name] = {name: value}, {}
                    if chosen is None:
                        message = f"{shown((*path, name))}: Only a deployment knows what this is made for. It was left out."
                        self.file.say(LOST, (*path, name), message)
                    for one in chosen or ():
                        why = f"{name} makes it for each {each}; edit it there."
                        inner = {filled(key, each, one): filled(item, each, one) for key, item in made.items()}
                        originals = dict(zip(inner, made, strict=False))
                        for key, item, _, _ in self._written(inner, path, why):
                            yield key, item, (*path, name, 2, originals.get(key, key)), why

    def collection(self, value: Any) -> list[str] | None:
        """What Fn::ForEach goes through, where the template alone decides it."""
        if isinstance(value, dict) and isinstance(value.get("Ref"), str):
            default = self.values.declared.get(value["Ref"], {}).get("Default")
            return [part.strip() for part in default.split(",")] if isinstance(default, str) else None
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return value
        return None

    def of(self, kind: str) -> dict[str, Node]:
        """The properties of all resources of one type."""
        return {name: each.node for name, each in self.resources.items() if each.kind == kind}

    def belonging(self, kind: str, api: str) -> dict[str, Node]:
        """The properties of all resources of one type of API Gateway's that belong to one API."""
        return {name: node for name, node in self.of(f"AWS::ApiGateway::{kind}").items() if self.owner(node) == api}

    def owner(self, node: Node) -> str:
        """The API that a resource belongs to: one of this template by its logical id, any other by what names it."""
        rest = node.values.get("RestApiId")
        name = target(rest, "RestApiId")
        known = name in self.resources and self.resources[name].kind in APIS
        return name if known else json.dumps(rest, sort_keys=True, default=str)

    def say_what_stays(self) -> None:
        """One finding on the resources that are none of an API's, and one each on those that are and were not read."""
        others: dict[str, int] = {}
        first: Node | None = None
        for name, each in self.resources.items():
            if name in self.read:
                continue
            if each.kind.startswith("AWS::ApiGateway::") or each.kind == SERVERLESS_API:
                self.file.say(LOST, each.node.path, f"{name} ({each.kind}): Gatehouse does not read this. It was left out.")
            elif each.kind != "AWS::Lambda::Permission":
                others[each.kind] = others.get(each.kind, 0) + 1
                first = first or each.node
        if first is not None:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(others.items()))
            message = f"Beside the APIs this holds {kinds}. What an API refers to of them is a parameter of its definition."
            self.file.say(KEPT, first.path, message, Severity.ADVICE)

    # APIs of AWS::ApiGateway resources

    def apis(self) -> list[Draft]:
        """The APIs that the template makes, and one for each that it only adds methods to."""
        outside: dict[str, Node] = {}
        for node in self.of("AWS::ApiGateway::Method").values():
            if self.owner(node) not in self.resources:
                outside.setdefault(self.owner(node), node)
        found = [self.api(name, node) for name, node in self.of(API).items()]
        for key, first in outside.items():
            draft = Draft(first.path[:-1], self.file)
            rest = first.values.get("RestApiId")
            draft.settings["name"] = self.values.text(rest) if rest is not None else "api"
            first.note("This API is made elsewhere; what is here of it is read as an API of its own.", "RestApiId")
            self.of_api(draft, key)
            found.append(draft)
        return found

    def api(self, name: str, node: Node) -> Draft:
        """One API with everything that refers to it."""
        draft = Draft(node.path[:-1], self.file)
        self.read.add(name)
        draft.settings["name"] = node.text("Name") or ""
        draft.settings["description"] = node.plain("Description") or ""
        draft.settings["binary_media_types"] = self.media_types(node)
        draft.places |= {(key,): node.at(word) for key, word in (("name", "Name"), ("description", "Description"))}
        draft.settings |= self.options(Api, node, draft, (), lambda option: option not in ELSEWHERE)
        parameters = node.node("Parameters").values
        base_path = spelt(parameters.get("basepath", "ignore"))
        if "Body" in node:
            self.take_body(draft, node, "Body", base_path)
        if "BodyS3Location" in node:
            node.values["BodyS3Location"] = include(self.location(node.values["BodyS3Location"]))
            self.take_body(draft, node, "BodyS3Location", base_path)
        node.drop("FailOnWarnings", "Mode", "CloneFrom")
        node.end()
        self.of_api(draft, name)
        draft.settings["name"] = draft.settings["name"] or name
        return draft

    def media_types(self, node: Node) -> tuple[str, ...]:
        """The binary media types; CloudFormation documents their slash as ~1, and takes both."""
        return tuple(self.values.plain(each).replace("~1", "/") for each in node.each("BinaryMediaTypes"))

    def take_body(self, draft: Draft, node: Node, key: str, base_path: str = "ignore", **more: Any) -> None:
        """The OpenAPI document that makes an API: the value of a key, or the file that it includes."""
        value, path, reason = self.body_file.view(node.raw(key), node.at(key))
        include = included(value)
        if include is None:
            body = Node(self.body_file, value, path, reason or node.reason)
            draft.take(described(body, base_path=base_path, **more))
        elif (file := self.document(include)) is None:
            draft.missing = include
            node.lose(f"it is the file {include}, which is not beside this one. Give that file too, or import it alone", key)
        else:
            draft.beside = include
            if key in ("Body", "DefinitionBody"):
                self.file.structures[path] = value, {}
            draft.take(described(Node(file, file.source.value, ()), base_path=base_path, **more))

    def location(self, value: Any) -> str:
        """What a document that lies elsewhere is called: its path, or its key in S3."""
        return self.values.plain(value.get("Key", value) if isinstance(value, dict) and not is_intrinsic(value) else value)

    def document(self, name: str) -> File | None:
        """An OpenAPI file beside the template."""
        file = self.body_file.beside(name)
        return file if file is not None and isinstance(file.source.value, dict) else None

    def of_api(self, draft: Draft, name: str) -> None:
        """The models, the stage and the methods that resources of their own add to an API."""
        methods, resources = self.belonging("Method", name), self.belonging("Resource", name)
        for key, node in self.belonging("Model", name).items():
            self.read.add(key)
            draft.models[key] = self.model(key, node)
        validators = self.belonging("RequestValidator", name)
        self.read |= set(validators)
        self.settings(draft, name)
        self.stage(draft, name)
        self.methods(draft, methods)
        self.read |= set(resources)

    def model(self, name: str, node: Node) -> Model:
        """A model; its schema as text."""
        schema = node.raw("Schema")
        description = node.plain("Description")
        node.drop("RestApiId")
        if isinstance(schema, dict) and is_intrinsic(schema):
            schema = self.values.plain(schema)
        elif schema is not None and not isinstance(schema, str):
            schema = json.dumps(schema, ensure_ascii=False)
        found = Model(
            name=node.plain("Name") or name,
            content_type=node.plain("ContentType") or "application/json",
            schema="{}" if schema is None else schema,
            description=description,
        )
        node.end()
        return found

    def settings(self, draft: Draft, name: str) -> None:
        """The authorizers, validators and gateway responses that resources of their own add to an API."""
        authorizers = self.belonging("Authorizer", name)
        found = [self.authorizer(draft, key, node, index) for index, (key, node) in enumerate(authorizers.items())]
        if found:
            draft.settings["authorizers"] = (*draft.settings.get("authorizers", ()), *found)
        validators = []
        for node in self.belonging("RequestValidator", name).values():
            if "Name" in node:
                own = Node(self.file, node.values, node.path)
                validators.append(RequestValidator(**self.options(RequestValidator, own, draft, ())))
        if validators:
            draft.settings["request_validators"] = (*draft.settings.get("request_validators", ()), *validators)
        answers: list[GatewayResponse] = []
        for key, node in self.belonging("GatewayResponse", name).items():
            self.read.add(key)
            answers.append(GatewayResponse(**self.options(GatewayResponse, node, draft, ("gateway_responses", len(answers)))))
            node.drop("RestApiId")
            node.end()
        if answers:
            draft.settings["gateway_responses"] = (*draft.settings.get("gateway_responses", ()), *answers)

    def authorizer(self, draft: Draft, name: str, node: Node, index: int) -> Authorizer:
        """An authorizer; routes call it by its name."""
        self.read.add(name)
        uri, source = node.text("AuthorizerUri"), node.text("IdentitySource")
        own = self.options(
            Authorizer, node, draft, ("authorizers", index), lambda option: option not in ("uri", "identity_sources")
        )
        node.drop("RestApiId")
        node.end()
        own.setdefault("name", name)
        own.setdefault("type", "")
        found = with_uri(Authorizer(identity_sources=tuple(source.split(",")) if source else (), **own), uri)
        draft.authorizers[name] = found.name
        return found

    def stage(self, draft: Draft, name: str) -> None:
        """The stage that the template makes of an API: the first one, or that of its deployment."""
        stages = self.belonging("Stage", name)
        deployments = self.belonging("Deployment", name)
        self.read |= set(deployments)
        for number, (key, node) in enumerate(stages.items()):
            self.read.add(key)
            if number:
                node.lose("a definition holds one stage, and this is another")
                continue
            draft.settings |= self.of_stage(draft, node)
            node.drop("RestApiId", "DeploymentId")
            node.end()
        for node in deployments.values():
            if "StageName" in node and "stage_name" not in draft.settings:
                draft.settings["stage_name"] = node.text("StageName")
                described_stage = node.node("StageDescription")
                draft.settings |= self.of_stage(draft, described_stage)
                described_stage.end()
            node.drop("RestApiId", "Description", "StageName", "StageDescription")
            node.end()

    def of_stage(self, draft: Draft, node: Node) -> dict[str, Any]:
        """The options of the stage."""
        settings: list[MethodSettings] = []
        for value, path, reason in node.parts("MethodSettings"):
            each = Node(self.file, value, path, reason)
            own = self.options(MethodSettings, each, draft, ("method_settings", len(settings)))
            each.end()
            written_path = own.get("path", "/*")
            if "~1" in written_path:
                own["path"] = written_path.removeprefix("/").replace("~1", "/")
            settings.append(MethodSettings(**own))
        found = self.options(Api, node, draft, (), lambda name: name in OF_THE_STAGE and name != "method_settings")
        return found | ({"method_settings": tuple(settings)} if settings else {})

    # Methods

    def methods(self, draft: Draft, methods: Mapping[str, Node]) -> None:
        """AWS::ApiGateway::Method resources as the next routes of an API."""
        for name, node in methods.items():
            self.read.add(name)
            at: Path = ("routes", len(draft.routes))
            draft.places[at] = node.path
            if node.reason:
                draft.fixed[at] = node.reason
            draft.routes.append(self.route(draft, node, at))

    def options(
        self, owner: type, node: Node, draft: Draft, at: Path, wanted: Callable[[str], bool] = lambda name: True
    ) -> dict[str, Any]:
        """The properties that an owner's options have names for, by the options' names; each is placed under `at`.

        `wanted`: which of the options stand here. Those within one property have dotted names.
        """
        found = {}
        inner: dict[str, Node] = {}
        for name, option in options_of(owner).items():
            head, _, key = option.cloudformation.rpartition(".")
            if head and wanted(name) and head in node.values:
                inner[head] = node.node(head)
            place = inner.get(head) if head else node
            if key and place is not None and key in place.values and name not in PARTS and wanted(name):
                where = place.at(key)
                value = self.value(place, option, key)
                if value is not None:
                    found[name] = value
                    draft.places[*at, name] = where
        for each in inner.values():
            each.end()
        return found

    def value(self, node: Node, option: Option, key: str) -> Any:
        """A property as the value of its option."""
        example = option.example
        if option.text == "document":
            given = node.raw(key)
            return None if given is None else self.values.document(given)
        if key == "Types":
            types = [self.values.text(part) for part in node.each(key)]
            return types[0] if types else None
        if key == "Tags" and isinstance(node.values.get(key), list):
            tags = (part for part, _, _ in node.parts(key) if isinstance(part, dict))
            return {self.values.plain(tag.get("Key", "")): self.values.text(tag.get("Value", "")) for tag in tags}
        if key == "ThrottlingRateLimit":
            return node.real(key)
        if isinstance(example, bool):
            return node.flag(key)
        if isinstance(example, int):
            return node.number(key)
        if isinstance(example, Mapping):
            inner = next(iter(example.values()))
            return {name: self.item(option, inner, value) for name, value in node.pairs(key)}
        if isinstance(example, tuple):
            return tuple(self.item(option, example[0], part) for part in node.each(key))
        return node.text(key) if option.text == "reference" else node.plain(key)

    def item(self, option: Option, example: Any, given: Any) -> Any:
        """One value of an option, like the example of one."""
        if isinstance(example, bool):
            return given is True or (isinstance(given, str) and given.lower() == "true")
        if option.text == "template":
            return self.values.template(given)
        return self.values.text(given) if option.text == "reference" else self.values.plain(given)

    def path(self, node: Node) -> str:
        """The full path of what a ResourceId refers to."""
        place: Any = node.raw("ResourceId")
        parts: list[str] = []
        while len(parts) < 100:
            resource = self.resources.get(target(place, "ResourceId"))
            if resource is None or resource.kind != "AWS::ApiGateway::Resource":
                break
            parts.insert(0, self.values.text(resource.node.values.get("PathPart", "")))
            place = resource.node.values.get("ParentId")
        if place is not None and not target(place, "RootResourceId"):
            node.note("The resource above it is made elsewhere; its path begins there.", "ResourceId")
        return "/" + "/".join(parts)

    def modelled(self, node: Node, key: str, models: Mapping[str, Model]) -> dict[str, str]:
        """Models by media type, those of the template by their names."""
        found = {}
        for media, value in node.pairs(key):
            ref = target(value)
            found[media] = models[ref].name if ref in models else self.values.text(value)
        return found

    def route(self, draft: Draft, node: Node, at: Path) -> Route:
        """A method with its integration."""
        path = self.path(node)
        models = self.modelled(node, "RequestModels", draft.models)
        answers = []
        for value, place, reason in node.parts("MethodResponses"):
            answer = Node(self.file, value, place, reason)
            models_of = self.modelled(answer, "ResponseModels", draft.models)
            answers.append(MethodResponse(**self.options(MethodResponse, answer, draft, ()), response_models=models_of))
            answer.end()
        checks = node.raw("RequestValidatorId")
        integration = self.integration(draft, node.node("Integration"), (*at, "integration"))
        decider = draft.authorizers.get(target(node.values.get("AuthorizerId")))
        own = self.options(Route, node, draft, at)
        if decider is not None:
            own["authorizer"] = decider
        if checks is not None:
            own |= self.validator(draft, node, checks, at)
        parameters = own.pop("declared", {})
        if own.get("authorization_type") == "NONE":
            del own["authorization_type"]
        api = target(node.raw("RestApiId"), "RestApiId")
        node.end()
        route = Route(path=path, integration=integration, request_models=models, **own)
        return self.permitted(route, api).with_effective(parameters, answers)

    def validator(self, draft: Draft, node: Node, checks: Any, at: Path) -> dict[str, Any]:
        """What the request validator of a method checks."""
        resource = self.resources.get(target(checks, "RequestValidatorId"))
        if resource is None or resource.kind != "AWS::ApiGateway::RequestValidator":
            node.lose("this validator is not made here", "RequestValidatorId")
            return {}
        own = Node(self.file, resource.node.values, resource.node.path)
        return self.options(Route, own, draft, at)

    def integration(self, draft: Draft, node: Node, at: Path) -> Integration:
        """An integration with its backend; its parts are placed under `at`."""
        draft.places[at] = node.path
        draft.places[*at, "backend"] = node.at("Uri" if "Uri" in node else "Type")
        if node.reason:
            draft.fixed[at] = node.reason
        kind, method, uri = node.text("Type"), node.text("IntegrationHttpMethod"), node.text("Uri")
        credentials = None
        if "Credentials" in node:
            draft.places[*at, "credentials_role"] = draft.places[*at, "credentials_passthrough"] = node.at("Credentials")
            credentials = node.text("Credentials")
        answers = []
        for number, (value, place, reason) in enumerate(node.parts("IntegrationResponses")):
            where = (*at, "integration_responses", number)
            answer = Node(self.file, value, place, reason)
            draft.places[where] = answer.path
            if reason:
                draft.fixed[where] = reason
            answers.append(IntegrationResponse(**self.options(IntegrationResponse, answer, draft, where)))
            answer.end()
        own = self.options(Integration, node, draft, at)
        if credentials is not None:
            own |= {"credentials_passthrough": True} if credentials == CALLER_CREDENTIALS else {"credentials_role": credentials}
        node.end()
        backend = backend_of(kind or "", method, uri, streaming=own.get("response_transfer_mode") == "STREAM")
        return Integration(backend=backend, integration_responses=tuple(answers), **own)

    def permitted(self, route: Route, api: str) -> Route:
        """The route with what the permissions of its functions say of its backend."""
        backend = route.integration.backend
        if not isinstance(backend, Lambda):
            return route
        tails = self.permitted_tails(api)
        scoped = method_scope(route, lambda text: sub_text(text, Names({}, {}, set())))
        functions = tails.get(scoped) or tails.get("*/*", [])
        listed = tuple(name for name in dict.fromkeys(functions) if name != backend.function)
        narrow = scoped in tails
        tested = narrow and len(tails[scoped]) > len(set(tails[scoped]))
        changed = replace(
            backend,
            permission_functions=listed,
            scope_permission_to_method=False if functions and not narrow else None,
            allow_test_invoke=False if narrow and not tested else None,
        )
        return replace(route, integration=replace(route.integration, backend=changed))

    def permitted_tails(self, api: str) -> Mapping[str, list[str]]:
        """What stands behind the stage in the source of the permissions for an API → the functions that they are for."""
        if api not in self.tails:
            tails = self.tails[api] = {}
            for node in self.of("AWS::Lambda::Permission").values():
                _, found, tail = self.values.text(node.values.get("SourceArn", "")).partition(f":${{{api}}}/")
                if found:
                    tails.setdefault(tail.partition("/")[2], []).append(self.function(node.values.get("FunctionName", "")))
        return self.tails[api]

    def function(self, value: Any) -> str:
        """The function that a permission is for; the name of one of the template's own functions means its ARN."""
        match value:
            case {"Ref": str(name)} if name in self.resources:
                value = {"Fn::GetAtt": [name, "Arn"]}
        return shortest(self.values.text(value))


def target(value: Any, attribute: str = "") -> str:
    """The resource whose Ref, or whose attribute, a value is; empty where it is neither."""
    match value:
        case {"Ref": str(name)} if attribute != "RootResourceId":
            return name
        case {"Fn::GetAtt": [str(name), str(given)]} if given == attribute:
            return name
        case {"Fn::GetAtt": str(text)} if text.partition(".")[2] == attribute and attribute:
            return text.partition(".")[0]
    return ""


def included(value: Any) -> str | None:
    """The file that an AWS::Include stands for."""
    match value:
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": str(name)}}}:
            return name
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": inner}}}:
            return spelt(inner)
    return None


def include(location: str) -> dict[str, Any]:
    """A file beside the template as the AWS::Include of it."""
    return {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": location}}}


def filled(value: Any, name: str, one: str) -> Any:
    """A value that Fn::ForEach makes for one of its collection."""
    if isinstance(value, str):
        return value.replace(f"${{{name}}}", one).replace(f"&{{{name}}}", one)
    if isinstance(value, list):
        return [filled(inner, name, one) for inner in value]
    if value == {"Ref": name}:
        return one
    if isinstance(value, dict):
        return {filled(key, name, one): filled(inner, name, one) for key, inner in value.items()}
    return value


def as_dict(value: Any) -> dict[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) and value != NO_VALUE else {}
