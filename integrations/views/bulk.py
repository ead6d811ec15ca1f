"""What is done to chosen integrations of a catalog, one or many: each is done or said why not."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from integrations import bundle, search
from integrations.gateway.formats import FORMATS
from integrations.models import ALIVE, CASE, NAME_LENGTH, Integration, Membership, Tag, record, users_of
from integrations.policy import get_membership

UNDO = "trashed"
"""The session's key for what was just deleted, offered back on the next page."""

TAG_LENGTH = 50


class Action(NamedTuple):
    """One thing to do. `carry_out` does it to one integration and returns why not, or nothing. `done` is said of those done."""

    needs: str
    done: str
    carry_out: Callable[[Integration, Membership, HttpRequest], str]


def publish(entry: Integration, member: Membership, request: HttpRequest) -> str:
    """The latest revision."""
    revision = entry.latest
    if revision.published_at:
        return f"{revision} is published already"
    errors = entry.publish(revision, member.user)
    if errors:
        what = ("case that fails", "cases that fail") if errors[0].rule == CASE else ("error", "errors")
        return f"{revision} has {len(errors)} {what[len(errors) > 1]}: {errors[0].message.rstrip('.')}"
    record(member.team, member.user, "published", f"{entry.slug} {revision}", entry)
    return ""


def deprecate(entry: Integration, member: Membership, request: HttpRequest) -> str:
    """Nobody should use it any more."""
    if entry.deprecated:
        return "deprecated already"
    entry.deprecated = True
    entry.save(update_fields=["deprecated"])
    record(member.team, member.user, "deprecated", entry.slug, entry)
    return ""


def reinstate(entry: Integration, member: Membership, request: HttpRequest) -> str:
    """It may be used again."""
    if not entry.deprecated:
        return "not deprecated"
    entry.deprecated = False
    entry.save(update_fields=["deprecated"])
    record(member.team, member.user, "reinstated", entry.slug, entry)
    return ""


def delete(entry: Integration, member: Membership, request: HttpRequest) -> str:
    """Into the trash; the next page offers it back. What an API uses stays, and what runs somewhere."""
    used = users_of(entry)
    if used:
        return f"{used[0].revision.integration.name} uses it: take it out of its routes first"
    runs = entry.placements.filter(live__isnull=False).select_related("environment").first()
    if runs:
        return f"it runs in {runs.environment.name}: destroy it there first, on its Deploy page"
    entry.trash(member.user)
    record(member.team, member.user, "deleted", entry.slug, entry)
    request.session[UNDO] = [*request.session.get(UNDO, []), (entry.pk, entry.name)]
    return ""


def change_owner(entry: Integration, member: Membership, request: HttpRequest) -> str:
    """The owner is a label; none is one too."""
    owner = request.POST["owner"].strip()
    if entry.owner == owner:
        return f"owned by {owner} already" if owner else "owned by nobody already"
    was, entry.owner = entry.owner, owner
    entry.save(update_fields=["owner"])
    entry.index(entry.latest.definition)
    record(member.team, member.user, "changed the owner of", entry.slug, entry, was=was, owner=owner)
    return ""


def tag(entry: Integration, member: Membership, request: HttpRequest) -> str:
    """Adds some tags and takes some away."""
    has = {tag.name for tag in entry.tags.all()}
    added = {name: None for name in tag_names(request.POST["add"]) if name not in has}
    taken = [name for name in request.POST.getlist("take") if name in has and name not in added]
    if not added and not taken:
        return "tagged so already"
    entry.tags.add(*(Tag.objects.get_or_create(team=member.team, name=name)[0] for name in added))
    entry.tags.remove(*entry.tags.filter(name__in=taken))
    entry.index(entry.latest.definition)
    record(member.team, member.user, "tagged", entry.slug, entry, added=[*added], removed=taken)
    return ""


def tag_names(text: str) -> list[str]:
    """The tags of "payments, internal": trimmed, none twice."""
    names = (" ".join(name.split())[:TAG_LENGTH] for name in text.split(","))
    return list(dict.fromkeys(name for name in names if name))


ACTIONS = {
    "publish": Action("publish", "Published", publish),
    "deprecate": Action("edit", "Deprecated", deprecate),
    "reinstate": Action("edit", "Reinstated", reinstate),
    "owner": Action("edit", "Changed the owner of", change_owner),
    "tag": Action("edit", "Tagged", tag),
    "delete": Action("delete", "", delete),
}

