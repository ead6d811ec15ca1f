"""Integration responses, their patterns, and the method responses that they need."""

from collections.abc import Iterator

from integrations.gateway.definition import Api, IntegrationResponse
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import (
    MEDIA_TYPE,
    STATUS_CODE,
    known,
    parse_response_source,
    parse_response_target,
    stage_variables_in,
    whole_reference,
)
from integrations.gateway.headers import NOT_RETURNED, RENAMED_WITHOUT_PROXY
from integrations.gateway.options import GUIDE, NON_PROXY, REFERENCE
from integrations.gateway.rules.mend import at, drop, put, rewriting
from integrations.gateway.rules.request import can_quote, has_quotes_inside, is_bare, quoted
from integrations.gateway.rules.rule import Facts, Remarks, rule

PUT = REFERENCE + "API_PutIntegrationResponse.html"
PUT_RESPONSE = REFERENCE + "API_PutMethodResponse.html"
RESPONSES = GUIDE + "api-gateway-integration-settings-integration-response.html"
MAPPINGS = GUIDE + "request-response-data-mappings.html"
KNOWN_ISSUES = GUIDE + "api-gateway-known-issues.html"
ALL = ("integration", "integration_responses")


def _responses(facts: Facts) -> Iterator[tuple[int, IntegrationResponse]]:
    yield from enumerate(facts.integration.integration_responses)


def _reads_responses(facts: Facts) -> bool:
    return facts.type in NON_PROXY


# --- Status codes ----------------------------------------------------------------------------------


@rule(
    "I1",
    Severity.ERROR,
    docs=PUT,
    evidence="LS B",
    aws="1 validation error detected: Value at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d",
)
def a_status_code_is_three_digits(facts: Facts) -> Remarks:
    """A status code is 100 to 599."""
    for index, response in _responses(facts):
        if not STATUS_CODE.fullmatch(response.status_code) and whole_reference(response.status_code) is None:
            yield (*ALL, index, "status_code"), "Use 100 to 599."
    for index, declared in enumerate(facts.route.responses):
        if not STATUS_CODE.fullmatch(declared.status_code) and whole_reference(declared.status_code) is None:
            yield ("responses", index, "status_code"), "Use 100 to 599."


def _with_default(api: Api, path: Path) -> Api:
    return put(api, path, (*at(api, path), IntegrationResponse(status_code="200")))


@rule(
    "I2",
    Severity.FAILURE,
    docs=RESPONSES,
    evidence="IS LSi",
    aws="No match for output mapping and no default output mapping configured. Endpoint Response Status Code: N",
    fix=_with_default,
    fix_label="Add 200 as the default",
)
def there_is_a_default_response(facts: Facts) -> Remarks:
    """A non-proxy integration has a default response, one without a pattern."""
    responses = facts.integration.integration_responses
    if _reads_responses(facts) and all(response.selection_pattern for response in responses):
        taken = any(response.status_code == "200" for response in responses) or "200" in facts.route.suppressed
        yield ALL, "Add a response without a selection pattern.", "" if taken else "Add 200 as the default"


@rule("I3", Severity.ADVICE, docs=RESPONSES, evidence="LSi")
def there_is_one_default_response(facts: Facts) -> Remarks:
    """Only one response is the default."""
    defaults = [index for index, response in _responses(facts) if not response.selection_pattern]
    for index in defaults[1:]:
        yield (*ALL, index, "selection_pattern"), "Give it a pattern; one default is used."


@rule("I4", Severity.IGNORED, docs=PUT, evidence="B")
def a_status_has_one_response(facts: Facts) -> Remarks:
    """One integration response a status: the later one replaces the earlier."""
    seen: set[str] = set()
    for index, response in _responses(facts):
        if response.status_code in seen:
            yield (*ALL, index, "status_code"), "Use another status, or merge the two."
        seen.add(response.status_code)


