"""What changed between two definitions, by option; three of them merged; and two texts side by side."""

import dataclasses
import difflib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, cast

from integrations.gateway.definition import (
    BACKENDS,
    Api,
    Authorizer,
    AwsService,
    Cors,
    DeploymentParameter,
    GatewayResponse,
    Http,
    IntegrationResponse,
    Intrinsic,
    Lambda,
    MethodResponse,
    MethodSettings,
    Model,
    Raw,
    RequestValidator,
    Route,
    Structure,
    Template,
    to_json,
)
from integrations.gateway.findings import Path
from integrations.gateway.grammar import Reference
from integrations.gateway.options import Option, options_of

# --- Values ----------------------------------------------------------------------------------------


class Absent(Enum):
    """The one value of a row that is not there."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent.ABSENT


class Order(tuple[str, ...]):
    """The keys of a map's or list's rows as they stand: what changed where rows were only moved."""

    __slots__ = ()


BACKEND_WORDS = {"lambda": "Lambda function", "http": "HTTP endpoint", "aws": "AWS service", "mock": "Mock", "raw": "Raw"}


def words(value: Any, option: Option | None = None) -> str:
    """A value as people read it: one line, or the lines of a text, or indented JSON for a whole row. Empty where absent."""
    match value:
        case Absent():
            return ""
        case None:
            return f"unset ({option.default_on_aws})" if option is not None and option.default_on_aws else "unset"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,} {option.unit if option is not None else ''}".strip()
        case "" | Template(text="", substituted=False):
            return "empty"
        case Order():
            return ", ".join(value)
        case str() | Reference():
            return str(value)
        case Template(text=text, substituted=True):
            return f"(${{Name}} is a reference)\n{text}"
        case Template(text=text) | Intrinsic(text=text):
            return text
        case Lambda(function=main) | Http(url=main) | Raw(raw_uri=main):
            return f"{BACKEND_WORDS[value.kind]} {main or ''}".strip()
        case AwsService():
            target = f"path/{value.path or ''}" if value.action is None else f"action/{value.action}"
            return f"{BACKEND_WORDS[value.kind]} {value.service}:{target}"
        case _ if type(value) in BACKENDS.values():
            return BACKEND_WORDS[value.kind]
        case _:
            return json.dumps(to_json(value), indent=2, ensure_ascii=False)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are stored as the same bytes; `==` would not see that rows of a map were moved."""
    return one == other and (
        isinstance(one, str | int | float | Absent | None) or json.dumps(to_json(one)) == json.dumps(to_json(other))
    )


# --- Spots: where definitions may differ -----------------------------------------------------------

type Key = tuple[str, ...]
"""A place that stays the same in every version: field names, map keys, and for the rows of a list what tells them apart
(`("routes", "GET /books", "integration", "integration_responses", "404", "selection_pattern")`). The key of a map or list
itself is that of the order of its rows."""
type State = Literal["unchanged", "mine", "theirs", "same", "conflict"]
"""Who changed it against the base: nobody, one of the two, both alike, or both differently."""
type Side = Literal["mine", "theirs"]


def pointer(key: Key) -> str:
    """The key as one text (a JSON Pointer, RFC 6901): the name of a choice in a form."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One place in three versions of a definition."""

    key: Key
    path: Path
    """Where it is in mine; in theirs, or else in the base, where mine has no such row."""
    labels: tuple[str, ...]
    """What leads there, in the words of the form: ("Integration responses", "404", "Selection pattern")."""
    option: Option | None
    state: State
    base: Any
    mine: Any
    theirs: Any

    @property
    def name(self) -> str:
        """Its key as one text."""
        return pointer(self.key)

    @property
    def side(self) -> Side | None:
        """What a merge takes without asking; None for a conflict."""
        return None if self.state == "conflict" else "theirs" if self.state == "theirs" else "mine"


def _state(base: Any, mine: Any, theirs: Any) -> State:
    """Of three values that are not all the same."""
    if _same(mine, theirs):
        return "same"
    return "theirs" if _same(base, mine) else "mine" if _same(base, theirs) else "conflict"


class _Three(NamedTuple):
    """A value in the base, in mine and in theirs; ABSENT where that version has no such row."""

    base: Any
    mine: Any
    theirs: Any

    def each(self, read: Callable[[Any], Any]) -> "_Three":
        return _Three(*(ABSENT if value is ABSENT else read(value) for value in self))


