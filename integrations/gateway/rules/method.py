"""The method: verb, path, authorization, declared parameters."""

from integrations.gateway.definition import METHODS, Route
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import (
    PLAIN_PATH_PART,
    VARIABLE_PATH_PART,
    parse_method_parameter,
    parse_parameter,
    references_in,
    whole_reference,
)
from integrations.gateway.options import GUIDE, REFERENCE
from integrations.gateway.rules.rule import Facts, Remarks, rule

PUT = REFERENCE + "API_PutMethod.html"


@rule("T4", Severity.ERROR, docs=PUT, evidence="LS PF", aws="Invalid HttpMethod specified.")
def a_method_is_one_of_eight(facts: Facts) -> Remarks:
    """The method is one of GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD and ANY."""
    if facts.route.method not in METHODS and whole_reference(facts.route.method) is None:
        yield ("method",), f"Use one of {', '.join(METHODS)}, in upper case."


@rule("T5", Severity.ERROR, docs=PUT, evidence="LS PF", aws="Invalid authorizer ID specified.")
def custom_authorization_names_an_authorizer(facts: Facts) -> Remarks:
    """CUSTOM and COGNITO_USER_POOLS name their authorizer."""
    if (facts.route.authorization_type or "").upper() in ("CUSTOM", "COGNITO_USER_POOLS") and not facts.route.authorizer:
        yield ("authorizer",), "Name the authorizer, or choose another authorization."


@rule(
    "T6",
    Severity.ERROR,
    docs=PUT,
    evidence="PF",
    aws="Authorization Scopes are only valid for COGNITO_USER_POOLS authorization type",
)
def scopes_are_for_cognito(facts: Facts) -> Remarks:
    """Scopes go with COGNITO_USER_POOLS authorization."""
    if facts.route.authorization_scopes and (facts.route.authorization_type or "NONE").upper() not in (
        "COGNITO_USER_POOLS",
        "JWT",
    ):
        yield ("authorization_scopes",), "Remove the scopes, or choose COGNITO_USER_POOLS."


@rule(
    "Z1",
    Severity.ERROR,
    docs=GUIDE + "api-gateway-method-settings-method-request.html",
    evidence="PF",
    aws="Resource's path part only allow",
)
def a_path_part_is_plain_or_a_variable(facts: Facts) -> Remarks:
    """Each part of the path is plain text of a-zA-Z0-9._-: or a whole variable in braces."""
    for text in facts.route.path.strip("/").split("/") if facts.route.path.strip("/") else ():
        plain = text.replace(",", "").replace("$", "") or "x"  # the guide allows a comma, the CDK a dollar: not decided
        if not PLAIN_PATH_PART.fullmatch(plain) and not VARIABLE_PATH_PART.fullmatch(text) and not references_in(text):
            yield ("path",), f"Write {text!r} with letters, digits and . _ : - only, or as one {{variable}}."


@rule(
    "Z2",
    Severity.ERROR,
    docs=GUIDE + "api-gateway-method-settings-method-request.html",
    evidence="LS",
    aws="Cannot create a child of a resource with a greedy path variable",
)
def a_greedy_variable_is_last(facts: Facts) -> Remarks:
    """A greedy path variable stands at the end of the path."""
    parts = facts.route.path.strip("/").split("/")
    if any(part.startswith("{") and part.endswith("+}") for part in parts[:-1]):
        yield ("path",), "Move the greedy variable to the end, or drop its +."


def _where(route: Route, key: str) -> Path:
    return ("declared", key) if key in route.declared else ("integration", "request_parameters")


@rule(
    "P1",
    Severity.ERROR,
    docs=PUT,
    evidence="FL",
    aws="Parameter name should match the following regular expression: ^[a-zA-Z0-9:._$-]+$",
)
def a_parameter_name_has_plain_characters(facts: Facts) -> Remarks:
    """The names of parameters are letters, digits and : . _ $ - only."""
    prefixes = tuple(f"method.request.{location}." for location in ("header", "querystring", "path"))
    for key in facts.route.declared:
        if key.startswith(prefixes) and parse_parameter(key) is None:
            yield ("declared", key), "Use letters, digits and : . _ $ - only; filter[a] reaches a proxy backend undeclared."


@rule("P5", Severity.ERROR, docs=PUT, evidence="PF", aws="Invalid mapping expression parameter specified")
def a_declared_parameter_has_a_location(facts: Facts) -> Remarks:
    """A method declares its parameters as method.request.header, .querystring or .path."""
    prefixes = tuple(f"method.request.{location}." for location in ("header", "querystring", "path"))
    for key in facts.route.declared:
        if parse_method_parameter(key) is None and not key.startswith(prefixes):
            yield ("declared", key), "Write it as method.request.header.NAME, .querystring.NAME or .path.NAME."


@rule("P6", Severity.ERROR, docs=PUT, evidence="LS", aws="Parameter names must be unique across querystring, header and path")
def a_parameter_name_is_unique(facts: Facts) -> Remarks:
    """One name stands in only one of query string, headers and path."""
    seen: dict[str, str] = {}
    for key in facts.parameters:
        parameter = parse_method_parameter(key)
        if parameter is not None and seen.setdefault(parameter.name, key) != key:
            yield _where(facts.route, key), f"Rename one: {seen[parameter.name]} has the same name."
