"""Operations carried out: a queued one in, calls to AWS out, each written down before it is sent and when it is answered.

Any number of workers share the database alone. One holds an operation for as long as it renews its lease; when it ends in the
middle, another goes on, and learns from the account what became of the call whose answer nobody has (`recovery`). Apart from that
call nothing is sent twice, and nothing that was planned is left out.
"""

import logging
import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.models.functions import Now
from django.utils import timezone

from configurator.logs import OUTAGES
from integrations import recovery
from integrations.aws import Account, AwsError, connect
from integrations.deployment import applied, bindings_hash, remember
from integrations.gateway.account import AccountState
from integrations.gateway.plan import Phase, PlanError, PlannedCall, functions_of, make_plan
from integrations.gateway.plan import from_json as plan_from_json
from integrations.gateway.plan.things import settled
from integrations.gateway.rates import Pace
from integrations.models import CallState, Operation, OperationCall, Purpose, State, Worker

log = logging.getLogger("gatehouse.worker")

TRIES, BUSY_TRIES = 8, 40
"""How often a call is sent before it is given up, when AWS does not answer, and when it is busy: some minutes."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0
"""Seconds, before the second try and at most: doubled each time, then a random part of it (full jitter)."""
RENEWED_EVERY = 5.0
"""Seconds of waiting after which the lease is renewed."""
TAKEOVERS = 5
"""A call that so many workers ended in is not tried by another."""
POLL, OUTAGE, BEAT, TIDY = 1.0, 2.0, 5.0, 600.0
"""Seconds between looks at the queue, before the next try after an outage of the database, between signs of life, and tidying."""
FORGOTTEN, APPROVED_WITHIN = timedelta(days=1), timedelta(days=7)
EXCERPT = 2_000
"""Characters that are kept of a text in an answer."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds of a clock that never goes back, and how to wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


MOVED = {
    Purpose.DEPLOY: "has moved: callers get the new API",
    Purpose.ADOPT: "has moved: callers get the new method",
    Purpose.ROLL_BACK: "has moved: callers get the former API",
    Purpose.DESTROY: "has changed: callers no longer get what goes",
}
"""Purpose → what is so for callers once the stage's call is done."""


class Ended(Exception):
    """The operation is over: its state, and its words."""

    def __init__(self, state: State, words: str) -> None:
        super().__init__(words)
        self.state, self.words = state, words


class Lost(Exception):
    """Another worker has it: this one may not call anything more."""


class Stopped(Exception):
    """This worker has been told to end: another goes on."""