class _Place(NamedTuple):
    """Where the walk is: the key, the path in each version, and the words that lead there."""

    key: Key = ()
    paths: tuple[Path, Path, Path] = ((), (), ())
    labels: tuple[str, ...] = ()
    option: Option | None = None

    def field(self, name: str, option: Option | None) -> "_Place":
        label = option.label if option is not None else _FIELD_WORDS.get(name)
        paths = tuple((*path, name) for path in self.paths)
        return _Place((*self.key, name), cast(Any, paths), (*self.labels, label) if label else self.labels, option)

    def row(self, name: str, steps: _Three, label: str | None) -> "_Place":
        paths = tuple((*path, step) for path, step in zip(self.paths, steps, strict=True))
        return _Place((*self.key, name), cast(Any, paths), (*self.labels, label) if label else self.labels, self.option)


_FIELD_WORDS = {"backend": "Backend", "origin": "Origin"}

type _Pick = Callable[[Spot], Side]


def _walk(values: _Three, place: _Place, pick: _Pick) -> Any:
    """The merged value: at each spot the one that `pick` names."""
    base, mine, theirs = values
    if _same(base, mine) and _same(mine, theirs):
        return mine
    together = type(mine) is type(theirs) and mine is not ABSENT
    if together and base is not ABSENT and type(base) is not type(mine):
        return _picked(values, place, pick)
    if together and isinstance(mine, Mapping | tuple):
        return _walk_rows(values, place, pick)
    if together and dataclasses.is_dataclass(mine) and not isinstance(mine, Template | Intrinsic | Reference):
        known = options_of(cast(type, type(mine)))
        found = {}
        for field in dataclasses.fields(mine):
            inner = values.each(lambda value, name=field.name: getattr(value, name))  # type: ignore[misc]
            found[field.name] = _walk(inner, place.field(field.name, known.get(field.name)), pick)
        return cast(Any, type(mine))(**found)
    return _picked(values, place, pick)


def _picked(values: _Three, place: _Place, pick: _Pick) -> Any:
    paths = zip((values.mine, values.theirs, values.base), (place.paths[1], place.paths[2], place.paths[0]), strict=True)
    path = next(path for value, path in paths if value is not ABSENT)
    spot = Spot(
        key=place.key,
        path=path,
        labels=place.labels,
        option=place.option,
        state=_state(*values),
        base=values.base,
        mine=values.mine,
        theirs=values.theirs,
    )
    return values.theirs if pick(spot) == "theirs" else values.mine


# --- Rows of maps and lists ------------------------------------------------------------------------


def _walk_rows(values: _Three, place: _Place, pick: _Pick) -> Any:
    """A map or list, row by row: rows keep their identity when they are edited or moved."""
    rows = _rows_of_maps(values) if isinstance(values.mine, Mapping) else _rows_of_lists(values)
    order = _order(rows, place, pick)
    lone = place.key == ("routes",) and len(order) == 1
    merged = {}
    for name in dict.fromkeys(name for found in rows for name in found):
        three = _Three(*(found[name][1] if name in found else ABSENT for found in rows))
        steps = _Three(*(found[name][0] if name in found else name for found in rows))
        merged[name] = _walk(three, place.row(name, steps, None if lone else name), pick)
    kept = [name for name in order if merged[name] is not ABSENT]
    if isinstance(values.mine, Mapping):
        return {name: merged[name] for name in kept}
    return tuple(merged[name] for name in kept)


type _Rows = Mapping[str, tuple[str | int, Any]]
"""The name of a row → its key or index in that version, and its value; in that version's order."""


def _rows_of_maps(values: _Three) -> _Three:
    return _Three(*({} if found is ABSENT else {key: (key, value) for key, value in found.items()} for found in values))


class _Signature(NamedTuple):
    """What tells the rows of a list apart: the name that a row gets, and by what an edited row is found again, surest first."""

    name: Callable[[Any], str]
    matches: tuple[Callable[[Any], Any], ...]


_SIGNATURES: Mapping[type, _Signature] = {
    Route: _Signature(
        lambda row: f"{row.method} {row.path}",
        (lambda row: (row.method, row.path), lambda row: row.path),
    ),
    IntegrationResponse: _Signature(
        lambda row: row.status_code,
        (
            lambda row: (row.status_code, row.selection_pattern),
            lambda row: row.status_code,
            lambda row: row.selection_pattern,
        ),
    ),
    MethodResponse: _Signature(lambda row: row.status_code, (lambda row: row.status_code,)),
    DeploymentParameter: _Signature(lambda row: row.name, (lambda row: row.name,)),
    Model: _Signature(lambda row: row.name, (lambda row: row.name,)),
    Authorizer: _Signature(lambda row: row.name, (lambda row: row.name,)),
    RequestValidator: _Signature(lambda row: row.name, (lambda row: row.name,)),
    GatewayResponse: _Signature(lambda row: row.response_type, (lambda row: row.response_type,)),
    Cors: _Signature(lambda row: row.path or "every path", (lambda row: row.path,)),
    MethodSettings: _Signature(lambda row: f"{row.method} {row.path}", (lambda row: (row.method, row.path),)),
    Structure: _Signature(lambda row: row.path, (lambda row: row.path,)),
    str: _Signature(str, (str,)),
}


