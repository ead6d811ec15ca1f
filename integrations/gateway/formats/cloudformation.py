"""A definition as a CloudFormation template that deploys as it stands, in YAML or JSON."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import yaml

from integrations.gateway.calls import method_scope
from integrations.gateway.definition import (
    CALLER_CREDENTIALS,
    LIMITS,
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
    leaves,
)
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.formats.backends import backend_of, shortest
from integrations.gateway.formats.export import (
    Export,
    Format,
    Loaded,
    UnreadableText,
    ambiguous,
    broken_text,
    file_name,
    lost,
    noted,
    numbered,
    refused,
    supplied,
    unsaid,
)
from integrations.gateway.formats.file_value import Loader, file_value
from integrations.gateway.formats.yaml_text import Tagged, yaml_text
from integrations.gateway.grammar import (
    PSEUDO_PARAMETERS,
    Reference,
    escaped,
    function_arn,
    path_parts,
    segments,
    whole_reference,
)
from integrations.gateway.options import Kind, Option, options_of, said

UNSUPPORTED = {
    "insecure_skip_verification": "AWS::ApiGateway::Method has no TLS settings; deploy this one with OpenAPI or boto3.",
}
LONGEST = 1_000_000
"""Bytes that CloudFormation takes of a template in S3."""
QUOTAS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
DYNAMIC = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html"

PARAMETER_PATTERNS: dict[Kind, tuple[str, str]] = {
    "function": (r"^arn:[^:]+:lambda:[^:]+:[^:]+:function:.+$", "The ARN of a Lambda function."),
    "role": (r"^arn:[^:]+:iam::[^:]+:.+$", "The ARN of a role."),
    "vpc_link": (r"^[A-Za-z0-9]+$", "The id of a VPC link."),
    "url": (r"^https?://.+$", "A URL with http:// or https://."),
}
"""Kind of a parameter → what its value has to look like, in a pattern and in words."""


@dataclass(frozen=True, slots=True)
class Names:
    """The logical ids of a template: of its parameters by the definition's names, of its models by theirs; and all there are."""

    parameters: Mapping[str, str]
    models: Mapping[str, str]
    taken: Set[str]


def dump_json(api: Api) -> Export:
    """The template as JSON, two spaces deep."""
    text = json.dumps(template(api), indent=2) + "\n"
    return Export(filename=file_name(api, ".template.json"), text=text, findings=remarks(api, text))


def dump_yaml(api: Api) -> Export:
    """The template as YAML with short intrinsics."""
    text = yaml_text(tagged(template(api)))
    return Export(filename=file_name(api, ".template.yaml"), text=text, findings=remarks(api, text))


# --- What it cannot say ----------------------------------------------------------------------------


def remarks(api: Api, text: str) -> tuple[Finding, ...]:
    """What the template loses, and why it may be refused."""
    found = [*unsaid(api, UNSUPPORTED), *unused(api), *ambiguous(api), *broken_text(api), *misread(api)]
    if len(text.encode(errors="replace")) > LONGEST:
        message = f"CloudFormation takes templates of up to {LONGEST:,} bytes. Shorten the mapping templates, or use OpenAPI."
        found.append(noted((), message, Severity.FAILURE, docs=QUOTAS, evidence="D"))
    return tuple(found)


def unused(api: Api) -> Iterator[Finding]:
    """The declared parameters that nothing refers to: a template with them would ask for a value without a use."""
    used = {parameter.name for parameter in supplied(api)}
    for index, parameter in enumerate(api.parameters):
        if parameter.name not in used:
            message = f"Nothing refers to ${{{parameter.name}}}, so it is left out. Use it, or remove it."
            yield lost(("parameters", index), message, Severity.IGNORED)


