"""Timeout, streaming, private connection and TLS of the call."""

import re

from integrations.gateway.definition import Api, Raw
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import known
from integrations.gateway.options import GUIDE, HTTP_TYPES, PROXY_TYPES, REFERENCE
from integrations.gateway.rules.backend import uri_path
from integrations.gateway.rules.mend import drop, put, rewriting, setting
from integrations.gateway.rules.request import choice
from integrations.gateway.rules.rule import Facts, Remarks, rule

PUT = REFERENCE + "API_PutIntegration.html"
LIMITS = GUIDE + "api-gateway-execution-service-limits-table.html"
STREAMING = GUIDE + "response-transfer-mode.html"
PRIVATE = GUIDE + "set-up-private-integration.html"
CONNECTION = ("integration", "connection_type")
TIMEOUT = ("integration", "timeout_ms")
MODE = ("integration", "response_transfer_mode")
TARGET = ("integration", "integration_target")


def _timeout(facts: Facts) -> int | None:
    timeout = facts.integration.timeout_ms
    return timeout if isinstance(timeout, int) and facts.type != "MOCK" else None


def _streams(facts: Facts) -> bool:
    return facts.integration.response_transfer_mode == "STREAM"


@rule(
    "X1",
    Severity.ERROR,
    docs=LIMITS,
    evidence="PF",
    aws="Timeout should be between 50 ms and 29000 ms",
    fix=rewriting(lambda ms: 50 if ms < 50 else 29_000),
    fix_label="Set 50 ms, or 29,000 ms",
)
def a_timeout_is_in_range(facts: Facts) -> Remarks:
    """A timeout is 50 ms or more, and never above 300,000 ms unless the response is streamed."""
    timeout = _timeout(facts)
    if timeout is not None and timeout < 50:
        yield TIMEOUT, "Use 50 ms or more.", "Set 50 ms"
    elif timeout is not None and timeout > 300_000 and not _streams(facts):
        yield TIMEOUT, "Use 29,000 ms or less; no quota goes above 300,000 ms.", "Set 29,000 ms"


@rule("X1-quota", Severity.FAILURE, docs=LIMITS, evidence="PF TF", fix=setting(29_000), fix_label="Set 29,000 ms")
def a_long_timeout_needs_a_quota(facts: Facts) -> Remarks:
    """A timeout above 29,000 ms needs a raised service quota."""
    timeout = _timeout(facts)
    if timeout is not None and 29_000 < timeout <= 300_000 and not _streams(facts):
        yield TIMEOUT, "Use 29,000 ms or less, or have the quota raised (Regional and private APIs only)."


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
    timeout = _timeout(facts)
    if timeout is not None and timeout > 900_000 and _streams(facts):
        yield TIMEOUT, "Use 900,000 ms or less."


@rule("X3", Severity.ADVICE, docs=STREAMING, evidence="TF", fix=setting(900_000), fix_label="Set 900,000 ms")
def a_stream_has_a_timeout_of_its_own(facts: Facts) -> Remarks:
    """A streamed response sets its timeout: without one it ends after 29,000 ms."""
    if _streams(facts) and facts.type in PROXY_TYPES and facts.integration.timeout_ms is None:
        yield TIMEOUT, "Set how long the stream may take, up to 900,000 ms."


# --- Streaming -------------------------------------------------------------------------------------


@rule("S1", Severity.FAILURE, docs=STREAMING, evidence="D CDK", fix=setting("BUFFERED"), fix_label="Set BUFFERED")
def streaming_needs_a_proxy(facts: Facts) -> Remarks:
    """STREAM is for proxy integrations."""
    if _streams(facts) and facts.type not in PROXY_TYPES and known(facts.type):
        yield MODE, "Choose BUFFERED, or a proxy integration."


@rule(
    "S1-value",
    Severity.ERROR,
    docs=PUT,
    evidence="B S",
    fix=rewriting(lambda text: text.strip().upper()),
    fix_label="Set it in upper case",
)
def a_transfer_mode_is_one_of_two(facts: Facts) -> Remarks:
    """The response transfer mode is BUFFERED or STREAM."""
    yield from choice(MODE, facts.integration.response_transfer_mode, ("BUFFERED", "STREAM"))


def _stream_uri(api: Api, path: Path) -> Api:
    def streaming(text: str) -> str:
        return text.replace("2015-03-31/functions/", "2021-11-15/functions/").replace(
            "/invocations", "/response-streaming-invocations"
        )

    return rewriting(streaming)(api, path)


@rule(
    "S2",
    Severity.ERROR,
    docs=STREAMING,
    evidence="TF",
    aws="Invalid ResponseTransferMode. ResponseTransferMode STREAM is only supported for Lambda functions invoked by InvokeWithResponseStream for AWS_PROXY integrations.",
    fix=_stream_uri,
    fix_label="Use response-streaming-invocations",
)
def streaming_has_an_invocation_of_its_own(facts: Facts) -> Remarks:
    """A streamed Lambda response goes through the response-streaming-invocations URI."""
    if facts.type == "AWS_PROXY" and _streams(facts) and facts.invocation and not facts.invocation[1]:
        yield uri_path(facts.integration), "Use the 2021-11-15/functions/…/response-streaming-invocations path."


