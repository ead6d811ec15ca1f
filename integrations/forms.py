"""The form of one integration: posted text in, a definition and what no type holds out; and a definition into a form."""

import dataclasses
import functools
import hashlib
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from django.core.exceptions import BadRequest

from integrations.gateway.definition import BACKENDS, LIMITS, Api, Integration, Intrinsic, MethodResponse, Structure, Template
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.grammar import Reference, whole_reference
from integrations.gateway.options import ALL_TYPES, Option, options_of

type Posted = dict[str, list[str]]
"""The form as typed: the values of each input by its name, as a browser sends them."""

OTHER = "="
"""What the last choice of a closed list posts: its text stands in the input NAME-other."""
WHOLE = "whole"
"""The last input of the form: its presence says that all of it arrived, its value by which version it was made."""
ROW = re.compile(r"[a-z0-9]{1,8}")
"""A row's id: it stays with the row when others go, come and move. Rows of the base have their number in it."""


class UnreadableForm(BadRequest):
    """A request that is not this form: what is wrong with it, in words for whoever sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Nothing was kept or saved. Go back to the page, copy what you need, then reload it.")


# --- What there is to fill in, from the declared types and options ---------------------------------


@dataclass(frozen=True, slots=True)
class Scalar:
    """One text, number or flag. `strict`: nothing but its choices can be held."""

    option: Option
    kind: typing.Literal["text", "number", "decimal", "flag"]
    optional: bool
    references: bool
    strict: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Body:
    """A Velocity template and whether its references are the deployment's."""

    option: Option


