"""A definition as a CloudFormation template that deploys as it stands, in YAML or JSON."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from integrations.gateway.calls import method_scope
from integrations.gateway.definition import (
    Api,
    Authorizer,
    DeploymentParameter,
    Integration,
    Lambda,
    Route,
    Template,
    effective,
    leaves,
)
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.formats.export import (
    Export,
    ambiguous,
    broken_text,
    evaluated,
    file_name,
    lost,
    noted,
    numbered,
    refused,
    supplied,
    unsaid,
)
from integrations.gateway.formats.yaml_text import Tagged, yaml_text
from integrations.gateway.grammar import (
    PSEUDO_PARAMETERS,
    Reference,
    function_arn,
    path_parts,
    segments,
    whole_reference,
)
from integrations.gateway.options import Kind, Option, options_of, said

UNSUPPORTED = {
    "insecure_skip_verification": "AWS::ApiGateway::Method has no TLS settings; deploy this one with OpenAPI or boto3.",
}
MOST = 500
"""Resources that CloudFormation takes of a stack."""
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
    """The logical ids of a template: of its parameters by the definition's names, of its models and authorizers by theirs;
    and all there are."""

    parameters: Mapping[str, str]
    models: Mapping[str, str]
    taken: Set[str]
    authorizers: Mapping[str, str] = field(default_factory=dict)


def dump_json(api: Api) -> Export:
    """The template as JSON, two spaces deep."""
    whole = template(api)
    text = json.dumps(whole, indent=2) + "\n"
    return Export(filename=file_name(api, ".template.json"), text=text, findings=remarks(api, text, whole))


def dump_yaml(api: Api) -> Export:
    """The template as YAML with short intrinsics."""
    whole = template(api)
    text = yaml_text(tagged(whole))
    return Export(filename=file_name(api, ".template.yaml"), text=text, findings=remarks(api, text, whole))


# --- What it cannot say ----------------------------------------------------------------------------


def remarks(api: Api, text: str, whole: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What the template loses, and why it may be refused."""
    found = [*unsaid(api, UNSUPPORTED), *evaluated(api), *unused(api), *ambiguous(api), *broken_text(api), *misread(api)]
    found += crowded(whole)
    if len(text.encode(errors="replace")) > LONGEST:
        message = f"CloudFormation takes templates of up to {LONGEST:,} bytes. Shorten the mapping templates, or use OpenAPI."
        found.append(noted((), message, Severity.FAILURE, docs=QUOTAS, evidence="D"))
    return tuple(found)


def crowded(whole: Mapping[str, Any]) -> Iterator[Finding]:
    """A stack of more resources than CloudFormation takes."""
    count = len(whole["Resources"])
    if count > MOST:
        message = (
            f"The stack would have {count:,} resources, and CloudFormation takes {MOST}. Permit each function once for the whole "
            "API, split the API, or deploy it with OpenAPI or boto3."
        )
        yield noted(("routes",), message, Severity.FAILURE, docs=QUOTAS, evidence="D")


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
        if not isinstance(leaf.value, str) or leaf.option is None:
            continue  # what is no option is the origin of something, and is not written
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
        if option.text == "document":
            return document(value, names)
        return text(value, names) if option.text == "reference" else literal(value, names)
    if isinstance(value, Mapping):
        return {key: written(inner, option, names) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [written(inner, option, names) for inner in value]
    return properties(value, names) if dataclasses.is_dataclass(value) else value


def document(value: str, names: Names) -> Any:
    """A JSON document, each of its texts as reference text; as one text where a template would not keep it."""
    found = schema_value(value)
    return _filled(found, names) if isinstance(found, dict) else text(value, names)


def _filled(value: Any, names: Names) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, names) for inner in value]
    return text(value, names) if isinstance(value, str) else value


def properties(part: Any, names: Names, wanted: Callable[[str], bool] = lambda name: True) -> dict[str, Any]:
    """The options of a part that CloudFormation has a name for, as its properties; those within one by dotted names."""
    owner: type = type(part)
    found: dict[str, Any] = {}
    for name, option in options_of(owner).items():
        if option.cloudformation and wanted(name):
            outer, _, inner = option.cloudformation.rpartition(".")
            at = found.setdefault(outer, {}) if outer else found
            at[inner] = written(getattr(part, name), option, names)
    return said({name: said(value) if isinstance(value, dict) and name in NESTED else value for name, value in found.items()})


