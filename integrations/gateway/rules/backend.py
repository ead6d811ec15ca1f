"""Type, URI, timeout, streaming, connection and credentials of the integration."""

import re

from integrations.gateway.definition import AwsService, Http, Lambda, Raw, Route
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import (
    parse_integration_uri,
    parse_invocation,
    parse_request_target,
    segments,
    uri_variables,
    whole_reference,
)
from integrations.gateway.options import ALL_TYPES, GUIDE, HTTP_TYPES, PROXY_TYPES, REFERENCE
from integrations.gateway.rules.mend import rewriting, setting
from integrations.gateway.rules.rule import Facts, Remarks, rule

PUT = REFERENCE + "API_PutIntegration.html"
LIMITS = GUIDE + "api-gateway-execution-service-limits-table.html"
STREAMING = GUIDE + "response-transfer-mode.html"
PRIVATE = GUIDE + "set-up-private-integration.html"


def _uri_path(route: Route) -> Path:
    """Where the URI is written: the backend's field that holds it."""
    match route.integration.backend:
        case Lambda():
            return ("integration", "backend", "function")
        case Http():
            return ("integration", "backend", "url")
        case AwsService(action=None):
            return ("integration", "backend", "path")
        case AwsService():
            return ("integration", "backend", "action")
        case _:
            return ("integration", "backend", "raw_uri")


def _known_start(uri: str) -> str | None:
    """The literal that a URI begins with; None where a reference or a stage variable stands first."""
    first = segments(uri)[0] if uri else ""
    return first if isinstance(first, str) else None


@rule(
    "T1",
    Severity.ERROR,
    docs=PUT,
    evidence="LS",
    aws="Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
)
def a_type_is_one_of_five(facts: Facts) -> Remarks:
    """The integration type is AWS, AWS_PROXY, HTTP, HTTP_PROXY or MOCK."""
    backend = facts.route.integration.backend
    if isinstance(backend, Raw) and backend.type not in ALL_TYPES and whole_reference(backend.type) is None:
        yield ("integration", "backend", "type"), f"Use one of {', '.join(sorted(ALL_TYPES))}, in upper case."


@rule("T2", Severity.ERROR, docs=PUT, evidence="LS PF", aws="Enumeration value for HttpMethod must be non-empty")
def a_backend_has_a_method(facts: Facts) -> Remarks:
    """Every integration but MOCK names the method of its call."""
    if facts.type in ALL_TYPES - {"MOCK"} and not facts.route.integration.http_method:
        yield ("integration", "backend", "http_method"), "Choose the method of the call to the backend."


@rule("T3", Severity.FAILURE, docs=PUT, evidence="LS PF", fix=setting("POST"), fix_label="Set POST")
def lambda_is_invoked_with_post(facts: Facts) -> Remarks:
    """A Lambda function is invoked with POST, whatever verb the caller uses."""
    parsed = parse_integration_uri(facts.uri)
    invokes = parsed is not None and parsed.service == "lambda" and parse_invocation(parsed.rest) is not None
    method = facts.route.integration.http_method
    if invokes and method and method != "POST" and whole_reference(method) is None:
        yield ("integration", "backend", "http_method"), "Set POST. With another method every call answers 500."


@rule("U1", Severity.ERROR, docs=PUT, evidence="LS PF", aws="Invalid HTTP endpoint specified for URI")
def an_http_uri_is_absolute(facts: Facts) -> Remarks:
    """An HTTP integration calls an absolute http:// or https:// URL."""
    start = _known_start(facts.uri)
    if facts.type in HTTP_TYPES and start is not None and not re.match(r"https?://", start):
        yield _uri_path(facts.route), "Write the whole URL, with http:// or https://."


@rule("U2", Severity.ERROR, docs=PUT, evidence="LS", aws="Invalid ARN specified in the request")
def an_aws_uri_is_an_arn(facts: Facts) -> Remarks:
    """The URI of an AWS integration is an ARN."""
    start = _known_start(facts.uri)
    if facts.type in ("AWS", "AWS_PROXY") and start is not None and not start.startswith("arn:"):
        yield _uri_path(facts.route), "Write the ARN of the integration: arn:aws:apigateway:region:service:path/… or :action/…."


