"""What is set of the API itself: endpoint, models, authorizers, gateway responses, and how its stage runs."""

import re
from collections.abc import Iterator
from typing import Any

from integrations.gateway.definition import BUILT_IN_MODELS, Api, MethodSettings
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import known, path_parts
from integrations.gateway.options import GUIDE, REFERENCE, options_of
from integrations.gateway.rules.mend import drop, setting
from integrations.gateway.rules.rule import Remarks, api_rule

METHOD = REFERENCE + "API_PutMethod.html"
AUTHORIZER = REFERENCE + "API_CreateAuthorizer.html"
RESPONSES = GUIDE + "api-gateway-gatewayResponse-definition.html"
STAGE = REFERENCE + "API_UpdateStage.html"
LOGGING = GUIDE + "set-up-logging.html"
PRIVATE = GUIDE + "apigateway-private-apis.html"
MODEL = GUIDE + "models-mappings-models.html"
LIMITS = GUIDE + "api-gateway-execution-service-limits-table.html"

LISTS = ("authorizers", "gateway_responses", "method_settings")


def _parts(api: Api) -> Iterator[tuple[Path, Any]]:
    """What has options with a few values: the API, and what it has lists of."""
    yield (), api
    for name in LISTS:
        for index, part in enumerate(getattr(api, name)):
            yield (name, index), part


@api_rule("B1", Severity.ERROR, docs=REFERENCE + "API_CreateRestApi.html", evidence="B")
def a_setting_is_one_of_its_values(api: Api) -> Remarks:
    """A setting of the API or its stage that has a few values is one of them."""
    for path, part in _parts(api):
        owner: type = type(part)
        for name, option in options_of(owner).items():
            value = getattr(part, name)
            if option.choices and isinstance(value, str) and value not in (*option.choices, "JWT") and known(value):
                yield (*path, name), f"Use one of {', '.join(option.choices)}."


