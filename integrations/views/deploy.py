"""An integration in the team's environments: what runs where, what it is called there, its values, and the way to a plan."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.aws import AwsError
from integrations.composing import StaleDraft, opened
from integrations.deployment import (
    WAITS,
    Drift,
    Standing,
    bound,
    drift_of,
    held,
    parameter_values,
    plan_away,
    plan_back_to,
    plan_of_revision,
    plan_reverting,
    propose,
    read,
    unbound,
)
from integrations.environments import PlacementForm, values_from
from integrations.gateway.composition import adopted
from integrations.gateway.definition import Api, loads
from integrations.gateway.diff import ABSENT, Spot, words
from integrations.gateway.plan import PlanError, changes_between
from integrations.models import (
    ACTIVE,
    Draft,
    Environment,
    Membership,
    Operation,
    Placement,
    Purpose,
    Revision,
    StaleBase,
    placements_of,
    record,
    replace_bindings,
    resolved,
    sources_of,
    value_of,
    with_outrun,
)
from integrations.models import Integration as Entry
from integrations.policy import get_environment, get_integration, is_allowed
from integrations.progress import by_route
from integrations.views.history import Cell, about, as_number, cell, cells, draft_of
from integrations.views.operations import group

SIDES = {"draft": "your draft", "saved": "what is saved", "configured": "the API configuration"}
"""What a state is called where another one is compared with it."""
REVISIONS = 50
"""Revisions that can be chosen for a plan."""
HISTORY = 20
"""Deployments that the page of an environment lists."""


@require_safe
def deploy(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """What runs of it in each environment."""
    entry, member = get_integration(request.user, team, slug, may="view")
    placements = placements_of([entry])
    under_way = Operation.objects.filter(ACTIVE | Q(state="proposed"), placement__integration=entry).defer("plan", "definition")
    operations = {operation.placement_id: operation for operation in under_way}
    standings = []
    for environment in Environment.objects.filter(team=entry.team):
        placement = placements.get((entry.pk, environment.pk))
        running = operations.get(placement.pk) if placement else None
        standings.append(Standing(environment, placement, entry.latest_number, running))
    context = about(entry, member, "deploy") | {
        "standings": standings,
        "may_plan": is_allowed(member, "plan"),
        "may_manage": is_allowed(member, "environments"),
    }
    return render(request, "deploy/deploy.html", context)


@require_safe
def deploy_environment(request: HttpRequest, team: str, slug: str, environment: str) -> HttpResponse:
    """One environment: what runs there, what it is called, its values, what was deployed before."""
    placement, member = get_placement(request, team, slug, environment, may="view")
    return render(request, "deploy/environment.html", page(placement, member))


@require_POST
def deploy_place(request: HttpRequest, team: str, slug: str, environment: str) -> HttpResponse:
    """Says what it is called there: an API of its own, or a method in one that exists."""
    placement, member = get_placement(request, team, slug, environment, may="plan")
    form = PlacementForm(request.POST, placement=placement)
    if not form.is_valid():
        return render(request, "deploy/environment.html", page(placement, member) | {"place": form}, status=422)
    with transaction.atomic():
        form.apply()
        placement.save()
        subject = f"{slug} in {placement.environment.name}"
        where = placement.rest_api_id or "a new API"
        record(member.team, member.user, "placed", subject, placement.integration, api=where, path=placement.path)
    messages.success(request, f"{placement.integration.name} stands in {where} in {placement.environment.name}.")
    return redirect("deploy-environment", team, slug, environment)


@require_POST
def deploy_values(request: HttpRequest, team: str, slug: str, environment: str) -> HttpResponse:
    """Its own values there. An empty one is none: the environment's holds, or the default."""
    placement, member = get_placement(request, team, slug, environment, may="plan")
    names, values = request.POST.getlist("parameter"), request.POST.getlist("value")
    given, wrong = values_from([name if value else "" for name, value in zip(names, values, strict=False)], values)
    if wrong:
        typed = dict(zip(names, values, strict=False))
        shown = {"wrong": {names[index]: message for index, message in wrong.items()}, "typed": typed}
        return render(request, "deploy/environment.html", page(placement, member) | shown, status=422)
    with transaction.atomic():
        before = dict(placement.environment.bindings.filter(integration=placement.integration).values_list("name", "value"))
        replace_bindings(placement.environment, placement.integration, given)
        changed = sorted(name for name in before.keys() | given.keys() if before.get(name) != given.get(name))
        if changed:
            subject = f"{slug} in {placement.environment.name}"
            record(member.team, member.user, "changed values of", subject, placement.integration, parameters=", ".join(changed))
    messages.success(request, f"The values of {placement.integration.name} in {placement.environment.name} are saved.")
    return redirect("deploy-environment", team, slug, environment)


