"""A JSONPath and a document in, what Jayway's JsonPath finds out: one value for a definite path, a list for any other."""

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.gateway.velocity.budget import Budget, TemplateError
from integrations.gateway.velocity.values import double_text, is_number

MAX_LENGTH = 4_096
MAX_NESTING = 20


class PathNotFound(Exception):
    """A definite path leads nowhere."""


class InvalidPath(TemplateError):
    """No JSONPath that Jayway reads."""


# --- Parts of a path -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Keys:
    """`.a`, `['a']`, `['a','b']`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indexes:
    """`[0]`, `[-1]`, `[0,2]`."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """`[1:3]`, `[:2]`, `[-2:]`."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*`."""


@dataclass(frozen=True, slots=True)
class Deep:
    """`..`: the next part, at every depth."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(…)]`."""

    test: "Test"


@dataclass(frozen=True, slots=True)
class Function:
    """`.length()`, `.sum()`…"""

    name: str


type Part = Keys | Indexes | Slice | Wildcard | Deep | Filter | Function


@dataclass(frozen=True, slots=True)
class Comparison:
    """left operator right; each a literal or a path. Without an operator: whether the path leads anywhere."""

    left: "Operand"
    operator: str = ""
    right: "Operand | None" = None


@dataclass(frozen=True, slots=True)
class Combination:
    """&&, || or ! of tests."""

    operator: str
    tests: "tuple[Test, ...]"


type Test = Comparison | Combination


@dataclass(frozen=True, slots=True)
class Operand:
    """A literal, or a path from `@` (the item) or `$` (the document)."""

    literal: Any = None
    parts: tuple[Part, ...] | None = None
    from_root: bool = False


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A parsed path."""

    parts: tuple[Part, ...]

    @property
    def definite(self) -> bool:
        """Whether it leads to at most one place."""
        return all(
            (isinstance(part, Keys | Indexes) and len(part.names if isinstance(part, Keys) else part.numbers) == 1)
            or isinstance(part, Function)
            or (isinstance(part, Keys) and index == len(self.parts) - 1)
            for index, part in enumerate(self.parts)
        )

    def read(self, document: Any, budget: Budget) -> Any:
        """What the path leads to in the document. Raises PathNotFound for a definite path that leads nowhere."""
        return self._read(document, document, budget)

    def read_from(self, item: Any, root: Any, budget: Budget) -> Any:
        """The same, from an item of the document, as a filter's `@` does."""
        return self._read(item, root, budget)

    def _read(self, value: Any, root: Any, budget: Budget) -> Any:
        found: list[Any] = []
        function = self.parts[-1] if self.parts and isinstance(self.parts[-1], Function) else None
        _Walk(self.parts[:-1] if function else self.parts, root, budget, found).go(0, value)
        if not self.definite:
            result: Any = found
        elif found:
            result = found[0]
        else:
            raise PathNotFound
        return _applied(function.name, result) if function else result


@dataclass(frozen=True, slots=True)
class _Walk:
    """One evaluation of a path's parts: what they lead to is put into `found`."""

    parts: Sequence[Part]
    root: Any
    budget: Budget
    found: list[Any]

    def go(self, at: int, value: Any) -> None:
        """Follow the parts from `at` on."""
        self.budget.step()
        if at == len(self.parts):
            self.found.append(value)
            return
        match self.parts[at]:
            case Deep():
                self._deep(at + 1, value)
            case Keys(names=names):
                self._keys(at + 1, names, value)
            case Indexes(numbers=numbers):
                for number in numbers if isinstance(value, list) else ():
                    if -len(value) <= number < len(value):
                        self.go(at + 1, value[number])
            case Slice(first=first, last=last):
                for item in value[first:last] if isinstance(value, list) else ():
                    self.go(at + 1, item)
            case Wildcard():
                for item in _items(value):
                    self.go(at + 1, item)
            case Filter(test=test):
                for item in value if isinstance(value, list) else [value] if isinstance(value, dict) else []:
                    if _holds(test, item, self.root, self.budget):
                        self.go(at + 1, item)

    def _keys(self, at: int, names: tuple[str, ...], value: Any) -> None:
        if not isinstance(value, dict):
            return
        if len(names) > 1 and at == len(self.parts):
            self.found.append({name: value[name] for name in names if name in value})
            return
        for name in names:
            if name in value:
                self.go(at, value[name])

    def _deep(self, at: int, value: Any) -> None:
        self.budget.step()
        part = self.parts[at]
        if isinstance(value, dict | list):
            if isinstance(part, Wildcard | Filter) or _has(value, part):
                self.go(at, value)
            for item in _items(value):
                self._deep(at, item)


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _has(value: Any, part: Part) -> bool:
    if isinstance(part, Keys):
        return isinstance(value, dict) and all(name in value for name in part.names)
    least = max(number + 1 if number >= 0 else -number for number in part.numbers) if isinstance(part, Indexes) else 0
    return isinstance(value, list) and len(value) >= least


