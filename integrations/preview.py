"""One definition in one format as people read it: lines with colours, each with its place in the definition and its marks."""

import ast
import dataclasses
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html import escape
from typing import Any

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Token

from integrations.gateway.definition import Api, Raw, Route, dumps
from integrations.gateway.findings import Finding, Path
from integrations.gateway.formats import FORMATS, Export, Format, UnreadableText
from integrations.gateway.options import options_of

COLOURED = 100_000
"""Characters of a text that are coloured; a longer one is shown plain."""
SHOWN = {"lines": 4_000, "columns": 2_000, "characters": 400_000}
"""How much of a text is put on a page; a file always has all of it."""
COMPARED = 1_500
"""Lines that are compared one by one; of more, all that lies between the first and the last difference counts as changed."""


# --- Where a line comes from -----------------------------------------------------------------------


@dataclass(slots=True)
class Block:
    """A part of a text under a key ("timeoutInMillis", the name of a call, empty for an item of a list). Lines from 0."""

    key: str
    first: int
    last: int
    inner: list["Block"] = field(default_factory=list)


_KEY = re.compile(
    r"""(?P<indent>\ *)(?P<dash>-\ +|-$)?
    (?:(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^']|'')*)'|(?P<plain>[^\s"'#{}\[\],&!|>-][^#]*?)):(?:\s|$))?""",
    re.VERBOSE,
)
_BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*$")


def indented(lines: Sequence[str]) -> list[Block]:
    """The blocks of YAML or JSON whose indentation shows its structure, as our own exports are written."""
    root = Block("", 0, len(lines) - 1)
    stack: list[tuple[int, Block]] = [(-1, root)]
    scalar: int | None = None
    for number, line in enumerate(lines):
        text = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if not text or (scalar is not None and indent > scalar):
            for _, block in stack:
                block.last = number
            continue
        scalar = indent if _BLOCK_SCALAR.search(text) else None
        # Twice the indentation, one more for an item: "- " may stand right below the key of its list.
        if text[0] in "}]":
            while stack[-1][0] > 2 * indent + 1:
                stack.pop()
        else:
            found = _KEY.match(line)
            assert found is not None
            item = found["dash"] is not None or (text[0] in "{[" and stack[-1][1] is not root) or _is_value(found, text)
            depth = 2 * indent + (1 if item else 0)
            while stack[-1][0] >= depth:
                stack.pop()
            if item:
                stack.append((depth, _opened(stack[-1][1], Block("", number, number))))
            key = _key(found)
            if key is not None:
                depth = 2 * (indent + len(found["dash"] or ""))
                stack.append((depth, _opened(stack[-1][1], Block(key, number, number))))
        for _, block in stack:
            block.last = number
    return root.inner


def _is_value(found: re.Match[str], text: str) -> bool:
    return _key(found) is None and text[0] not in "{["


def _key(found: re.Match[str]) -> str | None:
    if found["double"] is not None:
        try:
            return str(json.loads(f'"{found["double"]}"'))
        except ValueError:  # an escape that only YAML knows
            return found["double"]
    if found["single"] is not None:
        return found["single"].replace("''", "'")
    return found["plain"]


def _opened(parent: Block, block: Block) -> Block:
    parent.inner.append(block)
    return block