@require_POST
def plan_make(request: HttpRequest, team: str, slug: str, environment: str) -> HttpResponse:
    """Reads the account and plans: a revision, the way back to an earlier deployment, or to take it all away. Leads to the
    plan. Nothing is changed in AWS."""
    placement, member = get_placement(request, team, slug, environment, may="plan")
    if placement.pk is None:
        placement.save()
    person = member.user.get_username()
    revision: Revision | None = None
    try:
        match request.POST.get("purpose", Purpose.DEPLOY):
            case Purpose.ROLL_BACK:
                deployment = get_object_or_404(placement.deployments, deployment_id=request.POST.get("deployment", ""))
                revision = deployment.revision
                plan, reading = plan_back_to(placement, deployment, person)
            case Purpose.DESTROY:
                plan, reading = plan_away(placement, person)
            case _:
                revision = chosen_revision(placement.integration, request.POST.get("revision"))
                plan, reading = plan_of_revision(placement, revision, person, within=WAITS)
    except (AwsError, PlanError) as error:
        return refused(request, placement, member, error)
    return redirect("plan", team, propose(placement, plan, reading, revision=revision, by=member.user).pk)


@require_POST
def deploy_read(request: HttpRequest, team: str, slug: str, environment: str) -> HttpResponse:
    """Reads the account, and says in how many options it is not what was deployed from here."""
    placement, member = get_placement(request, team, slug, environment, may="plan")
    try:
        read(placement, member.user.get_username(), within=WAITS)
    except AwsError as error:
        return refused(request, placement, member, error)
    return redirect(f"{reverse('deploy-environment', args=[team, slug, environment])}#states")


def refused(request: HttpRequest, placement: Placement, member: Membership, error: AwsError | PlanError) -> HttpResponse:
    """The page of the environment, with all that stands in the way."""
    reasons = error.reasons if isinstance(error, PlanError) else (str(error),)
    return render(request, "deploy/environment.html", page(placement, member) | {"reasons": reasons}, status=422)


# --- States ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Version:
    """One of the states of an integration in an environment, its values in place."""

    name: str
    """What a link calls it."""
    label: str
    about: str
    api: Api | None
    """None where there is none, or where it cannot be said."""
    at: datetime | None = None
    by: User | None = None
    link: str = ""
    before: str = ""
    before_label: str = ""
    differs: int | None = None
    """In how many options it differs from the state before it."""


def versions(placement: Placement, draft: Draft | None) -> list[Version]:
    """Draft, saved, what the API is configured to be, what its stage serves; each as it would be read back from the account."""
    entry, found = placement.integration, list[Version]()
    latest = entry.latest
    published = " and published" if entry.published_number == latest.number else ""
    if draft:
        api = as_there(resolved(value_of(draft.definition)).api, placement)
        found.append(Version("draft", "Draft", f"your changes since {draft.base}", api, draft.updated_at))
    link = reverse("revision", args=[entry.team.slug, entry.slug, latest.number])
    api = as_there(latest.api, placement)
    said = f"{latest}, saved last{published}"
    found.append(Version("saved", "Saved", said, api, latest.created_at, latest.author, link))
    live = placement.live
    if placement.read_at:
        configured = loads(placement.configured) if placement.configured else None
        said = "as AWS had it" if configured else "AWS had no such API"
        found.append(Version("configured", "API configuration", said, configured, placement.read_at))
    if placement.read_at and placement.deployed:
        served = loads(placement.deployed)
        found.append(Version("deployed", "Deployed snapshot", "as the stage served it", served, placement.read_at))
    elif live:
        said = f"{live.revision or live.sha256[:8]}, deployment {live.deployment_id} from here"
        found.append(Version("deployed", "Deployed snapshot", said, held(live.api, placement), live.made_at, live.made_by))
    compared = [
        replace(one, before=before.name, before_label=SIDES[before.name], differs=difference(before.api, one.api))
        for before, one in pairwise(found)
    ]
    return found[:1] + compared


