"""`manage.py convert FILE --to FORMAT`: a file in another format. Exit 0; 1: something was lost; 2: unreadable."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.management.files import Unusable, add_target, read, with_values, write


class Command(BaseCommand):
    """Writes a definition in another format."""

    help = "Write a file in another format; what is lost is said on standard error."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, --to, --out and --set."""
        parser.add_argument("file", metavar="FILE", help="a definition, CloudFormation or OpenAPI file; - is standard input")
        add_target(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write the text; leave with the exit status above."""
        try:
            found = read(options["file"])
            if len(found.apis) != 1:
                raise Unusable(f"{options['file']}: it holds {len(found.apis)} APIs, and one is wanted. Nothing was written.")
            api = with_values(found.apis[0].api, dict(options["values"]))
            status, _ = write(api, options["to"], options["out"], self.stdout, self.stderr, lost=found.findings)
        except Unusable as error:
            self.stderr.write(str(error))
            status = 2
        if status:
            sys.exit(status)
