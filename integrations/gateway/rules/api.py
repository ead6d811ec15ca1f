"""What holds between routes, and of the stage."""

import re
from dataclasses import dataclass, field

from integrations.gateway.definition import Api
from integrations.gateway.findings import Path, Severity
from integrations.gateway.grammar import known, path_parts
from integrations.gateway.options import GUIDE, REFERENCE
from integrations.gateway.rules.mend import rename, rewriting
from integrations.gateway.rules.rule import Remarks, api_rule

RESOURCES = GUIDE + "api-gateway-method-settings-method-request.html"
STAGE_VARIABLES = GUIDE + "aws-api-gateway-stage-variables-reference.html"
LIMITS = GUIDE + "api-gateway-execution-service-limits-table.html"


@dataclass(slots=True)
class Resource:
    """A part of a path: its variable child, as text, and all its children."""

    variable: str = ""
    children: "dict[str, Resource]" = field(default_factory=dict)


@api_rule(
    "T8",
    Severity.ERROR,
    docs=REFERENCE + "API_CreateDeployment.html",
    evidence="PF IS",
    aws="The REST API doesn't contain any methods",
)
def an_api_has_a_method(api: Api) -> Remarks:
    """An API has at least one method."""
    if not api.routes:
        yield ("routes",), "Add a route: an API without a method cannot be deployed."


@api_rule(
    "Z2-sibling",
    Severity.ERROR,
    docs=RESOURCES,
    evidence="LS",
    aws="A sibling ({x}) of this resource already has a variable path part -- only one is allowed",
)
def a_parent_has_one_variable(api: Api) -> Remarks:
    """Only one variable stands below one parent."""
    root = Resource()
    for index, route in enumerate(api.routes):
        parent = root
        for part in path_parts(route.path):
            if part.variable is not None:
                parent.variable = parent.variable or part.text
                if parent.variable != part.text:
                    message = f"Name it {parent.variable}, as the other route does: one parent has one variable."
                    yield ("routes", index, "path"), message
                    break
            parent = parent.children.setdefault(part.text, Resource())


@api_rule("Z2-twice", Severity.FAILURE, docs=RESOURCES, evidence="INF")
def a_method_stands_once_on_a_path(api: Api) -> Remarks:
    """A path has each method once."""
    seen: set[tuple[str, str]] = set()
    for index, route in enumerate(api.routes):
        key = (route.method, route.path.strip("/"))
        if key in seen:
            yield ("routes", index, "method"), f"Use another method or path: {route.method} {route.path} is there already."
        seen.add(key)


@api_rule(
    "Z3",
    Severity.FAILURE,
    docs=REFERENCE + "API_CreateStage.html",
    evidence="D",
    fix=rewriting(lambda name: re.sub(r"[^A-Za-z0-9_-]", "_", name)[:128]),
    fix_label="Set a name with _ for the rest",
)
def a_stage_name_is_plain(api: Api) -> Remarks:
    """The name of a stage is 1 to 128 letters, digits, - and _."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", api.stage_name, re.ASCII):
        right = re.sub(r"[^A-Za-z0-9_-]", "_", api.stage_name)[:128]
        yield ("stage_name",), "Use letters, digits and _, 128 at most.", f"Set {right}" if right else ""


@api_rule(
    "Z3-hyphen",
    Severity.ADVICE,
    docs=REFERENCE + "API_CreateStage.html",
    evidence="D",
    fix=rewriting(lambda name: name.replace("-", "_")),
    fix_label="Set a name with _",
)
def a_stage_name_has_no_hyphen(api: Api) -> Remarks:
    """The guide allows a hyphen in the name of a stage; the service's own message does not name it."""
    if "-" in api.stage_name and re.fullmatch(r"[A-Za-z0-9_-]{1,128}", api.stage_name, re.ASCII):
        right = api.stage_name.replace("-", "_")
        yield ("stage_name",), "Prefer _ to be sure.", f"Set {right}"


def _with_word_characters(api: Api, path: Path) -> Api:
    return rename(api, path, re.sub(r"[^A-Za-z0-9_]", "_", str(path[-1])))


@api_rule(
    "U11",
    Severity.ERROR,
    docs=STAGE_VARIABLES,
    evidence="PF IS",
    aws="Invalid stage variable name. Please use names with only word characters.",
    fix=_with_word_characters,
    fix_label="Rename it with _",
)
def a_stage_variable_has_a_plain_name(api: Api) -> Remarks:
    """The name of a stage variable is letters, digits and _."""
    for name in api.stage_variables:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name, re.ASCII):
            right = re.sub(r"[^A-Za-z0-9_]", "_", name)
            label = f"Rename it to {right}" if right and right not in api.stage_variables else ""
            yield ("stage_variables", name), "Use letters, digits and _ only.", label


@api_rule("U11-value", Severity.FAILURE, docs=STAGE_VARIABLES, evidence="IS D")
def a_stage_variable_has_a_plain_value(api: Api) -> Remarks:
    """The value of a stage variable is letters, digits, spaces and - . _ : / ? & = , only."""
    for name, value in api.stage_variables.items():
        if not value:
            yield ("stage_variables", name), "Give it a value: an empty one is refused."
        elif known(value) and not re.fullmatch(r"[A-Za-z0-9 ._:/?&=,-]+", value, re.ASCII):
            yield ("stage_variables", name), "Use letters, digits, spaces and - . _ : / ? & = , only."


@api_rule("U11-size", Severity.FAILURE, docs=LIMITS, evidence="B D")
def stage_variables_keep_their_limits(api: Api) -> Remarks:
    """A stage has at most 100 variables, with names of up to 64 and values of up to 512 characters."""
    if len(api.stage_variables) > 100:
        yield ("stage_variables",), "Use 100 stage variables or fewer."
    for name, value in api.stage_variables.items():
        if len(name) > 64:
            yield ("stage_variables", name), "Use 64 characters or fewer in its name."
        if known(value) and len(value) > 512:
            yield ("stage_variables", name), "Use 512 characters or fewer in its value."


@api_rule(
    "Z7",
    Severity.ERROR,
    docs=REFERENCE + "API_CreateModel.html",
    evidence="LS PF",
)
def a_model_has_a_plain_name(api: Api) -> Remarks:
    """The name of a model is letters and digits."""
    for index, model in enumerate(api.models):
        if not re.fullmatch(r"[A-Za-z0-9]+", model.name, re.ASCII):
            yield ("models", index, "name"), "Use letters and digits only."
