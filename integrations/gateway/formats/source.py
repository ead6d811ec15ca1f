"""JSON or YAML text in, its plain value out, and the place in the text of every part of it; bounded, whatever the text holds.

YAML is read as CloudFormation, SAM and API Gateway's importer read it: version 1.1, `!Sub x` as `{"Fn::Sub": x}`, dates as the
text that they are, keys as text, the last of two equal keys. libyaml parses, because its marks cost little: 0.02 s for 260 KB,
where ruamel.yaml takes 0.6 s.
"""

import bisect
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import yaml

from integrations.gateway.definition import LIMITS
from integrations.gateway.formats.export import UnreadableText

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

type FilePath = tuple[str | int, ...]
"""A place in the value of a file: keys as text, and indexes; intrinsics in their long form, `("Uri", "Fn::Sub")`."""

PARTS = 400_000
"""Keys, values and lists that a file may hold, counted again for each alias. The largest templates people deploy have 20,000."""
TAGS = {"Ref": "Ref", "Condition": "Condition"}
YAML_TAG = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Node:
    """One part of a text, from `start` up to `end` (in characters): a scalar, a list, or an object."""

    start: int
    end: int
    text: str = ""
    """Of a scalar: what it says."""
    pairs: list[tuple[str, "Node", "Node"]] | tuple[()] = ()
    """Of an object: name, key, value, in the text's order."""
    items: list["Node"] | tuple[()] = ()
    """Of a list."""
    tag: str = ""
    """The long form of a short intrinsic: `Fn::Sub`."""
    style: str = ""
    """How a scalar is quoted: `'`, `"`, `|`, `>`, or nothing; `*` for an alias."""
    flow: bool = False
    """Of a list or an object: between brackets."""

    def child(self, step: str | int) -> "Node | None":
        """The value of a key (the last one counts), or a part of a list."""
        if isinstance(step, int):
            return self.items[step] if step < len(self.items) else None
        return next((value for name, _, value in reversed(self.pairs) if name == step), None)


class Twice(NamedTuple):
    """A key that stands twice in one object; the last one counts."""

    path: FilePath
    line: int


@dataclass(slots=True)
class Source:
    """A text that was read: its plain value, and where each part of it stands."""

    text: str
    """Without the byte order mark that may stand before it."""
    value: Any
    syntax: str
    """json or yaml"""
    twice: tuple[Twice, ...] = ()
    aliases: tuple[int, ...] = ()
    """The lines of the aliases that were written out."""
    placeholders: tuple[int, ...] = ()
    """Where `{{ x }}` of another tool stands as a value without quotes."""
    mark: str = ""
    """The byte order mark, where the text began with one."""
    _root: Node | None = None
    _lines: list[int] = field(default_factory=list)

    @property
    def root(self) -> Node:
        """The outermost part of the text."""
        if self._root is None:
            self._root = json_nodes(self.text)
        return self._root

    def node(self, path: FilePath) -> Node:
        """The part of the text at a path, or the nearest one around it."""
        found = self.root
        for step in path:
            if found.tag and (step == found.tag):
                continue
            inner = found.child(step)
            if inner is None:
                break
            found = inner
        return found

    def line(self, path: FilePath) -> int:
        """The line (from 1) of the key at a path, or of the nearest part around it."""
        return self.line_at(self.start(path))

    def start(self, path: FilePath) -> int:
        """Where the key at a path begins, or the nearest part around it."""
        found, start = self.root, self.root.start
        for step in path:
            if found.tag and step == found.tag:
                continue
            inner = found.child(step)
            if inner is None:
                break
            pair = next((key for name, key, _ in reversed(found.pairs) if name == step), None)
            found, start = inner, (pair or inner).start
        return start

    def line_at(self, offset: int) -> int:
        """The line (from 1) of a character."""
        if not self._lines:
            self._lines = [match.end() for match in re.finditer("\n", self.text)]
        return bisect.bisect_right(self._lines, offset) + 1


def read_source(text: str) -> Source:
    """A JSON text, or the one document of a YAML text. Raises UnreadableText with its line where the syntax is broken, or where
    it is longer, deeper or has more parts than anybody writes by hand.
    """
    if len(text) > LIMITS["bytes"]:
        raise UnreadableText(f"The text is longer than {LIMITS['bytes']:,} characters. Split it.")
    bare = text.removeprefix("\ufeff")
    source = _json_source(bare) if bare.lstrip()[:1] in ("{", "[") else _Composer(bare).source()
    source.mark = text[: len(text) - len(bare)]
    return source


