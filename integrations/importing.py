"""Files in, a report of what each would make or change in the catalog out; then that carried out, and undone."""

import functools
import hashlib
import io
import json
import posixpath
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from integrations.gateway import formats
from integrations.gateway.composition import MOUNTED, Composition, Use
from integrations.gateway.definition import LIMITS, Api, Integration, Mock, Route, of_route, referred, to_json
from integrations.gateway.diff import Change, diff
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.formats import Asked, Reading, UnreadableText
from integrations.gateway.formats.in_place import Patched, patched
from integrations.models import (
    ALIVE,
    NAME_LENGTH,
    SLUG_LENGTH,
    Import,
    ImportedFile,
    Origin,
    Team,
    backend_and_target,
    free_slug,
    latest_revisions,
    record,
    resolved,
    users_of,
)
from integrations.models import Integration as Entry

type Choice = Literal["create", "update", "skip"]

FILES = 200
"""Files of one import, those in archives counted."""
WHOLE = 20_000_000
"""Bytes of all of them, unpacked."""
ENDINGS = (".yaml", ".yml", ".json", ".template")
"""What files in an archive are read by; the others are passed over."""


class Refused(Exception):
    """Files that are not taken: why, and what to do."""


# --- Taking files ----------------------------------------------------------------------------------


def unpacked(files: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """The texts of files by name, those of zip archives too. Raises Refused: too many, too large, or no text.

    What an archive says about its own sizes is not believed: no more is unpacked than is taken.
    """
    found: list[tuple[str, str]] = []
    room = WHOLE
    for name, data in files:
        for inner, content in _members(name, data, room):
            room -= len(content)
            if len(found) == FILES:
                raise Refused(f"More than {FILES} files. Import some of them at a time. Nothing was read.")
            if room < 0:
                raise Refused(f"More than {WHOLE // 1_000_000} MB in all. Import some of the files at a time. Nothing was read.")
            found.append((inner[-NAME_LENGTH:], _text(inner, content)))
    if not found:
        raise Refused(f"There is no file in it that can be read. These are: {', '.join(ENDINGS)}. Nothing was read.")
    return found


def _members(name: str, data: bytes, room: int) -> Iterable[tuple[str, bytes]]:
    if not data.startswith(b"PK\x03\x04"):
        yield name, data
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir() and each.filename.lower().endswith(ENDINGS)]
            for member in members[: FILES + 1]:
                if posixpath.basename(member.filename).startswith("._") or "__MACOSX/" in member.filename:
                    continue
                with archive.open(member) as stream:
                    content = stream.read(min(room, LIMITS["bytes"]) + 1)
                room -= len(content)
                yield member.filename, content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Refused(f"{name}: this archive cannot be unpacked: {error}. Pack it anew, without a password.") from error


def _text(name: str, content: bytes) -> str:
    if len(content) > LIMITS["bytes"]:
        raise Refused(f"{name}: the file is longer than {LIMITS['bytes'] // 1_000_000} MB. Split it. Nothing was read.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: byte {error.start:,} is not UTF-8. Save the file as UTF-8. Nothing was read.") from error
    if "\0" in text:
        raise Refused(f"{name}: it holds a NUL, which no text does. Nothing was read.")
    return text


def taken(team: Team, by: User | None, texts: Sequence[tuple[str, str]]) -> Import:
    """Keep texts as an import that is not applied yet."""
    with transaction.atomic():
        made = Import.objects.create(team=team, made_by=by)
        ImportedFile.objects.bulk_create(
            ImportedFile(of=made, name=name, text=text, sha256=hashlib.sha256(text.encode()).hexdigest()) for name, text in texts
        )
    return made


