"""API Gateway's small languages, parsed: references, mapping expressions, ARNs and URIs, paths, media types."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

# --- References: CloudFormation's Fn::Sub notation -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """`${Name}`: what a deployment supplies. Dots belong to the name; `AWS::…` names are pseudo parameters."""

    name: str

    @property
    def is_pseudo(self) -> bool:
        """Whether CloudFormation itself supplies it (`AWS::Region`)."""
        return self.name.startswith("AWS::")

    def __str__(self) -> str:
        return f"${{{self.name}}}"


@dataclass(frozen=True, slots=True)
class StageVariable:
    """`${stageVariables.name}`: API Gateway replaces it at each call."""

    name: str

    def __str__(self) -> str:
        return f"${{stageVariables.{self.name}}}"


type Segment = str | Reference | StageVariable

PSEUDO_PARAMETERS = (
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
)
REFERENCE_NAME = re.compile(r"AWS::[A-Za-z]+|[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*", re.ASCII)
_STAGE_VARIABLE = re.compile(r"stageVariables\.([A-Za-z0-9_]+)", re.ASCII)
_BRACED = re.compile(r"\$\{(!?)([^{}]*)\}")


def segments(text: str) -> tuple[Segment, ...]:
    """Text with references as its parts; joining their `str()` gives the meaning, not the notation.

    `${!x}` is the literal `${x}`; what stands in braces and is neither a name nor a stage variable is literal text.
    Neighbouring literals are one string, and no empty string is given.
    """
    parts: list[Segment] = []
    literal = ""
    end = 0
    for match in _BRACED.finditer(text):
        escaped, inner = match.groups()
        part: Segment | None = None
        if not escaped and (variable := _STAGE_VARIABLE.fullmatch(inner)):
            part = StageVariable(variable[1])
        elif not escaped and REFERENCE_NAME.fullmatch(inner) and not inner.startswith("stageVariables."):
            part = Reference(inner)
        literal += text[end : match.start()]
        end = match.end()
        if part is None:
            literal += f"${{{inner}}}" if escaped else match[0]
            continue
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(part)
    literal += text[end:]
    if literal:
        parts.append(literal)
    return tuple(parts)


def known(text: str) -> bool:
    """Whether a text that reads references holds none, and no stage variable: it is what it says."""
    return "${" not in text or all(isinstance(part, str) for part in segments(text))


def references_in(text: str) -> tuple[Reference, ...]:
    """The references of a text, in order, repeated as they repeat; pseudo parameters included."""
    return tuple(part for part in segments(text) if isinstance(part, Reference)) if "${" in text else ()


def stage_variables_in(text: str) -> tuple[StageVariable, ...]:
    """The stage variables of a text, in order."""
    return tuple(part for part in segments(text) if isinstance(part, StageVariable)) if "${" in text else ()


def notation(parts: tuple[Segment, ...] | list[Segment]) -> str:
    """The text whose `segments()` these are: literals escaped so that they stay literals."""
    return "".join(escaped(part) if isinstance(part, str) else str(part) for part in parts)


def escaped(literal: str) -> str:
    """A literal as reference text: `${x}` becomes `${!x}` where it would be read as something else."""

    def escape(match: re.Match[str]) -> str:
        mark, inner = match.groups()
        meant = mark or _STAGE_VARIABLE.fullmatch(inner) or REFERENCE_NAME.fullmatch(inner)
        return f"${{!{mark}{inner}}}" if meant else match[0]

    return _BRACED.sub(escape, literal)


def whole_reference(text: str) -> Reference | None:
    """The reference that a text is, when it is nothing else."""
    parts = segments(text) if text.startswith("${") else ()
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Reference) else None


# --- Mapping expressions (APIGATEWAY.md 3.3, 3.8) --------------------------------------------------

PARAMETER_NAME = re.compile(r"[a-zA-Z0-9:._$-]+", re.ASCII)
"""AWS: "Parameter name should match the following regular expression: ^[a-zA-Z0-9:._$-]+$"."""

type Location = Literal["header", "path", "querystring"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """`method.request.header.X`, `integration.request.path.X`, `method.response.header.X`, …"""

    side: Literal["method.request", "integration.request", "method.response", "integration.response"]
    location: Location
    name: str
    multi_value: bool = False

    @property
    def declaration(self) -> str:
        """The key that declares it; the multi-value forms are declared by the single-value one."""
        return f"{self.side}.{self.location}.{self.name}"


@dataclass(frozen=True, slots=True)
class Body:
    """`method.request.body.a.b` or `integration.response.body`: a JSONPath without its leading `$.`."""

    side: Literal["method.request", "integration.response"]
    json_path: str


@dataclass(frozen=True, slots=True)
class Context:
    """`context.requestId`."""

    name: str


@dataclass(frozen=True, slots=True)
class Static:
    """`'value'`."""

    value: str


type Source = Parameter | Body | Context | StageVariable | Static

_PARAMETER = re.compile(
    r"(method\.request|integration\.request|method\.response|integration\.response)"
    r"\.(multivalueheader|multivaluequerystring|header|path|querystring)\.(.+)",
    re.DOTALL,
)


def parse_parameter(text: str) -> Parameter | None:
    """A parameter's full name, or None where the shape or the characters of the name are not AWS's."""
    match = _PARAMETER.fullmatch(text)
    if match is None or not PARAMETER_NAME.fullmatch(match[3]):
        return None
    side, location, name = match.groups()
    multi = location.startswith("multivalue")
    return Parameter(side, location.removeprefix("multivalue"), name, multi)  # type: ignore[arg-type]


def parse_method_parameter(text: str) -> Parameter | None:
    """A key of a method's request parameters: `method.request.{header,path,querystring}.NAME`."""
    found = parse_parameter(text)
    return found if found and found.side == "method.request" and not found.multi_value else None