@dataclass(frozen=True, slots=True)
class Rows:
    """A map (`keyed`) or a list."""

    option: Option
    item: "Control"
    keyed: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The options of one dataclass, by field."""

    owner: type
    controls: Mapping[str, "Control"]


@dataclass(frozen=True, slots=True)
class OneOf:
    """A backend: a kind, and the options of that kind."""

    kinds: Mapping[str, Group]


@dataclass(frozen=True, slots=True)
class Only:
    """A list that holds exactly one: the route of an integration."""

    item: Group


@dataclass(frozen=True, slots=True)
class Kept:
    """Nothing to fill in: it stays with what it belongs to."""

    default: Any


type Control = Kept | Scalar | Body | Rows | Group | OneOf | Only


@functools.cache
def group_of(owner: type) -> Group:
    """What there is to fill in for a dataclass of the definition."""
    hints, options = typing.get_type_hints(owner), options_of(owner)
    return Group(
        owner,
        {
            each.name: control_of(hints[each.name], options.get(each.name), _default_of(each))
            for each in dataclasses.fields(owner)
            if each.init
        },
    )


def _default_of(each: dataclasses.Field[Any]) -> Any:
    made = each.default_factory
    return each.default if made is dataclasses.MISSING else made()


def control_of(hint: Any, option: Option | None, default: Any = dataclasses.MISSING) -> Control:
    """What fills in a field of that type."""
    if isinstance(hint, typing.TypeAliasType):
        hint = hint.__value__
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if Structure in arguments:
        return Kept(default)
    if origin in (typing.Union, types.UnionType):
        if arguments[0] in BACKENDS.values():
            return OneOf({kind: group_of(cast(type, backend)) for kind, backend in BACKENDS.items()})
        if Intrinsic in arguments:
            return Kept(default)
        kinds = [argument for argument in arguments if argument not in (types.NoneType, Reference)]
        return _scalar(kinds[0], option, default, types.NoneType in arguments, Reference in arguments)
    if origin is tuple:
        if option is None:
            return Only(group_of(arguments[0]))
        return Rows(option, control_of(arguments[0], option, ""), keyed=False)
    if origin is not None and origin is not typing.Literal:
        return Rows(cast(Option, option), control_of(arguments[1], option, ""), keyed=True)
    if hint is Template:
        return Body(cast(Option, option))
    if dataclasses.is_dataclass(hint):
        return group_of(cast(type, hint))
    return _scalar(hint, option, default, False, False)


def _scalar(kind: Any, option: Option | None, default: Any, optional: bool, references: bool) -> Scalar:
    if option is None:
        raise TypeError("A field that people fill in is declared with option().")
    strict = typing.get_origin(kind) is typing.Literal
    names: dict[Any, typing.Literal["text", "number", "decimal", "flag"]] = {int: "number", float: "decimal", bool: "flag"}
    return Scalar(
        option, names.get(kind, "text"), optional, references, strict, "" if default is dataclasses.MISSING else default
    )


SHORT = {"routes": "route", "route-integration": "integration", "integration-backend": "backend"}


def name_of(prefix: str, part: str) -> str:
    """The name of an input within another: `integration-timeout_ms`; it is the id of the element too."""
    joined = f"{prefix}-{part}" if prefix else part
    return SHORT.get(joined, joined)


ROOT = group_of(Api)
BACKEND = cast(OneOf, group_of(Integration).controls["backend"])


@functools.lru_cache(maxsize=4_096)
def control_at(name: str) -> Control:
    """The control with that input name; row ids stand for any row. Raises UnreadableForm where there is none."""
    found: Control = ROOT
    prefix = ""
    for part in _parts(name):
        match found:
            case Group(controls=controls) if part in controls:
                found = controls[part]
                found = found.item if isinstance(found, Only) else found
            case OneOf(kinds=kinds) if part in kinds:
                found = kinds[part]
            case Rows(item=item) if ROW.fullmatch(part):
                found = item
            case _:
                raise UnreadableForm(f"There is no field called {name!r}.")
        prefix = name_of(prefix, part)
    return found


def _parts(name: str) -> list[str]:
    parts = name.split("-")
    starts = {"route": ["routes"], "integration": ["routes", "integration"], "backend": ["routes", "integration", "backend"]}
    return [*starts.get(parts[0], parts[:1]), *parts[1:]]


def option_of(name: str) -> str:
    """The input name of the option that an input or a slot belongs to."""
    parts = name.split("-")
    return "-".join(parts[: {"backend": 3, "route": 2, "integration": 2}.get(parts[0], 1)])


@functools.lru_cache(maxsize=256)
def path_of(name: str) -> Path:
    """The place in the definition of an option by the name of its input."""
    parts = _parts(name)
    found = [part for index, part in enumerate(parts) if not (part in BACKENDS and parts[index - 1] == "backend")]
    return ("routes", 0, *found[1:]) if parts[0] == "routes" else tuple(found)


def names_in(control: Control, prefix: str = "") -> Iterator[str]:
    """The names of all controls that are no rows' own, in the order of their declaration."""
    match control:
        case Group(controls=controls):
            for part, inner in controls.items():
                yield from names_in(inner, name_of(prefix, part))
        case Only(item=item):
            yield from names_in(item, prefix)
        case OneOf(kinds=kinds):
            yield prefix
            for kind, group in kinds.items():
                yield from names_in(group, name_of(prefix, kind))
        case Kept():
            pass
        case _:
            yield prefix


SURROGATE = re.compile("[\ud800-\udfff]")
MISSING: Any = object()
"""Where the base has nothing that a value could be the same as."""

# --- Text as a form carries it ---------------------------------------------------------------------


def normal(text: str) -> str:
    """Posted text as it was typed: browsers send CRLF for each line break, and databases take no NUL."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def shown(text: str) -> str:
    """What a page can carry of a text: no lone surrogate, no NUL, one kind of line break."""
    return normal(text if text.isascii() else SURROGATE.sub("\ufffd", text))


def text_of(value: Any) -> str:
    """The text that stands in an input for a scalar of a definition."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return shown(value)
        case _:
            return str(value)


# --- A definition into a form ----------------------------------------------------------------------