# --- The report ------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Item:
    """What one part of a file would be in the catalog: an API, or an integration with the routes that it is behind."""

    key: str
    name: str
    slug: str
    line: int
    backend: str
    definition: Api
    """Of an API all of it; of an integration it alone."""
    routes: list[tuple[int, int]] = field(default_factory=list)
    """Of an integration: the number of the API in the file, and of the route in that API; several where they are the same."""
    kept: dict[tuple[int, int], Use] = field(default_factory=dict)
    """Of an integration: the routes whose API has the same behind them already, overrides and all."""
    entry: Entry | None = None
    """What is there already under that name."""
    changes: list[Change] = field(default_factory=list)
    """What would change there."""
    findings: list[Finding] = field(default_factory=list)
    """What of it was not read as it stands."""
    suggested: Choice = "create"

    @property
    def is_api(self) -> bool:
        """Whether it is an API."""
        return not self.routes

    @property
    def route(self) -> Route:
        """Of an integration: its mount."""
        return self.definition.routes[0]

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What can be done with it."""
        return ("update", "skip") if self.entry else ("create", "skip")

    @property
    def lost(self) -> int:
        """How many findings there are that are more than a remark."""
        return len(self.findings)


@dataclass(kw_only=True)
class FileReport:
    """One file: how it was read, or why not, and its items."""

    file: ImportedFile
    reading: Reading | None = None
    error: UnreadableText | None = None
    items: list[Item] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.file.text.count("\n") + (not self.file.text.endswith("\n"))

    @property
    def findings(self) -> list[Finding]:
        """What of the file was not read as it stands, by line."""
        found = self.reading.findings if self.reading else ()
        return sorted(found, key=lambda finding: finding.line or 0)


@functools.lru_cache(maxsize=8)
def _read(name: str, text: str, beside: tuple[tuple[str, str], ...]) -> Reading | UnreadableText:
    others = dict(beside)

    def text_beside(other: str) -> str | None:
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), other))
        return others.get(wanted)

    try:
        return formats.read(text, Asked(name=name, beside=text_beside))
    except UnreadableText as error:
        return error


def read(files: Sequence[ImportedFile]) -> list[FileReport]:
    """Every file read on its own. One that another one names as a part of it is read with that one."""
    texts = tuple((posixpath.normpath(file.name), file.text) for file in files)
    found: list[FileReport] = []
    parts: set[str] = set()
    for file in files:
        reading = _read(file.name, file.text, texts)
        if isinstance(reading, UnreadableText):
            found.append(FileReport(file=file, error=reading))
            continue
        found.append(FileReport(file=file, reading=reading))
        folder = posixpath.dirname(file.name)
        parts.update(posixpath.normpath(posixpath.join(folder, name)) for name in reading.sources)
    return [report for report in found if posixpath.normpath(report.file.name) not in parts]


def reported(made: Import, *, shared: bool = True) -> list[FileReport]:
    """The files with their items, and what is in the catalog already. `shared`: routes of one file with the same behind
    them become one integration. The number of queries does not depend on the files."""
    reports = read(list(made.files.all()))
    for number, report in enumerate(reports):
        if report.reading:
            report.items = _items(report, str(number), shared=shared)
    _matched(made.team, [item for report in reports for item in report.items])
    return reports


def _items(report: FileReport, prefix: str, *, shared: bool) -> list[Item]:
    reading = cast(Reading, report.reading)
    found: list[Item] = []
    slugs: set[str] = set()
    stem = posixpath.basename(report.file.name).partition(".")[0]
    for number, each in enumerate(reading.apis):
        name = (each.api.name or stem or "api")[:NAME_LENGTH]
        slug = _unused(_slug(name) or "api", slugs)
        line = reading.line(each, ())
        api = replace(each.api, name=name)
        found.append(Item(key=f"{prefix}.{number}", name=name, slug=slug, line=line, backend="api", definition=api))
    same: dict[str, Item] = {}
    for number, each in enumerate(reading.apis):
        whole = next(item for item in found if item.key == f"{prefix}.{number}")
        for index in range(len(each.api.routes)):
            lone = _alone(whole.definition, index)
            key = str((to_json(lone.routes[0].integration), [to_json(parameter) for parameter in lone.parameters]))
            if shared and key in same:
                same[key].routes.append((number, index))
                continue
            name = _name(whole.slug, lone.routes[0])
            slug = _unused(_slug(name) or "integration", slugs)
            same[key] = item = Item(
                key=f"{prefix}.{number}.{index}",
                name=slug if slug != _slug(name) else name,
                slug=slug,
                line=reading.line(each, ("routes", index)),
                backend=backend_and_target(lone)[0],
                definition=replace(lone, name=slug),
                routes=[(number, index)],
            )
            found.append(item)
    _placed(found, report.findings)
    return found


def _slug(name: str) -> str:
    return slugify(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name))[:SLUG_LENGTH].strip("-")


def _unused(slug: str, taken: set[str]) -> str:
    number, found = 2, slug
    while found in taken:
        found, number = f"{slug[: SLUG_LENGTH - 5]}-{number}", number + 1
    taken.add(found)
    return found


def _name(api: str, route: Route) -> str:
    """What an integration is called: after its operation, or its method and path; preflights after what they are."""
    if route.method == "OPTIONS" and isinstance(route.integration.backend, Mock):
        return f"{api[:60]}-preflight"
    return f"{api[:60]}-{_slug(route.operation_name or f'{route.method} {route.path}'.replace('/', ' '))}"


def _alone(api: Api, index: int) -> Api:
    """One route of an API as an integration that stands alone: with the parameters, models and stage variables it needs."""
    route = api.routes[index]
    lone = Api(routes=(route,))
    used = referred(lone)
    models = {*route.request_models.values(), *(name for each in route.responses for name in each.response_models.values())}
    variables = set(re.findall(r"stageVariables\W{1,4}(\w+)", json.dumps(to_json(route))))
    return replace(
        lone,
        description="",
        structures=of_route(api.structures, index),
        parameters=tuple(parameter for parameter in api.parameters if parameter.name in used),
        models=tuple(model for model in api.models if model.name in models),
        stage_variables={name: value for name, value in api.stage_variables.items() if name in variables},
    )


def _placed(items: Sequence[Item], findings: Sequence[Finding]) -> None:
    """Give each finding to the item that begins nearest above its line."""
    by_line = sorted(items, key=lambda item: item.line)
    for finding in findings:
        above = [item for item in by_line if item.line <= (finding.line or 0)]
        if above:
            above[-1].findings.append(finding)


def _matched(team: Team, items: Sequence[Item]) -> None:
    """Find what is in the catalog already: APIs by name; integrations by the routes of that API, else by name."""
    slugs = {item.slug for item in items}
    found = {entry.slug: entry for entry in Entry.objects.filter(ALIVE, team=team, slug__in=slugs)}
    apis = [entry for entry in found.values() if entry.is_api]
    latest = latest_revisions(found.values())
    behind: dict[tuple[str, str], tuple[Use, Integration]] = {}
    wanted = {item.slug for item in items if item.is_api}
    compositions = {entry.pk: latest[entry.pk].value for entry in apis if entry.slug in wanted}
    wholes = {key: resolved(value).api for key, value in compositions.items()}
    for entry in apis:
        value = compositions.get(entry.pk)
        if isinstance(value, Composition):
            for use, route in zip(value.uses, wholes[entry.pk].routes, strict=True):
                behind[entry.slug, f"{route.method} {route.path}"] = use, route.integration
    used = Entry.objects.in_bulk([use.integration for use, _ in behind.values()])
    more = latest_revisions(used.values())
    for item in items:
        if item.is_api:
            same = found.get(item.slug)
            if same is not None and same.is_api:
                item.entry = same
                item.changes = diff(_in_order(wholes[same.pk]), _in_order(item.definition))
            item.suggested = "create" if item.entry is None else "update" if item.changes else "skip"
            continue
        prefix = item.key.split(".")[0]
        places = {place: behind.get(_route_of(item, place, prefix, items)) for place in item.routes}
        item.kept = {place: known[0] for place, known in places.items() if known and known[1] == item.route.integration}
        first = next((known for known in places.values() if known), None)
        there = used.get(first[0].integration) if first else found.get(item.slug)
        if there is not None and not there.is_api:
            before = (more.get(there.pk) or latest[there.pk]).api
            item.entry, item.name, item.slug = there, there.name, there.slug
            item.definition = replace(item.definition, name=before.name, description=before.description)
            if len(item.kept) < len(item.routes):
                item.changes = diff(_only(before), _only(item.definition))
        item.suggested = "create" if item.entry is None else "update" if item.changes else "skip"


def _route_of(item: Item, place: tuple[int, int], prefix: str, items: Sequence[Item]) -> tuple[str, str]:
    """The slug of the API that a route of an item is in, and its method and path."""
    api = next(each for each in items if each.key == f"{prefix}.{place[0]}")
    route = api.definition.routes[place[1]]
    return api.slug, f"{route.method} {route.path}"


def _in_order(api: Api) -> Api:
    """With the parameters by name: an API gets them in the order of its routes."""
    return replace(api, parameters=tuple(sorted(api.parameters, key=lambda parameter: parameter.name)))


def _only(api: Api) -> Api:
    """What of a lone integration counts when files are compared: not the mount, which the API has."""
    return replace(
        api,
        models=(),
        stage_variables={},
        stage_name="",
        binary_media_types=(),
        routes=(Route(integration=api.routes[0].integration),),
    )


# --- Carrying it out -------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What an import made."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Routes that an API was made without, because what is behind them was skipped."""

    def __str__(self) -> str:
        parts = [f"{word} {len(names):,}" for word, names in (("Created", self.created), ("updated", self.updated)) if names]
        text = ", ".join(parts) or "Nothing was imported"
        return text[:1].upper() + text[1:]


