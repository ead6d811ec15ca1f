"""Every text of a definition with its place; references, and values in their place; defaults written out."""

import dataclasses
import functools
import json
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from integrations.gateway.definition.api import Api, DeploymentParameter
from integrations.gateway.definition.values import DefinitionError, Intrinsic, Same, Template, fields_of
from integrations.gateway.findings import Path
from integrations.gateway.grammar import Reference, notation, references_in, segments, whole_reference
from integrations.gateway.options import Kind, Option, options_of


class Leaf(NamedTuple):
    """One scalar of a definition. `key` tells whether it is the key of a map."""

    path: Path
    value: Any
    option: Any
    """The Option it belongs to, or None for what is no option (the name of a parameter)."""
    key: bool = False
    substituted: bool = True
    """Whether `${Name}` in it is a reference."""


def leaves(value: Any, path: Path = (), owner: Any = None) -> Sequence[Leaf]:
    """All scalars of a definition in its own order, map keys included; unset ones are left out."""
    if isinstance(value, Api) and not path:
        return _leaves_of(Same(value))
    found: list[Leaf] = []
    _collect(value, path, owner, found)
    return found


@functools.lru_cache(maxsize=4)
def _leaves_of(same: Same[Api]) -> tuple[Leaf, ...]:
    """Rules and formats walk one definition many times in a row."""
    found: list[Leaf] = []
    for name, declared in _owners(Api):
        _collect(getattr(same.value, name), (name,), declared, found)
    return tuple(found)


@functools.cache
def _owners(owner: type) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.metadata.get("option")) for field in dataclasses.fields(owner))


def _collect(value: Any, path: Path, owner: Any, found: list[Leaf]) -> None:
    if isinstance(value, (str, int, float)):
        found.append(Leaf(path, value, owner, False, owner is not None and owner.reads_references))
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            _collect(inner, (*path, index), owner, found)
    elif isinstance(value, Template):
        found.append(Leaf(path, value.text, owner, False, value.substituted))
    elif isinstance(value, Intrinsic):
        found.append(Leaf(path, value.text, owner, False, False))
    elif isinstance(value, Reference):
        found.append(Leaf(path, str(value), owner))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            place = (*path, key)
            found.append(Leaf(place, key, owner, True, False))
            _collect(inner, place, owner, found)
    elif value is not None:
        for name, declared in _owners(cast(type, type(value))):
            inner = getattr(value, name)
            if inner is not None and inner != ():
                _collect(inner, (*path, name), declared, found)


def with_defaults[T](value: T) -> T:
    """A definition or a part of it with API Gateway's defaults written out: what an account would give back.

    Two that differ only in what is left unset and what repeats the default are equal then. What has no single default (the
    cache namespace, which is the resource's id) stays unset.
    """
    if isinstance(value, tuple):
        return cast(T, tuple(map(with_defaults, value)))
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    known = options_of(type(value))
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        found[field.name] = known[field.name].aws_default if inner is None and field.name in known else with_defaults(inner)
    return cast(T, dataclasses.replace(cast(Any, value), **found))


def parameters_of(api: Api) -> tuple[DeploymentParameter, ...]:
    """Declared parameters first, then one for each name that is referred to and not declared, its kind from its place."""
    return with_undeclared(api.parameters, referred(api))


def with_undeclared(declared: Iterable[DeploymentParameter], used: Mapping[str, Kind]) -> tuple[DeploymentParameter, ...]:
    """These parameters, and one for each name of `used` that is none of theirs."""
    found = {parameter.name: parameter for parameter in declared}
    for name, kind in used.items():
        if name not in found:
            found[name] = DeploymentParameter(name=name, kind=kind)
    return tuple(found.values())


PARTS = tuple(dict.fromkeys(("routes", "stage_variables", "stage_name", *options_of(Api))))
"""The fields of an API that may refer to something, in the order in which parameters are named."""


def referred(api: Api) -> dict[str, Kind]:
    """The names that something refers to, as they come → the kind of the first place that they stand in."""
    found: dict[str, Kind] = {}
    reading = [leaf for leaf in leaves(api) if leaf.substituted and not leaf.key and "${" in str(leaf.value)]
    for part in PARTS:
        for leaf in (leaf for leaf in reading if leaf.path[0] == part):
            alone = whole_reference(leaf.value) is not None
            for reference in references_in(leaf.value):
                if not reference.is_pseudo and reference.name not in found:
                    found[reference.name] = leaf.option.kind if alone and leaf.option is not None else "text"
    return found


def bind(api: Api, values: Mapping[str, str | Reference]) -> Api:
    """The definition with values in the place of these parameters, wherever a text, a number or a flag refers to them.

    A value is literal text: a `${x}` in it refers to nothing; or a Reference, which is another name. Other parameters stay.
    Raises DefinitionError with the path of a number or a flag that gets something else.
    """
    kept = tuple(parameter for parameter in api.parameters if parameter.name not in values)
    return dataclasses.replace(_bound(dataclasses.replace(api, parameters=()), values, None, ()), parameters=kept)


def _bound[T](value: T, values: Mapping[str, str | Reference], owner: Any, path: Path) -> T:
    found: Any = value
    if isinstance(value, Template):
        found = dataclasses.replace(value, text=_bound_text(value.text, values)) if value.substituted else value
    elif isinstance(value, str):
        found = _bound_text(value, _within(values, owner)) if owner is not None and owner.reads_references else value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type | Reference | Intrinsic):
        made = {}
        for name, (hint, field) in fields_of(type(value)).items():
            inner = getattr(value, name)
            given = inner.name in values if isinstance(inner, Reference) else False
            option = field.metadata.get("option")
            made[name] = (
                _scalar(values[inner.name], hint, (*path, name)) if given else _bound(inner, values, option, (*path, name))
            )
        found = dataclasses.replace(cast(Any, value), **made)
    elif isinstance(value, Mapping):
        found = {key: _bound(inner, values, owner, (*path, key)) for key, inner in value.items()}
    elif isinstance(value, tuple):
        found = tuple(_bound(inner, values, owner, (*path, index)) for index, inner in enumerate(value))
    return cast(T, found)


def _within(values: Mapping[str, str | Reference], option: Option) -> Mapping[str, str | Reference]:
    """The values as they stand in the text of an option: in JSON, as the inside of a string."""
    if option.text != "document":
        return values
    return {name: json.dumps(value)[1:-1] if isinstance(value, str) else value for name, value in values.items()}


def _bound_text(text: str, values: Mapping[str, str | Reference]) -> str:
    if not any(reference.name in values for reference in references_in(text)):
        return text
    given = (values[part.name] if isinstance(part, Reference) and part.name in values else part for part in segments(text))
    return notation(tuple(given))


def _scalar(text: str | Reference, hint: Any, path: Path) -> int | float | bool | Reference:
    """A value for a number or a flag."""
    if isinstance(text, Reference):
        return text
    if bool in typing.get_args(hint):
        if text.lower() not in ("true", "false"):
            raise DefinitionError(f"Give true or false here, not {text!r:.40}.", path)
        return text.lower() == "true"
    if float in typing.get_args(hint) and re.fullmatch(r"\d{1,15}\.\d{1,9}", text, re.ASCII):
        return float(text)
    if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        raise DefinitionError(f"Give a whole number here, not {text!r:.40}.", path)
    return int(text)