def write(control: Control, name: str, value: Any, posted: Posted) -> None:
    """Fill the inputs of a control in with a value."""
    match control:
        case Kept():
            pass
        case Scalar(option=option, kind=kind):
            text = text_of(value)
            if (option.choices or kind == "flag") and text not in _choices(control):
                posted[name], posted[f"{name}-other"] = [OTHER], [text]
            else:
                posted[name] = [text]
        case Body():
            posted[name] = [shown(value.text)]
            if value.substituted:
                posted[f"{name}-substituted"] = ["on"]
        case Rows():
            items = value.items() if control.keyed else ((None, item) for item in value)
            posted[f"{name}-rows"] = []
            for number, (key, item) in enumerate(items):
                write_row(control, name, str(number), key, item, posted)
        case Group(controls=controls):
            for part, inner in controls.items():
                write(inner, name_of(name, part), getattr(value, part), posted)
        case OneOf(kinds=kinds):
            posted[name] = [value.kind]
            write(kinds[value.kind], name_of(name, value.kind), value, posted)
        case Only(item=item):
            write(item, name, value[0], posted)


def write_row(control: Rows, name: str, row: str, key: str | None, item: Any, posted: Posted) -> None:
    """Append a row with that id."""
    posted.setdefault(f"{name}-rows", []).append(row)
    if key is not None:
        write_key(control.option, f"{name}-{row}", key, posted)
    write(control.item, item_name(control, name, row), item, posted)


def write_key(option: Option, own: str, key: str, posted: Posted) -> None:
    """Fill the name of a map's row in."""
    at, rest = split_key(option, key)
    posted[f"{own}-key"] = [shown(rest)]
    if option.key_prefixes:
        posted[f"{own}-at"] = [at]


def item_name(control: Rows, name: str, row: str) -> str:
    """The name of a row's item: options have names of their own, anything else is the row's value."""
    return f"{name}-{row}" if isinstance(control.item, Group) else f"{name}-{row}-value"


def split_key(option: Option, key: str) -> tuple[str, str]:
    """A map's key as its beginning (one of the option's, or nothing) and the name after it."""
    prefix = next((prefix for prefix in option.key_prefixes if key.startswith(prefix)), "")
    return prefix, key.removeprefix(prefix)


def _choices(control: Scalar) -> tuple[str, ...]:
    values = ("true", "false") if control.kind == "flag" else control.option.choices
    return ("", *values) if control.optional else values


def rewrite(control: Control, name: str, before: Any, after: Any, posted: Posted, held: Mapping[str, Sequence[str]]) -> None:
    """Change the inputs where `after` differs from `before`, which was read from them; what else was typed stays as it is.

    `held` names the rows of each list that `before` holds, as `Reader.held` does.
    """
    if before == after:
        return
    match control:
        case Group(controls=controls):
            for part, inner in controls.items():
                rewrite(inner, name_of(name, part), getattr(before, part), getattr(after, part), posted, held)
        case Only(item=item):
            rewrite(item, name, before[0], after[0], posted, held)
        case OneOf(kinds=kinds) if before.kind == after.kind:
            rewrite(kinds[before.kind], name_of(name, before.kind), before, after, posted, held)
        case Rows():
            _rewrite_rows(control, name, pairs(before), pairs(after), posted, held)
        case _:
            drop(posted, name)
            write(control, name, after, posted)


def pairs(value: Mapping[str, Any] | Sequence[Any]) -> list[tuple[str | None, Any]]:
    """The rows of a map or list as (key, item)."""
    return list(value.items()) if isinstance(value, Mapping) else [(None, item) for item in value]


def _rewrite_rows(
    control: Rows,
    name: str,
    before: list[tuple[str | None, Any]],
    after: list[tuple[str | None, Any]],
    posted: Posted,
    held: Mapping[str, Sequence[str]],
) -> None:
    """Rows that go on keep their ids: equal ones first, then those of the same key, then those at the same place."""
    old = dict(zip(held[name], before, strict=True))
    free = dict(old)
    ids: list[str | None] = [None] * len(after)
    tests: tuple[Callable[[int, str, Any], bool], ...] = (
        lambda place, row, was: bool(was == after[place]),
        lambda place, row, was: control.keyed and was[0] == after[place][0],
        lambda place, row, was: len(before) == len(after) and row == held[name][place],
    )
    for same in tests:
        for place in range(len(after)):
            if ids[place] is None:
                ids[place] = next((row for row, was in free.items() if same(place, row, was)), None)
                free.pop(ids[place] or "", None)
    for row in free:
        drop(posted, f"{name}-{row}")
    order: list[str] = []
    for row_id, (key, item) in zip(ids, after, strict=True):
        row = row_id or next_row(posted, name, order)
        if row_id is None:
            write_row(control, name, row, key, item, posted)
        else:
            was_key, was = old[row]
            rewrite(control.item, item_name(control, name, row), was, item, posted, held)
            if key is not None and key != was_key:
                write_key(control.option, f"{name}-{row}", key, posted)
        order.append(row)
    posted[f"{name}-rows"] = order


