"""An API while it is composed: the draft of one person, what it resolves to, and the tree that a page shows of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from integrations.gateway import composition
from integrations.gateway.composition import Composition, Merged, Resolved, Use
from integrations.gateway.definition import METHODS, Api, Integration, Model
from integrations.gateway.findings import Finding, tally
from integrations.models import Draft, Revision, StaleBase, backend_and_target, findings_of, resolved
from integrations.models import Integration as Entry


class StaleDraft(Exception):
    """Another tab has gone on with the draft; nothing was kept."""


@dataclass
class Edit:
    """One person's edit of an API: what it began from, and how far it got."""

    entry: Entry
    user: User
    base: Revision
    composition: Composition
    draft: Draft | None = None

    @property
    def counter(self) -> int:
        """Counts what was done to the draft: a page that has seen less is stale."""
        return self.draft.counter if self.draft else 0

    @property
    def is_behind(self) -> bool:
        """Whether somebody has saved since the draft began."""
        return self.base.number != self.entry.latest_number

    def keep(self, made: Composition, seen: int) -> None:
        """Keep what was made as the draft. Raises StaleDraft where the page was made from an older one."""
        values: dict[str, Any] = {"base": self.base, "counter": self.counter + 1, "definition": composition.dumps(made)}
        if self.draft is None:
            draft, is_new = Draft.objects.get_or_create(
                integration=self.entry, user=self.user, defaults=values | {"posted": {}, "parked": {}}
            )
            if not is_new or seen:
                raise StaleDraft
            self.draft = draft
        else:
            mine = Draft.objects.filter(pk=self.draft.pk, counter=self.draft.counter)
            if seen != self.draft.counter or not mine.update(**values):
                raise StaleDraft
            self.draft.counter += 1
        self.composition = made

    def merged(self) -> Merged:
        """The draft on top of the latest revision."""
        base, theirs = self.base.value, self.entry.latest.value
        assert isinstance(base, Composition) and isinstance(theirs, Composition)
        return composition.merge(base, self.composition, theirs)

    def save(self, message: str, *, over: bool = False) -> Revision:
        """Save the draft as a revision. Where somebody saved since, both are merged; raises StaleBase where both changed the
        same, unless `over` says that the draft's is right."""
        with transaction.atomic():
            made, onto = self.composition, self.base.number
            if self.is_behind:
                merged = self.merged()
                if merged.conflicts and not over:
                    raise StaleBase(self.entry.latest_number)
                made, onto = merged.composition, self.entry.latest_number
            revision = self.entry.save_revision(made, self.user, message, onto=onto)
            Draft.objects.filter(integration=self.entry, user=self.user).delete()
        return revision


def opened(entry: Entry, user: User, *, drafts: bool) -> Edit:
    """The API as somebody finds it: as their draft has it, else the latest revision. Of it, two queries at most."""
    draft = Draft.objects.filter(integration=entry, user=user).select_related("base").first() if drafts else None
    base = draft.base if draft else entry.latest
    found = composition.loads(draft.definition if draft else base.definition)
    return Edit(entry, user, base, found, draft)


# --- Adding ----------------------------------------------------------------------------------------


def added(whole: Composition, entry: Entry, revision: Revision, pin: int | None, index: int | None = None) -> Composition:
    """With a route on that integration, mounted where it stands alone; and what its mount and templates need of an API: its
    models, stage variables and binary media types, where the API has none of that name. `index`: in the place of a route,
    whose mount stays."""
    alone = revision.api
    route = alone.routes[0]
    use = Use(integration=entry.pk, pin=pin)
    if index is not None:
        return whole.with_route(whole.api.routes[index], use, index)
    models = {model.name: model for model in whole.api.models}
    wanted = {*route.request_models.values(), *(name for each in route.responses for name in each.response_models.values())}
    new: list[Model] = [model for model in alone.models if model.name in wanted and model.name not in models]
    media_types = [each for each in alone.binary_media_types if each not in whole.api.binary_media_types]
    api = replace(
        whole.api,
        models=(*whole.api.models, *new),
        stage_variables={**alone.stage_variables, **whole.api.stage_variables},
        binary_media_types=(*whole.api.binary_media_types, *media_types),
    )
    return replace(whole, api=api).with_route(route, use)


