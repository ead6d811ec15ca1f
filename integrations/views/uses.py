"""Where an integration is used, and moving pins to what is published, in many APIs as one change that is reviewed first."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from integrations.gateway.composition import Composition
from integrations.gateway.diff import diff
from integrations.models import ALIVE, Membership, Revision, RouteUse, StaleBase, findings_of, latest_revisions, record, users_of
from integrations.models import Integration as Entry
from integrations.policy import get_integration, get_membership, is_allowed
from integrations.views.history import Row, about, row

SHOWN = 500
"""Routes that the page of an integration lists."""
MOVED = 200
"""Pins that are reviewed at a time."""


@require_safe
def used(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """The routes behind which an integration is."""
    entry, member = get_integration(request.user, team, slug, may="view")
    if entry.is_api:
        raise Http404("An API is behind no route.")
    uses = users_of(entry)
    context = about(entry, member, "used") | {
        "uses": uses[:SHOWN],
        "more": len(uses) - SHOWN,
        "apis": len({use.revision.integration_id for use in uses}),
        "following": sum(use.pin is None for use in uses),
        "behind": sum(use.pin is not None and use.pin < (entry.published_number or 0) for use in uses),
    }
    return render(request, "integrations/used.html", context)


@dataclass(frozen=True, slots=True)
class Move:
    """The routes of an API that are pinned to one revision of an integration, and the published one that is newer."""

    api: Entry
    integration: Entry
    pin: int
    to: int
    routes: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    errors: int = 0
    """Errors that the newer revision has more than the one that is pinned."""

    @property
    def key(self) -> str:
        """What a form calls it; with all that has to be as it was when it was reviewed."""
        return f"{self.api.pk}:{self.api.latest_number}:{self.integration.pk}:{self.pin}:{self.to}"


def moves(member: Membership, *, integration: str = "", api: str = "") -> list[Move]:
    """The pins of a team's APIs that are behind what is published; of one integration or API where it is named."""
    found = RouteUse.objects.filter(
        revision__integration__team=member.team,
        revision__integration__deleted_at=None,
        revision__number=F("revision__integration__latest_number"),
        pin__lt=F("integration__published_number"),
    ).select_related("revision__integration", "integration")
    if integration:
        found = found.filter(integration__slug=integration)
    if api:
        found = found.filter(revision__integration__slug=api)
    grouped: dict[tuple[int, int, int], list[RouteUse]] = {}
    for use in found.order_by("integration__name_key", "revision__integration__name_key", "path", "method"):
        grouped.setdefault((use.revision.integration_id, use.integration_id, cast(int, use.pin)), []).append(use)
    return [
        Move(
            api=uses[0].revision.integration,
            integration=uses[0].integration,
            pin=pin,
            to=cast(int, uses[0].integration.published_number),
            routes=tuple(map(str, uses)),
        )
        for (_, _, pin), uses in grouped.items()
    ]


def reviewed(found: list[Move]) -> list[Move]:
    """With what changes from the revision that is pinned to the published one; two revisions are compared once."""
    wanted = {(move.integration.pk, number) for move in found for number in (move.pin, move.to)}
    revisions = {
        (revision.integration_id, revision.number): revision
        for revision in Revision.objects.filter(
            integration__in={key for key, _ in wanted}, number__in={number for _, number in wanted}
        )
        if (revision.integration_id, revision.number) in wanted
    }
    compared: dict[tuple[int, int, int], tuple[tuple[Row, ...], int]] = {}
    made = []
    for move in found:
        key = (move.integration.pk, move.pin, move.to)
        if key not in compared:
            before, after = revisions[key[0], key[1]], revisions[key[0], key[2]]
            findings = findings_of(after.resolved)
            errors = sum(each.blocks for each in findings) - sum(each.blocks for each in findings_of(before.resolved))
            compared[key] = tuple(row(change, findings) for change in diff(before.api, after.api)), max(errors, 0)
        rows, errors = compared[key]
        made.append(Move(move.api, move.integration, move.pin, move.to, move.routes, rows, errors))
    return made


@require_http_methods(["GET", "HEAD", "POST"])
def pins(request: HttpRequest, team: str) -> HttpResponse:
    """All pins that are behind, with what moving each would change; POST moves the chosen ones, each API in one revision."""
    member = get_membership(request.user, team, may="edit" if request.method == "POST" else "view")
    asked = {"integration": request.GET.get("integration", ""), "api": request.GET.get("api", "")}
    found = moves(member, **asked)
    if request.method == "POST":
        return move(request, member, found)
    context: dict[str, Any] = {
        "team": member.team,
        "asked": asked,
        "about": Entry.objects.filter(ALIVE, team=member.team, slug=asked["integration"] or asked["api"]).first(),
        "moves": reviewed(found[:MOVED]),
        "more": max(0, len(found) - MOVED),
        "may_edit": is_allowed(member, "edit"),
    }
    return render(request, "integrations/pins.html", context)


def move(request: HttpRequest, member: Membership, found: list[Move]) -> HttpResponse:
    """Moves what was chosen, if all of it is still what was reviewed."""
    chosen = set(request.POST.getlist("pick"))
    picked = [each for each in found if each.key in chosen]
    here = redirect(request.get_full_path())
    if not chosen:
        messages.warning(request, "Nothing was moved: choose pins first, by the boxes in front of them.")
        return here
    if len(picked) != len(chosen):
        messages.error(
            request, "Nothing was moved: something was saved or published since you opened the page. Look at it again."
        )
        return here
    apis = {each.api.pk: each.api for each in picked}
    revisions = latest_revisions(apis.values())
    try:
        with transaction.atomic():
            for key, api in apis.items():
                made = cast(Composition, revisions[key].value)
                mine = [each for each in picked if each.api.pk == key]
                for each in mine:
                    made = made.pinned(each.integration.pk, each.to, pins=[each.pin])
                said = ", ".join(f"{each.integration.slug} from r{each.pin} to r{each.to}" for each in mine)
                api.team = member.team
                revision = api.save_revision(made, cast(User, request.user), f"Move {said}.", onto=api.latest_number)
                record(member.team, member.user, "moved pins of", f"{api.slug} {revision}", api, moved=said)
    except StaleBase:
        messages.error(request, "Nothing was moved: somebody saved one of the APIs just now. Look at it again.")
        return here
    routes = sum(len(each.routes) for each in picked)
    text = f"Moved {routes:,} route{'s' if routes != 1 else ''} in {len(apis):,} API{'s' if len(apis) != 1 else ''}."
    messages.success(request, f"{text} Each has a new revision; publish it when it is right.")
    return here
