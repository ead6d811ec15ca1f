"""Environments, plans and operations for tests of requests: plans are made by `make_plan`, of an account that is empty."""

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from integrations.gateway.account import AccountState
from integrations.gateway.plan import Plan, make_plan, to_json
from integrations.models import CallState, Environment, Integration, Operation, OperationCall, Placement, Proposal, State, Team

ACCOUNT = "111122223333"


def an_environment(team: Team, slug: str = "dev", **more: Any) -> Environment:
    """An environment of the team."""
    given = {"name": slug, "account": ACCOUNT, "region": "eu-west-1", "stage_name": "live"} | more
    return Environment.objects.create(team=team, slug=slug, **given)


def a_placement(environment: Environment, entry: Integration, **more: Any) -> Placement:
    """The integration in the environment, not deployed yet."""
    return Placement.objects.create(environment=environment, integration=entry, **more)


def a_plan(placement: Placement) -> Plan:
    """What makes the latest revision where there is nothing."""
    environment = placement.environment
    state = AccountState(account=environment.account, region=environment.region)
    values = environment.values_for(placement.integration)
    return make_plan(placement.integration.latest.api, state, values=values, stage_name=environment.stage_name)


def a_proposal(placement: Placement, by: User, **more: Any) -> Proposal:
    """That plan as it was shown."""
    plan = a_plan(placement)
    return Proposal.objects.create(
        placement=placement,
        revision=placement.integration.latest,
        plan=to_json(plan),
        plan_hash=plan.hash,
        seen_as=f"arn:aws:sts::{ACCOUNT}:assumed-role/GatehouseDeployer/gatehouse-{by}",
        made_by=by,
        **more,
    )


def an_operation(placement: Placement, by: User | None, state: State = State.QUEUED, **more: Any) -> Operation:
    """That plan being carried out."""
    plan = a_plan(placement)
    return Operation.objects.create(
        placement=placement,
        revision=placement.integration.latest,
        definition=plan.definition,
        plan=to_json(plan),
        plan_hash=plan.hash,
        definition_hash=plan.definition_hash,
        bindings_hash=plan.bindings_hash,
        state_hash=plan.state_hash,
        requested_by=by,
        state=state,
        **more,
    )


def called(operation: Operation, position: int, state: CallState = CallState.DONE, **more: Any) -> OperationCall:
    """One of its calls, in that state."""
    planned = operation.plan["calls"][position]
    attempt: dict[str, Any] = {"at": timezone.now().isoformat(), "by": "w"}
    if state in (CallState.DONE, CallState.FOUND):
        attempt |= {"ended": timezone.now().isoformat(), "status": 201, "request_id": f"request-{position}"}
    given = {
        "title": planned["route"],
        "service": planned["service"],
        "operation_name": planned["operation"],
        "attempts": [attempt],
        "started_at": timezone.now(),
        "finished_at": timezone.now() if state == CallState.DONE else None,
    }
    return OperationCall.objects.create(operation=operation, position=position, state=state, **(given | more))