def parsed(text: str) -> list[Block]:
    """The blocks of Python: keyword arguments, entries of dicts, items of lists, calls, names with what they name."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    assigned: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned[node.targets[0].id] = node.value

    def block(key: str, node: Any, *inner: ast.AST) -> Block:
        return Block(key, node.lineno - 1, node.end_lineno - 1, [found for part in inner for found in within(part)])

    def within(node: ast.AST) -> Iterator[Block]:
        match node:
            case ast.Call(func=func, args=args, keywords=keywords):
                name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
                yield from within(func)
                yield block(name, node, *args, *keywords)
            case ast.keyword(arg=str(name), value=value):
                yield block(name, node, value)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield Block(key.value, key.lineno - 1, (value.end_lineno or 0) - 1, list(within(value)))
            case ast.List(elts=items) | ast.Tuple(elts=items):
                for item in items:
                    yield block("", item, item)
            case ast.Name(id=name, ctx=ast.Load()) if name in assigned:
                yield block("", assigned[name])
            case ast.arg(arg=name):
                yield block(name, node)
            case _:
                for child in ast.iter_child_nodes(node):
                    yield from within(child)

    return [found for node in tree.body if not isinstance(node, ast.Assign) for found in within(node)] + [
        found for value in assigned.values() if not isinstance(value, ast.Constant) for found in within(value)
    ]


type Scope = dict[str, list[tuple[Path, Any]]]
"""A name in a format → the places in the definition that it may be, each with what stands there."""

DIALECTS = ("cdk", "cloudformation", "openapi", "boto3")
"""What an option is called in which formats: each has the names of the dialect that its own name begins with."""

PERMISSION = ("function", "allow_test_invoke", "scope_permission_to_method", "permission_functions")
"""What the permission to invoke a function is made of."""


class Places:
    """The place in the definition of each line of an export: by the names that options have in the format, and its structure."""

    def __init__(self, api: Api, format: Format) -> None:
        self.api = api
        self.dialect = next((name for name in DIALECTS if format.name.startswith(name)), "name")
        self.python = format.lexer == "python"
        self.starting: dict[int, list[Path]] = {}
        """Line → the places whose text begins in it."""
        self.covering: dict[int, tuple[Path, ...]] = {}
        """Line → the innermost places whose text runs over it."""

    def of(self, lines: Sequence[str]) -> list[tuple[Path, ...]]:
        """For each line the places of what it says; none for what is the format's own."""
        if self.api.routes:
            scope = self.scope(self.api, ()) | self.scope(self.api.routes[0], ("routes", 0))
            for block in parsed("\n".join(lines)) if self.python else indented(lines):
                self.walk(block, scope, ())
            self.spell(lines, self.api.routes[0])
        return [tuple(dict.fromkeys(self.starting.get(n) or self.covering.get(n, ()))) for n in range(len(lines))]

    def scope(self, value: Any, path: Path) -> Scope:
        """What may be said inside of a value: name in this format → places."""
        if isinstance(value, Mapping):
            return {key: [((*path, key), inner)] for key, inner in value.items()}
        found: Scope = {}
        owner: type = type(value)
        for name, option in options_of(owner).items():
            said = str(getattr(option, self.dialect)).rpartition(".")[2]
            if said and getattr(value, name) is not None:
                found.setdefault(said, []).append(((*path, name), getattr(value, name)))
        return found

    def nameless(self, value: Any, path: Path, scope: Scope) -> list[Path]:
        """The options of a value that are set and have no name in this format."""
        named = {place for targets in scope.values() for place, _ in targets}
        owner: type = type(value)
        set_ = [name for name in options_of(owner) if getattr(value, name) not in (None, (), {})]
        return [(*path, name) for name in set_ if (*path, name) not in named]

    def integration(self) -> Scope:
        """What may be said of the integration; a backend's options without a name of their own are in its type and URI."""
        path: Path = ("routes", 0, "integration")
        value = self.api.routes[0].integration
        own = self.scope(value.backend, (*path, "backend"))
        found = self.scope(value, path) | own
        for place in self.nameless(value.backend, (*path, "backend"), own):
            where = str(getattr(options_of(Raw)["type" if place[-1] == "proxy" else "raw_uri"], self.dialect))
            found.setdefault(where, []).append((place, None))
        return found

    def walk(self, block: Block, scope: Scope, places: tuple[Path, ...]) -> None:
        """Note the places of a block and of what is in it."""
        targets = scope.get(block.key, []) if block.key else []
        said = re.sub(r"[^a-z]", "", block.key.lower())
        if targets:
            places = tuple(place for place, _ in targets)
            self.starting.setdefault(block.first, []).extend(places)
        elif not places:
            places = self.resource(said)
        if places:
            self.covering |= dict.fromkeys(range(block.first, block.last + 1), places)
        value = targets[0][1] if targets else None
        if isinstance(value, Mapping):
            scope = self.scope(value, places[0])
        elif isinstance(value, tuple) and any(map(dataclasses.is_dataclass, value)):
            if places[0][-1] == "responses" or len(block.inner) != len(value):  # derived ones may stand among the method's
                return
            for index, inner in enumerate(block.inner):
                self.item(inner, value[index], (*places[0], index))
            return
        elif said.endswith(("integration", "integrationoptions")):
            scope = self.integration()
        for inner in block.inner:
            self.walk(inner, scope, places)

    def resource(self, said: str) -> tuple[Path, ...]:
        """The places behind what a format makes beside the method, by what the format calls it."""
        if said.startswith("permission"):
            backend: type = type(self.api.routes[0].integration.backend)
            return tuple(("routes", 0, "integration", "backend", name) for name in PERMISSION if name in options_of(backend))
        return (("models",),) if said.startswith(("model", "addmodel", "createmodel")) else ()

    def item(self, block: Block, value: Any, path: Path) -> None:
        """An item of a list of responses: what it says of itself without a name stands in its first line."""
        scope = self.scope(value, path)
        self.starting.setdefault(block.first, []).extend((path, *self.nameless(value, path, scope)))
        self.walk(dataclasses.replace(block, key=""), scope, (path,))

    def spell(self, lines: Sequence[str], route: Route) -> None:
        """What no name leads to (a path, split into resources; a verb as a key): the first free line that spells it out."""
        said = {place for places in self.starting.values() for place in places}
        parts = [part for part in route.path.split("/") if part]
        spelled: dict[Path, Sequence[str]] = {
            ("routes", 0, "path"): [route.path, *reversed(parts)],
            ("routes", 0, "method"): [route.method],
            **{(name,): [getattr(self.api, name)] for name in ("name", "description", "stage_name")},
        }
        for place, words in spelled.items():
            if place in said:
                continue
            for word in filter(None, words):
                pattern = re.compile(rf"(?<![\w/-]){re.escape(word)}(?![\w/-])", re.IGNORECASE)
                free = (n for n in range(len(lines)) if n not in self.starting and n not in self.covering)
                number = next((n for n in free if pattern.search(lines[n])), None)
                if number is not None:
                    self.starting[number] = [place]
                    break


