"""Values as Java has them: Python values in, what toString, equals, arithmetic and the methods people call give.

A template sees None, bool, int, float, str, list and dict, and objects that are a Scope. Nothing else of Python can be
reached: a method or property is looked up in the tables below, never on the Python object.
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.gateway.selection import InvalidPattern, Match, Undecided, compile_pattern
from integrations.gateway.velocity.budget import Budget, BudgetSpent, TemplateError

MAX_DEPTH = 100
"""Lists and maps inside each other, where they are printed or compared."""


TOO_DEEP = "The value is nested too deeply to print or compare, or holds itself."


class ArrayList(list[Any]):
    """A list that a template makes. A list that came out of JSON is Python's own, and prints as JSON (recorded on AWS)."""


class View(ArrayList):
    """The keys, values or pairs of a map: walked and asked, not indexed."""


NOTHING = ""
"""What a method gives that Java declares void."""


class NoSuchMethod(Exception):
    """The object has no method of that name for these arguments."""


class Scope:
    """An object of API Gateway's or of a directive's: it says itself what its properties and methods are."""

    __slots__ = ()

    def property(self, name: str) -> Any:
        """The value of `$object.name`, None where there is none."""
        return None

    def call(self, name: str, arguments: list[Any], budget: Budget) -> Any:
        """The value of `$object.name(arguments)`. Raises NoSuchMethod."""
        raise NoSuchMethod(name)

    def text(self) -> str | None:
        """What it prints as; None prints as an undefined reference does."""
        return None


@dataclass(frozen=True, slots=True)
class Entry(Scope):
    """A pair of a map's entrySet()."""

    key: Any
    held: Any

    def property(self, name: str) -> Any:
        """`key` or `value`."""
        return {"key": self.key, "value": self.held}.get(name)

    def call(self, name: str, arguments: list[Any], budget: Budget) -> Any:
        """getKey() and getValue()."""
        if arguments or name not in ("getKey", "getValue"):
            raise NoSuchMethod(name)
        return self.property(name.removeprefix("get").lower())


# --- toString --------------------------------------------------------------------------------------


def double_text(value: float) -> str:
    """Double.toString: 1.0, 1.0E8, 1.0E-4, NaN, Infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    mantissa, _, exponent = repr(value).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.removeprefix("-").partition(".")
    figures = (whole + fraction).lstrip("0")
    power = int(exponent or 0) + len(whole) - 1 - (len(whole + fraction) - len(figures))
    figures = figures.rstrip("0")
    return f"{sign}{figures[0]}.{figures[1:] or '0'}E{power}"


def text_of(value: Any, budget: Budget) -> str | None:
    """What a value prints as; None where it prints as an undefined reference does."""
    match value:
        case str():
            return value
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return double_text(value)
        case list() | dict() | Entry():
            return budget.text(_collection_text(value, budget, 0))
        case Scope():
            return value.text()
    raise TypeError(f"A template holds no {type(value).__name__}.")


def _collection_text(value: Any, budget: Budget, depth: int, holder: Any = None) -> str:
    budget.step()
    _check_depth(depth)
    match value:
        case ArrayList():
            if value is holder:
                return "(this Collection)"
            return "[" + ", ".join([_collection_text(item, budget, depth + 1, value) for item in value]) + "]"
        case list():
            return json_text(value, budget, protect_for_web=True)
        case dict():
            if value is holder:
                return "(this Map)"
            items = value.items()
            pairs = [f"{text_of(key, budget)}={_collection_text(item, budget, depth + 1, value)}" for key, item in items]
            return "{" + ", ".join(pairs) + "}"
        case Entry():
            return f"{text_of(value.key, budget)}={_collection_text(value.held, budget, depth + 1)}"
    text = text_of(value, budget)
    return "null" if text is None else budget.text(text)


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TemplateError(TOO_DEEP)


_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def json_text(value: Any, budget: Budget, *, protect_for_web: bool = False) -> str:
    """Compact JSON as json-smart writes it; with `protect_for_web`, as its arrays print, a slash is escaped too."""
    try:
        text = _encoded(value) if _is_plain(value, budget) else _written(value, budget, 0)
        if _differs(text):
            text = _written(value, budget, 0)
    except RecursionError:
        raise TemplateError(TOO_DEEP) from None
    # A slash stands in strings alone.
    return budget.text(text.replace("/", "\\/") if protect_for_web else text)


_encoded = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_NOT_AS_JSON_SMART = re.compile(r"[\x7f-\x9f\u2000-\u20ff]|\\u00")


def _differs(text: str) -> bool:
    """Whether json-smart writes it otherwise than Python's encoder."""
    if text.isascii():  # by far the most, and found out much faster
        return "\x7f" in text or "\\u00" in text
    return _NOT_AS_JSON_SMART.search(text) is not None


