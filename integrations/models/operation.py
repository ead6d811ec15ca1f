"""A plan that is carried out: asked for, approved, held by one worker at a time, each of its calls kept; and who works."""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from integrations.gateway.definition import Api, loads
from integrations.models.catalog import Revision
from integrations.models.deploy import Placement
from integrations.models.team import NAME_LENGTH

LEASE = timedelta(seconds=60)
"""For how long a worker holds an operation without a word. Longer than any single call to AWS may take: see aws.py."""

SEEN = timedelta(seconds=20)
"""A worker that has not been heard of for that long does not count as running."""


class Purpose(models.TextChoices):
    """What an operation is for, in the words of a button."""

    DEPLOY = "deploy", "Deploy"
    ADOPT = "adopt", "Adopt"
    ROLL_BACK = "roll_back", "Roll back"
    DESTROY = "destroy", "Destroy"


class State(models.TextChoices):
    """How far an operation has come."""

    PROPOSED = "proposed", "Waits for approval"
    QUEUED = "queued", "Waits for a worker"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


ACTIVE = Q(state__in=[State.QUEUED, State.RUNNING])
"""A worker has it, or will take it: nothing else may work on the same REST API."""

OVER = (State.DONE, State.REFUSED, State.CANCELLED, State.FAILED)
"""Nothing more will happen to it. REFUSED is over before the first call that changes anything."""


class Busy(Exception):
    """Another operation works on the same REST API: `by`. Nothing was queued."""

    def __init__(self, by: "Operation | None") -> None:
        who = f"{by.requested_by or 'Somebody'} has been applying a plan to it since {by.requested_at:%H:%M} UTC" if by else ""
        super().__init__(
            f"{who or 'Another plan has just been applied to it'}; nothing was queued. Wait until that is over, then plan again."
        )
        self.by = by


def a_marker() -> str:
    """What what an operation makes carries in AWS, so that it is known again: `gh-` and 16 hexadecimal digits."""
    return f"gh-{secrets.token_hex(8)}"


class Operation(models.Model):
    """A plan being carried out, once. The plan never changes; what became of it stands in its calls."""

    placement = models.ForeignKey(Placement, models.CASCADE, related_name="operations")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.DEPLOY)
    revision = models.ForeignKey(Revision, models.SET_NULL, null=True, related_name="+")
    """What the definition was taken from; None for a plan that needs none."""
    definition = models.TextField(blank=True)
    """Canonical JSON of what will be live, values in place; empty where nothing will be."""
    plan = models.JSONField(default=dict)
    """As `plan.to_json` writes it."""
    plan_hash = models.CharField(max_length=64)
    definition_hash = models.CharField(max_length=64, blank=True)
    bindings_hash = models.CharField(max_length=64, blank=True)
    state_hash = models.CharField(max_length=64, blank=True)
    """Of what the account held when the plan was made."""
    marker = models.CharField(max_length=20, unique=True, default=a_marker)
    lock = models.CharField(max_length=200, blank=True)
    """The REST API, as account/region/id; empty where it is to be made."""

    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=NAME_LENGTH, blank=True)
    approved_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    holder = models.CharField(max_length=NAME_LENGTH, blank=True)
    """The worker that has it, until `lease_expires`; by the clock of the database, as `heartbeat`."""
    heartbeat = models.DateTimeField(null=True, blank=True)
    lease_expires = models.DateTimeField(null=True, blank=True)
    takeovers = models.PositiveIntegerField(default=0)
    """How often a worker took it from one that had not been heard of."""
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    moved_at = models.DateTimeField(null=True, blank=True)
    """When the stage moved: from then on callers get the new API."""
    result = models.TextField(blank=True)
    """What happened, what was not changed, what to do; for people."""

    class Meta:
        ordering: ClassVar = ["-requested_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["placement"], condition=ACTIVE, name="one_active_operation_of_a_placement"),
            models.UniqueConstraint(fields=["lock"], condition=ACTIVE & ~Q(lock=""), name="one_active_operation_of_a_rest_api"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "requested_at"], name="operations_to_take")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.marker}"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in OVER

    @property
    def api(self) -> Api:
        """What will be live, as a value."""
        return loads(self.definition)

    def lock_of(self, rest_api_id: str) -> str:
        """What no two active operations may have in common."""
        environment = self.placement.environment
        return f"{environment.account}/{environment.region}/{rest_api_id}"

    def queue(self) -> None:
        """Hand it to the workers, with its lock. Raises Busy, and leaves it as it was."""
        before, self.state = self.state, State.QUEUED
        if self.placement.rest_api_id:
            self.lock = self.lock_of(self.placement.rest_api_id)
        try:
            with transaction.atomic():
                self.save()
        except IntegrityError:
            self.state = State(before)
            raise Busy(self.rivals().first()) from None

    def rivals(self) -> "models.QuerySet[Operation]":
        """Active operations on the same placement or REST API."""
        same = Q(placement=self.placement) | (Q(lock=self.lock) & ~Q(lock=""))
        return Operation.objects.filter(ACTIVE & same).exclude(pk=self.pk).select_related("requested_by")

    def approve(self, by: User) -> None:
        """Let a proposed operation go to the workers. Whether this person may is for the policy. Raises Busy."""
        self.approved_by, self.approved_at = by, timezone.now()
        self.queue()

    def cancel(self, by: User | None) -> bool:
        """Stop it: at once where it has not begun, else before the next call. Whether there was anything to stop."""
        now = timezone.now()
        mine = Operation.objects.filter(pk=self.pk)
        asked = {"cancelled_by": by, "cancel_requested_at": now}
        words = "Cancelled before anything was called; nothing was changed."
        over = {"state": State.CANCELLED, "finished_at": now, "result": words, **asked}
        done = mine.filter(state__in=[State.PROPOSED, State.QUEUED], started_at=None).update(**over)
        done = done or mine.filter(ACTIVE, cancel_requested_at=None).update(**asked)
        self.refresh_from_db()
        return bool(done)

    # --- Held by a worker -------------------------------------------------------------------------

    @classmethod
    def claim(cls, worker: str, **only: Any) -> Self | None:
        """The next operation that waits, that is this worker's own, or whose worker has not been heard of for as long as its
        lease; now this worker's. `only`: of which it may be one."""
        free = Q(state=State.QUEUED) | Q(state=State.RUNNING, holder=worker)
        left = Q(state=State.RUNNING, lease_expires__lt=Now())
        lease = {"state": State.RUNNING, "holder": worker, "heartbeat": Now(), "lease_expires": Now() + LEASE}
        waiting = cls.objects.filter(free | left, **only).order_by("requested_at", "pk")
        for key in waiting.values_list("pk", flat=True)[:10]:
            this = cls.objects.filter(pk=key)
            if this.filter(free).update(**lease) or this.filter(left).update(**lease, takeovers=F("takeovers") + 1):
                return cls.objects.select_related("placement__environment__team", "placement__integration").get(pk=key)
        return None

    def renew(self, worker: str) -> bool:
        """Extend the lease; False where this worker has lost it, and may not call anything more."""
        mine = Operation.objects.filter(pk=self.pk, holder=worker, state=State.RUNNING)
        return bool(mine.update(heartbeat=Now(), lease_expires=Now() + LEASE))

    def release(self, worker: str) -> None:
        """Give it back unfinished: the next worker goes on with it at once."""
        mine = Operation.objects.filter(pk=self.pk, holder=worker, state=State.RUNNING)
        mine.update(state=State.QUEUED, holder="", lease_expires=None)

    def finish(self, worker: str, state: State, result: str) -> bool:
        """Write how it ended; False where this worker has lost it meanwhile."""
        self.state, self.result, self.finished_at = state, result, timezone.now()
        mine = Operation.objects.filter(pk=self.pk, holder=worker, state=State.RUNNING)
        return bool(mine.update(state=state, result=result, finished_at=self.finished_at, holder="", lease_expires=None))