def apply(made: Import, by: User | None, reports: Sequence[FileReport], choices: Mapping[str, str]) -> Outcome:
    """Create and update what was chosen, by the keys of the items; what is not named is done as suggested. All or nothing.

    The routes of an API are pinned to the revisions that come from the file.
    """
    outcome = Outcome()
    with transaction.atomic():
        Import.objects.select_for_update().get(pk=made.pk, applied_at=None)
        for report in reports:
            _apply_file(made, by, report, choices, outcome)
        made.applied_at = timezone.now()
        made.save(update_fields=["applied_at", "made"])
        names = ", ".join(report.file.name for report in reports)[:NAME_LENGTH]
        record(made.team, by, "imported", names or "nothing", created=outcome.created, updated=outcome.updated)
    return outcome


def _apply_file(made: Import, by: User | None, report: FileReport, choices: Mapping[str, str], outcome: Outcome) -> None:
    uses: dict[tuple[int, int], Use] = {}
    for item in report.items:
        if item.is_api:
            continue
        choice = chosen(item, choices)
        entry = item.entry
        if choice != "skip":
            entry = _saved(made, by, item, item.definition, report, outcome)
        if entry is not None:
            uses |= dict.fromkeys(item.routes, Use(integration=entry.pk, pin=entry.latest_number))
        if choice == "skip":
            uses |= item.kept
    for item in report.items:
        if not item.is_api or chosen(item, choices) == "skip":
            continue
        number = int(item.key.split(".")[1])
        api = item.definition
        whole = Composition(api=_settings(api))
        for index, route in enumerate(api.routes):
            if (number, index) in uses:
                whole = whole.with_route(route, uses[number, index])
            else:
                outcome.left_out.append(f"{route.method} {route.path}")
        _saved(made, by, item, whole, report, outcome, number)


