"""A definition as CDK Python: a stack that deploys with `cdk deploy`, or the integration alone as a snippet."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrations.gateway.definition import (
    BUILT_IN_MODELS,
    METHODS,
    RESPONSE_TYPES,
    Api,
    Authorizer,
    AwsService,
    Cors,
    DeploymentParameter,
    GatewayResponse,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Leaf,
    MethodResponse,
    MethodSettings,
    Mock,
    RequestValidator,
    Route,
    Template,
    effective,
    encoded,
    leaves,
    preflight,
    preflights,
)
from integrations.gateway.findings import Finding, Path
from integrations.gateway.formats.cloudformation import (
    UNSUPPORTED,
    VALIDATORS,
    Checks,
    camel,
    checks_of,
    crowded,
    method_path,
    misread,
    place_of,
    schema_value,
    template,
    unused,
)
from integrations.gateway.formats.export import (
    Export,
    Format,
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
from integrations.gateway.formats.python_text import Code, Formatted, Invocation, identifier, statement
from integrations.gateway.grammar import (
    Reference,
    escaped,
    function_arn,
    invocation,
    known,
    path_parts,
    references_in,
    segments,
    stage_variables_in,
    whole_reference,
)
from integrations.gateway.options import PROXY_TYPES, options_of, said

TYPES = {
    "function": "lambda_.IFunction",
    "role": "iam.IRole",
    "vpc_link": "apigateway.IVpcLink",
    "number": "int",
    "text": "str",
    "url": "str",
}
"""Kind of a parameter → the type of its argument."""

AS_TEXT = {"lambda_.IFunction": ".function_arn", "iam.IRole": ".role_arn", "apigateway.IVpcLink": ".vpc_link_id"}
"""Type of an argument → the attribute that is the text which the definition means."""

ENUMS = {
    "content_handling": "apigateway.ContentHandling",
    "passthrough_behavior": "apigateway.PassthroughBehavior",
    "connection_type": "apigateway.ConnectionType",
    "response_transfer_mode": "apigateway.ResponseTransferMode",
    "authorization_type": "apigateway.AuthorizationType",
    "type": "apigateway.IntegrationType",
    "endpoint_type": "apigateway.EndpointType",
    "ip_address_type": "apigateway.IpAddressType",
    "api_key_source": "apigateway.ApiKeySourceType",
    "logging_level": "apigateway.MethodLoggingLevel",
}
"""Option → the enumeration that its values are members of."""

MEMBERS = {"AWS_IAM": "IAM", "COGNITO_USER_POOLS": "COGNITO", "ipv4": "IPV4", "dualstack": "DUAL_STACK"}
"""The members that the CDK names otherwise than API Gateway."""

PSEUDO = {
    "AWS::AccountId": "self.account",
    "AWS::Partition": "self.partition",
    "AWS::Region": "self.region",
    "AWS::StackId": "self.stack_id",
    "AWS::StackName": "Aws.STACK_NAME",
    "AWS::URLSuffix": "self.url_suffix",
}

MODULES = {
    "apigateway": "from aws_cdk import aws_apigateway as apigateway",
    "cognito": "from aws_cdk import aws_cognito as cognito",
    "ec2": "from aws_cdk import aws_ec2 as ec2",
    "iam": "from aws_cdk import aws_iam as iam",
    "lambda_": "from aws_cdk import aws_lambda as lambda_",
}

RELEASES = {"response_transfer_mode": (2, 230), "scope_permission_to_method": (2, 224), "ip_address_type": (2, 190)}
"""Keyword → the release of aws-cdk-lib that it came with; everything else is as old as version 2."""

RESERVED = (
    *("self", "scope", "construct_id", "kwargs", "super", "cast", "dict", "str", "int", "bool", "enumerate"),
    *("apigateway", "cognito", "ec2", "iam", "lambda_", "api", "app", "existing", "cfn_api", "cfn_stage"),
    *("integration", "resource", "method", "cfn_method", "cors", "gateway_response"),
    *("functions", "function", "number", "validator"),
)


def dump(api: Api) -> Export:
    """The stack, and the app that deploys it."""
    source = Source(api)
    text = source.module()
    return Export(filename=file_name(api, ".py"), text=text, findings=(*remarks(api), *source.findings))


FEW = 50
"""Routes that make no stack too large."""


def dump_snippet(api: Api) -> Export:
    """The integration alone, as it stands in the constructor of a stack."""
    source = Source(api)
    text = source.snippet()
    return Export(filename=file_name(api, ".snippet.py"), text=text, findings=(*remarks(api), *left_out(api), *source.findings))


AROUND = {
    "integration_target": "No integration of the CDK has it; the CDK Python export sets it on the method.",
    "permission_functions": "Their permissions belong to the method; take the CDK Python export.",
}
"""What only the whole stack says, beside the mount."""


# --- What it cannot say ----------------------------------------------------------------------------


def remarks(api: Api) -> tuple[Finding, ...]:
    """What the code loses, and why the CDK, or the template that it makes, would not take it."""
    return (
        *unsaid(api, UNSUPPORTED),
        *evaluated(api),
        *unused(api),
        *ambiguous(api),
        *broken_text(api),
        *misread(api),
        *look_alikes(api),
        *(crowded(template(api)) if len(api.routes) > FEW else ()),
        *wrong_settings(api),
        *(finding for index, route in enumerate(api.routes) for finding in checks(route, ("routes", index))),
    )


def left_out(api: Api) -> Iterator[Finding]:
    """What a snippet leaves out of the whole."""
    yield from unsaid(api, AROUND)
    for index, route in enumerate(api.routes):
        message = "The snippet is the integration alone. Take the CDK Python export for the API, the method and the stage."
        yield noted(("routes", index), message)
        backend = route.integration.backend
        if isinstance(backend, Lambda) and not is_plain(backend):
            message = "The snippet leaves out the permission to invoke the function. Take the CDK Python export."
            yield lost(("routes", index, "integration", "backend", "function"), message)
        if is_no_role(route.integration.credentials_role):
            message = "The CDK imports ARNs of roles only; the CDK Python export sets this one on the method."
            yield lost(("routes", index, "integration", "credentials_role"), message)


def look_alikes(api: Api) -> Iterator[Finding]:
    """Text that the CDK, or the bridge to JavaScript below it, takes for something of its own."""
    for leaf in leaves(api):
        if not isinstance(leaf.value, str):
            continue
        if re.search(r"[$#]\{Token\[", leaf.value):
            yield refused(leaf.path, "The CDK takes ${Token[…]} for a value of its own. Change the text, or use CloudFormation.")
        elif leaf.key and (leaf.value.startswith("$jsii.") or leaf.value == "__proto__"):
            yield refused(leaf.path, f"The CDK cannot pass on the key {leaf.value}. Rename it, or use CloudFormation.")
        elif leaf.substituted and any(found.is_pseudo and found.name not in PSEUDO for found in references_in(leaf.value)):
            yield refused(leaf.path, f"The CDK takes only {', '.join(PSEUDO)} in a text. Use one of these, or a parameter.")


def checks(route: Route, at: Path) -> Iterator[Finding]:
    """The CDK's own checks of a method and its integration; it raises an error at these."""
    value = route.integration
    here: Path = (*at, "integration")
    backend = value.backend
    if value.credentials_role and value.credentials_passthrough:
        yield refused((*here, "credentials_passthrough"), "The CDK takes a role or the caller's credentials. Unset one of them.")
    if value.vpc_link and value.connection_type != "VPC_LINK":
        yield refused((*here, "connection_type"), "The CDK reaches a VPC link only by VPC_LINK. Set it, or remove the VPC link.")
    if value.connection_type == "VPC_LINK" and not value.vpc_link:
        yield refused((*here, "vpc_link"), "The CDK wants a VPC link with VPC_LINK. Choose one, or set INTERNET.")
    if value.connection_type == "VPC_LINK" and not value.uri:
        yield refused((*here, "connection_type"), "The CDK wants a URI with VPC_LINK. Set INTERNET, or use an HTTP backend.")
    if isinstance(value.timeout_ms, int) and value.timeout_ms < 50:
        yield refused((*here, "timeout_ms"), "The CDK takes 50 ms or more.")
    if value.type != "MOCK" and not value.http_method:
        yield refused((*here, "backend", "http_method"), "The CDK wants the method of the call to the backend. Choose one.")
    if value.response_transfer_mode == "STREAM" and value.type not in PROXY_TYPES:
        yield refused((*here, "response_transfer_mode"), "The CDK streams proxy integrations only. Choose BUFFERED.")
    if isinstance(backend, AwsService) and (not backend.action) == (not backend.path):
        yield refused((*here, "backend", "action"), "The CDK wants either an action or a path. Set one, and only one.")
    if isinstance(backend, AwsService) and backend.action_parameters and not backend.action:
        yield refused((*here, "backend", "action_parameters"), "The CDK wants an action with parameters of an action.")
    if isinstance(backend, AwsService) and not backend.service:
        yield refused((*here, "backend", "service"), "The CDK wants a service. Name it.")
    if route.method not in METHODS and whole_reference(route.method) is None:
        yield refused((*at, "method"), f"The CDK takes {', '.join(METHODS)}.")
    for part in path_parts(route.path):
        plain = "".join(inner for inner in segments(part.text) if isinstance(inner, str))
        if not re.fullmatch(r"[\w:.$-]*|\{[\w:.$-]+\+?\}", plain, re.ASCII) or not part.text:
            yield refused((*at, "path"), f"The CDK takes letters, digits and . _ : - $ in {part.text!r}, or one {{variable}}.")
    yield from wrong_members(leaves(route, at))


