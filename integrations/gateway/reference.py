"""The declarations of rules and options come in, what a reference says of each comes out, as data."""

from dataclasses import dataclass
from typing import Any

from integrations.gateway.definition import (
    BACKENDS,
    Api,
    Authorizer,
    Cors,
    DeploymentParameter,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    MethodResponse,
    MethodSettings,
    Model,
    RequestValidator,
    Route,
    to_json,
)
from integrations.gateway.findings import EVIDENCE, Severity
from integrations.gateway.options import ALL_TYPES, Option, Text, options_of
from integrations.gateway.rules import RULES, TOPICS, Rule
from integrations.gateway.simulator.findings import SAMPLE_RULES, SampleRule

OWNERS: tuple[type, ...] = (
    Integration,
    *BACKENDS.values(),
    IntegrationResponse,
    Route,
    MethodResponse,
    Api,
    DeploymentParameter,
    Model,
    Authorizer,
    RequestValidator,
    GatewayResponse,
    Cors,
    MethodSettings,
)
"""What declares options, in the order of the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePage:
    """What is said of one rule."""

    code: str
    title: str
    severity: Severity
    known: tuple[str, ...]
    """How it is known, in words, the recorded evidence first."""
    aws: str
    docs: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionPage:
    """What is said of one option. `names`: the format's own word for it, by format; those that have none are left out."""

    name: str
    label: str
    help: str
    docs: str
    value: str
    """What it takes, in words."""
    unset: str
    """What API Gateway does without it; empty where that is nothing of its own."""
    types: tuple[str, ...]
    """The integration types that use it; empty where all do."""
    example: Any
    """A JSON value."""
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section[Page]:
    """Pages under one heading."""

    title: str
    pages: tuple[Page, ...]


def rule_page(rule: Rule | SampleRule) -> RulePage:
    """What is said of a rule."""
    known = sorted((EVIDENCE[tag] for tag in rule.evidence.split()), key=lambda evidence: not evidence.recorded)
    return RulePage(
        code=rule.code,
        title=rule.title,
        severity=rule.severity,
        known=tuple(evidence.label for evidence in known),
        aws=rule.aws,
        docs=rule.docs,
        fix=rule.fix_label if isinstance(rule, Rule) else "",
    )


def rule_sections() -> tuple[Section[RulePage], ...]:
    """All rules by topic, in the order of the flow; a topic is named by its module. Those of samples come last."""
    found = []
    for topic in TOPICS:
        rules = [rule for rule in RULES.values() if rule.module == topic.__name__]
        found.append(Section(title=_first_line(topic.__doc__), pages=tuple(map(rule_page, rules))))
    found.append(Section(title="What a simulated call shows", pages=tuple(map(rule_page, SAMPLE_RULES.values()))))
    return tuple(found)


def option_page(option: Option) -> OptionPage:
    """What is said of an option."""
    names = (("CDK", option.cdk), ("CloudFormation", option.cloudformation), ("OpenAPI", option.openapi), ("boto3", option.boto3))
    return OptionPage(
        name=option.name,
        label=option.label,
        help=option.help,
        docs=option.docs,
        value=_value(option),
        unset=option.default_on_aws,
        types=() if option.types == ALL_TYPES else tuple(sorted(option.types)),
        example=to_json(option.example),
        names=tuple((format, name) for format, name in names if name),
    )


def option_sections() -> tuple[Section[OptionPage], ...]:
    """All options by what declares them, in the order of their declaration."""
    return tuple(
        Section(title=_first_line(owner.__doc__), pages=tuple(map(option_page, options_of(owner).values()))) for owner in OWNERS
    )


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0].rstrip(".")


def _value(option: Option) -> str:
    example = option.example
    if option.choices:
        return "one of " + ", ".join(option.choices)
    if option.key_text:
        values = "Velocity templates" if option.text == "template" else f"{option.value_text}s"
        return f"{values} by {option.key_text}"
    if isinstance(example, bool):
        return "yes or no"
    if isinstance(example, int):
        least = f", {option.minimum:,} at least" if option.minimum is not None else ""
        most = f", {option.maximum:,} at most" if option.maximum is not None else ""
        return f"a whole number{f' of {option.unit}' if option.unit else ''}{least}{most}"
    if isinstance(example, tuple):
        return "a list"
    return _TEXTS[option.text]


_TEXTS: dict[Text, str] = {
    "reference": "a text; ${Name} in it is a reference",
    "document": "a JSON document; ${Name} in its texts is a reference",
    "template": "a Velocity template",
    "plain": "a text",
}
