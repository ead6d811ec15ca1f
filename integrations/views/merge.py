"""Two people saved: what was, what one has in the draft and what the other saved, option by option, become the next revision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from integrations.forms import IntegrationForm
from integrations.gateway import diff
from integrations.gateway.definition import Api, dumps, loads
from integrations.gateway.diff import Merge, Side, Spot, words
from integrations.gateway.findings import Severity
from integrations.gateway.formats import FORMATS
from integrations.gateway.rules import check
from integrations.models import NAME_LENGTH, Draft, Integration, Membership, Revision, StaleBase, record
from integrations.policy import get_integration
from integrations.preview import preview
from integrations.views.editor import labelled, tag_names, words_of
from integrations.views.history import MESSAGE_LENGTH, Cell, about, cell, cells

SIDES: tuple[Side, ...] = ("mine", "theirs")


@dataclass(frozen=True, slots=True)
class Choice:
    """A spot as the page shows it: what it was, what each of the two made of it, and which one is taken."""

    number: int
    spot: Spot
    base: Cell
    mine: Cell
    theirs: Cell
    taken: Side | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be decided."""
        return self.spot.state == "conflict" and self.taken is None


@never_cache
@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """GET shows the three. POST with `do=save` saves what is chosen as the next revision, any other shows what it would be."""
    entry, member = get_integration(request.user, team, slug, may="edit")
    if entry.is_api:
        raise Http404("An API is merged on its own page.")
    draft = Draft.objects.filter(integration=entry, user=member.user_id).exclude(definition="").select_related("base").first()
    if draft is None or draft.base.number == entry.latest_number:
        messages.info(request, "There is nothing to merge: nobody has saved since your draft began.")
        return redirect("integration-edit", team, slug)
    fields = draft.posted.get("fields")
    prefetch_related_objects([entry], "tags")
    labels = draft_labels(entry, draft)
    if labels is None or (fields and IntegrationForm(fields, draft.base.api, draft.parked).unheld):
        messages.warning(request, "Your draft holds a value that nothing can be saved with. Mend that first; then merge.")
        return redirect("integration-edit", team, slug)
    theirs = entry.revisions.select_related("author").get(number=entry.latest_number)
    found = diff.merge(draft.base.api, loads(draft.definition), theirs.api)
    seen = entry.revisions.filter(number=seen_number(request)).first()
    choices = kept_choices(request.POST, found, draft, seen)
    is_new = request.method == "POST" and (seen != theirs or request.POST.get("counter") != str(draft.counter))
    ends = {"save": save, "edit": go_on}.get(request.POST.get("do", ""))
    if ends is not None and not is_new and not undecided(found, choices):
        return ends(request, entry, member, draft, theirs, found.resolved(choices))
    status = 422 if ends is not None else 200
    context = page(request, entry, member, draft, theirs, found, choices) | {"is_new": is_new, "refused": status == 422}
    return render(
        request, "integrations/merge.html" + ("#result" if "HX-Request" in request.headers else ""), context, status=status
    )


def draft_labels(entry: Integration, draft: Draft) -> tuple[str, list[str]] | None:
    """The owner and the tags that a save of the draft leaves; None where what was typed cannot be saved."""
    owner, tags = words_of(entry)
    typed = {"owner": owner, "tags": tags, "began": (owner, tags)} | draft.posted
    names = tag_names(typed["tags"])
    if names is None or len(typed["owner"]) > NAME_LENGTH:
        return None
    return labelled(entry, typed["owner"], names, (typed["began"][0], typed["began"][1]))


