"""A worker takes what waits, outlives the database and faults of ours, and lets go of what is over."""

import sqlite3
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from integrations.deployment import plan_away, plan_back_to
from integrations.gateway.plan import Plan
from integrations.models import Operation, State, Worker, workers
from integrations.tasks import Work
from tests.aws.deployments import FUNCTION, Scene, queued

pytestmark = pytest.mark.usefixtures("scene")


class UntilIdle(Work):
    """A worker that ends once nothing waits."""

    def tidy(self) -> None:
        super().tidy()
        self.stop()


def test_it_takes_what_waits_says_that_it_lives_and_signs_off(scene: Scene) -> None:
    operation, seen = scene.queued(), list[str]()
    scene.line.before = lambda service, name, parameters: seen.append(name)

    class Seen(UntilIdle):
        def tidy(self) -> None:
            seen.extend(f"{worker.name} runs" for worker in workers())
            super().tidy()

    work = Seen()
    work.forever()
    operation.refresh_from_db()
    assert (operation.state, operation.holder) == (State.DONE, "")
    assert seen[0] == "get_caller_identity"
    assert seen[-1] == f"{work.name} runs"
    assert not Worker.objects.exists()


def test_a_database_that_is_locked_is_waited_for(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL is restarted in tests/postgresql")
    operation, held = scene.queued(), list[threading.Timer]()

    def lock(service: str, name: str, parameters: dict[str, Any]) -> None:
        """Held by somebody else from the third resource on, for a second."""
        if name == "create_resource" and parameters["pathPart"] == "health" and not held:
            other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, check_same_thread=False)
            other.execute("BEGIN IMMEDIATE")
            held.append(threading.Timer(1, other.close))
            held[0].start()

    scene.line.after = lock
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=50")
    UntilIdle().forever()
    held[0].join()
    operation.refresh_from_db()
    assert operation.state == State.DONE
    assert operation.result == ("40 calls, 1 found done after their answer was lost. Read back: the account is as the plan said.")
    assert [record.error for record in caplog.records if record.msg == "database"] == ["database is locked"]  # type: ignore[attr-defined]


def test_a_fault_of_ours_ends_the_operation_and_not_the_worker(scene: Scene) -> None:
    operation = scene.queued()
    plan = dict(operation.plan, calls=[dict(call) for call in operation.plan["calls"]])
    plan["calls"][3]["parameters"] = {"restApiId": {"ref": ["api", "nothing"]}}
    Operation.objects.update(plan=plan)
    UntilIdle().forever()
    operation.refresh_from_db()
    assert operation.state == State.FAILED
    assert operation.result.startswith("Gatehouse failed (")
    assert "Stage live was not moved: callers get what they got before. 3 of 40 calls are done" in operation.result


def test_an_account_that_is_another_is_refused_before_anything_is_read(scene: Scene) -> None:
    operation = scene.queued()
    scene.plane.account = "111122223333"
    UntilIdle().forever()
    operation.refresh_from_db()
    assert (operation.state, operation.calls.count()) == (State.REFUSED, 0)
    assert operation.result.startswith("The account could not be reached: The credentials lead into account 111122223333 as ")
    assert operation.result.endswith("Nothing was changed.")


def test_what_is_over_is_let_go(scene: Scene) -> None:
    long_ago = timezone.now() - timedelta(days=8)
    old = Operation.objects.create(placement=scene.placement, plan_hash="0", state=State.PROPOSED, requested_at=long_ago)
    new = Operation.objects.create(placement=scene.placement, plan_hash="0", state=State.PROPOSED, marker="gh-new")
    Worker.objects.create(name="gone", seen_at=timezone.now() - timedelta(days=2))
    Worker.objects.create(name="here")
    UntilIdle().forever()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == (State.REFUSED, State.PROPOSED)
    assert old.result == "Nobody approved it within 7 days; nothing was called. Plan again."
    assert [worker.name for worker in Worker.objects.all()] == ["here"]


def test_it_ends_with_the_process_that_started_it(scene: Scene) -> None:
    operation = scene.queued()
    Work(parent=1 << 30).forever()
    operation.refresh_from_db()
    assert operation.state == State.QUEUED


def applied(scene: Scene, plan: Plan) -> Operation:
    """A plan, carried out by a worker."""
    operation = queued(scene.placement, plan, marker=f"gh-{plan.purpose}-{plan.hash[:4]}")
    UntilIdle().forever()
    operation.refresh_from_db()
    scene.placement.refresh_from_db()
    assert operation.state == State.DONE, operation.result
    return operation


def test_a_roll_back_moves_the_stage_in_one_call_and_a_destroy_leaves_nothing(scene: Scene) -> None:
    applied(scene, scene.plan())
    first = scene.placement.live
    assert first is not None
    scene.api = replace(scene.api, routes=scene.api.routes[:2])
    applied(scene, scene.plan())
    assert scene.placement.live != first

    plan, _ = plan_back_to(scene.placement, first, "ada")
    back = applied(scene, plan)
    assert [call.operation_name for call in back.calls.all()][-1] == "update_stage"
    assert scene.placement.live == first
    paths = {one["path"] for one in scene.plane.deployed(scene.placement.rest_api_id, "live")["resources"].values()}
    assert "/health/live" in paths

    plan, _ = plan_away(scene.placement, "ada")
    applied(scene, plan)
    assert scene.placement.live is None
    assert (scene.placement.rest_api_id, scene.plane.apis) == ("", {})
    assert scene.plane.functions[FUNCTION] == []