NEEDS = {name: action.needs for name, action in ACTIONS.items()} | {"duplicate": "edit", "export": "export"}
"""What one has to be allowed to do, by the name of what is done; copying and exporting have pages of their own."""

ASKED = {"owner": "owner", "tag": "add", "export": "format"}
"""Actions that need a value, and the name of its field: without it, a page asks."""


@require_POST
def bulk(request: HttpRequest, team: str) -> HttpResponse:
    """Does it, and goes back; or asks for what it needs first."""
    do = request.POST.get("do", "")
    if do not in NEEDS:
        raise BadRequest("No such action.")
    member = get_membership(request.user, team, may=NEEDS[do])
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("catalog", args=[team])
    picks = request.POST.getlist("pick")[: search.PAGE]
    entries = list(
        Integration.objects.filter(ALIVE, team=member.team, slug__in=picks).prefetch_related("tags").order_by("name_key")
    )
    for entry in entries:
        entry.team = member.team
    if not entries:
        messages.warning(request, "Nothing was done: choose the integrations first, by the boxes in front of them.")
        return HttpResponseRedirect(back)
    if do == "duplicate" and len(entries) > 1:
        messages.warning(request, "Nothing was copied: choose one integration at a time.")
        return HttpResponseRedirect(back)
    if do == "duplicate":
        return redirect("duplicate", team, entries[0].slug)
    if do in ASKED and ASKED[do] not in request.POST:
        return ask(request, member, do, entries, back)
    if do == "export":
        return export(request, member, entries)
    if do == "owner" and len(request.POST["owner"]) > NAME_LENGTH:
        raise BadRequest("The owner is too long.")
    with transaction.atomic():
        answers = [(entry, ACTIONS[do].carry_out(entry, member, request)) for entry in entries]
    say(request, ACTIONS[do], answers)
    return HttpResponseRedirect(reverse("catalog", args=[team]) if do == "delete" and "/i/" in back else back)


def say(request: HttpRequest, action: Action, answers: Sequence[tuple[Integration, str]]) -> None:
    """What was done, and for each that was not, why."""
    done = [entry.name for entry, reason in answers if not reason]
    skipped = [f"{entry.name} ({reason})" for entry, reason in answers if reason]
    if done and action.done:
        messages.success(request, f"{action.done} {listed(done)}.")
    if skipped:
        messages.warning(request, f"Skipped, and not changed: {', '.join(skipped)}.")


def listed(names: Sequence[str]) -> str:
    """The names, or how many they are when they are many."""
    if len(names) > 5:
        return f"{len(names)} integrations"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


def ask(request: HttpRequest, member: Membership, do: str, entries: Sequence[Integration], back: str) -> HttpResponse:
    """The page that asks for an owner, tags or formats."""
    context = {"team": member.team, "do": do, "entries": entries, "back": back}
    if do == "owner":
        owners = Integration.objects.filter(ALIVE, team=member.team).exclude(owner="").values_list("owner", flat=True)
        context["owners"] = owners.distinct().order_by("owner")[: search.CHOICES]
        context["owner"] = entries[0].owner if len({entry.owner for entry in entries}) == 1 else ""
    elif do == "tag":
        context["tags"] = sorted({tag.name for entry in entries for tag in entry.tags.all()})
        context["known"] = member.team.tags.values_list("name", flat=True)[: search.CHOICES]
    else:
        context["formats"] = bundle.refusals(entries)
    return render(request, "integrations/bulk.html", context)


def export(request: HttpRequest, member: Membership, entries: Sequence[Integration]) -> HttpResponse:
    """One zip with a folder for each integration and a list of all that is in it, and of all that is not and why."""
    formats = [FORMATS[name] for name in dict.fromkeys(request.POST.getlist("format")) if name in FORMATS]
    made = bundle.make(entries, formats)
    for entry, names in made.held:
        record(member.team, member.user, "exported", f"{entry.slug} r{entry.latest_number}", entry, formats=names, as_="zip")
    response = HttpResponse(made.content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{member.team.slug}.zip"'
    response["Cache-Control"] = "private, no-store"
    return response
