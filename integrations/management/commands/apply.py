"""`manage.py apply TEAM/SLUG --env E`: deploys. Exit 0: nothing to do; 2: applied; 1: not, or not all of it."""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction

from integrations.gateway.plan import Plan, to_json
from integrations.management.deployments import (
    CHANGES,
    FAILURE,
    NOTHING,
    add_definition,
    add_place,
    leaving,
    operation_json,
    place,
    plan_text,
    planned,
)
from integrations.management.files import Unusable, shown
from integrations.models import (
    ACTIVE,
    Binding,
    Busy,
    Operation,
    OperationCall,
    Placement,
    Purpose,
    Revision,
    State,
    record,
    workers,
)
from integrations.tasks import Carrier, Work


class Command(BaseCommand):
    """Plans, asks, and carries the plan out in this process; no worker needs to run."""

    help = "Deploy an integration to an environment. Exit 0: nothing to do; 2: applied; 1: failure."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """TEAM/SLUG, --env, --revision, --set, --plan, --auto-approve, --note, --as, --json."""
        add_place(parser)
        add_definition(parser)
        text = "apply only if the plan is still the one with this hash, as `plan` wrote it, or its beginning"
        parser.add_argument("--plan", metavar="HASH", dest="wanted", help=text)
        text = "do not ask; a protected environment still needs the approval of a second person"
        parser.add_argument("--auto-approve", action="store_true", help=text)
        parser.add_argument("--note", default="", help="a word for those who read the history")

    def handle(self, *args: Any, **options: Any) -> None:
        """Leave with the exit status above."""
        leaving(lambda: self.apply(options), self.stderr)

    def apply(self, options: dict[str, Any]) -> int:
        """The exit status."""
        placement, revision, person = place(options)
        self.quiet = bool(options["json"])
        self.finish_what_was_left(placement)
        values = dict(options["values"])
        plan = planned(placement, revision, person, values)
        where = f"{revision} in {placement.environment}"
        if options["wanted"] and not plan.hash.startswith(options["wanted"]):
            raise Unusable(
                f"The plan is {plan.hash[:12]} now, and not {shown(options['wanted'])[:12]}: the account, a value or the "
                "revision changed. Nothing was changed here. Plan again, and look at what is different."
            )
        if plan.is_empty:
            self.say(f"Nothing to do: {where} is as it should be.")
            return NOTHING
        self.say(plan_text(plan))
        if not options["auto_approve"]:
            self.ask(placement)
        operation = self.queued(placement, revision, plan, person, values, options["note"])
        if operation.state == State.PROPOSED:
            self.stderr.write(
                f"{placement.environment} is protected: operation {operation.pk} waits for the approval of a second person, on "
                f"the page of the team's deployments. Nothing was changed. {applied_by()}"
            )
            return FAILURE
        self.carry(operation)
        if options["json"]:
            self.stdout.write(operation_json(operation))
        return self.ended(operation)

    def finish_what_was_left(self, placement: Placement) -> None:
        """An operation that waits for a worker, or whose worker is gone, is carried out first."""
        for left in Operation.objects.filter(ACTIVE, placement=placement):
            self.say(f"{left} was left unfinished and comes first.")
            self.carry(left)
            self.ended(left)

    def ask(self, placement: Placement) -> None:
        """Let somebody at the terminal type the stage's name. Raises Unusable where nobody does."""
        name = placement.environment.stage_name
        try:
            answer = input(f"Type {name} to apply this: ")
        except EOFError:
            answer = ""
        if answer.strip() != name:
            raise Unusable("Nothing was changed. Type the name of the stage to apply, or add --auto-approve in a pipeline.")

    def queued(
        self,
        placement: Placement,
        revision: Revision,
        plan: Plan,
        person: User | None,
        values: dict[str, str],
        note: str,
    ) -> Operation:
        """The operation, with the values that were given kept in the environment; recorded. Raises Unusable."""
        environment, entry = placement.environment, placement.integration
        operation = Operation(
            placement=placement,
            purpose=Purpose(plan.purpose),
            revision=revision,
            definition=plan.definition,
            plan=to_json(plan),
            plan_hash=plan.hash,
            definition_hash=plan.definition_hash,
            bindings_hash=plan.bindings_hash,
            state_hash=plan.state_hash,
            requested_by=person,
            note=note,
        )
        subject = f"{entry.slug} {revision} in {environment}"
        detail = {"plan": plan.hash[:12], "for": operation.get_purpose_display().lower()}
        try:
            with transaction.atomic():
                for name, value in values.items():
                    Binding.objects.update_or_create(
                        environment=environment, integration=entry, name=name, defaults={"value": value}
                    )
                if values:
                    record(entry.team, person, "changed values of", f"{entry.slug} in {environment}", entry, names=sorted(values))
                if environment.protected:
                    operation.state = State.PROPOSED
                    operation.save()
                    record(entry.team, person, "asked to apply", subject, entry, **detail)
                else:
                    operation.queue()
                    record(entry.team, person, "applied", subject, entry, **detail)
        except Busy as busy:
            raise Unusable(str(busy)) from busy
        return operation

    def carry(self, operation: Operation) -> None:
        """Carry it out here; where a worker was faster, follow that one."""
        work = Here(operation, said=self.tell)
        before = {number: signal.signal(number, lambda *_: work.cancel()) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not operation.is_over:
                if (mine := Operation.claim(work.name, pk=operation.pk)) is not None:
                    work.carry(mine)
                else:
                    work.beat()
                    time.sleep(1)
                operation.refresh_from_db()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            work.sign_off()

    def tell(self, carrier: Carrier, call: OperationCall) -> None:
        """A call that is done."""
        count = len(carrier.plan.calls)
        self.say(f"  {call.position + 1:>{len(str(count))}}/{count} {call.title}")

    def ended(self, operation: Operation) -> int:
        """The exit status of an operation that is over, and its words."""
        if operation.state == State.DONE:
            self.say(operation.result)
            return CHANGES
        label = operation.get_state_display()
        self.stderr.write(operation.result if operation.result.startswith(label) else f"{label}: {operation.result}")
        return FAILURE

    def say(self, text: str) -> None:
        """For people; where standard output is for machines, on standard error."""
        (self.stderr if self.quiet else self.stdout).write("\n".join(map(shown, text.splitlines())))


def applied_by() -> str:
    """Who carries out what is approved later."""
    if workers().exists():
        return "A worker applies it then."
    return "No worker is running that would apply it then: start manage.py up, or manage.py worker."


class Here(Work):
    """A worker for one operation: Ctrl-C and SIGTERM let the call that is under way finish, and cancel the rest."""

    def __init__(self, operation: Operation, *, said: Callable[[Carrier, OperationCall], None]) -> None:
        super().__init__(said=said)
        self.operation, self.cancelled = operation, False

    def cancel(self) -> None:
        """Before the next call."""
        self.cancelled = True

    def beat(self) -> None:
        """Between calls, and while waiting."""
        if self.cancelled:
            self.operation.cancel(None)
            self.cancelled = False
        super().beat()
