"""What the integration request maps: parameters, templates, cache keys."""

from integrations.gateway.findings import Severity
from integrations.gateway.grammar import MEDIA_TYPE, Parameter, parse_method_parameter, parse_request_source, segments
from integrations.gateway.options import GUIDE, PROXY_TYPES
from integrations.gateway.rules.rule import Facts, Remarks, rule

MAPPINGS = GUIDE + "request-response-data-mappings.html"
FORBIDDEN = frozenset({"content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"})
FORBIDDEN_FOR_AWS = FORBIDDEN | {"authorization", "connection", "expect", "proxy-authenticate", "te"}


@rule(
    "P2",
    Severity.ERROR,
    docs=MAPPINGS,
    evidence="IS TF",
    aws="Invalid mapping expression parameter specified: method.request.header.X",
)
def a_mapped_parameter_is_declared(facts: Facts) -> Remarks:
    """What a mapping reads of the request is declared by the method."""
    declared = facts.parameters
    for key, value in facts.route.integration.request_parameters.items():
        source = parse_request_source(value)
        if isinstance(source, Parameter) and not source.multi_value and source.declaration not in declared:
            yield ("integration", "request_parameters", key), f"Declare {source.declaration} in the method request."


@rule("P3", Severity.ERROR, docs=MAPPINGS, evidence="PF IS", aws="Invalid mapping expression specified")
def a_source_is_a_mapping_expression(facts: Facts) -> Remarks:
    """A mapped value is a mapping expression, or a static value in single quotes."""
    for key, value in facts.route.integration.request_parameters.items():
        known = all(isinstance(part, str) for part in segments(value))
        if known and parse_request_source(value) is None and not value.startswith(("method.request.", "context.")):
            yield ("integration", "request_parameters", key), "Put a static value in single quotes: 'value'."


@rule("P8", Severity.FAILURE, docs=MAPPINGS, evidence="LS")
def a_header_may_be_mapped(facts: Facts) -> Remarks:
    """Headers that API Gateway sets itself are not mapped."""
    forbidden = FORBIDDEN_FOR_AWS if facts.type in ("AWS", "AWS_PROXY") else FORBIDDEN
    for key in facts.route.integration.request_parameters:
        name = key.removeprefix("integration.request.header.")
        if name != key and name.lower() in forbidden:
            yield ("integration", "request_parameters", key), "Remove it: every call would answer 500 (header already present)."


@rule("C1", Severity.ERROR, docs=GUIDE + "api-gateway-caching.html", evidence="PF", aws="Invalid cache key parameter specified")
def a_cache_key_is_a_declared_parameter(facts: Facts) -> Remarks:
    """The cache key is made of parameters that the method declares."""
    for index, key in enumerate(facts.route.integration.cache_key_parameters):
        if key.startswith("integration.request."):
            continue  # the guide speaks of these too; nobody recorded what AWS does
        if parse_method_parameter(key) is None or key not in facts.parameters:
            yield ("integration", "cache_key_parameters", index), "Declare it in the method request, as method.request.…."


@rule("M1", Severity.ERROR, docs=GUIDE + "models-mappings.html", evidence="LS", aws="Invalid content type specified: 123")
def a_template_is_keyed_by_a_media_type(facts: Facts) -> Remarks:
    """The key of a template is a media type, without parameters."""
    for key in facts.route.integration.request_templates:
        if "/" not in key and key != "$default":
            yield ("integration", "request_templates", key), "Write a media type such as application/json."
    for index, response in enumerate(facts.route.integration.integration_responses):
        for key in response.response_templates:
            if "/" not in key and key != "$default":
                path = ("integration", "integration_responses", index, "response_templates", key)
                yield path, "Write a media type such as application/json."


@rule("M1-form", Severity.FAILURE, docs=GUIDE + "models-mappings.html", evidence="D")
def a_template_key_has_no_parameters(facts: Facts) -> Remarks:
    """Only the bare media type is compared; parameters such as charset never match."""
    for key in facts.route.integration.request_templates:
        if "/" in key and not MEDIA_TYPE.fullmatch(key):
            yield ("integration", "request_templates", key), "Write the bare media type, without parameters."


@rule("M5", Severity.IGNORED, docs=GUIDE + "integration-passthrough-behaviors.html", evidence="D")
def a_proxy_maps_nothing(facts: Facts) -> Remarks:
    """A proxy integration ignores templates, passthrough behaviour and integration responses."""
    if facts.type not in PROXY_TYPES:
        return
    for name in ("request_templates", "passthrough_behavior", "integration_responses"):
        if getattr(facts.route.integration, name):
            yield ("integration", name), "Remove it, or turn proxy off."


@rule(
    "M8",
    Severity.FAILURE,
    docs=GUIDE + "how-to-mock-integration.html",
    evidence="IS LSi",
    aws="statusCode should be an integer which defined in request template",
)
def a_mock_has_a_template(facts: Facts) -> Remarks:
    """A MOCK has a request template that gives an integer statusCode."""
    if facts.type == "MOCK" and "application/json" not in facts.route.integration.request_templates:
        yield ("integration", "request_templates"), 'Add an application/json template: {"statusCode": 200}.'
