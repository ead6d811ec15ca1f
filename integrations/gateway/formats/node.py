"""The objects of a file, each with its place, and what of them nobody has read yet; so that nothing is lost without a word."""

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from integrations.gateway.definition import LIMITS, Api, DefinitionError, Intrinsic, Structure
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.formats.export import UnreadableText
from integrations.gateway.formats.intrinsics import NO_VALUE, Conditions, Values, is_intrinsic
from integrations.gateway.formats.reading import KEPT, LOST, NOTED, Asked, ReadApi, remark
from integrations.gateway.formats.source import FilePath, Source, read_source
from integrations.gateway.options import Option, options_of

EXTENSIONS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html"


@dataclass(slots=True)
class File:
    """A text that is being read: its values, its conditions, and what is said of it so far."""

    source: Source
    asked: Asked
    values: Values = field(default_factory=Values)
    conditions: Conditions = field(default_factory=lambda: Conditions({}, {}))
    findings: list[Finding] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    """The files beside it that were read."""
    structures: dict[FilePath, tuple[Any, dict[str, bool]]] = field(default_factory=dict)
    """Where an intrinsic stands over a list or an object → the intrinsic, and its conditions as they were taken."""
    documentation: list[FilePath] = field(default_factory=list)
    """Where descriptions, tags and the like stand; they are told once, not one by one."""
    name: str = ""
    """What the file that points here calls this one; empty for the one that was asked for."""

    def say(self, rule: str, path: FilePath, message: str, severity: Severity = Severity.IGNORED, docs: str = "") -> None:
        """A finding on a place of the text."""
        where = f"{self.name}: " if self.name else ""
        self.findings.append(remark(rule, where + message, self.source.line(path), severity=severity, docs=docs))

    def say_what_the_text_does(self, *, aliases: bool = True) -> None:
        """Findings on what is not the value's but the text's: keys that stand twice, aliases, placeholders.

        `aliases`: it is a template, in which CloudFormation takes none.
        """
        for path, line in self.source.twice:
            message = f"{shown(path)} stands twice here, and the last one counts. Remove the other."
            self.findings.append(remark(NOTED, message, line))
        if aliases and self.source.aliases:
            message = "CloudFormation itself takes no aliases; they are read as what they stand for."
            self.findings.append(remark(NOTED, message, self.source.aliases[0], severity=Severity.ADVICE))
        for offset in self.source.placeholders:
            message = "A placeholder of another tool ({{ … }}) is read as the text that it is. Put it in quotes."
            self.findings.append(remark(KEPT, message, self.source.line_at(offset), severity=Severity.ADVICE))

    def beside(self, name: str) -> "File | None":
        """A file beside this one; None where there is none, or where it cannot be read (then that is said)."""
        text = self.asked.beside(name)
        if text is None:
            return None
        try:
            source = read_source(text)
        except UnreadableText as error:
            self.findings.append(remark(LOST, f"{name}: {error.message} It was left out.", error.line))
            return None
        self.sources[name] = source
        return replace(self, source=source, structures={}, documentation=[], name=name)

    def with_structures(self, read: ReadApi) -> ReadApi:
        """An API with the intrinsics that stand over its lists and objects, each verbatim at its path."""
        found: list[Structure] = []
        for at, place in places_of(self.structures, read).items():
            origin, chosen = self.structures[at]
            if len(found) == LIMITS["rows"]:
                self.say(LOST, at, f"{shown(at)}: this choice and those behind it are not kept, only what they give here.")
                break
            try:
                found.append(Structure(path=pointer(place), origin=Intrinsic.of(origin), chosen=chosen))
            except DefinitionError as error:
                self.say(LOST, at, f"{shown(at)}: the choice is not kept, only what it gives here. {error.message}")
        return replace(read, api=replace(read.api, structures=tuple(sorted(found, key=lambda each: each.path))))

    def say_what_documents(self) -> None:
        """One finding for all that documents the API."""
        if self.documentation:
            first, *rest = self.documentation
            more = f" and {len(rest)} more like it" if rest else ""
            what = "(descriptions, summaries, tags, examples) document the API; a definition does not hold them"
            self.say(LOST, first, f"{shown(first)}{more} {what}. They were left out.")
            self.documentation.clear()

    def view(self, value: Any, path: FilePath) -> tuple[Any, FilePath, str]:
        """What stands at a place where a list or an object is wanted: the branch of Fn::If that its condition chooses, and why
        it is not edited in place. `AWS::NoValue` is None; another intrinsic stays."""
        reason = ""
        first, at, chosen = value, path, dict[str, bool]()
        while isinstance(value, dict) and len(value) == 1:
            match value:
                case {"Fn::If": [str(name), one, other]}:
                    holds = chosen[name] = self.conditions.holds(name)
                    self.structures[at] = first, chosen
                    value, path = (one if holds else other), (*path, "Fn::If", 1 if holds else 2)
                    reason = f"It stands under Fn::If {name}; this is the branch for {'true' if holds else 'false'}."
                case {"Ref": "AWS::NoValue"}:
                    return None, path, reason
                case _:
                    break
        return value, path, reason


