"""What becomes of an operation when something fails on the way: the next apply finishes it; nothing is lost or doubled.

docs/deploy-faults.md is the table of these runs. `GATEHOUSE_WRITE_FAULTS=1` writes it anew.
"""

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from integrations.aws import Account
from integrations.gateway.definition import Api, Integration, Lambda, Route
from integrations.models import Binding, Busy, CallState, Operation, State
from tests.aws.control_plane import ControlPlane, Refused
from tests.aws.deployments import FUNCTION, Scene, orders
from tests.aws.wire import Cut, Line

PAGE = Path(__file__).parents[2] / "docs" / "deploy-faults.md"
OTHER = FUNCTION.replace("orders", "others")


def changed() -> Api:
    """Another definition: an option that is changed, a route that is new, one that goes with its permissions."""
    first, _gone, *rest = orders().routes
    slower = replace(first, integration=replace(first.integration, timeout_ms=5_000))
    new = Route(method="PUT", path="/more", integration=Integration(backend=Lambda(function=OTHER, proxy=True)))
    return replace(orders(), routes=(slower, *rest, new))


@dataclass(frozen=True)
class Fault:
    """Something that fails while a plan is applied."""

    name: str
    happens: Callable[[Scene], Operation]
    """Lets it fail, and gives the operation once it is over."""
    deployed: bool = True
    """Whether there is a deployed API that the plan changes; otherwise it makes one."""


FAULTS: list[Fault] = []


def fault(name: str, *, deployed: bool = True) -> Callable[[Callable[[Scene], Operation]], Callable[[Scene], Operation]]:
    """Puts what happens into the table."""

    def put(happens: Callable[[Scene], Operation]) -> Callable[[Scene], Operation]:
        FAULTS.append(Fault(name, happens, deployed))
        return happens

    return put


def changing(operation: str) -> bool:
    return not operation.startswith(("get_", "assume_"))