@rule("S2-buffered", Severity.FAILURE, docs=STREAMING, evidence="INF", fix=setting("STREAM", *MODE), fix_label="Set STREAM")
def a_streaming_invocation_is_streamed(facts: Facts) -> Remarks:
    """The response-streaming-invocations URI goes with the transfer mode STREAM."""
    streaming = isinstance(facts.integration.backend, Raw) and facts.invocation is not None and facts.invocation[1]
    if facts.type == "AWS_PROXY" and streaming and not _streams(facts):
        yield uri_path(facts.integration), "Set the response transfer mode to STREAM, or use the 2015-03-31 path."


# --- Private integrations --------------------------------------------------------------------------


@rule(
    "V1",
    Severity.ERROR,
    docs=PRIVATE,
    evidence="PF",
    aws="ConnectionId should be set to the vpcLinkId or stage variable on connection type VPC_LINK",
)
def a_private_integration_names_its_link(facts: Facts) -> Remarks:
    """A private integration names the VPC link that it goes through."""
    if facts.integration.connection_type == "VPC_LINK" and not facts.integration.vpc_link:
        yield ("integration", "vpc_link"), "Choose a VPC link, or set the connection type to INTERNET."


@rule(
    "V1-value",
    Severity.ERROR,
    docs=PUT,
    evidence="B S",
    fix=rewriting(lambda text: text.strip().upper()),
    fix_label="Set it in upper case",
)
def a_connection_type_is_one_of_two(facts: Facts) -> Remarks:
    """The connection type is INTERNET or VPC_LINK."""
    for path, message, label in choice(CONNECTION, facts.integration.connection_type, ("INTERNET", "VPC_LINK")):
        yield path, message, "" if label == "Set VPC_LINK" and not facts.integration.vpc_link else label


def _without_link(api: Api, path: Path) -> Api:
    link = (*path[:-1], "vpc_link")
    return drop(drop(api, path), link)


@rule("V2", Severity.FAILURE, docs=PRIVATE, evidence="D", fix=_without_link, fix_label="Remove the connection")
def a_vpc_link_is_for_http(facts: Facts) -> Remarks:
    """A VPC link leads to HTTP backends only."""
    if facts.integration.connection_type == "VPC_LINK" and facts.type not in HTTP_TYPES and known(facts.type):
        yield CONNECTION, "Set INTERNET, or use an HTTP backend."


def _connect(api: Api, path: Path) -> Api:
    return put(api, (*path[:-1], "connection_type"), "VPC_LINK")


@rule("V2-unused", Severity.IGNORED, docs=PRIVATE, evidence="D", fix=_connect, fix_label="Set VPC_LINK")
def a_vpc_link_is_used(facts: Facts) -> Remarks:
    """A VPC link is used by an HTTP backend whose connection type is VPC_LINK."""
    if facts.integration.vpc_link and facts.integration.connection_type in (None, "INTERNET"):
        label = "Set VPC_LINK" if facts.type in HTTP_TYPES else ""
        yield ("integration", "vpc_link"), "Set the connection type to VPC_LINK, or remove the link.", label


@rule("V4", Severity.FAILURE, docs=PRIVATE, evidence="D")
def a_target_is_a_load_balancer(facts: Facts) -> Remarks:
    """The integration target is the ARN of an Application or Network Load Balancer, not of its listener."""
    target = facts.integration.integration_target
    arn = r"arn:[^:]+:elasticloadbalancing:[^:]+:[^:]+:loadbalancer/(app|net)/[^/]+/[^/]+"
    if target and known(target) and not re.fullmatch(arn, target):
        yield TARGET, "Write the load balancer's ARN: arn:aws:elasticloadbalancing:region:account:loadbalancer/app/name/id."


@rule("V4-link", Severity.FAILURE, docs=PRIVATE, evidence="INF")
def a_target_goes_through_a_link(facts: Facts) -> Remarks:
    """An integration target is reached through a VPC link V2."""
    if facts.integration.integration_target and facts.integration.connection_type != "VPC_LINK":
        yield TARGET, "Set the connection type to VPC_LINK and name a VPC link V2, or remove the target."


@rule("V5", Severity.ADVICE, docs=PRIVATE, evidence="D")
def the_target_sees_the_stage(facts: Facts) -> Remarks:
    """Behind a VPC link V2 the backend's path begins with the name of the stage."""
    overridden = any("requestOverride" in template.text for template in facts.integration.request_templates.values())
    if facts.integration.integration_target and facts.integration.connection_type == "VPC_LINK" and not overridden:
        yield TARGET, "Expect /stage/path at the backend, or override $context.requestOverride.path."


# --- TLS -------------------------------------------------------------------------------------------


@rule("L1", Severity.IGNORED, docs=PUT, evidence="B", fix=drop, fix_label="Unset it")
def tls_settings_are_for_http(facts: Facts) -> Remarks:
    """Certificate verification concerns https backends only."""
    http = facts.type in HTTP_TYPES and not facts.uri.lower().startswith("http:")
    if facts.integration.insecure_skip_verification is True and not http:
        yield ("integration", "insecure_skip_verification"), "Unset it; only an https backend has a certificate to verify."
