"""An integration in the team's environments: what runs where, what it is called there, its values, and the way to a plan."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.aws import AwsError
from integrations.deployment import deploy_plan, parameter_values, propose, read, unbound
from integrations.environments import PlacementForm, values_from
from integrations.gateway.plan import PlanError
from integrations.models import (
    ACTIVE,
    Environment,
    Membership,
    Operation,
    Placement,
    Revision,
    placements_of,
    record,
    replace_bindings,
)
from integrations.models import Integration as Entry
from integrations.policy import get_environment, get_integration, is_allowed
from integrations.views.history import about, as_number

HISTORY = 20
"""Deployments that the page of an environment lists."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An integration in one environment."""

    environment: Environment
    placement: Placement | None
    operation: Operation | None
    """What is under way there, or waits for approval."""
    latest_number: int

    @property
    def live(self) -> Revision | None:
        """What was last deployed from here."""
        return self.placement.live.revision if self.placement and self.placement.live else None

    @property
    def is_live(self) -> bool:
        """Whether anything was."""
        return bool(self.placement and self.placement.live)

    @property
    def lags(self) -> bool:
        """Whether something is saved and not live."""
        return self.is_live and (self.live is None or self.live.number != self.latest_number)

    @property
    def drifted(self) -> bool:
        """Whether AWS had something else when it was last read."""
        return bool(self.placement and self.placement.differences)


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
        standings.append(Standing(environment, placement, running, entry.latest_number))
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
    """Reads the account and plans; leads to the plan. Nothing is changed in AWS."""
    placement, member = get_placement(request, team, slug, environment, may="plan")
    revision = chosen_revision(placement.integration, request.POST.get("revision"))
    try:
        reading = read(placement, revision.api, member.user.get_username())
        plan = deploy_plan(placement, revision.api, reading.state)
    except (AwsError, PlanError) as error:
        reasons = error.reasons if isinstance(error, PlanError) else (str(error),)
        shown = page(placement, member) | {"reasons": reasons}
        return render(request, "deploy/environment.html", shown, status=422)
    if placement.pk is None:
        placement.save()
    proposal = propose(placement, plan, reading, revision=revision, by=member.user)
    return redirect("plan", team, proposal.pk)


# --- What the pages show ---------------------------------------------------------------------------


def get_placement(request: HttpRequest, team: str, slug: str, environment: str, *, may: str) -> tuple[Placement, Membership]:
    """Where the integration stands there, saved or not yet, and the membership."""
    entry, member = get_integration(request.user, team, slug, may=may)
    found, _ = get_environment(request.user, team, environment, may=may)
    placement = Placement.objects.filter(environment=found, integration=entry).select_related("live__revision").first()
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
        "standing": Standing(environment, placement if placement.pk else None, active, entry.latest_number),
        "latest": latest,
        "published": entry.published,
        "active": active,
        "deployments": list(deployments[:HISTORY]) if placement.pk else [],
        "values": values,
        "unbound": unbound(values),
        "place": PlacementForm(placement=placement),
        "may_plan": is_allowed(member, "plan"),
        "may_manage": is_allowed(member, "environments"),
        "reasons": (),
        "wrong": {},
        "typed": {},
    }
