"""What a list of the catalog is asked for, and what the team's catalog answers: a page of rows, and counts by facet."""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.http import QueryDict

from integrations.models import ALIVE, BACKENDS, Integration, Level, Lifecycle, Membership, SearchText, Team, folded

PAGE = 60
"""Rows of a page."""

COUNTED = 3_000
"""What a search or a tag leaves is counted by facet up to so many: counting more would take longer than finding them."""

CHOICES = 100
"""How many owners and tags are offered; the most frequent ones."""

TOP = 8
"""How many owners and tags are shown at once."""

TERMS = 8
LONGEST_QUERY = 200


class Sort(NamedTuple):
    """An order of the list: by a column and then by key, both ascending or both descending."""

    label: str
    column: str
    descending: bool


SORTS = {
    "-updated": Sort("Recently updated", "updated_at", True),
    "updated": Sort("Longest unchanged", "updated_at", False),
    "name": Sort("Name, A to Z", "name_key", False),
    "-name": Sort("Name, Z to A", "name_key", True),
    "-findings": Sort("Most findings", "weight", True),
}
USUAL = "-updated"

FINDINGS: Mapping[str, tuple[str, frozenset[int]]] = {
    "errors": ("Errors", frozenset(bits for bits in range(8) if bits & Level.ERROR)),
    "warnings": ("Warnings", frozenset(bits for bits in range(8) if bits & Level.WARNING)),
    "remarks": ("Remarks", frozenset(bits for bits in range(8) if bits & Level.REMARK)),
    "no-errors": ("No errors", frozenset(bits for bits in range(8) if not bits & Level.ERROR)),
    "clean": ("Clean", frozenset({0})),
}
"""The values of the facet "findings": what they are called, and which Integration.levels they mean."""

FINDINGS_OF = tuple(tuple(value for value, (_, levels) in FINDINGS.items() if bits in levels) for bits in range(8))
"""The values of "findings" that each Integration.levels has."""

FACETS = {"lifecycle": "Lifecycle", "findings": "Findings", "backend": "Backend", "owner": "Owner", "tag": "Tag"}
"""Facets in their order. The chosen values of one are alternatives, save tags: an integration has to have all of them."""

FIXED: dict[str, Mapping[str, str]] = {
    "lifecycle": {str(value): str(label) for value, label in Lifecycle.choices},
    "findings": {value: label for value, (label, _) in FINDINGS.items()},
    "backend": BACKENDS,
}
"""The values of those facets that are the same in every team."""

NO_OWNER = "Nobody"


class Cursor(NamedTuple):
    """A place between two rows: what the list is sorted by, and the key, of the row beside it."""

    value: Any
    pk: int

    def __str__(self) -> str:
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        return base64.urlsafe_b64encode(json.dumps([value, self.pk]).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, column: str) -> Self | None:
        """The cursor that somebody's URL holds, if it is one of that column."""
        kinds: dict[str, type] = {"updated_at": str, "name_key": str, "weight": int}
        try:
            value, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if type(value) is not kinds[column] or type(pk) is not int or abs(pk) >= 2**63:
                return None
            if column == "updated_at":
                value = datetime.fromisoformat(str(value))
                return cls(value, pk) if value.tzinfo else None
            return cls(value, pk)
        except (ValueError, TypeError, binascii.Error):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a list was asked for. Its URL says it all, and nothing that goes without saying."""

    q: str = ""
    mine: bool = False
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By facet; one without a chosen value is left out."""
    sort: str = USUAL
    after: Cursor | None = None
    before: Cursor | None = None

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        """From a URL that anybody may have written: what means nothing is left out."""
        sort = query.get("sort", "")
        sort = sort if sort in SORTS else USUAL
        column = SORTS[sort].column
        chosen = {
            facet: tuple(
                value
                for value in dict.fromkeys(query.getlist(facet))
                if len(value) <= LONGEST_QUERY and "\0" not in value and (facet not in FIXED or value in FIXED[facet])
            )[:CHOICES]
            for facet in FACETS
        }
        chosen = {facet: values for facet, values in chosen.items() if values}
        return cls(
            q=query.get("q", "").strip()[:LONGEST_QUERY],
            mine=query.get("mine") == "1",
            chosen=chosen,
            sort=sort,
            after=Cursor.read(query.get("after", ""), column),
            before=Cursor.read(query.get("before", ""), column),
        )

    @property
    def url(self) -> str:
        """The query part of its URL: "?" and so on, or nothing."""
        pairs = [("q", self.q)] if self.q else []
        pairs += [("mine", "1")] if self.mine else []
        pairs += [(facet, value) for facet, values in self.chosen.items() for value in values]
        pairs += [("sort", self.sort)] if self.sort != USUAL else []
        pairs += [(name, str(cursor)) for name, cursor in (("after", self.after), ("before", self.before)) if cursor]
        return f"?{urlencode(pairs)}" if pairs else "?"

    def at(self, *, after: Cursor | None = None, before: Cursor | None = None) -> Self:
        """The same question, on another page."""
        return replace(self, after=after, before=before)

    def without(self, facet: str, value: str) -> Self:
        """The same question without one chosen value, on its first page."""
        rest = tuple(other for other in self.chosen.get(facet, ()) if other != value)
        others = {name: values for name, values in self.chosen.items() if name != facet}
        return replace(self.at(), chosen={**others, facet: rest} if rest else others)

    def sorted(self, sort: str) -> Self:
        """The same question in another order, on its first page."""
        return replace(self.at(), sort=sort)

    @property
    def filters(self) -> int:
        """How many filters are on."""
        return self.mine + sum(len(values) for values in self.chosen.values())

    @property
    def terms(self) -> list[str]:
        """The words of the search, folded. One without a letter or digit finds nothing in an index, and is left out."""
        terms = [term for term in folded(self.q).split() if re.search(r"[^\W_]", term)]
        return terms[:TERMS]