def _settings(api: Api) -> Api:
    """The API without its routes, with those of its parameters that no integration brings along."""
    mounts = replace(api, routes=tuple(replace(route, integration=MOUNTED) for route in api.routes))
    brought = set(referred(Api(routes=tuple(Route(integration=route.integration) for route in api.routes))))
    needed = set(referred(replace(mounts, parameters=())))
    kept = tuple(each for each in api.parameters if each.name in needed or each.name not in brought)
    own = tuple(each for each in api.structures if not each.path.startswith("/routes/"))
    return replace(api, routes=(), parameters=kept, structures=own)


def chosen(item: Item, choices: Mapping[str, str]) -> str:
    """What is done with an item."""
    choice = choices.get(item.key, item.suggested)
    return choice if choice in item.choices else "skip"


def _saved(
    made: Import,
    by: User | None,
    item: Item,
    definition: Api | Composition,
    report: FileReport,
    outcome: Outcome,
    number: int = 0,
) -> Entry:
    """The entry with a revision of what the file says."""
    entry = item.entry
    before = entry.latest_number if entry else 0
    if entry is None:
        entry = Entry(team=made.team, slug=free_slug(made.team, item.slug), created_by=by)
    else:
        entry.team = made.team
    revision = entry.save_revision(definition, by, f"Import {report.file.name}."[:500])
    made.made.append({"entry": entry.pk, "number": revision.number, "before": before})
    if isinstance(definition, Composition):
        Origin.objects.create(revision=revision, file=report.file, place=number)
    (outcome.updated if before else outcome.created).append(entry.slug)
    return entry


