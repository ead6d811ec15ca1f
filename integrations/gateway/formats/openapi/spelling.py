"""Values of a definition as they are spelt in an OpenAPI file, and what is spelt there as values of a definition."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from integrations.gateway.calls import VALIDATORS
from integrations.gateway.definition import METHODS, Template
from integrations.gateway.grammar import REFERENCE_NAME, Reference, segments

IMPORTED = ("AWS::AccountId", "AWS::Partition", "AWS::Region")
"""What AWS's importer puts in by itself, wherever it stands in the file."""

VERBS = {method: "x-amazon-apigateway-any-method" if method == "ANY" else method.lower() for method in METHODS}
METHOD_OF = {verb: method for method, verb in VERBS.items()}
PLACES = {"path": "path", "querystring": "query", "header": "header"}
LOCATIONS = {place: location for location, place in PLACES.items()}
PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")


def text(value: str) -> str:
    """Reference text as it stands in the file: what it means to API Gateway, with `${Name}` where a value is missing."""
    return "".join(map(str, segments(value))) if "${" in value else value


def reference_text(written: str) -> str:
    """Text of a file as reference text: `${Name}` refers again, and what looks like an escape stays what it is."""
    return re.sub(r"\$\{!([^{}]*)\}", r"${!!\1}", written)


def again(value: str) -> str:
    """Reference text as it reads back from the file."""
    return reference_text(text(value))


def template_text(template: Template) -> str:
    """A Velocity template: verbatim, or with its marked references as `text` writes them."""
    return text(template.text) if template.substituted else template.text


def template(written: str) -> Template:
    """A template of a file; AWS's importer substitutes in it, so one that names the Region, say, is marked as substituted."""
    if not any(f"${{{name}}}" in written for name in IMPORTED):
        return Template(written)

    def escape(match: re.Match[str]) -> str:
        return match[0] if match[1] in IMPORTED else f"${{!{match[1]}}}"

    return Template(re.sub(r"\$\{([^{}]*)\}", escape, written), substituted=True)


def scalar(value: int | Reference | None) -> int | str | None:
    """A number or a flag, or the text of the reference that stands for one."""
    return str(value) if isinstance(value, Reference) else value


def maybe(value: str | None) -> str | None:
    """Reference text where it is set."""
    return None if value is None else text(value)


def texts(values: Mapping[str, str]) -> dict[str, str]:
    """A map of reference texts."""
    return {key: text(value) for key, value in values.items()}


def lower(value: str | None, choices: Collection[str]) -> str | None:
    """One of the choices in lower case, as AWS exports it; any other text as it stands."""
    return value.lower() if value is not None and value in choices else maybe(value)


def upper(written: str | None, choices: Collection[str]) -> str | None:
    """A text of the file in upper case where that is one of the choices: AWS's importer takes both."""
    if written is None:
        return None
    return written.upper() if written.upper() in choices else reference_text(written)


def spelt(value: Any) -> str:
    """A scalar as text."""
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else str(value)


def referred(scheme: str) -> str:
    """The authorizer that a security scheme stands for: a reference of its name where that is one."""
    return f"${{{scheme}}}" if REFERENCE_NAME.fullmatch(scheme) else scheme


def is_usual(name: str, body: Any, parameters: Any) -> bool:
    """Whether a validator has the name that one without a name of its own gets."""
    return name == VALIDATORS.get((body, parameters), f"Validate body: {scalar(body)}, parameters: {scalar(parameters)}")