def needle(term: str) -> str:
    """What stands in SearchText.text for a term: short ones begin a word."""
    if len(term) > 2:
        return term
    word = "".join(re.findall(r"[^\W_]+", term))
    return " " * (3 - len(word)) + word


def found(terms: Iterable[str]) -> RawSQL:
    """The keys of the integrations whose text holds all terms, from the index of the search."""
    needles = [needle(term) for term in terms]
    if connection.vendor == "sqlite":
        phrases = " ".join('"' + text.replace('"', '""') + '"' for text in needles)
        return RawSQL("SELECT rowid FROM integrations_search WHERE integrations_search MATCH %s", [phrases])
    patterns = ["%" + re.sub(r"([\\%_])", r"\\\1", text) + "%" for text in needles]
    holds = " AND ".join(["text LIKE %s"] * len(patterns))
    return RawSQL(f"SELECT integration_id FROM integrations_searchtext WHERE {holds}", patterns)


def holding(terms: Iterable[str]) -> Exists:
    """The same, asked of one integration: for walking along an order when most of what is passed has to be shown anyway."""
    text = SearchText.objects.filter(integration=OuterRef("pk"))
    for term in terms:
        text = text.annotate(at=StrIndex("text", Value(needle(term)))).filter(at__gt=0)
    return Exists(text)


def narrowed(team: Team, question: Question, *, walking: bool = False) -> QuerySet[Integration]:
    """What the search and the tags leave of the team's catalog."""
    rows = Integration.objects.filter(ALIVE, team=team)
    if question.q and not question.terms:
        return rows.none()
    if question.terms:
        rows = rows.filter(holding(question.terms) if walking else Q(pk__in=found(question.terms)))
    for tag in question.chosen.get("tag", ()):
        tagged = Integration.tags.through.objects.filter(tag__team=team, tag__name=tag)
        rows = rows.filter(pk__in=tagged.values("integration_id"))
    return rows


def levels(values: Iterable[str]) -> frozenset[int]:
    """The Integration.levels that any of these values of "findings" means."""
    return frozenset().union(*(FINDINGS[value][1] for value in values))


def condition(question: Question, user_id: int) -> Q:
    """The chosen values of all facets but tags."""
    chosen = question.chosen
    wanted = Q()
    if "lifecycle" in chosen:
        wanted &= Q(lifecycle__in=chosen["lifecycle"])
    if "findings" in chosen:
        wanted &= Q(levels__in=sorted(levels(chosen["findings"])))
    if "backend" in chosen:
        wanted &= Q(backend__in=chosen["backend"])
    if "owner" in chosen:
        wanted &= Q(owner__in=["" if value == NO_OWNER else value for value in chosen["owner"]])
    if question.mine:
        wanted &= Q(created_by=user_id)
    return wanted


