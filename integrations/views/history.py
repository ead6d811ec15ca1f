"""The revisions of an integration: what changed between any two of them, each by itself; publishing and restoring."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from integrations.gateway.composition import Composition, Resolved, Use, use_changes
from integrations.gateway.definition import (
    Api,
    DeploymentParameter,
    Integration,
    IntegrationResponse,
    MethodResponse,
    Model,
    Route,
)
from integrations.gateway.diff import Change, diff, lines
from integrations.gateway.findings import Finding
from integrations.gateway.formats import FORMATS
from integrations.models import (
    CASE,
    Draft,
    Membership,
    Revision,
    StaleBase,
    failures,
    findings_of,
    outcomes,
    reach,
    record,
    resolved,
    value_of,
)
from integrations.models import Integration as Entry
from integrations.policy import get_integration, is_allowed
from integrations.preview import comparison, preview

PAGE = 30
"""Revisions on a page of the timeline."""
MESSAGE_LENGTH = 500
"""Characters of what somebody says about a revision."""
TOLD_CASES = 3
"""Failing cases that are told one by one."""
CELL = {"lines": 30, "characters": 600}
"""How much of a value the table of options shows."""


@dataclass(frozen=True, slots=True)
class Version:
    """A side of a comparison: a revision, or one's own draft."""

    name: str
    """What a link calls it: "7" or "draft"."""
    value: Api | Composition
    resolved: Resolved
    revision: Revision | None

    @property
    def api(self) -> Api:
        """The definition; of an API, with its integrations in place as they are now."""
        return self.resolved.api

    def __str__(self) -> str:
        return str(self.revision or "draft")


