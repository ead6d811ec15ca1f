"""What the integration request maps: parameters, and the media types of its templates."""

import re
from collections.abc import Iterator, Mapping

from integrations.gateway.definition import Api, Template
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import (
    MEDIA_TYPE,
    Context,
    Parameter,
    known,
    parse_method_parameter,
    parse_request_source,
    parse_response_source,
    path_variables,
    stage_variables_in,
)
from integrations.gateway.headers import ALSO_DROPPED, DROPPED, forbidden
from integrations.gateway.options import GUIDE, PROXY_TYPES, REFERENCE
from integrations.gateway.rules.mend import at, drop, put, rename, rewriting, setting
from integrations.gateway.rules.rule import Facts, Remark, Remarks, rule

PUT = REFERENCE + "API_PutIntegration.html"
MAPPINGS = GUIDE + "request-response-data-mappings.html"
TEMPLATES = GUIDE + "models-mappings.html"
PASSTHROUGH = GUIDE + "integration-passthrough-behaviors.html"
KNOWN_ISSUES = GUIDE + "api-gateway-known-issues.html"
PARAMETERS = ("integration", "request_parameters")
CONTEXT = re.compile(
    r"accountId|apiId|authorizer\..+|awsEndpointRequestId|deploymentId|domainName|domainPrefix|error\..+|extendedRequestId"
    r"|httpMethod|identity\.(accountId|apiKey|apiKeyId|caller|clientCert\..+|cognito[A-Za-z]+|principalOrgId|sourceIp|user"
    r"|userAgent|userArn|vpcId|vpceId)|isCanaryRequest|path|protocol|requestId|requestTime|requestTimeEpoch"
    r"|requestOverride\..+|responseOverride\..+|resourceId|resourcePath|stage|status|wafResponseCode|webaclArn|xrayTraceId"
)
"""The names of $context, in their own case."""


def declare(api: Api, path: Path, key: str) -> Api:
    """The API whose route at the path declares a request parameter: no longer suppressed, or declared as not required."""
    route = path[:2]
    suppressed = at(api, (*route, "suppressed"))
    if key in suppressed:
        api = put(api, (*route, "suppressed"), tuple(name for name in suppressed if name != key))
    if key in at(api, route).request_parameters:
        return api
    return put(api, (*route, "declared", key), False)


def declare_label(facts: Facts, parameter: Parameter) -> str:
    """What the mend is called that declares a parameter; none where another one has its name, which would be refused."""
    names = (parsed.name for key in facts.parameters if (parsed := parse_method_parameter(key)))
    return "" if parameter.name in names else f"Declare {parameter.declaration}"


def quoted(text: str) -> str:
    """A static value in single quotes, those around it replaced."""
    return "'" + text.strip().strip("\"'") + "'"


def can_quote(text: str) -> bool:
    """Whether a static value with quotes around it would say the same."""
    return "'" not in text.strip().strip("\"'")


# --- Parameters ------------------------------------------------------------------------------------


def _declare_source(api: Api, path: Path) -> Api:
    source = parse_request_source(at(api, path))
    return declare(api, path, source.declaration) if isinstance(source, Parameter) else api


def _undeclared(facts: Facts) -> Iterator[tuple[str, Parameter]]:
    for key, source in facts.sources.items():
        if isinstance(source, Parameter) and source.declaration not in facts.parameters:
            yield key, source


def _in_path(facts: Facts, source: Parameter) -> bool:
    return source.location == "path" and source.name in path_variables(facts.route.path)


@rule(
    "P2",
    Severity.ERROR,
    docs=MAPPINGS,
    evidence="IS TF",
    aws="Invalid mapping expression parameter specified: method.request.header.X",
    fix=_declare_source,
    fix_label="Declare the parameter",
)
def a_mapped_parameter_is_declared(facts: Facts) -> Remarks:
    """What a mapping reads of the request is declared by the method."""
    for key, source in _undeclared(facts):
        if not source.multi_value and not _in_path(facts, source):
            message = f"Declare {source.declaration} in the method request."
            yield (*PARAMETERS, key), message, declare_label(facts, source)


