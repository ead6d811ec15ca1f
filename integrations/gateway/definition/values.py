"""What a definition is made of beside its options: bounds, Velocity templates, kept intrinsics."""

import dataclasses
import functools
import itertools
import json
import typing
from dataclasses import dataclass
from typing import Any

from integrations.gateway.findings import Path

LIMITS = {"text": 1_100_000, "rows": 2_000, "bytes": 8_000_000, "number": 2**53, "depth": 100}
"""What a definition may hold: characters in a text, rows in a map or list, bytes of JSON, a number that every JSON reader
keeps, levels in an origin. Bounds for safety, not AWS's own."""


class DefinitionError(ValueError):
    """A text that is no definition: what is wrong, and at which path."""

    def __init__(self, message: str, path: Path = ()) -> None:
        where = "".join(f"[{part!r}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Template:
    """A Velocity template. `substituted`: its `${Name}` are references of the deployment, not Velocity's."""

    text: str
    substituted: bool = False


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """What stood in an imported file where a parameter stands now: one JSON value, kept verbatim as ASCII text."""

    text: str

    @classmethod
    def of(cls, value: Any) -> "Intrinsic":
        """Of a JSON value such as `{"Fn::GetAtt": ["Orders", "Arn"]}`, not null. Raises DefinitionError where it is none."""
        level, depth, parts = [value], 0, 0
        while level:
            lists = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
            level = list(itertools.islice(itertools.chain.from_iterable(lists), LIMITS["text"]))
            depth, parts = depth + 1, parts + len(level)
            if depth > LIMITS["depth"] or parts >= LIMITS["text"]:
                raise DefinitionError(
                    f"Values up to {LIMITS['depth']} levels deep and {LIMITS['text']:,} characters long are kept."
                )
        try:
            text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            raise DefinitionError(f"This is no JSON value: {error}.") from error
        if value is None or len(text) > LIMITS["text"]:
            raise DefinitionError(f"A JSON value of up to {LIMITS['text']:,} characters is wanted here.")
        return cls(text)

    @property
    def value(self) -> Any:
        """The JSON value."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True, eq=False)
class Same[T]:
    """A value that is equal to itself alone, as the key of a cache. Holding it keeps its identity from being another's."""

    value: T

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@functools.cache
def fields_of(owner: type) -> dict[str, tuple[Any, dataclasses.Field[Any]]]:
    """The fields of a dataclass by name: the type of each, and its declaration."""
    hints = typing.get_type_hints(owner)
    return {field.name: (hints[field.name], field) for field in dataclasses.fields(owner)}