# --- One route -------------------------------------------------------------------------------------


def alone(whole: Composition, index: int, integration: Integration) -> Api:
    """The settings of the API with one of its routes, on that integration."""
    return replace(whole.api, routes=(replace(whole.api.routes[index], integration=integration),))


# --- The tree --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A route in the tree."""

    index: int
    method: str
    column: int
    name: str
    slug: str
    backend: str
    pin: int | None
    number: int
    own: int
    """How many options it overrides."""
    findings: tuple[Finding, ...]
    level: str

    @property
    def counts(self) -> dict[str, int]:
        """Its findings by severity."""
        return tally(self.findings)


@dataclass(frozen=True, slots=True)
class Branch:
    """A path of the tree, below the nearest one that has routes."""

    path: str
    parent: str
    depth: int
    cells: tuple[Cell, ...]

    @property
    def rest(self) -> str:
        """What the path has beyond its parent."""
        return self.path.removeprefix(self.parent)


@dataclass(frozen=True, slots=True)
class Tree:
    """The routes of an API by path and method."""

    columns: tuple[str, ...]
    branches: tuple[Branch, ...]


def tree(whole: Composition, found: Resolved, findings: Sequence[Finding]) -> Tree:
    """Paths in their order, each below the longest other one that it goes on from; a column for each method in use."""
    used = {route.method for route in whole.api.routes}
    columns = (*(method for method in METHODS if method in used), *sorted(used - set(METHODS)))
    remarks: dict[int, list[Finding]] = {}
    for finding in findings:
        index = route_of(finding)
        if index is not None:
            remarks.setdefault(index, []).append(finding)
    by_path: dict[str, list[Cell]] = {}
    for index, (mount, use, route, source) in enumerate(
        zip(whole.api.routes, whole.uses, found.api.routes, found.sources, strict=True)
    ):
        own = tuple(remarks.get(index, ()))
        cell = Cell(
            index=index,
            method=mount.method,
            column=columns.index(mount.method) + 1,
            name=source.name if source else "gone",
            slug=source.slug if source else "",
            backend=backend_and_target(Api(routes=(route,)))[0],
            pin=use.pin,
            number=source.number if source else 0,
            own=len(use.overrides) + len(use.bindings),
            findings=own,
            level=worst(own),
        )
        by_path.setdefault(mount.path, []).append(cell)
    branches: list[Branch] = []
    above: list[str] = []
    for path in sorted(by_path, key=lambda path: path.rstrip("/").split("/")):
        while above and not (path.startswith(f"{above[-1]}/") and above[-1] != "/"):
            above.pop()
        cells = tuple(sorted(by_path[path], key=lambda cell: cell.column))
        branches.append(Branch(path, above[-1] if above else "", len(above), cells))
        above.append(path.rstrip("/") or "/")
    return Tree(columns, tuple(branches))


def route_of(finding: Finding) -> int | None:
    """The number of the route that a finding is in; None for one of the whole API."""
    match finding.path:
        case ("routes", int(index), *_):
            return index
        case _:
            return None


def worst(findings: Iterable[Finding]) -> str:
    """How the worst of them is drawn on a route; nothing below a warning."""
    ranks = [finding.severity.rank for finding in findings]
    return {0: "error", 1: "warning"}.get(min(ranks), "") if ranks else ""


def judged(whole: Composition) -> tuple[Resolved, list[Finding]]:
    """What it resolves to now, and all that there is to say of it."""
    found = resolved(whole)
    return found, findings_of(found)
