"""`manage.py export TEAM/SLUG --to FORMAT`: an integration or API of the catalog as a file. Exit codes as `convert`."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from integrations.management.files import Unusable, add_target, shown, with_values, write
from integrations.models import Integration, Revision, record
from integrations.stamps import stamped


class Command(BaseCommand):
    """Writes a revision of an integration, stamped with where it comes from."""

    help = "Write an integration or an API of the catalog in a format; what is lost is said on standard error."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """TEAM/SLUG, --revision, --to, --out and --set."""
        parser.add_argument("integration", metavar="TEAM/SLUG")
        text = "a number, latest, or published (the default): the one published last"
        parser.add_argument("--revision", default="published", metavar="REVISION", help=text)
        add_target(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write the text, and note it in the team's trail; leave with the exit status."""
        try:
            integration, revision = find(options["integration"], options["revision"])
            whole = revision.api
            api = with_values(whole, dict(options["values"]))
            status, written = write(
                *(api, options["to"], options["out"], self.stdout, self.stderr),
                stamp=lambda export, format: stamped(export, format, integration, revision, whole),
            )
            if written:
                record(integration.team, None, "exported", f"{integration.slug} {revision}", integration, format=options["to"])
        except Unusable as error:
            self.stderr.write(str(error))
            status = 2
        except DatabaseError:
            self.stderr.write("The catalog's database does not answer as it should. Start it with manage.py up, then try again.")
            status = 2
        if status:
            sys.exit(status)


def find(name: str, wanted: str) -> tuple[Integration, Revision]:
    """The integration TEAM/SLUG and its revision. Raises Unusable."""
    team, _, slug = name.partition("/")
    found = Integration.objects.select_related("team").filter(team__slug=team, slug=slug, deleted_at=None).first()
    if found is None:
        raise Unusable(f"{shown(name)}: there is no such integration. Give TEAM/SLUG as in its address. Nothing was written.")
    if wanted in ("published", "latest"):
        revision = found.published if wanted == "published" else found.latest
    else:
        number = wanted.removeprefix("r")
        revision = found.revisions.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if revision is None:
        what = f"Nothing of {name} is published." if wanted == "published" else f"{name} has no revision {shown(wanted)}."
        raise Unusable(f"{what} Its latest is r{found.latest_number}: --revision latest. Nothing was written.")
    return found, revision
