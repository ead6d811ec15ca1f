"""`manage.py purge`: empties the trash of what was there long enough."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Exists, OuterRef
from django.utils import timezone

from integrations.models import ALIVE, TRASHED_DAYS, Import, Integration, RouteUse

BATCH = 500
UNAPPLIED_DAYS = 7
"""How long files wait that somebody read in and did not import."""


class Command(BaseCommand):
    """To be run daily, by cron or the like."""

    help = f"Delete for good what has been in the trash for {TRASHED_DAYS} days, its revisions and drafts included."

    def handle(self, *args: Any, **options: Any) -> None:
        """A batch at a time. What a revision of an API uses stays as long as the API: it could not be shown without."""
        used = RouteUse.objects.filter(integration=OuterRef("pk"))
        over = Integration.objects.filter(~Exists(used), ~ALIVE, deleted_at__lte=timezone.now() - timedelta(TRASHED_DAYS))
        Import.objects.filter(applied_at=None, made_at__lte=timezone.now() - timedelta(UNAPPLIED_DAYS)).delete()
        number = 0
        while keys := list(over.values_list("pk", flat=True)[:BATCH]):
            Integration.objects.filter(pk__in=keys).delete()
            number += len(keys)
        self.stdout.write(f"Deleted {number:,} integration{'' if number == 1 else 's'} for good.")
