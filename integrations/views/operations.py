"""A plan before it is applied, and the deployment that carries it out: shown, approved, watched, cancelled."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.deployment import DEPLOYS, bindings_hash
from integrations.gateway import plan as plans
from integrations.gateway.plan import Change, Plan
from integrations.models import Busy, Environment, Membership, Operation, Placement, Proposal, State, record, workers
from integrations.models import Purpose as Kind
from integrations.policy import get_membership, is_allowed, may_approve
from integrations.progress import ICONS, Level, RouteChange, Step, log, python_lines, route_changes, seconds, steps
from integrations.views import HtmxRequest
from integrations.views.history import Cell, cells

PAGE = 50
"""Deployments on a page of the list."""
WORDS = {Kind.DEPLOY: "Deploy to", Kind.ADOPT: "Deploy to", Kind.ROLL_BACK: "Roll back in", Kind.DESTROY: "Destroy in"}
DOING = {
    Kind.DEPLOY: "Deploying to",
    Kind.ADOPT: "Deploying to",
    Kind.ROLL_BACK: "Rolling back in",
    Kind.DESTROY: "Destroying in",
}
DID = {
    Kind.DEPLOY: "Deployed to",
    Kind.ADOPT: "Deployed to",
    Kind.ROLL_BACK: "Rolled back in",
    Kind.DESTROY: "Destroyed in",
}
COUNTED = {"+": "plus", "~": "tilde", "-": "minus"}
MARKS = {"add": "+", "change": "~", "remove": "-"}


# --- A plan ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, team: str, proposal: int) -> HttpResponse:
    """What would happen, as data; posted: applies it, or asks for the approval that a protected environment wants."""
    found, mine = get_proposal(request, team, proposal, may="view" if request.method != "POST" else "apply")
    shown = plans.from_json(found.plan)
    refused: dict[str, str] = {}
    if request.method == "POST":
        refused = why_not(found, shown, request)
        operation = None if refused else apply(found, shown, mine, request.POST.get("note", "").strip()[:200])
        if isinstance(operation, Busy):
            refused["plan"] = str(operation)
        elif operation:
            return redirect("operation", team, operation.pk)
    environment = found.placement.environment
    context = about(found.placement, shown, mine) | {
        "proposal": found,
        "title": f"{WORDS[Kind(shown.purpose)]} {environment.name}",
        "seen_as": found.seen_as,
        "revision": found.revision,
        "refused": refused,
        "typed": request.POST.get("stage", ""),
        "read": request.POST.get("read") == "yes",
        "note": request.POST.get("note", ""),
        "unpublished": unpublished(found),
    }
    return render(request, "deploy/plan.html", context, status=422 if refused else 200)


def get_proposal(request: HttpRequest, team: str, key: int, *, may: str) -> tuple[Proposal, Membership]:
    """A plan of the team's, and the membership."""
    mine = get_membership(request.user, team, may=may)
    related = ("placement__environment__team", "placement__integration", "placement__live__revision", "revision", "operation")
    found = (
        Proposal.objects.filter(placement__environment__team=mine.team).select_related(*related, "made_by").filter(pk=key).first()
    )
    if found is None:
        raise Http404("No such plan.")
    return found, mine


def unpublished(proposal: Proposal) -> bool:
    """Whether a protected environment would not take it."""
    revision = proposal.revision
    return bool(proposal.placement.environment.protected and revision and revision.published_at is None)


def why_not(proposal: Proposal, shown: Plan, request: HttpRequest) -> dict[str, str]:
    """Place on the page → why the plan is not applied. Nothing was changed, and nothing in AWS was asked."""
    environment = proposal.placement.environment
    again = "Nothing was changed. Plan again, and look at what is different."
    if proposal.operation:
        return {"plan": "This plan was applied already. Nothing was done a second time."}
    if proposal.is_stale:
        return {"plan": f"The account was read more than 15 minutes ago. {again}"}
    if shown.purpose in DEPLOYS and shown.bindings_hash != bindings_hash(proposal.placement):
        return {"plan": f"A value of a parameter was changed since this plan was made. {again}"}
    if unpublished(proposal):
        return {"plan": f"{environment.name} takes published revisions only, and {proposal.revision} is none. Publish it first."}
    refused = {}
    if shown.warnings and request.POST.get("read") != "yes":
        refused["read"] = "Read what to know before you apply, and say so here."
    if environment.protected and request.POST.get("stage", "").strip() != environment.stage_name:
        refused["stage"] = f"Type {environment.stage_name}, the name of the stage."
    return refused