_PLAIN = frozenset({str, int, bool, type(None)})
_TEXT = frozenset({str})


def _is_plain(value: Any, budget: Budget) -> bool:
    """Whether Python's encoder writes it. Counts what is to be written: lists that hold lists many times over are bounded."""
    waiting = [value]
    count = characters = 0
    left = budget.steps
    while waiting:
        item = waiting.pop()
        count += 1
        kind = type(item)
        if kind is dict:
            if item and set(map(type, item)) != _TEXT:
                return False
            characters += sum(map(len, item))
            inner: Any = item.values()
        elif kind is list or kind is ArrayList:
            inner = item
        elif kind in _PLAIN:
            inner = (item,)
        else:
            return False
        if _PLAIN.issuperset(map(type, inner)):
            count += len(inner)
            characters += sum([len(text) for text in inner if type(text) is str])
        else:
            waiting += inner
        if count + len(waiting) > left or characters > budget.MAX_TEXT:
            break
    budget.step(count + len(waiting))
    budget.characters(characters)
    return True


def _written(value: Any, budget: Budget, depth: int) -> str:
    budget.step()
    _check_depth(depth)
    match value:
        case str():
            return _quoted(value, budget)
        case dict():
            items = value.items()
            pairs = [
                f"{_quoted(text_of(key, budget) or 'null', budget)}:{_written(item, budget, depth + 1)}" for key, item in items
            ]
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join([_written(item, budget, depth + 1) for item in value]) + "]"
        case float() if not math.isfinite(value):
            return "null"
        case Entry():
            return _quoted(_collection_text(value, budget, depth), budget)
    text = text_of(value, budget)
    return "null" if text is None else _quoted(text, budget) if isinstance(value, Scope) else text


def _quoted(text: str, budget: Budget) -> str:
    budget.characters(len(text))
    return '"' + _ESCAPED.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04X}", text) + '"'


# --- Comparison and arithmetic ---------------------------------------------------------------------


def is_number(value: Any) -> bool:
    """Whether Java has it as a Number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equals(left: Any, right: Any, budget: Budget, *, null_is_empty: bool) -> bool:
    """Velocity's ==: numbers by value, equal kinds by equals, anything else by their text.

    `null_is_empty`: a null equals the empty text, as recorded on AWS.
    """
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if left is None or right is None:
        return left is right or (null_is_empty and (left == "" or right == ""))
    if is_number(left) and is_number(right):
        return bool(left == right)
    if _kind(left) is _kind(right):
        return same(left, right, budget)
    return text_of(left, budget) == text_of(right, budget)


def _kind(value: Any) -> type:
    return list if isinstance(value, list) else type(value)


def same(left: Any, right: Any, budget: Budget, depth: int = 0) -> bool:
    """Java's equals: by value, of one kind only."""
    budget.step()
    _check_depth(depth)
    if left is right:
        return True
    if _kind(left) is not _kind(right):
        return False
    match left:
        case list():
            pairs = zip(left, right, strict=False)
            return len(left) == len(right) and all(same(mine, theirs, budget, depth + 1) for mine, theirs in pairs)
        case dict():
            items = left.items()
            return len(left) == len(right) and all(
                key in right and same(item, right[key], budget, depth + 1) for key, item in items
            )
        case Entry():
            return same(left.key, right.key, budget, depth + 1) and same(left.held, right.held, budget, depth + 1)
        case Scope():
            return False
    return bool(left == right)


def compare(operator: str, left: Any, right: Any) -> bool:
    """Velocity's < > <= >=: for numbers; false for anything else."""
    if not is_number(left) or not is_number(right):
        return False
    match operator:
        case "<":
            return bool(left < right)
        case ">":
            return bool(left > right)
        case "<=":
            return bool(left <= right)
    return bool(left >= right)


