"""A plain value in, YAML out that readers of YAML 1.1 and 1.2 both read back as that value."""

import math
import re
from dataclasses import dataclass
from typing import Any

_SAFE = re.compile(r"[A-Za-z_/$](?:[\w./@+={}()$*-]|:(?=[\w/$*:])|,?[ ](?=[\w/${(]))*", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_BLOCK = re.compile(r"[!-~\xa1-\u1fff\u3000-\ud7ff][\t\n -~\xa1-\u1fff\u3000-\ud7ff]*")
"""A literal block: no character that some reader takes for a line break, and a first line that shows the indent."""
_SINGLE = re.compile(r"[ -~\xa1-\u1fff\u3000-\ud7ff]*")
_ESCAPED = re.compile(r"[^ !#-\[\]-~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_ESCAPES = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r", "\x1b": "\\e",
    '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip
KEY = 1_000
"""Characters of a key that stand before its colon; readers look no further than 1,024. A longer one comes after a `?`."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value under a tag of its own, such as `!Ref`; text or a list."""

    tag: str
    value: Any


def yaml_text(value: Any) -> str:
    """Dicts, lists, tuples, text, numbers, booleans, None and `Tagged` as block YAML, two spaces deep, in their own order."""
    found: list[str] = []
    _write(value, "\n" if _is_block(value) else "\n  ", found, begun=True)
    return "".join((*found, "\n"))


def _is_block(value: Any) -> bool:
    return isinstance(value, dict | list | tuple) and bool(value)


def _write(value: Any, margin: str, found: list[str], *, begun: bool = False) -> None:
    """Append a value that begins in the current line. `margin`: how each of its own lines begins; it has `begun` where the
    current one already did so."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            name = _one_line(key)
            start = "" if begun else margin
            begun = False
            found.append(f"{start}{name}:" if len(name) <= KEY else f"{start}? {name}{margin}:")
            if not _is_block(inner):
                found.append(" ")
            _write(inner, margin + "  ", found)
    elif isinstance(value, list | tuple) and value:
        for inner in value:
            found.append("- " if begun else f"{margin}- ")
            begun = False
            _write(inner, margin + "  ", found, begun=True)
    elif isinstance(value, Tagged):
        found.append(value.tag if _is_block(value.value) else f"{value.tag} ")
        _write(value.value, margin, found)
    elif isinstance(value, str) and "\n" in value and _BLOCK.fullmatch(value):
        found.append(_literal(value, margin))
    else:
        found.append(_one_line(value))


def _literal(text: str, margin: str) -> str:
    lines = text.split("\n")
    sign = "|-"
    if not lines[-1]:
        lines.pop()
        sign = "|" if lines[-1] else "|+"
    return sign + "".join(margin + line if line else "\n" for line in lines)


def _one_line(value: Any) -> str:
    match value:
        case str():
            return _text(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case None:
            return "null"
        case dict():
            return "{}"
        case _:
            return "[]"


def _text(text: str) -> str:
    if _SAFE.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if ('"' in text or "\\" in text) and _SINGLE.fullmatch(text):
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _number(value: float) -> str:
    """As both read a number: with a point, also before an exponent."""
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")
