"""`manage.py sign_in_link USERNAME`: a link that signs somebody in, once. For whoever runs Gatehouse."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.urls import reverse

from configurator.database import Unfit, check_ready
from integrations.accounts import make_sign_in_link


class Command(BaseCommand):
    """Lets somebody in who has no password, or has forgotten it."""

    help = "Print a link that signs somebody in, once."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """USERNAME, --hours, --origin."""
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--hours", type=int, default=24, choices=range(1, 169), metavar="N", help="how long it works; 24")
        parser.add_argument("--origin", default=settings.ORIGIN, metavar="URL", help="how the site is reached; %(default)s")

    def handle(self, *args: Any, username: str, hours: int, origin: str, **options: Any) -> None:
        """Print the link."""
        try:
            check_ready()
        except Unfit as reason:
            sys.exit(str(reason))
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            known = ", ".join(User.objects.filter(is_active=True).order_by("username").values_list("username", flat=True)[:20])
            sys.exit(f"There is nobody called {username}; no link was made. There are: {known or 'none'}.")
        self.stdout.write(origin.rstrip("/") + reverse("sign-in-link", args=[make_sign_in_link(user, timedelta(hours=hours))]))