@dataclass
class Carrier:
    """Carries out one operation, as one worker that holds it."""

    operation: Operation
    worker: str
    enter: Callable[[Operation], Account] = lambda operation: entered(operation)
    """The way into the environment's account, once it is sure to be the one. Raises AwsError."""
    stopping: Callable[[], bool] = lambda: False
    beat: Callable[[], None] = lambda: None
    """Called whenever the lease is renewed: the worker lives."""
    said: "Callable[[Carrier, OperationCall], None]" = lambda carrier, call: None
    """Called when a call is done."""
    pace: Pace = field(default_factory=Pace)
    clock: Clock = Clock()
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The name of a call → what later ones refer to of its answer."""

    def run(self) -> None:
        """Until it is over, or this worker no longer has it."""
        try:
            self.plan = plan_from_json(self.operation.plan)
            self.account = self.connected()
            rows = self.begun()
            for planned, row in zip(self.plan.calls, rows, strict=True):
                self.carry(planned, row)
            raise Ended(State.DONE, self.success())
        except Ended as end:
            self.operation.finish(self.worker, end.state, end.words)
        except Stopped:
            self.operation.release(self.worker)
        except Lost:
            log.warning("lease lost", extra={"operation": self.operation.pk, "worker": self.worker})

    # --- Beginning ------------------------------------------------------------------------------------

    def connected(self) -> Account:
        """The account; where it cannot be reached, nothing was changed, or nothing more."""
        operation = self.operation
        if operation.takeovers >= TAKEOVERS:
            words = f"{operation.takeovers} workers have ended at the same call."
            raise Ended(State.FAILED, f"{words} {self.left()} Look at the server's log, then plan again.")
        try:
            return self.enter(operation)
        except AwsError as error:
            raise self.failure(f"The account could not be reached: {error}") from error

    def begun(self) -> list[OperationCall]:
        """The rows of its calls: those that an earlier worker wrote, else new ones, once the plan still holds."""
        operation = self.operation
        if operation.started_at is None:
            self.refuse_another_plan()
            with transaction.atomic():
                self.hold()
                operation.started_at = timezone.now()
                operation.save(update_fields=["started_at"])
                rows = [as_row(operation, position, planned) for position, planned in enumerate(self.plan.calls)]
                OperationCall.objects.bulk_create(rows)
        return list(operation.calls.order_by("position"))

    def refuse_another_plan(self) -> None:
        """Compare what the plan was made of with what there is now. Raises Ended."""
        try:
            state = self.read()
        except AwsError as error:
            words = f"The account could not be read again: {error} Nothing was changed."
            raise Ended(State.REFUSED, words) from error
        same = {
            "The account": state.digest == self.plan.state_hash,
            "The values of the environment": bindings_hash(self.operation.placement) == self.plan.bindings_hash,
        }
        changed = [part for part, is_same in same.items() if not is_same]
        if changed or self.plan.hash != self.operation.plan_hash:
            who = " and ".join(changed) if changed else "The plan"
            words = f"{who} changed after the plan was made; nothing was changed here. Plan again, and look at what is different."
            raise Ended(State.REFUSED, words)

    def read(self) -> AccountState:
        """What the account holds, as far as the plan read it. Raises AwsError."""
        placement, plan = self.operation.placement, self.plan
        nothing = AccountState(account=plan.account, region=plan.region)
        functions = functions_of(self.operation.api, nothing) if self.operation.definition else ()
        return self.account.account_state(placement.rest_api_id, stage_name=plan.stage_name, functions=functions)

    def read_back(self) -> str:
        """Whether the account is as the plan said, in words."""
        operation, placement = self.operation, self.operation.placement
        if not operation.definition or operation.purpose not in (Purpose.DEPLOY, Purpose.ADOPT):
            return ""
        try:
            state = self.read()
            left = make_plan(
                operation.api,
                state,
                values={},
                stage_name=self.plan.stage_name,
                applied=applied(placement),
                last=self.plan,
                whole=placement.whole,
            )
        except (AwsError, PlanError) as error:
            return f" It could not be read back: {error}"
        remember(placement, state)
        if left.is_empty:
            return " Read back: the account is as the plan said."
        names = ", ".join(sorted({f"{change.route} {change.label}".strip() for change in left.changes})[:5])
        return f" Read back: AWS did not keep all of it ({names or left.calls[0].words}). Plan again to see the differences."

    # --- Calls ------------------------------------------------------------------------------------------

    def carry(self, planned: PlannedCall, row: OperationCall) -> None:
        """One call, unless it is done already."""
        if row.state not in (CallState.DONE, CallState.FOUND):
            self.between()
            self.call(planned, row)
        if planned.call.name:
            self.answers[planned.call.name] = row.answer

    def between(self) -> None:
        """What may stop an operation between two calls."""
        self.hold()
        self.operation.refresh_from_db(fields=["cancel_requested_at", "cancelled_by"])
        if self.operation.cancel_requested_at is not None:
            who = self.operation.cancelled_by
            words = f"Cancelled{f' by {who}' if who else ''}. {self.left()}"
            raise Ended(State.CANCELLED, f"{words} Plan again to finish it, or plan an earlier revision to take it back.")
        if self.stopping():
            raise Stopped

    def call(self, planned: PlannedCall, row: OperationCall) -> None:
        """Send it until it is answered. Raises Ended where it cannot be done."""
        plain = {key: settled(value, {}, self.answers) for key, value in planned.call.parameters.items()}
        row.parameters = recovery.marked(row.operation_name, plain, self.operation.marker)
        unknown, expired = row.state == CallState.STARTED, False
        number = 0
        while True:
            number += 1
            if unknown and (found := self.found(row)) is not None:
                return self.done(planned, row, found, CallState.FOUND)
            answer = self.sent(row)
            if not isinstance(answer, AwsError):
                return self.done(planned, row, answer, CallState.DONE)
            unknown = unknown or answer.is_unanswered
            if not answer.is_passing or (answer.is_expired and expired):
                found = self.found(row) if unknown else None
                return self.done(planned, row, found, CallState.FOUND) if found is not None else self.refused(row, answer)
            if number >= tries_after(answer):
                return self.given_up(row, answer, unknown)
            self.wait(row.attempts[-1]["waits_s"])
            if answer.is_expired:
                self.account, expired = self.connected(), True

    def sent(self, row: OperationCall) -> Mapping[str, Any] | AwsError:
        """Send it once; both that and what came of it are written down."""
        service, name = row.service, row.operation_name
        self.wait(self.pace.wait(service, name, self.clock.now()))
        row.attempts.append({"at": now_text(), "by": self.worker})
        row.state, row.started_at = CallState.STARTED, row.started_at or timezone.now()
        self.write(row, "attempts", "state", "started_at", "parameters")
        self.pace.take(service, name, self.clock.now())
        try:
            answer = self.account.perform(service, name, row.parameters)
        except AwsError as error:
            if error.is_throttled:
                self.pace.drain(service, name, self.clock.now())
            row.attempts[-1] |= {
                "ended": now_text(),
                "status": error.status,
                "request_id": error.request_id,
                "code": error.code,
                "message": str(error)[:EXCERPT],
                "waits_s": self.backoff(len(row.attempts), error) if error.is_passing else 0.0,
            }
            self.write(row, "attempts")
            return error
        metadata = answer.get("ResponseMetadata", {})
        row.attempts[-1] |= {
            "ended": now_text(),
            "status": metadata.get("HTTPStatusCode", 200),
            "request_id": metadata.get("RequestId", ""),
        }
        return answer

    def backoff(self, number: int, error: AwsError) -> float:
        """Seconds before the next try, after so many."""
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2**number)
        return round(max(error.retry_after, random.uniform(FIRST_WAIT / 2, longest)), 2)

    def done(self, planned: PlannedCall, row: OperationCall, answer: Mapping[str, Any], state: CallState) -> None:
        """Write down that it was done, and what follows from it: in one transaction."""
        row.answer = excerpt(answer)
        row.state, row.finished_at = state, timezone.now()
        with transaction.atomic():
            self.write(row, "answer", "attempts", "state", "finished_at")
            self.follow(planned, row)
        self.said(self, row)

    def follow(self, planned: PlannedCall, row: OperationCall) -> None:
        """What the catalog knows from this call on."""
        operation, placement = self.operation, self.operation.placement
        if operation.takeovers:
            operation.takeovers = 0
            operation.save(update_fields=["takeovers"])
        if row.operation_name in ("create_rest_api", "delete_rest_api"):
            placement.rest_api_id = str(row.answer.get("id", ""))
            placement.save(update_fields=["rest_api_id"])
            operation.lock = operation.lock_of(placement.rest_api_id) if placement.rest_api_id else ""
            operation.save(update_fields=["lock"])
        if planned.phase is Phase.STAGE or row.operation_name == "delete_rest_api":
            operation.moved_at = operation.moved_at or timezone.now()
            operation.save(update_fields=["moved_at"])
            self.moved(row)

    def moved(self, row: OperationCall) -> None:
        """Callers get something else from now on: keep what is live."""
        operation, placement = self.operation, self.operation.placement
        if operation.purpose == Purpose.DESTROY:
            placement.live = None
            placement.forget()
        elif deployment := recovery.deployment_of(row):
            recovery.keep_live(operation, deployment)

    def found(self, row: OperationCall) -> recovery.Answer | None:
        """What AWS did of a call that was sent and not answered. Where even that cannot be asked, the operation ends."""
        try:
            return recovery.find(self.ask, row.service, row.operation_name, row.parameters, self.operation.marker)
        except AwsError as error:
            raise self.failure(f"AWS gave no answer to {row}, and what became of it could not be read: {error}") from error

    def ask(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Read something, paced and patient; None where there is no such thing."""
        number = 0
        while True:
            number += 1
            self.wait(self.pace.wait(service, operation, self.clock.now()))
            self.pace.take(service, operation, self.clock.now())
            try:
                return self.account.perform(service, operation, parameters)
            except AwsError as error:
                if error.is_missing:
                    return None
                if number >= tries_after(error) or not error.is_passing:
                    raise
                self.wait(self.backoff(number, error))
                if error.is_expired:
                    self.account = self.connected()

    # --- Holding it -------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Renew the lease. Raises Lost."""
        if not self.operation.renew(self.worker):
            raise Lost
        self.beat()

    def wait(self, seconds: float) -> None:
        """Wait, and keep the lease. Raises Stopped when this worker is to end meanwhile."""
        while seconds > 0:
            part = min(seconds, RENEWED_EVERY)
            self.clock.sleep(part)
            if self.stopping():
                raise Stopped
            seconds -= part
            if seconds > 0:
                self.hold()

    def write(self, row: OperationCall, *fields: str) -> None:
        """Save a row, as the one who holds the operation."""
        self.hold()
        row.save(update_fields=fields)

    # --- Words ------------------------------------------------------------------------------------------

    def refused(self, row: OperationCall, error: AwsError) -> None:
        """AWS does not do it, now or later."""
        row.state, row.error, row.finished_at = CallState.FAILED, str(error), timezone.now()
        self.write(row, "state", "error", "finished_at")
        raise self.failure(f"AWS refused {row}: {error}")

    def given_up(self, row: OperationCall, error: AwsError, unknown: bool) -> None:
        """AWS was busy, or did not answer, for as long as this was tried."""
        row.error = str(error)
        if not unknown:
            row.state, row.finished_at = CallState.FAILED, timezone.now()
        self.write(row, "state", "error", "finished_at")
        raise self.failure(f"{row} was sent {len(row.attempts)} times: {error}{'' if unknown else ' It was not done.'}")

    def failure(self, reason: str) -> Ended:
        """The end, with what it means for callers and for the next plan."""
        if self.operation.started_at is None:
            return Ended(State.REFUSED, f"{reason} Nothing was changed.")
        return Ended(State.FAILED, f"{reason} {self.left()} Mend that, then plan again: the next plan begins from what is there.")

    def left(self) -> str:
        """What callers get, and what has been done and stays."""
        operation = self.operation
        stage = f"stage {operation.placement.environment.stage_name}"
        rows = list(operation.calls.all())
        done = sum(row.state in (CallState.DONE, CallState.FOUND) for row in rows)
        calls = f"{done} of {len(rows)} calls {'is' if done == 1 else 'are'} done"
        unknown = next((row for row in rows if row.state == CallState.STARTED), None)
        if unknown is not None and self.plan.calls[unknown.position].phase is Phase.STAGE:
            return f"Whether {stage} moved is not known: the next plan finds out. {calls}."
        if operation.moved_at is not None:
            return f"{stage.capitalize()} {MOVED[Purpose(operation.purpose)]}. {calls}; what follows that is not."
        maybe = f"Whether {unknown} was done is not known: the next plan finds out. " if unknown is not None else ""
        if not done:
            return f"{maybe}{'Nothing else' if maybe else 'Nothing'} was changed."
        return (
            f"{maybe}{stage.capitalize()} was not moved: callers get what they got before. "
            f"{calls} and stay in the API's configuration, from which nobody is served."
        )

    def success(self) -> str:
        """What was done."""
        operation = self.operation
        rows = list(operation.calls.all())
        again = sum(len(row.attempts) - 1 for row in rows if row.attempts)
        found = sum(row.state == CallState.FOUND for row in rows)
        calls = f"{len(rows)} call{'' if len(rows) == 1 else 's'}"
        tries = f", {again} sent again" if again else ""
        lost = f", {found} found done after their answer was lost" if found else ""
        return f"{calls}{tries}{lost}.{self.read_back()}"


