"""The resource path."""

import re
from collections import Counter

from integrations.gateway.findings import Severity
from integrations.gateway.grammar import PLAIN_PATH_PART, VARIABLE_PATH_PART, known, path_parts
from integrations.gateway.options import GUIDE
from integrations.gateway.rules.mend import rewriting
from integrations.gateway.rules.rule import Facts, Remarks, rule

RESOURCES = GUIDE + "api-gateway-method-settings-method-request.html"


@rule(
    "Z1",
    Severity.ERROR,
    docs=RESOURCES,
    evidence="PF",
    aws="Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
)
def a_path_part_is_plain_or_a_variable(facts: Facts) -> Remarks:
    """Each part of the path is plain text of a-zA-Z0-9._-: or a whole variable in braces."""
    for part in path_parts(facts.route.path):
        plain = part.text.replace(",", "").replace("$", "") or "x"  # the guide allows a comma, the CDK a dollar: see Z1-undecided
        if known(part.text) and not PLAIN_PATH_PART.fullmatch(plain) and not VARIABLE_PATH_PART.fullmatch(part.text):
            yield ("path",), f"Write {part.text!r} with letters, digits and . _ : - only, or as one {{variable}}."


@rule("Z1-undecided", Severity.FAILURE, docs=RESOURCES, evidence="D CDK")
def a_path_part_has_no_comma_or_dollar(facts: Facts) -> Remarks:
    """A comma or a dollar in a path part is not known to be taken."""
    found = sorted(
        {
            mark
            for part in path_parts(facts.route.path)
            if not part.variable and known(part.text)
            for mark in ",$"
            if mark in part.text
        }
    )
    if found:
        yield ("path",), f"Avoid {' and '.join(found)} in the path: AWS's answer lists neither."


@rule(
    "Z1-slashes",
    Severity.FAILURE,
    docs=RESOURCES,
    evidence="INF",
    fix=rewriting(lambda path: "/" + re.sub(r"/+", "/", path).strip("/")),
    fix_label="Set the path with single slashes",
)
def a_path_has_no_empty_part(facts: Facts) -> Remarks:
    """A path begins with one slash, and has one between its parts and none at its end."""
    path = facts.route.path
    right = "/" + re.sub(r"/+", "/", path).strip("/")
    if path != right:
        alone = len(facts.api.routes) == 1  # beside others its variable may turn out to be a second one
        yield ("path",), f"Write {right}.", f"Set {right}" if alone else ""


@rule(
    "Z2",
    Severity.ERROR,
    docs=RESOURCES,
    evidence="LS",
    aws="Cannot create a child of a resource with a greedy path variable: {proxy+}",
)
def a_greedy_variable_is_last(facts: Facts) -> Remarks:
    """A greedy path variable stands at the end of the path."""
    if any(part.greedy for part in path_parts(facts.route.path)[:-1]):
        yield ("path",), "Move the greedy variable to the end, or drop its +."


@rule("Z2-name", Severity.FAILURE, docs=RESOURCES, evidence="INF")
def a_path_variable_has_a_name_of_its_own(facts: Facts) -> Remarks:
    """Each variable of a path has a name of its own."""
    names = Counter(part.variable for part in path_parts(facts.route.path) if part.variable is not None)
    for name in (name for name, count in names.items() if count > 1):
        yield ("path",), f"Rename one of the variables {{{name}}}: one name has one value."