# --- JSON ------------------------------------------------------------------------------------------


def _json_source(text: str) -> Source:
    twice = []

    def object_of(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found):
            twice.append(True)
        return made

    try:
        value = json.loads(text, object_pairs_hook=object_of)
    except json.JSONDecodeError as error:
        raise _broken_json(text, error) from error
    except RecursionError as error:
        raise _deep(text) from error
    except ValueError as error:
        raise UnreadableText("This JSON holds a number that is too long.") from error
    _bound(text, value)
    source = Source(text=text, value=value, syntax="json")
    if twice:
        source.twice = tuple(Twice(path, source.line_at(key.start)) for path, key in _repeated(source.root))
    return source


def _broken_json(text: str, error: json.JSONDecodeError) -> UnreadableText:
    line, column = error.lineno, error.colno
    if text.startswith(("${", "%{", "{{", "{%", "<%"), error.pos) and (placeholder := _placeholder(text, error.pos)):
        return placeholder
    if error.msg == "Extra data":
        message = "A second JSON value begins here; a file holds one (this may be NDJSON). Keep one, or split the file."
        return UnreadableText(message, line, column)
    return UnreadableText(f"This is not JSON: {error.msg}.", line, column)


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s\[\]{},:"]+', re.DOTALL)


def _deep(text: str) -> UnreadableText:
    """Where the brackets go deeper than is read."""
    depth = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        depth += (token in ("[", "{")) - (token in ("]", "}"))
        if depth > LIMITS["depth"]:
            before = text.count("\n", 0, match.start())
            column = match.start() - text.rfind("\n", 0, match.start())
            message = f"This is nested more than {LIMITS['depth']} levels deep. Flatten it."
            return UnreadableText(message, before + 1, column)
    return UnreadableText(f"This is nested more than {LIMITS['depth']} levels deep. Flatten it.")


def _bound(text: str, value: Any) -> None:
    """Raise UnreadableText where a value has more levels or more parts than is read."""
    level, depth, parts = [value], 0, 0
    while level:
        lists = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
        level = list(itertools.islice(itertools.chain.from_iterable(lists), PARTS))
        depth, parts = depth + 1, parts + len(level)
        if depth > LIMITS["depth"]:
            raise _deep(text)
        if parts >= PARTS:
            raise UnreadableText(f"This has more than {PARTS:,} parts. Split it.")


def json_nodes(text: str) -> Node:
    """The parts of a text that is JSON."""
    root: Node | None = None
    stack: list[Node] = []
    key: Node | None = None
    for match in _TOKEN.finditer(text):
        token, start = match[0], match.start()
        if token in ("]", "}"):
            stack.pop().end = match.end()
            continue
        if token == "[":
            node = Node(start, match.end(), items=[], flow=True)
        elif token == "{":
            node = Node(start, match.end(), pairs=[], flow=True)
        elif token[0] == '"':
            node = Node(start, match.end(), text=json.loads(token), style='"')
        else:
            node = Node(start, match.end(), text=token)
        around = stack[-1] if stack else None
        if around is None:
            root = node
        elif isinstance(around.items, list):
            around.items.append(node)
        elif key is None:
            key = node
            continue
        else:
            around.pairs.append((key.text, key, node))  # type: ignore[union-attr]
            key = None
        if token in ("[", "{"):
            stack.append(node)
    return root or Node(0, len(text))


def _repeated(root: Node) -> Iterator[tuple[FilePath, Node]]:
    """The keys that stand again in an object that holds them already."""
    pending: list[tuple[FilePath, Node]] = [((), root)]
    while pending:
        path, node = pending.pop()
        seen: set[str] = set()
        for name, key, value in node.pairs:
            if name in seen:
                yield (*path, name), key
            seen.add(name)
            pending.append(((*path, name), value))
        pending += [((*path, index), inner) for index, inner in enumerate(node.items)]


# --- YAML ------------------------------------------------------------------------------------------

BOOLEANS = {
    spelling: value
    for value, words in ((True, ("yes", "true", "on")), (False, ("no", "false", "off")))
    for word in words
    for spelling in (word, word.capitalize(), word.upper())
}
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_BASED = re.compile(r"[-+]?0(?:b[01_]+|x[0-9a-fA-F_]+)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)")