def difference(one: Api | None, other: Api | None) -> int | None:
    """In how many options two states differ; None where one of them is not known."""
    return None if one is None or other is None else len(changes_between(one, other))


def as_there(api: Api, placement: Placement) -> Api | None:
    """A definition as it would be read back from the environment; None where a value is missing or does not fit."""
    try:
        return held(bound(api, placement), placement)
    except PlanError:
        return None


@require_safe
def deploy_compare(request: HttpRequest, team: str, slug: str, environment: str) -> HttpResponse:
    """What differs between any two states, by option."""
    placement, member = get_placement(request, team, slug, environment, may="view")
    known = versions(placement, draft_of(placement.integration, member))
    by_name = {one.name: one for one in known if one.api is not None}
    base = by_name.get(request.GET.get("base", "deployed")) or known[-1]
    new = by_name.get(request.GET.get("new", "saved")) or known[0]
    if base.api is None or new.api is None:
        raise Http404("No such state.")
    changes = changes_between(base.api, new.api)
    context = about(placement.integration, member, "deploy") | {
        "placement": placement,
        "environment": placement.environment,
        "versions": list(by_name.values()),
        "base": base,
        "new": new,
        "groups": [group(change) for change in by_route(changes)],
        "changes": changes,
    }
    return render(request, "deploy/compare.html", context)


# --- Drift -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DriftRow:
    """An option that somebody else changed."""

    name: str
    label: str
    mark: str
    deployed: Cell
    there: Cell
    saved: Cell
    """What the latest revision has, where that is neither."""


def drift_row(spot: Spot) -> DriftRow:
    """A spot as the table shows it."""
    base, mine, theirs = (words(value, spot.option) for value in (spot.base, spot.mine, spot.theirs))
    was, now = cells(base, theirs)
    mark = "+" if spot.base is ABSENT else "-" if spot.theirs is ABSENT else "~"
    return DriftRow(spot.name, ", ".join(spot.labels), mark, was, now, cell(mine if mine not in (base, theirs) else ""))


@require_http_methods(["GET", "HEAD", "POST"])
def deploy_drift(request: HttpRequest, team: str, slug: str, environment: str) -> HttpResponse:
    """What somebody else changed in the account. Posted: adopts the chosen fields, or plans to revert them."""
    placement, member = get_placement(request, team, slug, environment, may="view" if request.method != "POST" else "plan")
    drift = drift_of(placement) if placement.pk else None
    if drift is None:
        messages.info(request, "Nothing to compare: deploy it from here, then read the account.")
        return redirect("deploy-environment", team, slug, environment)
    names = [spot.name for spot in drift.spots]
    chosen = [name for name in request.POST.getlist("spot") if name in names]
    if request.method == "POST" and not chosen:
        messages.error(request, "Nothing was done: choose the fields first.")
    elif request.method == "POST" and request.POST.get("do") == "adopt":
        return (adopt_into_draft if placement.integration.is_api else adopt)(request, drift, chosen, member)
    elif request.method == "POST":
        try:
            plan, reading = plan_reverting(placement, drift.reverted(chosen), member.user.get_username())
        except (AwsError, PlanError) as error:
            return refused(request, placement, member, error)
        live = placement.live.revision if placement.live else None
        return redirect("plan", team, propose(placement, plan, reading, revision=live, by=member.user).pk)
    context = about(placement.integration, member, "deploy") | {
        "placement": placement,
        "environment": placement.environment,
        "rows": [drift_row(spot) for spot in drift.spots],
        "strangers": drift.strangers,
        "may_plan": is_allowed(member, "plan"),
    }
    return render(request, "deploy/drift.html", context)