@require_safe
def history(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """The timeline, and what changed from `base` to `new`: numbers of revisions, or "draft"."""
    entry, member = get_integration(request.user, team, slug, may="view")
    draft = draft_of(entry, member)
    before = as_number(request.GET.get("before"))
    found = entry.revisions.defer("definition", "parked").select_related("author", "published_by")
    page = list((found.filter(number__lt=before) if before else found)[: PAGE + 1])
    new_name = request.GET.get("new") or ("draft" if draft else str(entry.latest_number))
    earlier = draft.base.number if draft and new_name == "draft" else (as_number(new_name) or 1) - 1
    base, new = versions(entry, draft, request.GET.get("base") or str(max(earlier, 1)), new_name)
    findings = findings_of(new.resolved)
    changes = diff(base.api, new.api)
    same = [] if entry.is_api else equal(changes, new.api)
    side, whole = request.GET.get("view") == "side", request.GET.get("equal") == "1"
    return render(
        request,
        "integrations/history.html",
        about(entry, member, "history")
        | {
            "draft": draft if before is None else None,
            "revisions": page[:PAGE],
            "older": page[PAGE - 1].number if len(page) > PAGE else None,
            "newer": before is not None,
            "base": base,
            "new": new,
            "rows": [row(change, findings) for change in changes],
            "behind": behind(base.value, new.value),
            "same": same,
            "equal": [row(change, findings) for change in same] if whole else [],
            "whole": whole,
            "side": side,
            "preview": comparison(base.api, new.api, chosen_format(request), side=side, whole=whole),
            "errors": sum(finding.blocks for finding in findings),
            "restored": as_number(request.GET.get("restored")) == entry.latest_number,
            "message_length": MESSAGE_LENGTH,
        },
    )


@require_safe
def revision(request: HttpRequest, team: str, slug: str, number: int) -> HttpResponse:
    """One revision: its export, its findings, its files."""
    entry, member = get_integration(request.user, team, slug, may="view")
    both = entry.revisions.filter(number__in=(number, number - 1)).select_related("author", "published_by")
    found = {revision.number: revision for revision in both}
    if number not in found:
        raise Http404("No such revision.")
    shown, before = found[number], found.get(number - 1)
    whole = shown.resolved
    api, findings = whole.api, findings_of(whole)
    failing = failures(outcomes(entry.cases.all(), api))
    name = chosen_format(request)
    return render(
        request,
        "integrations/revision.html",
        about(entry, member, "history")
        | {
            "revision": shown,
            "before": before,
            "next": number + 1 if number < entry.latest_number else None,
            "findings": findings,
            "errors": sum(finding.blocks for finding in findings),
            "failing": failing,
            "preview": preview(api, before.api if before else None, name, findings=findings, reread=True),
            "since": str(before),
            "download": reverse("revision-export", args=[team, slug, number, name]),
            "stable": request.build_absolute_uri(reverse("export", args=[team, slug, name])),
            "message_length": MESSAGE_LENGTH,
        },
    )


@require_POST
def publish(request: HttpRequest, team: str, slug: str, number: int) -> HttpResponse:
    """Mark a revision as what pipelines get, where it has no error."""
    entry, member = get_integration(request.user, team, slug, may="publish")
    revision = numbered(entry, number)
    if number < (entry.published_number or 0):
        text = f"r{number} was not published: r{entry.published_number} is, and newer. Restore r{number} first, and publish that."
        messages.error(request, text)
        return redirect("revision", team, slug, number)
    errors = entry.publish(revision, member.user)
    if errors:
        messages.error(request, f"r{number} was not published: {why_not(errors)} Mend that in a new revision.")
        return redirect("revision", team, slug, number)
    record(entry.team, member.user, "published", f"{slug} r{number}", entry)
    messages.success(request, f"r{number} is published: pipelines get it from now on.")
    return redirect("revision", team, slug, number)


def why_not(errors: list[Finding]) -> str:
    """What stops a revision from being published, in words."""
    failing = [finding for finding in errors if finding.rule == CASE]
    words = []
    if refused := len(errors) - len(failing):
        words.append(f"AWS would refuse it for {f'{refused} errors' if refused > 1 else 'an error'}.")
    words += [f"{finding.title}: {finding.message}" for finding in failing[:TOLD_CASES]]
    if len(failing) > TOLD_CASES:
        words.append(f"{len(failing) - TOLD_CASES} more cases fail.")
    return " ".join(words)


@require_POST
def restore(request: HttpRequest, team: str, slug: str, number: int) -> HttpResponse:
    """Save what a revision said as a new one, on top of `latest`: the number that was the latest for whoever asks."""
    entry, member = get_integration(request.user, team, slug, may="edit")
    old = numbered(entry, number)
    message = request.POST.get("message", "").strip()[:MESSAGE_LENGTH] or f"Restore r{number}"
    if old.sha256 == entry.latest.sha256:
        messages.info(request, f"Nothing was restored: r{entry.latest_number} says what r{number} said.")
        return redirect("history", team, slug)
    try:
        new = entry.save_revision(old.value, member.user, message, old.parked, onto=as_number(request.POST.get("latest")) or 0)
    except StaleBase as stale:
        messages.error(request, f"r{number} was not restored: r{stale.latest} was saved since. Look at it, then restore again.")
        return redirect("history", team, slug)
    record(entry.team, member.user, "restored", f"{slug} {new}", entry, source=str(old))
    query = urlencode({"base": new.number - 1, "new": new.number, "restored": new.number})
    return redirect(f"{reverse('history', args=[team, slug])}?{query}")


def behind(before: Api | Composition, after: Api | Composition) -> list[tuple[str, str, str]]:
    """What changed behind the routes of an API: route, what was and what is behind it, in words."""
    if not isinstance(before, Composition) or not isinstance(after, Composition):
        return []
    changes = use_changes(before, after)
    keys = {use.integration for change in changes for use in (change.before, change.after) if use}
    names = dict(Entry.objects.filter(pk__in=keys).values_list("pk", "name"))

    def words(use: Use | None) -> str:
        if use is None:
            return "no route"
        own = len(use.overrides) + len(use.bindings)
        pin = f"pinned to r{use.pin}" if use.pin else "follows what is published"
        return f"{names.get(use.integration, 'gone')}, {pin}" + (f", {own} of its own" if own else "")

    return [(change.route, words(change.before), words(change.after)) for change in changes]


# --- What the pages show ---------------------------------------------------------------------------


def about(entry: Entry, member: Membership, room: str) -> dict[str, Any]:
    """What the head of every page of an integration shows."""
    return {
        "team": entry.team,
        "entry": entry,
        "room": room,
        "may_edit": is_allowed(member, "edit"),
        "may_publish": is_allowed(member, "publish"),
        "reach": None if entry.is_api else reach([entry]),
    }


def as_number(text: str | None) -> int | None:
    """The number of a revision that an address holds; None where it holds none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def chosen_format(request: HttpRequest) -> str:
    """The format that the address names, else the first."""
    name = request.GET.get("format", "")
    return name if name in FORMATS else next(iter(FORMATS))


def numbered(entry: Entry, number: int) -> Revision:
    """A revision by its number, else Http404."""
    found: Revision | None = entry.revisions.filter(number=number).first()
    if found is None:
        raise Http404("No such revision.")
    return found


def draft_of(entry: Entry, member: Membership) -> Draft | None:
    """The draft of whoever asks, where it differs from the revision that it began from."""
    draft = Draft.objects.filter(integration=entry, user=member.user_id).select_related("base").first()
    return draft if draft and draft.definition and draft.definition != draft.base.definition else None


def versions(entry: Entry, draft: Draft | None, *names: str) -> list[Version]:
    """The versions of these names, in one query; Http404 where there is none of a name."""
    found = {
        str(revision.number): revision for revision in entry.revisions.filter(number__in=filter(None, map(as_number, names)))
    }
    made = []
    for name in names:
        if name == "draft" and draft:
            value = value_of(draft.definition)
            made.append(Version("draft", value, resolved(value), None))
        elif name in found:
            value = found[name].value
            made.append(Version(name, value, resolved(value), found[name]))
        else:
            raise Http404("No such revision.")
    return made


def equal(changes: list[Change], new: Api) -> list[Change]:
    """The options that are set in `new`, the definition of an integration, and did not change."""
    route = new.routes[0]
    backend = type(route.integration.backend)
    answers = tuple(IntegrationResponse(status_code=answer.status_code) for answer in route.integration.integration_responses)
    responses = tuple(MethodResponse(status_code=response.status_code) for response in route.responses)
    unset = Api(
        parameters=tuple(DeploymentParameter(name=parameter.name) for parameter in new.parameters),
        models=tuple(Model(name=model.name) for model in new.models),
        routes=(Route(integration=Integration(backend=backend(), integration_responses=answers), responses=responses),),
    )
    paths = [change.path for change in changes if change.kind != "removed"]
    return [found for found in diff(unset, new) if not any(found.path[: len(path)] == path[: len(found.path)] for path in paths)]


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in the table of options: on one line; or, of a text, how many lines it has and those that differ."""

    text: str
    count: int = 0
    lines: tuple[str, ...] = ()
    """What differs: "+3 #end"."""
    more: int = 0
    """Lines that differ and are not shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of options."""

    change: Change
    mark: str
    was: Cell
    now: Cell
    findings: tuple[Finding, ...]
    """The errors of the newer value."""


MARKS = {"added": "+", "removed": "-", "changed": "~", "moved": "~"}


def row(change: Change, findings: list[Finding]) -> Row:
    """A change as the table shows it."""
    was, now = cells(change.was, change.now)
    wrong = tuple(finding for finding in findings if finding.blocks and finding.path[: len(change.path)] == change.path)
    return Row(change, MARKS[change.kind], was, now, wrong)


def cells(was: str, now: str) -> tuple[Cell, Cell]:
    """Two values side by side."""
    if "\n" not in was and "\n" not in now:
        return cell(was), cell(now)
    rows = [line for line in lines(was, now) if line.kind != "same"]
    removed = [f"-{line.before_number} {line.before}" for line in rows if line.before_number]
    added = [f"+{line.after_number} {line.after}" for line in rows if line.after_number]
    return cell(was, removed), cell(now, added)


def cell(value: str, differing: list[str] | None = None) -> Cell:
    """A value, cut to what a table can hold."""
    shown = tuple(line[: CELL["characters"]] for line in (differing or [])[: CELL["lines"]])
    text = value if len(value) <= CELL["characters"] else value[: CELL["characters"]] + "…"
    count = len(value.removesuffix("\n").split("\n")) if differing is not None and value else 0
    return Cell(text, count, shown, len(differing or []) - len(shown))