def scalar(text: str) -> Any:
    """A plain scalar as YAML 1.1 reads it; dates and times stay text, as CloudFormation documents."""
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if text[0] in "-+.0123456789" and len(text) < 400:
        digits = text.replace("_", "")
        if _WHOLE.fullmatch(text):
            return int(digits)
        if _OCTAL.fullmatch(text) and digits.lstrip("+-0"):
            return int(digits, 8)
        if _BASED.fullmatch(text) and digits[-1] not in "xb":
            return int(digits, 0)
        if _FLOAT.fullmatch(text):
            return float(digits)
    return text


_BRACES = re.compile(r"(\{\{[^{}\n]*\}\})[ \t]*(?:#.*)?$", re.MULTILINE)


class _Braces(Exception):
    """Two braces are read as an object that has an object for a key: what begins there and in which column."""

    def __init__(self, offset: int, column: int) -> None:
        super().__init__(offset)
        self.offset = offset
        self.column = column


class _Composer:
    """The events of libyaml as values and nodes, counted."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parsed = text
        self.filled: dict[int, str] = {}
        self.anchors: dict[str, tuple[Node, Any, int]] = {}
        self.twice: list[Twice] = []
        self.aliases: list[int] = []
        self.parts = 0
        self.depth = 0
        self.path: list[str | int] = []
        self.event: Any = None
        self.events: Iterator[Any] = iter(())

    def source(self) -> Source:
        """The one document of the text; a value that is `{{ x }}` of another tool and nothing else is that text."""
        while True:
            try:
                return self._document()
            except _Braces as found:
                rest = _BRACES.match(self.text, found.offset)
                if rest is None:
                    raise UnreadableText(_said(0), self.text.count("\n", 0, found.offset) + 1, found.column) from found
                # as long as it was, so that all places stay where they are; `_scalar` gives its text back
                self.filled[found.offset] = rest[1]
                self.parsed = f'{self.parsed[: rest.start()]}"{"x" * (len(rest[1]) - 2)}"{self.parsed[rest.end(1) :]}'
                self.depth, self.path, self.anchors, self.twice, self.aliases = 0, [], {}, [], []

    def _document(self) -> Source:
        try:
            self.events = yaml.parse(self.parsed, Loader=Loader)
            self._next()
            self._next()
            if self._at(yaml.StreamEndEvent):
                raise UnreadableText("The file is empty.", 1)
            self._next()
            node, value, _ = self._node()
            self._next()
            if self._at(yaml.DocumentStartEvent):
                message = "A second YAML document begins here; a file holds one. Keep one, or split the file."
                raise UnreadableText(message, *self._where(self.event))
        except yaml.YAMLError as error:
            raise self._broken(error) from error
        return Source(
            text=self.text,
            value=value,
            syntax="yaml",
            twice=tuple(self.twice),
            aliases=tuple(self.aliases),
            placeholders=tuple(self.filled),
            _root=node,
        )

    def _next(self) -> None:
        self.event = next(self.events, None)

    def _at(self, kind: type) -> bool:
        return type(self.event) is kind

    def _where(self, event: Any) -> tuple[int, int]:
        """The line and column, from 1."""
        return event.start_mark.line + 1, event.start_mark.column + 1

    def _count(self, parts: int, event: Any) -> None:
        self.parts += parts
        if self.parts > PARTS:
            message = f"Up to here this has more than {PARTS:,} parts, aliases written out. Split it, or remove aliases."
            raise UnreadableText(message, *self._where(event))

    def _node(self) -> tuple[Node, Any, int]:
        """The node that begins at the current event, its value and its parts; the event after it is the current one then."""
        event: Any = self.event
        if self._at(yaml.ScalarEvent):
            found = self._scalar(event)
        elif self._at(yaml.AliasEvent):
            line, column = self._where(event)
            if event.anchor not in self.anchors:
                raise UnreadableText(
                    f"The alias *{event.anchor} stands for nothing. Define &{event.anchor} before it.", line, column
                )
            self.aliases.append(line)
            target, value, parts = self.anchors[event.anchor]
            self._count(parts, event)
            self._next()
            node = replace(target, start=event.start_mark.index, end=event.end_mark.index, style="*")
            return node, value, parts
        else:
            self.depth += 1
            if self.depth > LIMITS["depth"]:
                message = f"This is nested more than {LIMITS['depth']} levels deep. Flatten it."
                raise UnreadableText(message, *self._where(event))
            before = self.parts
            self._count(1, event)
            make = self._list if self._at(yaml.SequenceStartEvent) else self._object
            node, value = make(event)
            found = node, self._intrinsic(node, value, event), self.parts - before
            self.depth -= 1
        if event.anchor:
            self.anchors[event.anchor] = found
        return found

    def _scalar(self, event: Any) -> tuple[Node, Any, int]:
        self._count(1, event)
        self._next()
        tag, style = event.tag, event.style or ""
        text = self.filled.get(event.start_mark.index, event.value)
        node = Node(event.start_mark.index, event.end_mark.index, text=text, style=style)
        value = scalar(text) if not style and not tag else None if tag == YAML_TAG + "null" else text
        if tag and tag.startswith(YAML_TAG) and not style and tag != YAML_TAG + "str":
            value = scalar(text)
        return node, self._intrinsic(node, value, event), 1

    def _intrinsic(self, node: Node, value: Any, event: Any) -> Any:
        """The value under its tag: `!Sub x` as `{"Fn::Sub": x}`."""
        tag = event.tag or ""
        if not tag.startswith("!") or tag == "!":
            return value
        name = tag[1:].removeprefix("Fn::")
        node.tag = TAGS.get(name, f"Fn::{name}")
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {node.tag: value}

    def _list(self, event: Any) -> tuple[Node, list[Any]]:
        found: list[Any] = []
        nodes: list[Node] = []
        self._next()
        while not self._at(yaml.SequenceEndEvent):
            self.path.append(len(found))
            node, value, _ = self._node()
            self.path.pop()
            found.append(value)
            nodes.append(node)
        end = self.event.end_mark.index
        self._next()
        return Node(event.start_mark.index, end, items=nodes, flow=bool(event.flow_style)), found

    def _object(self, event: Any) -> tuple[Node, dict[str, Any]]:
        found: dict[str, Any] = {}
        merged: list[Any] = []
        nodes: list[tuple[str, Node, Node]] = []
        self._next()
        while not self._at(yaml.MappingEndEvent):
            start = self.event
            if not self._at(yaml.ScalarEvent):
                raise self._no_key(start)
            key, _, _ = self._scalar(start)
            name = start.value
            self.path.append(name)
            node, value, _ = self._node()
            if name == "<<" and not start.style:
                merged += value if isinstance(value, list) else [value]
            else:
                if name in found:
                    self.twice.append(Twice(tuple(self.path), start.start_mark.line + 1))
                found[name] = value
                nodes.append((name, key, node))
            self.path.pop()
        end = self.event.end_mark.index
        self._next()
        for inner in (inner for inner in merged if isinstance(inner, dict)):
            self._count(len(inner), event)
            found = inner | found
        return Node(event.start_mark.index, end, pairs=nodes, flow=bool(event.flow_style)), found

    def _no_key(self, event: Any) -> Exception:
        offset = event.start_mark.index - 1
        if self.text.startswith("{{", offset):
            return _Braces(offset, event.start_mark.column)
        return UnreadableText("A key is a text. A list or an object stands here as one.", *self._where(event))

    def _broken(self, error: yaml.YAMLError) -> UnreadableText:
        mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is None:
            position = getattr(error, "position", None)
            what = "it holds a character that YAML does not allow"
            line = self.text.count("\n", 0, position) + 1 if isinstance(position, int) else None
            return UnreadableText(f"This is not YAML: {what}.", line)
        what = getattr(error, "problem", None) or getattr(error, "context", None) or "it cannot be read"
        found = UnreadableText(f"This is not YAML: {what}.", mark.line + 1, mark.column + 1)
        return _placeholder(self.text, mark.index) or found


# --- What other tools leave in a text --------------------------------------------------------------

_PLACEHOLDERS = (
    ("{{", "{{ … }}", "Jinja, Handlebars or Go templates"),
    ("{%", "{% … %}", "Jinja"),
    ("${", "${ … }", "Terraform or a shell"),
    ("%{", "%{ … }", "Terraform"),
    ("<%", "<% … %>", "ERB or EJS"),
)


def _said(index: int) -> str:
    _, shape, tool = _PLACEHOLDERS[index]
    return f"A placeholder of another tool stands here: {shape} ({tool}). Fill it in with that tool first, or put it in quotes."


def _placeholder(text: str, offset: int) -> UnreadableText | None:
    """What to do where a placeholder begins at this character, or stands outside quotes in its line."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)][:10_000]
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", lambda quoted: " " * len(quoted[0]), line)
    for index, (mark, _, _) in enumerate(_PLACEHOLDERS):
        column = bare.find(mark)
        if column >= 0:
            return UnreadableText(_said(index), text.count("\n", 0, start) + 1, column + 1)
    return None
