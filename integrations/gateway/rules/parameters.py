"""Parameters and the references to them."""

from integrations.gateway.definition import Api, leaves, referred
from integrations.gateway.findings import Severity
from integrations.gateway.grammar import PSEUDO_PARAMETERS, REFERENCE_NAME, references_in
from integrations.gateway.rules.mend import drop
from integrations.gateway.rules.rule import Remarks, api_rule

PARAMETERS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"
PSEUDO = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html"
TEXTS = tuple(name for name in PSEUDO_PARAMETERS if name not in ("AWS::NoValue", "AWS::NotificationARNs"))
"""The pseudo parameters that are texts: the other two are nothing at all, and a list."""


@api_rule("R1", Severity.IGNORED, docs=PARAMETERS, evidence="INF", fix=drop, fix_label="Remove the earlier one")
def a_parameter_is_declared_once(api: Api) -> Remarks:
    """A parameter is declared once."""
    last = {parameter.name: index for index, parameter in enumerate(api.parameters)}
    for index, parameter in enumerate(api.parameters):
        if last[parameter.name] != index:
            yield ("parameters", index), f"Remove it, or rename it: {parameter.name} is declared again, and the last one counts."


@api_rule("R2", Severity.IGNORED, docs=PARAMETERS, evidence="INF")
def a_parameter_can_be_referred_to(api: Api) -> Remarks:
    """A parameter has a name that a reference can take."""
    for index, parameter in enumerate(api.parameters):
        name = parameter.name
        if not REFERENCE_NAME.fullmatch(name) or name.startswith(("AWS::", "stageVariables.")):
            message = "Use letters, digits, _ and dots, beginning with a letter; AWS:: and stageVariables. are taken."
            yield ("parameters", index, "name"), message


@api_rule("R3", Severity.FAILURE, docs=PSEUDO, evidence="D")
def a_pseudo_parameter_exists(api: Api) -> Remarks:
    """A reference that begins with AWS:: is one that CloudFormation supplies as a text."""
    for leaf in leaves(api):
        if isinstance(leaf.value, str) and leaf.substituted and not leaf.key and "${AWS::" in leaf.value:
            for reference in references_in(leaf.value):
                if reference.is_pseudo and reference.name not in TEXTS:
                    yield leaf.path, f"There is no {reference.name} to put into a text. Use one of {', '.join(TEXTS)}."
                    break


@api_rule("R4", Severity.ADVICE, docs=PARAMETERS, evidence="D", fix=drop, fix_label="Remove the parameter")
def a_parameter_is_used(api: Api) -> Remarks:
    """A declared parameter is referred to."""
    used = referred(api) if api.parameters else {}
    for index, parameter in enumerate(api.parameters):
        if parameter.name not in used:
            yield ("parameters", index), f"Remove it, or refer to it as ${{{parameter.name}}}."