def drop(posted: Posted, name: str) -> Posted:
    """Take out the inputs of a control, and give them."""
    return {each: posted.pop(each) for each in [each for each in posted if each == name or each.startswith(f"{name}-")]}


def next_row(posted: Posted, name: str, beside: Iterable[str] = ()) -> str:
    """An id that no row of that list has."""
    taken = {*posted.get(f"{name}-rows", ()), *beside}
    number = len(taken)
    while f"n{number}" in taken:
        number += 1
    return f"n{number}"


# --- A form into a definition ----------------------------------------------------------------------


class _Unheld(Exception):
    """A text that its type cannot hold: what to write instead."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path of the definition stands: the name whose slot tells about it, and the id of what to focus."""

    name: str
    focus: str


@dataclass
class Reader:
    """Reads posted text. Its other fields are part of the answer."""

    posted: Posted
    findings: list[Finding] = field(default_factory=list)
    """What no type holds."""
    places: dict[Path, Place] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    """For each list, the ids of the rows that the definition holds."""
    seen: set[str] = field(default_factory=set)
    kept: frozenset[str] = frozenset()
    """Fields of the Api that the form has no inputs for: they stay as the base has them."""

    def first(self, name: str) -> str | None:
        """The value of an input, None where it was not posted."""
        self.seen.add(name)
        values = self.posted.get(name)
        return values[0] if values else None

    def read(self, control: Control, name: str, path: Path, base: Any) -> Any:
        """The value of a control. Where its text says the same as `base`, it is `base` to the byte."""
        match control:
            case Kept(default=default):
                return default if base is MISSING else base
            case Scalar():
                self.places.setdefault(path, Place(name, name))
                return self.scalar(control, name, path, base)
            case Body():
                text = self.text(name, path, base.text if isinstance(base, Template) else MISSING)
                return Template(text, substituted=self.first(f"{name}-substituted") is not None)
            case Rows():
                self.places[path] = Place(name, name)
                return self.rows(control, name, path, pairs(base) if base is not MISSING else [])
            case Group(owner=owner, controls=controls):
                known = type(base) is owner
                values = {
                    part: getattr(base, part)
                    if owner is Api and part in self.kept
                    else self.read(inner, name_of(name, part), (*path, part), getattr(base, part) if known else MISSING)
                    for part, inner in controls.items()
                }
                return owner(**values)
            case OneOf(kinds=kinds):
                self.places[path] = Place(name, name)
                kind = self.first(name) or ""
                if kind not in kinds:
                    raise UnreadableForm(f"There is no backend called {kind!r}.")
                return self.read(kinds[kind], name_of(name, kind), path, base)
            case Only(item=item):
                return (self.read(item, name, (*path, 0), base[0] if base is not MISSING and base else MISSING),)

    def scalar(self, control: Scalar, name: str, path: Path, base: Any) -> Any:
        """A scalar; unset, or its default, where it was not posted."""
        raw = typed(control, name, self.first)
        if raw is None:
            return None if control.optional else control.default
        text = normal(raw)
        if base is not MISSING and text == text_of(base):
            return base
        try:
            return parsed(control, text)
        except _Unheld as error:
            self.remark(path, str(error))
            return None if control.optional else control.default

    def text(self, name: str, path: Path, base: Any) -> str:
        """Free text, or `base` where it says the same."""
        text = normal(self.first(name) or "")
        if base is not MISSING and text == text_of(base):
            return cast(str, base)
        try:
            return bounded(text)
        except _Unheld as error:
            self.remark(path, str(error))
            return ""

    def rows(self, control: Rows, name: str, path: Path, base: list[tuple[str | None, Any]]) -> Any:
        """A map or a list. A row without a word is none yet; of two equal keys the first counts."""
        found: list[tuple[str, Any]] = []
        keys: set[str] = set()
        held = self.held[name] = []
        for row in self.row_ids(name):
            own, item = f"{name}-{row}", item_name(control, name, row)
            was_key, was = of_base(base, row)
            key = self.key(control, own, was_key) if control.keyed else ""
            if self.is_blank(control, own) and (was is MISSING or not is_blank(control, was_key, was)):
                continue
            twice = control.keyed and key in keys
            place: Path = (*path, key if control.keyed else len(found), *((own,) if twice else ()))
            self.places[place] = Place(own, f"{own}-key" if control.keyed else item)
            value = self.read(control.item, item, place, was)
            if twice:
                self.remark(place, f"{key} is there twice. Rename this one, or remove it.")
                continue
            keys.add(key)
            held.append(row)
            found.append((key, value))
        return dict(found) if control.keyed else tuple(value for _, value in found)

    def key(self, control: Rows, own: str, base: Any) -> str:
        """The key of a map's row; a name that has one of the beginnings already is taken as a whole."""
        rest = normal(self.first(f"{own}-key") or "")
        at = self.first(f"{own}-at") or ""
        if at and at not in control.option.key_prefixes:
            raise UnreadableForm(f"There is no place called {at!r}.")
        key = at + rest
        if base is not MISSING and key == shown(base):
            return cast(str, base)
        return rest if split_key(control.option, rest)[0] else key

    def row_ids(self, name: str) -> list[str]:
        """The ids of all rows, in order."""
        self.seen.add(f"{name}-rows")
        ids = self.posted.get(f"{name}-rows", [])
        if len(ids) > LIMITS["rows"]:
            raise UnreadableForm(f"{len(ids):,} rows are too many: keep {LIMITS['rows']:,} or fewer in one list.")
        if len(set(ids)) != len(ids) or not all(ROW.fullmatch(row) for row in ids):
            raise UnreadableForm(f"The rows of {name!r} cannot be told apart.")
        return ids

    def is_blank(self, control: Rows, own: str) -> bool:
        """Whether nothing is typed in a row."""
        if isinstance(control.item, Group):
            return False
        flag = isinstance(control.item, Scalar) and control.item.kind == "flag"
        self.seen.update((f"{own}-value", f"{own}-value-substituted"))
        return not self.first(f"{own}-key") and (flag or not self.first(f"{own}-value"))

    def remark(self, path: Path, message: str) -> None:
        """Note what no type holds: it stays in the form, and is not saved."""
        self.findings.append(Finding(rule="form", severity=Severity.ERROR, path=path, message=message, title=NOT_HELD))


