"""A changed integration written back into the file that it was read from: nothing but its own lines changes."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrations.gateway.definition import Api, Integration, Mock, Route, bind, leaves
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.formats.cloudformation.document import Names, tagged
from integrations.gateway.formats.cloudformation.document import integration as method_integration
from integrations.gateway.formats.export import UnreadableText, noted, refused
from integrations.gateway.formats.intrinsics import is_intrinsic
from integrations.gateway.formats.openapi.document import integration as openapi_integration
from integrations.gateway.formats.reading import ReadApi, Reading
from integrations.gateway.formats.source import FilePath, Node, Source, read_source
from integrations.gateway.formats.yaml_text import yaml_text
from integrations.gateway.grammar import Reference, references_in

STANDALONE = "Edit it in the file, or export the API on its own."


@dataclass(frozen=True, slots=True, kw_only=True)
class Patched:
    """A file with its integrations as they are now."""

    text: str
    """The whole file, its byte order mark included; as it was where nothing was written."""
    file: str = ""
    """The file beside the one that was read, where the API stands in that; empty for the file itself."""
    findings: tuple[Finding, ...] = ()
    """What was not written back, and why; a refusal blocks the export in place, and then the text is as it was."""

    @property
    def refused(self) -> bool:
        """Whether something that was changed is not in the text."""
        return any(finding.blocks for finding in self.findings)


def patched(reading: Reading, read: ReadApi, api: Api) -> Patched:
    """The file that an API was read from, with the integrations of its routes as `api` has them.

    Routes are known again by method and path. What else was changed (routes, settings, what a method declares) is not written
    and is a finding; so is an edit of what cannot be edited in place. An API that was not changed gives the text byte for byte.
    """
    source = reading.source_of(read)
    findings = list(_beside_integrations(read.api, api))
    edits: list[Edit] = []
    before = _known(read.api)
    for key, (number, route) in _known(api).items():
        index, old = before.get(key, (0, route))
        if old.integration == route.integration:
            continue
        reason = _fixed(read, index, old.integration, route.integration)
        if reason:
            findings.append(refused(("routes", number, "integration"), f"{reason} {STANDALONE}"))
            continue
        notation = Notation(reading, read, api)
        where = read.place(("routes", index, "integration"))
        edits += _changes(source, where, notation.value(old), notation.value(route))
    text = written(source, edits)
    if text is None:
        message = f"The change cannot be written without touching more of the file than its own lines. {STANDALONE}"
        return Patched(text=source.mark + source.text, file=read.beside, findings=(*findings, refused((), message)))
    if any(finding.blocks for finding in findings):
        text = source.text
    return Patched(text=source.mark + text, file=read.beside, findings=tuple(findings))


def _known(api: Api) -> dict[tuple[str, str, int], tuple[int, Route]]:
    """(method, path, how many of the same stand before it) → index and route."""
    found: dict[tuple[str, str, int], tuple[int, Route]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for index, route in enumerate(api.routes):
        place = (route.method, route.path)
        found[*place, seen[place]] = (index, route)
        seen[place] += 1
    return found


def _beside_integrations(before: Api, after: Api) -> Iterator[Finding]:
    """What differs and is no integration."""
    old, new = _known(before), _known(after)
    for key, (index, route) in new.items():
        _, known = old.get(key, (0, None))
        place: Path = ("routes", index)
        if known is None:
            yield refused(place, f"The file has no {route.method} {route.path}; only integrations are written back. {STANDALONE}")
            continue
        same = known.integration == route.integration
        if _mount(known, implied=same) != _mount(route, implied=same):
            yield refused(place, f"Only its integration is written back, and more of this method was changed. {STANDALONE}")
        missing = [key for key in route.request_parameters if key not in known.request_parameters]
        missing += [each.status_code for each in route.method_responses if each not in known.method_responses]
        if missing and not same:
            message = f"The method in the file has to declare this too: {', '.join(missing)}. Write it there."
            yield noted(place, message, Severity.FAILURE)
    for method, path, _ in sorted(old.keys() - new.keys()):
        yield refused((), f"{method} {path} stays in the file: only integrations are written back. {STANDALONE}")
    if replace(before, routes=(), parameters=(), structures=()) != replace(after, routes=(), parameters=(), structures=()):
        yield refused((), f"Only integrations are written back, and the API's own settings were changed. {STANDALONE}")


def _mount(route: Route, *, implied: bool) -> Route:
    """A route without its integration, with or without what it declares beside what that implies."""
    bare = replace(route, integration=Integration(backend=Mock()))
    return bare if implied else replace(bare, declared={}, responses=(), suppressed=())


def _fixed(read: ReadApi, index: int, old: Integration, new: Integration) -> str:
    """Why an integration is not edited in place; empty where it is."""
    at: Path = ("routes", index, "integration")
    for end in range(len(at) + 1):
        if reason := read.fixed.get(at[:end]):
            return reason
    if old.integration_responses != new.integration_responses:
        for place, reason in read.fixed.items():
            if place[: len(at)] == at:
                return reason
    return ""


# --- Values in the file's notation -----------------------------------------------------------------

_MARKED = re.compile("\ue000([^\ue001]*)\ue001")


class Notation:
    """Integrations as the file writes them: references as the intrinsics that they were."""

    def __init__(self, reading: Reading, read: ReadApi, api: Api) -> None:
        declared = {parameter.name: parameter for parameter in (*read.api.parameters, *api.parameters)}
        self.origins = {name: each.origin.value for name, each in declared.items() if each.origin is not None}
        parameters = reading.source.value.get("Parameters") if isinstance(reading.source.value, dict) else None
        self.known = set(parameters) if isinstance(parameters, dict) else set()
        self.is_template = reading.kind in ("cloudformation", "sam") and not read.beside
        self.read = read

    def value(self, route: Route) -> dict[str, Any]:
        """The properties of a route's integration, or its extension's."""
        old = route.integration
        numbers = {"timeout_ms": old.timeout_ms, "insecure_skip_verification": old.insecure_skip_verification}
        held = {name: value for name, value in numbers.items() if isinstance(value, Reference)}
        bare = replace(
            route,
            integration=replace(
                old,
                timeout_ms=None if "timeout_ms" in held else old.timeout_ms,
                insecure_skip_verification=None if "insecure_skip_verification" in held else old.insecure_skip_verification,
            ),
        )
        texts = (leaf.value for leaf in leaves(bare.integration) if leaf.substituted and isinstance(leaf.value, str))
        names = {each.name for text in (*texts, old.uri, old.credentials or "") for each in references_in(text)}
        marked = bind(Api(routes=(bare,)), {name: f"\ue000{name}\ue001" for name in names}).routes[0].integration
        is_method = self.is_method
        found = method_integration(marked, Names({}, {}, frozenset())) if is_method else openapi_integration(marked)
        for name, reference in held.items():
            key = {"timeout_ms": "TimeoutInMillis" if is_method else "timeoutInMillis"}.get(name)
            if key:
                found[key] = f"\ue000{reference.name}\ue001"
            else:
                found["tlsConfig"] = {"insecureSkipVerification": f"\ue000{reference.name}\ue001"}
        restored: dict[str, Any] = self.restored(found)
        return restored

    @property
    def is_method(self) -> bool:
        """Whether the API stands in AWS::ApiGateway::Method resources, and not in an OpenAPI document."""
        return any(place[-1:] == ("Integration",) for place in self.read.places.values())

    def restored(self, value: Any) -> Any:
        """A value with its marked references as the file has them."""
        if isinstance(value, dict):
            return {key: self.restored(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.restored(inner) for inner in value]
        return self.text(value) if isinstance(value, str) and "\ue000" in value else value

    def text(self, marked: str) -> Any:
        """A text with references."""
        names = _MARKED.findall(marked)
        if not self.is_template and not any(name in self.origins for name in names):
            return _MARKED.sub(lambda found: f"${{{found[1]}}}", marked)
        if _MARKED.fullmatch(marked):
            return self.origin(names[0])
        own: dict[str, Any] = {}
        parts = re.split("\ue000([^\ue001]*)\ue001", marked)
        for index, part in enumerate(parts):
            if index % 2:
                parts[index] = self.substituted(part, own)
            else:
                parts[index] = re.sub(r"\$\{([^{}]*)\}", r"${!\1}", part)
        text = "".join(parts)
        return {"Fn::Sub": [text, own] if own else text}

    def origin(self, name: str) -> Any:
        """What stood in the file for a reference."""
        return self.origins.get(name, {"Ref": name})

    def substituted(self, name: str, own: dict[str, Any]) -> str:
        """A reference within Fn::Sub; one that is no resource or parameter becomes a name of its own there."""
        match self.origin(name):
            case {"Ref": str(found)}:
                return f"${{{found}}}"
            case {"Fn::GetAtt": [str(found), str(attribute)]}:
                return f"${{{found}.{attribute}}}"
            case {"Fn::GetAtt": str(found)}:
                return f"${{{found}}}"
            case origin:
                own[name] = origin
                return f"${{{name}}}"


# --- Edits of a text -------------------------------------------------------------------------------

GONE = object()
"""The value of a key that is to be removed."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A value to stand at a place of the file, or GONE."""

    path: FilePath
    value: Any