def arithmetic(operator: str, left: Any, right: Any, budget: Budget) -> Any:
    """Velocity's + - * / % on numbers: whole ones stay whole; None for what cannot be computed."""
    if not is_number(left) or not is_number(right):
        return None
    whole = isinstance(left, int) and isinstance(right, int)
    try:
        match operator:
            case "+":
                return budget.number(left + right)
            case "-":
                return budget.number(left - right)
            case "*":
                if whole:
                    budget.bits(left.bit_length() + right.bit_length())
                return left * right
        if whole and right == 0:
            return None
        if operator == "/":
            return _truncated(left, right) if whole else _divided(float(left), float(right))
        return left - right * _truncated(left, right) if whole else _remainder(float(left), float(right))
    except OverflowError:
        return math.inf


def _truncated(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _divided(left: float, right: float) -> float:
    if right == 0:
        if left == 0 or math.isnan(left):
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


def _remainder(left: float, right: float) -> float:
    return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)


# --- Properties, indexes and methods ---------------------------------------------------------------


def property_of(value: Any, name: str) -> Any:
    """`$value.name`: a key of a map, a property of an object, or whether a text or list is `empty`."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, Scope):
        return value.property(name)
    if name == "empty" and isinstance(value, str | list):
        return not value
    return None


def index_of(value: Any, index: Any, budget: Budget) -> Any:
    """`$value[index]`: an item of a list, a key of a map."""
    if isinstance(value, list):
        if not isinstance(index, int) or isinstance(index, bool) or isinstance(value, View):
            return None
        at = index + len(value) if index < 0 else index
        if not 0 <= at < len(value):
            raise TemplateError(f"Index {index} reaches outside of a list of {len(value)}.")
        return value[at]
    if isinstance(value, dict):
        return value.get(key_of(index, budget))
    return None


def key_of(value: Any, budget: Budget) -> Any:
    """A value as the key of a map: what Python cannot hash is its text."""
    return value if isinstance(value, str | int | float | None) else text_of(value, budget)


def call(value: Any, name: str, arguments: list[Any], budget: Budget) -> Any:
    """`$value.name(arguments)`. Raises NoSuchMethod where Java has none of that name for these arguments."""
    if isinstance(value, Scope):
        if name == "equals" and len(arguments) == 1:
            return same(value, arguments[0], budget)
        return value.call(name, arguments, budget)
    kind = type(value)
    if kind is str or issubclass(kind, list):
        budget.step(1 + (len(value) >> 6))
    method = METHODS[kind].get((name, len(arguments))) or ANY_METHODS.get((name, len(arguments)))
    if method is None:
        raise NoSuchMethod(name)
    for wanted, argument in zip(method.wants, arguments, strict=True):
        if argument is None and wanted is not object:
            raise TemplateError(f"{name}() was given a null.")
        if not isinstance(argument, wanted) or (isinstance(argument, bool) and wanted is not object):
            raise NoSuchMethod(name)
    return method.run(budget, value, *arguments)


@dataclass(frozen=True, slots=True)
class Method:
    """A method of Java's: what its arguments are, and what it gives."""

    wants: tuple[type, ...]
    run: Callable[..., Any]


def _found(budget: Budget, pattern: str, text: str) -> Iterator[Match]:
    """The parts of the text that a regular expression of Java's matches."""
    budget.step(50)
    started = time.perf_counter()
    try:
        for match in compile_pattern(pattern).find(text, budget.regex_seconds):
            budget.step()
            yield match
    except InvalidPattern as error:
        raise TemplateError(f"The regular expression is not one of Java's: {error.message}") from error
    except Undecided as error:
        raise BudgetSpent(f"The regular expression was stopped. {error}") from error
    finally:
        budget.regex_seconds -= time.perf_counter() - started


