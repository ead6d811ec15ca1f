"""The definition and a path come in, the definition with that one place changed goes out: what fixes are made of."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, cast

from integrations.gateway.definition import Api
from integrations.gateway.findings import Path
from integrations.gateway.rules.rule import Fix


def at(value: Any, path: Path) -> Any:
    """What stands at a path."""
    for part in path:
        value = getattr(value, cast(str, part)) if dataclasses.is_dataclass(value) else value[part]
    return value


def changed(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The same value with what stands at the path changed. A map's value may be new."""
    if not path:
        return change(value)
    first, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        return {**value, first: changed(value.get(first), rest, change)}
    if isinstance(value, tuple):
        return (*value[: cast(int, first)], changed(value[cast(int, first)], rest, change), *value[cast(int, first) + 1 :])
    return dataclasses.replace(value, **{cast(str, first): changed(getattr(value, cast(str, first)), rest, change)})


def put(api: Api, path: Path, new: Any) -> Api:
    """The API with another value at the path."""
    return cast(Api, changed(api, path, lambda _: new))


def setting(new: Any, *where: str | int) -> Fix:
    """A fix that puts a value at the path that was found, or at a place of its route."""
    return lambda api, path: put(api, (*path[:2], *where) if where else path, new)


def drop(api: Api, path: Path) -> Api:
    """The API without the entry, the row or the option at the path: an option goes back to its default."""
    parent, last = path[:-1], path[-1]

    def without(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: inner for key, inner in value.items() if key != last}
        if isinstance(value, tuple):
            return (*value[: cast(int, last)], *value[cast(int, last) + 1 :])
        field = next(field for field in dataclasses.fields(value) if field.name == last)
        unset = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        return dataclasses.replace(value, **{field.name: unset})

    return cast(Api, changed(api, parent, without))


def rename(api: Api, path: Path, new: str) -> Api:
    """The API with another key for the entry of a map at the path, in its place."""
    *parent, old = path
    return cast(Api, changed(api, tuple(parent), lambda value: {new if key == old else key: v for key, v in value.items()}))


def rewriting(change: Callable[[Any], Any]) -> Fix:
    """A fix that works out the new value from the one that was found."""
    return lambda api, path: cast(Api, changed(api, path, change))
