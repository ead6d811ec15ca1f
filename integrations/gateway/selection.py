r"""A selectionPattern as text comes in; out goes whether Java takes it, and what it matches.

API Gateway reads a selectionPattern as a regular expression of java.util.regex and asks Matcher.matches(): the whole
string has to match. compile_pattern() reads Java's dialect (of Java 17; where a newer Java takes more, so does this)
and writes it anew for the regex package, which runs it under a timeout.

What differs from Java, because regex cannot be told, or because Java differs from Java:

- \p{..} knows the Unicode version of the regex package, which may be newer than Java's, and spells the names of scripts and
  blocks as loosely as Unicode allows.
- \b beside a letter outside ASCII follows Java 8 to 18, for which such a letter is part of a word.
- A back reference under (?i) without (?u) folds letters outside ASCII too.
- A group that Java leaves set after backing out of a look-around, an atomic group or a repeated group is unset here:
  it shows only where a back reference then reads it.

What hardly anybody writes is not judged, and raises Undecided: \X, \b{g}, \N{..}, the java.lang.Character properties
(\p{javaLetter}), (?c), names of blocks that Unicode has given up, patterns that are very long or deep, and look-behinds that
are, such as (?<=a+), whose length Java works out in 32 bits that overflow.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property, lru_cache
from typing import NoReturn

import regex

MAX_LENGTH = 1_000
"""Characters in a pattern. API Gateway names no limit; patterns in the field have a few dozen."""

MAX_TRANSLATION = 10_000
"""Characters in what regex compiles: it takes up to 0.1 s for so many."""

MAX_NESTING = 40
"""Groups or classes inside each other: both parsers recurse, and so would Java until its stack ends."""

MAX_WEIGHT = 20_000
"""Items after writing out {n}: the regex package takes some 250 bytes for each."""

MAX_SUBJECT = 1_000_000
"""Characters in a text that is matched: what a pattern may remember of its way grows with it."""

STATUSES = tuple(range(100, 600))
MESSAGE = "Error 404: not found"
MOST_KNOWN = 2_048


class InvalidPattern(ValueError):
    """Java refuses the pattern. `position` counts characters from 0 and may be one past the end."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class Undecided(ValueError):
    """Whether Java takes the pattern, or whether it matches, is not found out here: beyond what is judged, or the budget."""


TOO_SLOW = "Simplify the pattern: repetitions inside repetitions, such as (a+)+, take too long to match."


@dataclass(frozen=True, slots=True)
class Match:
    """A part of a text that a pattern matches, and what its groups hold; None for one that took no part."""

    start: int
    end: int
    groups: tuple[str | None, ...]