def _replacement(text: str) -> list[str | int]:
    """The texts and numbers of groups that a replacement is made of: $1 and \\ mean what they mean in Java."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\\":
            if position == len(text):
                raise TemplateError('Write "\\\\" for a backslash at the end of a replacement.')
            parts.append(text[position])
            position += 1
        elif character == "$":
            if not text[position : position + 1].isdecimal():
                raise TemplateError('Write "\\$" for a dollar sign in a replacement.')
            parts.append(int(text[position]))
            position += 1
        else:
            parts.append(character)
    return parts


def _replaced(budget: Budget, text: str, pattern: str, replacement: str, *, once: bool = False) -> str:
    """String.replaceAll; replaceFirst with `once`."""
    parts = _replacement(replacement)
    made: list[str] = []
    start = size = 0
    for match in _found(budget, pattern, text):
        groups = (text[match.start : match.end], *match.groups)
        try:
            inserted = "".join(part if isinstance(part, str) else groups[part] or "" for part in parts)
        except IndexError as error:
            raise TemplateError("The replacement refers to a group that the expression does not have.") from error
        made += text[start : match.start], inserted
        size += len(inserted)
        budget.characters(size)
        start = match.end
        if once:
            break
    return budget.text("".join([*made, text[start:]]))


def _split(budget: Budget, text: str, pattern: str, limit: int = 0) -> ArrayList:
    """String.split."""
    parts = ArrayList()
    start = 0
    for match in _found(budget, pattern, text):
        if 0 < limit <= len(parts) + 1:
            break
        if match.end == 0 or match.start == match.end == len(text):
            continue
        parts.append(text[start : match.start])
        start = match.end
    parts.append(text[start:])
    if limit == 0:
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
    return parts


def _matches(budget: Budget, text: str, pattern: str) -> bool:
    """String.matches."""
    return any((match.start, match.end) == (0, len(text)) for match in _found(budget, f"(?:{pattern})\\z", text))


# Java counts UTF-16 units: a character beyond U+FFFF is two.

_BEYOND = re.compile("[\U00010000-\U0010ffff]")


def units(text: str) -> str:
    """The text with a character for each UTF-16 unit."""
    if text.isascii():
        return text
    return _BEYOND.sub(lambda found: "".join(map(chr, _surrogates(ord(found[0]) - 0x10000))), text)


def _surrogates(code: int) -> tuple[int, int]:
    return 0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)


def joined(text: str) -> str:
    """The text of which `units` made this."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _substring(budget: Budget, text: str, start: int, end: int | None = None) -> str:
    text = units(text)
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise TemplateError(f"substring({start}, {end}) reaches outside of a text of {len(text)} characters.")
    return joined(text[start:end])


def _character(budget: Budget, text: str, position: int) -> str:
    text = units(text)
    if not 0 <= position < len(text):
        raise TemplateError(f"charAt({position}) reaches outside of a text of {len(text)} characters.")
    return text[position]


def hash_code(text: str) -> int:
    """String.hashCode."""
    found = 0
    for unit in units(text):
        found = (31 * found + ord(unit)) & 0xFFFFFFFF
    return narrowed(found, 32)


def narrowed(number: float, bits: int) -> int:
    """A number as an int or a long of Java's."""
    if isinstance(number, float):
        limit = 2 ** (bits - 1)
        return 0 if math.isnan(number) else int(max(-limit, min(limit - 1, number)))
    found = number & ((1 << bits) - 1)
    return found - (1 << bits) if found >> (bits - 1) else found


def _compared(budget: Budget, left: Any, right: Any) -> int:
    if isinstance(left, str):
        left, right = units(left), units(right)
        differing = ((ord(mine) - ord(theirs)) for mine, theirs in zip(left, right, strict=False) if mine != theirs)
        return next(differing, len(left) - len(right))
    return int(left > right) - int(left < right)


def _parsed(budget: Budget, number: float, text: str) -> int:
    """Integer.parseInt, which people reach through any whole number."""
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or narrowed(int(text), 32) != int(text):
        raise TemplateError(f"parseInt() was given a text that is no whole number: {text[:40]!r}.")
    return int(text)