NOT_HELD = "What is typed can be kept, and cannot be saved."


def of_base(base: list[tuple[str | None, Any]], row: str) -> tuple[Any, Any]:
    """The key and item that a row had in the base."""
    return base[int(row)] if row.isdecimal() and int(row) < len(base) else (MISSING, MISSING)


def is_blank(control: Rows, key: str, item: Any) -> bool:
    """Whether a row of a definition has nothing to see in it."""
    if isinstance(item, bool):
        item = ""
    text = item.text if isinstance(item, Template) else item
    return text == "" and (not control.keyed or not split_key(control.option, key)[1])


def typed(control: Scalar, name: str, first: Callable[[str], str | None]) -> str | None:
    """The text of a scalar: the choice, or what stands beside "other"."""
    raw = first(name)
    if control.option.choices or control.kind == "flag":
        other = first(f"{name}-other")
        return other if raw == OTHER and other is not None else raw
    return raw


def bounded(text: str) -> str:
    """The text, when a definition can hold one so long."""
    if len(text) > LIMITS["text"]:
        raise _Unheld(f"Keep this text under {LIMITS['text']:,} characters; it has {len(text):,}.")
    return text


def parsed(control: Scalar, text: str) -> Any:
    """The value that a text is for a scalar."""
    option = control.option
    if text == "" and control.optional:
        return None
    if control.references and (reference := whole_reference(text.strip())):
        return reference
    match control.kind:
        case "text" if control.strict and text not in option.choices:
            raise _Unheld(f"Choose one of {', '.join(option.choices)}.")
        case "text":
            return bounded(text)
        case "flag" if text in ("true", "false"):
            return text == "true"
        case "number" if re.fullmatch(r"\s*-?[0-9]{1,20}\s*", text) and abs(int(text)) <= LIMITS["number"]:
            return int(text)
        case "decimal" if re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]{1,9})?\s*", text):
            return float(text)
    number = "a number" if control.kind == "decimal" else "a whole number"
    wanted = "Choose yes or no" if control.kind == "flag" else f"Write {number}, such as {option.example}"
    raise _Unheld(f"{wanted}, or one ${{Name}}." if control.references else f"{wanted}.")


