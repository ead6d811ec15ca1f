"""What plan, apply and drift have in common: where to deploy from a pipeline, and a plan on a terminal."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404

from integrations.aws import AwsError
from integrations.deployment import plan_of_revision
from integrations.gateway.plan import Plan, PlanError, to_json
from integrations.management.commands.export import find
from integrations.management.files import Unusable, Writes, a_value, shown
from integrations.models import Environment, Operation, Placement, Revision
from integrations.policy import get_membership

NOTHING, FAILURE, CHANGES = 0, 1, 2
"""Exit codes, as Terraform's detailed ones."""


def add_place(parser: ArgumentParser) -> None:
    """TEAM/SLUG, --env, --as and --json."""
    parser.add_argument("integration", metavar="TEAM/SLUG")
    parser.add_argument("--env", required=True, metavar="ENVIRONMENT", help="an environment of the team, by its short name")
    parser.add_argument("--as", dest="person", metavar="USERNAME", help="who does it: a member who may apply; recorded")
    parser.add_argument("--json", action="store_true", help="write JSON to standard output instead of text")


def add_definition(parser: ArgumentParser) -> None:
    """--revision and --set."""
    text = "a number, latest, or published (the default): the one published last"
    parser.add_argument("--revision", default="published", metavar="REVISION", help=text)
    text = "the value of a parameter for this integration there; may be repeated. `apply` keeps it in the environment"
    parser.add_argument("--set", type=a_value, action="append", default=[], metavar="NAME=VALUE", dest="values", help=text)


def place(options: Mapping[str, Any]) -> tuple[Placement, Revision, User | None]:
    """Where to deploy, what, and who asks. Raises Unusable."""
    integration, revision = find(options["integration"], options.get("revision", "latest"))
    environment = Environment.objects.filter(team=integration.team, slug=options["env"]).select_related("team").first()
    if environment is None:
        known = ", ".join(Environment.objects.filter(team=integration.team).values_list("slug", flat=True))
        has = f"It has {known}." if known else "It has none yet: make one in the team's settings."
        raise Unusable(f"--env {shown(options['env'])}: {integration.team} has no such environment. {has}")
    person = None
    if options["person"]:
        person = User.objects.filter(username=options["person"], is_active=True).first()
        try:
            get_membership(person or User(), integration.team.slug, may="apply")
        except (Http404, PermissionDenied) as reason:
            raise Unusable(f"--as {shown(options['person'])}: {reason}") from reason
    placement, _ = Placement.objects.get_or_create(environment=environment, integration=integration)
    placement.environment, placement.integration = environment, integration
    return placement, revision, person


def planned(placement: Placement, revision: Revision, person: User | None, values: Mapping[str, str]) -> Plan:
    """The plan as it is now. Raises Unusable."""
    environment = placement.environment
    if environment.protected and revision.published_at is None:
        raise Unusable(f"{environment} takes published revisions only, and {revision} is none. Publish it first.")
    return plan_of_revision(placement, revision, called(person), values)[0]


def called(person: User | None) -> str:
    """How AWS's trail names who asks."""
    return person.username if person else "pipeline"


def leaving(does: Callable[[], int], stderr: Writes) -> None:
    """Do it, and leave with its exit code; with 1, and what to do, where it cannot be done."""
    try:
        status = does()
    except PlanError as error:
        for reason in error.reasons:
            stderr.write(reason)
        status = FAILURE
    except (Unusable, AwsError) as error:
        stderr.write(str(error))
        status = FAILURE
    except DatabaseError:
        stderr.write("The catalog's database does not answer as it should. Start it with manage.py up, then try again.")
        status = FAILURE
    if status:
        sys.exit(status)


def plan_text(plan: Plan) -> str:
    """A plan for a terminal: what changes by route, what to know, what it takes."""
    marks = {"add": "+", "change": "~", "remove": "-"}
    lines = []
    for route, changes in plan.routes.items():
        lines.append(route or "The API")
        for change in changes:
            sides = [side for side in (change.before, change.after) if side]
            lines.append(f"  {marks[change.kind]} {change.label}: {' → '.join(map(short, sides)) or '-'}")
    lines += [f"{'Warning' if warning.level == 'warning' else 'Note'}: {warning.message}" for warning in plan.warnings]
    lines += [f"This takes away: {planned.words}" for planned in plan.destructive]
    count = len(plan.calls)
    calls = f"{count} call{'' if count == 1 else 's'}, at least {plan.forecast.seconds:.0f} s"
    lines.append(f"{calls}. Account {plan.account}, {plan.region}, stage {plan.stage_name}. Plan {plan.hash[:12]}.")
    return "\n".join(map(shown, lines))


def short(text: str) -> str:
    """A value on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def plan_json(plan: Plan, **more: Any) -> str:
    """A plan for machines: as it is kept, with its hash."""
    return json.dumps({"hash": plan.hash, **to_json(plan), **more}, indent=2, ensure_ascii=False)


def operation_json(operation: Operation) -> str:
    """An operation for machines: how it ended, and each call with its request id."""
    calls = [
        {
            "operation": f"{call.service}.{call.operation_name}",
            "about": call.title,
            "state": call.state,
            "request_id": call.request_id,
            "attempts": len(call.attempts),
        }
        for call in operation.calls.all()
    ]
    ended = {"marker": operation.marker, "state": operation.state, "result": operation.result}
    return json.dumps({"hash": operation.plan_hash, **ended, "calls": calls}, indent=2, ensure_ascii=False)