def _parsed_double(budget: Budget, number: float, text: str) -> float:
    if not re.fullmatch(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?\s*", text, re.ASCII):
        raise TemplateError(f"parseDouble() was given a text that is no number: {text[:40]!r}.")
    return float(text.strip().rstrip("dDfF"))


def _joined_by(budget: Budget, text: str, separator: str, items: list[Any]) -> str:
    budget.step(len(items))
    texts = [text_of(item, budget) or "null" for item in items]
    budget.characters(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _position(items: list[Any], value: Any, budget: Budget) -> int:
    return next((position for position, item in enumerate(items) if same(item, value, budget)), -1)


def _item(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise TemplateError(f"get({index}) reaches outside of a list of {len(items)}.")
    return items[index]


def _put_item(budget: Budget, items: list[Any], index: int, value: Any) -> Any:
    before = _item(items, index)
    items[index] = value
    return before


def _added(budget: Budget, items: list[Any], *values: Any) -> bool:
    budget.step(len(values))
    items.extend(values)
    budget.size(len(items))
    return True


def _inserted(budget: Budget, items: list[Any], index: int, value: Any) -> str:
    if index != len(items):
        _item(items, index)
    items.insert(index, value)
    budget.size(len(items))
    return NOTHING


def _removed(budget: Budget, items: list[Any], value: Any) -> Any:
    """remove(index) for a number, remove(value) for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        _item(items, value)
        return items.pop(value)
    position = _position(items, value, budget)
    if position >= 0:
        del items[position]
    return position >= 0


def _sublist(budget: Budget, items: list[Any], start: int, end: int) -> ArrayList:
    if not 0 <= start <= end <= len(items):
        raise TemplateError(f"subList({start}, {end}) reaches outside of a list of {len(items)}.")
    return ArrayList(items[start:end])


def _put(budget: Budget, map: dict[Any, Any], key: Any, value: Any) -> Any:
    key = key_of(key, budget)
    before = map.get(key)
    map[key] = value
    budget.size(len(map))
    return before


def _put_all(budget: Budget, map: dict[Any, Any], other: dict[Any, Any]) -> str:
    budget.step(len(other))
    map.update(other)
    budget.size(len(map))
    return NOTHING


def _cleared(budget: Budget, items: list[Any] | dict[Any, Any]) -> str:
    items.clear()
    return NOTHING


def _view(budget: Budget, items: "Iterator[Any]", count: int) -> View:
    budget.step(count)
    return View(items)


def _folded(text: str) -> str:
    return text.upper().lower()


_BLANK = "".join(map(chr, range(33)))
STRING: Mapping[tuple[str, int], Method] = {
    ("length", 0): Method((), lambda budget, text: len(units(text))),
    ("isEmpty", 0): Method((), lambda budget, text: not text),
    ("isBlank", 0): Method((), lambda budget, text: not text.strip()),
    ("substring", 1): Method((int,), _substring),
    ("substring", 2): Method((int, int), _substring),
    ("charAt", 1): Method((int,), _character),
    ("toUpperCase", 0): Method((), lambda budget, text: text.upper()),
    ("toLowerCase", 0): Method((), lambda budget, text: text.lower()),
    ("trim", 0): Method((), lambda budget, text: text.strip(_BLANK)),
    ("strip", 0): Method((), lambda budget, text: text.strip()),
    ("contains", 1): Method((str,), lambda budget, text, part: part in text),
    ("startsWith", 1): Method((str,), lambda budget, text, part: text.startswith(part)),
    ("endsWith", 1): Method((str,), lambda budget, text, part: text.endswith(part)),
    ("indexOf", 1): Method((str,), lambda budget, text, part: units(text).find(units(part))),
    ("indexOf", 2): Method((str, int), lambda budget, text, part, start: units(text).find(units(part), max(start, 0))),
    ("lastIndexOf", 1): Method((str,), lambda budget, text, part: units(text).rfind(units(part))),
    ("equalsIgnoreCase", 1): Method(
        (object,), lambda budget, text, other: isinstance(other, str) and _folded(text) == _folded(other)
    ),
    ("concat", 1): Method((str,), lambda budget, text, other: budget.text(text + other)),
    ("repeat", 1): Method((int,), lambda budget, text, count: budget.repeated(text, count)),
    ("replace", 2): Method((str, str), lambda budget, text, old, new: budget.replaced(text, old, new)),
    ("replaceAll", 2): Method((str, str), _replaced),
    ("replaceFirst", 2): Method((str, str), lambda budget, text, pattern, new: _replaced(budget, text, pattern, new, once=True)),
    ("matches", 1): Method((str,), _matches),
    ("split", 1): Method((str,), _split),
    ("split", 2): Method((str, int), _split),
    ("join", 2): Method((str, list), _joined_by),
    ("valueOf", 1): Method((object,), lambda budget, text, value: text_of(value, budget)),
    ("compareTo", 1): Method((str,), _compared),
    ("hashCode", 0): Method((), lambda budget, text: hash_code(text)),
}
VIEW: Mapping[tuple[str, int], Method] = {
    ("size", 0): Method((), lambda budget, items: len(items)),
    ("isEmpty", 0): Method((), lambda budget, items: not items),
    ("contains", 1): Method((object,), lambda budget, items, value: _position(items, value, budget) >= 0),
    ("containsAll", 1): Method((list,), lambda budget, items, values: all(_position(items, one, budget) >= 0 for one in values)),
    ("toArray", 0): Method((), lambda budget, items: ArrayList(items)),
}
LIST: Mapping[tuple[str, int], Method] = {
    **VIEW,
    ("get", 1): Method((int,), lambda budget, items, index: _item(items, index)),
    ("set", 2): Method((int, object), _put_item),
    ("add", 1): Method((object,), _added),
    ("add", 2): Method((int, object), _inserted),
    ("addAll", 1): Method((list,), lambda budget, items, values: _added(budget, items, *values)),
    ("indexOf", 1): Method((object,), lambda budget, items, value: _position(items, value, budget)),
    ("remove", 1): Method((object,), _removed),
    ("subList", 2): Method((int, int), _sublist),
    ("clear", 0): Method((), _cleared),
}
JSON_ARRAY: Mapping[tuple[str, int], Method] = {
    **LIST,
    ("toJSONString", 0): Method((), lambda budget, items: json_text(items, budget, protect_for_web=True)),
}
MAP: Mapping[tuple[str, int], Method] = {
    ("size", 0): Method((), lambda budget, map: len(map)),
    ("isEmpty", 0): Method((), lambda budget, map: not map),
    ("get", 1): Method((object,), lambda budget, map, key: map.get(key_of(key, budget))),
    ("getOrDefault", 2): Method((object, object), lambda budget, map, key, other: map.get(key_of(key, budget), other)),
    ("put", 2): Method((object, object), _put),
    ("putIfAbsent", 2): Method((object, object), lambda budget, map, key, value: map.get(key) or _put(budget, map, key, value)),
    ("putAll", 1): Method((dict,), _put_all),
    ("remove", 1): Method((object,), lambda budget, map, key: map.pop(key_of(key, budget), None)),
    ("containsKey", 1): Method((object,), lambda budget, map, key: key_of(key, budget) in map),
    ("containsValue", 1): Method((object,), lambda budget, map, value: _position(list(map.values()), value, budget) >= 0),
    ("keySet", 0): Method((), lambda budget, map: _view(budget, iter(map), len(map))),
    ("values", 0): Method((), lambda budget, map: _view(budget, iter(map.values()), len(map))),
    ("entrySet", 0): Method((), lambda budget, map: _view(budget, (Entry(*pair) for pair in map.items()), len(map))),
    ("clear", 0): Method((), _cleared),
}
NUMBER: Mapping[tuple[str, int], Method] = {
    ("intValue", 0): Method((), lambda budget, number: narrowed(number, 32)),
    ("longValue", 0): Method((), lambda budget, number: narrowed(number, 64)),
    ("doubleValue", 0): Method((), lambda budget, number: float(number)),
    ("floatValue", 0): Method((), lambda budget, number: float(number)),
}
WHOLE: Mapping[tuple[str, int], Method] = {
    **NUMBER,
    ("compareTo", 1): Method((int,), _compared),
    ("parseInt", 1): Method((str,), _parsed),
    ("valueOf", 1): Method(
        (object,), lambda budget, number, value: _parsed(budget, number, value) if isinstance(value, str) else value
    ),
}
DOUBLE: Mapping[tuple[str, int], Method] = {
    **NUMBER,
    ("compareTo", 1): Method((float,), _compared),
    ("parseDouble", 1): Method((str,), _parsed_double),
    ("isNaN", 0): Method((), lambda budget, number: math.isnan(number)),
}
ANY_METHODS: Mapping[tuple[str, int], Method] = {
    ("toString", 0): Method((), lambda budget, value: text_of(value, budget)),
    ("equals", 1): Method((object,), lambda budget, value, other: same(value, other, budget)),
}
METHODS: Mapping[type, Mapping[tuple[str, int], Method]] = {
    str: STRING,
    list: JSON_ARRAY,
    ArrayList: LIST,
    View: VIEW,
    dict: MAP,
    bool: {},
    int: WHOLE,
    float: DOUBLE,
}
"""The methods that a template may call, by the kind of the value, then (name, number of arguments)."""
