"""`manage.py import FILE… --team TEAM`: files into the catalog. Exit 0; 1: something of them was lost; 2: unreadable."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from integrations import importing
from integrations.management.files import Unusable, line, shown
from integrations.models import Team


class Command(BaseCommand):
    """Creates and updates what the report of the import page suggests."""

    help = "Create and update APIs and integrations of the catalog from files; what is lost is said on standard error."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE…, --team, --dry-run and --apart."""
        text = "a CloudFormation, SAM, OpenAPI or definition file, or a zip of them; - is standard input"
        parser.add_argument("files", nargs="+", metavar="FILE", help=text)
        parser.add_argument("--team", required=True, metavar="TEAM", help="the team, as in its address")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
        parser.add_argument("--apart", action="store_true", help="give routes with the same behind them an integration each")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is done with each item; leave with the exit status. All files are imported, or none is."""
        try:
            status = self.carry_out(options)
        except (Unusable, importing.Refused) as error:
            self.stderr.write(str(error))
            status = 2
        except DatabaseError:
            self.stderr.write("The catalog's database does not answer as it should. Start it with manage.py up, then try again.")
            status = 2
        if status:
            sys.exit(status)

    def carry_out(self, options: dict[str, Any]) -> int:
        """The exit status."""
        team = Team.objects.filter(slug=options["team"]).first()
        if team is None:
            raise Unusable(f"{shown(options['team'])}: there is no such team. Give it as in its address. Nothing was imported.")
        made = importing.taken(team, None, importing.unpacked((name, data(name)) for name in options["files"]))
        reports = importing.reported(made, shared=not options["apart"])
        broken = [report for report in reports if report.error]
        for report in reports:
            for finding in report.findings:
                self.stderr.write(f"{shown(report.file.name)}: {line(finding)}")
            for item in report.items:
                place = "" if item.is_api else f" {item.route.method} {item.route.path}"
                self.stdout.write(shown(f"{report.file.name}:{item.line}: {item.suggested} {item.slug}{place}"))
        for report in broken:
            self.stderr.write(f"{shown(report.file.name)}: {report.error} Nothing was imported.")
        if broken or options["dry_run"]:
            made.delete()
        else:
            self.stdout.write(f"{importing.apply(made, None, reports, {})}.")
        return 2 if broken else int(any(importing.losses(report) for report in reports))


def data(name: str) -> bytes:
    """The bytes of a file, no more than are taken. Raises Unusable."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(importing.WHOLE + 1)
        with Path(name).open("rb") as file:
            return file.read(importing.WHOLE + 1)
    except OSError as error:
        raise Unusable(f"{shown(name)}: {error.strerror}. Check the path. Nothing was imported.") from error
