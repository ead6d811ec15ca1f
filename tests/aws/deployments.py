"""An API of forty calls, and what carries them out against a control plane that fails as it is told."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from integrations.aws import Account
from integrations.deployment import applied, last_plan
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
from integrations.gateway.plan import Plan, functions_of, make_plan, to_json
from integrations.gateway.plan.things import settled
from integrations.models import Environment, Operation, Placement, Purpose, Team
from integrations.models import Integration as Entry
from integrations.recovery import marked, settle
from integrations.tasks import Carrier, Clock
from tests.aws.control_plane import ControlPlane
from tests.aws.wire import Line, served

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
        purpose=Purpose(plan.purpose),
        revision=placement.integration.latest,
        definition=plan.definition,
        plan=to_json(plan),
        plan_hash=plan.hash,
        marker=marker,
        requested_by=by,
    )
    operation.queue()
    return operation


@dataclass
class Time:
    """A clock that goes on when somebody waits."""

    seconds: float = 1_000.0
    waited: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.waited.append(seconds)


@dataclass(eq=False)
class Scene:
    """A control plane, the line to it, and where to deploy."""

    plane: ControlPlane
    line: Line
    time: Time
    placement: Placement
    api: Api = field(default_factory=lambda: orders())
    """What is to be deployed."""

    def person(self) -> User:
        """Somebody."""
        return User.objects.get_or_create(username="ada")[0]

    @functools.cache  # noqa: B019 - its clients are slow to make
    def account(self) -> Account:
        """The way to it."""
        return Account(self.placement.environment, "test")

    def plan(self) -> Plan:
        """The plan as it is now."""
        account = self.account()
        settle(self.placement, account)
        nothing = AccountState(account=ACCOUNT, region=REGION)
        functions = functions_of(self.api, nothing)
        state = account.account_state(self.placement.rest_api_id, stage_name="live", functions=functions)
        return plan_of(self.api, state, applied=applied(self.placement), last=last_plan(self.placement))

    def carrier(self, operation: Operation, worker: str = "b", **given: Any) -> Carrier:
        """What carries it out, on this scene's clock."""
        account = given.pop("account", None) or self.account()
        ways: dict[str, Any] = {"enter": lambda operation: account, "clock": Clock(self.time.now, self.time.sleep)}
        return Carrier(operation, worker, **(ways | given))

    def run(self, operation: Operation, worker: str = "b", **given: Any) -> Operation:
        """Carried out by a worker, from wherever it stands."""
        Operation.objects.filter(pk=operation.pk).update(lease_expires=timezone.now() - timedelta(seconds=1))
        taken = Operation.claim(worker)
        assert taken == operation
        self.carrier(taken, worker, **given).run()
        operation.refresh_from_db()
        self.placement.refresh_from_db()
        return operation

    def queued(self, **given: Any) -> Operation:
        """An operation of the plan as it is now."""
        return queued(self.placement, self.plan(), **given)

    def next(self) -> Operation:
        """The next apply, carried out."""
        return self.run(self.queued(marker="gh-next"))


@contextmanager
def a_scene(**given: Any) -> Iterator[Scene]:
    """Nothing is deployed yet; nobody else calls, and without a clock quotas are off."""
    plane = ControlPlane(**given)
    plane.functions[FUNCTION] = []
    with served(plane) as (url, line):
        yield Scene(plane, line, Time(), a_placement(url, orders()))


def as_it_should_be() -> ControlPlane:
    """The account after the plan, made by its calls alone."""
    plane = ControlPlane()
    plane.functions[FUNCTION] = []
    answers: dict[str, Any] = {}
    for planned in plan_of(orders()).calls:
        call = planned.call
        plain = {key: settled(value, {}, answers) for key, value in call.parameters.items()}
        answer = plane.perform(call.service, call.operation, marked(call.operation, plain, "gh-test"))
        answers |= {call.name: answer} if call.name else {}
    return plane
