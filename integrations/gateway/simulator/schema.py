"""A JSON schema of draft 4 and a value in, out comes why the value does not fit, in the words of API Gateway's log.

Bounded: every keyword that is looked at counts, patterns run as in `selection`, and only models of the API are referred to.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from integrations.gateway.selection import InvalidPattern, Undecided, compile_pattern

STEPS = 50_000
"""Keywords looked at in one validation."""
SECONDS = 0.3
"""What all patterns of one validation may take."""
DEPTH = 60
"""Schemas inside each other, at one place of the value."""


class Unusable(ValueError):
    """The schema cannot be used: it is no schema, refers to what is not there, or costs more than it may."""


class Schema:
    """A schema, and the models that it may refer to, by name."""

    def __init__(self, schema: Any, models: Mapping[str, Any]) -> None:
        self._root = schema
        self._models = models
        self._left = STEPS
        self._seconds = SECONDS

    def misfits(self, value: Any) -> list[str]:
        """Why the value does not fit; empty where it does. Raises Unusable."""
        self._left, self._seconds = STEPS, SECONDS
        return list(self._check(value, self._root, self._root, 0))

    def _fits(self, value: Any, schema: Any, root: Any, depth: int) -> bool:
        return next(self._check(value, schema, root, depth), None) is None

    def _check(self, value: Any, schema: Any, root: Any, depth: int) -> Iterator[str]:
        if not isinstance(schema, dict):
            raise Unusable("A schema is a JSON object.")
        if depth > DEPTH:
            raise Unusable("The schema refers to itself too deeply.")
        if "$ref" in schema:
            target, root = self._target(schema["$ref"], root)
            yield from self._check(value, target, root, depth + 1)
            return
        for keyword, held in schema.items():
            self._left -= 1 + (len(held) >> 4 if isinstance(held, list | dict) else 0)
            if keyword == "uniqueItems" and isinstance(value, list):
                self._left -= len(value) >> 4
            if self._left < 0:
                raise Unusable("Checking the value against the schema takes too long.")
            check = KEYWORDS.get(keyword)
            if check is not None:
                yield from check(self, value, held, schema, root, depth)

    def _target(self, reference: Any, root: Any) -> tuple[Any, Any]:
        """The schema that a $ref names, and the document that it stands in."""
        if not isinstance(reference, str):
            raise Unusable("A $ref is a text.")
        document, _, fragment = reference.partition("#")
        if document:
            name = document.rpartition("/models/")[2]
            if "/models/" not in document or name not in self._models:
                raise Unusable(f"The schema refers to {reference:.100}, which is no model of this API.")
            root = self._models[name]
        found = root
        for part in fragment.removeprefix("/").split("/") if fragment.strip("/") else ():
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                raise Unusable(f"The schema refers to {reference:.100}, which is not in it.")
        return found, root

    def matches(self, pattern: Any, text: str) -> bool:
        """Whether a regular expression is found in a text. Raises Unusable."""
        if not isinstance(pattern, str):
            raise Unusable("A pattern is a text.")
        started = time.monotonic()
        try:
            return next(compile_pattern(pattern).find(text, self._seconds), None) is not None
        except InvalidPattern as error:
            raise Unusable(f"{pattern!r:.60} is no regular expression: {error.message}") from error
        except Undecided as error:
            raise Unusable(str(error)) from error
        finally:
            self._seconds -= time.monotonic() - started


# --- Keywords --------------------------------------------------------------------------------------


def kind_of(value: Any) -> str:
    """The type of a JSON value, as schemas call it."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, and is not true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


type _Check = Callable[[Schema, Any, Any, dict[str, Any], Any, int], Iterator[str]]