@rule("I4-declared", Severity.IGNORED, docs=PUT_RESPONSE, evidence="B")
def a_status_is_declared_once(facts: Facts) -> Remarks:
    """A method declares a status once; what is declared twice is put together."""
    seen: set[str] = set()
    for index, response in enumerate(facts.route.responses):
        if response.status_code in seen:
            yield ("responses", index, "status_code"), "Use another status, or merge the two."
        seen.add(response.status_code)


def _declare_status(api: Api, path: Path) -> Api:
    status = at(api, (*path[:5], "status_code"))
    return _unsuppress(api, path, status)


def _unsuppress(api: Api, path: Path, name: str) -> Api:
    where = (*path[:2], "suppressed")
    return put(api, where, tuple(suppressed for suppressed in at(api, where) if suppressed != name))


@rule(
    "I5",
    Severity.FAILURE,
    docs=RESPONSES,
    evidence="IS LS",
    aws="Output mapping refers to an invalid method response: N",
    fix=_declare_status,
    fix_label="Declare the status",
)
def a_response_has_a_method_response(facts: Facts) -> Remarks:
    """The status of an integration response is declared by the method."""
    for index, response in _responses(facts):
        if response.status_code not in facts.method_responses and not response.response_parameters:
            message = f"Declare {response.status_code} in the method responses: every such answer becomes 500."
            yield (*ALL, index, "status_code"), message, f"Declare {response.status_code}"


@rule(
    "I5-mapped",
    Severity.ERROR,
    docs=RESPONSES,
    evidence="IS",
    aws="Invalid mapping expression specified: Validation Result: warnings : [], errors : [No method response exists for method.]",
    fix=_declare_status,
    fix_label="Declare the status",
)
def a_response_with_headers_has_a_method_response(facts: Facts) -> Remarks:
    """The status of an integration response that maps headers is declared by the method."""
    for index, response in _responses(facts):
        if response.status_code not in facts.method_responses and response.response_parameters:
            message = f"Declare {response.status_code} in the method responses."
            whole = not any(f"{response.status_code} {key}" in facts.route.suppressed for key in response.response_parameters)
            yield (*ALL, index, "status_code"), message, f"Declare {response.status_code}" if whole else ""


# --- Headers ---------------------------------------------------------------------------------------


def _declare_header(api: Api, path: Path) -> Api:
    return _unsuppress(api, path, f"{at(api, (*path[:5], 'status_code'))} {path[-1]}")


@rule(
    "I6",
    Severity.ERROR,
    docs=PUT,
    evidence="IS",
    aws="Invalid mapping expression parameter specified: method.response.header.X",
    fix=_declare_header,
    fix_label="Declare the header",
)
def a_mapped_header_is_declared(facts: Facts) -> Remarks:
    """A response header that is mapped is declared in the method response."""
    for index, response in _responses(facts):
        declared = facts.method_responses.get(response.status_code)
        for key in response.response_parameters:
            path = (*ALL, index, "response_parameters", key)
            if parse_response_target(key) is None:
                yield path, "Write it as method.response.header.NAME.", ""
            elif declared is not None and key not in declared.response_parameters:
                message = f"Declare {key} in the method response {response.status_code}."
                yield path, message, f"Declare {key}"


@rule("I6-declared", Severity.FAILURE, docs=PUT_RESPONSE, evidence="D")
def a_declared_header_has_its_prefix(facts: Facts) -> Remarks:
    """A method response declares its headers as method.response.header.NAME."""
    for index, response in enumerate(facts.route.responses):
        for key in response.response_parameters:
            if parse_response_target(key) is None:
                yield ("responses", index, "response_parameters", key), "Write it as method.response.header.NAME."