# --- The form --------------------------------------------------------------------------------------

PAGE = (
    "csrfmiddlewaretoken",
    WHOLE,
    "base",
    "tab",
    "seen",
    "counter",
    "touched",
    "typing",
    "parts",
    "format",
    "do",
    "summary",
    "anyway",
)
BESIDE = frozenset((*PAGE, "owner", "tags", "began-owner", "began-tags", "message"))
"""Inputs of the page that are no part of the definition."""


SHARED = frozenset(option.name for option in options_of(Api).values() if option.shared)
"""The fields of an Api that are settings of a whole API."""


class IntegrationForm:
    """One integration as somebody fills it in.

    `posted` is what was typed, `base` the definition that the page was made from, `parked` the inputs that a switch of
    the backend hid. Then `api` is the definition, as far as one can hold what was typed, and `unheld` what it cannot.
    """

    kept: ClassVar[frozenset[str]] = SHARED
    """Fields of the Api that it has no inputs for."""

    def __init__(self, posted: Posted, base: Api, parked: Posted | None = None) -> None:
        self.base = base
        self.posted = posted
        self.parked: Posted = dict(parked or {})
        self._settle()
        self._read()

    @classmethod
    def of(cls, api: Api, parked: Posted | None = None) -> "IntegrationForm":
        """The form that a definition fills in; posted back untouched, it is the same definition."""
        posted: Posted = {}
        for part, control in ROOT.controls.items():
            if part not in cls.kept:
                write(control, name_of("", part), getattr(api, part), posted)
        return cls(posted, api, parked)

    def _read(self) -> None:
        reader = Reader(self.posted, kept=self.kept)
        self.api: Api = reader.read(ROOT, "", (), self.base)
        self.unheld = tuple(reader.findings)
        self.places = reader.places
        self._held = reader.held
        unknown = [name for name in self.posted if name not in reader.seen and name not in (SHOWN, *BESIDE)]
        if unknown:
            raise UnreadableForm(f"This form has no field called {unknown[0]!r}.")

    @property
    def integration(self) -> Integration:
        """The integration as typed."""
        return self.api.routes[0].integration

    @property
    def type(self) -> str:
        """Its integration type."""
        return self.integration.type

    @property
    def shown(self) -> str:
        """Kind and type of the backend that the page is made for."""
        return self.posted[SHOWN][0]

    def place(self, path: Path) -> Place:
        """Where a path stands in the form: at itself, or at the nearest thing that holds it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place("name", "name"))

    def mend(self, api: Api) -> None:
        """Change the inputs so that they say `api`; what else was typed stays, also what no type holds."""
        api = dataclasses.replace(api, **{part: getattr(self.api, part) for part in self.kept})
        rewrite(ROOT, "", self.api, api, self.posted, self._held)
        self.posted.pop(SHOWN, None)
        self._settle()
        self._read()

    # --- Switching the backend

    def _settle(self) -> None:
        """Park what a switch of the backend hides, bring back what it hid before."""
        kind = (self.posted.get("backend") or [""])[0]
        if kind not in BACKEND.kinds:
            raise UnreadableForm(f"There is no backend called {kind!r}.")
        before = (self.posted.get(SHOWN) or [""])[0]
        kind_before, _, type_before = before.partition(" ")
        if before and kind != kind_before:
            self.parked |= drop(self.posted, name_of("backend", kind_before))
            own = name_of("backend", kind)
            back = drop(self.parked, own)
            if back:
                self.posted |= back
            else:
                write(BACKEND.kinds[kind], own, BACKENDS[kind](), self.posted)
        now = Integration(backend=Reader(self.posted).read(BACKEND, "backend", (), MISSING)).type
        self.posted[SHOWN] = [f"{kind} {now}"]
        if not before or now == type_before:
            return
        for name, option in RESTRICTED.items():
            if is_used(option, type_before) and not is_used(option, now) and is_held(self.posted, name):
                self.parked |= drop(self.posted, name)
            elif is_used(option, now) and not is_held(self.posted, name):
                self.posted |= drop(self.parked, name)

    # --- Rows

    def act(self, what: str) -> str:
        """Carry out a row's button, `add:NAME`, `remove:NAME:ROW`, `up:…`, `down:…` and so on. Gives the id of what to focus."""
        verb, _, rest = what.partition(":")
        name, _, argument = rest.partition(":")
        if verb in ("add", "remove", "up", "down"):
            control = control_at(name)
            if not isinstance(control, Rows):
                raise UnreadableForm(f"{name!r} has no rows.")
            focus = self._add(control, name) if verb == "add" else self._move(control, name, argument, verb)
        elif verb in ("declare", "suppress", "respond"):
            focus = self._override(verb, rest)
        elif verb == "restore":
            focus = self._restore(rest)
        else:
            raise UnreadableForm(f"There is nothing called {verb!r} to do.")
        self._settle()
        self._read()
        return focus

    def _add(self, control: Rows, name: str, key: str = "", item: Any = MISSING) -> str:
        row = next_row(self.posted, name)
        if item is MISSING:
            item = self._new_item(control, name)
            key = control.option.key_prefixes[0] if control.option.key_prefixes else key
            if isinstance(control.item, Body) and not self.posted.get(f"{name}-rows"):
                key = "application/json"
        write_row(control, name, row, key if control.keyed else None, item, self.posted)
        if isinstance(control.item, Group):
            return item_name(control, f"{name}-{row}", next(iter(control.item.controls))).removesuffix("-value")
        return f"{name}-{row}-key" if control.keyed else item_name(control, name, row)

    def _new_item(self, control: Rows, name: str) -> Any:
        match control.item:
            case Group(owner=owner, controls=controls):
                needed = {
                    each.name: ""
                    for each in dataclasses.fields(owner)
                    if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
                }
                item = owner(**needed)
                first = next(iter(controls))
                taken = {self.posted.get(f"{name}-{row}-{first}", [""])[0] for row in self.posted.get(f"{name}-rows", ())}
                return dataclasses.replace(item, **{first: ""}) if getattr(item, first) in taken else item
            case Body():
                return Template("")
            case Scalar(kind="flag"):
                return False
            case _:
                return ""

    def _move(self, control: Rows, name: str, row: str, verb: str) -> str:
        rows = self.posted.get(f"{name}-rows", [])
        if row not in rows:
            raise UnreadableForm(f"{name!r} has no row {row!r}.")
        at = rows.index(row)
        if verb == "remove":
            drop(self.posted, f"{name}-{row}")
            rows.remove(row)
            if not rows:
                return f"{name}-add"
            return f"{name}-{rows[min(at, len(rows) - 1)]}-remove"
        to = max(0, min(len(rows) - 1, at + (-1 if verb == "up" else 1)))
        rows.insert(to, rows.pop(at))
        return f"{name}-{row}-{verb}"

    def _override(self, verb: str, what: str) -> str:
        """Say oneself what the integration implies: a parameter or a response, declared otherwise or not at all."""
        route = self.api.routes[0]
        if verb == "suppress":
            return self._add(cast(Rows, control_at("route-suppressed")), "route-suppressed", item=what)
        if verb == "respond":
            return self._add(cast(Rows, control_at("route-responses")), "route-responses", item=MethodResponse(status_code=what))
        required = not route.derived_parameters().get(what, False)
        return self._add(cast(Rows, control_at("route-declared")), "route-declared", what, required)

    def _restore(self, name: str) -> str:
        """Give an option the value that it has in the base."""
        control, value = control_at(name), value_at(self.base, name)
        drop(self.posted, name)
        if value is not MISSING:
            write(control, name, value, self.posted)
        return name

    # --- What changed

    def changed(self) -> list[str]:
        """The names of the options that differ from the base, in the order of the form."""
        unheld = {self.place(finding.path).name for finding in self.unheld}
        found = []
        for name in names_of(self.kept):
            now, was = value_at(self.api, name), value_at(self.base, name)
            if now is not MISSING and (now != was or any(each == name or each.startswith(f"{name}-") for each in unheld)):
                found.append(name)
        return found


