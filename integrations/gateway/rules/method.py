"""The method: verb, authorization, declared parameters."""

from integrations.gateway.definition import METHODS
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import known, parse_method_parameter, parse_parameter, path_variables
from integrations.gateway.options import GUIDE, REFERENCE
from integrations.gateway.rules.mend import drop, rewriting
from integrations.gateway.rules.rule import Facts, Remarks, rule

PUT = REFERENCE + "API_PutMethod.html"
PARAMETERS = GUIDE + "api-gateway-method-settings-method-request.html"
AUTHORIZATION_TYPES = ("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS", "JWT")
PREFIXES = tuple(f"method.request.{location}." for location in ("header", "querystring", "path"))


def _authorization(facts: Facts) -> str:
    return (facts.route.authorization_type or "NONE").upper()  # lower case was recorded as accepted


@rule(
    "T4",
    Severity.ERROR,
    docs=PUT,
    evidence="LS PF",
    aws="Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
    fix=rewriting(lambda text: text.strip().upper()),
    fix_label="Set it in upper case",
)
def a_method_is_one_of_eight(facts: Facts) -> Remarks:
    """The method is one of GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD and ANY."""
    if facts.route.method not in METHODS and known(facts.route.method):
        right = facts.route.method.strip().upper()
        yield ("method",), f"Use one of {', '.join(METHODS)}, in upper case.", f"Set {right}" if right in METHODS else ""


@rule(
    "T5",
    Severity.ERROR,
    docs=PUT,
    evidence="LS PF",
    aws="Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
)
def custom_authorization_names_an_authorizer(facts: Facts) -> Remarks:
    """CUSTOM and COGNITO_USER_POOLS name their authorizer."""
    if _authorization(facts) in ("CUSTOM", "COGNITO_USER_POOLS") and not facts.route.authorizer:
        yield ("authorizer",), "Name the authorizer, or choose another authorization."


@rule("T5-type", Severity.FAILURE, docs=PUT, evidence="D")
def an_authorization_type_is_known(facts: Facts) -> Remarks:
    """The authorization is NONE, AWS_IAM, CUSTOM or COGNITO_USER_POOLS."""
    text = facts.route.authorization_type
    if text and text.upper() not in AUTHORIZATION_TYPES and known(text):
        yield ("authorization_type",), f"Use one of {', '.join(AUTHORIZATION_TYPES[:4])}."


@rule("T5-unused", Severity.IGNORED, docs=PUT, evidence="INF", fix=drop, fix_label="Remove the authorizer")
def an_authorizer_is_used(facts: Facts) -> Remarks:
    """An authorizer is used by CUSTOM, COGNITO_USER_POOLS and JWT."""
    if facts.route.authorizer and _authorization(facts) in ("NONE", "AWS_IAM"):
        yield ("authorizer",), "Remove it, or choose the authorization that it is for."


@rule(
    "T6",
    Severity.ERROR,
    docs=PUT,
    evidence="PF",
    aws="Authorization Scopes are only valid for COGNITO_USER_POOLS authorization type",
    fix=drop,
    fix_label="Remove the scopes",
)
def scopes_are_for_cognito(facts: Facts) -> Remarks:
    """Scopes go with COGNITO_USER_POOLS authorization."""
    if facts.route.authorization_scopes and _authorization(facts) in ("NONE", "AWS_IAM", "CUSTOM"):
        yield ("authorization_scopes",), "Remove the scopes, or choose COGNITO_USER_POOLS."


# --- Declared parameters ---------------------------------------------------------------------------


def place(facts: Facts, key: str) -> Path:
    """Where a parameter in effect comes from: its declaration, the mapping or the cache key that implies it, or the path."""
    if key in facts.route.declared:
        return ("declared", key)
    for target, source in facts.sources.items():
        if getattr(source, "declaration", "") == key:
            return ("integration", "request_parameters", target)
    keys = facts.integration.cache_key_parameters
    return ("integration", "cache_key_parameters", keys.index(key)) if key in keys else ("path",)


@rule(
    "P1",
    Severity.ERROR,
    docs=PUT,
    evidence="FL",
    aws="Parameter name should match the following regular expression: ^[a-zA-Z0-9:._$-]+$",
)
def a_parameter_name_has_plain_characters(facts: Facts) -> Remarks:
    """The names of parameters are letters, digits and : . _ $ - only."""
    for key in facts.route.declared:
        if key.startswith(PREFIXES) and parse_parameter(key) is None:
            yield ("declared", key), "Use letters, digits and : . _ $ - only; filter[a] reaches a proxy backend undeclared."


@rule("P5", Severity.ERROR, docs=PUT, evidence="PF", aws="Invalid mapping expression parameter specified")
def a_declared_parameter_has_a_location(facts: Facts) -> Remarks:
    """A method declares its parameters as method.request.header, .querystring or .path."""
    for key in facts.route.declared:
        if parse_method_parameter(key) is None and not key.startswith(PREFIXES):
            yield ("declared", key), "Write it as method.request.header.NAME, .querystring.NAME or .path.NAME."


@rule("P6", Severity.ERROR, docs=PUT, evidence="LS", aws="Parameter names must be unique across querystring, header and path")
def a_parameter_name_is_unique(facts: Facts) -> Remarks:
    """One name stands in only one of query string, headers and path."""
    seen: dict[str, str] = {}
    for key in facts.parameters:
        parameter = parse_method_parameter(key)
        if parameter is not None and seen.setdefault(parameter.name, key) != key:
            yield place(facts, key), f"Rename one: {seen[parameter.name]} has the same name."


@rule("P7", Severity.ADVICE, docs=PARAMETERS, evidence="LS")
def a_path_parameter_is_in_the_path(facts: Facts) -> Remarks:
    """A path parameter that the method takes is a variable of its path; another one never has a value."""
    variables = set(path_variables(facts.route.path))
    for key in facts.parameters:
        parameter = parse_method_parameter(key)
        if parameter is not None and parameter.location == "path" and parameter.name not in variables:
            yield place(facts, key), f"Put {{{parameter.name}}} into the path, or remove {key}."


@rule("P11", Severity.ADVICE, docs=PARAMETERS, evidence="D")
def a_header_has_one_spelling(facts: Facts) -> Remarks:
    """A header is written in one case: API Gateway tells upper and lower case apart."""
    seen: dict[str, str] = {}
    for key in facts.parameters:
        if key.startswith("method.request.header.") and seen.setdefault(key.lower(), key) != key:
            yield place(facts, key), f"Write it as {seen[key.lower()]}, as elsewhere."


# --- Validation ------------------------------------------------------------------------------------

VALIDATION = GUIDE + "api-gateway-method-request-validation.html"


@rule("Z8-body", Severity.IGNORED, docs=VALIDATION, evidence="D", fix=drop, fix_label="Unset it")
def a_validated_body_has_a_model(facts: Facts) -> Remarks:
    """A body is validated against a model of its media type; without one it is not validated."""
    if facts.route.validate_request_body is True and not facts.route.request_models:
        yield ("validate_request_body",), "Name the model of the body, or unset it."


@rule("Z8-parameters", Severity.IGNORED, docs=VALIDATION, evidence="D", fix=drop, fix_label="Unset it")
def validated_parameters_are_required(facts: Facts) -> Remarks:
    """Parameters are validated where one is required."""
    if facts.route.validate_request_parameters is True and not any(facts.parameters.values()):
        yield ("validate_request_parameters",), "Declare a parameter as required, or unset it."