NESTED = ("EndpointConfiguration", "AccessLogSetting")
"""Properties that hold several options."""


# --- The template ----------------------------------------------------------------------------------


def template(api: Api) -> dict[str, Any]:
    """The whole template as plain data, intrinsics in their long form."""
    path = api.routes[0].path if len(api.routes) == 1 else "/"
    api = effective(api)
    resources = Resources(api)
    found: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09"}
    allowed = allowed_values(api)
    if parameters := supplied(api):
        named = resources.names.parameters
        found["Parameters"] = {named[each.name]: parameter(each, allowed.get(each.name, ())) for each in parameters}
    found["Resources"] = resources.all()
    url = f"https://${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/${{Stage}}{sub_text(path, resources.names)}"
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
    for leaf in leaves(api):
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
        self.validators: dict[Checks, str] = {}
        """What is checked → the logical id of the validator that checks exactly that."""
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
        authorizers = {each.name: self.named(f"{camel(each.name)}Authorizer") for each in api.authorizers}
        self.names = Names(parameters, models, self.taken, authorizers)

    def named(self, wanted: str) -> str:
        """A logical id that is free; namesakes are numbered."""
        name = numbered(wanted, self.taken)
        self.taken.add(name)
        return name

    def all(self) -> dict[str, Any]:
        """In the order a reader expects: API, models, authorizers, paths, methods, gateway responses, permissions, deployment,
        stage."""
        api, names = self.api, self.names
        found: dict[str, Any] = {"Api": resource("AWS::ApiGateway::RestApi", rest_api(api, names))}
        for model in api.models:
            found[names.models[model.name]] = resource(
                "AWS::ApiGateway::Model",
                {
                    "RestApiId": {"Ref": "Api"},
                    "Name": model.name,
                    "ContentType": model.content_type,
                    "Description": None if model.description is None else literal(model.description, names),
                    "Schema": schema_value(model.schema),
                },
            )
        for authorizer in api.authorizers:
            found[names.authorizers[authorizer.name]] = resource("AWS::ApiGateway::Authorizer", decider(authorizer, names))
        found |= self.declared_validators()
        for path, name in self.paths.items():
            above, _, part = path.rpartition("/")
            placed = {"RestApiId": {"Ref": "Api"}, "ParentId": self.place(above), "PathPart": text(part, names)}
            found[name] = resource("AWS::ApiGateway::Resource", placed)
        for route, name in zip(api.routes, self.methods, strict=True):
            checks = checks_of(route)
            if checks is not None and checks not in self.validators:
                alone = sum(checks_of(other) == checks for other in api.routes) == 1
                self.validators[checks] = self.named(f"{name}Validator" if alone else VALIDATORS.get(checks, "RequestValidator"))
                own = validation(route, names)
                own = own if alone else {key: value for key, value in own.items() if value is not False}
                found[self.validators[checks]] = resource("AWS::ApiGateway::RequestValidator", own)
            found[name] = self.method(route, self.validators[checks] if checks is not None else None)
        answers = {self.named(f"{camel(each.response_type.lower())}Response"): each for each in api.gateway_responses}
        for name, answer in answers.items():
            own = {"RestApiId": {"Ref": "Api"}} | properties(answer, names)
            found[name] = resource("AWS::ApiGateway::GatewayResponse", own)
        content = hashlib.sha256(json.dumps(found).encode("ascii")).hexdigest()[:10]
        found |= self.permissions()
        deployment = self.named(f"Deployment{content}")
        found[deployment] = resource("AWS::ApiGateway::Deployment", {"RestApiId": {"Ref": "Api"}})
        found[deployment]["DependsOn"] = [*self.methods, *answers]
        found["Stage"] = resource("AWS::ApiGateway::Stage", {"RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": deployment}})
        found["Stage"]["Properties"] |= stage(api, names)
        return found

    def declared_validators(self) -> dict[str, Any]:
        """The request validators that have a name; each is known by what it checks."""
        found = {}
        for each in self.api.request_validators:
            name = self.named(f"{camel(each.name)}Validator")
            self.validators.setdefault((each.validate_request_body or False, each.validate_request_parameters or False), name)
            own = {"RestApiId": {"Ref": "Api"}} | properties(each, self.names)
            found[name] = resource("AWS::ApiGateway::RequestValidator", own)
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
        if route.authorizer is not None and route.authorizer in names.authorizers:
            own["AuthorizerId"] = {"Ref": names.authorizers[route.authorizer]}
        return resource("AWS::ApiGateway::Method", first | own | effective)

    def modelled(self, found: Mapping[str, str]) -> dict[str, Any]:
        """Models by media type: the API's own by reference, so that they are made first."""
        models = self.names.models
        return {key: {"Ref": models[name]} if name in models else text(name, self.names) for key, name in found.items()}

    def permissions(self) -> dict[str, Any]:
        """What lets API Gateway invoke the functions, scoped as the CDK scopes it."""
        found: dict[str, Any] = {}
        seen: set[tuple[str, str]] = set()
        for authorizer in self.api.authorizers:
            if authorizer.function and not authorizer.credentials_role:
                own = self.names.authorizers[authorizer.name]
                found[self.named(f"{own}Permission")] = permission(authorizer.function, f"authorizers/${{{own}}}", self.names)
        for route, name in zip(self.api.routes, self.methods, strict=True):
            backend = route.integration.backend
            if not isinstance(backend, Lambda):
                continue
            for number, function in enumerate(backend.permitted, 1):
                for kind, tail in sources(route, backend, self.names).items():
                    key = (function_arn(function), tail)
                    if key not in seen:
                        seen.add(key)
                        named = self.named(f"{name}{kind}Permission{number if number > 1 else ''}")
                        found[named] = permission(function, tail, self.names)
        return found