@dataclass(frozen=True)
class Pattern:
    """A pattern that Java takes. `translation` says the same to the regex package."""

    text: str
    translation: str

    def matches(self, subject: str, budget_seconds: float = 0.2) -> bool:
        """Whether the whole subject matches; raises Undecided when the budget ends first."""
        if budget_seconds <= 0 or len(subject) > MAX_SUBJECT:
            raise Undecided("Shorten the pattern or the text: it was not tried within the time given.")
        try:
            return self._compiled.fullmatch(subject, timeout=budget_seconds) is not None
        except (TimeoutError, MemoryError, RecursionError, regex.error):
            raise Undecided(TOO_SLOW) from None

    def fails_at(self, subject: str, budget_seconds: float = 0.2) -> int | None:
        """The position, from 0, of the first character that no match could take; None where only more is wanted.

        Raises Undecided as `matches` does.
        """
        low, high = 0, len(subject)
        deadline = time.monotonic() + budget_seconds
        if self._begins(subject, deadline):
            return None
        while low < high:
            middle = (low + high) // 2
            if self._begins(subject[: middle + 1], deadline):
                low = middle + 1
            else:
                high = middle
        return low

    def _begins(self, subject: str, deadline: float) -> bool:
        """Whether a match could begin like that."""
        left = deadline - time.monotonic()
        if left <= 0 or len(subject) > MAX_SUBJECT:
            raise Undecided("Shorten the pattern or the text: it was not tried within the time given.")
        try:
            return self._compiled.fullmatch(subject, partial=True, timeout=left) is not None
        except (TimeoutError, MemoryError, RecursionError, regex.error):
            raise Undecided(TOO_SLOW) from None

    def find(self, subject: str, budget_seconds: float = 0.2) -> Iterator[Match]:
        """Every part that matches, from left to right, as Matcher.find() has them; raises Undecided as `matches` does."""
        if budget_seconds <= 0 or len(subject) > MAX_SUBJECT:
            raise Undecided("Shorten the pattern or the text: it was not tried within the time given.")
        try:
            groups = sum(name.startswith("g") for name in self._compiled.groupindex)
            names = [f"g{number}" for number in range(1, groups + 1)]
            for found in self._compiled.finditer(subject, timeout=budget_seconds):
                yield Match(found.start(), found.end(), tuple(found[name] for name in names))
        except (TimeoutError, MemoryError, RecursionError, regex.error):
            raise Undecided(TOO_SLOW) from None

    @cached_property
    def _compiled(self) -> "regex.Pattern[str]":
        return regex.compile(self.translation, regex.VERSION1, cache_pattern=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a pattern. None, and an empty refusal, where it was not found out within the budget."""

    refusal: str = ""
    """Why Java refuses it, and what to write instead."""
    statuses: frozenset[int] | None = None
    """The status codes from 100 to 599 that it matches."""
    message: bool | None = None
    """Whether it matches MESSAGE, an error message as functions raise them."""


_KNOWN: dict[str, Reading] = {}
"""Readings that are certain, kept from one check to the next."""


def read_patterns(
    texts: Iterable[str], budget_seconds: float = 0.2, clock: Callable[[], float] = time.monotonic
) -> dict[str, Reading]:
    """What is known of each pattern. All of them share the budget; those that it does not reach are not known."""
    deadline = clock() + budget_seconds
    readings: dict[str, Reading] = {}
    for text in dict.fromkeys(texts):
        reading = _KNOWN.get(text)
        if reading is None:
            left = deadline - clock()
            reading = _read(text, deadline, clock) if left > 0 else Reading()
            if reading.refusal or reading.message is not None:
                if len(_KNOWN) >= MOST_KNOWN:
                    _KNOWN.clear()
                _KNOWN[text] = reading
        readings[text] = reading
    return readings


def _read(text: str, deadline: float, clock: Callable[[], float]) -> Reading:
    try:
        pattern = compile_pattern(text)
        statuses = frozenset(status for status in STATUSES if pattern.matches(str(status), deadline - clock()))
        return Reading("", statuses, pattern.matches(MESSAGE, deadline - clock()))
    except InvalidPattern as refusal:
        return Reading(f"{refusal.message} (at character {refusal.position + 1})")
    except Undecided:
        return Reading()


@lru_cache(maxsize=512)
def compile_pattern(text: str) -> Pattern:
    """Read a pattern of java.util.regex. Raises InvalidPattern where Java does, and Undecided."""
    if len(text) > MAX_LENGTH:
        raise Undecided(f"Use {MAX_LENGTH:,} characters or fewer: a longer pattern is not checked.")
    if "\0" in text:
        raise Undecided("Write \\x00: Java takes the character itself for the end here and there.")
    translation = _Parser(text).translation()
    if len(translation) > MAX_TRANSLATION:
        raise Undecided("Shorten the pattern: written out, it is too long and not checked.")
    return Pattern(text, translation)


# Character sets. Each is written as a bracketed set of the regex package, version 1, which nests.

_HORIZONTAL = r"[\t \xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]"
_VERTICAL = r"[\n-\r\x85\u2028\u2029]"
_NO_TERMINATOR = r"[^\n\r\x85\u2028\u2029]"
_ANY = r"[\x00-\U0010ffff]"
_ANYTHING = "(?s:.)"
_WORD_CHARACTER = r"[\p{L}\p{Nd}_]"
_CASED = r"[\p{Lowercase}\p{Uppercase}\p{Lt}]"


def _without(characters: str) -> str:
    r"""The complement, as a difference: regex takes [^\P{L}\p{L}] for every character, and that is none."""
    return f"[{_ANY}--{characters}]"


_ASCII = {
    "Lower": "[a-z]",
    "Upper": "[A-Z]",
    "ASCII": r"[\x00-\x7f]",
    "Alpha": "[a-zA-Z]",
    "Digit": "[0-9]",
    "Alnum": "[0-9a-zA-Z]",
    "Punct": r"[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]",
    "Graph": r"[\x21-\x7e]",
    "Print": r"[\x20-\x7e]",
    "Blank": r"[\x20\t]",
    "Cntrl": r"[\x00-\x1f\x7f]",
    "XDigit": "[0-9a-fA-F]",
    "Space": r"[\t-\r\x20]",
}

_UNICODE = {
    "LOWER": r"[\p{Lowercase}]",
    "UPPER": r"[\p{Uppercase}]",
    "ALPHA": r"[\p{Alphabetic}]",
    "DIGIT": r"[\p{Nd}]",
    "ALNUM": r"[\p{Alphabetic}\p{Nd}]",
    "PUNCT": r"[\p{P}]",
    "GRAPH": _without(r"[\p{Z}\p{Cc}\p{Cs}\p{Cn}]"),
    "PRINT": _without(r"[\p{Zl}\p{Zp}\p{Cc}\p{Cs}\p{Cn}]"),
    "BLANK": r"[\p{Zs}\t]",
    "CNTRL": r"[\p{Cc}]",
    "XDIGIT": r"[\p{Nd}0-9A-Fa-f\uff10-\uff19\uff21-\uff26\uff41-\uff46]",
    "SPACE": r"[\p{Z}\t-\r\x85]",
}

_BINARY = {
    "ALPHABETIC": r"[\p{Alphabetic}]",
    "ASSIGNED": _without(r"[\p{Cn}]"),
    "CONTROL": r"[\p{Cc}]",
    "HEXDIGIT": _UNICODE["XDIGIT"],
    "HEX_DIGIT": _UNICODE["XDIGIT"],
    "IDEOGRAPHIC": r"[\p{Ideographic}]",
    "JOINCONTROL": r"[\u200c\u200d]",
    "JOIN_CONTROL": r"[\u200c\u200d]",
    "LETTER": r"[\p{L}]",
    "LOWERCASE": r"[\p{Lowercase}]",
    "NONCHARACTERCODEPOINT": r"[\p{Noncharacter_Code_Point}]",
    "NONCHARACTER_CODE_POINT": r"[\p{Noncharacter_Code_Point}]",
    "TITLECASE": r"[\p{Lt}]",
    "PUNCTUATION": r"[\p{P}]",
    "UPPERCASE": r"[\p{Uppercase}]",
    "WHITESPACE": _UNICODE["SPACE"],
    "WHITE_SPACE": _UNICODE["SPACE"],
    "WORD": r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]",
    "EMOJI": r"[\p{Emoji}]",
    "EMOJI_PRESENTATION": r"[\p{Emoji_Presentation}]",
    "EMOJI_MODIFIER": r"[\p{Emoji_Modifier}]",
    "EMOJI_MODIFIER_BASE": r"[\p{Emoji_Modifier_Base}]",
    "EMOJI_COMPONENT": r"[\p{Emoji_Component}]",
    "EXTENDED_PICTOGRAPHIC": r"[\p{Extended_Pictographic}]",
    **_UNICODE,
}

_CATEGORIES = {"L": "ultmo", "M": "nec", "N": "dlo", "Z": "slp", "C": "cfnos", "P": "dsecoif", "S": "mcko"}
_PROPERTIES = {
    **{f"{major}{minor}": rf"[\p{{{major}{minor}}}]" for major, minors in _CATEGORIES.items() for minor in ("", *minors)},
    "LC": r"[\p{Lu}\p{Ll}\p{Lt}]",
    "LD": r"[\p{L}\p{Nd}]",
    "L1": r"[\x00-\xff]",
    "all": _ANY,
    **_ASCII,
}

_WITHOUT_CASE = {  # what (?i) makes of a property of one case
    **dict.fromkeys(("Lu", "Ll", "Lt"), _PROPERTIES["LC"]),
    **dict.fromkeys(("Lower", "Upper"), _ASCII["Alpha"]),
    **dict.fromkeys(("LOWER", "UPPER", "LOWERCASE", "UPPERCASE", "TITLECASE"), _CASED),
}


@dataclass(frozen=True)
class _Set:
    """Sets put together: in one of them, in all of them, or in the first and not in the second."""

    operator: str
    parts: "tuple[_CharacterSet, ...]"


# A list is Java's bit set of the Latin-1 characters of one class: those that come later still join it.
type _CharacterSet = str | list[str] | _Set


def _union(one: _CharacterSet | None, other: _CharacterSet) -> _CharacterSet:
    if one is None:
        return other
    if isinstance(one, _Set) and one.operator == "||":
        return _Set("||", (*one.parts, other))
    return _Set("||", (one, other))


def _written(characters: _CharacterSet) -> str:
    match characters:
        case str():
            return characters
        case list():
            return f"[{''.join(characters)}]"
        case _Set(operator, parts):
            return f"[{operator.join(map(_written, parts))}]"


def _escaped(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _upper(character: str) -> str:
    """Unicode's simple mapping, one character to one, as Character.toUpperCase has it."""
    for mapped in (character.upper(), character.title()):
        if len(mapped) == 1:
            return mapped
    return character


def _lower(character: str) -> str:
    return character.lower()[0]


def _folded(character: str) -> str:
    return _lower(_upper(character))


@cache
def _with_case() -> tuple[tuple[str, str, str], ...]:
    """Each character that has another case, its upper case, and the lower case of that."""
    characters = (chr(code) for code in range(0x1F000) if not 0xD800 <= code <= 0xDFFF)
    cased = (c for c in characters if c.lower() != c or c.upper() != c)
    return tuple((c, _upper(c), _folded(c)) for c in cased)


@cache
def _variants() -> dict[str, str]:
    """For each folded character, all that fold to it."""
    variants: dict[str, str] = {}
    for character, _, folded in _with_case():
        variants[folded] = variants.get(folded, folded) + character
    return variants


@lru_cache(maxsize=256)
def _case_range(first: str, last: str, unicode_case: bool) -> str:
    """The range, and all characters that are in it by their upper or lower case."""
    if unicode_case:
        others = [c for c, upper, lower in _with_case() if first <= upper <= last or first <= lower <= last]
    else:
        letters = map(chr, (*range(65, 91), *range(97, 123)))
        others = [c for c in letters if first <= c.swapcase() <= last]
    outside = "".join(_escaped(c) for c in others if not first <= c <= last)
    return f"[{_escaped(first)}-{_escaped(last)}{outside}]"


def _property(name: str, ignore_case: bool, unicode_classes: bool) -> str | None:
    r"""The set of \p{name}; None when Java knows none."""
    key, equals, value = name.partition("=")
    if equals:
        match key.lower():
            case "sc" | "script":
                return _named("Script", value)
            case "blk" | "block":
                return _block(value)
            case "gc" | "general_category":
                return _cased_property(_PROPERTIES, value, ignore_case)
        return None
    if name.startswith("In"):
        return _block(name[2:])
    if name.startswith("java"):
        raise Undecided(f"Use a class such as \\p{{Alpha}}: {name} is not checked.")
    if name.startswith("Is"):
        return (
            _cased_property(_BINARY, name[2:].upper(), ignore_case)
            or _cased_property(_PROPERTIES, name[2:], ignore_case)
            or _named("Script", name[2:])
        )
    unicode_class = _cased_property(_UNICODE, name.upper(), ignore_case) if unicode_classes else None
    return unicode_class or _cased_property(_PROPERTIES, name, ignore_case)


def _block(name: str) -> str:
    """The set of a block. Java knows names that Unicode has given up, so that another name is not judged."""
    found = _named("Block", name)
    if found is None:
        raise Undecided(f"Write the block as a range: the name {name} is not checked.")
    return found


def _cased_property(properties: dict[str, str], name: str, ignore_case: bool) -> str | None:
    found = properties.get(name)
    return found and ((ignore_case and _WITHOUT_CASE.get(name)) or found)


@lru_cache(maxsize=256)
def _named(kind: str, name: str) -> str | None:
    """The set of a script or a block, if the regex package knows its name."""
    if not name.isascii() or not name.replace("_", "").replace(" ", "").replace("-", "").isalnum():
        return None
    written = rf"[\p{{{kind}={name}}}]"
    try:
        regex.compile(written, regex.VERSION1, cache_pattern=False)
    except regex.error:
        return None
    return written


# The pattern as a tree, kept only for what Java asks of it: how long its matches are, and whether there is a choice in them.


class _Kind(Enum):
    LEAF = "leaf"
    SEQUENCE = "sequence"
    CHOICE = "choice"
    ATOMIC = "atomic"
    OPTIONAL = "optional"
    COUNTED = "counted"
    GREEDY = "greedy"  # a single character with * + or {n,}
    LOOP = "loop"


@dataclass(frozen=True)
class _Node:
    text: str
    kind: _Kind = _Kind.LEAF
    parts: "tuple[_Node, ...]" = ()
    low: int = 0
    high: int = 0
    bounded: bool = True
    fixed: bool = True
    one_character: bool = False
    weight: int = 1


_UNBOUNDED = 0x7FFF_FFFF


@dataclass
class _Extent:
    """What java.util.regex works out of a part: shortest, longest, whether that is an end, and whether without choice.

    On which hangs whether it takes a look-behind.
    """

    low: int = 0
    high: int = 0
    bounded: bool = True
    fixed: bool = True
    before_low: int = 0
    before_high: int = 0

    @property
    def shortest(self) -> int:
        return self.before_low + self.low

    @property
    def longest(self) -> int:
        return self.before_high + self.high

    def add(self, node: _Node) -> None:
        match node.kind:
            case _Kind.LEAF:
                self.low += node.low
                self.high += node.high
                self.bounded &= node.bounded
                self.fixed &= node.fixed
            case _Kind.SEQUENCE:
                for part in node.parts:
                    self.add(part)
            case _Kind.CHOICE:
                extents = [_extent(part) for part in node.parts]
                self.before_low += self.low + min(extent.shortest for extent in extents)
                self.before_high += self.high + max(-1, *(extent.longest for extent in extents))
                self.low = self.high = 0
                self.bounded &= all(extent.bounded for extent in extents)
                self.fixed = False
            case _Kind.ATOMIC | _Kind.OPTIONAL:
                inner = _Extent(self.low, self.high, self.bounded, self.fixed)
                inner.add(node.parts[0])
                self.high, self.bounded, self.fixed = inner.longest, inner.bounded, inner.fixed
                if node.kind is _Kind.ATOMIC:
                    self.low = inner.shortest
                else:
                    self.fixed = False
            case _Kind.GREEDY:
                self.low += node.low
                if self.bounded:
                    self.high += _UNBOUNDED
                self.fixed = False
            case _Kind.COUNTED:
                inner = _extent(node.parts[0])
                self.low += inner.shortest * node.low
                self.bounded &= inner.bounded
                if inner.bounded:
                    self.high += inner.longest * node.high
                self.fixed = self.fixed and inner.fixed and node.low == node.high
            case _Kind.LOOP:
                self.bounded = self.fixed = False


def _extent(node: _Node) -> _Extent:
    extent = _Extent()
    extent.add(node)
    return extent


def _leaf(text: str, low: int = 0, high: int = 0, *, bounded: bool = True, fixed: bool = True) -> _Node:
    return _Node(text, low=low, high=high, bounded=bounded, fixed=fixed)


def _one(characters: str) -> _Node:
    return _Node(characters, low=1, high=1, one_character=True)


def _sequence(parts: list[_Node]) -> _Node:
    if len(parts) == 1:
        return parts[0]
    return _Node(
        "".join(part.text for part in parts),
        _Kind.SEQUENCE,
        tuple(parts),
        weight=1 + sum(part.weight for part in parts),
    )


_START = _leaf(r"\A")
_END = _leaf(r"\Z")
_END_OF_LINE = _leaf(r"(?:(?=[\r\x85\u2028\u2029]|\Z)|(?<!\r)(?=\n))")
_END_OR_LAST_TERMINATOR = _leaf(r"(?:(?=(?:\r\n|[\r\x85\u2028\u2029])?\Z)|(?<!\r)(?=\n\Z))")
_START_OF_LINE = _leaf(r"(?:(?:\A|(?<=[\n\x85\u2028\u2029])|(?<=\r)(?!\n))(?!\Z))")
_UNIX_END_OF_LINE = _leaf(r"(?=\n|\Z)")
_UNIX_END_OR_LAST_TERMINATOR = _leaf(r"(?=\n?\Z)")
_UNIX_START_OF_LINE = _leaf(r"(?:(?:\A|(?<=\n))(?!\Z))")
_LINE_BREAK = _leaf(rf"(?:\r\n|{_VERTICAL})", 1, 2)

_CLASS_ESCAPES = {
    "d": (_ASCII["Digit"], _UNICODE["DIGIT"]),
    "s": (_ASCII["Space"], _UNICODE["SPACE"]),
    "w": ("[0-9A-Z_a-z]", _BINARY["WORD"]),
    "h": (_HORIZONTAL, _HORIZONTAL),
    "v": (_VERTICAL, _VERTICAL),
}
_CHARACTER_ESCAPES = {"a": "\a", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_SPACES = "\t\n\v\f\r "
_DIGITS = "0123456789"
_HEX = "0123456789abcdefABCDEF"


def _word_boundary(unicode_classes: bool) -> str:
    """Between a word and what is none; a mark belongs to the word when it stands on a letter or digit."""
    word = _BINARY["WORD"] if unicode_classes else _WORD_CHARACTER
    before = rf"(?<={word}|[\p{{L}}\p{{Nd}}]\p{{Mn}}+)"
    after = rf"(?:(?={word})|(?<=[\p{{L}}\p{{Nd}}]\p{{Mn}}*)(?=\p{{Mn}}))"
    return rf"(?:{before}(?!{after})|(?!{before}){after})"


def _unquoted(text: str) -> tuple[list[str], list[int]]:
    r"""The characters with \Q..\E written as escapes, and where each stands in the text."""
    characters: list[str] = []
    positions: list[int] = []
    quoted = fresh = False
    at = 0

    def put(written: str) -> None:
        characters.extend(written)
        positions.extend([at] * len(written))

    while at < len(text):
        pair = text[at : at + 2]
        width = 1
        if quoted:
            character = text[at]
            if pair == r"\E":
                quoted, width = False, 2
            elif character in _DIGITS:
                # The first digit could be read as part of an escape that stands before the quotation.
                put(rf"\x3{character}" if fresh else character)
            else:
                put(character if not character.isascii() or character.isalpha() else "\\" + character)
            fresh = False
        elif pair == r"\Q":
            quoted, fresh, width = True, True, 2
        else:
            put(pair if pair[0] == "\\" else pair[0])
            width = len(pair) if pair[0] == "\\" else 1
        at += width
    return characters, positions


class _Parser:
    """Reads Java's grammar by descent. Under (?x), peek(), next() and read() pass over white space and comments."""

    def __init__(self, text: str) -> None:
        self._characters, self._positions = _unquoted(text)
        self._end = len(self._characters)
        self._characters += "\0\0"
        self._positions += [len(text)] * 2
        self._at = 0
        self._flags: frozenset[str] = frozenset()
        self._groups = 0
        self._names: dict[str, int] = {}
        self._last_reference = 0
        self._rests = 0
        self._nesting = 0

    def translation(self) -> str:
        node = self._choice()
        if self._at != self._end:
            if self._peek() == ")":
                self._refuse('Remove the ")", or open a group before it; write "\\)" for the character.', 1)
            self._refuse('Write "\\\\" for a backslash: a single one at the end escapes nothing.')
        if node.weight > MAX_WEIGHT:
            raise Undecided(f"Repeat less: written out, the pattern has more than {MAX_WEIGHT:,} items and is not checked.")
        # A reference to a group that never comes fails in Java; here the group stands where nothing matches.
        missing = "(?!)" + "".join(f"(?P<g{number}>)" for number in range(self._groups + 1, self._last_reference + 1))
        return f"(?:{node.text}|{missing})" if self._last_reference > self._groups else node.text

    # The cursor

    def _refuse(self, message: str, ahead: int = 0) -> NoReturn:
        place = min(max(self._at - 1 + ahead, 0), len(self._positions) - 1)
        raise InvalidPattern(message, self._positions[place])

    def _raw(self, at: int) -> str:
        if at >= len(self._characters):
            self._refuse("Finish the pattern: it ends inside an escape, a class or a group.")
        return self._characters[at]

    def _skip_space(self) -> str:
        character = self._raw(self._at)
        while "x" in self._flags and (character == "#" or character in _SPACES):
            if character == "#":
                while self._at < self._end and not self._ends_line(self._raw(self._at)):
                    self._at += 1
            else:
                self._at += 1
            character = self._raw(self._at)
        return character

    def _ends_line(self, character: str) -> bool:
        return character == "\n" if "d" in self._flags else character in "\n\r\x85\u2028\u2029"

    def _peek(self) -> str:
        return self._skip_space()

    def _next(self) -> str:
        self._at += 1
        return self._skip_space()

    def _read(self) -> str:
        character = self._skip_space()
        self._at += 1
        return character

    def _ended(self, character: str) -> bool:
        return character == "\0" and self._at >= self._end

    # Sequences and atoms

    def _choice(self) -> _Node:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise Undecided(f"Nest {MAX_NESTING} groups or fewer: a deeper pattern is not checked.")
        alternatives = [self._sequence()]
        while self._peek() == "|":
            self._next()
            alternatives.append(self._sequence())
        self._nesting -= 1
        if len(alternatives) == 1:
            return alternatives[0]
        return _Node(
            f"(?:{'|'.join(part.text for part in alternatives)})",
            _Kind.CHOICE,
            tuple(alternatives),
            weight=1 + sum(part.weight for part in alternatives),
        )

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while True:
            character = self._peek()
            match character:
                case "(":
                    group = self._group()
                    if group is not None:
                        parts.append(group)
                    continue
                case "|" | ")":
                    break
                case "?" | "*" | "+":
                    self._next()
                    self._refuse(f'Put something before the "{character}", or write "\\{character}" for the character.')
                case "[":
                    node = _one(_written(self._class()))
                case "^":
                    self._next()
                    node = self._caret()
                case "$":
                    self._next()
                    node = self._dollar(multiline="m" in self._flags)
                case ".":
                    self._next()
                    node = _one(self._dot())
                case "\0" if self._at >= self._end:
                    break
                case _:
                    node = self._atom()
            parts.append(self._repeated(node))
        return _sequence(parts)

    def _caret(self) -> _Node:
        if "m" not in self._flags:
            return _START
        return _UNIX_START_OF_LINE if "d" in self._flags else _START_OF_LINE

    def _dollar(self, multiline: bool) -> _Node:
        if "d" in self._flags:
            return _UNIX_END_OF_LINE if multiline else _UNIX_END_OR_LAST_TERMINATOR
        return _END_OF_LINE if multiline else _END_OR_LAST_TERMINATOR

    def _dot(self) -> str:
        if "s" in self._flags:
            return _ANYTHING
        return r"[^\n]" if "d" in self._flags else _NO_TERMINATOR

    def _atom(self) -> _Node:
        """A run of plain characters, or one escape. A quantifier belongs to the last character alone."""
        run: list[str] = []
        before = self._at
        character = self._peek()
        while True:
            if character in "*+?{":
                if len(run) > 1:
                    self._at = before
                    run.pop()
                break
            if character in "$.^([|)" or self._ended(character):
                break
            if character == "\\":
                kind = self._raw(self._at + 1)
                if kind in "pP":
                    if run:
                        break
                    return _one(_written(self._family()))
                start = self._at
                escape = self._escape(in_class=False)
                if isinstance(escape, _Node):
                    if not run:
                        return escape
                    self._at = start
                    break
                before = start
                run.append(escape)
                character = self._peek()
            else:
                before = self._at
                run.append(character)
                character = self._next()
        if len(run) == 1:
            return _one(self._single(run[0]))
        return _Node(
            "".join(self._single(character, in_run=True) for character in run),
            low=len(run),
            high=len(run),
            weight=1 + len(run),
        )

    def _single(self, character: str, in_run: bool = False) -> str:
        """The set of characters that match this one under the flags in force."""
        if "i" in self._flags:
            if "u" in self._flags:
                folded = _folded(character)
                if in_run or folded != _upper(character):
                    variants = _variants().get(folded, folded)
                    return f"[{''.join(map(_escaped, variants))}]"
            elif character.isascii() and character.isalpha():
                return f"[{character}{character.swapcase()}]"
        return _escaped(character)

    # Groups

    def _group(self) -> _Node | None:
        """Read a group with its quantifier; None when it only sets flags for what follows."""
        flags = self._flags
        kind = ""
        if self._next() == "?":
            kind = self._raw(self._at + 1)
            self._at += 2
            if kind == "<":
                kind += self._read()
        match kind:
            case "":
                body, text = self._capture()
            case "=" | "!" | ">":
                body = self._choice()
                text = f"(?{kind}{body.text})"
            case "<=" | "<!":
                body = self._choice()
                text = self._behind(body, negative=kind == "<!")
            case "$" | "@":
                self._refuse('Use (?:..), (?=..), (?!..), (?>..), (?<=..), (?<!..) or (?<name>..) after "(?".')
            case _ if kind[0] == "<":
                name = self._group_name(kind[1])
                if name in self._names:
                    self._refuse(f'Use another name: a group "{name}" is there already.')
                self._names[name] = self._groups + 1
                body, text = self._capture()
            case _:
                if kind != ":":
                    self._at -= 1
                    self._read_flags()
                    kind = self._read()
                    if kind == ")":
                        return None
                    if kind != ":":
                        self._refuse("Use the flags i, d, m, s, u, x and U, as in (?i) or (?i:..); a named group is (?<name>..).")
                body = self._choice()
                text = f"(?:{body.text})"
        if self._read() != ")":
            self._refuse('Close the group with ")", or write "\\(" for the character.')
        self._flags = flags
        weight = 1 + body.weight
        match kind:
            case "=" | "!" | "<=" | "<!":
                return self._repeated(_Node(text, weight=weight))
            case ">":
                return self._repeated(_Node(text, _Kind.ATOMIC, (body,), weight=weight))
        return self._repeated(_Node(text, _Kind.SEQUENCE, (body,), weight=weight), group=True)

    def _capture(self) -> tuple[_Node, str]:
        self._groups += 1
        number = self._groups
        body = self._choice()
        return body, f"(?P<g{number}>{body.text})"

    def _group_name(self, character: str) -> str:
        name = ""
        while character.isascii() and (character.isalpha() or (name and character.isdigit())):
            name += character
            character = self._read()
        if not name:
            self._refuse("Begin the name of a group with a letter from a to z or A to Z.")
        if character != ">":
            self._refuse('Use letters and digits alone in the name of a group, and close it with ">".')
        return name

    def _read_flags(self) -> None:
        add = True
        character = self._peek()
        while True:
            if character == "c":
                raise Undecided("Remove the flag c: it is not checked.")
            if character in "imsduxU":
                both = frozenset("Uu" if character == "U" else character)
                self._flags = self._flags | both if add else self._flags - both
            elif character == "-" and add:
                add = False
            else:
                return
            character = self._next()

    def _behind(self, body: _Node, negative: bool) -> str:
        """A look-behind that reads forward, as Java's does: from each start that the lengths allow to exactly here.

        Exactly here is where as much is left as was left before.
        """
        extent = _extent(body)
        if not extent.bounded:
            self._refuse("Limit the look-behind: use {n,m} in place of * or +, and no back reference.")
        low, high = extent.shortest, extent.longest
        if not 0 <= low <= high <= MAX_SUBJECT:
            raise Undecided("Shorten the look-behind: this one is not checked.")
        self._rests += 1
        rest = f"r{self._rests}"
        inner = rf"(?<=(?={body.text}(?P={rest})\Z){_ANYTHING}{{{low},{high}}}?)"
        look = f"(?!{inner})" if negative else inner
        return f"(?:(?=(?P<{rest}>{_ANYTHING}*)){look})"

    # Repetition

    def _repeated(self, node: _Node, group: bool = False) -> _Node:
        most: int | None
        match self._peek():
            case "?":
                least, most = 0, 1
            case "*":
                least, most = 0, None
            case "+":
                least, most = 1, None
            case "{":
                least, most = self._counts()
            case _:
                return node
        suffix = self._next()
        if suffix in "?+":
            self._next()
        else:
            suffix = ""
        counts = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((least, most), f"{{{least},{'' if most is None else most}}}")
        text = node.text
        single = node.one_character
        if not single:
            extent = _extent(node)
            ragged = extent.fixed and extent.shortest != extent.longest
            # What Java takes for a part without choice, it does not enter again: \R does not give its \n back.
            once = suffix == "+" or (ragged and not (group and (least, most) == (0, 1)))
            text = f"(?>{text})" if once else f"(?:{text})"
        text = f"(?>{text}{counts})" if suffix == "+" else f"{text}{counts}{suffix}"
        return self._measured(node, text, least, most, suffix, group)

    def _measured(self, node: _Node, text: str, least: int, most: int | None, suffix: str, group: bool) -> _Node:
        weight = 1 + node.weight * max(least, 1)
        if (least, most) == (0, 1):
            if group and suffix != "+":
                return _Node(text, _Kind.CHOICE, (node, _Node("")), weight=weight)
            return _Node(text, _Kind.OPTIONAL, (node,), weight=weight)
        if most is None and suffix == "" and node.one_character:
            return _Node(text, _Kind.GREEDY, low=least, weight=weight)
        if group and suffix != "+" and not _extent(node).fixed:
            return _Node(text, _Kind.LOOP, weight=weight)
        high = _UNBOUNDED if most is None else most
        return _Node(text, _Kind.COUNTED, (node,), low=least, high=high, weight=weight)

    def _counts(self) -> tuple[int, int | None]:
        """Read {n}, {n,} or {n,m} up to its closing brace."""
        self._at += 1
        if self._raw(self._at) not in _DIGITS:
            self._at += 1
            self._refuse('Write a repetition as {n}, {n,} or {n,m}, and "\\{" for the character.')
        least = self._number()
        most = least
        if self._peek() == ",":
            self._next()
            if self._peek() == "}":
                return least, None
            most = self._number()
        if self._peek() != "}":
            self._at += 1
            self._refuse('Close the repetition with "}".')
        if most < least:
            self._refuse("Use a second number that is not below the first.", 1)
        return least, most

    def _number(self) -> int:
        number = 0
        while self._peek() in _DIGITS:
            number = number * 10 + int(self._read())
            if number > _UNBOUNDED:
                self._refuse(f"Use a number up to {_UNBOUNDED:,}.")
        return number

    # Escapes

    def _escape(self, in_class: bool, in_range: bool = False) -> str | _Node:
        """Read an escape: the character that it stands for, or what else it matches."""
        kind = self._raw(self._at + 1)
        self._at += 2
        if kind.lower() in _CLASS_ESCAPES and not (kind == "v" and in_range):
            characters = _CLASS_ESCAPES[kind.lower()]["U" in self._flags]
            return _one(characters if kind.islower() else _without(characters))
        match kind:
            case "0":
                return self._octal()
            case "x":
                return self._hexadecimal()
            case "u":
                return self._utf16()
            case "c":
                if self._at >= self._end:
                    self._refuse('Write a letter after "\\c", as in \\cM.')
                return chr(ord(self._read()) ^ 64)
            case "N":
                raise Undecided("Write the character itself: \\N is not checked.")
            case "v":
                return "\v"
        if kind in _CHARACTER_ESCAPES:
            return _CHARACTER_ESCAPES[kind]
        if not (kind.isascii() and (kind.isalpha() or kind.isdigit())):
            return kind
        node = None if in_class else self._assertion(kind)
        if node is None:
            self._refuse(f'Remove the backslash before "{kind}": Java knows no such escape{" in a class" if in_class else ""}.')
        return node

    def _assertion(self, kind: str) -> _Node | None:
        """What an escape matches that stands for no character."""
        match kind:
            case "A" | "G":
                return _START
            case "z":
                return _END
            case "Z":
                return self._dollar(multiline=False)
            case "R":
                return _LINE_BREAK
            case "X":
                raise Undecided("Write a class in place of \\X: it is not checked.")
            case "B":
                return _leaf(f"(?!{_word_boundary('U' in self._flags)})")
            case "b":
                if self._peek() == "{":
                    raise Undecided("Use \\b: \\b{g} is not checked.")
                return _leaf(_word_boundary("U" in self._flags))
            case "k":
                if self._read() != "<":
                    self._refuse('Write the name of a group after "\\k", as in \\k<name>.')
                name = self._group_name(self._read())
                if name not in self._names:
                    self._refuse(f'Define the group "{name}" before it is referred to.')
                return self._reference(self._names[name])
        if kind in _DIGITS:
            number = int(kind)
            while (digit := self._peek()) in _DIGITS and number * 10 + int(digit) <= self._groups:
                number = number * 10 + int(self._read())
            return self._reference(number)
        return None

    def _reference(self, number: int) -> _Node:
        self._last_reference = max(self._last_reference, number)
        reference = f"(?P=g{number})"
        return _leaf(f"(?i:{reference})" if "i" in self._flags else reference, bounded=False)

    def _octal(self) -> str:
        if self._peek() not in "01234567":
            self._refuse('Write one to three octal digits up to 0377 after "\\0".', 1)
        digits = self._read()
        while self._peek() in "01234567" and len(digits) < (3 if digits[0] <= "3" else 2):
            digits += self._read()
        return chr(int(digits, 8))

    def _hexadecimal(self) -> str:
        first = self._read()
        if first in _HEX:
            second = self._read()
            if second in _HEX:
                return chr(int(first + second, 16))
        elif first == "{" and self._peek() in _HEX:
            code = 0
            while (digit := self._read()) in _HEX:
                code = code * 16 + int(digit, 16)
                if code > 0x10FFFF:
                    self._refuse("Use a code point up to 10FFFF.")
            if digit == "}":
                return chr(code)
        self._refuse('Write two hexadecimal digits after "\\x", or some in braces, as in \\x{1F600}.')

    def _utf16(self) -> str:
        unit = self._four_digits()
        if 0xD800 <= unit < 0xDC00:
            after = self._at
            if self._read() == "\\" and self._read() == "u":
                low = self._four_digits()
                if 0xDC00 <= low < 0xE000:
                    return chr(0x10000 + (unit - 0xD800) * 0x400 + low - 0xDC00)
            self._at = after
        return chr(unit)

    def _four_digits(self) -> int:
        unit = 0
        for _ in range(4):
            digit = self._read()
            if digit not in _HEX:
                self._refuse('Write four hexadecimal digits after "\\u".')
            unit = unit * 16 + int(digit, 16)
        return unit

    def _family(self) -> _CharacterSet:
        r"""Read \p or \P, a letter or a name in braces."""
        complement = self._raw(self._at + 1) == "P"
        self._at += 1
        if self._next() == "{":
            self._next()
            start = self._at
            self._characters[self._end] = "}"
            while self._read() != "}":
                pass
            self._characters[self._end] = "\0"
            if self._at > self._end:
                self._refuse('Close the name of the property with "}".')
            name = "".join(self._characters[start : self._at - 1])
        else:
            name = self._raw(self._at)
            self._read()
        characters = _property(name, "i" in self._flags, "U" in self._flags)
        if characters is None:
            self._refuse(f'Use a property that Java knows, such as \\p{{Alpha}} or \\p{{IsLatin}}: "{name}" is none.')
        return _without(characters) if complement else characters

    # Classes

    def _class(self, closed: bool = True) -> _CharacterSet:
        """Read a class from its bracket to the closing one, or the right side of && up to there."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise Undecided(f"Nest {MAX_NESTING} classes or fewer: a deeper pattern is not checked.")
        whole: _CharacterSet | None = None
        latest: _CharacterSet | None = None
        bits: list[str] = []
        bits_waiting = False
        character = self._next()
        negated = character == "^" and self._raw(self._at - 1) == "["
        if negated:
            character = self._next()
        while True:
            if character == "[":
                latest = self._class()
                whole = _union(whole, latest)
                character = self._peek()
                continue
            if character == "&":
                character = self._next()
                if character == "&":
                    character = self._next()
                    right: _CharacterSet | None = None
                    while character not in "]&":
                        if character == "[":
                            right = _union(right, self._class())
                        else:
                            self._at -= 1
                            right = _union(right, self._class(closed=False))
                        character = self._peek()
                    if bits_waiting:
                        if whole is None:
                            latest = bits
                        whole = _union(whole, bits)
                        bits_waiting = False
                    if right is not None:
                        latest = right
                    if whole is None:
                        if right is None:
                            self._refuse('Write a set on both sides of "&&".')
                        whole = right
                    else:
                        # With nothing on the right Java up to 18 takes the class, and fails once it is reached.
                        whole = _Set("&&", (whole, latest or _without(_ANY)))
                    continue
                self._at -= 1
            elif self._ended(character):
                self._refuse('Close the class with "]", or write "\\[" for the character.')
            elif character == "]" and (whole is not None or bits_waiting):
                if closed:
                    self._next()
                if bits_waiting:
                    whole = _union(whole, bits)
                assert whole is not None
                self._nesting -= 1
                return _Set("--", (_ANY, whole)) if negated else whole
            item = self._class_item(bits)
            if item is None:
                bits_waiting = True
            elif whole is not latest or whole is None or item is not whole:
                whole = _union(whole, item)
            latest = item
            character = self._peek()

    def _class_item(self, bits: list[str]) -> _CharacterSet | None:
        """Read a character, a range, an escape or a property; None when it has joined the bits."""
        character = self._peek()
        if character == "\\":
            kind = self._raw(self._at + 1)
            if kind in "pP":
                return self._family()
            escape = self._escape(in_class=True, in_range=self._raw(self._at + 2) == "-")
            if isinstance(escape, _Node):
                return escape.text
            character = escape
        else:
            self._next()
        if self._peek() == "-":
            end = self._raw(self._at + 1)
            if end not in "[]":
                end = self._next()
                if end == "\\":
                    escape = self._escape(in_class=True, in_range=True)
                    end = "" if isinstance(escape, _Node) else escape
                else:
                    self._next()
                if end < character:
                    self._refuse("Write the lower end of a range first, and characters at both ends.")
                if "i" in self._flags:
                    return _case_range(character, end, "u" in self._flags)
                return f"[{_escaped(character)}-{_escaped(end)}]"
        if ord(character) < 0x100 and not ({"i", "u"} <= self._flags and character in "\xff\xb5IiSsKk\xc5\xe5"):
            bits.append(self._single(character))
            return None
        return f"[{self._single(character)}]"