@rule("U3", Severity.ERROR, docs=PUT, evidence="LS PF", aws="AWS ARN for integration must contain path or action")
def an_aws_arn_has_a_path_or_action(facts: Facts) -> Remarks:
    """The ARN of an AWS integration names a path or an action of a service."""
    integration = facts.route.integration
    if integration.type not in ("AWS", "AWS_PROXY") or not integration.uri.startswith("arn:"):
        return
    outside = "".join(part if isinstance(part, str) else "" for part in segments(integration.uri))
    undecided = any(not isinstance(part, str) for part in segments(integration.uri)) and ":lambda:" not in outside
    if not re.search(r":(path|action)/", outside) and not undecided:
        yield _uri_path(facts.route), "Name the service's path or action; a bare function or queue ARN is not enough."


@rule(
    "U4",
    Severity.ERROR,
    docs=PUT,
    evidence="LS",
    aws="Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
)
def aws_proxy_is_for_lambda(facts: Facts) -> Remarks:
    """AWS_PROXY invokes a Lambda function and nothing else."""
    parsed = parse_integration_uri(facts.uri) if facts.type == "AWS_PROXY" else None
    if parsed is None or "${" in parsed.service:
        return
    undecided = any(not isinstance(part, str) for part in segments(parsed.rest))
    invokes = undecided or parse_invocation(parsed.rest) is not None
    if parsed.service != "lambda" or parsed.kind != "path" or not invokes:
        yield _uri_path(facts.route), "Name a Lambda function, or turn proxy off."


@rule("U7", Severity.FAILURE, docs=GUIDE + "request-response-data-mappings.html", evidence="D LSi")
def a_variable_of_the_uri_is_mapped(facts: Facts) -> Remarks:
    """Every {name} in the URI is given a value by a path parameter of the integration."""
    if facts.type not in ("AWS", "HTTP", "HTTP_PROXY"):
        return
    for name in dict.fromkeys(uri_variables(facts.uri)):
        key = f"integration.request.path.{name}"
        if key not in facts.route.integration.request_parameters:
            yield _uri_path(facts.route), f"Map {key}; unmapped braces reach the backend and the call answers 500."


@rule("U8", Severity.IGNORED, docs=GUIDE + "request-response-data-mappings.html", evidence="D")
def a_mapped_path_parameter_stands_in_the_uri(facts: Facts) -> Remarks:
    """A path parameter of the integration has a {name} in the URI."""
    if facts.type not in ("AWS", "HTTP", "HTTP_PROXY"):
        return
    wanted = set(uri_variables(facts.uri))
    for key in facts.route.integration.request_parameters:
        target = parse_request_target(key)
        if target and target.location == "path" and target.name not in wanted:
            yield ("integration", "request_parameters", key), f"Put {{{target.name}}} into the URI, or remove the mapping."


@rule(
    "X1",
    Severity.ERROR,
    docs=LIMITS,
    evidence="PF",
    aws="Timeout should be between 50 ms and 29000 ms",
    fix=rewriting(lambda ms: 50 if ms < 50 else 29_000),
)
def a_timeout_is_in_range(facts: Facts) -> Remarks:
    """A timeout is 50 ms or more, and never above 300,000 ms unless the response is streamed."""
    timeout = facts.route.integration.timeout_ms
    if not isinstance(timeout, int):
        return
    if timeout < 50:
        yield ("integration", "timeout_ms"), "Use 50 ms or more.", "Set 50 ms"
    elif timeout > 300_000 and facts.route.integration.response_transfer_mode != "STREAM":
        yield ("integration", "timeout_ms"), "Use 29,000 ms or less; no quota goes above 300,000 ms.", "Set 29,000 ms"


@rule("X1-quota", Severity.FAILURE, docs=LIMITS, evidence="PF TF", fix=setting(29_000), fix_label="Set 29,000 ms")
def a_long_timeout_needs_a_quota(facts: Facts) -> Remarks:
    """A timeout above 29,000 ms needs a raised service quota."""
    timeout = facts.route.integration.timeout_ms
    if isinstance(timeout, int) and 29_000 < timeout <= 300_000 and facts.route.integration.response_transfer_mode != "STREAM":
        yield ("integration", "timeout_ms"), "Use 29,000 ms or less, or have the quota raised (Regional and private APIs only)."