def undo(made: Import, by: User) -> tuple[int, list[str]]:
    """Take an import back: what it created goes into the trash, what it updated gets a revision of what it said before.
    What somebody changed or used since stays. Gives how many were taken back, and what stays and why."""
    done, kept = 0, []
    with transaction.atomic():
        Import.objects.select_for_update().get(pk=made.pk, undone_at=None)
        entries = Entry.objects.in_bulk([each["entry"] for each in made.made])
        for each in reversed(made.made):
            entry = entries.get(each["entry"])
            if entry is None or entry.deleted_at:
                continue
            entry.team = made.team
            if entry.latest_number != each["number"]:
                kept.append(f"{entry.name}: it was changed since")
            elif each["before"]:
                old = entry.revisions.get(number=each["before"])
                entry.save_revision(old.value, by, "Undo the import.", old.parked)
                done += 1
            elif not entry.is_api and (used := users_of(entry)):
                kept.append(f"{entry.name}: {used[0].revision.integration.name} uses it")
            else:
                entry.trash(by)
                done += 1
        made.undone_at = timezone.now()
        made.save(update_fields=["undone_at"])
        record(made.team, by, "undid", f"import of {', '.join(file.name for file in made.files.all())}"[:NAME_LENGTH])
    return done, kept


def origin_of(entry: Entry) -> Origin | None:
    """The file that an API was last read from."""
    found = Origin.objects.filter(revision__integration=entry).select_related("file__of", "revision")
    return found.order_by("-revision__number").first()


def written_back(origin: Origin, api: Api) -> Patched | None:
    """The file that an API was read from, with nothing but its integrations as they are now; None where the file is read in
    another way today and has no such API."""
    reports = {report.file.pk: report for report in read(list(origin.file.of.files.all()))}
    reading = reports[origin.file_id].reading if origin.file_id in reports else None
    if reading is None or origin.place >= len(reading.apis):
        return None
    found = reading.apis[origin.place]
    imported = origin.revision.api
    if api.name == imported.name:  # a file without a name gave it its own
        api = replace(api, name=found.api.name)
    return patched(reading, found, replace(api, parameters=found.api.parameters))


def losses(report: FileReport) -> list[Finding]:
    """The findings that mean more than a remark: what the file says and the catalog does not keep."""
    return [finding for finding in report.findings if finding.rule == "import-lost" or finding.severity is Severity.ERROR]