def parse_request_target(text: str) -> Parameter | None:
    """A key of an integration's request parameters: `integration.request.{header,path,querystring}.NAME`."""
    found = parse_parameter(text)
    return found if found and found.side == "integration.request" and not found.multi_value else None


def parse_response_target(text: str) -> Parameter | None:
    """A key of response parameters: `method.response.header.NAME`."""
    found = parse_parameter(text)
    single_header = found and found.side == "method.response" and found.location == "header" and not found.multi_value
    return found if single_header else None


def parse_request_source(text: str) -> Source | None:
    """A value of an integration's request parameters, or None where it is no mapping expression."""
    return _parse_source(text, "method.request", ("header", "path", "querystring"))


def parse_response_source(text: str) -> Source | None:
    """A value of an integration response's parameters, or None where it is no mapping expression."""
    return _parse_source(text, "integration.response", ("header",))


def _parse_source(
    text: str, side: Literal["method.request", "integration.response"], locations: tuple[str, ...]
) -> Source | None:
    if re.fullmatch(r"'[^']*'", text):
        return Static(text[1:-1])
    if match := re.fullmatch(rf"{re.escape(side)}\.body(?:\.(.+))?", text, re.DOTALL):
        return Body(side, match[1] or "")
    if match := re.fullmatch(r"stageVariables\.([A-Za-z0-9_]+)", text, re.ASCII):
        return StageVariable(match[1])
    if match := re.fullmatch(r"context\.([A-Za-z0-9_.]+)", text, re.ASCII):
        return Context(match[1])
    found = parse_parameter(text)
    if found is None or found.side != side or found.location not in locations:
        return None
    return None if found.multi_value and found.location == "path" else found


# --- Paths -----------------------------------------------------------------------------------------

