"""Values of a file that hold intrinsic functions as reference text, each origin kept; and conditions of a template, decided."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from integrations.gateway.definition import DefinitionError, DeploymentParameter, Intrinsic, Template
from integrations.gateway.grammar import REFERENCE_NAME, Reference, escaped, whole_reference
from integrations.gateway.options import Kind

NO_VALUE = {"Ref": "AWS::NoValue"}

type Literal = Callable[[str], str]
"""Text of a file without an intrinsic → reference text."""


def is_intrinsic(value: Any) -> bool:
    """Whether a value is one call of an intrinsic function."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    [key] = value
    return key in ("Ref", "Condition") or (isinstance(key, str) and key.startswith("Fn::"))


def from_literal(literal: str) -> str:
    """Text of a template as reference text: what looks like a reference is escaped, a stage variable is one."""
    if "${" not in literal:
        return literal
    return re.sub(r"\$\{!(stageVariables\.[A-Za-z0-9_]+)\}", r"${\1}", escaped(literal))


def spelt(value: Any) -> str:
    """A scalar as CloudFormation hands it on as text; a map or a list as its JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_SUB = re.compile(r"((?:(?!\$\{[^{}]*\}).)+)|\$\{(!?)([^{}]*)\}", re.DOTALL)


@dataclass(slots=True)
class Values:
    """The values of one file as reference text; what they refer to, and what it was."""

    declared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The parameters of a template, by name."""
    literal: Literal = from_literal
    verbatim: Callable[[str], Template] = Template
    """Text of a Velocity template without an intrinsic → the template."""
    patterns: Mapping[Kind, str] = field(default_factory=dict)
    """Kind → the AllowedPattern of a template's parameter that is of this kind."""
    origins: dict[str, Any] = field(default_factory=dict)
    """Reference → the intrinsic that it was; none for a parameter of the template."""
    _names: dict[str, str] = field(default_factory=dict)

    def segments(self, value: Any) -> list[str | Reference]:
        """A value as literal text and references, neighbouring literals joined."""
        found: list[str | Reference] = []
        for part in self._segments(value, {}):
            if isinstance(part, str) and found and isinstance(found[-1], str):
                found[-1] += part
            elif part != "":
                found.append(part)
        return found

    def _segments(self, value: Any, own: Mapping[str, Any]) -> Iterator[str | Reference]:
        """`own`: the names that the Fn::Sub around it gives values of their own."""
        match value:
            case str():
                yield value
            case {"Ref": str(name), **rest} if not rest:
                yield self.reference(name, value)
            case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest:
                yield self.reference(f"{name}.{attribute}", value)
            case {"Fn::GetAtt": str(name), **rest} if not rest and "." in name:
                yield self.reference(name, value)
            case {"Fn::Sub": str(text), **rest} if not rest:
                yield from self._substituted(text, {})
            case {"Fn::Sub": [str(text), dict(names)], **rest} if not rest:
                yield from self._substituted(text, names)
            case {"Fn::Join": [str(separator), list(parts)], **rest} if not rest:
                for number, part in enumerate(parts):
                    if number and separator:
                        yield separator
                    yield from self._segments(part, {})
            case dict() if is_intrinsic(value):
                yield self.opaque(value)
            case _:
                yield spelt(value)

    def _substituted(self, text: str, names: Mapping[str, Any]) -> Iterator[str | Reference]:
        for literal, escape, name in _SUB.findall(text):
            if literal or escape:
                yield literal or f"${{{name}}}"
            elif name.strip() in names:
                yield from self._segments(names[name.strip()], {})
            else:
                first, dot, attribute = name.strip().partition(".")
                yield self.reference(name.strip(), {"Fn::GetAtt": [first, attribute]} if dot else {"Ref": first})

    def reference(self, name: str, origin: Any) -> Reference:
        """A reference to what a deployment knows under a name; one that is no parameter of the template keeps what it was."""
        found = Reference(name if REFERENCE_NAME.fullmatch(name) else re.sub(r"[^A-Za-z0-9_.]", "", name) or "Value")
        if found.is_pseudo or self.is_plain(name):
            return found
        before = self.origins.setdefault(found.name, origin)
        return found if _meaning(before) == _meaning(origin) else self.opaque(origin)

    def is_plain(self, name: str) -> bool:
        """Whether a name is a parameter of the template whose value is the text that it is given."""
        return str(self.declared.get(name, {}).get("Type", "")) in ("String", "Number")

    def opaque(self, value: Any) -> Reference:
        """A reference for a value that only CloudFormation works out, named after what it asks for."""
        key = json.dumps(value, sort_keys=True, default=str)
        if key not in self._names:
            wanted = name = _name(value)
            number = 1
            while name in self.origins or name in self.declared:
                number += 1
                name = f"{wanted}{number}"
            self._names[key] = name
            self.origins[name] = value
        return Reference(self._names[key])

    def text(self, value: Any) -> str:
        """A value as reference text."""
        if isinstance(value, str):
            return self.literal(value)
        parts = self.segments(value)
        if not is_intrinsic(value):
            return "".join(self.literal(str(part)) for part in parts)
        return "".join(str(part) if isinstance(part, Reference) else from_literal(part) for part in parts)

    def document(self, value: Any) -> str:
        """A JSON value as a text of it, each of its texts as reference text; a text is one already."""
        if isinstance(value, str) or is_intrinsic(value):
            return self.text(value)
        return json.dumps(self._filled(value), indent=2, ensure_ascii=False)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._filled(inner) for inner in value if inner != NO_VALUE]
        if isinstance(value, dict) and not is_intrinsic(value):
            return {key: self._filled(inner) for key, inner in value.items() if inner != NO_VALUE}
        return self.text(value) if isinstance(value, str | dict) else value

    def plain(self, value: Any) -> str:
        """A value as text that holds no reference."""
        return value if isinstance(value, str) else "".join(map(str, self.segments(value)))

    def template(self, value: Any) -> Template:
        """A value as a Velocity template; one with references is marked as substituted."""
        if isinstance(value, str):
            return self.verbatim(value)
        parts = self.segments(value)
        if any(isinstance(part, Reference) for part in parts):
            return Template("".join(str(part) if isinstance(part, Reference) else from_literal(part) for part in parts), True)
        return self.verbatim("".join(map(str, parts)))

    def whole(self, value: Any) -> Reference | None:
        """The one reference that stands for a number or a flag; None where the value holds no intrinsic."""
        if not isinstance(value, dict):
            return whole_reference(self.literal(value)) if isinstance(value, str) else None
        parts = self.segments(value)
        if len(parts) == 1 and isinstance(parts[0], Reference):
            return parts[0]
        return self.opaque(value) if any(isinstance(part, Reference) for part in parts) else None

    def parameters(self, found: Iterable[DeploymentParameter]) -> tuple[DeploymentParameter, ...]:
        """What the file says of names that are referred to; of some it says nothing."""
        order = {name: number for number, name in enumerate(self.declared)}
        known = [each for each in found if each.name in self.origins or each.name in self.declared]
        return tuple(map(self.parameter, sorted(known, key=lambda each: order.get(each.name, len(order)))))

    def parameter(self, found: DeploymentParameter) -> DeploymentParameter:
        """What the file says of a name that is referred to: a parameter of its own, or the intrinsic that it was."""
        origin = self.origins.get(found.name)
        if origin is not None:
            try:
                return replace(found, origin=Intrinsic.of(origin))
            except DefinitionError:
                return found
        given = self.declared.get(found.name)
        if given is None:
            return found
        kind: Kind = "number" if given.get("Type") == "Number" else "text"
        for known, pattern in self.patterns.items():
            kind = known if given.get("AllowedPattern") == pattern else kind
        default = given.get("Default")
        description = self.plain(given.get("Description", ""))
        return replace(found, kind=kind, description=description, default=None if default is None else spelt(default))