class RouteForm(IntegrationForm):
    """One route of an API: its mount, and what is behind it. The base is an Api of that route."""

    kept = frozenset(ROOT.controls) - {"routes"}


class SettingsForm(IntegrationForm):
    """The settings of an API. The base has one route, which only stands there."""

    kept = frozenset({"routes"})

    def _settle(self) -> None:
        pass


SHOWN = "backend-shown"
"""Kind and type of the backend for which the page was made: when they differ from what is posted, it was switched."""

RESTRICTED: Mapping[str, Option] = {
    name_of("integration", option.name): option for option in options_of(Integration).values() if option.types != ALL_TYPES
}
"""The options that only some integration types use, by input name."""


def is_used(option: Option, type: str) -> bool:
    """Whether an integration of that type uses the option; one of an unknown type may use any."""
    return type not in ALL_TYPES or type in option.types


def is_held(posted: Posted, name: str) -> bool:
    """Whether anything is filled in."""
    return any(posted.get(name, ())) or bool(posted.get(f"{name}-rows"))


def value_at(api: Api, name: str) -> Any:
    """The value of an option by the name of its input; MISSING where the definition has none (another backend's)."""
    kind, path = _way_to(name)
    if kind and api.routes[0].integration.backend.kind != kind:
        return MISSING
    value: Any = api
    for part in path:
        value = value[part] if isinstance(part, int) else getattr(value, part)
    return value.kind if name == "backend" else value


