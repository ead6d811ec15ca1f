"""`manage.py recheck`: counts findings again where the rules have changed since they were counted."""

from typing import Any

from django.core.management.base import BaseCommand

from integrations.gateway.rules import VERSION
from integrations.models import Integration, recheck

BATCH = 500


class Command(BaseCommand):
    """Lists do the same for what they show; this does it for all at once, after an upgrade."""

    help = "Count the findings of every integration again whose counts were made by an earlier version of the rules."

    def handle(self, *args: Any, **options: Any) -> None:
        """A batch at a time: what was counted before an interruption stays counted."""
        stale = Integration.objects.exclude(rules_version=VERSION).order_by("pk")
        last, number = 0, 0
        while batch := list(stale.filter(pk__gt=last)[:BATCH]):
            number += recheck(batch)
            last = batch[-1].pk
        self.stdout.write(f"Checked {number:,} integration{'' if number == 1 else 's'} again.")