@rule(
    "I7",
    Severity.ERROR,
    docs=PUT,
    evidence="PF IS",
    aws="Invalid mapping expression specified: X",
    fix=rewriting(quoted),
    fix_label="Add single quotes",
)
def a_response_source_is_a_mapping_expression(facts: Facts) -> Remarks:
    """A mapped header's value is a mapping expression, or a static value in single quotes."""
    for index, response in _responses(facts):
        for key, value in response.response_parameters.items():
            if known(value) and parse_response_source(value) is None and is_bare(value, "integration.response"):
                path = (*ALL, index, "response_parameters", key)
                yield path, "Put a static value in single quotes: 'value'.", "Add single quotes" if can_quote(value) else ""


@rule("I7-source", Severity.FAILURE, docs=MAPPINGS, evidence="D")
def a_response_source_is_one_that_exists(facts: Facts) -> Remarks:
    """A response header reads integration.response.header.NAME, integration.response.body, context or stageVariables."""
    for index, response in _responses(facts):
        for key, value in response.response_parameters.items():
            bare = is_bare(value, "integration.response") or has_quotes_inside(value)
            if known(value) and parse_response_source(value) is None and not bare:
                message = "Write integration.response.header.NAME, integration.response.body.JSONPATH, context.NAME or 'value'."
                yield (*ALL, index, "response_parameters", key), message


@rule("U10-header", Severity.IGNORED, docs=MAPPINGS, evidence="D")
def a_stage_variable_is_a_whole_header(facts: Facts) -> Remarks:
    """A response header takes a stage variable as the whole value, stageVariables.name, and never as a part of one."""
    for index, response in _responses(facts):
        for key, value in response.response_parameters.items():
            if stage_variables_in(value):
                path = (*ALL, index, "response_parameters", key)
                yield path, "Write stageVariables.name as the whole value; inside other text it is not replaced."


@rule("I14", Severity.IGNORED, docs=KNOWN_ISSUES, evidence="LS D", fix=drop, fix_label="Remove the mapping")
def a_mapped_header_reaches_the_caller(facts: Facts) -> Remarks:
    """A mapped response header is one that reaches the caller under its own name."""
    for index, response in _responses(facts):
        for key in response.response_parameters:
            target = parse_response_target(key)
            name = target.name.lower() if target else ""
            path = (*ALL, index, "response_parameters", key)
            if target and name in RENAMED_WITHOUT_PROXY:
                yield path, f"Remove it: the caller gets it as x-amzn-Remapped-{target.name}."
            elif target and name in NOT_RETURNED:
                yield path, f"Remove it: {target.name} does not reach the caller."


# --- Patterns --------------------------------------------------------------------------------------


def _patterns(facts: Facts) -> Iterator[tuple[int, str]]:
    return ((index, response.selection_pattern) for index, response in _responses(facts) if response.selection_pattern)


@rule("I8", Severity.ERROR, docs=PUT, evidence="PF", aws="Invalid regex pattern specified")
def a_pattern_is_a_java_regex(facts: Facts) -> Remarks:
    """A selection pattern is a regular expression of java.util.regex."""
    for index, pattern in _patterns(facts):
        if refusal := facts.patterns[pattern].refusal:
            yield (*ALL, index, "selection_pattern"), refusal


def _around(pattern: str) -> str:
    return f".*{pattern}.*"


@rule("I9", Severity.FAILURE, docs=RESPONSES, evidence="D", fix=rewriting(_around), fix_label="Match messages that hold it")
def a_pattern_matches_the_whole_message(facts: Facts) -> Remarks:
    """A selection pattern matches the whole error message of a function, not a part of it."""
    if facts.matched != "message":
        return
    for index, pattern in _patterns(facts):
        if pattern.isprintable() and not set(pattern) & set(".*+?|()[]{}^$\\") and not pattern.isdecimal():
            message = f"Write {_around(pattern)} to match messages that hold it; alone it matches only that message."
            yield (*ALL, index, "selection_pattern"), message, f"Set {_around(pattern)}"


