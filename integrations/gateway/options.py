"""option(): everything that is true of one field, declared once beside it; options_of() reads it back."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

type Text = Literal["reference", "plain", "template", "document"]
"""How text is read: with `${Name}` references; verbatim; as a Velocity template that says so itself; or as JSON whose texts
hold references.

Of a map it is the values that are read so; its keys are always verbatim.
"""

type Kind = Literal["text", "number", "function", "role", "vpc_link", "url"]
"""What a reference in this option stands for: a function or role is an ARN, a VPC link an id."""

GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
REFERENCE = "https://docs.aws.amazon.com/apigateway/latest/api/"

ALL_TYPES = frozenset({"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"})
NON_PROXY = frozenset({"AWS", "HTTP", "MOCK"})
HTTP_TYPES = frozenset({"HTTP", "HTTP_PROXY"})
PROXY_TYPES = frozenset({"AWS_PROXY", "HTTP_PROXY"})
CALLING = ALL_TYPES - {"MOCK"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What is true of one field alone; two fields involved is a rule's business."""

    name: str = ""
    label: str
    help: str
    docs: str
    example: Any
    """A valid value that is not the default: tests, reference pages and placeholders use it."""
    unit: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    default_on_aws: str = ""
    """What API Gateway does when it is unset, in words that stand beside the input."""
    aws_default: Any = None
    """The value that unset equals, where it is one value: `with_defaults` writes it out."""
    text: Text = "plain"
    kind: Kind = "text"
    key_text: str = ""
    """For a map: what its keys are, in one or two words."""
    value_text: str = ""
    """For a map or a list: what one of its values is."""
    key_prefixes: tuple[str, ...] = ()
    """For a map: what its keys may begin with; the rest of a key is a name of the user's."""
    shared: bool = False
    """Of an API as a whole: the form of one integration keeps it as it is."""
    types: frozenset[str] = ALL_TYPES
    """The integration types that use it; the others ignore it."""
    cdk: str = ""
    cloudformation: str = ""
    openapi: str = ""
    boto3: str = ""
    """Its name in each format; empty where that format has none. `boto3` defaults to `openapi`."""

    @property
    def reads_references(self) -> bool:
        """Whether `${Name}` in its text stands for what a deployment supplies."""
        return self.text in ("reference", "document")


def option(
    default: Any = dataclasses.MISSING,
    *,
    default_factory: Callable[[], Any] | None = None,
    label: str,
    help: str,
    docs: str,
    example: Any,
    **facts: Any,
) -> Any:
    """Declare a dataclass field together with what is true of it. Facts: the fields of `Option`."""
    facts.setdefault("boto3", facts.get("openapi", ""))
    metadata = {"option": Option(label=label, help=help, docs=docs, example=example, **facts)}
    if default_factory is not None:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@functools.cache
def options_of(owner: type) -> Mapping[str, Option]:
    """The options that a dataclass declares, by field name, in the order of declaration."""
    found = {}
    for field in dataclasses.fields(owner):
        declared = cast(Option | None, field.metadata.get("option"))
        if declared is not None:
            found[field.name] = dataclasses.replace(declared, name=field.name)
    return found


def said(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """What is set: no None, no empty map, no empty list."""
    return {key: value for key, value in pairs.items() if value is not None and value != {} and value != []}