class CallState(models.TextChoices):
    """What is known of a call."""

    WAITING = "waiting", "Waits"
    STARTED = "started", "Running"
    """It was sent, or was about to be: whether AWS did it is found out there."""
    DONE = "done", "Done"
    FOUND = "found", "Found done"
    """Its answer was lost, and what it makes was found in the account."""
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Not called"


class OperationCall(models.Model):
    """One call of an operation: written before it is sent, and again when its answer is there."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="calls")
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=1200, blank=True)
    """What it is about, in words: `POST /orders`, `Stage live`."""
    service = models.CharField(max_length=20)
    operation_name = models.CharField(max_length=80)
    """boto3's: put_integration."""
    parameters = models.JSONField(default=dict)
    """As they were sent; as planned until then."""
    state = models.CharField(max_length=10, choices=CallState, default=CallState.WAITING)
    attempts = models.JSONField(default=list)
    """One object for each time that it was sent: at, by, and once answered ended, status, request_id, code, message, waits_s."""
    answer = models.JSONField(default=dict)
    """What later calls may refer to: the plain values at the top of the answer, long ones cut."""
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["operation", "position"], name="one_call_at_a_position")]

    def __str__(self) -> str:
        return f'"{self.title}" ({self.operation_name})'

    @property
    def request_id(self) -> str:
        """AWS's number of the last answered attempt."""
        return next((attempt["request_id"] for attempt in reversed(self.attempts) if attempt.get("request_id")), "")


class Worker(models.Model):
    """A process that carries out operations."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    """host:process:when, unlike any other's."""
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    version = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return self.name


def workers() -> "models.QuerySet[Worker]":
    """Those that run: heard of lately, by the clock of the database."""
    return Worker.objects.filter(seen_at__gt=Now() - SEEN)


def log_of(calls: Iterable[OperationCall]) -> list[dict[str, Any]]:
    """What was sent and answered, in the order of time: each attempt with the call that it belongs to."""
    lines = [{"call": call, **attempt} for call in calls for attempt in call.attempts]
    return sorted(lines, key=lambda line: str(line["at"]))
