"""`manage.py plan TEAM/SLUG --env E`: what a deployment would change. Exit 0: nothing; 2: something; 1: there is no plan."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.management.deployments import (
    CHANGES,
    NOTHING,
    add_definition,
    add_place,
    leaving,
    place,
    plan_json,
    plan_text,
    planned,
)


class Command(BaseCommand):
    """Reads the account and changes nothing there."""

    help = "Show what deploying an integration to an environment would change there. Exit 0: nothing; 2: something; 1: failure."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """TEAM/SLUG, --env, --revision, --set, --as, --json."""
        add_place(parser)
        add_definition(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the plan; leave with the exit status above."""
        leaving(lambda: self.plan(options), self.stderr)

    def plan(self, options: dict[str, Any]) -> int:
        """The exit status."""
        placement, revision, person = place(options)
        plan = planned(placement, revision, person, dict(options["values"]))
        if options["json"]:
            self.stdout.write(plan_json(plan))
        else:
            where = f"{revision} in {placement.environment}"
            self.stdout.write(f"Nothing to do: {where} is as it should be." if plan.is_empty else plan_text(plan))
        return NOTHING if plan.is_empty else CHANGES