class Cell(NamedTuple):
    """What integrations have in common that lists tell apart."""

    lifecycle: str
    levels: int
    backend: str
    owner: str

    def values(self, facet: str) -> tuple[str, ...]:
        """Its values of a facet."""
        match facet:
            case "lifecycle":
                return (self.lifecycle,)
            case "findings":
                return FINDINGS_OF[self.levels]
            case "backend":
                return (self.backend,)
            case _:
                return (self.owner or NO_OWNER,)


type Tally = Mapping[Cell, tuple[int, int]]
"""How many integrations a cell has, and how many of them are one's own."""


def tallied(rows: QuerySet[Integration], user_id: int) -> Tally:
    """All rows by cell; from an index that has them in this order."""
    groups = rows.order_by().values_list(*Cell._fields)
    counted = groups.annotate(number=Count("*"), own=Count("created_by", filter=Q(created_by=user_id)))
    return {Cell(*row[:4]): (row[4], row[5]) for row in counted}


def tallied_few(rows: QuerySet[Integration], user_id: int) -> Tally | None:
    """The rows by cell, if they are no more than COUNTED."""
    few = list(rows.order_by().values_list(*Cell._fields, "created_by")[: COUNTED + 1])
    if len(few) > COUNTED:
        return None
    found: dict[Cell, tuple[int, int]] = {}
    for *cell, creator in few:
        key = Cell(*cell)
        number, own = found.get(key, (0, 0))
        found[key] = (number + 1, own + (creator == user_id))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a facet. `number`: how many integrations it would leave or add; None where that is not counted."""

    value: str
    label: str
    number: int | None
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """A facet with its values."""

    name: str
    label: str
    choices: list[Choice]

    @property
    def on(self) -> bool:
        """Whether a value of it is chosen."""
        return any(choice.chosen for choice in self.choices)

    @property
    def top(self) -> list[Choice]:
        """What is shown at once: of owners and tags, which a team may have many of, the first and the chosen."""
        return [choice for place, choice in enumerate(self.choices) if self.name in FIXED or place < TOP or choice.chosen]

    @property
    def rest(self) -> list[Choice]:
        """What is shown when somebody asks for more."""
        shown = self.top
        return [choice for choice in self.choices if choice not in shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many there are. `matching` is None where they are more than COUNTED, and nobody counted."""

    whole: int
    mine: int
    errors: int
    ready: int
    matching: int | None
    facets: list[Facet]

    @property
    def chosen(self) -> list[tuple[Facet, Choice]]:
        """The choices that are on."""
        return [(facet, choice) for facet in self.facets for choice in facet.choices if choice.chosen]


def count(member: Membership, question: Question) -> Counts:
    """Counts for the page, in three queries at most."""
    everything = tallied(Integration.objects.filter(ALIVE, team=member.team), member.user_id)
    here: Tally | None = everything
    if question.q or "tag" in question.chosen:
        here = tallied_few(narrowed(member.team, question), member.user_id)
    offered = everything if here is None else here
    chosen = {facet: frozenset(values) for facet, values in question.chosen.items() if facet != "tag"}
    owned = whoever(offered, chosen.get("owner"))
    whole = owned if offered is everything and "owner" not in chosen else whoever(everything, None)

    def numbers(name: str, tally: Tally) -> Counter[str]:
        """How many integrations each value of a facet would leave, were it the only one chosen of it."""
        others = {facet: values for facet, values in chosen.items() if facet not in (name, "owner")}
        found: Counter[str] = Counter()
        for cell, pair in tally.items():
            if passes(cell, others):
                for value in cell.values(name):
                    found[value] += pair[question.mine]
        return found

    def total(**wanted: str) -> int:
        """How many of all have those values."""
        sought = {facet: frozenset({value}) for facet, value in wanted.items()}
        return sum(number for cell, (number, _) in whole.items() if passes(cell, sought))

    backends = {cell.backend for cell in whole}
    there = FIXED | {"backend": {value: label for value, label in BACKENDS.items() if value in backends}}
    fixed = {facet: values for facet, values in chosen.items() if facet != "owner"}
    matching = sum(pair[question.mine] for cell, pair in owned.items() if passes(cell, fixed))
    facets = [facet(question, name, there[name], numbers(name, owned) if here is not None else None) for name in FIXED]
    owners = numbers("owner", offered)
    busiest = sorted(owners, key=lambda owner: (-owners[owner], owner))[:CHOICES]
    facets.append(facet(question, "owner", busiest, owners if here is not None else None))
    if here is not None and matching <= COUNTED:
        tags = tag_numbers(member, question)
        facets.append(facet(question, "tag", tags, tags))
    else:
        facets.append(facet(question, "tag", member.team.tags.values_list("name", flat=True)[:CHOICES], None))
    return Counts(
        whole=total(),
        mine=sum(own for _, own in whole.values()),
        errors=total(findings="errors"),
        ready=total(lifecycle=Lifecycle.DRAFT, findings="no-errors"),
        matching=None if here is None else matching,
        facets=facets,
    )


