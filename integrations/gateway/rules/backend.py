"""The backend: type, method and URI of the call."""

import re

from integrations.gateway.definition import METHODS, Api, AwsService, Http, Integration, Lambda, Raw
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import (
    Reference,
    Segment,
    StageVariable,
    known,
    parse_function_arn,
    path_variables,
    segments,
    stage_variables_in,
    uri_variables,
    whole_reference,
)
from integrations.gateway.options import ALL_TYPES, CALLING, GUIDE, HTTP_TYPES, REFERENCE
from integrations.gateway.rules.mend import at, drop, put, rewriting, setting
from integrations.gateway.rules.rule import Facts, Remarks, rule

PUT = REFERENCE + "API_PutIntegration.html"
URI = PUT + "#apigw-PutIntegration-request-uri"
MAPPINGS = GUIDE + "request-response-data-mappings.html"
STAGE_VARIABLES = GUIDE + "aws-api-gateway-stage-variables-reference.html"
LAMBDA = GUIDE + "set-up-lambda-integrations.html"
METHOD = ("integration", "backend", "http_method")
PARTITIONS = (  # the beginning of a Region's name → its partition
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("eusc-", "aws-eusc"),
    ("us-isob-", "aws-iso-b"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isof-", "aws-iso-f"),
    ("", "aws"),
)
MAPPED_PATHS = frozenset({"AWS", "HTTP", "HTTP_PROXY"})
"""The types that put path parameters into their URI."""


def uri_path(integration: Integration) -> Path:
    """Where the URI is written: the backend's field that holds it."""
    match integration.backend:
        case Lambda():
            field = "function"
        case Http():
            field = "url"
        case AwsService(action=None):
            field = "path"
        case AwsService():
            field = "action"
        case _:
            field = "raw_uri"
    return ("integration", "backend", field)


def partition_of(region: str) -> str:
    """The partition that a Region belongs to."""
    return next(partition for prefix, partition in PARTITIONS if region.startswith(prefix))


def _upper(text: str) -> str:
    return text.strip().upper()


@rule(
    "T1",
    Severity.ERROR,
    docs=PUT,
    evidence="LS B",
    aws="1 validation error detected: Value at 'putIntegrationInput.type' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
    fix=rewriting(_upper),
    fix_label="Set it in upper case",
)
def a_type_is_one_of_five(facts: Facts) -> Remarks:
    """The integration type is AWS, AWS_PROXY, HTTP, HTTP_PROXY or MOCK."""
    backend = facts.integration.backend
    if isinstance(backend, Raw) and backend.type not in ALL_TYPES and whole_reference(backend.type) is None:
        right = _upper(backend.type)
        message = f"Use one of {', '.join(sorted(ALL_TYPES))}, in upper case."
        yield ("integration", "backend", "type"), message, f"Set {right}" if right in ALL_TYPES else ""


def _with_method(api: Api, path: Path) -> Api:
    return put(api, path, "POST" if path[:1] and at(api, path[:3]).type.startswith("AWS") else at(api, path[:2]).method)


@rule(
    "T2",
    Severity.ERROR,
    docs=PUT,
    evidence="LS PF",
    aws="Enumeration value for HttpMethod must be non-empty",
    fix=_with_method,
    fix_label="Set POST for AWS, the route's own method for HTTP",
)
def a_backend_has_a_method(facts: Facts) -> Remarks:
    """Every integration but MOCK names the method of its call."""
    if facts.type in CALLING and not facts.integration.http_method:
        verb = "POST" if facts.type.startswith("AWS") else facts.route.method
        yield METHOD, "Choose the method of the call to the backend.", f"Set {verb}" if verb in METHODS else ""


@rule("T2-verb", Severity.FAILURE, docs=PUT, evidence="D", fix=rewriting(_upper), fix_label="Set it in upper case")
def a_backend_method_is_a_verb(facts: Facts) -> Remarks:
    """The method of the call is one of GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD and ANY."""
    method = facts.integration.http_method
    if facts.type in CALLING and method and method not in METHODS and known(method):
        right = _upper(method)
        yield METHOD, f"Use one of {', '.join(METHODS)}.", f"Set {right}" if right in METHODS else ""


@rule("T3", Severity.FAILURE, docs=LAMBDA, evidence="LS PF", fix=setting("POST"), fix_label="Set POST")
def lambda_is_invoked_with_post(facts: Facts) -> Remarks:
    """A Lambda function is invoked with POST, whatever verb the caller uses."""
    method = facts.integration.http_method
    if facts.invocation is not None and method in METHODS and method != "POST":
        yield METHOD, "Set POST. With another method every call answers 500."


# --- HTTP ------------------------------------------------------------------------------------------


def _known_start(facts: Facts) -> str | None:
    """The literal that the URI begins with; None where a reference or a stage variable stands first."""
    first = facts.uri_parts[0] if facts.uri_parts else ""
    return first if isinstance(first, str) else None


def _with_scheme(text: str) -> str:
    return "https://" + text.removeprefix("//")


@rule(
    "U1",
    Severity.ERROR,
    docs=URI,
    evidence="LS PF",
    aws="Invalid HTTP endpoint specified for URI",
    fix=rewriting(_with_scheme),
    fix_label="Put https:// in front",
)
def an_http_uri_is_absolute(facts: Facts) -> Remarks:
    """An HTTP integration calls an absolute http:// or https:// URL."""
    if facts.type not in HTTP_TYPES:
        return
    if not facts.uri:
        if not facts.integration.integration_target:
            yield uri_path(facts.integration), "Write the URL of the backend, with http:// or https://.", ""
        return
    start = _known_start(facts)
    if start is not None and not re.match(r"https?://", start, re.IGNORECASE):
        host = re.match(r"(//)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d+)?(/|$)", start, re.ASCII)
        message = "Write the whole URL, with http:// or https://."
        yield uri_path(facts.integration), message, "Put https:// in front" if host else ""


@rule("U1-host", Severity.FAILURE, docs=URI, evidence="INF")
def an_http_uri_names_a_host(facts: Facts) -> Remarks:
    """A URL names a host after its scheme."""
    if facts.type in HTTP_TYPES and re.match(r"https?://(?:[:/?#]|$)", facts.uri, re.IGNORECASE):
        yield uri_path(facts.integration), "Write the host of the backend after ://."


@rule("U1-port", Severity.FAILURE, docs=URI, evidence="D")
def a_port_is_one_that_may_be_called(facts: Facts) -> Remarks:
    """The port of a public URL is 80, 443, or one above 1024."""
    if facts.type not in HTTP_TYPES or facts.integration.connection_type == "VPC_LINK":
        return
    match = re.match(r"https?://[^/?#]*?:(\d{1,9})(?:[/?#]|$)", facts.uri, re.IGNORECASE | re.ASCII)
    if match and int(match[1]) not in (80, 443) and not 1024 < int(match[1]) <= 65535:
        yield uri_path(facts.integration), f"Use port 80, 443, or one from 1025 to 65535; {match[1]} is not called."


def _encoded(text: str) -> str:
    return re.sub(r"[\s|\"<>^`\\]", lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text.strip())


@rule(
    "P15",
    Severity.FAILURE,
    docs=GUIDE + "api-gateway-known-issues.html",
    evidence="D",
    fix=rewriting(_encoded),
    fix_label="Encode them",
)
def a_url_is_encoded(facts: Facts) -> Remarks:
    """A URL is percent-encoded: no space, no |, and no other character that RFC 3986 does not allow."""
    if facts.type in HTTP_TYPES and any(isinstance(part, str) and re.search(r"[\s|\"<>^`\\]", part) for part in facts.uri_parts):
        found = re.search(r"[\s|\"<>^`\\]", "".join(part for part in facts.uri_parts if isinstance(part, str)))
        yield uri_path(facts.integration), f"Write {_encoded('x' + found[0] + 'x')[1:-1]} for {found[0]!r}." if found else ""


@rule("P15-semicolon", Severity.FAILURE, docs=GUIDE + "api-gateway-known-issues.html", evidence="D")
def a_semicolon_splits_a_query(facts: Facts) -> Remarks:
    """A semicolon in a query string splits its data."""
    if facts.type in HTTP_TYPES and ";" in facts.uri.partition("?")[2]:
        yield uri_path(facts.integration), "Write %3B for the semicolon in the query string."


# --- AWS -------------------------------------------------------------------------------------------


@rule("U2", Severity.ERROR, docs=URI, evidence="LS", aws="Invalid ARN specified in the request")
def an_aws_uri_is_an_arn(facts: Facts) -> Remarks:
    """The URI of an AWS integration is an ARN."""
    start = _known_start(facts)
    if facts.type in ("AWS", "AWS_PROXY") and start is not None and not start.startswith("arn:"):
        message = "Write the ARN of the integration: arn:aws:apigateway:region:service:path/… or :action/…."
        yield uri_path(facts.integration), message


@rule("U3", Severity.ERROR, docs=URI, evidence="LS PF", aws="AWS ARN for integration must contain path or action")
def an_aws_arn_has_a_path_or_action(facts: Facts) -> Remarks:
    """The ARN of an AWS integration names a path or an action of a service."""
    if facts.type not in ("AWS", "AWS_PROXY") or not facts.uri.startswith("arn:"):
        return
    text = "".join(_as_text(part) for part in facts.uri_parts)
    service = re.match(r"arn:[^:\0]+:([^:\0]+):", text)
    undecided = "\0" in text and (service is None or service[1] == "apigateway")
    if not re.search(r":(path|action)/", text) and not undecided:
        yield uri_path(facts.integration), "Name the service's path or action; a bare function or queue ARN is not enough."


def _as_text(part: Segment) -> str:
    """A literal as it stands, a pseudo parameter as one letter, and NUL for what is not known."""
    return part if isinstance(part, str) else "x" if isinstance(part, Reference) and part.is_pseudo else "\0"


@rule("U3-empty", Severity.FAILURE, docs=URI, evidence="INF")
def an_aws_service_is_named(facts: Facts) -> Remarks:
    """An AWS service integration names its service, and an action or a path."""
    backend = facts.integration.backend
    if isinstance(backend, AwsService):
        if not backend.service:
            yield ("integration", "backend", "service"), "Name the service: sqs, states, dynamodb, s3, events…"
        if not (backend.action or backend.path):
            yield uri_path(facts.integration), "Name an action of the service, or a path."
    elif facts.type in ("AWS", "AWS_PROXY") and re.search(r":(path|action)/$", facts.uri):
        yield uri_path(facts.integration), "Name the action or the path after the slash."


@rule(
    "U4",
    Severity.ERROR,
    docs=LAMBDA,
    evidence="LS",
    aws="Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
)
def aws_proxy_is_for_lambda(facts: Facts) -> Remarks:
    """AWS_PROXY invokes a Lambda function and nothing else."""
    uri = facts.aws_uri if facts.type == "AWS_PROXY" else None
    if uri is None or not known(uri.service):
        return
    undecided = not known(uri.rest) and "/" not in uri.rest.partition("${")[0]
    if uri.service != "lambda" or uri.kind != "path" or (facts.invocation is None and not undecided):
        name = isinstance(facts.integration.backend, Lambda) and not facts.integration.backend.function
        yield uri_path(facts.integration), "Name the function." if name else "Name a Lambda function, or turn proxy off."


@rule("U5", Severity.FAILURE, docs=LAMBDA, evidence="D")
def a_function_arn_is_well_formed(facts: Facts) -> Remarks:
    """A function is named as arn:aws:lambda:region:account:function:name, with an alias or version where wanted."""
    backend, path = facts.integration.backend, uri_path(facts.integration)
    if isinstance(backend, Lambda) and not backend.proxy and not backend.function:
        yield path, "Name the function."
    if facts.invocation is None:
        return
    function = facts.invocation[0].removesuffix(":$LATEST")
    arn = parse_function_arn(function)
    if arn is None:
        if known(function):
            yield path, "Write the ARN as arn:aws:lambda:region:111122223333:function:name, maybe with :alias."
    elif known(arn.account) and not re.fullmatch(r"\d{12}", arn.account, re.ASCII):
        yield path, f"Write the account as 12 digits; {arn.account} is none."
    elif known(arn.name) and not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", arn.name, re.ASCII):
        yield path, "Use letters, digits, - and _ in the function's name, 64 at most."
    elif arn.qualifier and known(arn.qualifier) and not re.fullmatch(r"[a-zA-Z0-9$_-]{1,128}", arn.qualifier, re.ASCII):
        yield path, "Use letters, digits, - and _ in the alias, or a version's number."


@rule("U5-region", Severity.FAILURE, docs=LAMBDA, evidence="INF")
def a_function_is_called_in_its_region(facts: Facts) -> Remarks:
    """The Region of the URI is the one that the function is in."""
    arn = parse_function_arn(facts.invocation[0]) if facts.invocation else None
    outer = facts.aws_uri.region if facts.aws_uri else ""
    if arn and known(arn.region) and known(outer) and arn.region != outer:
        message = f"Call the function in its own Region: the URI says {outer}, the function {arn.region}."
        yield uri_path(facts.integration), message


def _in_its_partition(api: Api, path: Path) -> Api:
    if path[-1] == "partition":
        return put(api, path, partition_of(at(api, path[:-1]).region))
    text: str = at(api, path)

    def mended(match: re.Match[str]) -> str:
        return f"arn:{partition_of(match[2])}:{match[1]}:{match[2]}:"

    return put(api, path, re.sub(r"arn:[a-z0-9-]+:(apigateway|lambda):([a-z0-9-]+):", mended, text))


@rule(
    "U6",
    Severity.FAILURE,
    docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
    evidence="D",
    fix=_in_its_partition,
    fix_label="Set the Region's partition",
)
def a_partition_fits_its_region(facts: Facts) -> Remarks:
    """The partition of an ARN is the one that its Region is in."""
    backend, uri = facts.integration.backend, facts.aws_uri
    if uri is None:
        return
    right = partition_of(uri.region)
    if known(uri.partition + uri.region) and uri.partition != right:
        own = isinstance(backend, Lambda | AwsService)
        path = ("integration", "backend", "partition") if own else uri_path(facts.integration)
        yield path, f"Write {right} as the partition: {uri.region} is in it.", f"Set {right}"
        if not own:
            return
    arn = parse_function_arn(facts.invocation[0]) if facts.invocation else None
    if arn and known(arn.partition + arn.region) and arn.partition != partition_of(arn.region):
        right = partition_of(arn.region)
        yield uri_path(facts.integration), f"Write {right} as the partition: {arn.region} is in it.", f"Set {right}"


# --- Variables of the URI --------------------------------------------------------------------------


def _map_variables(api: Api, path: Path) -> Api:
    route = at(api, path[:2])
    mapped = dict(route.integration.request_parameters)
    for name in uri_variables(route.integration.uri):
        if name in path_variables(route.path):
            mapped.setdefault(f"integration.request.path.{name}", f"method.request.path.{name}")
    return put(api, (*path[:2], "integration", "request_parameters"), mapped)


@rule("U7", Severity.FAILURE, docs=MAPPINGS, evidence="D LSi", fix=_map_variables, fix_label="Map it from the path")
def a_variable_of_the_uri_is_mapped(facts: Facts) -> Remarks:
    """Every {name} in the URI is given a value by a path parameter of the integration."""
    if facts.type not in MAPPED_PATHS or "{" not in facts.uri:
        return
    names = dict.fromkeys(uri_variables(facts.uri))
    missing = [name for name in names if f"integration.request.path.{name}" not in facts.integration.request_parameters]
    if missing:
        listed = ", ".join(f"integration.request.path.{name}" for name in missing)
        own = all(name in path_variables(facts.route.path) for name in missing)
        label = f"Map {', '.join(missing)} from the path" if own else ""
        yield uri_path(facts.integration), f"Map {listed}: unmapped braces reach the backend and the call answers 500.", label


@rule("U8", Severity.IGNORED, docs=MAPPINGS, evidence="D", fix=drop, fix_label="Remove the mapping")
def a_mapped_path_parameter_stands_in_the_uri(facts: Facts) -> Remarks:
    """A path parameter of the integration has a {name} in the URI."""
    if facts.type not in MAPPED_PATHS or any(
        not isinstance(part, str) and "${AWS::" not in str(part) for part in facts.uri_parts
    ):
        return  # a reference or a stage variable may hold the braces
    wanted = set(uri_variables(facts.uri))
    for key, target in facts.targets.items():
        if target and target.location == "path" and target.name not in wanted:
            yield ("integration", "request_parameters", key), f"Put {{{target.name}}} into the URI, or remove the mapping."


def _stage_variable_texts(facts: Facts) -> list[tuple[Path, str]]:
    integration = facts.integration
    texts = [
        (uri_path(integration), facts.uri),
        (("integration", "credentials_role"), integration.credentials_role),
        (("integration", "vpc_link"), integration.vpc_link),
    ]
    return [(path, text) for path, text in texts if text and "${" in text]


@rule("U9", Severity.FAILURE, docs=STAGE_VARIABLES, evidence="D")
def a_stage_variable_is_written_in_full(facts: Facts) -> Remarks:
    """Of all ${…}, API Gateway replaces ${stageVariables.name} alone."""
    for path, text in _stage_variable_texts(facts):
        if any(isinstance(part, str) and "${" in part for part in segments(text)):
            yield path, "Write ${stageVariables.name}, with letters, digits and _ in the name; other ${…} stay as they are."


@rule(
    "U9-undefined",
    Severity.FAILURE,
    docs=STAGE_VARIABLES,
    evidence="LS",
    aws="Execution failed due to configuration error: Invalid endpoint address",
)
def a_stage_variable_is_defined(facts: Facts) -> Remarks:
    """A stage variable that is used is defined in the stage; an undefined one is empty."""
    for path, text in _stage_variable_texts(facts):
        for name in dict.fromkeys(part.name for part in stage_variables_in(text)):
            if name not in facts.api.stage_variables:
                yield path, f"Define the stage variable {name} in every stage that this is deployed to."


@rule("U10", Severity.FAILURE, docs=STAGE_VARIABLES, evidence="D")
def a_stage_variable_stands_where_it_is_replaced(facts: Facts) -> Remarks:
    """A stage variable is no URL scheme, and no partition, Region, service or account of an ARN."""
    path = uri_path(facts.integration)
    if facts.type in HTTP_TYPES:
        first, *rest = facts.uri_parts or ("",)
        if isinstance(first, StageVariable) and rest and isinstance(rest[0], str) and rest[0].startswith("://"):
            yield path, "Write http or https; a stage variable may stand after ://."
    elif facts.aws_uri is not None:
        arn = parse_function_arn(facts.invocation[0]) if facts.invocation else None
        uri = facts.aws_uri
        places = [uri.partition, uri.region, uri.subdomain or "", uri.service]
        places += [arn.partition, arn.region, arn.account] if arn else []
        if any(stage_variables_in(place) for place in places):
            yield path, "Use a stage variable in the name of the function, the action or the path only."


@rule("U12", Severity.IGNORED, docs=GUIDE + "how-to-mock-integration.html", evidence="LS", fix=drop, fix_label="Remove it")
def a_mock_calls_nothing(facts: Facts) -> Remarks:
    """A MOCK calls nothing: its URI, method, connection and timeout have no effect."""
    if facts.type != "MOCK":
        return
    backend = facts.integration.backend
    if isinstance(backend, Raw):
        for name in ("http_method", "raw_uri"):
            if getattr(backend, name):
                yield ("integration", "backend", name), "Remove it: a MOCK calls nothing."
    for name in ("timeout_ms", "connection_type", "request_parameters"):
        if getattr(facts.integration, name) and getattr(facts.integration, name) != "VPC_LINK":
            yield ("integration", name), "Remove it: a MOCK calls nothing."


# --- Services with habits of their own -------------------------------------------------------------

_FORM = "'application/x-www-form-urlencoded'"


def _maps_header(facts: Facts, name: str) -> bool:
    mapped = any(target and target.location == "header" and target.name.lower() == name for target in facts.targets.values())
    return mapped or any("requestOverride" in template.text for template in facts.integration.request_templates.values())


def _map_form(api: Api, path: Path) -> Api:
    return put(api, (*path[:2], "integration", "request_parameters", "integration.request.header.Content-Type"), _FORM)


@rule(
    "U13",
    Severity.FAILURE,
    docs="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html",
    evidence="LSi",
    fix=_map_form,
    fix_label=f"Map Content-Type to {_FORM}",
)
def a_query_service_gets_a_form(facts: Facts) -> Remarks:
    """SQS and SNS, called by path, read a form-encoded body."""
    uri = facts.aws_uri
    if facts.type != "AWS" or uri is None or uri.service not in ("sqs", "sns") or uri.kind != "path":
        return
    if facts.integration.http_method == "POST" and not _maps_header(facts, "content-type"):
        message = f"Map integration.request.header.Content-Type to {_FORM}; the service does not read JSON on this path."
        yield ("integration", "request_parameters"), message


def _map_put_events(api: Api, path: Path) -> Api:
    name = at(api, path[:3]).uri.rpartition("/")[2]
    parameters = (*path[:2], "integration", "request_parameters")
    api = put(api, (*parameters, "integration.request.header.X-Amz-Target"), f"'AWSEvents.{name}'")
    content_type = (*parameters, "integration.request.header.Content-Type")
    return api if content_type[-1] in at(api, parameters) else put(api, content_type, "'application/x-amz-json-1.1'")


@rule(
    "U13-target",
    Severity.FAILURE,
    docs="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html",
    evidence="LSi",
    fix=_map_put_events,
    fix_label="Map X-Amz-Target",
)
def eventbridge_gets_its_target(facts: Facts) -> Remarks:
    """EventBridge needs its X-Amz-Target mapped; API Gateway adds it for other services."""
    uri = facts.aws_uri
    called = facts.type == "AWS" and uri is not None and uri.service == "events" and uri.kind == "action"
    if called and uri is not None and known(uri.rest) and not _maps_header(facts, "x-amz-target"):
        yield ("integration", "request_parameters"), f"Map integration.request.header.X-Amz-Target to 'AWSEvents.{uri.rest}'."