def wrong_settings(api: Api) -> Iterator[Finding]:
    """The CDK's own checks of the API and its stage."""
    settings = replace(api, routes=(), authorizers=(), parameters=())
    yield from wrong_members(leaves(settings))
    if api.endpoint_type == "PRIVATE" and api.ip_address_type == "ipv4":
        yield refused(("ip_address_type",), "The CDK takes dualstack for a private API. Set it, or unset it.")
    for index, setting in enumerate(api.cors):
        if len(setting.allow_origins) > 1 and "*" in setting.allow_origins:
            yield refused(("cors", index, "allow_origins"), "The CDK takes * alone. Remove the other origins, or the *.")


def wrong_members(found: Iterable[Leaf]) -> Iterator[Finding]:
    """Values that are no member of the CDK's enumeration."""
    for leaf in found:
        if leaf.option is None or leaf.key or leaf.path[-1] not in ENUMS or not leaf.option.choices:
            continue
        if leaf.value not in leaf.option.choices and whole_reference(leaf.value) is None:
            yield refused(leaf.path, f"The CDK takes {', '.join(leaf.option.choices)}.")


# --- The source ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter of the definition as a keyword argument of the stack."""

    name: str
    type: str
    parameter: DeploymentParameter


RESPONSE_MEMBERS = {kind: kind.replace("4XX", "4_XX").replace("5XX", "5_XX") for kind in RESPONSE_TYPES}
"""The types of gateway responses, and what the CDK calls each."""

ID = {True: "authorizer_id", False: "ref"}
"""Whether an authorizer is a construct of the CDK's → the attribute that is its id."""


