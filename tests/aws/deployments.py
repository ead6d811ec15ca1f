"""An API of forty calls, and what carries them out against a control plane that fails as it is told."""

from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User

from integrations.gateway.account import AccountState
from integrations.gateway.definition import (
    Api,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Model,
    Route,
    Template,
)
from integrations.gateway.plan import Plan, make_plan, to_json
from integrations.models import Environment, Operation, Placement, Team
from integrations.models import Integration as Entry

ACCOUNT, REGION = "444455556666", "eu-central-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"


def answering(*statuses: str) -> tuple[IntegrationResponse, ...]:
    patterns = [None, *(f".*{status}.*" for status in statuses[1:])]
    return tuple(
        IntegrationResponse(status_code=status, selection_pattern=pattern)
        for status, pattern in zip(statuses, patterns, strict=True)
    )


def orders() -> Api:
    """All kinds of things that are made: resources, a model, a validator, methods with their answers, permissions."""
    function = Integration(backend=Lambda(function=FUNCTION, proxy=False), integration_responses=answering("200", "500"))
    template = Template('{"statusCode": 200}')
    mock = Integration(backend=Mock(), request_templates={"application/json": template}, integration_responses=answering("200"))
    taken = Route(
        method="POST",
        path="/orders",
        integration=function,
        request_models={"application/json": "Order"},
        validate_request_body=True,
    )
    schema = '{"type": "object", "properties": {"id": {"type": "string"}}}'
    return Api(
        name="orders",
        stage_name="live",
        models=(Model(name="Order", schema=schema),),
        routes=(
            Route(method="GET", path="/orders", integration=function),
            taken,
            Route(method="GET", path="/orders/{id}", integration=function),
            Route(method="GET", path="/health/live", integration=mock),
            Route(
                method="GET", path="/more", integration=Integration(backend=Http(url="https://orders.example.com/", proxy=True))
            ),
        ),
    )


def plan_of(api: Api, state: AccountState | None = None, **more: Any) -> Plan:
    """What makes an account hold and serve it; without a state, from nothing."""
    state = state or AccountState(account=ACCOUNT, region=REGION)
    return make_plan(api, state, values={}, stage_name="live", **more)


def a_placement(endpoint: str, api: Api, person: User | None = None) -> Placement:
    """Where an integration is deployed to, that is not there yet."""
    team = Team.objects.create(slug="storefront", name="Storefront")
    entry = Entry(team=team, slug="orders")
    entry.save_revision(replace(api, routes=api.routes[:1]), person)
    environment = Environment.objects.create(
        team=team, slug="prod", name="prod", account=ACCOUNT, region=REGION, stage_name="live", endpoint=endpoint
    )
    return Placement.objects.create(environment=environment, integration=entry)


def queued(placement: Placement, plan: Plan, *, marker: str = "gh-test", by: User | None = None) -> Operation:
    """An operation that waits for a worker."""
    operation = Operation(
        placement=placement,
        revision=placement.integration.latest,
        definition=plan.definition,
        plan=to_json(plan),
        plan_hash=plan.hash,
        marker=marker,
        requested_by=by,
    )
    operation.queue()
    return operation