def misread(api: Api) -> Iterator[Finding]:
    """Text that CloudFormation would take for an instruction, wherever it stands in a template; nothing escapes it."""
    for leaf in leaves(api):
        if not isinstance(leaf.value, str):
            continue
        if "{{resolve:" in leaf.value:
            message = (
                "CloudFormation replaces {{resolve:…}} wherever it stands. Change the text, or deploy with OpenAPI or boto3."
            )
            yield refused(leaf.path, message, docs=DYNAMIC, evidence="D")
        elif leaf.key and (leaf.value in ("Ref", "Condition") or leaf.value.startswith("Fn::")):
            yield refused(leaf.path, f"CloudFormation takes the key {leaf.value} for a function of its own. Rename it.")
    for index, route in enumerate(api.routes):
        uri = route.integration.uri
        if "{{resolve:" in uri and not any("{{resolve:" in str(leaf.value) for leaf in leaves(route.integration.backend)):
            yield refused(("routes", index, "integration", "backend"), "The URI would hold {{resolve:…}}. Change its parts.")


# --- Texts -----------------------------------------------------------------------------------------


def text(value: str, names: Names) -> Any:
    """Reference text as a plain string, or as the Ref, Fn::Sub or Fn::Join that CloudFormation makes the same of."""
    parts = segments(value)
    if not any(isinstance(part, Reference) for part in parts):
        return literal("".join(map(str, parts)), names)
    if len(parts) == 1 and isinstance(parts[0], Reference):
        return {"Ref": logical(parts[0], names)}
    if any(not _escapes(str(part)) for part in parts if not isinstance(part, Reference)):
        return {"Fn::Join": ["", [{"Ref": logical(p, names)} if isinstance(p, Reference) else str(p) for p in parts]]}
    return {"Fn::Sub": sub_text(value, names)}


def literal(value: str, names: Names) -> Any:
    """Text without a reference, taken apart where it looks like one to something that there is in this template."""
    if "${" not in value:
        return value
    alike = re.findall(r"\$\{([^{}]*)\}", value)
    known = any(name in names.taken or name in PSEUDO_PARAMETERS for name in alike)
    return {"Fn::Join": ["${", value.split("${")]} if known else value


def _escapes(text: str) -> bool:
    """Whether Fn::Sub's escape is documented for every `${` of a text."""
    return "${" not in re.sub(r"\$\{[\w.:!]*\}", "", text)


def sub_text(value: str, names: Names) -> str:
    """Reference text as Fn::Sub reads it: names in the template's own, everything else escaped."""
    return "".join(
        f"${{{logical(part, names)}}}" if isinstance(part, Reference) else re.sub(r"\$\{([^{}]*)\}", r"${!\1}", str(part))
        for part in segments(value)
    )


def logical(reference: Reference, names: Names) -> str:
    """What the template calls it; pseudo parameters keep their name."""
    return names.parameters.get(reference.name, reference.name)


