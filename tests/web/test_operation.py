"""An operation has one worker at a time, and a REST API one operation."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from integrations.models import (
    Busy,
    CallState,
    Environment,
    Operation,
    OperationCall,
    Placement,
    State,
    Team,
    Worker,
    workers,
)
from integrations.models import Integration as Entry


@pytest.fixture
def placement(team: Team, books: Entry) -> Placement:
    environment = Environment.objects.create(
        team=team, slug="prod", name="prod", account="444455556666", region="eu-central-1", stage_name="live"
    )
    return Placement.objects.create(environment=environment, integration=books, rest_api_id="a1b2c3d4e5")


def asked(placement: Placement, by: User | None = None) -> Operation:
    operation = Operation(placement=placement, plan_hash="0" * 64, requested_by=by)
    operation.queue()
    return operation


def test_the_first_in_the_queue_is_taken_once(placement: Placement) -> None:
    operation = asked(placement)
    assert Operation.claim("a") == operation
    assert Operation.claim("b") is None
    operation.refresh_from_db()
    assert (operation.state, operation.holder, operation.takeovers) == (State.RUNNING, "a", 0)


def test_a_lease_that_ran_out_is_taken_over_and_lost_to_the_former_worker(placement: Placement) -> None:
    operation = asked(placement)
    Operation.claim("a")
    assert operation.renew("a")
    Operation.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))

    taken = Operation.claim("b")
    assert taken is not None
    assert (taken.holder, taken.takeovers) == ("b", 1)
    assert not operation.renew("a")
    assert not operation.finish("a", State.DONE, "Said by one that lost it.")
    operation.refresh_from_db()
    assert (operation.state, operation.result) == (State.RUNNING, "")
    assert operation.finish("b", State.DONE, "Applied.")
    assert Operation.claim("c") is None


def test_a_released_operation_is_taken_at_once(placement: Placement) -> None:
    operation = asked(placement)
    Operation.claim("a")
    operation.release("b")
    assert Operation.claim("b") is None
    operation.release("a")
    assert Operation.claim("b") == operation


def test_a_second_operation_on_a_placement_is_refused_with_who_and_since_when(
    placement: Placement, editor: User, books: Entry
) -> None:
    first = asked(placement, editor)
    with pytest.raises(Busy) as refused:
        asked(placement)
    assert str(refused.value) == (
        f"ada has been applying a plan to it since {first.requested_at:%H:%M} UTC; nothing was queued. "
        "Wait until that is over, then plan again."
    )
    assert Operation.objects.count() == 1
    Operation.claim("a")
    first.finish("a", State.FAILED, "")
    asked(placement)


def test_so_is_one_from_elsewhere_on_the_same_rest_api(placement: Placement, team: Team, editor: User) -> None:
    other = Entry(team=team, slug="other", created_by=editor)
    other.save_revision(placement.integration.latest.api, editor)
    asked(placement)
    apart = Placement.objects.create(environment=placement.environment, integration=other, rest_api_id="f6g7h8i9j0")
    asked(apart)
    placed = Environment.objects.create(
        team=team, slug="test", name="test", account="444455556666", region="eu-central-1", stage_name="test"
    )
    with pytest.raises(Busy):
        asked(Placement.objects.create(environment=placed, integration=other, rest_api_id="a1b2c3d4e5"))


def test_what_waits_for_approval_holds_nobody_up(placement: Placement, editor: User) -> None:
    waits = Operation.objects.create(placement=placement, plan_hash="0" * 64, state=State.PROPOSED)
    assert Operation.claim("a") is None
    running = asked(placement)
    with pytest.raises(Busy):
        waits.approve(editor)
    waits.refresh_from_db()
    assert (waits.state, waits.approved_by) == (State.PROPOSED, None)
    assert running.cancel(editor)
    waits.approve(editor)
    assert Operation.claim("a") == waits


def test_cancelling_ends_what_has_not_begun_and_asks_what_has(placement: Placement, editor: User) -> None:
    waits = asked(placement)
    assert waits.cancel(editor)
    assert (waits.state, waits.cancelled_by) == (State.CANCELLED, editor)
    assert waits.result == "Cancelled before anything was called; nothing was changed."
    assert not waits.cancel(editor)

    runs = asked(placement)
    Operation.claim("a")
    assert runs.cancel(editor)
    assert (runs.state, runs.cancelled_by) == (State.RUNNING, editor)
    assert runs.cancel_requested_at is not None


def test_a_worker_runs_while_it_is_heard_of(db: None) -> None:
    Worker.objects.create(name="here")
    Worker.objects.create(name="gone", seen_at=timezone.now() - timedelta(minutes=1))
    assert [worker.name for worker in workers()] == ["here"]


def test_calls_are_let_go_after_half_a_year_and_what_is_not_known_is_kept(placement: Placement) -> None:
    def over(days: int) -> Operation:
        finished = timezone.now() - timedelta(days)
        operation = Operation.objects.create(placement=placement, plan_hash="0", state=State.FAILED, finished_at=finished)
        for position, state in enumerate((CallState.DONE, CallState.STARTED)):
            OperationCall.objects.create(operation=operation, position=position, state=state, title=f"{days} {state}")
        return operation

    operations = [over(179), over(181)]
    call_command("purge", stdout=io.StringIO())
    assert sorted(OperationCall.objects.values_list("title", flat=True)) == ["179 done", "179 started", "181 started"]
    assert Operation.objects.count() == len(operations)