@rule("P2-multi", Severity.FAILURE, docs=MAPPINGS, evidence="INF", fix=_declare_source, fix_label="Declare the parameter")
def a_multi_value_parameter_is_declared(facts: Facts) -> Remarks:
    """A multi-value source is declared by its single-value name."""
    for key, source in _undeclared(facts):
        if source.multi_value:
            message = f"Declare {source.declaration} in the method request."
            yield (*PARAMETERS, key), message, declare_label(facts, source)


@rule("P2-path", Severity.FAILURE, docs=MAPPINGS, evidence="INF", fix=_declare_source, fix_label="Declare the parameter")
def a_mapped_path_variable_is_declared(facts: Facts) -> Remarks:
    """A variable of the path that a mapping reads is declared too, though files without the declaration are deployed."""
    for key, source in _undeclared(facts):
        if _in_path(facts, source):
            message = f"Declare {source.declaration} in the method request."
            yield (*PARAMETERS, key), message, declare_label(facts, source)


def is_bare(value: str, side: str) -> bool:
    """Whether a value that is no mapping expression is plain text without quotes around it."""
    return bool(value) and not has_quotes_inside(value) and not value.startswith((f"{side}.", "context.", "stageVariables."))


def has_quotes_inside(value: str) -> bool:
    """Whether a text stands in single quotes and has more of them inside: files with `'A','B'` are deployed."""
    return len(value) > 1 and value[0] == value[-1] == "'" and "'" in value[1:-1]


@rule(
    "P3",
    Severity.ERROR,
    docs=MAPPINGS,
    evidence="PF IS",
    aws="Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: X]",
    fix=rewriting(quoted),
    fix_label="Add single quotes",
)
def a_source_is_a_mapping_expression(facts: Facts) -> Remarks:
    """A mapped value is a mapping expression, or a static value in single quotes."""
    for key, source in facts.sources.items():
        value = facts.integration.request_parameters[key]
        if source is None and known(value) and is_bare(value, "method.request"):
            yield (
                (*PARAMETERS, key),
                "Put a static value in single quotes: 'value'.",
                "Add single quotes" if can_quote(value) else "",
            )


@rule(
    "P3-quotes",
    Severity.ADVICE,
    docs=MAPPINGS,
    evidence="INF",
    fix=rewriting(lambda value: "'" + value[1:-1].replace("'", "") + "'"),
    fix_label="Remove the quotes inside",
)
def a_static_value_has_quotes_around_it_alone(facts: Facts) -> Remarks:
    """A static value has single quotes around it, and none inside: those would be sent."""
    maps: list[tuple[Path, Mapping[str, str]]] = [(PARAMETERS, facts.integration.request_parameters)]
    for index, response in enumerate(facts.integration.integration_responses):
        maps.append((("integration", "integration_responses", index, "response_parameters"), response.response_parameters))
    for path, values in maps:
        for key, value in values.items():
            if has_quotes_inside(value):
                yield (*path, key), "Write one pair of quotes around the whole value: 'A,B'."


@rule("P3-source", Severity.FAILURE, docs=MAPPINGS, evidence="D")
def a_source_is_one_that_exists(facts: Facts) -> Remarks:
    """A mapping reads method.request.{header,querystring,path}.NAME, method.request.body, context or stageVariables."""
    for key, source in facts.sources.items():
        value = facts.integration.request_parameters[key]
        if source is None and known(value) and not is_bare(value, "method.request") and not has_quotes_inside(value):
            message = (
                "Write method.request.header.NAME, .querystring.NAME, .path.NAME or .body.JSONPATH, context.NAME or 'value'."
            )
            yield (*PARAMETERS, key), message


