"""A definition as canonical JSON, and back."""

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, cast

from integrations.gateway.definition.api import Api
from integrations.gateway.definition.backends import BACKENDS
from integrations.gateway.definition.values import LIMITS, DefinitionError, Intrinsic, Template, fields_of
from integrations.gateway.findings import Path
from integrations.gateway.grammar import Reference, whole_reference

SCHEMA = 1
"""The number that a stored definition carries; `loads` upgrades older ones."""


SCALARS = {str: "A text", int: "A whole number", float: "A number", bool: "true or false"}
"""What a scalar's type is called in messages."""


def to_json(value: Any) -> Any:
    """The JSON value of a definition or a part of it: what is empty, and what is unset as it is without being said, left out."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Template):
        return {"substituted": value.text} if value.substituted else value.text
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, Intrinsic):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found: dict[str, Any] = {"kind": cast(Any, value).kind} if type(value) in BACKENDS.values() else {}
        for name, (_, field) in fields_of(type(value)).items():
            inner = getattr(value, name)
            unset = field.default is None if inner is None else inner == () or inner == {}
            if not unset:
                found[name] = to_json(inner)
        return found
    if isinstance(value, Mapping):
        return {key: to_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [to_json(inner) for inner in value]
    return value


def dumps(api: Api, *, indent: int | None = None) -> str:
    """Canonical JSON (ASCII, no spaces) with its schema number; `indent` for people."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps({"schema": SCHEMA} | to_json(api), ensure_ascii=True, indent=indent, separators=separators)


def digest(text: str) -> str:
    """SHA-256 of a canonical JSON text, in hex."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Schema → what makes the JSON value of the next one of it; `loads` goes from step to step up to SCHEMA."""


class _Object(dict[str, Any]):
    """A JSON object that remembers a key that stood in it twice; `from_json` refuses it, where its path is known."""

    twice: str | None = None


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        found.twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return found


def loads(text: str) -> Api:
    """The definition that a JSON text holds. Raises DefinitionError with the path of what does not fit."""
    if len(text) > LIMITS["bytes"]:
        raise DefinitionError(f"The text is longer than {LIMITS['bytes']:,} bytes.")
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except ValueError as error:
        raise DefinitionError(f"This is not JSON: {error}.") from error
    except RecursionError as error:
        raise DefinitionError("This JSON is nested too deeply.") from error
    if not isinstance(value, dict):
        raise DefinitionError("A definition is a JSON object.")
    _refuse_twice(value, ())
    schema = value.pop("schema", None)
    while type(schema) is int and schema in UPGRADES:
        value, schema = UPGRADES[schema](value), schema + 1
    if type(schema) is not int or schema != SCHEMA:
        raise DefinitionError(f"Schema {schema!r:.40} is not known here; this version reads schema {SCHEMA}.", ("schema",))
    value.pop("metadata", None)  # of the file: which revision it was
    return cast(Api, from_json(value, Api))


def _refuse_twice(value: Any, path: Path) -> None:
    if isinstance(value, _Object) and value.twice is not None:
        raise DefinitionError(f"The key {value.twice!r} stands twice in one object.", path)


def _intrinsic(value: Any, path: Path) -> Intrinsic:
    pending = [value]
    while pending:
        inner = pending.pop()
        _refuse_twice(inner, path)
        pending += inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
    try:
        return Intrinsic.of(value)
    except DefinitionError as error:
        raise DefinitionError(error.message, path) from error


def from_json(value: Any, wanted: Any, path: Path = ()) -> Any:
    """The value of a JSON value by the declared type of its field. Raises DefinitionError."""
    if isinstance(wanted, typing.TypeAliasType):
        wanted = wanted.__value__
    _refuse_twice(value, path)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Literal:
        if value not in arguments:
            raise DefinitionError(f"Use one of {', '.join(map(str, arguments))}.", path)
        return value
    if origin in (typing.Union, types.UnionType):
        return _from_union(value, arguments, path)
    if origin is tuple:
        if not isinstance(value, list) or len(value) > LIMITS["rows"]:
            raise DefinitionError(f"A list of up to {LIMITS['rows']:,} is wanted here.", path)
        return tuple(from_json(inner, arguments[0], (*path, index)) for index, inner in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict) or len(value) > LIMITS["rows"]:
            raise DefinitionError(f"An object of up to {LIMITS['rows']:,} keys is wanted here.", path)
        return {key: from_json(inner, arguments[1], (*path, key)) for key, inner in value.items()}
    if wanted is Intrinsic:
        return _intrinsic(value, path)
    if wanted is Template:
        if isinstance(value, dict) and set(value) == {"substituted"}:
            return Template(from_json(value["substituted"], str, path), substituted=True)
        return Template(from_json(value, str, path))
    if dataclasses.is_dataclass(wanted):
        return _from_object(value, cast(type, wanted), path)
    if wanted is float and type(value) is int:
        wanted = int
    if type(value) is not wanted:
        raise DefinitionError(f"{SCALARS[wanted]} is wanted here.", path)
    if isinstance(value, str) and len(value) > LIMITS["text"]:
        raise DefinitionError(f"A text of up to {LIMITS['text']:,} characters is wanted here.", path)
    if isinstance(value, int | float) and not abs(value) <= LIMITS["number"]:
        raise DefinitionError(f"{SCALARS[type(value)]} of up to {LIMITS['number']:,} is wanted here.", path)
    return value


def _from_union(value: Any, arguments: tuple[Any, ...], path: Path) -> Any:
    if value is None and type(None) in arguments:
        return None
    choices = [argument for argument in arguments if argument is not type(None)]
    if choices[0] in BACKENDS.values():
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in BACKENDS:
            raise DefinitionError(f"Use one of {', '.join(BACKENDS)} as the backend's kind.", (*path, "kind"))
        return _from_object({k: v for k, v in value.items() if k != "kind"}, BACKENDS[kind], path)
    if Reference in choices and isinstance(value, str):
        reference = whole_reference(value)
        if reference is None:
            raise DefinitionError(f"{SCALARS[choices[0]]} or one ${{Name}} is wanted here.", path)
        return reference
    return from_json(value, choices[0], path)


def _from_object(value: Any, wanted: type, path: Path) -> Any:
    _refuse_twice(value, path)
    if not isinstance(value, dict):
        raise DefinitionError("An object is wanted here.", path)
    fields = fields_of(wanted)
    for key in value:
        if key not in fields:
            raise DefinitionError(f"{wanted.__name__} has no field {key!r}.", path)
    for name, (_, field) in fields.items():
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if missing and name not in value:
            raise DefinitionError(f"The field {name!r} is missing.", path)
    return wanted(**{key: from_json(inner, fields[key][0], (*path, key)) for key, inner in value.items()})