@rule(
    "X2",
    Severity.ERROR,
    docs=STREAMING,
    evidence="TF",
    aws="Timeout should be between 50 ms and 900000 ms",
    fix=setting(900_000),
    fix_label="Set 900,000 ms",
)
def a_streaming_timeout_is_in_range(facts: Facts) -> Remarks:
    """A streamed response takes at most 900,000 ms."""
    timeout = facts.route.integration.timeout_ms
    if isinstance(timeout, int) and timeout > 900_000 and facts.route.integration.response_transfer_mode == "STREAM":
        yield ("integration", "timeout_ms"), "Use 900,000 ms or less."


@rule("S1", Severity.FAILURE, docs=STREAMING, evidence="D CDK")
def streaming_needs_a_proxy(facts: Facts) -> Remarks:
    """STREAM is for proxy integrations."""
    if facts.route.integration.response_transfer_mode == "STREAM" and facts.type not in PROXY_TYPES:
        yield ("integration", "response_transfer_mode"), "Choose BUFFERED, or a proxy integration."


@rule("S2", Severity.ERROR, docs=STREAMING, evidence="TF", aws="Invalid ResponseTransferMode.")
def streaming_has_an_invocation_of_its_own(facts: Facts) -> Remarks:
    """A streamed Lambda response goes through the response-streaming-invocations URI."""
    integration = facts.route.integration
    parsed = parse_integration_uri(integration.uri)
    found = parse_invocation(parsed.rest) if parsed and parsed.service == "lambda" else None
    if integration.type == "AWS_PROXY" and integration.response_transfer_mode == "STREAM" and found and not found[1]:
        yield _uri_path(facts.route), "Use the 2021-11-15/functions/…/response-streaming-invocations path."


@rule("V1", Severity.ERROR, docs=PRIVATE, evidence="PF", aws="ConnectionId should be set to the vpcLinkId or stage variable")
def a_private_integration_names_its_link(facts: Facts) -> Remarks:
    """A private integration names the VPC link that it goes through."""
    if facts.route.integration.connection_type == "VPC_LINK" and not facts.route.integration.vpc_link:
        yield ("integration", "vpc_link"), "Choose a VPC link, or set the connection type to INTERNET."


@rule("V2", Severity.FAILURE, docs=PRIVATE, evidence="D")
def a_vpc_link_is_for_http(facts: Facts) -> Remarks:
    """A VPC link leads to HTTP backends only."""
    if facts.route.integration.connection_type == "VPC_LINK" and facts.type not in HTTP_TYPES:
        yield ("integration", "connection_type"), "Set INTERNET, or use an HTTP backend."


@rule("K1", Severity.ERROR, docs=GUIDE + "permissions.html", evidence="PF", aws="Invalid ARN specified in the request")
def credentials_are_an_arn(facts: Facts) -> Remarks:
    """Credentials are the ARN of a role."""
    role = facts.route.integration.credentials_role
    if role and all(isinstance(part, str) for part in segments(role)) and not role.startswith("arn:"):
        yield ("integration", "credentials_role"), "Write the ARN of a role: arn:aws:iam::111122223333:role/name."


@rule(
    "K4",
    Severity.FAILURE,
    docs=GUIDE + "permissions.html",
    evidence="MO LSi",
    aws="Role ARN must be specified for AWS integrations",
)
def an_aws_service_needs_a_role(facts: Facts) -> Remarks:
    """An AWS service other than Lambda is called with a role."""
    if isinstance(facts.route.integration.backend, AwsService) and not facts.route.integration.credentials:
        yield ("integration", "credentials_role"), "Name the role that API Gateway assumes for the call."


@rule("K7", Severity.ADVICE, docs=GUIDE + "permissions.html", evidence="D")
def caller_credentials_need_iam(facts: Facts) -> Remarks:
    """The caller's credentials exist only with AWS_IAM authorization."""
    if facts.route.integration.credentials_passthrough and facts.route.authorization_type != "AWS_IAM":
        yield ("authorization_type",), "Set AWS_IAM, so that there is an identity to pass on."


@rule("L1", Severity.IGNORED, docs=PUT, evidence="B")
def tls_settings_are_for_http(facts: Facts) -> Remarks:
    """Certificate verification concerns HTTP backends only."""
    if facts.route.integration.insecure_skip_verification and facts.type not in HTTP_TYPES:
        yield ("integration", "insecure_skip_verification"), "Unset it; only HTTP backends have a certificate to verify."