def _meaning(origin: Any) -> Any:
    """An intrinsic with the string form of Fn::GetAtt as its list."""
    match origin:
        case {"Fn::GetAtt": str(name)}:
            return {"Fn::GetAtt": name.split(".", 1)}
    return origin


def _name(value: Mapping[str, Any]) -> str:
    """A name for what an intrinsic asks for: of an import its export's, of a mapping its key's, of a choice its condition's."""
    [(key, given)] = value.items()
    words: Iterable[Any] = ()
    match key, given:
        case "Fn::ImportValue", str():
            words = (given,)
        case "Fn::ImportValue", {"Fn::Sub": str(text)}:
            words = (re.sub(r"\$\{[^{}]*\}", " ", text),)
        case "Fn::ImportValue", {"Fn::Join": [str(), list(parts)]}:
            words = (part for part in parts if isinstance(part, str))
        case "Fn::FindInMap", [str(name), *keys]:
            words = (name, *(part for part in keys[-1:] if isinstance(part, str)))
        case "Fn::If", [str(condition), *_]:
            words = (condition, "choice")
    name = "".join(
        part[0].upper() + part[1:] for word in words if isinstance(word, str) for part in re.findall(r"[A-Za-z0-9]+", word)
    )[:60]
    return name if REFERENCE_NAME.fullmatch(name) else "Value"


