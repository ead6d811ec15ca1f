"""The place in the definition that a line of its export says: found by the names of options in the format, and its structure."""

import ast
import dataclasses
import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.gateway.definition import Api, Http, Raw, Route
from integrations.gateway.findings import Path
from integrations.gateway.formats import Format
from integrations.gateway.options import options_of

# --- The structure of a text -----------------------------------------------------------------------


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
BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*$")
"""How a line of YAML ends whose value is the deeper lines below it."""


def indented(lines: Sequence[str]) -> list[Block]:
    """The blocks of YAML or JSON whose indentation shows its structure, as our own exports are written."""
    root = Block("", 0, len(lines) - 1)
    stack: list[tuple[int, Block]] = [(-1, root)]
    scalar: int | None = None

    def close(depth: int, number: int) -> None:
        """A line of this depth ends the blocks that are as deep or deeper."""
        while stack[-1][0] >= depth:
            stack.pop()[1].last = number - 1

    for number, line in enumerate(lines):
        text = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if not text or (scalar is not None and indent > scalar):
            continue
        scalar = indent if BLOCK_SCALAR.search(text) else None
        # Twice the indentation, one more for an item: "- " may stand right below the key of its list.
        if text[0] in "}]":
            close(2 * indent + 2, number)
            continue
        found = _KEY.match(line)
        assert found is not None
        key = _key(found)
        item = (
            found["dash"] is not None or (text[0] in "{[" and stack[-1][1] is not root) or (key is None and text[0] not in "{[")
        )
        depth = 2 * indent + item
        close(depth, number)
        if item:
            stack.append((depth, _opened(stack[-1][1], Block("", number, number))))
        if key is not None:
            depth = 2 * (indent + len(found["dash"] or ""))
            stack.append((depth, _opened(stack[-1][1], Block(key, number, number))))
    close(0, len(lines))
    return root.inner


def _key(found: re.Match[str]) -> str | None:
    double = found["double"]
    if double is not None:
        try:
            return str(json.loads(f'"{double}"')) if "\\" in double else double
        except ValueError:  # an escape that only YAML knows
            return double
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
            case ast.Constant():
                pass
            case ast.Call(func=func, args=args, keywords=keywords):
                name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
                yield from within(func)
                called = block(name, node, *args[1:] if name in FIRST else args, *keywords)
                if name in FIRST and args:
                    called.inner.insert(0, block(FIRST[name], args[0], args[0]))
                yield called
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
            case ast.Name():
                pass
            case ast.Attribute(value=value):
                yield from within(value)
            case ast.arg(arg=name):
                yield block(name, node)
            case _:
                for child in ast.iter_child_nodes(node):
                    yield from within(child)

    return [found for node in tree.body if not isinstance(node, ast.Assign) for found in within(node)] + [
        found for value in assigned.values() if not isinstance(value, ast.Constant) for found in within(value)
    ]


# --- Places ----------------------------------------------------------------------------------------

type Scope = dict[str, list[tuple[Path, Any]]]
"""A name in a format → the places in the definition that it may be, each with what stands there."""

DIALECTS = ("cdk", "cloudformation", "openapi", "boto3")
"""What an option is called in which formats: each has the names of the dialect that its own name begins with."""

RESOURCES: Mapping[str, tuple[Path, ...]] = {
    "model": (("models",),),
    "putmethodresponse": (("routes", 0, "responses"),),
    "addargument": (("parameters",),),
    "fromfunctionname": (("routes", 0, "integration", "backend", "function"),),
    "fromfunctionattributes": (("routes", 0, "integration", "backend", "function"),),
    "fromrolearn": (("routes", 0, "integration", "credentials_role"),),
    "fromvpclinkid": (("routes", 0, "integration", "vpc_link"),),
}
"""How the names end of what formats make beside the method and its integration → the places behind it."""

FIRST = {"LambdaIntegration": "handler", "HttpIntegration": "url"}
"""Calls of the CDK whose first argument has no name → what it is called."""

PERMISSION = ("function", "allow_test_invoke", "scope_permission_to_method", "permission_functions")
"""What the permission to invoke a function is made of."""


