"""`manage.py convert FILE --to FORMAT`: a definition file in another format. Exit 0; 1: something was lost; 2: unreadable."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from integrations.gateway.formats import FORMATS
from integrations.management.commands.lint import Unreadable, read


class Command(BaseCommand):
    """Writes a definition in another format."""

    help = "Write a definition file in another format; what is lost is said on standard error."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, --to and --out."""
        parser.add_argument("file", metavar="FILE", help="a definition file; - is standard input")
        parser.add_argument("--to", choices=tuple(FORMATS), required=True)
        parser.add_argument("--out", type=Path, metavar="PATH", help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write the text; leave with the exit status above."""
        try:
            api = read(options["file"])
        except Unreadable as error:
            self.stderr.write(str(error))
            sys.exit(2)
        export = FORMATS[options["to"]].dump(api)
        for finding in export.findings:
            self.stderr.write(f"{finding.severity.value} at {'.'.join(map(str, finding.path))}: {finding.message}")
        if options["out"] is None:
            self.stdout.write(export.text, ending="")
        else:
            try:
                options["out"].write_text(export.text, encoding="utf-8", newline="")
            except OSError as error:
                self.stderr.write(f"{options['out']}: {error.strerror}. Nothing was converted.")
                sys.exit(2)
        if export.findings:
            sys.exit(1)