@rule("P3-context", Severity.FAILURE, docs=GUIDE + "api-gateway-mapping-template-reference.html", evidence="D")
def a_context_name_exists(facts: Facts) -> Remarks:
    """A context variable is one of API Gateway's, in its own case; another has no value."""
    message = "Use a variable of $context, such as context.requestId or context.identity.sourceIp, in its own case."
    for key, source in facts.sources.items():
        if isinstance(source, Context) and not CONTEXT.fullmatch(source.name):
            yield (*PARAMETERS, key), message
    for index, response in enumerate(facts.integration.integration_responses):
        for key, value in response.response_parameters.items():
            found = parse_response_source(value) if value.startswith("context.") else None
            if isinstance(found, Context) and not CONTEXT.fullmatch(found.name):
                yield ("integration", "integration_responses", index, "response_parameters", key), message


@rule("P5-target", Severity.FAILURE, docs=MAPPINGS, evidence="D", aws="Invalid mapping expression parameter specified")
def a_target_is_a_backend_parameter(facts: Facts) -> Remarks:
    """A mapping writes integration.request.header, .querystring or .path, with a plain name."""
    for key, target in facts.targets.items():
        if target is None:
            message = "Write it as integration.request.header.NAME, .querystring.NAME or .path.NAME; NAME of letters, digits, : . _ $ -."
            yield (*PARAMETERS, key), message


@rule("P8", Severity.FAILURE, docs=KNOWN_ISSUES, evidence="LS", fix=drop, fix_label="Remove the mapping")
def a_header_may_be_mapped(facts: Facts) -> Remarks:
    """Headers that API Gateway sets itself are not mapped."""
    for key, target in facts.targets.items():
        if target and target.location == "header" and target.name.lower() in forbidden(facts.type):
            yield (*PARAMETERS, key), "Remove it: every call would answer 500 (header already present)."


@rule("P9", Severity.IGNORED, docs=KNOWN_ISSUES, evidence="LS", fix=drop, fix_label="Remove the mapping")
def a_mapped_header_reaches_the_backend(facts: Facts) -> Remarks:
    """A mapped header is one that API Gateway sends on."""
    for key, target in facts.targets.items():
        if target and target.location == "header" and target.name.lower() in DROPPED.get(facts.type, ()):
            yield (*PARAMETERS, key), f"Remove it: {target.name} is dropped before the call."


@rule("P10", Severity.IGNORED, docs=MAPPINGS, evidence="LS", fix=drop, fix_label="Remove the mappings")
def a_lambda_proxy_maps_no_parameters(facts: Facts) -> Remarks:
    """A Lambda proxy integration sends the whole request and ignores mapped parameters."""
    if facts.type == "AWS_PROXY" and facts.integration.request_parameters:
        yield PARAMETERS, "Remove them, or turn proxy off: the function sees the request as it came."


@rule("P10-append", Severity.ADVICE, docs=MAPPINGS, evidence="LS", fix=drop, fix_label="Remove the mapping")
def a_proxy_query_is_sent_once(facts: Facts) -> Remarks:
    """An HTTP proxy passes the caller's query string on; a mapped value is added to it."""
    if facts.type != "HTTP_PROXY":
        return
    for key, target in facts.targets.items():
        source = facts.sources[key]
        same = isinstance(source, Parameter) and source.location == "querystring" and target and source.name == target.name
        if target and target.location == "querystring" and same:
            yield (*PARAMETERS, key), f"Remove it: {target.name} would be sent twice."


@rule("P13", Severity.ADVICE, docs=MAPPINGS, evidence="LS")
def a_path_variable_is_used(facts: Facts) -> Remarks:
    """Without proxy nothing of the request reaches the backend unless it is mapped."""
    if facts.type not in ("AWS", "HTTP") or "{" not in facts.route.path:
        return
    texts = [template.text for template in facts.integration.request_templates.values()]
    if any("$input" in text or "$context" in text for text in texts):
        return  # a template may read it
    used = {source.name for source in facts.sources.values() if isinstance(source, Parameter)}
    keys = {parameter.name for key in facts.integration.cache_key_parameters if (parameter := parse_method_parameter(key))}
    for name in path_variables(facts.route.path):
        if name not in used | keys:
            yield ("path",), f"Map method.request.path.{name}, or read it in a template: the backend does not see it."