def _applied(name: str, value: Any) -> Any:
    if name in ("length", "size"):
        return len(value) if isinstance(value, list | dict | str) else None
    if name == "keys":
        return list(value) if isinstance(value, dict) else None
    numbers = [float(item) for item in value if is_number(item)] if isinstance(value, list) else []
    if not numbers:
        raise TemplateError(f"{name}() needs a list that holds a number.")
    match name:
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
        case "sum":
            return sum(numbers)
        case "avg":
            return sum(numbers) / len(numbers)
        case "stddev":
            mean = sum(numbers) / len(numbers)
            return (sum((number - mean) ** 2 for number in numbers) / len(numbers)) ** 0.5
    raise TemplateError(f"There is no function {name}() in a JSONPath.")


# --- Filters ---------------------------------------------------------------------------------------


class _Nowhere:
    """What a path of a filter gives that leads nowhere."""


NOWHERE = _Nowhere()


def _holds(test: Test, item: Any, root: Any, budget: Budget) -> bool:
    budget.step()
    if isinstance(test, Combination):
        results = (_holds(inner, item, root, budget) for inner in test.tests)
        if test.operator == "!":
            return not next(results)
        return all(results) if test.operator == "&&" else any(results)
    left = _operand(test.left, item, root, budget)
    if not test.operator:
        return left is not NOWHERE
    assert test.right is not None
    right = _operand(test.right, item, root, budget)
    return COMPARISONS[test.operator](left, right)


def _operand(operand: Operand, item: Any, root: Any, budget: Budget) -> Any:
    if operand.parts is None:
        return operand.literal
    path = JsonPath(operand.parts)
    try:
        return path.read_from(root if operand.from_root else item, root, budget)
    except PathNotFound:
        return NOWHERE


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        same = (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str))
        return same and test(left, right)

    return compare