@api_rule("B2", Severity.FAILURE, docs=REFERENCE + "API_CreateRestApi.html", evidence="B D")
def a_setting_is_within_its_bounds(api: Api) -> Remarks:
    """A number of the API or its stage is within its bounds."""
    for path, part in (*_parts(api), *((("cors", index), each) for index, each in enumerate(api.cors))):
        owner: type = type(part)
        for name, option in options_of(owner).items():
            value = getattr(part, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or (owner, name) in CACHE_TIMES:
                continue
            if option.minimum is not None and value < option.minimum:
                yield (*path, name), f"Use {option.minimum:,} or more."
            elif option.maximum is not None and value > option.maximum:
                yield (*path, name), f"Use {option.maximum:,} or less."


CACHE_TIMES = {(MethodSettings, "cache_ttl_seconds")}
"""What the rule on the cache's time has an answer of AWS's for."""


@api_rule(
    "C2-time",
    Severity.ERROR,
    docs=GUIDE + "api-gateway-caching.html",
    evidence="PF",
    aws="Invalid time-to-live setting, must be an integer no greater than 3600",
    fix=setting(3_600),
    fix_label="Set 3,600 s",
)
def a_cached_answer_is_kept_an_hour_at_most(api: Api) -> Remarks:
    """A cached answer is kept for 0 to 3,600 seconds."""
    for index, each in enumerate(api.method_settings):
        value = each.cache_ttl_seconds
        if isinstance(value, int) and not 0 <= value <= 3_600:
            yield ("method_settings", index, "cache_ttl_seconds"), "Use 0 to 3,600 s."


@api_rule("C2-cluster", Severity.IGNORED, docs=GUIDE + "api-gateway-caching.html", evidence="D")
def caching_has_a_cluster(api: Api) -> Remarks:
    """Methods are cached where the stage has a cache cluster."""
    if api.cache_cluster_enabled in (None, False):
        for index, each in enumerate(api.method_settings):
            if each.caching_enabled is True:
                yield ("method_settings", index, "caching_enabled"), "Give the stage a cache cluster, or turn caching off here."


# --- Endpoint --------------------------------------------------------------------------------------


@api_rule("B3", Severity.FAILURE, docs=PRIVATE, evidence="B", fix=drop, fix_label="Unset it")
def a_private_api_is_dualstack(api: Api) -> Remarks:
    """A private API is dualstack."""
    if api.endpoint_type == "PRIVATE" and api.ip_address_type == "ipv4":
        yield ("ip_address_type",), "Use dualstack, or leave it unset."


@api_rule("B3-endpoints", Severity.FAILURE, docs=PRIVATE, evidence="B", fix=drop, fix_label="Remove the VPC endpoints")
def vpc_endpoints_are_for_private_apis(api: Api) -> Remarks:
    """Only a private API is associated with VPC endpoints."""
    kind = api.endpoint_type or "EDGE"
    if api.vpc_endpoint_ids and kind != "PRIVATE" and known(kind):
        yield ("vpc_endpoint_ids",), "Remove them, or choose PRIVATE."


@api_rule("B3-policy", Severity.FAILURE, docs=PRIVATE, evidence="D")
def a_private_api_says_who_may_call(api: Api) -> Remarks:
    """A private API has a resource policy; without one nobody may call it."""
    if api.endpoint_type == "PRIVATE" and not api.policy:
        yield ("policy",), "Say in a resource policy which VPCs or VPC endpoints may call."


# --- Models and authorizers ------------------------------------------------------------------------


@api_rule("T7", Severity.FAILURE, docs=MODEL, evidence="LS", aws="Invalid model identifier specified: X")
def a_model_is_declared(api: Api) -> Remarks:
    """A model that a method names is declared in the API, or built in."""
    names = {model.name for model in api.models} | BUILT_IN_MODELS.keys()
    for index, route in enumerate(api.routes):
        for media, name in route.request_models.items():
            if name not in names and known(name):
                yield ("routes", index, "request_models", media), f"Declare the model {name}, or name one that is declared."
        for number, response in enumerate(route.responses):
            for media, name in response.response_models.items():
                if name not in names and known(name):
                    path: Path = ("routes", index, "responses", number, "response_models", media)
                    yield path, f"Declare the model {name}, or name one that is declared."


@api_rule("T5-declared", Severity.FAILURE, docs=METHOD, evidence="LS PF", aws="Invalid authorizer ID specified.")
def an_authorizer_is_declared(api: Api) -> Remarks:
    """An authorizer that a method names is one of the API's, or refers to what a deployment supplies."""
    names = {authorizer.name for authorizer in api.authorizers}
    if names:
        for index, route in enumerate(api.routes):
            if route.authorizer and route.authorizer not in names and known(route.authorizer):
                yield ("routes", index, "authorizer"), f"Declare {route.authorizer}, or name one of {', '.join(sorted(names))}."


@api_rule("T5-kind", Severity.FAILURE, docs=METHOD, evidence="D")
def an_authorization_fits_its_authorizer(api: Api) -> Remarks:
    """CUSTOM goes with a Lambda authorizer, COGNITO_USER_POOLS with one of user pools."""
    kinds = {authorizer.name: authorizer for authorizer in api.authorizers}
    for index, route in enumerate(api.routes):
        authorizer = kinds.get(route.authorizer or "")
        if authorizer is None or not known(authorizer.type) or not known(route.authorization_type or ""):
            continue
        if (route.authorization_type or "").upper() != authorizer.authorization_type:
            message = f"Choose {authorizer.authorization_type}: {authorizer.name} decides on no other."
            yield ("routes", index, "authorization_type"), message


@api_rule("T5-once", Severity.FAILURE, docs=AUTHORIZER, evidence="INF")
def a_shared_part_has_a_name_of_its_own(api: Api) -> Remarks:
    """Authorizers, request validators, models, gateway responses and settings of a method stand once each."""
    for part, fields in ONCE.items():
        seen: set[tuple[Any, ...]] = set()
        for index, each in enumerate(getattr(api, part)):
            key = tuple(getattr(each, name) for name in fields)
            if key in seen:
                yield (part, index, fields[0]), f"Change or remove it: {' '.join(key) or 'every path'} is there already."
            seen.add(key)


ONCE = {
    "authorizers": ("name",),
    "request_validators": ("name",),
    "models": ("name",),
    "gateway_responses": ("response_type",),
    "cors": ("path",),
    "method_settings": ("path", "method"),
}
"""What an API has lists of → what tells their parts apart."""


@api_rule("T5-complete", Severity.FAILURE, docs=AUTHORIZER, evidence="B")
def an_authorizer_has_what_its_type_needs(api: Api) -> Remarks:
    """A Lambda authorizer names its function, one of Cognito its user pools, and one of a token where that stands."""
    for index, authorizer in enumerate(api.authorizers):
        path: Path = ("authorizers", index)
        if authorizer.type in ("TOKEN", "REQUEST") and not authorizer.authorizer_uri:
            yield (*path, "function"), "Name the function that decides."
        if authorizer.type == "COGNITO_USER_POOLS" and not authorizer.provider_arns:
            yield (*path, "provider_arns"), "Name a user pool."
        cached = authorizer.result_ttl_seconds != 0
        if not authorizer.identity_sources and (authorizer.type == "TOKEN" or (authorizer.type == "REQUEST" and cached)):
            yield (*path, "identity_sources"), "Say where the token stands, such as method.request.header.Authorization."


@api_rule("T5-uri", Severity.IGNORED, docs=AUTHORIZER, evidence="INF", fix=drop, fix_label="Remove the URI")
def an_authorizer_names_its_function_once(api: Api) -> Remarks:
    """Where an authorizer names its function, a URI of its own is not used."""
    for index, authorizer in enumerate(api.authorizers):
        if authorizer.function and authorizer.uri:
            yield ("authorizers", index, "uri"), "Remove the URI, or the function."


# --- Gateway responses -----------------------------------------------------------------------------


@api_rule("I15-large", Severity.IGNORED, docs=RESPONSES, evidence="D")
def a_request_that_is_too_large_answers_as_aws_does(api: Api) -> Remarks:
    """REQUEST_TOO_LARGE cannot be changed."""
    for index, response in enumerate(api.gateway_responses):
        if response.response_type == "REQUEST_TOO_LARGE":
            yield ("gateway_responses", index, "response_type"), "Remove it: API Gateway answers 413 in its own words."


@api_rule("I15-status", Severity.ERROR, docs=REFERENCE + "API_PutGatewayResponse.html", evidence="B")
def a_gateway_response_has_a_status(api: Api) -> Remarks:
    """The status code of a gateway response is 100 to 599."""
    for index, response in enumerate(api.gateway_responses):
        status = response.status_code
        if status is not None and known(status) and not re.fullmatch(r"[1-5]\d\d", status, re.ASCII):
            yield ("gateway_responses", index, "status_code"), "Use 100 to 599."


_SOURCE = re.compile(
    r"'[^']*'|(method\.request\.(header|querystring|path|multivalue\w+|body)|context|stageVariables)(\..+)?", re.S
)


@api_rule("I15-source", Severity.FAILURE, docs=RESPONSES, evidence="D")
def a_gateway_header_has_a_source(api: Api) -> Remarks:
    """A header of a gateway response is a static value in single quotes, or from method.request, context or stageVariables."""
    for index, response in enumerate(api.gateway_responses):
        for key, value in response.response_parameters.items():
            if known(value) and not _SOURCE.fullmatch(value):
                yield ("gateway_responses", index, "response_parameters", key), f"Put single quotes around it: '{value:.60}'."


# --- Stage -----------------------------------------------------------------------------------------


@api_rule("Z4", Severity.FAILURE, docs=STAGE, evidence="INF")
def method_settings_are_for_a_route(api: Api) -> Remarks:
    """The settings of a method are for one of the API's, or for /*; their path begins with a slash."""
    routes = {(method, path) for route in api.routes for method in (route.method, "*") for path in (_plain(route.path), "/*")}
    symbolic = any(not known(route.path) or not known(route.method) for route in api.routes)
    for index, each in enumerate(api.method_settings):
        if not known(each.path) or not known(each.method):
            continue
        if not each.path.startswith("/") and each.path != "*":
            yield ("method_settings", index, "path"), "Begin it with a slash; /* is for every path."
        elif not each.is_for_all and not symbolic and (each.method, _plain(each.path)) not in routes:
            yield ("method_settings", index, "path"), "Name the method and path of a route: there is none like this."


def _plain(path: str) -> str:
    return "/" + "/".join(part.text for part in path_parts(path))


@api_rule(
    "Z5",
    Severity.ADVICE,
    docs=LOGGING,
    evidence="IS",
    aws="CloudWatch Logs role ARN must be set in account settings to enable logging",
)
def logging_needs_the_accounts_role(api: Api) -> Remarks:
    """Execution logs need a CloudWatch Logs role in the account's settings, once in each Region."""
    for index, each in enumerate(api.method_settings):
        if each.logging_level in ("INFO", "ERROR"):
            yield ("method_settings", index, "logging_level"), "Make sure that the account has its CloudWatch Logs role."
            return


@api_rule("Z6", Severity.ERROR, docs=LOGGING, evidence="PF")
def an_access_log_names_the_request(api: Api) -> Remarks:
    """The format of an access log holds $context.requestId or $context.extendedRequestId."""
    text = api.access_log_format
    if text and known(text) and not re.search(r"\$context\.(extendedR|r)equestId\b|\$\{?context\.(extendedR|r)equestId", text):
        yield ("access_log_format",), "Add $context.requestId."


@api_rule("Z6-destination", Severity.ERROR, docs=LOGGING, evidence="PF")
def an_access_log_goes_to_logs_or_firehose(api: Api) -> Remarks:
    """An access log goes to a CloudWatch Logs group, or to a Firehose stream whose name begins with amazon-apigateway-."""
    arn = api.access_log_destination
    if arn and known(arn) and not re.match(r"arn:[^:]+:(logs:|firehose:[^:]*:[^:]*:deliverystream/amazon-apigateway-)", arn):
        yield ("access_log_destination",), "Name a log group, or a Firehose stream called amazon-apigateway-…."


@api_rule("Z6-both", Severity.FAILURE, docs=LOGGING, evidence="INF")
def an_access_log_has_a_format_and_a_destination(api: Api) -> Remarks:
    """An access log has both a destination and a format."""
    if api.access_log_destination and not api.access_log_format:
        yield ("access_log_format",), "Say what a line holds, $context.requestId among it."
    if api.access_log_format and not api.access_log_destination:
        yield ("access_log_destination",), "Say where the lines go."
