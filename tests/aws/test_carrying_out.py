"""A worker that is killed at any point of an operation is followed by another: nothing lost, nothing doubled."""

import os
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connections

from integrations.aws import Account
from integrations.models import CallState, Operation, State
from tests.aws.deployments import Scene, as_it_should_be, orders, plan_of

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


def test_a_worker_killed_before_and_after_each_call_is_followed_by_another(scene: Scene) -> None:
    operation, account = scene.queued(), warmed(scene)
    for position in range(40):
        for when in ("before", "after"):
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
        '5 workers have ended at the same call. Whether "Create the API" (create_rest_api) was done is not known: the next plan '
        "finds out. Nothing else was changed. Look at the server's log, then plan again."
    )