def apply(proposal: Proposal, shown: Plan, mine: Membership, note: str) -> Operation | Busy:
    """Hand the plan to the workers; of a protected environment, to a second person first."""
    placement = proposal.placement
    operation = Operation(
        placement=placement,
        purpose=shown.purpose,
        revision=proposal.revision,
        definition=shown.definition,
        plan=proposal.plan,
        plan_hash=proposal.plan_hash,
        definition_hash=shown.definition_hash,
        bindings_hash=shown.bindings_hash,
        state_hash=shown.state_hash,
        requested_by=mine.user,
        note=note,
    )
    try:
        with transaction.atomic():
            kept = Proposal.objects.select_for_update().get(pk=proposal.pk)
            if kept.operation:
                return kept.operation  # pressed twice
            if placement.environment.protected:
                operation.state = State.PROPOSED
                operation.save()
                tell(operation, mine, "asked to apply")
            else:
                operation.queue()
                tell(operation, mine, "applied")
            proposal.operation = operation
            proposal.save(update_fields=["operation"])
    except Busy as busy:
        return busy
    return operation


def tell(operation: Operation, mine: Membership, verb: str) -> None:
    """Append to the audit trail what somebody did with an operation."""
    placement, revision = operation.placement, operation.revision
    subject = " ".join(filter(None, [placement.integration.slug, str(revision or ""), "in", placement.environment.name]))
    detail = {"plan": operation.plan_hash[:12], "for": operation.get_purpose_display().lower()}
    record(mine.team, mine.user, verb, subject, placement.integration, **detail)


# --- A deployment ----------------------------------------------------------------------------------


@require_safe
def operations(request: HttpRequest, team: str) -> HttpResponse:
    """What was deployed, rolled back and destroyed in the team's environments, newest first."""
    mine = get_membership(request.user, team, may="view")
    chosen = request.GET.get("environment", "")
    found = Operation.objects.filter(placement__environment__team=mine.team).defer("plan", "definition")
    if chosen:
        found = found.filter(placement__environment__slug=chosen)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    related = ("placement__environment", "placement__integration", "revision", "requested_by", "approved_by")
    page = list(found.select_related(*related).order_by("-pk")[: PAGE + 1])
    context = {
        "team": mine.team,
        "operations": page[:PAGE],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "environments": Environment.objects.filter(team=mine.team),
        "chosen": chosen,
    }
    return render(request, "deploy/operations.html", context)


@never_cache
@require_safe
def operation(request: HtmxRequest, team: str, operation: int) -> HttpResponse:
    """How far it has come; asked by htmx: only that. Stays when it is over."""
    found, mine = get_operation(request, team, operation, may="view")
    context = shown_operation(found, mine)
    if request.htmx:
        return render(request, "deploy/operation.html#progress", context | {"oob": True})
    return render(request, "deploy/operation.html", context)


@require_safe
def operation_log(request: HttpRequest, team: str, operation: int) -> HttpResponse:
    """The log as a text file."""
    found, _ = get_operation(request, team, operation, may="view")
    text = "".join(f"{line.text}\n" for line in log(found, list(found.calls.all())))
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="deployment-{found.pk}.log"'
    return response


@require_POST
def operation_cancel(request: HttpRequest, team: str, operation: int) -> HttpResponse:
    """Stops it: at once where it has not begun, else before the next call."""
    found, mine = get_operation(request, team, operation, may="apply")
    if found.cancel(mine.user):
        tell(found, mine, "cancelled")
    else:
        messages.info(request, "There was nothing to cancel: it is over, or was cancelled already.")
    return redirect("operation", team, found.pk)


