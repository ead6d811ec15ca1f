"""A CloudFormation template as definitions; what is not read is a finding."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from integrations.gateway.calls import method_scope
from integrations.gateway.definition import (
    CALLER_CREDENTIALS,
    Api,
    DeploymentParameter,
    Integration,
    IntegrationResponse,
    Intrinsic,
    Lambda,
    MethodResponse,
    Model,
    Route,
    Template,
)
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.formats.backends import backend_of, shortest
from integrations.gateway.formats.cloudformation.document import PARAMETER_PATTERNS, Names, sub_text, template
from integrations.gateway.formats.export import Loaded, UnreadableText, supplied
from integrations.gateway.formats.reading import Asked, ReadApi, Reading
from integrations.gateway.formats.source import Source, read_source
from integrations.gateway.grammar import Reference, escaped
from integrations.gateway.options import Kind, Option, options_of


def load(text: str) -> Loaded:
    """The REST APIs that a template describes, JSON or YAML; what is not read is a finding. Raises UnreadableText."""
    return read(read_source(text), Asked()).loaded


def read(source: Source, asked: Asked) -> Reading:
    """The REST APIs that a template describes; what is not read is a finding. Raises UnreadableText."""
    found = source.value
    if not isinstance(found, dict) or not isinstance(found.get("Resources"), dict):
        raise UnreadableText("This is no CloudFormation template: it has no Resources.")
    loaded = Reader(found).loaded()
    apis = tuple(ReadApi(api=api) for api in loaded.apis)
    return Reading(source=source, kind="cloudformation", name=asked.name, apis=apis, findings=loaded.findings)


def sayable(api: Api) -> Api:
    """The definition as a template holds it, read back."""
    return Reader(template(api)).loaded().apis[0]


HANDLED = frozenset(
    f"AWS::{name}"
    for name in (
        *("ApiGateway::RestApi", "ApiGateway::Resource", "ApiGateway::Method", "ApiGateway::Model"),
        *("ApiGateway::RequestValidator", "ApiGateway::Deployment", "ApiGateway::Stage", "Lambda::Permission"),
    )
)


class Reader:
    """A template's resources as definitions: structure by what refers to what, values by the options' own names."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.resources: dict[str, Any] = {
            name: each
            for name, each in found["Resources"].items()
            if isinstance(each, dict) and isinstance(each.get("Type"), str)
        }
        self.declared: dict[str, Any] = {k: v for k, v in as_dict(found.get("Parameters")).items() if isinstance(v, dict)}
        self.origins: dict[str, Any] = {}

    def loaded(self) -> Loaded:
        """All APIs, and what was left out."""
        findings = [
            Finding(
                rule="import-lost",
                severity=Severity.IGNORED,
                path=(),
                message=f"{name} ({each['Type']}) is not read.",
                title="Only REST APIs, their methods and permissions are read.",
            )
            for name, each in self.resources.items()
            if each["Type"] not in HANDLED
        ]
        return Loaded(apis=tuple(self.api(name) for name in self.of("RestApi")), findings=tuple(findings))

    def of(self, kind: str, api: str | None = None) -> dict[str, dict[str, Any]]:
        """The properties of all resources of one type of API Gateway's, of one API."""
        return {
            name: properties
            for name, each in self.resources.items()
            if each["Type"] == f"AWS::ApiGateway::{kind}"
            for properties in [as_dict(each.get("Properties"))]
            if api is None or properties.get("RestApiId") == {"Ref": api}
        }

    def api(self, name: str) -> Api:
        """One API with everything that refers to it."""
        own = as_dict(self.resources[name].get("Properties"))
        models = {
            key: Model(
                name=self.plain(model.get("Name", key)),
                content_type=self.plain(model.get("ContentType", "application/json")),
                schema=schema if isinstance(schema := model.get("Schema", {}), str) else json.dumps(schema, ensure_ascii=False),
            )
            for key, model in self.of("Model", name).items()
        }
        stages = list(self.of("Stage", name).values())
        stage = stages[0] if stages else {}
        routes = tuple(self.route(method, name, models) for method in self.of("Method", name).values())
        api = Api(
            name=self.text(own.get("Name", "api")),
            description=self.plain(own.get("Description", "")),
            models=tuple(models.values()),
            stage_name=self.text(stage.get("StageName", "prod")),
            stage_variables={key: self.text(value) for key, value in as_dict(stage.get("Variables")).items()},
            binary_media_types=tuple(map(self.plain, as_list(own.get("BinaryMediaTypes")))),
            routes=routes,
        )
        order = {name: index for index, name in enumerate(self.declared)}
        found = sorted(supplied(api), key=lambda parameter: order.get(parameter.name, len(order)))
        return replace(api, parameters=tuple(map(self.parameter, found)))

    def parameter(self, found: DeploymentParameter) -> DeploymentParameter:
        """What the template says of a name that is referred to: a parameter of its own, or the intrinsic that it was."""
        origin = self.origins.get(found.name)
        if origin is not None:
            return replace(found, origin=Intrinsic.of(origin))
        given = self.declared.get(found.name, {})
        kind: Kind = "number" if given.get("Type") == "Number" else "text"
        for known, (pattern, _) in PARAMETER_PATTERNS.items():
            kind = known if given.get("AllowedPattern") == pattern else kind
        default = given.get("Default")
        description = self.plain(given.get("Description", ""))
        return replace(found, kind=kind, description=description, default=None if default is None else str(default))

    # Values

    def segments(self, value: Any) -> list[str | Reference]:
        """A value as literal text and references, neighbouring literals joined."""
        found: list[str | Reference] = []
        for part in self._segments(value):
            if isinstance(part, str) and found and isinstance(found[-1], str):
                found[-1] += part
            else:
                found.append(part)
        return found

    def _segments(self, value: Any) -> Iterator[str | Reference]:
        match value:
            case str():
                yield value
            case bool():
                yield "true" if value else "false"
            case int() | float():
                yield str(value)
            case {"Ref": str(name)}:
                yield self.reference(name, value)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                yield self.reference(f"{name}.{attribute}", value)
            case {"Fn::Sub": str(text)}:
                for literal, escape, name in re.findall(r"((?:(?!\$\{[^{}]*\}).)+)|\$\{(!?)([^{}]*)\}", text, re.DOTALL):
                    if literal or escape:
                        yield literal or f"${{{name}}}"
                    else:
                        attribute = name.split(".", 1)
                        yield self.reference(name, {"Fn::GetAtt": attribute} if len(attribute) > 1 else {"Ref": name})
            case {"Fn::Join": [str(separator), list(parts)]}:
                for number, part in enumerate(parts):
                    if number and separator:
                        yield separator
                    yield from self._segments(part)
            case _:
                yield self.reference(self.name_for(value), value)

    def reference(self, name: str, origin: Any) -> Reference:
        """A reference; one to nothing that a deployment supplies keeps what it was."""
        found = Reference(re.sub(r"[^A-Za-z0-9_.:]", "", name))
        if not found.is_pseudo and name not in self.declared:
            self.origins.setdefault(found.name, origin)
        return found

    def name_for(self, value: Any) -> str:
        """A name for a value that only CloudFormation works out."""
        known = next((name for name, origin in self.origins.items() if origin == value), None)
        return known or f"Value{len(self.origins) + 1}"

    def text(self, value: Any) -> str:
        """A value as reference text."""
        return "".join(str(part) if isinstance(part, Reference) else from_literal(part) for part in self.segments(value))

    def plain(self, value: Any) -> str:
        """A value as text that holds no reference."""
        return "".join(map(str, self.segments(value)))

    def template(self, value: Any) -> Template:
        """A value as a Velocity template; one with references is marked as substituted."""
        if any(isinstance(part, Reference) for part in self.segments(value)):
            return Template(self.text(value), substituted=True)
        return Template(self.plain(value))

    def value(self, option: Option, given: Any) -> Any:
        """A property as the value of its option."""
        example = option.example
        if isinstance(example, bool | int):
            alone = self.segments(given)[0] if isinstance(given, dict) else given
            if isinstance(alone, str) and alone.lower() in ("true", "false"):
                return alone.lower() == "true"
            return int(alone) if isinstance(alone, str) and alone.isdigit() else alone
        if isinstance(example, Mapping):
            return {key: self.item(option, next(iter(example.values())), inner) for key, inner in as_dict(given).items()}
        if isinstance(example, tuple):
            return tuple(self.item(option, example[0], inner) for inner in as_list(given))
        return self.item(option, example, given)

    def item(self, option: Option, example: Any, given: Any) -> Any:
        """One value of an option, like the example of one."""
        if isinstance(example, IntegrationResponse):
            return IntegrationResponse(**self.options(IntegrationResponse, given))
        if isinstance(example, bool):
            return given is True or given == "true"
        if option.text == "template":
            return self.template(given)
        return self.text(given) if option.text == "reference" else self.plain(given)

    def options(self, owner: type, given: Any) -> dict[str, Any]:
        """The properties that an owner's options have names for, by the options' names."""
        properties = as_dict(given)
        return {
            name: self.value(option, properties[option.cloudformation])
            for name, option in options_of(owner).items()
            if option.cloudformation in properties
        }

    # Structure

    def path(self, place: Any) -> str:
        """The full path of what a ResourceId or ParentId refers to."""
        parts: list[str] = []
        while isinstance(place, dict) and place.get("Ref") in self.resources and len(parts) < 100:
            own = as_dict(self.resources[place["Ref"]].get("Properties"))
            parts.insert(0, self.text(own.get("PathPart", "")))
            place = own.get("ParentId")
        return "/" + "/".join(parts)

    def modelled(self, given: Any, models: Mapping[str, Model]) -> dict[str, str]:
        """Models by media type, those of the template by their names."""
        return {
            key: models[value["Ref"]].name if isinstance(value, dict) and value.get("Ref") in models else self.text(value)
            for key, value in as_dict(given).items()
        }

    def route(self, given: Mapping[str, Any], api: str, models: Mapping[str, Model]) -> Route:
        """A method with its integration."""
        own = self.options(Route, {key: value for key, value in given.items() if key not in ("RequestModels", "MethodResponses")})
        parameters = own.pop("declared", {})
        if own.get("authorization_type") == "NONE":
            del own["authorization_type"]
        checks = given.get("RequestValidatorId")
        validator = (
            self.of("RequestValidator", api).get(checks["Ref"], {}) if isinstance(checks, dict) and "Ref" in checks else {}
        )
        own |= self.options(Route, {key: value for key, value in validator.items() if key.startswith("Validate")})
        responses = [
            MethodResponse(
                **self.options(MethodResponse, {key: value for key, value in as_dict(each).items() if key != "ResponseModels"}),
                response_models=self.modelled(as_dict(each).get("ResponseModels"), models),
            )
            for each in as_list(given.get("MethodResponses"))
        ]
        route = Route(
            path=self.path(given.get("ResourceId")),
            integration=self.integration(as_dict(given.get("Integration"))),
            request_models=self.modelled(given.get("RequestModels"), models),
            **own,
        )
        return self.permitted(route, api).with_effective(parameters, responses)

    def integration(self, given: Mapping[str, Any]) -> Integration:
        """An integration with its backend."""
        own = self.options(Integration, given)
        for name in ("credentials_role", "credentials_passthrough"):
            own.pop(name, None)
        credentials = self.text(given["Credentials"]) if "Credentials" in given else None
        if credentials is not None:
            own |= {"credentials_passthrough": True} if credentials == CALLER_CREDENTIALS else {"credentials_role": credentials}
        backend = backend_of(
            self.text(given.get("Type", "")),
            self.text(given["IntegrationHttpMethod"]) if "IntegrationHttpMethod" in given else None,
            self.text(given["Uri"]) if "Uri" in given else None,
            streaming=own.get("response_transfer_mode") == "STREAM",
        )
        return Integration(backend=backend, **own)

    def permitted(self, route: Route, api: str) -> Route:
        """The route with what the permissions of its functions say of its backend."""
        backend = route.integration.backend
        if not isinstance(backend, Lambda):
            return route
        tails: dict[str, list[str]] = {}
        for each in self.resources.values():
            own = as_dict(each.get("Properties"))
            if each["Type"] == "AWS::Lambda::Permission":
                _, found, tail = self.text(own.get("SourceArn", "")).partition(f":${{{api}}}/")
                if found:
                    tails.setdefault(tail.partition("/")[2], []).append(shortest(self.text(own.get("FunctionName", ""))))
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


def from_literal(literal: str) -> str:
    """Literal text as reference text: what looks like a reference is escaped, a stage variable is one."""
    return re.sub(r"\$\{!(stageVariables\.[A-Za-z0-9_]+)\}", r"${\1}", escaped(literal))


def as_dict(value: Any) -> dict[str, Any]:
    """An object with text for keys, or an empty one."""
    return {key: inner for key, inner in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """A list; one thing alone is a list of it."""
    return value if isinstance(value, list) else [] if value is None else [value]