@rule("U10-value", Severity.IGNORED, docs=MAPPINGS, evidence="D")
def a_stage_variable_is_a_whole_value(facts: Facts) -> Remarks:
    """A mapping takes a stage variable as the whole value, stageVariables.name, and never as a part of one."""
    for key, value in facts.integration.request_parameters.items():
        if stage_variables_in(value):
            yield (*PARAMETERS, key), "Write stageVariables.name as the whole value; inside other text it is not replaced."


@rule("I14-request", Severity.IGNORED, docs=KNOWN_ISSUES, evidence="D", fix=drop, fix_label="Remove the mapping")
def a_mapped_header_is_not_one_of_the_known_issues(facts: Facts) -> Remarks:
    """The guide lists headers that are dropped on their way to a service of AWS; at HTTP backends they were recorded to arrive."""
    for key, target in facts.targets.items():
        if target and target.location == "header" and facts.type == "AWS" and target.name.lower() in ALSO_DROPPED:
            yield (*PARAMETERS, key), f"Remove it: the guide says that {target.name} is dropped."


# --- Templates: their keys, and when they are used -------------------------------------------------


def template_maps(facts: Facts) -> list[tuple[Path, Mapping[str, Template]]]:
    """Every map of templates, with its path."""
    found: list[tuple[Path, Mapping[str, Template]]] = [
        (("integration", "request_templates"), facts.integration.request_templates)
    ]
    for index, response in enumerate(facts.integration.integration_responses):
        found.append((("integration", "integration_responses", index, "response_templates"), response.response_templates))
    return found


@rule(
    "M1",
    Severity.ERROR,
    docs=TEMPLATES,
    evidence="LS",
    aws="Validation Result: warnings : [], errors : [Invalid content type specified: 123]",
)
def a_template_is_keyed_by_a_media_type(facts: Facts) -> Remarks:
    """The key of a template is a media type."""
    for path, templates in template_maps(facts):
        for key in templates:
            if "/" not in key and key != "$default" and known(key):
                yield (*path, key), "Write a media type such as application/json."


def _bare(key: str) -> str:
    return key.partition(";")[0].strip()


@rule(
    "M1-form",
    Severity.FAILURE,
    docs=TEMPLATES,
    evidence="D",
    fix=lambda api, path: rename(api, path, _bare(str(path[-1]))),
    fix_label="Set the bare media type",
)
def a_template_key_has_no_parameters(facts: Facts) -> Remarks:
    """Only the bare media type is compared; parameters such as charset never match."""
    for path, templates in template_maps(facts):
        for key in templates:
            if "/" in key and not MEDIA_TYPE.fullmatch(key) and known(key):
                right = _bare(key)
                good = MEDIA_TYPE.fullmatch(right) and right not in templates
                yield (*path, key), "Write the bare media type, without parameters.", f"Set {right}" if good else ""


@rule("M1-wildcard", Severity.FAILURE, docs=TEMPLATES, evidence="INF")
def a_template_key_is_no_wildcard(facts: Facts) -> Remarks:
    """A wildcard or $default as a template's key matches nothing that is known."""
    for path, templates in template_maps(facts):
        for key in templates:
            if key == "$default" or ("*" in key and MEDIA_TYPE.fullmatch(key)):
                yield (*path, key), "Write each media type out: application/json, text/plain."


@rule("M5", Severity.IGNORED, docs=PASSTHROUGH, evidence="D", fix=drop, fix_label="Remove it")
def a_proxy_maps_nothing(facts: Facts) -> Remarks:
    """A proxy integration ignores templates, passthrough behaviour and integration responses."""
    if facts.type not in PROXY_TYPES:
        return
    for name in ("request_templates", "passthrough_behavior", "integration_responses"):
        if getattr(facts.integration, name):
            yield ("integration", name), "Remove it, or turn proxy off."