@require_POST
def operation_approve(request: HttpRequest, team: str, operation: int) -> HttpResponse:
    """Lets a proposed deployment go to the workers: by somebody else than who asked for it."""
    found, mine = get_operation(request, team, operation, may="approve")
    if not may_approve(mine.user, found.requested_by):
        raise PermissionDenied("Somebody else than who asked for it has to approve it.")
    if found.state != State.PROPOSED:
        messages.info(request, "It does not wait for approval any more. Nothing was done.")
    elif found.purpose in DEPLOYS and found.bindings_hash != bindings_hash(found.placement):
        text = "Not approved: a value of a parameter was changed since the plan was made. Cancel it, and plan again."
        messages.error(request, text)
    else:
        try:
            with transaction.atomic():
                found.approve(mine.user)
                tell(found, mine, "approved")
        except Busy as busy:
            messages.error(request, f"Not approved: {busy}")
    return redirect("operation", team, found.pk)


def get_operation(request: HttpRequest, team: str, key: int, *, may: str) -> tuple[Operation, Membership]:
    """An operation of the team's, and the membership."""
    mine = get_membership(request.user, team, may=may)
    related = ("placement__environment__team", "placement__integration", "placement__live__revision", "revision")
    people = ("requested_by", "approved_by", "cancelled_by")
    mine_only = Operation.objects.filter(placement__environment__team=mine.team)
    found = mine_only.select_related(*related, *people).filter(pk=key).first()
    if found is None:
        raise Http404("No such deployment.")
    return found, mine


# --- What the pages show ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """An option in the table of a route."""

    mark: str
    label: str
    was: Cell
    now: Cell


@dataclass(frozen=True, slots=True)
class Group:
    """A route with its table."""

    change: RouteChange
    rows: tuple[Row, ...]


def group(change: RouteChange) -> Group:
    """A route as its table shows it."""
    return Group(change, tuple(row(one) for one in change.changes))


def row(change: Change) -> Row:
    """An option as the table shows it."""
    was, now = cells(change.before, change.after)
    return Row(MARKS[change.kind], change.label, was, now)


def about(placement: Placement, shown: Plan, mine: Membership) -> dict[str, Any]:
    """What both pages show of a plan."""
    groups = [group(change) for change in route_changes(shown)]
    named = [one for one in groups if one.change.route]
    return {
        "team": mine.team,
        "placement": placement,
        "entry": placement.integration,
        "environment": placement.environment,
        "plan": shown,
        "groups": groups,
        "counts": {word: sum(one.change.mark == mark for one in named) for mark, word in COUNTED.items()},
        "lines": python_lines(shown),
        "seconds": seconds(shown.forecast.seconds),
        "warnings": sum(one.level == "warning" for one in shown.warnings),
        "infos": sum(one.level == "info" for one in shown.warnings),
        "may_apply": is_allowed(mine, "apply"),
        "may_plan": is_allowed(mine, "plan"),
    }


def shown_operation(found: Operation, mine: Membership) -> dict[str, Any]:
    """What the page of an operation shows."""
    calls = list(found.calls.all())
    shown = plans.from_json(found.plan)
    made = steps(found, shown, calls)
    current = next((number for number, step in enumerate(made, 1) if step.level in ("run", "error")), None)
    now = timezone.now()
    lost = found.state == State.RUNNING and (found.lease_expires is None or found.lease_expires < now)
    waiting = found.state == State.QUEUED or lost
    over = found.is_over
    title = (DID if found.state == State.DONE else DOING)[Kind(found.purpose)]
    return about(found.placement, shown, mine) | {
        "operation": found,
        "title": f"{title} {found.placement.environment.name}",
        "revision": found.revision,
        "steps": [(step, ICONS[step.level]) for step in made],
        "done": sum(step.level == "ok" for step in made),
        "current": current,
        "log": log(found, calls),
        "over": over,
        "level": result_level(found),
        "moved": found.moved_at is not None,
        "alone": waiting and not workers().exists(),
        "lost": lost,
        "may_approve": is_allowed(mine, "approve") and may_approve(mine.user, found.requested_by),
        "announcement": announced(found, made, current),
    }


def result_level(operation: Operation) -> Level | str:
    """How the result of an operation that is over is drawn."""
    return {State.DONE: "ok", State.CANCELLED: "warning"}.get(State(operation.state), "error")


def announced(operation: Operation, made: list[Step], current: int | None) -> str:
    """What the page's voice says."""
    if operation.is_over:
        return f"{operation.get_state_display()}. {operation.result}".strip()
    return f"Step {current} of {len(made)}: {made[current - 1].title}" if current else operation.get_state_display()