def token(path: Path) -> str:
    """What a form and a line call a place of the one route, for `data-opt` and `data-for`: "timeout_ms", "backend.path",
    "integration_responses.1.selection_pattern", "path"; keys of maps are left out."""
    rest = list(path)
    if rest[:2] == ["routes", 0]:
        rest = rest[2:]
    if rest[:1] == ["integration"]:
        rest = rest[1:]
    last = max((index for index, part in enumerate(rest) if isinstance(part, int)), default=-1)
    depth = 2 if last >= 0 or rest[:1] == ["backend"] else 1
    return ".".join(str(part) for part in rest[: max(last, 0) + depth])


def tokens(paths: Iterable[Path]) -> str:
    """What `data-for` holds: the names of places and of what they are in, between spaces."""
    found: dict[str, None] = {}
    for path in paths:
        parts = token(path).split(".")
        for end in range(1, len(parts) + 1):
            found[".".join(parts[:end])] = None
    found.pop("backend", None)
    return " ".join(found)


# --- Colours ---------------------------------------------------------------------------------------


QUIET = frozenset({Token.Text, Token.Text.Whitespace, Token.Punctuation, Token.Name, Token.Operator, Token.Literal})
"""What has no colour of its own."""


@functools.cache
def _lexer(name: str) -> Any:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


@functools.lru_cache(maxsize=4_096)
def _coloured(lexer: str, text: str) -> str:
    """A piece of a text as HTML, with the classes that Pygments has for its tokens."""
    runs: list[tuple[str, list[str]]] = []
    for kind, value in _lexer(lexer).get_tokens(text):
        while kind not in STANDARD_TYPES:
            kind = kind.parent
        name = "" if kind in QUIET else STANDARD_TYPES[kind]
        if not runs or runs[-1][0] != name:
            runs.append((name, []))
        runs[-1][1].append(value)
    found = []
    for name, values in runs:
        # A token of several lines is closed and opened again: each line stands alone.
        rows = escape("".join(values)).split("\n")
        found.append("\n".join(f'<span class="{name}">{row}</span>' if name and row else row for row in rows))
    return "".join(found)


