"""Plain values, names and calls in, Python source out that black leaves alone and that means exactly those values."""

import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

WIDTH = 88
"""Black's."""

LONGEST = 32
"""Characters of a name before it is cut: longer ones break lines where black would not."""

_INDENT = " " * 4


@dataclass(frozen=True, slots=True)
class Code:
    """An expression that stands as it is, on one line: `region`, `lambda_.Runtime.PYTHON_3_13`."""

    text: str


@dataclass(frozen=True, slots=True)
class Formatted:
    """An f-string: text, and names in braces."""

    parts: tuple[str | Code, ...]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call: positional arguments first, then by name."""

    function: str
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] | None = None


def expression(value: Any, *, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """The source of a value: text, numbers, True, False, None, lists, dicts, and the classes above.

    `indent`: levels of the statement it stands in; `before` and `after`: characters on its first and last line beside it.
    It stays on one line where that fits, and else takes one line an item.
    """
    line = _on_one_line(value)
    if line is not None and len(_INDENT) * indent + before + _width(line) + after <= WIDTH:
        return line
    if isinstance(value, Invocation) and (value.arguments or value.keywords):
        items = [("", argument) for argument in value.arguments]
        items += [(f"{name}=", argument) for name, argument in (value.keywords or {}).items()]
        return _exploded(f"{value.function}(", items, ")", indent)
    if isinstance(value, Mapping) and value:
        return _exploded("{", [(f"{_string(key)}: ", inner) for key, inner in value.items()], "}", indent)
    if isinstance(value, list) and value:
        return _exploded("[", [("", inner) for inner in value], "]", indent)
    return string(value) if isinstance(value, str) else formatted(value) if isinstance(value, Formatted) else line or ""


def statement(value: Any, *, indent: int = 0, target: str = "") -> str:
    """A line of its own, or more: an expression, assigned to `target` where that is given; ends in a newline."""
    start = f"{target} = " if target else ""
    source = expression(value, indent=indent, before=len(start))
    if target and isinstance(value, str | Formatted) and "\n" not in source:
        room = WIDTH - len(_INDENT) * indent - _width(source)
        if len(start) > room >= len(_INDENT):
            source = f"(\n{_INDENT * (indent + 1)}{source}\n{_INDENT * indent})"
    return f"{_INDENT * indent}{start}{source}\n"


def _width(line: str) -> int:
    """The columns that black counts: it takes a wide character for two."""
    return len(line) + (0 if line.isascii() else sum(unicodedata.east_asian_width(character) in "WF" for character in line))


def _exploded(left: str, items: Iterable[tuple[str, Any]], right: str, indent: int) -> str:
    pad = _INDENT * (indent + 1)
    lines = [f"{pad}{start}{expression(inner, indent=indent + 1, before=_width(start), after=1)},\n" for start, inner in items]
    return f"{left}\n{''.join(lines)}{_INDENT * indent}{right}"


def _on_one_line(value: Any) -> str | None:
    """The source on one line, or None where a text of several lines stands in it."""
    if isinstance(value, Code):
        return value.text
    if isinstance(value, str):
        return None if _in_lines(value) else string(value)
    if isinstance(value, Formatted):
        source = formatted(value)
        return None if "\n" in source else source
    if isinstance(value, Invocation):
        items = [_on_one_line(argument) for argument in value.arguments]
        items += [_named(f"{name}=", argument) for name, argument in (value.keywords or {}).items()]
        return _joined(f"{value.function}(", items, ")")
    if isinstance(value, Mapping):
        return _joined("{", [_named(f"{_string(key)}: ", inner) for key, inner in value.items()], "}")
    if isinstance(value, list):
        return _joined("[", [_on_one_line(inner) for inner in value], "]")
    return repr(value)


def _named(start: str, value: Any) -> str | None:
    line = _on_one_line(value)
    return None if line is None else start + line


def _joined(left: str, items: list[str | None], right: str) -> str | None:
    return None if None in items else f"{left}{', '.join(item or '' for item in items)}{right}"


# --- Text ------------------------------------------------------------------------------------------


def _in_lines(text: str) -> bool:
    """Whether a text is easier to read over several lines."""
    return "\n" in text.rstrip("\n") and not text.startswith("\n")


def string(text: str) -> str:
    """A string literal: on one line, or in triple quotes where it has several."""
    return f'"""{_tripled(text)}"""' if _in_lines(text) else _string(text)


def _string(text: str) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'
    if "\\" in text and text.isprintable() and '"' not in text and not text.endswith("\\"):
        return f'r"{text}"'
    return f"{quote}{_escaped(text, quote)}{quote}"


def formatted(value: Formatted) -> str:
    """An f-string literal; double quotes, since names stand in it."""
    parts: list[str | Code] = []
    for part in value.parts:
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    several = any(isinstance(part, str) and _in_lines(part) for part in parts)
    texts = "".join(part for part in parts if isinstance(part, str))
    quote = '"""' if several else "'" if texts.count('"') > texts.count("'") else '"'
    written = []
    for index, part in enumerate(parts):
        if isinstance(part, Code):
            written.append(f"{{{part.text}}}")
        else:
            last = index == len(parts) - 1
            body = _tripled(part, last=last) if several else _escaped(part, quote)
            written.append(_braced(body))
    return f"f{quote}{''.join(written)}{quote}"


def _braced(source: str) -> str:
    """The body of a literal as that of an f-string. An escape by name would hold braces; none is written."""
    return source.replace("{", "{{").replace("}", "}}")


def _escaped(text: str, quote: str, *, kept: str = "") -> str:
    """The body of a literal between these quotes; what is `kept` stands as it is."""
    if text.isprintable() and "\\" not in text and not (quote and quote in text):
        return text
    return text.translate({ord(each): each if each in kept else _character(each, quote) for each in set(text)})


def _tripled(text: str, *, last: bool = True) -> str:
    """The body of a triple-quoted literal: line breaks as they are, what an editor may lose as escapes."""
    body = _escaped(text, "", kept="\n")
    end = r"\Z" if last else r"(?!)"
    body = re.sub(rf'"{{3,}}|"+{end}', lambda match: '\\"' * len(match[0]), body)
    return re.sub(rf" (?=\n|{end})", r"\\x20", body)


_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def _character(character: str, quote: str) -> str:
    if character == quote:
        return f"\\{character}"
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


# --- Names -----------------------------------------------------------------------------------------


def identifier(text: str, taken: Iterable[str] = (), *, otherwise: str = "value") -> str:
    """A name in lower case with underscores that is neither a keyword nor taken: `Orders.Arn` → `orders_arn`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    base = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:LONGEST].strip("_") or otherwise
    base = f"{otherwise}_{base}" if base[0].isdigit() else base
    name, number = base, 2
    used = set(taken)
    while name in used or keyword.iskeyword(name):
        name, number = (f"{base}_", number) if keyword.iskeyword(name) else (f"{base}_{number}", number + 1)
    return name
