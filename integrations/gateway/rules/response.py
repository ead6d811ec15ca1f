"""Integration responses and the method responses that they need."""

from collections.abc import Iterator

from integrations.gateway.definition import IntegrationResponse, Route
from integrations.gateway.findings import Severity
from integrations.gateway.grammar import STATUS_CODE, parse_response_source, parse_response_target, segments, whole_reference
from integrations.gateway.options import GUIDE, NON_PROXY, REFERENCE
from integrations.gateway.rules.rule import Facts, Remarks, rule

PUT = REFERENCE + "API_PutIntegrationResponse.html"
RESPONSES = GUIDE + "api-gateway-integration-settings-integration-response.html"


def _responses(route: Route) -> Iterator[tuple[int, IntegrationResponse]]:
    yield from enumerate(route.integration.integration_responses)


@rule("I1", Severity.ERROR, docs=PUT, evidence="LS B", aws="Value at 'statusCode' failed to satisfy constraint: [1-5]\\d\\d")
def a_status_code_is_three_digits(facts: Facts) -> Remarks:
    """A status code is 100 to 599."""
    for index, response in _responses(facts.route):
        if not STATUS_CODE.fullmatch(response.status_code) and whole_reference(response.status_code) is None:
            yield ("integration", "integration_responses", index, "status_code"), "Use 100 to 599."
    for index, declared in enumerate(facts.route.responses):
        if not STATUS_CODE.fullmatch(declared.status_code) and whole_reference(declared.status_code) is None:
            yield ("responses", index, "status_code"), "Use 100 to 599."


@rule(
    "I2",
    Severity.FAILURE,
    docs=RESPONSES,
    evidence="IS LSi",
    aws="No match for output mapping and no default output mapping configured.",
)
def there_is_a_default_response(facts: Facts) -> Remarks:
    """A non-proxy integration has a default response, one without a pattern."""
    responses = facts.route.integration.integration_responses
    if facts.type in NON_PROXY and all(response.selection_pattern for response in responses):
        yield ("integration", "integration_responses"), "Add a response without a selection pattern."


@rule("I3", Severity.ADVICE, docs=RESPONSES, evidence="LSi")
def there_is_one_default_response(facts: Facts) -> Remarks:
    """Only one response is the default."""
    defaults = [index for index, response in _responses(facts.route) if not response.selection_pattern]
    for index in defaults[1:]:
        yield ("integration", "integration_responses", index, "selection_pattern"), "Give it a pattern; one default is used."


@rule("I4", Severity.IGNORED, docs=PUT, evidence="B")
def a_status_has_one_response(facts: Facts) -> Remarks:
    """One integration response a status: the later one replaces the earlier."""
    seen: set[str] = set()
    for index, response in _responses(facts.route):
        if response.status_code in seen:
            yield ("integration", "integration_responses", index, "status_code"), "Use another status, or merge the two."
        seen.add(response.status_code)


@rule("I5", Severity.FAILURE, docs=RESPONSES, evidence="IS LS", aws="Output mapping refers to an invalid method response")
def a_response_has_a_method_response(facts: Facts) -> Remarks:
    """The status of an integration response is declared by the method."""
    declared = {response.status_code for response in facts.route.method_responses}
    for index, response in _responses(facts.route):
        if response.status_code not in declared:
            yield ("integration", "integration_responses", index, "status_code"), "Declare the status in the method response."


@rule(
    "I6", Severity.ERROR, docs=PUT, evidence="IS", aws="Invalid mapping expression parameter specified: method.response.header.X"
)
def a_mapped_header_is_declared(facts: Facts) -> Remarks:
    """A response header that is mapped is declared in the method response."""
    declared = {response.status_code: response.response_parameters for response in facts.route.method_responses}
    for index, response in _responses(facts.route):
        for key in response.response_parameters:
            path = ("integration", "integration_responses", index, "response_parameters", key)
            if parse_response_target(key) is None:
                yield path, "Write it as method.response.header.NAME."
            elif response.status_code in declared and key not in declared[response.status_code]:
                yield path, f"Declare {key} in the method response {response.status_code}."


@rule("I7", Severity.ERROR, docs=PUT, evidence="PF IS", aws="Invalid mapping expression specified")
def a_response_source_is_a_mapping_expression(facts: Facts) -> Remarks:
    """A mapped header's value is a mapping expression, or a static value in single quotes."""
    for index, response in _responses(facts.route):
        for key, value in response.response_parameters.items():
            known = all(isinstance(part, str) for part in segments(value))
            if known and parse_response_source(value) is None and not value.startswith(("integration.response.", "context.")):
                path = ("integration", "integration_responses", index, "response_parameters", key)
                yield path, "Put a static value in single quotes: 'value'."
