"""An operation is carried out whole, whatever happens on the way: nothing lost, nothing doubled."""

import os
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.aws import Account
from integrations.gateway.plan import Plan
from integrations.gateway.plan.things import settled
from integrations.models import CallState, Operation, Placement, State
from integrations.recovery import marked
from integrations.tasks import Carrier, Clock
from tests.aws.control_plane import ControlPlane
from tests.aws.deployments import FUNCTION, a_placement, orders, plan_of, queued
from tests.aws.wire import Line, served

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("credentials")]


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


@dataclass
class Scene:
    """A control plane, the line to it, and where to deploy."""

    plane: ControlPlane
    line: Line
    time: Time
    placement: Placement

    def account(self) -> Account:
        """The way to it."""
        return Account(self.placement.environment, "test")

    def plan(self) -> Plan:
        """The plan as it is now."""
        begun = Operation.objects.exclude(started_at=None).exists()
        state = self.account().account_state(self.placement.rest_api_id, stage_name="live", functions=[FUNCTION])
        return plan_of(orders(), state, applied=[orders()] if begun else [])

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


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Nothing is deployed yet; nobody else calls, and quotas are off."""
    plane = ControlPlane()
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


REFERENCE = as_it_should_be()


def assert_whole(scene: Scene, operation: Operation) -> None:
    """Everything is there, once, and the operation knows it."""
    assert (operation.state, operation.moved_at is not None) == (State.DONE, True)
    assert scene.plane.apis == REFERENCE.apis
    assert scene.plane.functions == REFERENCE.functions
    made = {name: number for name, number in scene.plane.served.items() if name.startswith(("create", "add", "delete"))}
    assert made == {name: number for name, number in REFERENCE.served.items() if name in made or name.startswith("create")}
    assert {call.state for call in operation.calls.all()} <= {CallState.DONE, CallState.FOUND}
    scene.placement.refresh_from_db()
    [api] = scene.plane.apis
    assert scene.placement.rest_api_id == api
    live = scene.placement.live
    assert live is not None and live.deployment_id in scene.plane.apis[api]["deployments"]


def test_every_call_is_written_down_with_its_request_id(scene: Scene) -> None:
    operation = scene.run(scene.queued())
    assert_whole(scene, operation)
    assert operation.result == "40 calls. Read back: the account is as the plan said."
    calls = list(operation.calls.all())
    assert [call.operation_name for call in calls] == [planned.call.operation for planned in plan_of(orders()).calls]
    assert all(len(call.attempts) == 1 and len(call.request_id) == 36 for call in calls)
    assert len({call.request_id for call in calls}) == 40
    assert all(call.attempts[0]["by"] == "b" and call.attempts[0]["status"] in (200, 201) for call in calls)
    first = calls[0]
    assert first.parameters == {"name": "orders", "tags": {"gatehouse": "gh-test"}}
    assert first.answer["id"] == scene.placement.rest_api_id


# --- A worker that is killed -----------------------------------------------------------------------


@dataclass
class Mortal:
    """An account whose caller is killed with -9 before or after it sends the call at a position."""

    account: Account
    operation: Operation
    position: int
    when: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.account, name)

    def perform(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        sent = self.operation.calls.filter(state=CallState.STARTED).get()
        now = sent.position == self.position and not operation.startswith("get_")
        if now and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = self.account.perform(service, operation, parameters)
        if now and self.when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def killed(does: Callable[[], object]) -> bool:
    """Whether a process of its own, doing that, was killed."""
    connections.close_all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the only other thread is the server's, which the child does without
        child = os.fork()
    if child == 0:
        try:
            does()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def killed_when_asked_again(asked: Iterator[bool]) -> bool:
    """Killed with -9 once the iterator is used up."""
    if next(asked, True):
        os.kill(os.getpid(), signal.SIGKILL)
    return False


def warmed(scene: Scene) -> Account:
    """An account whose clients are made, with nothing sent yet: a child need not make them again."""
    account = Account(scene.placement.environment, "test")
    account.client("apigateway")
    account.client("lambda")
    return account


@pytest.mark.parametrize("moments", [("before", "after"), ("before",), ("after",)], ids=" and ".join)
def test_a_worker_killed_at_each_call_is_followed_by_another(scene: Scene, moments: tuple[str, ...]) -> None:
    operation, account = scene.queued(), warmed(scene)
    for position in range(40):
        for when in moments:
            doomed = Mortal(account, operation, position, when)
            assert killed(partial(scene.run, operation, f"{position} {when}", account=doomed))
        call = operation.calls.get(position=position)
        assert (call.state, "ended" in call.attempts[-1]) == (CallState.STARTED, False)
    assert_whole(scene, scene.run(operation))


def test_a_worker_killed_between_calls_is_followed_by_another(scene: Scene) -> None:
    operation, account = scene.queued(), warmed(scene)
    for position in range(39):
        asked = iter((False,))  # before the first call of this worker; it does not come to the second
        end = partial(killed_when_asked_again, asked)
        assert killed(partial(scene.run, operation, str(position), account=account, stopping=end))
        assert operation.calls.filter(state=CallState.DONE).count() == position + 1
    assert_whole(scene, scene.run(operation))
    assert all(len(call.attempts) == 1 for call in operation.calls.all())


def test_a_call_that_ends_every_worker_is_given_up(scene: Scene) -> None:
    operation, account = scene.queued(), warmed(scene)
    for number in range(5):
        assert killed(partial(scene.run, operation, str(number), account=Mortal(account, operation, 0, "before")))
    operation = scene.run(operation)
    assert (operation.state, scene.plane.apis) == (State.FAILED, {})
    assert operation.result == (
        "5 workers have ended at the same call. Nothing was changed. Look at the server's log, then plan again."
    )