class Source:
    """The statements that make one API, and what they need around them."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.findings: list[Finding] = []
        self.modules: set[str] = set()
        self.keywords: set[str] = set()
        self.names: set[str] = set(RESERVED)
        self.ids: set[str] = {"Api"}
        self.made: dict[tuple[str, str], Code] = {}
        """(what, text) → the variable that holds what was imported by that text."""
        self.models: dict[str, Code] = {}
        self.authorizers: dict[str, tuple[Code, bool]] = {}
        """The name of an authorizer → its variable, and whether that is an IAuthorizer."""
        self.kinds: dict[str, str] = {}
        """The name of an authorizer → the authorization type of its methods."""
        self.allowing: dict[int, str] = {}
        """A CORS setting that several resources share, by its identity → the variable of its keywords."""
        self.checked = Counter(checks for checks in map(checks_of, api.routes) if checks is not None)
        """How many methods want each checked."""
        self.validators: dict[Checks, Code] = {}
        """What is checked → the variable of the validator that checks exactly that."""
        self.places: dict[str, str] = {"": "api.root"}
        """The path of a resource → its variable."""
        self.open: set[str] = set()
        """The functions that the whole API may invoke already."""
        self.lines: list[str] = []
        self.indent = 2
        self.arguments = self.typed_arguments()

    # Arguments

    def typed_arguments(self) -> dict[str, Argument]:
        """Name in the definition → argument, its type by kind, or by the place where only one type will do."""
        places: dict[str, set[str]] = {}
        paths: dict[str, Path] = {}
        api = effective(self.api)
        untyped = () if api.endpoint_type is not None else ("ip_address_type",)
        for leaf in leaves(api):
            if not isinstance(leaf.value, str) or leaf.key or not leaf.substituted:
                continue
            alone = whole_reference(leaf.value)
            for reference in references_in(leaf.value):
                wanted = "text"
                if alone is not None and leaf.option is not None:
                    named = str(leaf.path[-1])
                    chosen = leaf.option.choices and leaf.path[0] != "authorizers" and named not in untyped
                    wanted = ENUMS.get(named, wanted) if chosen else wanted
                    is_number = isinstance(leaf.option.example, int | float)
                    wanted = "bool" if isinstance(leaf.option.example, bool) else "int" if is_number else wanted
                places.setdefault(reference.name, set()).add(wanted)
                paths[reference.name] = leaf.path
        found: dict[str, Argument] = {}
        for parameter in supplied(api):
            forced = places.get(parameter.name, set()) - {"text"}
            kind = forced.pop() if forced else TYPES[parameter.kind]
            if forced or (kind in ("bool", *ENUMS.values()) and "text" in places[parameter.name]):
                message = f"${{{parameter.name}}} stands where the CDK wants values of several types. Use a parameter for each."
                self.findings.append(refused(paths[parameter.name], message))
            spoken = parameter.name.removesuffix(".Arn") if parameter.kind in ("function", "role") else parameter.name
            name = identifier(spoken, self.names)
            self.names.add(name)
            self.uses(kind)
            found[parameter.name] = Argument(name, kind, parameter)
        return found

    def uses(self, dotted: str) -> str:
        """Note the module that a name is from."""
        self.modules.add(dotted.partition(".")[0])
        return dotted

    def call(self, function: str, *arguments: Any, **keywords: Any) -> Invocation:
        """A call; keywords that are None are left out."""
        given = said(keywords)
        self.keywords |= given.keys()
        return Invocation(self.uses(function), arguments, given)

    def id(self, wanted: str) -> str:
        """A construct id that is free."""
        name = numbered(wanted, self.ids)
        self.ids.add(name)
        return name

    def say(self, value: Any, target: str = "") -> None:
        """Add a statement."""
        self.lines.append(statement(value, indent=self.indent, target=target))

    # Values

    def inside(self, reference: Reference) -> Code:
        """A reference as it stands in an f-string."""
        if reference.is_pseudo:
            return Code(self.uses(PSEUDO.get(reference.name, "Aws.NO_VALUE")))
        argument = self.arguments[reference.name]
        return Code(argument.name + AS_TEXT.get(argument.type, ""))

    def text(self, value: str | None) -> Any:
        """Reference text as a string, an f-string, or the one value that it is."""
        if value is None:
            return None
        parts = segments(value)
        if not any(isinstance(part, Reference) for part in parts):
            return "".join(map(str, parts))
        if len(parts) == 1 and isinstance(parts[0], Reference):
            alone = self.inside(parts[0])
            number = not parts[0].is_pseudo and self.arguments[parts[0].name].type == "int"
            return Code(f"str({alone.text})") if number else alone
        return Formatted(tuple(self.inside(part) if isinstance(part, Reference) else str(part) for part in parts))

    def texts(self, values: Mapping[str, str]) -> dict[str, Any]:
        """A map of reference texts."""
        return {key: self.text(value) for key, value in values.items()}

    def templates(self, values: Mapping[str, Template]) -> dict[str, Any]:
        """Velocity by media type."""
        return {key: self.text(value.text) if value.substituted else value.text for key, value in values.items()}

    def argument(self, value: Any, type: str) -> Code | None:
        """The argument that a value is, where it is nothing else and of that type."""
        reference = value if isinstance(value, Reference) else whole_reference(value) if isinstance(value, str) else None
        found = self.arguments.get(reference.name) if reference is not None else None
        return Code(found.name) if found is not None and found.type == type else None

    def member(self, option: str, value: str | None) -> Any:
        """The member of an enumeration, or the argument that is one; what is neither (and refused) stays a text."""
        if value is None:
            return None
        if (argument := self.argument(value, ENUMS[option])) is not None:
            return argument
        known = value in MEMBERS or re.fullmatch(r"[A-Z_]+", value)
        return Code(f"{self.uses(ENUMS[option])}.{MEMBERS.get(value, value)}") if known else self.text(value)

    def flag(self, value: Any) -> Any:
        """True or False, or the argument that is it."""
        return self.inside(value) if isinstance(value, Reference) else value

    def imported(self, what: str, value: str, type: str, made: Invocation) -> Code:
        """The argument that a value is, or a variable for what is imported by its text."""
        argument = self.argument(value, type)
        return argument if argument is not None else self.variable(what, value, made)

    def variable(self, what: str, value: str, made: Invocation) -> Code:
        """The variable for what is imported by a text, within this stack."""
        if (what, value) not in self.made:
            name = identifier(what, self.names)
            self.names.add(name)
            made = Invocation(made.function, (Code("self"), self.id(camel(what)), *made.arguments), made.keywords)
            self.say(made, name)
            self.made[(what, value)] = Code(name)
        return self.made[(what, value)]

    def handler(self, function: str) -> Code:
        """A function as IFunction; one in another account or environment is given its permission as well."""
        arn = function_arn(function)
        if arn != function and ":" not in function:
            made = self.call("lambda_.Function.from_function_name", self.text(function))
        else:
            made = self.call("lambda_.Function.from_function_attributes", function_arn=self.text(arn), same_environment=True)
        return self.imported("handler", function, "lambda_.IFunction", made)

    def decider(self, function: str) -> Code:
        """The function of an authorizer as IFunction of this stack: the CDK makes its permission in the stack that it is of."""
        argument = self.argument(function, "lambda_.IFunction")
        if argument is None:
            return self.handler(function)
        arn = Code(f"{argument.text}.function_arn")
        made = self.call("lambda_.Function.from_function_attributes", function_arn=arn, same_environment=True)
        return self.variable(f"{argument.text}_handler", function, made)

    def seconds(self, value: int | Reference | None) -> Invocation | None:
        """A time in whole seconds."""
        if value is None:
            return None
        return self.call("Duration.seconds", self.inside(value) if isinstance(value, Reference) else value)

    def duration(self, value: int | Reference | None) -> Invocation | None:
        """A timeout."""
        if value is None:
            return None
        if isinstance(value, int) and value % 1_000 == 0:
            return self.call("Duration.seconds", value // 1_000)
        return self.call("Duration.millis", self.inside(value) if isinstance(value, Reference) else value)

    # The integration

    def options(self, value: Integration, overrides: dict[str, Any]) -> dict[str, Any]:
        """IntegrationOptions as keywords; what they cannot say goes into `overrides`, by property path."""
        role = value.credentials_role
        if value.integration_target is not None:
            overrides["Integration.IntegrationTarget"] = self.text(value.integration_target)
        credentials = None
        if role is not None and not is_no_role(role):
            made = self.call("iam.Role.from_role_arn", self.text(role), mutable=False)
            credentials = self.imported("role", role, "iam.IRole", made)
        elif role is not None:
            overrides["Integration.Credentials"] = self.text(role)
        link = None
        if value.vpc_link is not None:
            made = self.call("apigateway.VpcLink.from_vpc_link_id", self.text(value.vpc_link))
            link = self.imported("vpc_link", value.vpc_link, "apigateway.IVpcLink", made)
        return {
            "credentials_role": credentials,
            "credentials_passthrough": value.credentials_passthrough or None,
            "connection_type": self.member("connection_type", value.connection_type),
            "vpc_link": link,
            "request_parameters": self.texts(value.request_parameters),
            "request_templates": self.templates(value.request_templates),
            "passthrough_behavior": self.member("passthrough_behavior", value.passthrough_behavior),
            "content_handling": self.member("content_handling", value.content_handling),
            "cache_namespace": self.text(value.cache_namespace),
            "cache_key_parameters": list(value.cache_key_parameters),
            "timeout": self.duration(value.timeout_ms),
            "response_transfer_mode": self.member("response_transfer_mode", value.response_transfer_mode),
            "integration_responses": [self.response(response) for response in value.integration_responses],
        }

    def response(self, value: IntegrationResponse) -> Invocation:
        """One IntegrationResponse."""
        return self.call(
            "apigateway.IntegrationResponse",
            status_code=self.text(value.status_code),
            selection_pattern=value.selection_pattern,
            content_handling=self.member("content_handling", value.content_handling),
            response_parameters=self.texts(value.response_parameters),
            response_templates=self.templates(value.response_templates),
        )

    def integration(self, value: Integration, overrides: dict[str, Any]) -> tuple[Invocation, bool]:
        """The integration, and whether it permits its function by itself."""
        options = self.options(value, overrides)
        backend = value.backend
        match backend:
            case Mock():
                return self.call("apigateway.MockIntegration", **options), False
            case Lambda() if is_plain(backend):
                flags = {
                    "proxy": None if backend.proxy else False,
                    "allow_test_invoke": False if backend.allow_test_invoke is False and scoped(backend) else None,
                    "scope_permission_to_method": None if scoped(backend) else False,
                }
                handler = self.handler(backend.function)
                return self.call("apigateway.LambdaIntegration", handler, **flags, **options), True
            case Http():
                return self.call(
                    "apigateway.HttpIntegration",
                    self.text(backend.url),
                    http_method=None if backend.http_method == "GET" else self.text(backend.http_method),
                    proxy=None if backend.proxy else False,
                    options=self.grouped(options),
                ), False
            case Lambda() | AwsService() if is_own_partition(backend.partition):
                return self.aws(backend, value, options), False
        return self.call(
            "apigateway.Integration",
            type=self.member("type", value.type),
            integration_http_method=self.text(value.http_method),
            uri=self.text(value.uri) if value.uri else None,
            options=self.grouped(options),
        ), False

    def aws(self, backend: Lambda | AwsService, value: Integration, options: dict[str, Any]) -> Invocation:
        """AwsIntegration, of a service or of a function that only a call by path can name."""
        region = None if backend.region == "${AWS::Region}" else self.text(backend.region)
        method = None if backend.http_method == "POST" else self.text(backend.http_method)
        if isinstance(backend, Lambda):
            path = invocation(function_arn(backend.function), streaming=value.response_transfer_mode == "STREAM")
            called: dict[str, Any] = {"proxy": backend.proxy or None, "service": "lambda", "path": self.text(path)}
        else:
            parameters = backend.action_parameters
            action = backend.action
            if action is not None and any(references_in(text) for text in parameters.values()):
                action += "".join(f"&{encoded(escaped(name))}={encoded(text)}" for name, text in parameters.items())
                parameters = {}
            called = {
                "service": self.text(backend.service),
                "subdomain": self.text(backend.subdomain),
                "path": self.text(backend.path),
                "action": self.text(action),
                "action_parameters": self.texts(parameters),
            }
        return self.call(
            "apigateway.AwsIntegration",
            **called,
            integration_http_method=method,
            region=region,
            options=self.grouped(options),
        )

    def grouped(self, options: dict[str, Any]) -> Invocation | None:
        """IntegrationOptions, or None where there is none."""
        made = self.call("apigateway.IntegrationOptions", **options)
        return made if made.keywords else None

    # The method

    def model(self, name: str) -> Any:
        """A model by name: the API's own, API Gateway's, or one that is there already."""
        if name in self.models:
            return self.models[name]
        if name in BUILT_IN_MODELS:
            return Code(self.uses(f"apigateway.Model.{name.upper()}_MODEL"))
        return self.call("apigateway.Model.from_model_name", Code("self"), self.id("Model"), self.text(name))

    def modelled(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Models by media type."""
        return {key: self.model(name) for key, name in values.items()}

    def method_response(self, value: MethodResponse) -> Invocation:
        """One MethodResponse."""
        return self.call(
            "apigateway.MethodResponse",
            status_code=self.text(value.status_code),
            response_parameters=dict(value.response_parameters),
            response_models=self.modelled(value.response_models),
        )

    def route(self, route: Route) -> None:
        """The statements that make a method."""
        overrides: dict[str, Any] = {}
        made, permitted = self.integration(route.integration, overrides)
        self.say(made, "integration")
        resource = self.place(route)
        validator = self.validator(route)
        kind = None if route.authorization_type == "NONE" else route.authorization_type
        scopes = [self.text(scope) for scope in route.authorization_scopes]
        if scopes and route.authorization_type != "COGNITO_USER_POOLS":
            overrides["AuthorizationScopes"] = scopes
            scopes = []
        own, is_construct = self.authorizers.get(route.authorizer or "", (None, False))
        decided = own is not None and is_construct and kind == self.kinds.get(route.authorizer or "")
        if route.authorizer is not None and not decided:
            overrides["AuthorizerId"] = self.text(route.authorizer) if own is None else Code(f"{own.text}.{ID[is_construct]}")
        added = self.call(
            f"{resource}.add_method",
            self.text(route.method),
            Code("integration"),
            operation_name=route.operation_name or None,
            authorizer=own if decided else None,
            authorization_type=None if decided else self.member("authorization_type", kind),
            authorization_scopes=scopes,
            api_key_required=self.flag(route.api_key_required),
            request_parameters=route.request_parameters,
            request_models=self.modelled(route.request_models),
            **validator,
            method_responses=[self.method_response(response) for response in route.method_responses],
        )
        permissions = list(self.permissions(route, permitted))
        self.say(added, "method" if overrides or any("method." in arn for _, _, arn in permissions) else "")
        if overrides:
            self.override(overrides)
        self.permit(permissions, place_of(route))

    def place(self, route: Route) -> str:
        """The variable of the route's resource; made here where it is the only one."""
        path = path_of(route)
        if path in self.places:
            return self.places[path]
        self.say(Invocation("api.root.resource_for_path", (self.text(path),)), "resource")
        return "resource"

    def nested(self, path: str) -> None:
        """The resources of a path that are not made yet, each within its parent."""
        above = ""
        for part in path_parts(path):
            below = f"{above}/{part.text}"
            if below not in self.places:
                name = identifier(below, otherwise="resource")
                name = identifier(f"{name}_resource", self.names) if name in self.names else name
                self.names.add(name)
                self.say(Invocation(f"{self.places[above]}.add_resource", (self.text(part.text),)), name)
                self.places[below] = name
            above = below

    def validator(self, route: Route) -> dict[str, Any]:
        """What validates the request, as keywords. The CDK makes one validator an API by itself; several are made by name."""
        checks = checks_of(route)
        if checks is None:
            return {}
        if checks in self.validators:
            return {"request_validator": self.validators[checks]}
        if self.checked.total() == 1:
            return {"request_validator_options": self.call("apigateway.RequestValidatorOptions", **self.flags(route))}
        once = self.checked[checks] == 1
        flags = {name: value for name, value in self.flags(route).items() if once or value is not False}
        self.checking(f"{place_of(route)}Validator" if once else VALIDATORS.get(checks, "RequestValidator"), checks, flags)
        return {"request_validator": self.validators[checks]}

    def flags(self, of: Route | RequestValidator) -> dict[str, Any]:
        """What is checked, as keywords."""
        return {
            "validate_request_body": self.flag(of.validate_request_body),
            "validate_request_parameters": self.flag(of.validate_request_parameters),
        }

    def checking(self, wanted: str, checks: Checks, keywords: Mapping[str, Any]) -> None:
        """A request validator, in a variable of its own."""
        name = identifier(wanted, self.names)
        self.names.add(name)
        self.say(self.call("api.add_request_validator", self.id(wanted), **keywords), name)
        self.validators.setdefault(checks, Code(name))

    def override(self, overrides: dict[str, Any]) -> None:
        """What the constructs have no option for; it counts for the deployment as well, so that a change is deployed."""
        self.say(Code(f"cfn_method = cast({self.uses('apigateway.CfnMethod')}, method.node.default_child)"))
        self.modules.add("cast")
        for path, value in overrides.items():
            self.say(Invocation("cfn_method.add_property_override", (path, value)))
        self.say(Invocation("api.latest_deployment.add_to_logical_id", (overrides,)))

    def permissions(self, route: Route, permitted: bool) -> Iterator[tuple[str, str, str]]:
        """(function, what for, expression of the source ARN) of the permissions that no integration adds."""
        backend = route.integration.backend
        if not isinstance(backend, Lambda):
            return
        for function in backend.permitted:
            own = permitted and function == backend.function
            if not scoped(backend):
                if not own and function not in self.open:
                    yield function, "", "api.arn_for_execute_api()"
                self.open.add(function)
            elif not own:
                yield function, "", "method.method_arn"
                if backend.allow_test_invoke is not False:
                    yield function, "Test", "method.test_method_arn"

    def permit(self, permissions: list[tuple[str, str, str]], place: str) -> None:
        """Let API Gateway invoke the functions."""
        functions = list(dict.fromkeys(function for function, _, _ in permissions))
        kinds = list(dict.fromkeys((what, arn) for _, what, arn in permissions))
        if len(functions) < 2:
            for function, what, arn in permissions:
                self.say(self.permission(self.id(f"{place}{what}Permission"), self.text(function_arn(function)), arn))
            return
        self.say([self.text(function_arn(function)) for function in functions], "functions")
        self.say(Code("for number, function in enumerate(functions, 1):"))
        self.indent += 1
        for what, arn in kinds:
            prefix = self.id(f"{place}{what}Permission")
            self.say(self.permission(Formatted((prefix, Code("number"))), Code("function"), arn))
        self.indent -= 1

    def permission(self, construct_id: Any, function: Any, arn: str) -> Invocation:
        """One CfnPermission."""
        return self.call(
            "lambda_.CfnPermission",
            Code("self"),
            construct_id,
            action="lambda:InvokeFunction",
            function_name=function,
            principal="apigateway.amazonaws.com",
            source_arn=Code(arn),
        )

    # The whole

    def rest_api(self) -> None:
        """The API with its models, authorizers and validators."""
        api = self.api
        stage = self.call("apigateway.StageOptions", **self.stage())
        endpoint = None
        if api.endpoint_type is not None:
            endpoint = self.call(
                "apigateway.EndpointConfiguration",
                types=[self.member("endpoint_type", api.endpoint_type)],
                ip_address_type=self.member("ip_address_type", api.ip_address_type),
                vpc_endpoints=[self.endpoint(each) for each in api.vpc_endpoint_ids],
            )
        size = api.minimum_compression_size
        made = self.call(
            "apigateway.RestApi",
            Code("self"),
            "Api",
            rest_api_name=self.text(api.name) or "api",
            description=api.description or None,
            binary_media_types=list(api.binary_media_types),
            endpoint_configuration=endpoint,
            disable_execute_api_endpoint=self.flag(api.disable_execute_api_endpoint),
            policy=self.policy(),
            api_key_source_type=self.member("api_key_source", api.api_key_source),
            min_compression_size=None
            if size is None
            else self.call("Size.bytes", self.inside(size) if isinstance(size, Reference) else size),
            cloud_watch_role=False,
            deploy_options=stage if stage.keywords else None,
        )
        self.say(made, "api")
        self.beyond_options()
        for model in api.models:
            schema = schema_value(model.schema)
            name = identifier(f"{model.name}_model", self.names)
            self.names.add(name)
            self.say(
                self.call(
                    "apigateway.CfnModel",
                    Code("self"),
                    self.id(f"{camel(model.name)}Schema"),
                    rest_api_id=Code("api.rest_api_id"),
                    name=model.name,
                    content_type=model.content_type,
                    description=model.description,
                    schema=None if isinstance(schema, str) else schema,
                ),
                f"cfn_{name}",
            )
            if isinstance(schema, str):
                self.say(Invocation(f"cfn_{name}.add_property_override", ("Schema", schema)))
            reference = Code(f"cfn_{name}.ref")
            made = self.call("apigateway.Model.from_model_name", Code("self"), self.id(f"{camel(model.name)}Model"), reference)
            self.say(made, name)
            self.models[model.name] = Code(name)

        for authorizer in api.authorizers:
            self.lines.append("\n")
            self.authorizer(authorizer)
        for each in api.request_validators:
            checks = (each.validate_request_body or False, each.validate_request_parameters or False)
            keywords = {"request_validator_name": each.name} | self.flags(each)
            self.checking(f"{camel(each.name)}Validator", checks, keywords)

    # What is shared by the routes

    def stage(self) -> dict[str, Any]:
        """StageOptions as keywords."""
        api = self.api
        found: dict[str, Any] = {
            "stage_name": None if api.stage_name == "prod" or not is_id(api.stage_name) else self.text(api.stage_name),
            "description": self.text(api.stage_description),
            "variables": self.texts(api.stage_variables),
            "tracing_enabled": self.flag(api.tracing_enabled),
        }
        if caches_plainly(api):
            found["cache_cluster_enabled"] = self.flag(api.cache_cluster_enabled)
            found["cache_cluster_size"] = self.text(api.cache_cluster_size)
        if set_plainly(api):
            others = [setting for setting in api.method_settings if not setting.is_for_all]
            for setting in api.method_settings:
                found |= self.setting(setting) if setting.is_for_all else {}
            found["method_options"] = {
                f"{setting.path}/{setting.method}": self.call("apigateway.MethodDeploymentOptions", **self.setting(setting))
                for setting in others
            }
        return found

    def setting(self, value: MethodSettings) -> dict[str, Any]:
        """MethodDeploymentOptions as keywords."""
        rate, burst = value.throttling_rate_limit, value.throttling_burst_limit
        return {
            "throttling_rate_limit": self.inside(rate) if isinstance(rate, Reference) else rate,
            "throttling_burst_limit": self.inside(burst) if isinstance(burst, Reference) else burst,
            "logging_level": self.member("logging_level", value.logging_level),
            "data_trace_enabled": self.flag(value.data_trace_enabled),
            "metrics_enabled": self.flag(value.metrics_enabled),
            "caching_enabled": self.flag(value.caching_enabled),
            "cache_ttl": self.seconds(value.cache_ttl_seconds),
            "cache_data_encrypted": self.flag(value.cache_data_encrypted),
        }

    def beyond_options(self) -> None:
        """What RestApi has no option for: set on the resources that it makes."""
        api = self.api
        own = {"SecurityPolicy": api.security_policy, "EndpointAccessMode": api.endpoint_access_mode}
        overrides = {name: self.text(value) for name, value in own.items() if value is not None}
        if api.endpoint_type is None:  # which EndpointConfiguration wants
            endpoints = [self.text(each) for each in api.vpc_endpoint_ids]
            addresses = self.text(api.ip_address_type)
            parts = {"IpAddressType": addresses, "VpcEndpointIds": endpoints or None}
            overrides |= {f"EndpointConfiguration.{name}": value for name, value in parts.items() if value is not None}
        if api.policy is not None and self.policy() is None:
            overrides["Policy"] = self.document(api.policy)
        both = dict(api.tags) if api.tags == api.stage_tags else {}
        self.on_resource("cfn_api", "CfnRestApi", "api", overrides, {} if both else api.tags)
        log = {"DestinationArn": api.access_log_destination, "Format": api.access_log_format}
        overrides = {f"AccessLogSetting.{name}": self.text(value) for name, value in log.items() if value is not None}
        if not is_id(api.stage_name):
            overrides["StageName"] = self.text(api.stage_name)
        if not caches_plainly(api):
            cache = {
                "CacheClusterEnabled": self.flag(api.cache_cluster_enabled),
                "CacheClusterSize": self.text(api.cache_cluster_size),
            }
            overrides |= said(cache)
        if not set_plainly(api):
            overrides["MethodSettings"] = [self.properties(setting) for setting in api.method_settings]
        self.on_resource("cfn_stage", "CfnStage", "api.deployment_stage", overrides, {} if both else api.stage_tags)
        for key, value in both.items():
            self.say(Invocation(f"{self.uses('Tags.of')}(api).add", (key, self.text(value))))

    def on_resource(self, name: str, kind: str, construct: str, overrides: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Set properties and tags of the resource that a construct makes."""
        if overrides or tags:
            self.modules.add("cast")
            self.say(Code(f"{name} = cast({self.uses(f'apigateway.{kind}')}, {construct}.node.default_child)"))
        for path, value in overrides.items():
            self.say(Invocation(f"{name}.add_property_override", (path, value)))
        for key, tag in tags.items():
            self.say(Invocation(f"{name}.tags.set_tag", (key, self.text(tag))))

    def properties(self, value: Any) -> dict[str, Any]:
        """The options of a part that CloudFormation has a name for, as its properties."""
        owner: type = type(value)
        found: dict[str, Any] = {}
        for name, option in options_of(owner).items():
            inner = getattr(value, name)
            if option.cloudformation and inner is not None:
                found[option.cloudformation] = self.text(inner) if isinstance(inner, str) else self.flag(inner)
        if "ResourcePath" in found and isinstance(found["ResourcePath"], str):
            found["ResourcePath"] = method_path(found["ResourcePath"])
        return found

    def endpoint(self, vpc_endpoint_id: str) -> Invocation:
        """A VPC endpoint by its id."""
        return self.call(
            "ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes",
            Code("self"),
            self.id("VpcEndpoint"),
            vpc_endpoint_id=self.text(vpc_endpoint_id),
            port=443,
        )

    def policy(self) -> Invocation | None:
        """The resource policy, where PolicyDocument keeps all of it."""
        value = None if self.api.policy is None else schema_value(self.api.policy)
        if not isinstance(value, dict) or not is_plain_policy(value):
            return None
        return self.call("iam.PolicyDocument.from_json", self.filled(value))

    def document(self, value: str) -> Any:
        """A JSON document with its texts as reference texts, or its text where it is none."""
        found = schema_value(value)
        return self.filled(found) if isinstance(found, dict) else self.text(value)

    def filled(self, value: Any) -> Any:
        """A JSON value with its texts as reference texts."""
        if isinstance(value, dict):
            return {key: self.filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def authorizer(self, value: Authorizer) -> None:
        """An authorizer: the CDK's own where that says all of it."""
        name = identifier(f"{value.name}_authorizer", self.names)
        self.names.add(name)
        here = (Code("self"), self.id(f"{camel(value.name)}Authorizer"))
        made, permits = self.own_authorizer(value, here), True
        is_construct = made is not None
        if made is None:
            source, uri = value.identity_source, value.authorizer_uri
            permits = not value.function or value.credentials_role is not None
            made = self.call(
                "apigateway.CfnAuthorizer",
                *here,
                rest_api_id=Code("api.rest_api_id"),
                name=value.name,
                type=self.text(value.type),
                authorizer_uri=self.text(uri),
                authorizer_credentials=self.text(value.credentials_role),
                identity_source=self.text(source),
                identity_validation_expression=value.identity_validation_expression,
                authorizer_result_ttl_in_seconds=self.inside(value.result_ttl_seconds)
                if isinstance(value.result_ttl_seconds, Reference)
                else value.result_ttl_seconds,
                provider_arns=[self.text(each) for each in value.provider_arns],
                auth_type=value.auth_type,
            )
        self.say(made, name)
        self.authorizers[value.name] = (Code(name), is_construct)
        self.kinds[value.name] = value.authorization_type
        if not permits:
            start = "arn:{self.partition}:execute-api:{self.region}:{self.account}"
            arn = f'f"{start}:{{api.rest_api_id}}/authorizers/{{{name}.ref}}"'
            function = self.text(function_arn(value.function or ""))
            self.say(self.permission(self.id(f"{camel(value.name)}Permission"), function, arn))

    def own_authorizer(self, value: Authorizer, here: tuple[Code, str]) -> Invocation | None:
        """The CDK's construct for an authorizer, where it makes exactly this one; it wants a method that it decides on."""
        used = any((r.authorizer, r.authorization_type) == (value.name, value.authorization_type) for r in self.api.routes)
        known = used and value.credentials_role is None and value.auth_type is None and value.identity_sources
        common = {"authorizer_name": value.name, "results_cache_ttl": self.seconds(value.result_ttl_seconds)}
        sources = [self.text(each) for each in value.identity_sources]
        if not known or (value.identity_validation_expression is not None and value.type != "TOKEN"):
            return None
        if value.type in ("TOKEN", "REQUEST") and is_own_function(value.function) and not value.provider_arns:
            handler = self.decider(value.function or "")
            if value.type == "REQUEST":
                return self.call("apigateway.RequestAuthorizer", *here, handler=handler, identity_sources=sources, **common)
            return self.call(
                "apigateway.TokenAuthorizer",
                *here,
                handler=handler,
                identity_source=self.text(value.identity_source),
                validation_regex=value.identity_validation_expression,
                **common,
            )
        pools = value.provider_arns
        if value.type == "COGNITO_USER_POOLS" and pools and not value.authorizer_uri and all(map(is_user_pool, pools)):
            made = [self.pool(arn) for arn in pools]
            source = self.text(value.identity_source)
            return self.call(
                "apigateway.CognitoUserPoolsAuthorizer", *here, cognito_user_pools=made, identity_source=source, **common
            )
        return None

    def pool(self, arn: str) -> Code:
        """A user pool by its ARN."""
        made = self.call("cognito.UserPool.from_user_pool_arn", self.text(arn))
        return self.imported("user_pool", arn, "cognito.IUserPool", made)

    def gateway_response(self, value: GatewayResponse) -> None:
        """One of the gateway's own answers."""
        prefix = "gatewayresponse.header."
        wanted = f"{camel(value.response_type.lower())}Response"
        kind = RESPONSE_MEMBERS.get(value.response_type)
        common = {"status_code": self.text(value.status_code)}
        if all(key.startswith(prefix) for key in value.response_parameters):
            self.say(
                self.call(
                    "api.add_gateway_response",
                    self.id(wanted),
                    type=Code(self.uses(f"apigateway.ResponseType.{kind}"))
                    if kind
                    else self.call("apigateway.ResponseType.of", self.text(value.response_type)),
                    **common,
                    response_headers={
                        key.removeprefix(prefix): self.text(source) for key, source in value.response_parameters.items()
                    },
                    templates=self.templates(value.response_templates),
                )
            )
            return
        own = {
            "rest_api_id": Code("api.rest_api_id"),
            "response_type": self.text(value.response_type),
            **common,
            "response_parameters": self.texts(value.response_parameters),
            "response_templates": self.templates(value.response_templates),
        }
        self.say(self.call("apigateway.CfnGatewayResponse", Code("self"), self.id(wanted), **own), "gateway_response")
        self.say(Invocation("api.latest_deployment.node.add_dependency", (Code("gateway_response"),)))
        self.say(Invocation("api.latest_deployment.add_to_logical_id", (own | {"rest_api_id": ""},)))

    # CORS

    def cors(self, settings: Mapping[str, Cors]) -> None:
        """What several resources allow alike, as keywords in a variable."""
        uses = Counter(id(setting) for setting in settings.values())
        for setting in settings.values():
            if uses[id(setting)] > 1 and id(setting) not in self.allowing and self.is_plain_cors(setting):
                self.lines += [] if self.allowing else ["\n"]
                name = identifier("cors" if not self.allowing else f"cors_{len(self.allowing) + 1}", self.names - {"cors"})
                self.names.add(name)
                self.say(self.call("dict", **self.allowed(setting)), name)
                self.allowing[id(setting)] = name

    def allowed(self, setting: Cors) -> dict[str, Any]:
        """CorsOptions as keywords."""
        methods = () if "ANY" in setting.allow_methods else setting.allow_methods
        age = setting.max_age_seconds
        return {
            "allow_origins": [self.text(origin) for origin in setting.allow_origins or ("*",)],
            "allow_methods": list(methods),
            "allow_headers": list(setting.allow_headers),
            "expose_headers": list(setting.expose_headers),
            "allow_credentials": setting.allow_credentials or None,
            "max_age": self.call("Duration.seconds", age) if age is not None and age >= 0 else None,
            "disable_cache": True if age == -1 else None,
        }

    def is_plain_cors(self, setting: Cors) -> bool:
        """Whether add_cors_preflight says it: it leaves a time of 0 out, and does not read bodies as text."""
        age = setting.max_age_seconds
        return age != 0 and (age or 0) >= -1 and "*/*" not in self.api.binary_media_types

    def preflight(self, path: str, setting: Cors) -> None:
        """The OPTIONS method of a resource."""
        resource = self.places["".join(f"/{part.text}" for part in path_parts(path))]
        if not self.is_plain_cors(setting):
            self.lines += [] if self.lines[-1:] == ["\n"] else ["\n"]
            self.route(preflight(path, setting, as_text="*/*" in self.api.binary_media_types))
        elif id(setting) in self.allowing:
            self.say(Code(f"{resource}.add_cors_preflight(**{self.allowing[id(setting)]})"))
        else:
            self.say(Invocation(f"{resource}.add_cors_preflight", (), said(self.allowed(setting))))

    def module(self) -> str:
        """The whole file."""
        self.rest_api()
        if self.api.cors or len(self.api.routes) > 1:
            self.tree()
        else:
            for route in self.api.routes:
                self.lines.append("\n")
                self.route(route)
        answers = effective(self.api).gateway_responses
        if answers:
            self.lines.append("\n")
        for answer in answers:
            self.gateway_response(answer)
        body = "".join(self.lines)
        name = stack_name(self.api)
        signature = "    def __init__(\n        self,\n        scope: Construct,\n        construct_id: str,\n"
        if self.arguments:
            signature += "        *,\n"
        for argument in self.arguments.values():
            if words := comment(argument.parameter.description):
                signature += f"        # {words}\n"
            signature += f"        {argument.name}: {argument.type},\n"
        signature += "        **kwargs,\n    ) -> None:\n        super().__init__(scope, construct_id, **kwargs)\n\n"
        app = self.app(name)
        return (
            f'{self.header()}\n\n\nclass {name}Stack(Stack):\n    """A REST API with its stage."""\n\n{signature}{body}\n\n{app}'
        )

    def tree(self) -> None:
        """The resources, each within its parent, with their methods."""
        settings = preflights(self.api)
        self.cors(settings)
        by_path: dict[str, list[Route]] = {}
        for route in self.api.routes:
            by_path.setdefault(path_of(route), []).append(route)
        allowed = {"".join(f"/{part.text}" for part in path_parts(path)): (path, each) for path, each in settings.items()}
        for path in dict.fromkeys((*by_path, *allowed)):
            self.lines.append("\n")
            self.nested(path)
            for number, route in enumerate(by_path.get(path, ())):
                if number:
                    self.lines.append("\n")
                self.route(route)
            if path in allowed:
                self.preflight(*allowed[path])

    def header(self) -> str:
        """The release that it needs, how to deploy it, and the imports."""
        release = max([RELEASES[name] for name in self.keywords & RELEASES.keys()], default=(2, 0))
        core = sorted({"App", "Stack", *({"Aws", "Duration", "Size", "Tags"} & self.modules)})
        lines = [f"# Needs aws-cdk-lib {release[0]}.{release[1]}.0 or newer."]
        if self.arguments:
            values = [f"-c {argument.name}=…" for argument in self.arguments.values() if argument.parameter.default is None]
            lines += ["# Deploy it with what it refers to:", f"#   cdk deploy {' '.join(values)}".rstrip(), ""]
        lines += ["from typing import cast", ""] if "cast" in self.modules else []
        lines += [f"from aws_cdk import {', '.join(core)}"]
        lines += [line for module, line in MODULES.items() if module in self.modules]
        return "\n".join([*lines, "from constructs import Construct"])

    def app(self, name: str) -> str:
        """What runs it: arguments from the context of the command line, with defaults; what exists already by ARN or id."""
        values = {argument.name: self.given(argument) for argument in self.arguments.values()}
        imports = any(argument.type in AS_TEXT for argument in self.arguments.values())
        defaults = {
            found.name: found.parameter.default for found in self.arguments.values() if found.parameter.default is not None
        }
        made = Invocation("App", (), {"context": defaults} if defaults else {})
        lines = ['if __name__ == "__main__":\n', statement(made, indent=1, target="app")]
        if imports:
            lines.append("    existing = Stack()  # holds what is there already, and is never deployed\n")
        lines.append(statement(Invocation(f"{name}Stack", (Code("app"), name), values), indent=1))
        return "".join([*lines, "    app.synth()\n"])

    def given(self, argument: Argument) -> Any:
        """The value of an argument, from the command line."""
        value = Code(f'app.node.get_context("{argument.name}")')
        made = camel(argument.name)
        match argument.type:
            case "lambda_.IFunction":
                keywords = {"function_arn": value, "same_environment": True}
                return Invocation("lambda_.Function.from_function_attributes", (Code("existing"), made), keywords)
            case "iam.IRole":
                return Invocation("iam.Role.from_role_arn", (Code("existing"), made, value), {"mutable": False})
            case "apigateway.IVpcLink":
                return Invocation("apigateway.VpcLink.from_vpc_link_id", (Code("existing"), made, value))
            case "int":
                return Invocation("int", (value,))
            case "bool":
                return Code(f'{value.text} == "true"')
            case "str":
                return value
            case enum:
                return Code(f"{enum}[{value.text}]")

    def snippet(self) -> str:
        """The integrations alone."""
        self.indent = 0
        for number, route in enumerate(self.api.routes):
            if number:
                self.lines.append("\n")
            made, _ = self.integration(route.integration, {})
            self.say(made, "integration")
        return "".join(self.lines)


def is_own_partition(partition: str | None) -> bool:
    """Whether it is the one that the stack is in."""
    return partition is None or partition == "${AWS::Partition}"


def is_no_role(role: str | None) -> bool:
    """Whether the CDK cannot import it: a text that is known and no ARN of a role."""
    return role is not None and not references_in(role) and re.match(r"arn:[^:]+:iam::[^:]*:role/.", role) is None


def path_of(route: Route) -> str:
    """The path of the route's resource; empty for the root."""
    return "".join(f"/{part.text}" for part in path_parts(route.path))


def is_id(stage_name: str) -> bool:
    """Whether the CDK takes a stage's name as a part of its id: a name that only a deployment knows is none."""
    return not any(reference.is_pseudo for reference in references_in(stage_name))


def caches_plainly(api: Api) -> bool:
    """Whether StageOptions says the cache as it is: with a size, or something cached, it turns the cluster on by itself."""
    cached = api.cache_cluster_size is not None or any(setting.caching_enabled for setting in api.method_settings)
    return api.cache_cluster_enabled is True or not cached


def set_plainly(api: Api) -> bool:
    """Whether StageOptions says the settings of all methods: plain paths, one setting for all of them."""
    plain = all(known(setting.path) and setting.path.startswith("/") and known(setting.method) for setting in api.method_settings)
    plain = plain and all(setting.method in ("*", *METHODS) for setting in api.method_settings)
    return plain and caches_plainly(api) and sum(setting.is_for_all for setting in api.method_settings) < 2


def is_own_function(function: str | None) -> bool:
    """Whether an authorizer of the CDK invokes it as this one does: a reference, or the name of a function of this Region."""
    return bool(function) and (whole_reference(function or "") is not None or re.fullmatch(r"[\w-]+", function or "") is not None)


def is_user_pool(arn: str) -> bool:
    """Whether the CDK imports a user pool by it."""
    return re.fullmatch(r"arn:[\w-]+:cognito-idp:[\w-]+:\d{12}:userpool/[\w-]+", arn, re.ASCII) is not None


PLAIN_POLICY = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def is_plain_policy(value: Mapping[str, Any]) -> bool:
    """Whether PolicyDocument keeps all of it: the version of today, and statements of known parts."""
    statements = value.get("Statement")
    return (
        set(value) == {"Version", "Statement"}
        and value["Version"] == "2012-10-17"
        and isinstance(statements, list)
        and all(isinstance(one, dict) and set(one) <= PLAIN_POLICY and one.get("Principal") in ("*", None) for one in statements)
    )


def is_plain(backend: Lambda) -> bool:
    """Whether LambdaIntegration can say it: a function of this Region, invoked with POST, that no stage variable names."""
    own = is_own_partition(backend.partition) and backend.region in (None, "${AWS::Region}")
    named = bool(backend.function) and not stage_variables_in(backend.function)
    return own and named and backend.http_method == "POST"


def scoped(backend: Lambda) -> bool:
    """Whether the permission is for the method alone."""
    return backend.scope_permission_to_method is not False


def stack_name(api: Api) -> str:
    """The API's name as that of a class and a stack."""
    name = camel(api.name) or "Api"
    return f"Api{name}" if name[0].isdigit() else name


def comment(text: str) -> str:
    """Text as one line of a comment."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


PYTHON = Format(
    name="cdk-python", label="CDK Python", lexer="python", media_type="text/x-python", dump=dump, unsupported=UNSUPPORTED
)
SNIPPET = Format(
    name="cdk-snippet",
    label="CDK snippet",
    lexer="python",
    media_type="text/x-python",
    dump=dump_snippet,
    unsupported=UNSUPPORTED | AROUND,
)