def _type(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    allowed = held if isinstance(held, list) else [held]
    kind = kind_of(value)
    if kind not in allowed and not (kind == "integer" and "number" in allowed):
        names = ",".join(json.dumps(name) for name in allowed)
        yield f"instance type ({kind}) does not match any allowed primitive type (allowed: [{names}])"


def _enum(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if not any(same(value, one) for one in _list(held, "enum")):
        yield f"instance value ({_short(value)}) not found in enum (possible values: {_short(held)})"


def _properties(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in _object(held, "properties").items():
            if name in value:
                yield from schema._check(value[name], inner, root, depth + 1)


def _pattern_properties(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for pattern, inner in _object(held, "patternProperties").items():
            for name in value:
                if schema.matches(pattern, name):
                    yield from schema._check(value[name], inner, root, depth + 1)


def _additional_properties(
    schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int
) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    patterns = _object(siblings.get("patternProperties", {}), "patternProperties")
    known = _object(siblings.get("properties", {}), "properties")
    extra = [name for name in value if name not in known and not any(schema.matches(pattern, name) for pattern in patterns)]
    if held is False and extra:
        yield f"object instance has properties which are not allowed by the schema: {_short(sorted(extra))}"
    elif isinstance(held, dict):
        for name in extra:
            yield from schema._check(value[name], held, root, depth + 1)


def _required(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        missing = [name for name in _list(held, "required") if name not in value]
        if missing:
            yield f"object has missing required properties ({_short(sorted(map(str, missing)))})"


def _dependencies(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for name, needed in _object(held, "dependencies").items():
            if name not in value:
                continue
            if isinstance(needed, dict):
                yield from schema._check(value, needed, root, depth + 1)
            elif missing := [one for one in ([needed] if isinstance(needed, str) else needed) if one not in value]:
                yield f"property {_short(name)} of object has missing property dependencies ({_short(missing)})"


def _items(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if not isinstance(value, list):
        return
    if isinstance(held, dict):
        for item in value:
            yield from schema._check(item, held, root, depth + 1)
        return
    for item, inner in zip(value, _list(held, "items"), strict=False):
        yield from schema._check(item, inner, root, depth + 1)
    more = siblings.get("additionalItems", {})
    if more is False and len(value) > len(held):
        yield f"array only allows {len(held)} items, but has {len(value)}"
    elif isinstance(more, dict):
        for item in value[len(held) :]:
            yield from schema._check(item, more, root, depth + 1)


def _unique_items(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if held is True and isinstance(value, list):
        seen: set[str] = set()
        for item in value:
            seen.add(_canonical(item))
        if len(seen) < len(value):
            yield "array must not contain duplicate elements"


def _canonical(value: Any) -> str:
    """The same text for equal values."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def _minimum(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if _is_number(value):
        exclusive = siblings.get("exclusiveMinimum") is True
        if value < _number(held, "minimum") or (exclusive and value == held):
            what = "not strictly greater than the required" if exclusive else "lower than the required"
            yield f"numeric instance is {what} minimum (minimum: {_short(held)}, found: {_short(value)})"


def _maximum(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if _is_number(value):
        exclusive = siblings.get("exclusiveMaximum") is True
        if value > _number(held, "maximum") or (exclusive and value == held):
            what = "not strictly lower than the required" if exclusive else "greater than the required"
            yield f"numeric instance is {what} maximum (maximum: {_short(held)}, found: {_short(value)})"


def _multiple_of(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if _is_number(value):
        of = _number(held, "multipleOf")
        if of <= 0:
            raise Unusable("multipleOf is a number above 0.")
        try:
            whole = value % of == 0 if isinstance(of, int) and isinstance(value, int) else (value / of).is_integer()
        except (OverflowError, ValueError):
            whole = False
        if not whole:
            yield f"remainder of division is not zero ({_short(value)} / {_short(of)})"


def _sized(
    kind: type, size: Callable[[Any], int], name: str, what: str, compared: Callable[[int, float], bool], words: str
) -> _Check:
    """A keyword that bounds how long a text, an array or an object is."""

    def check(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
        if isinstance(value, kind) and compared(size(value), _number(held, name)):
            yield f"{what} is too {words} (found: {size(value)}, required {name[:3]}imum: {held})"

    return check


def _below(size: int, bound: float) -> bool:
    return size < bound


def _above(size: int, bound: float) -> bool:
    return size > bound


def _pattern(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str) and not schema.matches(held, value):
        yield f"ECMA 262 regex {_short(held)} does not match input string {_short(value)}"


def _all_of(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    for inner in _list(held, "allOf"):
        yield from schema._check(value, inner, root, depth + 1)


def _any_of(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if not any(schema._fits(value, inner, root, depth + 1) for inner in _list(held, "anyOf")):
        yield f"instance failed to match at least one required schema among {len(held)}"


def _one_of(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    matched = sum(schema._fits(value, inner, root, depth + 1) for inner in _list(held, "oneOf"))
    if matched != 1:
        yield f"instance failed to match exactly one schema (matched {matched} out of {len(held)})"


def _not(schema: Schema, value: Any, held: Any, siblings: dict[str, Any], root: Any, depth: int) -> Iterator[str]:
    if schema._fits(value, held, root, depth + 1):
        yield "instance matched a schema which it should not have"


KEYWORDS: dict[str, _Check] = {
    "type": _type,
    "enum": _enum,
    "required": _required,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "minProperties": _sized(dict, len, "minProperties", "object", _below, "small"),
    "maxProperties": _sized(dict, len, "maxProperties", "object", _above, "big"),
    "dependencies": _dependencies,
    "items": _items,
    "minItems": _sized(list, len, "minItems", "array", _below, "short"),
    "maxItems": _sized(list, len, "maxItems", "array", _above, "long"),
    "uniqueItems": _unique_items,
    "minimum": _minimum,
    "maximum": _maximum,
    "multipleOf": _multiple_of,
    "minLength": _sized(str, len, "minLength", "string", _below, "short"),
    "maxLength": _sized(str, len, "maxLength", "string", _above, "long"),
    "pattern": _pattern,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
}
"""The keywords that validate; the others (title, description, default, format, definitions) do not."""


def _list(held: Any, name: str) -> list[Any]:
    if not isinstance(held, list):
        raise Unusable(f"{name} is a list.")
    return held


def _object(held: Any, name: str) -> dict[str, Any]:
    if not isinstance(held, dict):
        raise Unusable(f"{name} is an object.")
    return held


def _number(held: Any, name: str) -> float:
    if not _is_number(held):
        raise Unusable(f"{name} is a number.")
    return held  # type: ignore[no-any-return]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= 200 else f"{text[:200]}…"