def _rows_of_lists(values: _Three) -> _Three:
    """The rows of each version under names that stand for the same row in all three. A lone route is the same whatever it is."""
    lists = [() if found is ABSENT else cast(tuple[Any, ...], found) for found in values]
    every = [row for found in lists for row in found]
    signature = _SIGNATURES[type(every[0]) if every else str]
    if every and isinstance(every[0], Route) and max(map(len, lists)) == 1:
        names = [[signature.name(every[0])] * len(found) for found in lists]
    else:
        base = _named(lists[0], [], signature)
        known = dict(zip(base, lists[0], strict=True))
        mine = _named(lists[1], [known], signature)
        fresh = {name: row for name, row in zip(mine, lists[1], strict=True) if name not in known}
        names = [base, mine, _named(lists[2], [known, fresh], signature)]
    versions = zip(names, lists, strict=True)
    return _Three(*({name: (index, found[index]) for index, name in enumerate(one)} for one, found in versions))


def _named(rows: Sequence[Any], known: Sequence[Mapping[str, Any]], signature: _Signature) -> list[str]:
    """A name for each row: that of the known row that it is, looked for in one version after the other, or a new one."""
    names: dict[int, str] = {}
    for version in known:
        for match in signature.matches:
            found = set(names.values())
            waiting: dict[Any, list[str]] = {}
            for name, row in version.items():
                if name not in found:
                    waiting.setdefault(match(row), []).append(name)
            for index, row in enumerate(rows):
                if index not in names and waiting.get(match(row)):
                    names[index] = waiting[match(row)].pop(0)
    taken = {*names.values(), *(name for version in known for name in version)}
    numbers: Counter[str] = Counter()
    for index, row in enumerate(rows):
        if index not in names:
            name = base = signature.name(row)
            while name in taken:
                numbers[base] += 1
                name = f"{base} ({numbers[base] + 1})"
            names[index] = name
            taken.add(name)
    return [names[index] for index in range(len(rows))]


def _order(rows: _Three, place: _Place, pick: _Pick) -> list[str]:
    """All names in the order of the result, whichever of them stay: each version's own rows keep that version's order."""
    base, mine, theirs = (Order(found) for found in rows)
    moved_by_me, moved_by_them = _moved(base, mine), _moved(base, theirs)
    state: State = "mine" if moved_by_me else "theirs" if moved_by_them else "unchanged"
    if moved_by_me == moved_by_them and _moved(mine, theirs):
        state = "conflict"
    elif moved_by_me and moved_by_them:
        state = "same"
    lead, other = sorted((mine, theirs), key=lambda order: _content(rows.mine if order is mine else rows.theirs))
    if state != "unchanged":
        spot = Spot(
            key=place.key,
            path=place.paths[1],
            labels=place.labels,
            option=place.option,
            state=state,
            base=base,
            mine=mine,
            theirs=theirs,
        )
        side = pick(spot)
        if state != "same":
            lead, other = (theirs, mine) if side == "theirs" else (mine, theirs)
    known = set(lead)
    found = list(lead)
    for index, name in enumerate(other):
        if name not in known:
            found.insert(found.index(other[index - 1]) + 1 if index else 0, name)
    return found


def _moved(one: Order, other: Order) -> bool:
    """Whether the rows that both have stand in another order."""
    both = set(one) & set(other)
    return [name for name in one if name in both] != [name for name in other if name in both]


def _content(rows: _Rows) -> str:
    """What the rows say: it puts two versions in an order that does not depend on which of them is mine."""
    return json.dumps([[step if isinstance(step, str) else "", to_json(row)] for step, row in rows.values()])


# --- Two versions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one option was, and what it is."""

    key: Key
    path: Path
    """Where it is in the later definition; in the earlier one, where it is there no more."""
    labels: tuple[str, ...]
    """What leads there, in the words of the form."""
    option: Option | None
    before: Any
    after: Any

    @property
    def kind(self) -> Literal["added", "removed", "moved", "changed"]:
        """A row came, went, or rows were moved; or a value is another one."""
        if isinstance(self.after, Order):
            return "moved"
        return "added" if self.before is ABSENT else "removed" if self.after is ABSENT else "changed"

    @property
    def label(self) -> str:
        """The words that lead there, in one line."""
        return ", ".join(self.labels)

    @property
    def was(self) -> str:
        """The earlier value as people read it."""
        return words(self.before, self.option)

    @property
    def now(self) -> str:
        """The later value as people read it."""
        return words(self.after, self.option)