class Work:
    """A worker: takes operations one after the other, until it is told to stop."""

    def __init__(
        self, *, parent: int | None = None, said: Callable[[Carrier, OperationCall], None] = lambda carrier, call: None
    ) -> None:
        """`parent`: the process that it ends with. `said`: called when a call is done."""
        self.said = said
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.parent = parent
        self.pace = Pace()
        self.told_to_stop = threading.Event()
        self.seen = self.tidied = float("-inf")

    def stop(self) -> None:
        """Finish the call that is under way, and end."""
        self.told_to_stop.set()

    def stopping(self) -> bool:
        """Whether it is to end."""
        orphaned = self.parent is not None and os.getppid() != self.parent
        return orphaned or self.told_to_stop.is_set()

    def forever(self) -> None:
        """Until `stop`. An outage of the database is waited for."""
        while not self.stopping():
            try:
                self.beat()
                operation = Operation.claim(self.name)
                if operation is None:
                    self.tidy()
                    self.told_to_stop.wait(POLL)
                else:
                    self.carry(operation)
            except OUTAGES as error:
                log.error("database", extra={"worker": self.name, "error": str(error).strip()})
                self.seen = float("-inf")
                connections.close_all()
                self.told_to_stop.wait(OUTAGE)
        self.sign_off()
        connections.close_all()

    def sign_off(self) -> None:
        """It no longer runs."""
        with suppress(*OUTAGES):
            Worker.objects.filter(name=self.name).delete()

    def carry(self, operation: Operation) -> None:
        """One operation. A fault of ours ends it, with words, and not the worker."""
        log.info("operation taken", extra=self.about(operation))
        clock = Clock(sleep=self.told_to_stop.wait)
        carrier = Carrier(
            operation, self.name, stopping=self.stopping, beat=self.beat, said=self.said, pace=self.pace, clock=clock
        )
        try:
            carrier.run()
        except OUTAGES:
            raise
        except Exception as error:
            log.exception("operation failed", extra=self.about(operation))
            words = f"Gatehouse failed ({type(error).__name__}); its log says where. {carrier.left()} Tell whoever runs it."
            operation.finish(self.name, State.FAILED, words)
        log.info("operation left", extra=self.about(operation))

    def about(self, operation: Operation) -> dict[str, Any]:
        """What the log says with an event."""
        return {"operation": operation.pk, "worker": self.name, "state": str(operation.state)}

    def beat(self) -> None:
        """Say that this worker lives, where that was not said just now."""
        if time.monotonic() - self.seen >= BEAT:
            now = {"seen_at": Now(), "version": settings.VERSION}
            Worker.objects.update_or_create(name=self.name, defaults=now)
            self.seen = time.monotonic()

    def tidy(self) -> None:
        """Now and then: let go of workers that are gone, and of plans that nobody approved."""
        if time.monotonic() - self.tidied < TIDY:
            return
        self.tidied = time.monotonic()
        Worker.objects.filter(seen_at__lt=Now() - FORGOTTEN).delete()
        words = f"Nobody approved it within {APPROVED_WITHIN.days} days; nothing was called. Plan again."
        waits = Operation.objects.filter(state=State.PROPOSED, requested_at__lt=Now() - APPROVED_WITHIN)
        waits.update(state=State.REFUSED, finished_at=Now(), result=words)


def entered(operation: Operation) -> Account:
    """The account of an operation's environment, as who asked for it. Raises AwsError."""
    person = operation.requested_by.username if operation.requested_by else ""
    return connect(operation.placement.environment, person=person, operation=operation.marker)


def tries_after(error: AwsError) -> int:
    """How often a call is sent that ends like this."""
    return BUSY_TRIES if error.is_throttled or error.is_concurrent else TRIES


def as_row(operation: Operation, position: int, planned: PlannedCall) -> OperationCall:
    """A call that has not been sent."""
    call = planned.call
    return OperationCall(
        operation=operation,
        position=position,
        title=planned.words,
        service=call.service,
        operation_name=call.operation,
    )


def excerpt(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values at the top of an answer, long texts cut."""
    plain = {key: value for key, value in answer.items() if isinstance(value, str | int | float | bool)}
    return {key: value[:EXCERPT] if isinstance(value, str) else value for key, value in plain.items()}


def now_text() -> str:
    """Now, as ISO 8601 in UTC."""
    return timezone.now().isoformat(timespec="milliseconds")