type Checks = tuple[bool | Reference, bool | Reference]
"""(body, parameters) that a request validator checks."""

VALIDATORS: Mapping[Checks, str] = {
    (True, False): "BodyValidator",
    (False, True): "ParametersValidator",
    (True, True): "RequestValidator",
}
"""What a validator that several methods use is called."""


def checks_of(route: Route) -> Checks | None:
    """What the method wants checked; None for nothing."""
    checks = (route.validate_request_body or False, route.validate_request_parameters or False)
    return None if checks == (False, False) else checks


def permission(function: str, tail: str, names: Names) -> dict[str, Any]:
    """What lets API Gateway invoke a function for what stands at the end of an execute-api ARN, for Fn::Sub."""
    arn = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/{tail}"
    return resource(
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": text(function_arn(function), names),
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Sub": arn},
        },
    )


OF_THE_STAGE = (
    *("stage_name", "stage_variables", "stage_description", "cache_cluster_enabled", "cache_cluster_size", "tracing_enabled"),
    *("access_log_destination", "access_log_format", "method_settings", "stage_tags"),
)
"""The options of an API that are its stage's."""


def rest_api(api: Api, names: Names) -> dict[str, Any]:
    """The properties of the AWS::ApiGateway::RestApi."""
    own = properties(api, names, lambda name: name not in (*OF_THE_STAGE, "parameters"))
    if "Types" in (endpoint := own.get("EndpointConfiguration", {})):
        endpoint["Types"] = [endpoint["Types"]]
    return {"Name": text(api.name or "api", names), "Description": api.description or None} | own | tagged_with(own)


def stage(api: Api, names: Names) -> dict[str, Any]:
    """The properties of the AWS::ApiGateway::Stage, beside what it belongs to."""
    own = properties(api, names, lambda name: name in OF_THE_STAGE)
    for setting in own.get("MethodSettings", []):
        if isinstance(setting["ResourcePath"], str):
            setting["ResourcePath"] = method_path(setting["ResourcePath"])
    return own | tagged_with(own)


def method_path(path: str) -> str:
    """A path as method settings take it: its slashes as ~1 behind one that stays; those of all and of the root as they are."""
    return path if path in ("/", "/*") or not path.startswith("/") else "/" + path.replace("/", "~1")


def tagged_with(own: Mapping[str, Any]) -> dict[str, Any]:
    """Tags as a list of keys and values."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in own["Tags"].items()]} if "Tags" in own else {}


def decider(authorizer: Authorizer, names: Names) -> dict[str, Any]:
    """The properties of an AWS::ApiGateway::Authorizer."""
    source, uri = authorizer.identity_source, authorizer.authorizer_uri
    own = properties(authorizer, names) | {
        "AuthorizerUri": None if uri is None else text(uri, names),
        "IdentitySource": None if source is None else text(source, names),
    }
    return {"RestApiId": {"Ref": "Api"}} | own


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