# --- Conditions ------------------------------------------------------------------------------------


class Conditions:
    """The conditions of a template: as they were decided, else as the defaults of its parameters decide them, else true."""

    def __init__(self, template: Mapping[str, Any], decided: Mapping[str, bool]) -> None:
        given = template.get("Conditions")
        self.written: Mapping[str, Any] = given if isinstance(given, dict) else {}
        parameters, mappings = template.get("Parameters"), template.get("Mappings")
        self.parameters: Mapping[str, Any] = parameters if isinstance(parameters, dict) else {}
        self.mappings: Mapping[str, Any] = mappings if isinstance(mappings, dict) else {}
        self.decided: dict[str, bool] = {name: decided[name] for name in self.written if name in decided}

    def holds(self, name: str) -> bool:
        """Whether a condition is true in this view of the template."""
        if name not in self.decided:
            self.decided[name] = True  # for one that asks for itself
            known = self._decide(self.written.get(name))
            self.decided[name] = True if known is None else known
        return self.decided[name]

    def _decide(self, value: Any) -> bool | None:
        match value:
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::Not": [inner]}:
                known = self._decide(inner)
                return None if known is None else not known
            case {"Fn::And": list(parts)}:
                known_parts = [self._decide(part) for part in parts]
                return False if False in known_parts else None if None in known_parts else True
            case {"Fn::Or": list(parts)}:
                known_parts = [self._decide(part) for part in parts]
                return True if True in known_parts else None if None in known_parts else False
            case {"Fn::Equals": [left, right]}:
                one, other = self.known(left), self.known(right)
                return None if one is None or other is None else one == other
        return None

    def known(self, value: Any) -> str | None:
        """A value that the template alone decides, as text."""
        match value:
            case {"Ref": str(name)}:
                declared = self.parameters.get(name)
                default = declared.get("Default") if isinstance(declared, dict) else None
                return None if default is None or "::Parameter::" in str(declared) else spelt(default)
            case {"Fn::FindInMap": [name, first, second]}:
                found: Any = self.mappings
                for step in (name, first, second):
                    key = self.known(step)
                    found = found.get(key) if isinstance(found, dict) and key is not None else None
                return spelt(found) if isinstance(found, str | int | bool) else None
            case {"Fn::If": [str(name), one, other]}:
                return self.known(one if self.holds(name) else other)
            case dict():
                return None
        return spelt(value)
