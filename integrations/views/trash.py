"""The trash: what was deleted, until when it can be restored, and restoring it."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from integrations import search
from integrations.models import ALIVE, TRASHED_DAYS, Integration, record
from integrations.policy import get_membership, is_allowed
from integrations.views.bulk import UNDO, listed


@require_safe
def trash(request: HttpRequest, team: str) -> HttpResponse:
    """What is in it, the latest first; a page at most, for all of it goes after TRASHED_DAYS."""
    member = get_membership(request.user, team, may="view")
    deleted = Integration.objects.filter(~ALIVE, team=member.team, deleted_at__gt=timezone.now() - timedelta(TRASHED_DAYS))
    entries = list(deleted.select_related("deleted_by").order_by("-deleted_at")[: search.PAGE + 1])
    context = {
        "team": member.team,
        "may_edit": is_allowed(member, "delete"),
        "entries": entries[: search.PAGE],
        "more": len(entries) > search.PAGE,
        "days": TRASHED_DAYS,
    }
    return render(request, "integrations/trash.html", context)


@require_POST
def restore(request: HttpRequest, team: str) -> HttpResponse:
    """Takes the chosen ones back; one that is back already stays as it is."""
    member = get_membership(request.user, team, may="delete")
    keys = [key for key in request.POST.getlist("pick") if key.isdecimal() and len(key) < 19][: search.PAGE]
    request.session.pop(UNDO, None)
    names, moved = [], []
    for entry in Integration.objects.filter(~ALIVE, team=member.team, pk__in=keys):
        entry.team, slug = member.team, entry.slug
        entry.restore()
        record(member.team, member.user, "restored", entry.slug, entry, was=slug)
        names.append(entry.name)
        if entry.slug != slug:
            moved.append(f"{entry.name} is now at {entry.slug}, for {slug} was taken meanwhile")
    if names:
        messages.success(request, f"Restored {listed(names)}.")
    else:
        messages.info(request, "Nothing was restored: it is back already, or gone for good.")
    if moved:
        messages.warning(request, "; ".join(moved) + ".")
    return redirect("trash" if request.POST.get("from") == "trash" else "catalog", team)