def _equal(left: Any, right: Any) -> bool:
    """Jayway's ==: a number equals the text that says it."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_number(left) and isinstance(right, str):
        return bool(number_of(right) == left)
    if isinstance(left, str) and is_number(right):
        return bool(left == (double_text(right) if isinstance(right, float) else str(right)))
    return bool(left == right)


def number_of(text: str) -> float | None:
    """The number that a text says."""
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if re.search(r"[.eE]", text) else int(text)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "in": lambda left, right: isinstance(right, list) and any(_equal(left, item) for item in right),
    "nin": lambda left, right: isinstance(right, list) and not any(_equal(left, item) for item in right),
    "contains": lambda left, right: (
        (isinstance(left, list) and right in left) or (isinstance(left, str) and isinstance(right, str) and right in left)
    ),
    "size": lambda left, right: isinstance(left, list | str) and len(left) == right,
    "empty": lambda left, right: isinstance(left, list | str) and (not left) is right,
}


# --- Reading a path --------------------------------------------------------------------------------

_NAME = re.compile(r"[^\s.\[\]()'\",*?@!&|=<>]+")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_FUNCTION = re.compile(r"([A-Za-z]+)\(\s*\)")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*\]")
_INDEXES = re.compile(r"\s*-?\d+\s*(?:,\s*-?\d+\s*)*\]")
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>|(?:in|nin|contains|size|empty)\b", re.IGNORECASE)
_WORD = re.compile(r"(true|false|null)\b")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0

    def refuse(self, message: str) -> InvalidPath:
        return InvalidPath(f"{message} (character {self.at + 1} of the JSONPath)")

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
            self.at += 1

    def parts(self) -> tuple[Part, ...]:
        found: list[Part] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            if self.text.startswith("..", self.at):
                self.at += 2
                found.append(Deep())
                if self.text.startswith("[", self.at):
                    found.append(self.bracket())
                else:
                    found.append(self.member())
            elif character == ".":
                self.at += 1
                found.append(self.member())
            elif character == "[":
                found.append(self.bracket())
            else:
                break
        return tuple(found)

    def member(self) -> Part:
        if self.text.startswith("*", self.at):
            self.at += 1
            return Wildcard()
        function = _FUNCTION.match(self.text, self.at)
        if function is not None:
            self.at = function.end()
            return Function(function[1])
        name = _NAME.match(self.text, self.at)
        if name is None:
            raise self.refuse("Write a name after the dot")
        self.at = name.end()
        return Keys((name[0],))

    def bracket(self) -> Part:
        self.at += 1
        self.space()
        if (found := _SLICE.match(self.text, self.at)) is not None:
            self.at = found.end()
            return Slice(*(int(bound) if bound else None for bound in found.groups()))
        if (found := _INDEXES.match(self.text, self.at)) is not None:
            self.at = found.end()
            return Indexes(tuple(int(number) for number in found[0][:-1].split(",")))
        if self.text.startswith("*", self.at):
            self.at += 1
            self.close()
            return Wildcard()
        if self.text.startswith("?", self.at):
            self.at += 1
            self.space()
            if not self.text.startswith("(", self.at):
                raise self.refuse("Write the filter in parentheses")
            self.at += 1
            test = self.any_of()
            self.space()
            if not self.text.startswith(")", self.at):
                raise self.refuse("Close the filter")
            self.at += 1
            self.close()
            return Filter(test)
        names: list[str] = []
        while True:
            self.space()
            quoted = _QUOTED.match(self.text, self.at)
            if quoted is None:
                raise self.refuse("Write an index, a name in quotes, * or a filter in the brackets")
            self.at = quoted.end()
            names.append(re.sub(r"\\(.)", r"\1", quoted[1] if quoted[1] is not None else quoted[2]))
            self.space()
            if not self.text.startswith(",", self.at):
                break
            self.at += 1
        self.close()
        return Keys(tuple(names))

    def close(self) -> None:
        self.space()
        if not self.text.startswith("]", self.at):
            raise self.refuse("Close the bracket")
        self.at += 1

    def any_of(self) -> Test:
        tests = [self.all_of()]
        self.space()
        while self.text.startswith("||", self.at):
            self.at += 2
            tests.append(self.all_of())
            self.space()
        return tests[0] if len(tests) == 1 else Combination("||", tuple(tests))

    def all_of(self) -> Test:
        tests = [self.one()]
        self.space()
        while self.text.startswith("&&", self.at):
            self.at += 2
            tests.append(self.one())
            self.space()
        return tests[0] if len(tests) == 1 else Combination("&&", tuple(tests))

    def one(self) -> Test:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.refuse(f"Nest {MAX_NESTING} filters or fewer")
        self.space()
        try:
            if self.text.startswith("!", self.at):
                self.at += 1
                return Combination("!", (self.one(),))
            if self.text.startswith("(", self.at):
                self.at += 1
                test = self.any_of()
                self.space()
                if not self.text.startswith(")", self.at):
                    raise self.refuse("Close the parenthesis")
                self.at += 1
                return test
            left = self.operand()
            self.space()
            operator = _OPERATOR.match(self.text, self.at)
            if operator is None:
                return Comparison(left)
            self.at = operator.end()
            return Comparison(left, operator[0].lower(), self.operand())
        finally:
            self.nesting -= 1

    def operand(self) -> Operand:
        self.space()
        start = self.text[self.at : self.at + 1]
        if start in ("@", "$") and start:
            self.at += 1
            return Operand(parts=self.parts(), from_root=start == "$")
        if (quoted := _QUOTED.match(self.text, self.at)) is not None:
            self.at = quoted.end()
            return Operand(re.sub(r"\\(.)", r"\1", quoted[1] if quoted[1] is not None else quoted[2]))
        if (number := _NUMBER.match(self.text, self.at)) is not None:
            self.at = number.end()
            return Operand(number_of(number[0]))
        if (word := _WORD.match(self.text, self.at)) is not None:
            self.at = word.end()
            return Operand({"true": True, "false": False, "null": None}[word[0]])
        if start == "[":
            return self.array()
        raise self.refuse("Write a value or a path in the filter")

    def array(self) -> Operand:
        self.at += 1
        values: list[Any] = []
        self.space()
        while not self.text.startswith("]", self.at):
            operand = self.operand()
            if operand.parts is not None:
                raise self.refuse("Write literals only in a list")
            values.append(operand.literal)
            self.space()
            if not self.text.startswith(",", self.at):
                break
            self.at += 1
        self.close()
        return Operand(values)


@functools.lru_cache(maxsize=1024)
def compile_path(text: str) -> JsonPath:
    """Read a JSONPath; one without `$` is taken from the document, as Jayway takes it. Raises InvalidPath."""
    if len(text) > MAX_LENGTH:
        raise InvalidPath(f"Use {MAX_LENGTH:,} characters or fewer in a JSONPath.")
    stripped = text.strip()
    if not stripped:
        raise InvalidPath("Write a JSONPath, such as $.id.")
    if not stripped.startswith(("$", "@")):
        stripped = "$." + stripped if not stripped.startswith("[") else "$" + stripped
    reader = _Reader(stripped)
    reader.at = 1
    parts = reader.parts()
    if reader.at != len(stripped):
        raise reader.refuse("This is not part of a JSONPath")
    if any(isinstance(part, Function) for part in parts[:-1]):
        raise InvalidPath("A function stands at the end of a JSONPath.")
    return JsonPath(parts)