@functools.lru_cache(maxsize=1_024)
def _way_to(name: str) -> tuple[str, Path]:
    """The kind of backend that has the option, empty where all have it; and its path."""
    parts = _parts(name)
    return next((part for part, before in zip(parts[1:], parts, strict=False) if before == "backend"), ""), path_of(name)


@functools.cache
def names_of(kept: frozenset[str]) -> tuple[str, ...]:
    """The input name of every option that is no row's own, but for those fields of the Api."""
    parts = ((part, control) for part, control in ROOT.controls.items() if part not in kept)
    return tuple(name for part, control in parts for name in names_in(control, name_of("", part)))


def spelled_out(control: Control, name: str = "") -> Iterator[str]:
    """The names of all inputs, those of rows too."""
    match control:
        case Rows(item=item):
            yield from spelled_out(item, f"{name}-*")
        case Group(controls=controls):
            for part, inner in controls.items():
                yield from spelled_out(inner, name_of(name, part))
        case OneOf(kinds=kinds):
            yield name
            for kind, group in kinds.items():
                yield from spelled_out(group, name_of(name, kind))
        case Only(item=item):
            yield from spelled_out(item, name)
        case _:
            yield name


VERSION = hashlib.sha256("\n".join(spelled_out(ROOT)).encode("utf-8")).hexdigest()[:12]
"""Changes with what there is to fill in: a page that was made by another version is not read as this one."""