@rule("M6", Severity.FAILURE, docs=PASSTHROUGH, evidence="D")
def never_needs_a_template(facts: Facts) -> Remarks:
    """With the passthrough behaviour NEVER and no template, every request is answered 415."""
    integration = facts.integration
    if (
        facts.type in ("AWS", "HTTP", "MOCK")
        and integration.passthrough_behavior == "NEVER"
        and not integration.request_templates
    ):
        yield (
            ("integration", "passthrough_behavior"),
            "Add a template for each media type that may come, or choose WHEN_NO_TEMPLATES.",
        )


@rule(
    "M6-value",
    Severity.ERROR,
    docs=PASSTHROUGH,
    evidence="S",
    fix=rewriting(lambda text: text.strip().upper()),
    fix_label="Set it in upper case",
)
def a_passthrough_behaviour_is_one_of_three(facts: Facts) -> Remarks:
    """The passthrough behaviour is WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER."""
    choices = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
    yield from choice(("integration", "passthrough_behavior"), facts.integration.passthrough_behavior, choices)


def choice(path: Path, value: str | None, choices: tuple[str, ...]) -> Iterator[Remark]:
    """A remark where a text is none of its choices; its mend is the upper case, where that is one."""
    if value is not None and value not in choices and known(value):
        right = value.strip().upper()
        message = f"Use {', '.join(choices[:-1])} or {choices[-1]}, in upper case."
        yield Remark(path, message, f"Set {right}" if right in choices else "")


@rule(
    "M7-value",
    Severity.ERROR,
    docs=PUT,
    evidence="B S",
    fix=rewriting(lambda text: text.strip().upper()),
    fix_label="Set it in upper case",
)
def a_conversion_is_one_of_two(facts: Facts) -> Remarks:
    """A body is converted by CONVERT_TO_BINARY or CONVERT_TO_TEXT."""
    choices = ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
    yield from choice(("integration", "content_handling"), facts.integration.content_handling, choices)
    for index, response in enumerate(facts.integration.integration_responses):
        path = ("integration", "integration_responses", index, "content_handling")
        yield from choice(path, response.content_handling, choices)


@rule(
    "M7",
    Severity.FAILURE,
    docs=GUIDE + "api-gateway-payload-encodings-workflow.html",
    evidence="LS",
    fix=setting("CONVERT_TO_TEXT", "integration", "content_handling"),
    fix_label="Set CONVERT_TO_TEXT",
)
def a_template_reads_text(facts: Facts) -> Remarks:
    """A template reads text: a body converted to binary answers 500 where a template matches."""
    integration = facts.integration
    if (
        facts.type in ("AWS", "HTTP", "MOCK")
        and integration.content_handling == "CONVERT_TO_BINARY"
        and integration.request_templates
    ):
        yield ("integration", "content_handling"), "Choose CONVERT_TO_TEXT, or remove the templates."


@rule(
    "M7-binary",
    Severity.FAILURE,
    docs=GUIDE + "api-gateway-payload-encodings-workflow.html",
    evidence="D",
    fix=setting("CONVERT_TO_TEXT", "integration", "content_handling"),
    fix_label="Set CONVERT_TO_TEXT",
)
def a_template_for_a_binary_type_gets_text(facts: Facts) -> Remarks:
    """A body of a binary media type is converted to text where a template reads it; else the call answers 500."""
    integration = facts.integration
    if facts.type not in ("AWS", "HTTP") or integration.content_handling is not None:
        return
    binary = [key for key in integration.request_templates if key in facts.api.binary_media_types]
    if binary or ("*/*" in facts.api.binary_media_types and integration.request_templates):
        yield ("integration", "content_handling"), "Choose CONVERT_TO_TEXT: a template reads text."


@rule("P14", Severity.IGNORED, docs=TEMPLATES, evidence="LSi")
def a_template_goes_with_a_body(facts: Facts) -> Remarks:
    """A call with GET, HEAD or OPTIONS carries no body."""
    if facts.type in ("AWS", "HTTP") and facts.integration.http_method in ("GET", "HEAD", "OPTIONS") and not facts.invocation:
        for key, template in facts.integration.request_templates.items():
            if template.text.strip() and "$context" not in template.text:
                yield ("integration", "request_templates", key), "Remove it, or call the backend with POST, PUT or PATCH."
