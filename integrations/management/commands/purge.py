"""`manage.py purge`: lets go of what was kept long enough."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Exists, OuterRef
from django.utils import timezone

from integrations.models import (
    ALIVE,
    OVER,
    TRASHED_DAYS,
    CallState,
    Import,
    Integration,
    OperationCall,
    Placement,
    Proposal,
    RouteUse,
    Worker,
)

BATCH = 500
CALLS_DAYS = 180
"""How long the calls of an operation are kept. The operation stays: what it made is known to be Gatehouse's by that."""
UNAPPLIED_DAYS = 7
"""How long files wait that somebody read in and did not import, and plans that nobody applied."""


class Command(BaseCommand):
    """To be run daily, by cron or the like."""

    help = (
        f"Delete for good what has been in the trash for {TRASHED_DAYS} days, its revisions and drafts included; plans that "
        f"nobody applied within {UNAPPLIED_DAYS} days; the calls of deployments, after {CALLS_DAYS} days."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """A batch at a time. What a revision of an API uses stays as long as the API: it could not be shown without. So does what
        still runs somewhere: nobody would know what is Gatehouse's there."""
        used = RouteUse.objects.filter(integration=OuterRef("pk"))
        runs = Placement.objects.filter(integration=OuterRef("pk"), live__isnull=False)
        over = Integration.objects.filter(
            ~Exists(used), ~Exists(runs), ~ALIVE, deleted_at__lte=timezone.now() - timedelta(TRASHED_DAYS)
        )
        unapplied, told = timezone.now() - timedelta(UNAPPLIED_DAYS), timezone.now() - timedelta(CALLS_DAYS)
        Import.objects.filter(applied_at=None, made_at__lte=unapplied).delete()
        Proposal.objects.filter(operation=None, made_at__lte=unapplied).delete()
        old = OperationCall.objects.filter(operation__state__in=OVER, operation__finished_at__lte=told)
        old.exclude(state=CallState.STARTED).delete()  # what became of one that was started is still to be found out
        Worker.objects.filter(seen_at__lte=unapplied).delete()
        number = 0
        while keys := list(over.values_list("pk", flat=True)[:BATCH]):
            Integration.objects.filter(pk__in=keys).delete()
            number += len(keys)
        self.stdout.write(f"Deleted {number:,} integration{'' if number == 1 else 's'} for good.")