@functools.cache
def names_of(owner: type, dialect: str) -> tuple[tuple[str, str], ...]:
    """The options that a dialect has a name for, and the last word of that name."""
    names = ((name, str(getattr(option, dialect)).rpartition(".")[2]) for name, option in options_of(owner).items())
    return tuple((name, said) for name, said in names if said)


@functools.lru_cache(maxsize=4_096)
def letters_of(key: str) -> str:
    """A key as what it is compared by: lower case, and letters only."""
    return re.sub(r"[^a-z]", "", key.lower())


class Places:
    """The place in the definition of each line of an export: by the names that options have in the format, and its structure."""

    def __init__(self, api: Api, format: Format) -> None:
        self.api = api
        self.dialect = next((name for name in DIALECTS if format.name.startswith(name)), "name")
        self.python = format.lexer == "python"
        self.starting: dict[int, list[Path]] = {}
        """Line → the places whose text begins in it."""
        self.answers = 0
        """How many integration responses were met that stand alone."""
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
        for name, said in names_of(owner, self.dialect):
            inner = getattr(value, name)
            if inner is not None:
                found.setdefault(said, []).append(((*path, name), inner))
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
        if self.python and isinstance(value.backend, Http):
            found["http_method"] = [((*path, "backend", "http_method"), value.backend.http_method)]
        nameless = self.nameless(value.backend, (*path, "backend"), own)
        for place in (place for place in nameless if place[-1] not in PERMISSION[1:]):
            where = str(getattr(options_of(Raw)["type" if place[-1] == "proxy" else "raw_uri"], self.dialect))
            found.setdefault(where, []).append((place, None))
        return found

    def walk(self, block: Block, scope: Scope, places: tuple[Path, ...]) -> None:
        """Note the places of a block and of what is in it."""
        if block.key == "ArgumentParser":  # the command line of a script, with a description of its own
            return
        targets = scope.get(block.key, []) if block.key else []
        said = letters_of(block.key)
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
        elif said.endswith("integrationresponse") and not targets:
            return self.answer(block)
        for inner in block.inner:
            self.walk(inner, scope, places)

    def answer(self, block: Block) -> None:
        """A call for one integration response; they are made in the order of the definition."""
        path: Path = ("routes", 0, "integration", "integration_responses")
        answers = self.api.routes[0].integration.integration_responses
        if self.answers < len(answers):
            self.starting.setdefault(block.first, []).append(path)
            self.item(block, answers[self.answers], (*path, self.answers))
        self.answers += 1

    def resource(self, said: str) -> tuple[Path, ...]:
        """The places behind what a format makes beside the method, by what the format calls it."""
        if "permission" in said:
            backend: type = type(self.api.routes[0].integration.backend)
            return tuple(("routes", 0, "integration", "backend", name) for name in PERMISSION if name in options_of(backend))
        return next((places for name, places in RESOURCES.items() if said.endswith(name)), ())

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
        if self.python:  # what the constructs of the CDK have no option for
            spelled |= {
                ("routes", 0, "integration", "integration_target"): ["IntegrationTarget"],
                ("routes", 0, "authorizer"): ["AuthorizerId"],
                ("routes", 0, "authorization_scopes"): ["AuthorizationScopes"],
            }
        free = [(n, line, line.lower()) for n, line in enumerate(lines) if n not in self.starting and n not in self.covering]
        for place, words in spelled.items():
            if place in said:
                continue
            for word in filter(None, words):
                pattern, lower = re.compile(rf"(?<![\w/-]){re.escape(word)}(?![\w/-])", re.IGNORECASE), word.lower()
                near = (n for n, line, folded in free if lower in folded and n not in self.starting and pattern.search(line))
                number = next(near, None)
                if number is not None:
                    self.starting[number] = [place]
                    break


@functools.lru_cache(maxsize=4_096)
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


@functools.lru_cache(maxsize=4_096)
def tokens(paths: tuple[Path, ...]) -> str:
    """What `data-for` holds: the names of places and of what they are in, between spaces."""
    found: dict[str, None] = {}
    for path in paths:
        parts = token(path).split(".")
        for end in range(1, len(parts) + 1):
            found[".".join(parts[:end])] = None
    found.pop("backend", None)
    return " ".join(found)
