"""`manage.py seed`: a demo team."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from integrations import demo


class Command(BaseCommand):
    """Fills an empty catalog."""

    help = "Make the demo team Storefront, when it is not there."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """All of it or nothing."""
        with transaction.atomic():
            demo.make()