def pieces(lexer: str, lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where a text can be cut without changing its colours: from line, to line. An edit then colours only its own piece."""
    start = 0
    quote, scalar = "", -1
    for number, line in enumerate(lines):
        inside = bool(quote)
        if lexer == "python":
            for mark in re.findall(r'"""|\'\'\'', line):
                quote = mark if not quote else "" if quote == mark else quote
        elif lexer == "yaml":
            indent = len(line) - len(line.lstrip(" "))
            inside = scalar >= 0 and (not line.strip() or indent > scalar)
            if not inside:
                scalar = indent if _BLOCK_SCALAR.search(line) else -1
        if number and not inside:
            yield start, number
            start = number
    yield start, len(lines)


def coloured(lexer: str, lines: Sequence[str]) -> list[str]:
    """Each line as HTML. A long text stays plain."""
    if sum(map(len, lines)) > COLOURED:
        return [escape(line) for line in lines]
    found: list[str] = []
    for start, end in pieces(lexer, lines):
        found.extend(_coloured(lexer, "\n".join(lines[start:end])).split("\n"))
    return found


# --- Marks -----------------------------------------------------------------------------------------


def opcodes(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """Stretches of lines as difflib has them; beyond COMPARED lines, what is not alike at both ends is one replaced stretch."""
    first = 0
    while first < min(len(before), len(after)) and before[first] == after[first]:
        first += 1
    last = 0
    while last < min(len(before), len(after)) - first and before[-1 - last] == after[-1 - last]:
        last += 1
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    if not old and not new:
        middle = []
    elif not old or not new:
        middle = [("delete" if old else "insert", first, first + len(old), first, first + len(new))]
    elif max(len(old), len(new)) > COMPARED:
        middle = [("replace", first, first + len(old), first, first + len(new))]
    else:
        middle = [
            (kind, a + first, b + first, c + first, d + first)
            for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        ]
    head = [("equal", 0, first, 0, first)] if first else []
    tail = [("equal", len(before) - last, len(before), len(after) - last, len(after))] if last else []
    return head + middle + tail


def changed(before: Sequence[str], after: Sequence[str]) -> dict[int, str]:
    """The lines of `after` that `before` has not: + where something was added, ~ where it stands in the place of something."""
    return {
        number: "~" if kind == "replace" else "+"
        for kind, _, _, start, end in opcodes(before, after)
        if kind in ("replace", "insert")
        for number in range(start, end)
    }


def wrong(findings: Iterable[Finding], places: Sequence[tuple[Path, ...]]) -> set[int]:
    """The lines that carry an error: those of its place; where it has none, the first line of what it is in."""
    found: set[int] = set()
    for finding in findings:
        if not finding.blocks:
            continue
        path = finding.path
        while len(path) > 3:  # nothing begins with all of the integration
            lines = [number for number, paths in enumerate(places) if any(place[: len(path)] == path for place in paths)]
            if lines:
                found.update(lines if path == finding.path else lines[:1])
                break
            path = path[:-1]
    return found


# --- The preview -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text on a page. `html` is escaped and coloured."""

    html: str
    places: tuple[Path, ...] = ()
    mark: str = ""
    edited: bool = False
    """Whether the last edit wrote it."""

    def __html__(self) -> str:
        attributes = [f' data-mark="{self.mark}"'] if self.mark else []
        if self.places:
            attributes.append(f' data-for="{escape(tokens(self.places))}"')
        if self.edited:
            attributes.append(" data-edited")
        return f'<span class="ln"{"".join(attributes)}>{self.html}</span>'


@dataclass(frozen=True, slots=True)
class Family:
    """Formats that say the same in other notations: CloudFormation in YAML and JSON."""

    label: str
    formats: tuple[Format, ...]

    @property
    def notations(self) -> tuple[tuple[Format, str], ...]:
        """Each format with what tells it apart from the others; none where there is but one."""
        if len(self.formats) == 1:
            return ()
        return tuple((format, format.label.removeprefix(self.label).strip()) for format in self.formats)


@functools.cache
def families() -> tuple[Family, ...]:
    """FORMATS by the first word of their names. A family's label is what the labels of its formats begin with."""
    found: dict[str, list[Format]] = {}
    for format in FORMATS.values():
        found.setdefault(format.name.split("-")[0], []).append(format)
    return tuple(
        Family(
            formats[0].label
            if len(formats) == 1
            else " ".join(
                words[0] for words in zip(*(format.label.split() for format in formats), strict=False) if len(set(words)) == 1
            ),
            tuple(formats),
        )
        for formats in found.values()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the pane shows of one definition in one format."""

    format: Format
    export: Export
    lines: tuple[Line, ...]
    changes: int | None
    """Lines changed against the base; None where there is none to compare with."""
    errors: int
    """Lines that carry an error."""
    cut: bool
    """Whether the text is longer than what is shown."""
    reads_back: bool
    """Whether the text was read back just now and said the same."""

    @property
    def families(self) -> tuple[Family, ...]:
        """All formats, for the tabs."""
        return families()

    @property
    def family(self) -> Family:
        """That of the format shown."""
        return next(family for family in families() if self.format in family.formats)

    @property
    def html(self) -> str:
        """The lines, to stand in <code>."""
        return "".join(line.__html__() for line in self.lines)


def shown(text: str) -> tuple[list[str], bool]:
    """The lines of a text that a page shows, and whether it left something out."""
    lines = text.removesuffix("\n").split("\n")
    kept, room = [], SHOWN["characters"]
    for line in lines[: SHOWN["lines"]]:
        if room <= 0:
            break
        kept.append(line[: min(room, SHOWN["columns"])])
        room -= len(kept[-1])
    return kept, kept != lines


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that is the same as another by its canonical JSON."""

    text: str
    api: Api = field(compare=False)


@functools.lru_cache(maxsize=256)
def _kept_export(format: str, definition: Definition) -> Export:
    return FORMATS[format].dump(definition.api)


def exported(format: str, api: Api) -> Export:
    """The export of a definition. The same definition gives the same bytes, so those of short ones are kept."""
    definition = Definition(dumps(api), api)
    return FORMATS[format].dump(api) if len(definition.text) > COLOURED else _kept_export(format, definition)


@functools.lru_cache(maxsize=256)
def _read_back(format: str, text: str) -> list[str]:
    load = FORMATS[format].load
    try:
        return [] if load is None else [dumps(api) for api in load(text).apis]
    except UnreadableText:
        return []


def preview(
    api: Api,
    base: Api | None,
    format: str,
    before: Api | None = None,
    findings: Iterable[Finding] = (),
    *,
    reread: bool = False,
) -> Preview:
    """`api` in `format`, a name of FORMATS. `base`: the revision that changes are marked against. `before`: what the last edit
    began from. `findings`: those of the rules; the export's own are added. `reread`: also read the text back."""
    chosen = FORMATS[format]
    export = exported(format, api)
    lines, cut = shown(export.text)
    places = Places(api, chosen).of(lines)
    bad = wrong((*findings, *export.findings), places)
    marks = {} if base is None else changed(shown(exported(format, base).text)[0], lines)
    edited = {} if before is None else changed(shown(exported(format, before).text)[0], lines)
    return Preview(
        format=chosen,
        export=export,
        lines=tuple(
            Line(html, places[number], "!" if number in bad else marks.get(number, ""), number in edited)
            for number, html in enumerate(coloured(chosen.lexer, lines))
        ),
        changes=None if base is None else len(marks),
        errors=len(bad),
        cut=cut,
        reads_back=reread and not export.refused and _read_back(format, export.text) == [dumps(api)],
    )
