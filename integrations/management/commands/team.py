"""`manage.py team NAME`: a new team, and the invitation of its first admin."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.text import slugify

from configurator.database import Unfit, check_ready
from integrations.accounts import invite
from integrations.models import NAME_LENGTH, Role, Team, record

INVITATION_VALID_FOR = timedelta(days=7)


class Command(BaseCommand):
    """Teams are made by whoever runs Gatehouse; everything else in a team by its admins."""

    help = "Make a team, and print the link that makes its bearer the first admin."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME, --slug, --origin."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--slug", default="", help="its name in URLs; made from NAME by default")
        parser.add_argument("--origin", default=settings.ORIGIN, metavar="URL", help="how the site is reached; %(default)s")

    def handle(self, *args: Any, name: str, slug: str, origin: str, **options: Any) -> None:
        """Make both, and print the link."""
        try:
            check_ready()
        except Unfit as reason:
            sys.exit(str(reason))
        slug = slugify(slug or name)[:60]
        if not slug or not name.strip() or len(name) > NAME_LENGTH:
            sys.exit(f"No team was made. Give it a name of up to {NAME_LENGTH} characters, and a --slug of letters and digits.")
        try:
            with transaction.atomic():
                team = Team.objects.create(slug=slug, name=name.strip())
                _, secret = invite(team, Role.ADMIN, None, INVITATION_VALID_FOR)
                record(team, None, "created", f"team {team.name}")
        except IntegrityError:
            sys.exit(f"There is a team {slug} already; nothing was changed. Choose another --slug.")
        self.stdout.write(f"Team {team.name} is there. Whoever opens this link first, within 7 days, becomes its admin:")
        self.stdout.write(origin.rstrip("/") + reverse("invitation", args=[secret]))