def seen_number(request: HttpRequest) -> int:
    """The number of the other one's revision that the page was made with."""
    text = request.POST.get("theirs", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def kept_choices(posted: Mapping[str, Any], found: Merge, draft: Draft, seen: Revision | None) -> dict[str, Side]:
    """What was chosen. Of a page made with another revision, only what means the same with the one that has come since."""
    then = found if seen is None else diff.merge(found.base, found.mine, seen.api)
    before = {spot.name: spot for spot in then.spots}
    chosen: dict[str, Side] = {}
    for spot in found.spots:
        side = next((side for side in SIDES if posted.get(spot.name) == side), None)
        was = before.get(spot.name)
        if side is not None and was is not None and was.theirs == spot.theirs:
            chosen[spot.name] = side
    return chosen


def undecided(found: Merge, choices: Mapping[str, Side]) -> list[Spot]:
    """The conflicts that nobody has decided yet."""
    return [spot for spot in found.conflicts if spot.name not in choices]


def save(
    request: HttpRequest, entry: Integration, member: Membership, draft: Draft, theirs: Revision, result: Api
) -> HttpResponse:
    """The next revision. Where another has come in this moment, nothing is saved, and the page asks again."""
    team, slug = entry.team.slug, entry.slug
    if dumps(result) == theirs.definition:
        draft.delete()
        messages.info(request, f"Nothing was left to save: {theirs} says what you chose. Your draft is gone.")
        return redirect("integration-edit", team, slug)
    message = request.POST.get("message", "").strip()[:MESSAGE_LENGTH] or f"Merge with {theirs}"
    try:
        revision = entry.save_revision(result, member.user, message, draft.parked, onto=theirs.number)
    except StaleBase as stale:
        messages.warning(request, f"Nothing was saved: r{stale.latest} has come since. Your draft is kept; choose again.")
        return redirect("integration-merge", team, slug)
    if (labels := draft_labels(entry, draft)) not in (None, (entry.owner, entry.tag_names)):
        entry.label(*labels)
    draft.delete()
    record(entry.team, member.user, "saved", f"{slug} {revision}", entry, merged=[draft.base.number, theirs.number])
    messages.success(request, f"Saved {revision}: your changes and those of {theirs}.")
    query = urlencode({"base": theirs.number, "new": revision.number})
    return redirect(f"{reverse('history', args=[team, slug])}?{query}")


def go_on(
    request: HttpRequest, entry: Integration, member: Membership, draft: Draft, theirs: Revision, result: Api
) -> HttpResponse:
    """The draft becomes what is chosen, on what the other saved; it is edited on, and saved from there."""
    form = IntegrationForm.of(result, draft.parked)
    draft.base, draft.definition, draft.parked = theirs, dumps(result), form.parked
    draft.posted |= {"fields": form.posted, "tab": "", "undo": {}}
    draft.counter += 1
    draft.updated_at = timezone.now()
    draft.save()
    messages.success(request, f"Your draft holds what you chose, on {theirs}. Nothing was saved yet.")
    return redirect("integration-edit", entry.team.slug, entry.slug)


def page(
    request: HttpRequest,
    entry: Integration,
    member: Membership,
    draft: Draft,
    theirs: Revision,
    found: Merge,
    choices: Mapping[str, Side],
) -> dict[str, Any]:
    """What the page shows; what is undecided stands in the result as in the draft."""
    for_now: dict[str, Side] = {spot.name: "mine" for spot in undecided(found, choices)}
    result = found.resolved(for_now | dict(choices))
    findings = check(result)
    labels = draft_labels(entry, draft)
    name = request.POST.get("format") or request.GET.get("format") or ""
    name = name if name in FORMATS else next(iter(FORMATS))
    shown = [choice(number, spot, choices) for number, spot in enumerate(found.spots, 1)]
    return about(entry, member, "edit") | {
        "draft": draft,
        "base": draft.base,
        "theirs": theirs,
        "labels": None if labels == (entry.owner, entry.tag_names) else labels,
        "both": any(each.spot.state == "same" for each in shown),
        "conflicts": [each for each in shown if each.spot.state == "conflict"],
        "others": [each for each in shown if each.spot.state != "conflict"],
        "still_open": [each for each in shown if each.is_open],
        "findings": findings,
        "counts": {severity: sum(finding.severity is severity for finding in findings) for severity in Severity},
        "preview": preview(result, theirs.api, name, findings=findings),
        "since": str(theirs),
        "format": name,
        "message": request.POST.get("message", draft.posted.get("message", "")),
        "message_length": MESSAGE_LENGTH,
        "next": entry.latest_number + 1,
    }


def choice(number: int, spot: Spot, choices: Mapping[str, Side]) -> Choice:
    """A spot as the page shows it."""
    base, mine, theirs = (words(value, spot.option) for value in (spot.base, spot.mine, spot.theirs))
    taken = choices.get(spot.name) or spot.side
    return Choice(number, spot, cell(base), cells(base, mine)[1], cells(base, theirs)[1], taken)
