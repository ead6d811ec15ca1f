"""The team's environments: where it deploys, the way in, the values of parameters there."""

import secrets
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.aws import AwsError
from integrations.deployment import WAITS, enter
from integrations.environments import EnvironmentForm, values_from
from integrations.models import Environment, Membership, record, replace_bindings
from integrations.policy import get_environment, get_membership
from integrations.views import HtmxRequest

SUGGESTED = (
    "eu-central-1",
    "eu-west-1",
    "eu-north-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "sa-east-1",
)
"""Regions that the field suggests; any other may be typed."""


WAY_IN = {"account", "region", "access", "profile", "role_arn", "external_id", "endpoint"}
"""What decides who Gatehouse is there: it is asked again once one of them has changed."""


@require_safe
def environments(request: HttpRequest, team: str) -> HttpResponse:
    """All environments of the team."""
    mine = get_membership(request.user, team, may="environments")
    found = Environment.objects.filter(team=mine.team).annotate(
        running=Count("placements", filter=Q(placements__live__isnull=False))
    )
    return render(request, "team/environments.html", {"team": mine.team, "environments": found})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxRequest, team: str) -> HttpResponse:
    """The form of a new environment; posted by htmx: what is wrong with it so far; posted: makes it."""
    mine = get_membership(request.user, team, may="environments")
    initial = {"external_id": f"gatehouse-{mine.team.slug}-{secrets.token_hex(8)}", "stage_name": "live"}
    form = EnvironmentForm(request.POST or None, team=mine.team, initial=initial)
    if request.htmx:
        return render(request, "team/environment.html#slots", slots(request, form))
    if request.method == "POST" and form.is_valid():
        form.instance.created_by = mine.user
        with transaction.atomic():
            made = form.save()
            record(mine.team, mine.user, "made environment", made.name, **told(made))
        messages.success(request, f"{made.name} is made. Ask AWS who you are there before the first deployment.")
        return redirect("environment", team, made.slug)
    return render(request, "team/environment.html", context(mine, form), status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def environment(request: HtmxRequest, team: str, environment: str) -> HttpResponse:
    """One environment; posted by htmx: what is wrong with the form so far; posted: changes it."""
    found, mine = get_environment(request.user, team, environment, may="environments")
    before = told(found)
    form = EnvironmentForm(request.POST or None, instance=found, team=mine.team)
    if request.htmx:
        return render(request, "team/environment.html#slots", slots(request, form))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            after = told(found)
            changed = {name: value for name, value in after.items() if before[name] != value}
            if changed.keys() & WAY_IN:
                found.forget_identity()
            if changed:
                record(mine.team, mine.user, "changed environment", found.name, **changed)
        messages.success(request, f"{found.name} is saved." if changed else f"{found.name} is as it was: nothing to save.")
        return redirect("environment", team, found.slug)
    return render(request, "team/environment.html", context(mine, form), status=422 if form.errors else 200)


@require_POST
def environment_values(request: HttpRequest, team: str, environment: str) -> HttpResponse:
    """The values that hold for every integration there which has none of its own; `add`: one more row."""
    found, mine = get_environment(request.user, team, environment, may="environments")
    names, values = request.POST.getlist("parameter"), request.POST.getlist("value")
    given, wrong = values_from(names, values)
    if "add" in request.POST or wrong:
        form = EnvironmentForm(instance=found, team=mine.team)
        rows = [
            Row(name, value, wrong.get(index, "")) for index, (name, value) in enumerate(zip_longest(names, values, fillvalue=""))
        ]
        shown = context(mine, form) | {"rows": [*rows, Row()] if "add" in request.POST else rows, "wrong": len(wrong)}
        return render(request, "team/environment.html", shown, status=422 if wrong else 200)
    with transaction.atomic():
        before = dict(found.bindings.filter(integration=None).values_list("name", "value"))
        replace_bindings(found, None, given)
        changed = sorted(name for name in before.keys() | given.keys() if before.get(name) != given.get(name))
        if changed:
            record(mine.team, mine.user, "changed values of", found.name, parameters=", ".join(changed))
    messages.success(request, f"The values of {found.name} are saved.")
    return redirect("environment", team, found.slug)


@require_POST
def environment_identity(request: HtmxRequest, team: str, environment: str) -> HttpResponse:
    """Asks AWS who Gatehouse is there; asked by htmx: only the answer."""
    found, mine = get_environment(request.user, team, environment, may="environments")
    said = ""
    try:
        enter(found, mine.user.get_username(), WAITS)
    except AwsError as error:
        said = str(error)
        found.forget_identity()
    if request.htmx:
        return render(request, "team/environment.html#identity", {"environment": found, "team": mine.team, "said": said})
    form = EnvironmentForm(instance=found, team=mine.team)
    return render(request, "team/environment.html", context(mine, form) | {"said": said}, status=422 if said else 200)


@require_POST
def environment_remove(request: HttpRequest, team: str, environment: str) -> HttpResponse:
    """Takes an environment away where nothing of it runs. Nothing in AWS is touched."""
    found, mine = get_environment(request.user, team, environment, may="environments")
    with transaction.atomic():
        running = found.placements.filter(live__isnull=False).count()
        if not running:
            record(mine.team, mine.user, "removed environment", found.name, **told(found))
            found.delete()
    if running:
        many = f"{running} integrations run" if running > 1 else "an integration runs"
        messages.error(request, f"{found.name} was not removed: {many} there. Destroy that first, on its Deploy page.")
        return redirect("environment", team, environment)
    messages.success(request, f"{found.name} is removed. Nothing in AWS was touched.")
    return redirect("environments", team)


# --- What the pages show ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter and its value as typed."""

    name: str = ""
    value: str = ""
    wrong: str = ""


def context(mine: Membership, form: EnvironmentForm) -> dict[str, Any]:
    """What the page of an environment shows."""
    found = form.instance
    kept = found.bindings.filter(integration=None) if found.pk else ()
    return {
        "team": mine.team,
        "form": form,
        "environment": Environment.objects.get(pk=found.pk) if found.pk else None,
        "rows": [*(Row(binding.name, binding.value) for binding in kept), Row()],
        "regions": SUGGESTED,
    }


def slots(request: HttpRequest, form: EnvironmentForm) -> dict[str, Any]:
    """What there is to say about the fields that were touched."""
    form.is_valid()
    touched = set(request.POST.get("touched", "").split())
    return {"oob": True, "form": form, "slots": [form[name] for name in form.fields if form[name].html_name in touched]}


def told(environment: Environment) -> dict[str, Any]:
    """An environment in the audit trail."""
    return {name: str(getattr(environment, name)) for name in EnvironmentForm.Meta.fields}