def adopt(request: HttpRequest, drift: Drift, chosen: list[str], member: Membership) -> HttpResponse:
    """A new revision that has what the account has at the chosen fields."""
    entry, environment = drift.placement.integration, drift.placement.environment
    try:
        message = f"Adopt {len(chosen)} change{'s' * (len(chosen) > 1)} from {environment.name}"
        new = entry.save_revision(drift.adopted(chosen), member.user, message, onto=as_number(request.POST.get("latest")) or 0)
    except StaleBase as stale:
        messages.error(request, f"Nothing was adopted: r{stale.latest} was saved since. Look at it, then adopt again.")
        return redirect("deploy-drift", entry.team.slug, entry.slug, environment.slug)
    record(entry.team, member.user, "saved", f"{entry.slug} {new}", entry, adopted_from=environment.name)
    query = urlencode({"base": new.number - 1, "new": new.number})
    messages.success(request, f"{new} was saved with what {environment.name} has. Nothing in AWS was changed.")
    return redirect(f"{reverse('history', args=[entry.team.slug, entry.slug])}?{query}")


def adopt_into_draft(request: HttpRequest, drift: Drift, chosen: list[str], member: Membership) -> HttpResponse:
    """One's draft of the API with what the account has at the chosen fields; what the draft cannot say is refused."""
    entry, environment = drift.placement.integration, drift.placement.environment
    edit = opened(entry, member.user, drafts=True)
    found = adopted(edit.composition, sources_of([edit.composition]), drift.live, drift.there, set(chosen))
    labels = {spot.name: ", ".join(spot.labels) or "The route" for spot in drift.spots}
    for name, reason in found.refused.items():
        messages.warning(request, f"{labels[name]} was not adopted. {reason}")
    taken = len(chosen) - len(found.refused)
    if not taken:
        return redirect("deploy-drift", entry.team.slug, entry.slug, environment.slug)
    if found.composition == edit.composition:
        messages.info(request, f"Your draft has what {environment.name} has already. Nothing was changed.")
        return redirect("api", entry.team.slug, entry.slug)
    try:
        edit.keep(found.composition, edit.counter)
    except StaleDraft:
        messages.error(request, "Nothing was adopted: another tab of yours has gone on with the draft. Adopt again.")
        return redirect("deploy-drift", entry.team.slug, entry.slug, environment.slug)
    what = "1 change" if taken == 1 else f"{taken} changes"
    text = f"{what} from {environment.name} adopted into your draft. Save it as a revision. Nothing in AWS was changed."
    messages.success(request, text)
    return redirect("api", entry.team.slug, entry.slug)


# --- What the pages show ---------------------------------------------------------------------------


def get_placement(request: HttpRequest, team: str, slug: str, environment: str, *, may: str) -> tuple[Placement, Membership]:
    """Where the integration stands there, saved or not yet, and the membership."""
    entry, member = get_integration(request.user, team, slug, may=may)
    found, _ = get_environment(request.user, team, environment, may=may)
    here = Placement.objects.filter(environment=found, integration=entry).select_related("live__revision")
    placement = with_outrun(here).first()
    placement = placement or Placement(environment=found, integration=entry)
    placement.environment, placement.integration = found, entry
    return placement, member


def chosen_revision(entry: Entry, text: str | None) -> Revision:
    """The revision of that number, else the latest."""
    number = as_number(text)
    found = entry.revisions.filter(number=number).first() if number else None
    return found or entry.latest


def page(placement: Placement, member: Membership) -> dict[str, Any]:
    """What the page of an environment shows."""
    entry, environment = placement.integration, placement.environment
    latest = entry.latest
    values = parameter_values(placement, latest.api)
    active = None
    if placement.pk:
        under_way = Operation.objects.filter(ACTIVE | Q(state="proposed"), placement=placement)
        active = under_way.defer("plan", "definition").first()
    deployments = placement.deployments.select_related("revision", "made_by").defer("definition") if placement.pk else ()
    return about(entry, member, "deploy") | {
        "placement": placement,
        "environment": environment,
        "standing": Standing(environment, placement if placement.pk else None, entry.latest_number, active),
        "latest": latest,
        "published": entry.published,
        "revisions": list(entry.revisions.defer("definition", "parked")[:REVISIONS]),
        "default": entry.published_number if environment.protected and entry.published_number else entry.latest_number,
        "active": active,
        "deployments": list(deployments[:HISTORY]) if placement.pk else [],
        "versions": versions(placement, draft_of(entry, member)) if placement.pk else [],
        "values": values,
        "unbound": unbound(values),
        "place": PlacementForm(placement=placement),
        "may_plan": is_allowed(member, "plan"),
        "may_manage": is_allowed(member, "environments"),
        "reasons": (),
        "wrong": {},
        "typed": {},
    }