def places_of(structures: Mapping[FilePath, tuple[Any, dict[str, bool]]], read: ReadApi) -> dict[FilePath, Path]:
    """The structures of a file that an API stands under or holds, outermost ones alone → the part of the definition that is
    their view: what all that they give has in common, else the option of their key, else what they stand in."""
    inside: dict[FilePath, Path] = {}
    around: dict[FilePath, Path] = {read.where: ()}
    for place, where in read.places.items() if structures else ():
        if where not in around or len(place) < len(around[where]):
            around[where] = place
        for at in (where[:end] for end in range(1, len(where) + 1)):
            if at in structures:
                inside[at] = _common(inside.get(at, place), place)
    found: dict[FilePath, Path] = {}
    for at in sorted(structures, key=len):
        outer = next((at[:end] for end in range(1, len(at)) if at[:end] in found), None)
        if outer is not None:
            structures[outer][1].update(structures[at][1])
            continue
        known = next((end for end in range(len(at) - 1, -1, -1) if at[:end] in around), None)
        if at in inside:
            found[at] = _whole(inside[at], read.places.get(inside[at], at)[len(at) :])
        elif known is not None:
            place = around[at[:known]]
            option = _option(read.api, place, at[known:])
            found[at] = (*place, option) if option else place
    return found


def _common(one: Path, other: Path) -> Path:
    """The part of the definition that holds both."""
    return tuple(left for left, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _whole(place: Path, below: FilePath) -> Path:
    """Of a part that stands `below` a structure, that which is the structure's view."""
    below = tuple(step for before, step in itertools.pairwise(("", *below)) if "Fn::If" not in (before, step))
    if below[:1] == (2,):  # what Fn::ForEach makes is its third part
        return place
    lists = [number for number, step in enumerate(below) if isinstance(step, int)]
    return place[: max(1, len(place) - len(below) + lists[0])] if lists else place


def _option(api: Api, place: Path, keys: FilePath) -> str:
    """The option of a part of the definition that one of these keys of a file is the name of; empty where none is."""
    owner: Any = api
    for step in place:
        owner = owner[step] if isinstance(step, int) else getattr(owner, step, None)
    if not dataclasses.is_dataclass(owner):
        return ""
    names = {name: found for found, option in options_of(cast(type, type(owner))).items() for name in _names(option)}
    return next((names[key] for key in keys if key in names), "")


def _names(option: Option) -> tuple[str, ...]:
    """What files call an option."""
    return tuple(name.partition(".")[0] for name in (option.cloudformation, option.openapi) if name)


def shown(path: FilePath) -> str:
    """A place in a file, for people."""
    return ".".join(map(str, path))


def pointer(place: Path) -> str:
    """A part of the definition as a JSON Pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)


class Node:
    """An object of a file, and what of it nobody has read yet."""

    __slots__ = ("file", "path", "reason", "values")

    def __init__(self, file: File, value: Any, path: FilePath, reason: str = "") -> None:
        self.file = file
        value, self.path, found = file.view(value, path)
        self.reason = found or reason
        """Why it is not edited in place; empty where it is."""
        self.values: dict[str, Any] = {}
        if isinstance(value, dict) and not is_intrinsic(value):
            self.values = dict(value)
        elif value is not None:
            self.lose("an object is wanted here")

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None and self.values[key] != NO_VALUE

    def at(self, key: str | None = None) -> FilePath:
        """The place of a key."""
        return self.path if key is None else (*self.path, key)

    def lose(self, reason: str, key: str | None = None) -> None:
        """Say that something is not read."""
        self.file.say(LOST, self.at(key), f"{shown(self.at(key))}: {reason}. It was left out.")

    def keep(self, message: str, key: str | None = None) -> None:
        """Say that something is kept as it stands."""
        self.file.say(KEPT, self.at(key), f"{shown(self.at(key))}: {message}", Severity.ADVICE)

    def note(self, message: str, key: str | None = None, severity: Severity = Severity.ADVICE) -> None:
        """Say that something is read in a way of its own."""
        self.file.say(NOTED, self.at(key), f"{shown(self.at(key))}: {message}", severity)

    def raw(self, key: str) -> Any:
        """The value of a key as it stands, intrinsics included; None where there is none, or AWS::NoValue."""
        value = self.values.pop(key, None)
        return None if value == NO_VALUE else value

    def describe(self, *keys: str) -> None:
        """Take what documents the API; it is told once for the whole file."""
        self.file.documentation += [self.at(key) for key in keys if self.values.pop(key, None)]

    def drop(self, *keys: str) -> None:
        """Keys that say nothing to a definition."""
        for key in keys:
            self.values.pop(key, None)

    def text(self, key: str) -> str | None:
        """Reference text; numbers and flags as they are handed on."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, list) or (isinstance(value, dict) and not is_intrinsic(value)):
            self.lose("a text is wanted here", key)
            return None
        return self.file.values.text(value)

    def plain(self, key: str) -> str | None:
        """Text that holds no reference; one that does is said."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, list) or (isinstance(value, dict) and not is_intrinsic(value)):
            self.lose("a text is wanted here", key)
            return None
        if isinstance(value, dict):
            self.keep("Only a deployment knows this text; it stands as its reference", key)
        return self.file.values.plain(value)

    def flag(self, key: str) -> Any:
        """True, false, or the reference that stands for one; None where it is neither."""
        value = self.raw(key)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        found = self.file.values.whole(value)
        if found is None:
            self.lose("true or false is wanted here", key)
        return found

    def number(self, key: str) -> Any:
        """A whole number, also as text, or the reference that stands for one; None where it is neither."""
        value = self.raw(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53):
            return value
        if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
            return int(value)
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value.strip(), re.ASCII):
            return int(value)
        found = self.file.values.whole(value) if isinstance(value, str | dict) else None
        if found is None:
            self.lose("a whole number is wanted here", key)
        return found

    def real(self, key: str) -> Any:
        """A number, or the reference that stands for one."""
        value = self.values.get(key)
        if isinstance(value, float):
            self.values.pop(key)
            return value
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}\.\d{1,15}", value, re.ASCII):
            self.values.pop(key)
            return float(value)
        return self.number(key)

    def node(self, key: str) -> "Node":
        """An object; an empty one where there is none."""
        return Node(self.file, self.values.pop(key, None), self.at(key), self.reason)

    def nodes(self) -> Iterator[tuple[str, "Node"]]:
        """All values as objects, by key."""
        for key in list(self.values):
            value = self.values.pop(key)
            if value is not None and value != NO_VALUE:
                yield key, Node(self.file, value, self.at(key), self.reason)

    def parts(self, key: str) -> list[tuple[Any, FilePath, str]]:
        """The parts of a list, each with its place and why it is not edited in place; one thing alone is a list of it."""
        value, path, reason = self.file.view(self.raw(key), self.at(key))
        if value is None:
            return []
        if isinstance(value, dict) and is_intrinsic(value):
            self.lose("only a deployment knows this list", key)
            return []
        found = []
        for index, part in enumerate(value if isinstance(value, list) else [value]):
            one, where, why = self.file.view(part, (*path, index) if isinstance(value, list) else path)
            if one is not None:
                found.append((one, where, why or reason or self.reason))
        return found

    def each(self, key: str) -> list[Any]:
        """The parts of a list of texts; what a deployment alone knows is one of them."""
        value = self.values.get(key)
        if isinstance(value, dict) and is_intrinsic(value) and "Fn::If" not in value:
            return [self.values.pop(key)] if value != NO_VALUE else []
        return [part for part, _, _ in self.parts(key)]

    def texts(self, key: str) -> dict[str, str]:
        """A map of reference texts."""
        return {name: self.file.values.text(value) for name, value in self.pairs(key)}

    def pairs(self, key: str) -> list[tuple[str, Any]]:
        """The keys and values of a map, unset ones left out."""
        return [(name, value) for name, value in self.node(key).values.items() if value is not None and value != NO_VALUE]

    def end(self) -> None:
        """Say what nobody has read."""
        for key, value in self.values.items():
            if value is not None:
                self.lose("Gatehouse does not read this", key)