def diff(before: Api, after: Api) -> list[Change]:
    """The changes in the order of the definition; none exactly where both are stored as the same bytes.

    A backend of another kind is one change. The row of a list is the same row as long as its status or its pattern is (an
    integration response), its method or path (a route), its name.
    """
    return [
        Change(key=spot.key, path=spot.path, labels=spot.labels, option=spot.option, before=spot.base, after=spot.mine)
        for spot in merge(before, after, before).spots
    ]


# --- Three versions --------------------------------------------------------------------------------


class UndecidedError(ValueError):
    """Choices that do not decide a merge: `names` are the conflicts without one, or choices for what is no spot of it."""

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(f"{message}: {', '.join(names)}")
        self.names = names


@dataclass(frozen=True, slots=True)
class Merge:
    """Three versions of a definition, and the spots where they are not all the same."""

    base: Api
    mine: Api
    theirs: Api
    spots: tuple[Spot, ...]

    @property
    def conflicts(self) -> tuple[Spot, ...]:
        """The spots that somebody has to choose; everything else is chosen already."""
        return tuple(spot for spot in self.spots if spot.state == "conflict")

    def state(self, key: Key) -> State:
        """Who changed the spot of a key."""
        return next((spot.state for spot in self.spots if spot.key == key), "unchanged")

    def resolved(self, choices: Mapping[str, Side] | None = None) -> Api:
        """The merged definition: what only one of the two changed is taken, and `choices` (spot name → side) go before that.

        Raises UndecidedError for a conflict without a choice, and for a choice that is about no spot.
        """
        choices = choices or {}
        if unknown := tuple(sorted(choices.keys() - {spot.name for spot in self.spots})):
            raise UndecidedError("There is nothing to choose at", unknown)
        if undecided := tuple(spot.name for spot in self.conflicts if spot.name not in choices):
            raise UndecidedError("Choose mine or theirs for", undecided)
        return cast(Api, _walk(self._three, _Place(), lambda spot: choices.get(spot.name) or spot.side or "mine"))

    @property
    def _three(self) -> _Three:
        return _Three(self.base, self.mine, self.theirs)


def merge(base: Api, mine: Api, theirs: Api) -> Merge:
    """What two people made of one definition, spot by spot."""
    spots: list[Spot] = []

    def note(spot: Spot) -> Side:
        spots.append(spot)
        return "mine"

    _walk(_Three(base, mine, theirs), _Place(), note)
    return Merge(base, mine, theirs, tuple(spots))


# --- Two texts -------------------------------------------------------------------------------------


class Line(NamedTuple):
    """One row of two texts side by side; numbers count from 1, and are None where that side has no line."""

    kind: Literal["same", "changed", "added", "removed"]
    before_number: int | None
    before: str
    after_number: int | None
    after: str


MATCHES = 1_000_000
"""How many pairs of equal lines are compared at most; beyond, everything between the common start and end is one change."""


def lines(before: str, after: str) -> tuple[Line, ...]:
    """Two texts side by side. Lines end at a line feed; that one text lacks the last one is not shown."""
    old, new = _lines(before), _lines(after)
    start, between, end = _compared(old, new)
    found = [Line("same", number, line, number, line) for number, line in enumerate(old[:start], 1)]
    found += between
    for number in range(end, 0, -1):
        line = old[-number]
        found.append(Line("same", len(old) - number + 1, line, len(new) - number + 1, line))
    return tuple(found)


def changes(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """What `lines` says of texts that are given line by line, without what is the same."""
    return [line for line in _compared(old, new)[1] if line.kind != "same"]


def _compared(old: Sequence[str], new: Sequence[str]) -> tuple[int, list[Line], int]:
    """How many lines at the start are the same, what stands between, and how many lines at the end are the same."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    middle = (old[start : len(old) - end], new[start : len(new) - end])
    return start, [line for one, other in _blocks(*middle) for line in _beside(*middle, one, other, start)], end


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[range, range]]:
    """Ranges of lines that belong together, in order."""
    often, others = Counter(old), Counter(new)
    if sum(number * others[line] for line, number in often.items()) > MATCHES:
        yield range(len(old)), range(len(new))
        return
    for _, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield range(a, b), range(c, d)


def _beside(old: Sequence[str], new: Sequence[str], one: range, other: range, start: int) -> Iterable[Line]:
    for index in range(max(len(one), len(other))):
        a = one[index] if index < len(one) else None
        b = other[index] if index < len(other) else None
        yield Line(
            "added" if a is None else "removed" if b is None else "same" if old[a] == new[b] else "changed",
            None if a is None else start + a + 1,
            "" if a is None else old[a],
            None if b is None else start + b + 1,
            "" if b is None else new[b],
        )