@dataclass
class Once:
    """Does something at each call that changes something, the first time that it is on the line."""

    does: Callable[[], None]
    seen: Counter[str]

    def __call__(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        if changing(operation):
            self.seen["turn"] += 1
            if self.seen["turn"] % 2:
                self.does()


def cut() -> None:
    raise Cut


def refusal(status: int, code: str, message: str) -> Callable[[], None]:
    def refuse() -> None:
        raise Refused(status, code, message)

    return refuse


def at(scene: Scene, wanted: str, does: Callable[[], None], times: int = 1_000) -> Callable[[str, str, dict[str, Any]], None]:
    """Does it whenever that operation comes along, so many times at most."""
    left = Counter({"times": times})

    def happen(service: str, operation: str, parameters: dict[str, Any]) -> None:
        if operation == wanted and left["times"] > 0:
            left["times"] -= 1
            does()

    return happen


@contextmanager
def mended(line: Line) -> Iterator[None]:
    """The line as it was before, afterwards."""
    before, after = line.before, line.after
    yield
    line.before, line.after = before, after


# --- AWS and the way to it -----------------------------------------------------------------------------


@fault("AWS takes each call at the second try only (429, too many requests)")
def busy(scene: Scene) -> Operation:
    scene.line.before = Once(refusal(429, "TooManyRequestsException", "Too Many Requests"), Counter())
    return scene.run(scene.queued())


@fault("Somebody else uses the account's whole rate for a minute")
def crowded(scene: Scene) -> Operation:
    operation, begun = scene.queued(), list[float]()
    scene.plane.clock = scene.time.now

    def others(service: str, operation: str, parameters: dict[str, Any]) -> None:
        scene.time.seconds += 0.3  # what an answer takes
        begun.extend([scene.time.now()] if changing(operation) else [])
        if begun and scene.time.now() < begun[0] + 60:
            for quota in scene.plane.quotas.values():
                quota.left, quota.at = min(quota.left, 0.9), scene.time.now()

    scene.line.before = others
    operation = scene.run(operation)
    scene.plane.clock = None
    assert scene.plane.throttled > 5
    return operation


@fault("Each call meets a concurrent modification once (409)")
def concurrent(scene: Scene) -> Operation:
    words = "Unable to complete operation due to concurrent modification. Please try again later."
    scene.line.before = Once(refusal(409, "ConflictException", words), Counter())
    return scene.run(scene.queued())


@fault("The request of each call is lost once", deployed=False)
def lost_requests(scene: Scene) -> Operation:
    scene.line.before = Once(cut, Counter())
    return scene.run(scene.queued())


def answers_lost(scene: Scene) -> Operation:
    lost = set[str]()

    def lose(service: str, operation: str, parameters: dict[str, Any]) -> None:
        call = f"{operation} {parameters}"
        if changing(operation) and call not in lost:
            lost.add(call)
            raise Cut

    operation = scene.queued()
    scene.line.after = lose
    return scene.run(operation)


@fault("The answer of each call is lost once, after it was done, while an API is made", deployed=False)
def lost_answers(scene: Scene) -> Operation:
    return answers_lost(scene)


@fault("The answer of each call is lost once, after it was done, while an API is changed")
def lost_answers_of_changes(scene: Scene) -> Operation:
    return answers_lost(scene)


@fault("AWS has a fault of its own at each call once (500)")
def faulty(scene: Scene) -> Operation:
    scene.line.before = Once(refusal(500, "ServiceUnavailableException", "Service unavailable"), Counter())
    return scene.run(scene.queued())


@fault("The network is cut for good at the first call, after AWS made the API", deployed=False)
def cut_off_at_once(scene: Scene) -> Operation:
    operation = scene.queued()

    def cut_off(service: str, name: str, parameters: dict[str, Any]) -> None:
        if scene.plane.apis:
            raise Cut

    scene.line.after = cut_off
    with mended(Line()):
        operation = scene.run(operation)
    return operation


@fault("The network is cut for good in the middle")
def cut_off(scene: Scene) -> Operation:
    scene.line.before = at(scene, "put_integration", cut)
    return scene.run(scene.queued())


@fault("The network is cut for good while the stage moves, after AWS moved it")
def cut_off_at_the_stage(scene: Scene) -> Operation:
    operation, gone = scene.queued(), Counter[str]()

    def lose(service: str, name: str, parameters: dict[str, Any]) -> None:
        if name == "update_stage" or gone["gone"]:
            gone["gone"] += 1
            raise Cut

    scene.line.after = lose
    return scene.run(operation)


# --- Credentials and permissions -----------------------------------------------------------------------


@fault("The credentials expire in the middle, and the role gives new ones")
def expired_and_renewed(scene: Scene) -> Operation:
    operation = scene.queued()
    scene.line.before = at(scene, "create_deployment", lambda: setattr(scene.plane, "expired", True), times=1)

    def enter(operation: Operation) -> Account:
        scene.plane.expired = False
        return scene.account()

    return scene.run(operation, enter=enter)


@fault("The credentials expire in the middle, and there are no others")
def expired(scene: Scene) -> Operation:
    operation = scene.queued()
    scene.line.before = at(scene, "create_deployment", lambda: setattr(scene.plane, "expired", True), times=1)
    return scene.run(operation)


@fault("The role may not create a deployment")
def denied(scene: Scene) -> Operation:
    words = "User is not authorized to perform: apigateway:POST on resource: /restapis/x/deployments"
    scene.line.before = at(scene, "create_deployment", refusal(403, "AccessDeniedException", words))
    return scene.run(scene.queued())


@fault("AWS refuses a call before the stage moves (400)")
def refused_before(scene: Scene) -> Operation:
    scene.line.before = at(scene, "create_deployment", refusal(400, "BadRequestException", "Limit of deployments reached"))
    return scene.run(scene.queued())


@fault("AWS refuses a call after the stage has moved (400)")
def refused_after(scene: Scene) -> Operation:
    scene.line.before = at(scene, "remove_permission", refusal(400, "InvalidParameterValueException", "Not now"))
    return scene.run(scene.queued())


# --- People --------------------------------------------------------------------------------------------


@fault("Two people apply at once; the second is told who does, and nothing of theirs is queued")
def two_people(scene: Scene) -> Operation:
    first = scene.queued(by=scene.person())
    with pytest.raises(Busy, match=r"ada has been applying a plan to it since \d\d:\d\d UTC; nothing was queued"):
        scene.queued(marker="gh-second")
    return scene.run(first)


@fault("The API is changed by hand between plan and apply")
def changed_by_hand(scene: Scene) -> Operation:
    operation = scene.queued()
    scene.plane.create_resource(scene.placement.rest_api_id, root_of(scene), "by-hand")
    return scene.run(operation)


@fault("A value of the environment is changed between plan and apply")
def changed_value(scene: Scene) -> Operation:
    operation = scene.queued()
    Binding.objects.create(environment=scene.placement.environment, name="Table", value="orders")
    operation = scene.run(operation)
    Binding.objects.all().delete()
    return operation


@fault("Somebody makes what the plan is about to make")
def made_by_hand(scene: Scene) -> Operation:
    operation = scene.queued()
    more = next(
        one["id"] for one in scene.plane.apis[scene.placement.rest_api_id]["resources"].values() if one["path"] == "/more"
    )

    def make() -> None:
        scene.plane.put_method(scene.placement.rest_api_id, more, "PUT", authorizationType="NONE")

    scene.line.before = at(scene, "put_method", make, times=1)
    return scene.run(operation)


@fault("It is cancelled in the middle")
def cancelled(scene: Scene) -> Operation:
    operation = scene.queued()
    person = scene.person()

    def cancel() -> None:
        operation.cancel(person)
        connection.close()  # of the server's thread

    scene.line.after = at(scene, "put_method", cancel, times=1)
    return scene.run(operation)


# --- Workers and the database --------------------------------------------------------------------------


@fault("The worker is told to end in the middle (SIGTERM), and another runs")
def told_to_end(scene: Scene) -> Operation:
    operation = scene.queued()
    done = operation.calls.filter(state=CallState.DONE)
    operation = scene.run(operation, "first", stopping=lambda: done.count() >= 5)
    assert (operation.state, done.count()) == (State.QUEUED, 5)
    return scene.run(operation, "second")


@fault("The worker stands still for longer than its lease, and another goes on")
def stands_still(scene: Scene) -> Operation:
    operation = scene.queued()
    other: list[Operation] = []

    def stand_still(service: str, name: str, parameters: dict[str, Any]) -> None:
        if name == "create_deployment" and not other:
            other.append(operation)
            Operation.objects.filter(pk=operation.pk).update(holder="second")
            connection.close()  # of the server's thread

    scene.line.after = stand_still
    first = scene.run(operation, "first")
    assert (first.state, first.holder) == (State.RUNNING, "second")
    return scene.run(operation, "second")


def root_of(scene: Scene) -> str:
    settings = scene.plane.apis[scene.placement.rest_api_id]["settings"]
    return str(settings["rootResourceId"])


# --- The table -----------------------------------------------------------------------------------------


def served_by(scene: Scene) -> str:
    """What callers of the stage get, in words."""
    apis = scene.plane.apis
    if not apis or not all(api["stages"] for api in apis.values()):
        return "nothing yet"
    timeouts = [
        method["methodIntegration"]["timeoutInMillis"]
        for resource in scene.plane.deployed(scene.placement.rest_api_id, "live")["resources"].values()
        for verb, method in resource.get("resourceMethods", {}).items()
        if (resource["path"], verb) == ("/orders", "GET")
    ]
    return "the new API" if timeouts == [5_000] or scene.api == orders() else "the former API"


def doubled(plane: ControlPlane) -> list[str]:
    """What is there twice."""
    found = [f"{len(plane.apis)} REST APIs"] if len(plane.apis) > 1 else []
    for api in plane.apis.values():
        names = Counter(one["name"] for one in api["validators"].values())
        found += [f"validator {name}" for name, number in names.items() if number > 1]
    for statements in plane.functions.values():
        arns = Counter(one["Condition"]["ArnLike"]["AWS:SourceArn"] for one in statements)
        found += [f"permission {arn}" for arn, number in arns.items() if number > 1]
    return found


def row_of(scene: Scene, one: Fault) -> str:
    """The row of a fault, from a run of it."""
    random.seed(1)  # the jitter
    if one.deployed:
        assert scene.run(scene.queued(marker="gh-before")).state == State.DONE
        scene.plane.functions[OTHER] = []
        scene.api = changed()
    operation = one.happens(scene)
    scene.line.before, scene.line.after, scene.plane.expired = Line().before, Line().after, False
    assert operation.is_over
    calls, callers = list(operation.calls.all()), served_by(scene)
    again = sum(max(len(call.attempts) - 1, 0) for call in calls)
    found = sum(call.state == CallState.FOUND for call in calls)
    left = scene.plan()
    after = "nothing to do"
    if not left.is_empty:
        finished = scene.next()
        assert finished.state == State.DONE, finished.result
        after = f"finishes it: {len(left.calls)} calls"
    assert scene.plan().is_empty
    assert served_by(scene) == "the new API"
    [stage] = scene.plane.apis[scene.placement.rest_api_id]["stages"].values()
    live = scene.placement.live
    assert live is not None and (live.deployment_id, live.api) == (stage["deploymentId"], scene.api)
    assert doubled(scene.plane) == []
    words = operation.result.replace(scene.placement.rest_api_id or "-", "a1b2c3d4e5")
    words = re.sub(r"\"?http://127\.0\.0\.1:\d+[^\s\"]*\"?", "the endpoint", words)
    state = operation.get_state_display()
    return f"| {one.name} | {state}: {words} | {again} | {found} | {callers} | {after} |"


HEAD = """# What happens when a deployment fails on the way

Every line is a run of `tests/aws/test_faults.py`: a plan is applied against a control plane that refuses and throttles as AWS
does, and something fails. Made by `GATEHOUSE_WRITE_FAULTS=1 .venv/bin/python -m pytest tests/aws/test_faults.py`; a test fails
when a line is not what a run gives. After each, the next plan is applied: then the account is as the definition says, nothing is
there twice, and Gatehouse knows what is live.

A worker that is killed (`kill -9`) before and after each call of a plan of 40 calls, and between any two, is followed by another,
which finds out from the account what became of the call that was under way (`tests/aws/test_carrying_out.py`).

A database that is restarted (PostgreSQL, under two workers: `tests/postgresql/test_operations.py`) or locked (SQLite:
`tests/aws/test_worker.py`) while AWS carries out a call is waited for; the operation goes on as after a kill.

| what fails | how the operation ends, in its words | sent again | found done | callers get | the next apply |
|---|---|---|---|---|---|
"""


@pytest.mark.parametrize("one", FAULTS, ids=lambda one: one.happens.__name__)
def test_the_next_apply_finishes_it(scene: Scene, one: Fault) -> None:
    row = row_of(scene, one)
    if os.environ.get("GATEHOUSE_WRITE_FAULTS"):
        rows = (
            {line.split(" | ")[0]: line for line in PAGE.read_text().splitlines() if line.startswith("| ")}
            if PAGE.exists()
            else {}
        )
        rows[f"| {one.name}"] = row
        PAGE.write_text(HEAD + "".join(f"{rows[key]}\n" for each in FAULTS if (key := f"| {each.name}") in rows))
    assert row in PAGE.read_text().splitlines()


def test_the_page_has_these_faults_and_no_others() -> None:
    text = PAGE.read_text()
    assert text.startswith(HEAD)
    assert [line.split(" | ")[0] for line in text.removeprefix(HEAD).splitlines()] == [f"| {one.name}" for one in FAULTS]