def _changes(source: Source, where: FilePath, old: Any, new: Any) -> Iterator[Edit]:
    """The least edits that make the file say `new` where it says `old`."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict) and _is_plain(old) and _is_plain(new):
        for key in dict.fromkeys((*old, *new)):
            if key not in new:
                yield Edit((*where, key), GONE)
            elif key not in old:
                yield Edit((*where, key), new[key])
            else:
                yield from _changes(source, (*where, key), old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _changes(source, (*where, index), one, other)
    else:
        yield Edit(where, new)


def _is_plain(value: Mapping[str, Any]) -> bool:
    return not any(key == "Ref" or key.startswith("Fn::") for key in value)


def written(source: Source, edits: list[Edit]) -> str | None:
    """The text with these edits; None where it would not read as exactly them."""
    if not edits:
        return source.text
    wanted = json.loads(json.dumps(source.value))  # what an alias shares is written twice: an edit of one is not one of both
    spans: list[tuple[int, int, str]] = []
    pen = Pen(source)
    for edit in edits:
        span = pen.span(edit)
        if span is None or not _applied(wanted, edit):
            return None
        spans.append(span)
    pieces: list[str] = []
    done = 0
    for start, end, new in sorted(spans, key=lambda span: span[:2]):
        if start < done:
            return None
        pieces += (source.text[done:start], new)
        done = end
    text = "".join((*pieces, source.text[done:]))
    try:
        again = read_source(text)
    except UnreadableText:
        return None
    return text if again.value == wanted else None


def _applied(value: Any, edit: Edit) -> bool:
    """Make the edit in a value; False where it has no such place."""
    *above, last = edit.path
    for step in above:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    if isinstance(value, list) and isinstance(last, int) and edit.value is not GONE:
        value[last] = edit.value
    elif isinstance(value, dict):
        if edit.value is GONE:
            value.pop(last, None)
        else:
            value[last] = edit.value
    else:
        return False
    return True


class Pen:
    """Writes values into a text in its own manner: JSON or YAML, its indent, its line ends, its short intrinsics or long ones."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.is_json = source.syntax == "json"
        self.newline = "\r\n" if "\r\n" in source.text else "\n"
        self.short = re.search(r"(?:: |- )!(?:Ref|Sub|GetAtt|Join|If)\b", source.text) is not None
        indent = re.search(r"\n([ \t]+)\S", source.text)
        self.indent = (indent[1] if indent else "") if self.is_json else "  "

    def span(self, edit: Edit) -> tuple[int, int, str] | None:
        """(start, end, text) that makes an edit; None where it is not known how."""
        around = self.exact(edit.path[:-1])
        if around is None:
            return None
        key = edit.path[-1]
        pair = next((pair for pair in reversed(around.pairs) if pair[0] == key), None)
        if isinstance(key, int):
            item = around.child(key)
            return None if item is None else self.replaced(item, edit.value, around)
        if edit.value is GONE:
            return None if pair is None else self.removed(around, pair)
        if pair is not None:
            return self.replaced(pair[2], edit.value, around, pair[1])
        return self.added(around, key, edit.value)

    def exact(self, path: FilePath) -> Node | None:
        """The part of the text at a path."""
        found = self.source.root
        for step in path:
            if found.tag and step == found.tag:
                continue
            inner = found.child(step)
            if inner is None:
                return None
            found = inner
        return found

    def end(self, node: Node) -> int:
        """Where a part ends, without what follows it in the next lines."""
        if node.flow or node.style in ("'", '"', "*"):
            return node.end
        last = node.pairs[-1][2] if node.pairs else node.items[-1] if node.items else None
        if last is not None and last.end > last.start:
            return self.end(last)
        return node.start + len(self.text[node.start : node.end].rstrip())

    def column(self, offset: int) -> int:
        """The column (from 0) of a character."""
        return offset - (self.text.rfind("\n", 0, offset) + 1)

    def value(self, value: Any, margin: str, *, flow: bool) -> str:
        """A value in the file's own syntax; its further lines begin with `margin`."""
        if self.is_json or flow:
            one_line = flow and not self.is_json
            text = json.dumps(value, ensure_ascii=False, indent=None if one_line or not self.indent else self.indent)
        else:
            text = yaml_text(tagged(value) if self.short else value).rstrip("\n")
        return text.replace("\n", self.newline + margin)

    def margin(self, node: Node) -> str:
        """The white space before the line of a part."""
        start = self.text.rfind("\n", 0, node.start) + 1
        return re.match(r"[ \t]*", self.text[start:])[0]  # type: ignore[index]

    def replaced(self, node: Node, value: Any, around: Node, key: Node | None = None) -> tuple[int, int, str]:
        """A value in the place of another."""
        if self.is_json:
            return node.start, node.end, self.value(value, self.margin(node), flow=True)
        if around.flow:
            return node.start, self.end(node), self.value(value, "", flow=True)
        margin = " " * (self.column(key.start) if key else self.column(node.start))
        end = self.end(node) if node.end > node.start else node.start
        return self.after(key, node.start) if key else node.start, end, self.block(value, margin, after_key=key is not None)

    def after(self, key: Node, start: int) -> int:
        """Where the value of a key begins: behind its colon."""
        colon = self.text.find(":", key.end)
        return colon + 1 if 0 <= colon < max(start, colon + 1) else start

    def block(self, value: Any, margin: str, *, after_key: bool) -> str:
        """A value of block YAML: in the line of its key, or below it."""
        short = self.short and is_intrinsic(value)
        if isinstance(value, dict | list) and value and not short:
            text = self.value(value, margin + "  ", flow=False)
            return f"{self.newline}{margin}  {text}" if after_key else text
        return " " * after_key + self.value(value, margin, flow=False)

    def added(self, around: Node, key: str, value: Any) -> tuple[int, int, str] | None:
        """A key that is new, behind the others."""
        if not around.pairs:
            return None
        last_key, last = around.pairs[-1][1], around.pairs[-1][2]
        name = json.dumps(key, ensure_ascii=False)
        if self.is_json:
            lined = "\n" in self.text[around.start : last_key.start]
            start = f",{self.newline}{self.margin(last_key)}" if lined else ", "
            written_value = self.value(value, self.margin(last_key), flow=True)
            return last.end, last.end, f"{start}{name}: {written_value}"
        if around.flow:
            return self.end(last), self.end(last), f", {name}: {self.value(value, '', flow=True)}"
        margin = " " * self.column(last_key.start)
        line = yaml_text({key: None}).rstrip("\n").removesuffix(" null")
        end = self.end(last) if last.end > last.start else last.start
        stop = self.text.find("\n", end)
        stop = len(self.text) if stop < 0 else stop - (self.newline == "\r\n")
        last_line = self.newline if stop == len(self.text) else ""
        return stop, stop, f"{self.newline}{margin}{line}{self.block(value, margin, after_key=True)}{last_line}"

    def removed(self, around: Node, pair: tuple[str, Node, Node]) -> tuple[int, int, str]:
        """Nothing in the place of a key and its value."""
        index = next(index for index, each in enumerate(around.pairs) if each[1] is pair[1])
        _, key, value = pair
        end = self.end(value) if value.end > value.start else max(value.start, self.text.find(":", key.end) + 1)
        following = around.pairs[index + 1][1] if index + 1 < len(around.pairs) else None
        if len(around.pairs) == 1:
            return around.start, self.end(around), "{}"
        if self.is_json or around.flow:
            if following is not None:
                return key.start, following.start, ""
            before = around.pairs[index - 1][2]
            return before.end if self.is_json else self.end(before), end, ""
        start = self.text.rfind("\n", 0, key.start) + 1
        if self.text[start : key.start].strip():
            return key.start, following.start if following else end, ""
        stop = self.text.find("\n", end)
        return max(start - 1, 0), len(self.text) if stop < 0 else stop, ""