@rule("I10", Severity.FAILURE, docs=RESPONSES, evidence="LS D")
def a_pattern_can_match(facts: Facts) -> Remarks:
    """A pattern is matched against the error message of a function, and against the status of any other backend."""
    for index, pattern in _patterns(facts):
        reading = facts.patterns[pattern]
        path = (*ALL, index, "selection_pattern")
        if facts.matched == "message":
            if reading.statuses and reading.message is False:
                yield path, "Match the function's error message, such as .*Not found.*; a status is never matched."
        elif facts.matched == "status" and reading.statuses is not None and not reading.statuses:
            yield path, r"Match a status from 100 to 599, such as 4\d{2}; nothing else of the backend's answer is matched."


@rule("I11", Severity.ADVICE, docs=RESPONSES, evidence="D")
def patterns_do_not_overlap(facts: Facts) -> Remarks:
    """Two patterns never match one answer: which of them wins is not defined."""
    first: dict[int | str, int] = {}
    for index, pattern in _patterns(facts):
        statuses = facts.patterns[pattern].statuses if facts.matched == "status" else None
        keys: tuple[int | str, ...] = (pattern,) if statuses is None else (pattern, *sorted(statuses))
        overlap = next((key for key in keys if key in first), None)
        for key in keys:
            first.setdefault(key, index)
        if overlap is not None:
            what = f"the status {overlap}" if isinstance(overlap, int) else "the same answers"
            other = facts.integration.integration_responses[first[overlap]].selection_pattern
            yield (*ALL, index, "selection_pattern"), f"Change it: {other} matches {what} too."


@rule("I11-default", Severity.ADVICE, docs=RESPONSES, evidence="D")
def a_pattern_leaves_something_to_the_default(facts: Facts) -> Remarks:
    """A pattern that matches everything takes the place of the default response."""
    if facts.matched != "status":
        return  # a function's answers without an error are the default's, whatever the patterns
    if all(response.selection_pattern for _, response in _responses(facts)):
        return
    for index, pattern in _patterns(facts):
        statuses = facts.patterns[pattern].statuses
        if statuses is not None and len(statuses) == 500:
            yield (*ALL, index, "selection_pattern"), "Leave the pattern of the default response empty, and match less here."


# --- Templates -------------------------------------------------------------------------------------


@rule("I12", Severity.ADVICE, docs=GUIDE + "models-mappings.html", evidence="D")
def a_json_template_is_the_fallback(facts: Facts) -> Remarks:
    """Without an application/json template the first one is used, whatever the caller accepts."""
    if _reads_responses(facts):
        for index, response in _responses(facts):
            if len(response.response_templates) > 1 and "application/json" not in response.response_templates:
                path = (*ALL, index, "response_templates")
                yield path, "Add an application/json template: it is the one for callers that accept something else."


def _map_content_type(api: Api, path: Path) -> Api:
    media_type = next(iter(at(api, path)))
    return put(api, (*path[:-1], "response_parameters", "method.response.header.Content-Type"), f"'{media_type}'")


@rule("I13", Severity.IGNORED, docs=KNOWN_ISSUES, evidence="D", fix=_map_content_type, fix_label="Map Content-Type")
def a_body_says_what_it_is(facts: Facts) -> Remarks:
    """A response says application/json unless its Content-Type header is mapped."""
    if not _reads_responses(facts):
        return
    for index, response in _responses(facts):
        mapped = any(key.lower() == "method.response.header.content-type" for key in response.response_parameters)
        if response.response_templates and "application/json" not in response.response_templates and not mapped:
            [media_type, *others] = response.response_templates
            header = f"{response.status_code} method.response.header.Content-Type"
            declared = response.status_code in facts.method_responses and header not in facts.route.suppressed
            mendable = declared and not others and MEDIA_TYPE.fullmatch(media_type) is not None and "'" not in media_type
            label = f"Map Content-Type to '{media_type}'" if mendable else ""
            yield (
                (*ALL, index, "response_templates"),
                "Map method.response.header.Content-Type: callers are told application/json.",
                label,
            )