def whoever(tally: Tally, owners: frozenset[str] | None) -> Tally:
    """The same without telling owners apart, of some owners or all: many cells become a few."""
    found: dict[Cell, tuple[int, int]] = {}
    for cell, (number, own) in tally.items():
        if owners is None or (cell.owner or NO_OWNER) in owners:
            key = Cell(cell.lifecycle, cell.levels, cell.backend, "")
            before = found.get(key, (0, 0))
            found[key] = (before[0] + number, before[1] + own)
    return found


def passes(cell: Cell, chosen: Mapping[str, frozenset[str]]) -> bool:
    """Whether a cell has one of the chosen values of each facet."""
    return all(not values.isdisjoint(cell.values(facet)) for facet, values in chosen.items())


def tag_numbers(member: Membership, question: Question) -> dict[str, int]:
    """The tags of what matches, the most frequent first."""
    matching = narrowed(member.team, question).filter(condition(question, member.user_id)).order_by()
    links = Integration.tags.through.objects.filter(integration__in=matching.values("pk"))
    rows = links.values("tag__name").annotate(number=Count("*")).order_by("-number", "tag__name")[:CHOICES]
    return {row["tag__name"]: row["number"] for row in rows}


def facet(question: Question, name: str, values: Iterable[str], numbers: Mapping[str, int] | None) -> Facet:
    """A facet: the values there are, and those that are chosen all the same."""
    chosen = question.chosen.get(name, ())
    labels = FIXED.get(name, {})
    choices = [
        Choice(
            value=value,
            label=labels.get(value, value),
            number=None if numbers is None else numbers.get(value, 0),
            chosen=value in chosen,
        )
        for value in dict.fromkeys([*values, *chosen])
    ]
    return Facet(name=name, label=FACETS[name], choices=choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows in order, and the questions whose answers are the pages beside it."""

    rows: list[Integration]
    first: bool
    previous: Question | None
    next: Question | None


def keys(rows: QuerySet[Integration], question: Question) -> list[Cursor]:
    """The places of a page and of one row more, in the order that they are looked through; from the index alone."""
    sort = SORTS[question.sort]
    backwards = question.before is not None
    cursor = question.before or question.after
    descending = sort.descending != backwards
    if cursor:
        side = "lt" if descending else "gt"
        beyond = Q(**{f"{sort.column}__{side}": cursor.value}) | Q(**{f"pk__{side}": cursor.pk})
        rows = rows.filter(Q(**{f"{sort.column}__{side}e": cursor.value}), beyond)
    sign = "-" if descending else ""
    ordered = rows.order_by(f"{sign}{sort.column}", f"{sign}pk").values_list(sort.column, "pk")
    return [Cursor(*row) for row in ordered[: PAGE + 1]]


def page(member: Membership, question: Question, *, many: bool) -> Page:
    """The rows that are asked for, in three queries whatever their number. `many`: more than COUNTED match the search.

    A page that has lost its rows or its place since its link was made is the first page.
    """
    rows = narrowed(member.team, question, walking=many).filter(condition(question, member.user_id))
    places = keys(rows, question)
    more = len(places) > PAGE
    if (question.before is not None and not more) or (question.after is not None and not places):
        question = question.at()
        places = keys(rows, question)
        more = len(places) > PAGE
    places = places[:PAGE]
    if question.before is not None:
        places.reverse()
    by_key = Integration.objects.prefetch_related("tags").in_bulk([place.pk for place in places])
    return Page(
        rows=[by_key[place.pk] for place in places if place.pk in by_key],
        first=question.after is None and question.before is None,
        previous=question.at(before=places[0]) if question.before or question.after else None,
        next=question.at(after=places[-1]) if more or question.before else None,
    )