def written(value: Any, option: Option, names: Names) -> Any:
    """The value of an option as a property."""
    if isinstance(value, Template):
        return text(value.text, names) if value.substituted else literal(value.text, names)
    if isinstance(value, Reference):
        return text(str(value), names)
    if isinstance(value, str):
        return text(value, names) if option.text == "reference" else literal(value, names)
    if isinstance(value, Mapping):
        return {key: written(inner, option, names) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [written(inner, option, names) for inner in value]
    return properties(value, names) if isinstance(value, IntegrationResponse | MethodResponse) else value


def properties(part: Any, names: Names) -> dict[str, Any]:
    """The options of a part that CloudFormation has a name for, as its properties."""
    owner: type = type(part)
    return said(
        {
            option.cloudformation: written(getattr(part, name), option, names)
            for name, option in options_of(owner).items()
            if option.cloudformation
        }
    )


# --- The template ----------------------------------------------------------------------------------


def template(api: Api) -> dict[str, Any]:
    """The whole template as plain data, intrinsics in their long form."""
    resources = Resources(api)
    found: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09"}
    allowed = allowed_values(api)
    if parameters := supplied(api):
        named = resources.names.parameters
        found["Parameters"] = {named[each.name]: parameter(each, allowed.get(each.name, ())) for each in parameters}
    found["Resources"] = resources.all()
    path = sub_text(api.routes[0].path, resources.names) if len(api.routes) == 1 else "/"
    url = f"https://${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/${{Stage}}{path}"
    found["Outputs"] = {"Url": {"Description": "Where the stage answers.", "Value": {"Fn::Sub": url}}}
    return found


def tagged(value: Any) -> Any:
    """Plain data with its intrinsics in the short form of YAML."""
    if isinstance(value, list):
        return [tagged(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(key, inner)] = value.items()
        if key == "Ref" or key.startswith("Fn::"):
            return Tagged("!" + key.removeprefix("Fn::"), ".".join(inner) if key == "Fn::GetAtt" else tagged(inner))
    return {key: tagged(inner) for key, inner in value.items()}


def parameter(declared: DeploymentParameter, allowed: tuple[str, ...] = ()) -> dict[str, Any]:
    """A declared reference as a template parameter: what its value must look like, unless its own default does not."""
    default = declared.default
    number = declared.kind == "number" and (default is None or re.fullmatch(r"-?\d+(\.\d+)?", default))
    found: dict[str, Any] = {"Type": "Number" if number else "String"}
    if declared.description:
        found["Description"] = declared.description
    if default is not None:
        found["Default"] = default
    if declared.kind in PARAMETER_PATTERNS:
        pattern, words = PARAMETER_PATTERNS[declared.kind]
        if default is None or re.fullmatch(pattern, default):
            found |= {"AllowedPattern": pattern, "ConstraintDescription": words}
    elif allowed and (default is None or default in allowed):
        found["AllowedValues"] = list(allowed)
    return found


def allowed_values(api: Api) -> dict[str, tuple[str, ...]]:
    """The names of parameters that stand where one of a few values is wanted, and which they are."""
    found: dict[str, tuple[str, ...]] = {}
    for leaf in leaves(api.routes):
        reference = whole_reference(leaf.value) if isinstance(leaf.value, str) and leaf.substituted else None
        if reference is not None and leaf.option is not None:
            choices = ("true", "false") if isinstance(leaf.option.example, bool) else leaf.option.choices
            found[reference.name] = choices if found.get(reference.name, choices) == choices else ()
    return found


def camel(words: str) -> str:
    """Words as a part of a logical id, which is letters and digits."""
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", words))[:100]


def place_of(route: Route) -> str:
    """A route as a part of a logical id."""
    return camel(route.method.lower()) + (camel(route.path) or "Root")


class Resources:
    """The resources of one API, each under a logical id that tells its place and stays when routes are added."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.taken = {"Api", "Stage"}
        models = {model.name: self.named(f"{camel(model.name)}Model") for model in api.models}
        self.paths: dict[str, str] = {}
        """The path of each resource → its logical id; the root has none."""
        self.methods = []
        for route in api.routes:
            parent = ""
            for part in path_parts(route.path):
                parent += f"/{part.text}"
                if parent not in self.paths:
                    self.paths[parent] = self.named(f"{camel(parent)}Resource")
            self.methods.append(self.named(place_of(route)))
        parameters = {each.name: self.named(camel(each.name)) for each in supplied(api)}
        self.names = Names(parameters, models, self.taken)

    def named(self, wanted: str) -> str:
        """A logical id that is free; namesakes are numbered."""
        name = numbered(wanted, self.taken)
        self.taken.add(name)
        return name

    def all(self) -> dict[str, Any]:
        """In the order a reader expects: API, models, paths, methods, permissions, deployment, stage."""
        api, names = self.api, self.names
        settings = {
            "Name": api.name or "api",
            "Description": api.description or None,
            "BinaryMediaTypes": list(api.binary_media_types),
        }
        found: dict[str, Any] = {"Api": resource("AWS::ApiGateway::RestApi", settings)}
        for model in api.models:
            found[names.models[model.name]] = resource(
                "AWS::ApiGateway::Model",
                {
                    "RestApiId": {"Ref": "Api"},
                    "Name": model.name,
                    "ContentType": model.content_type,
                    "Schema": schema_value(model.schema),
                },
            )
        for path, name in self.paths.items():
            above, _, part = path.rpartition("/")
            placed = {"RestApiId": {"Ref": "Api"}, "ParentId": self.place(above), "PathPart": text(part, names)}
            found[name] = resource("AWS::ApiGateway::Resource", placed)
        for route, name in zip(api.routes, self.methods, strict=True):
            checks = None
            if route.validate_request_body or route.validate_request_parameters:
                checks = self.named(f"{name}Validator")
                found[checks] = resource("AWS::ApiGateway::RequestValidator", validation(route, names))
            found[name] = self.method(route, checks)
        content = hashlib.sha256(json.dumps(found).encode("ascii")).hexdigest()[:10]
        found |= self.permissions()
        deployment = self.named(f"Deployment{content}")
        found[deployment] = resource("AWS::ApiGateway::Deployment", {"RestApiId": {"Ref": "Api"}})
        found[deployment]["DependsOn"] = self.methods
        stage = {
            "RestApiId": {"Ref": "Api"},
            "DeploymentId": {"Ref": deployment},
            "StageName": text(api.stage_name, names),
            "Variables": {key: text(value, names) for key, value in api.stage_variables.items()},
        }
        found["Stage"] = resource("AWS::ApiGateway::Stage", stage)
        return found

    def place(self, path: str) -> dict[str, Any]:
        """The id of the resource at a path."""
        return {"Ref": self.paths[path]} if path in self.paths else {"Fn::GetAtt": ["Api", "RootResourceId"]}

    def method(self, route: Route, validator: str | None) -> dict[str, Any]:
        """AWS::ApiGateway::Method with its integration and responses."""
        names = self.names
        own = properties(route, names)
        first = {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": self.place("".join(f"/{part.text}" for part in path_parts(route.path))),
            "HttpMethod": own["HttpMethod"],
            "AuthorizationType": own.get("AuthorizationType", "NONE"),
        }
        effective = {
            "OperationName": route.operation_name or None,
            "RequestParameters": route.request_parameters,
            "RequestModels": self.modelled(route.request_models),
            "RequestValidatorId": validator and {"Ref": validator},
            "Integration": integration(route.integration, names),
            "MethodResponses": [
                said(properties(response, names) | {"ResponseModels": self.modelled(response.response_models)})
                for response in route.method_responses
            ],
        }
        for elsewhere in ("ValidateRequestBody", "ValidateRequestParameters", *effective):
            own.pop(elsewhere, None)
        return resource("AWS::ApiGateway::Method", first | own | effective)

    def modelled(self, found: Mapping[str, str]) -> dict[str, Any]:
        """Models by media type: the API's own by reference, so that they are made first."""
        models = self.names.models
        return {key: {"Ref": models[name]} if name in models else text(name, self.names) for key, name in found.items()}

    def permissions(self) -> dict[str, Any]:
        """What lets API Gateway invoke the functions, scoped as the CDK scopes it."""
        found: dict[str, Any] = {}
        for route, name in zip(self.api.routes, self.methods, strict=True):
            backend = route.integration.backend
            if not isinstance(backend, Lambda):
                continue
            for number, function in enumerate(backend.permitted, 1):
                for kind, tail in sources(route, backend, self.names).items():
                    arn = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/{tail}"
                    permission = resource(
                        "AWS::Lambda::Permission",
                        {
                            "Action": "lambda:InvokeFunction",
                            "FunctionName": text(function_arn(function), self.names),
                            "Principal": "apigateway.amazonaws.com",
                            "SourceArn": {"Fn::Sub": arn},
                        },
                    )
                    if permission not in found.values():
                        found[self.named(f"{name}{kind}Permission{number if number > 1 else ''}")] = permission
        return found


def resource(kind: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """One resource with what is set of its properties."""
    return {"Type": kind, "Properties": said(wanted)}


def schema_value(schema: str) -> Any:
    """A model's schema as JSON, or as its text where JSON would not keep it."""
    try:
        value = json.loads(schema, object_pairs_hook=_only_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return schema
    return value if isinstance(value, dict) and _is_plain(value) else schema


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _is_plain(value: Any) -> bool:
    """Whether a template takes it as it stands: no function's name as a key, no null, no number that JavaScript rounds."""
    if isinstance(value, dict):
        return all(
            not (key in ("Ref", "Condition") or key.startswith("Fn::")) and _is_plain(inner) for key, inner in value.items()
        )
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is not None and (not isinstance(value, int | float) or abs(value) < 2**53)


def validation(route: Route, names: Names) -> dict[str, Any]:
    """The properties of the route's AWS::ApiGateway::RequestValidator."""
    own = properties(route, names)
    return {
        "RestApiId": {"Ref": "Api"},
        "ValidateRequestBody": own.get("ValidateRequestBody"),
        "ValidateRequestParameters": own.get("ValidateRequestParameters"),
    }


def integration(value: Integration, names: Names) -> dict[str, Any]:
    """The Integration property."""
    first = {
        "Type": text(value.type, names),
        "IntegrationHttpMethod": None if value.http_method is None else text(value.http_method, names),
        "Uri": text(value.uri, names) if value.uri else None,
        "Credentials": None if value.credentials is None else text(value.credentials, names),
    }
    own = properties(value, names)
    own.pop("Credentials", None)  # two options have this name; `Integration.credentials` decides between them
    return said(first | own)


def sources(route: Route, backend: Lambda, names: Names) -> dict[str, str]:
    """What may invoke the function, as the end of an execute-api ARN for Fn::Sub, by what it is for."""
    if backend.scope_permission_to_method is False:
        return {"": "*/*/*"}
    method = method_scope(route, lambda text: sub_text(text, names))
    found = {"": f"${{Stage}}/{method}"}
    if backend.allow_test_invoke is not False:
        found["Test"] = f"test-invoke-stage/{method}"
    return found


# --- Back ------------------------------------------------------------------------------------------


def load(text: str) -> Loaded:
    """The REST APIs that a template describes, JSON or YAML; what is not read is a finding. Raises UnreadableText."""
    found = parsed(text)
    if not isinstance(found, dict) or not isinstance(found.get("Resources"), dict):
        raise UnreadableText("This is no CloudFormation template: it has no Resources.")
    return Reader(found).loaded()


def sayable(api: Api) -> Api:
    """The definition as a template holds it, read back."""
    return Reader(template(api)).loaded().apis[0]


class TemplateLoader(Loader):
    """YAML with the short form of intrinsics; a date stays the text that it is."""


TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in Loader.yaml_implicit_resolvers.items()
}


def _intrinsic(loader: Any, name: str, node: yaml.Node) -> Any:
    """`!Sub x` as `{"Fn::Sub": x}`."""
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        value = value.split(".", 1) if name == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


TemplateLoader.add_multi_constructor("!", _intrinsic)


def parsed(text: str) -> Any:
    """The value of a template's text, intrinsics in their long form. Raises UnreadableText."""
    if len(text) > LIMITS["bytes"]:
        raise UnreadableText(f"The text is longer than {LIMITS['bytes']:,} bytes.")
    return file_value(text, TemplateLoader)


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
            name=self.plain(own.get("Name", "api")),
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


YAML = Format(
    name="cloudformation",
    label="CloudFormation YAML",
    lexer="yaml",
    media_type="application/yaml",
    dump=dump_yaml,
    load=load,
    marks=("Resources",),
    sayable=sayable,
    unsupported=UNSUPPORTED,
)
JSON = replace(
    YAML,
    name="cloudformation-json",
    label="CloudFormation JSON",
    lexer="json",
    media_type="application/json",
    dump=dump_json,
)
