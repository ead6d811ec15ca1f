"""`manage.py seed`: the demo team; with --count, a team for benchmarks as well."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from configurator.database import Unfit, check_ready
from integrations import demo
from integrations.models import Team


class Command(BaseCommand):
    """Fills a catalog."""

    help = "Make the demo team Storefront when it is not there; with --count, a team Depot with that many integrations."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--count, --seed."""
        parser.add_argument("--count", type=int, default=0, metavar="N", help="how many integrations the team Depot gets")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="which ones; the same seed makes the same; 1")

    def handle(self, *args: Any, count: int, seed: int, **options: Any) -> None:
        """All of it or nothing."""
        try:
            check_ready()
        except Unfit as reason:
            sys.exit(str(reason))
        if count and Team.objects.filter(slug="depot").exists():
            sys.exit("There is a team Depot already; nothing was made. Start over with: python3 manage.py up --fresh")
        with transaction.atomic():
            demo.make()
            if count:
                demo.make_many(count, seed)
