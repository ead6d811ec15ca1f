"""`manage.py drift TEAM/SLUG --env E`: what somebody else changed in the account. Exit 0: nothing; 2: something; 1: failure."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.deployment import drift_of, read
from integrations.gateway.diff import Spot, words
from integrations.management.deployments import CHANGES, NOTHING, add_place, called, leaving, place, short
from integrations.management.files import Unusable, shown


class Command(BaseCommand):
    """Reads the account and changes nothing there."""

    help = "Show in what an environment differs from what was deployed there last. Exit 0: nothing; 2: something; 1: failure."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """TEAM/SLUG, --env, --as, --json."""
        add_place(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the differences; leave with the exit status above."""
        leaving(lambda: self.drift(options), self.stderr)

    def drift(self, options: dict[str, Any]) -> int:
        """The exit status."""
        placement, _, person = place(options)
        where = f"{placement.integration.slug} in {placement.environment}"
        if placement.live is None:
            raise Unusable(f"{where}: nothing was deployed there from here, so nothing can have changed since. Deploy it first.")
        read(placement, called(person), placement.live.api)
        placement.refresh_from_db()
        found = drift_of(placement)
        if found is None:
            raise Unusable(f"{where}: the REST API or its method is gone. Plan and apply to make it again.")
        if options["json"]:
            spots = [
                {"option": one.name, "deployed": words(one.base, one.option), "there": words(one.theirs, one.option)}
                for one in found.spots
            ]
            self.stdout.write(json.dumps({"differences": spots, "added": list(found.strangers)}, indent=2, ensure_ascii=False))
        else:
            lines = [line(spot) for spot in found.spots]
            lines += [f"{name}: added by somebody else" for name in found.strangers]
            self.stdout.write("\n".join(map(shown, lines or [f"No drift: {where} is as it was deployed."])))
        return CHANGES if len(found) else NOTHING


def line(spot: Spot) -> str:
    """A difference on one line."""
    was, now = (short(words(value, spot.option)) or "nothing" for value in (spot.base, spot.theirs))
    return f"{', '.join(spot.labels)}: {was} was deployed, {now} is there"
