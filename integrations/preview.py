"""One definition in one format as people read it: lines with colours, each with its place in the definition and its marks."""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Token

from integrations.gateway import diff
from integrations.gateway.definition import Api, dumps, loads
from integrations.gateway.findings import Finding, Path
from integrations.gateway.formats import FORMATS, Export, Format, UnreadableText
from integrations.places import BLOCK_SCALAR, Places, tokens

COLOURED = 100_000
"""Characters of a text that are coloured; a longer one is shown plain."""
SHOWN = {"lines": 4_000, "columns": 2_000, "characters": 400_000}
"""How much of a text is put on a page; a file always has all of it."""
KEPT = 2_000
"""Characters of a piece whose colours are remembered for the next check."""


# --- Colours ---------------------------------------------------------------------------------------


QUIET = frozenset({Token.Text, Token.Text.Whitespace, Token.Punctuation, Token.Name, Token.Operator, Token.Literal})
"""What has no colour of its own."""


@functools.cache
def _lexer(name: str) -> Any:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


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


_kept_colours = functools.lru_cache(maxsize=4_096)(_coloured)


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
                scalar = indent if BLOCK_SCALAR.search(line) else -1
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
        text = "\n".join(lines[start:end])
        found.extend((_kept_colours if len(text) <= KEPT else _coloured)(lexer, text).split("\n"))
    return found


# --- Marks -----------------------------------------------------------------------------------------


def changed(before: Sequence[str], after: Sequence[str]) -> dict[int, str]:
    """The lines of `after` that `before` has not: + where something was added, ~ where it stands in the place of something."""
    marks = {"changed": "~", "added": "+"}
    rows = diff.changes(before, after)
    return {row.after_number - 1: marks[row.kind] for row in rows if row.after_number and row.kind in marks}


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


class Line(NamedTuple):
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
        rests = ((format, format.label.removeprefix(self.label).strip()) for format in self.formats)
        return tuple((format, rest or format.lexer.upper()) for format, rest in rests)


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
    reads_back: str
    """What the text said when it was read back just now: "the same", "all that it can say", or nothing."""

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
    # A lone surrogate, which only JSON can bring in, has no bytes to be sent as.
    lines = text.encode("utf-8", "backslashreplace").decode().removesuffix("\n").split("\n")
    kept, room = [], SHOWN["characters"]
    for line in lines[: SHOWN["lines"]]:
        if room <= 0:
            break
        kept.append(line[: min(room, SHOWN["columns"])])
        room -= len(kept[-1])
    return kept, kept != lines


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that is the same as another by its canonical JSON; that is read where nobody has its value."""

    text: str
    api: Api | None = field(default=None, compare=False)

    def dump(self, format: str) -> Export:
        """Its export."""
        return FORMATS[format].dump(self.api or loads(self.text))


@functools.lru_cache(maxsize=256)
def _kept_export(format: str, definition: Definition) -> Export:
    return definition.dump(format)


def exported(format: str, api: Api | str) -> Export:
    """The export of a definition or its canonical JSON. The same gives the same bytes: those of short ones are kept."""
    definition = Definition(api) if isinstance(api, str) else Definition(dumps(api), api)
    return definition.dump(format) if len(definition.text) > COLOURED else _kept_export(format, definition)


@functools.lru_cache(maxsize=256)
def _read_back(format: str, text: str) -> list[str]:
    load = FORMATS[format].load
    try:
        return [] if load is None else [dumps(api) for api in load(text).apis]
    except UnreadableText:
        return []


def reads_back(format: Format, api: Api, export: Export) -> str:
    """What the text says when it is read back: "the same" as the definition, or "all that it can say" of it."""
    if format.sayable is None:
        return ""
    said, wanted = _read_back(format.name, export.text), dumps(format.sayable(api))
    if said != [wanted]:
        return ""
    return "the same" if wanted == dumps(api) else "all that it can say"


def preview(
    api: Api,
    base: Api | None,
    format: str,
    before: Api | str | None = None,
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
        reads_back=reads_back(chosen, api, export) if reread and not export.refused else "",
    )


# --- Two exports -----------------------------------------------------------------------------------

AROUND = 3
"""Equal lines that are shown before and after a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The exports of two definitions in one format, line against line."""

    format: Format
    export: Export
    """The newer one."""
    html: str
    """Its lines, to stand in <code>: one below the other, or in pairs side by side."""
    added: int
    removed: int
    cut: bool

    families = Preview.families
    family = Preview.family


def comparison(old: Api, new: Api, format: str, *, side: bool = False, whole: bool = False) -> Comparison:
    """What changed from `old` to `new` in a format. `side`: side by side; `whole`: all equal lines too."""
    chosen = FORMATS[format]
    (before, cut_before), (after, cut_after) = shown(exported(format, old).text), shown(exported(format, new).text)
    colours = coloured(chosen.lexer, before), coloured(chosen.lexer, after)
    rows = diff.lines("\n".join(before), "\n".join(after))
    near = range(len(rows)) if whole else around([row.kind != "same" for row in rows])
    found: list[str] = []
    last = -1
    for first, end in stretches(near):
        found.append(_gap(first - last - 1))
        found.extend(_paired(rows[first : end + 1], colours) if side else _stacked(rows[first : end + 1], colours))
        last = end
    found.append(_gap(len(rows) - last - 1))
    return Comparison(
        format=chosen,
        export=exported(format, new),
        html="".join(found),
        added=sum(row.kind in ("added", "changed") for row in rows),
        removed=sum(row.kind in ("removed", "changed") for row in rows),
        cut=cut_before or cut_after,
    )


def around(differs: Sequence[bool]) -> list[int]:
    """The numbers of the rows that are shown: those that differ, and AROUND equal ones before and after."""
    found: set[int] = set()
    for number, different in enumerate(differs):
        if different:
            found.update(range(max(0, number - AROUND), min(len(differs), number + AROUND + 1)))
    return sorted(found)


def stretches(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run without a gap."""
    for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        found = [number for _, number in run]
        yield found[0], found[-1]


def _gap(hidden: int) -> str:
    return f'<span class="ln" data-gap>{hidden} equal line{"s" if hidden > 1 else ""}</span>' if hidden > 0 else ""


def _line(colours: Sequence[str], number: int | None, mark: str = "") -> str:
    if number is None:
        return '<span class="ln" data-none></span>'
    marked = f' data-mark="{mark}"' if mark else ""
    return f'<span class="ln"{marked} data-n="{number}">{colours[number - 1]}</span>'


def _stacked(rows: Iterable[diff.Line], colours: tuple[Sequence[str], Sequence[str]]) -> Iterator[str]:
    """Rows below each other: of each change first what was, then what is."""
    for same, run in itertools.groupby(rows, lambda row: row.kind == "same"):
        group = list(run)
        if not same:
            yield from (_line(colours[0], row.before_number, "-") for row in group if row.before_number)
        yield from (_line(colours[1], row.after_number, "" if same else "+") for row in group if row.after_number)


def _paired(rows: Iterable[diff.Line], colours: tuple[Sequence[str], Sequence[str]]) -> Iterator[str]:
    """Rows side by side."""
    for row in rows:
        same = row.kind == "same"
        left = _line(colours[0], row.before_number, "" if same else "-")
        right = _line(colours[1], row.after_number, "" if same else "+")
        yield f'<span class="pair"{" data-same" if same else ""}>{left}{right}</span>'