PLAIN_PATH_PART = re.compile(r"[a-zA-Z0-9._:-]+", re.ASCII)
VARIABLE_PATH_PART = re.compile(r"\{([a-zA-Z0-9._:-]+)(\+?)\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PathPart:
    """One segment of a resource path. `variable` is the name in braces, None for plain text."""

    text: str
    variable: str | None = None
    greedy: bool = False


@lru_cache(maxsize=256)
def path_parts(path: str) -> tuple[PathPart, ...]:
    """The segments of `/books/{id}`; the root `/` has none. Says nothing about their validity."""
    parts = []
    for text in path.removeprefix("/").split("/") if path.strip("/") else ():
        match = VARIABLE_PATH_PART.fullmatch(text)
        parts.append(PathPart(text, match[1], bool(match[2])) if match else PathPart(text))
    return tuple(parts)


def path_variables(path: str) -> tuple[str, ...]:
    """The names in braces of a resource path: `id` of `{id}`, `proxy` of `{proxy+}`."""
    return tuple(part.variable for part in path_parts(path) if part.variable is not None)


_URI_VARIABLE = re.compile(r"(?<!\$)\{([^{}]*)\}")


def uri_variables(uri: str) -> tuple[str, ...]:
    """The names of `{name}` in an integration's URI, references and stage variables apart."""
    return tuple(_URI_VARIABLE.findall(uri))


# --- ARNs and URIs ---------------------------------------------------------------------------------

_ARN_PART = r"(?:\$\{[^{}]*\}|[^:${}/])+"
_INTEGRATION_URI = re.compile(
    rf"arn:(?P<partition>{_ARN_PART}):apigateway:(?P<region>{_ARN_PART}):"
    rf"(?:(?P<subdomain>{_ARN_PART})\.)?(?P<service>(?:\$\{{[^{{}}]*\}}|[^:$.{{}}/])+):(?P<kind>path|action)/(?P<rest>.+)",
    re.DOTALL,
)
_INVOCATION = re.compile(
    r"(?:(?P<buffered>2015-03-31/functions/)|2021-11-15/functions/)(?P<function>[^/\s]+)"
    r"/(?(buffered)invocations|response-streaming-invocations)"
)
_FUNCTION_ARN = re.compile(
    rf"arn:(?P<partition>{_ARN_PART}):lambda:(?P<region>{_ARN_PART}):(?P<account>{_ARN_PART}):function:"
    rf"(?P<name>{_ARN_PART})(?::(?P<qualifier>{_ARN_PART}))?"
)


@dataclass(frozen=True, slots=True)
class IntegrationUri:
    """`arn:{partition}:apigateway:{region}:[{subdomain}.]{service}:{path|action}/{rest}`, parts with references."""

    partition: str
    region: str
    subdomain: str | None
    service: str
    kind: Literal["path", "action"]
    rest: str

    def __str__(self) -> str:
        service = f"{self.subdomain}.{self.service}" if self.subdomain else self.service
        return f"arn:{self.partition}:apigateway:{self.region}:{service}:{self.kind}/{self.rest}"


def parse_integration_uri(uri: str) -> IntegrationUri | None:
    """The parts of the URI of an AWS integration, or None where it is not of that shape."""
    match = _INTEGRATION_URI.fullmatch(uri)
    return IntegrationUri(**match.groupdict()) if match else None  # type: ignore[arg-type]


def parse_invocation(rest: str) -> tuple[str, bool] | None:
    """(function, streaming) of a Lambda invocation path; only the two API versions that API Gateway takes."""
    match = _INVOCATION.fullmatch(rest)
    return (match["function"], match["buffered"] is None) if match else None


def invocation(function: str, *, streaming: bool) -> str:
    """The Lambda path that API Gateway calls for a function ARN; streaming has an API version of its own."""
    if streaming:
        return f"2021-11-15/functions/{function}/response-streaming-invocations"
    return f"2015-03-31/functions/{function}/invocations"


@dataclass(frozen=True, slots=True)
class FunctionArn:
    """`arn:{partition}:lambda:{region}:{account}:function:{name}[:{version or alias}]`, parts with references."""

    partition: str
    region: str
    account: str
    name: str
    qualifier: str | None = None

    def __str__(self) -> str:
        tail = f":{self.qualifier}" if self.qualifier else ""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.name}{tail}"


def parse_function_arn(text: str) -> FunctionArn | None:
    """The parts of a Lambda function's ARN, or None."""
    match = _FUNCTION_ARN.fullmatch(text)
    return FunctionArn(**match.groupdict()) if match else None


def function_arn(text: str) -> str:
    """The ARN that a function text means: itself, or, for `name[:qualifier]`, that name in the stack's own account.

    A text that is or begins with a reference (`${Orders.Arn}`, `${Orders.Arn}:live`) stands for an ARN.
    """
    first, _, _ = text.partition(":") if not text.startswith("${") else (text, "", "")
    is_reference = re.fullmatch(r"\$\{(?!stageVariables\.|!)[^{}]*\}(?::.*)?", text) is not None
    if is_reference or first == "arn" or not text:
        return text
    return f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{text}"


# --- Media types -----------------------------------------------------------------------------------

MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+", re.ASCII)
"""What API Gateway takes as the key of a template: a media type without parameters."""

STATUS_CODE = re.compile(r"[1-5]\d\d", re.ASCII)
"""The one pattern of AWS's own service model."""
