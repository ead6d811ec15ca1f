"""`manage.py convert FILE… --to FORMAT`: files in another format. Exit 0; 1: something was lost; 2: unreadable."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from integrations.gateway.formats import FORMATS
from integrations.gateway.formats.export import numbered
from integrations.management.files import Unusable, add_target, read, with_values, write


class Command(BaseCommand):
    """Writes a definition in another format."""

    help = "Write a file in another format; what is lost is said on standard error."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE…, --to, --out and --set."""
        text = "a definition, CloudFormation, SAM or OpenAPI file; - is standard input; of several APIs --out is the folder"
        parser.add_argument("files", nargs="+", metavar="FILE", help=text)
        add_target(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write the texts; leave with the exit status above, the worst of all files."""
        readings, status = [], 0
        for name in options["files"]:
            try:
                readings.append((name, read(name)))
            except Unusable as error:
                self.stderr.write(str(error))
                status = 2
        apis = [(found, each.api) for _, found in readings for each in found.apis]
        out: Path | None = options["out"]
        several = len(options["files"]) > 1 or len(apis) > 1
        try:
            for name, found in readings:
                if not found.apis:
                    raise Unusable(f"{name}: it holds no REST API. Nothing was written.")
            if several and (out is None or not out.is_dir()):
                raise Unusable(f"{len(apis)} APIs are to be written: give an existing folder as --out. Nothing was written.")
            taken: set[str] = set()
            said: set[int] = set()
            for found, api in apis:
                bound = with_values(api, dict(options["values"]))
                path = out
                if several and out is not None:
                    stem, dot, ending = FORMATS[options["to"]].dump(bound).filename.partition(".")
                    path = out / f"{numbered(stem, taken)}{dot}{ending}"
                    taken.add(path.name.partition(".")[0])
                lost = () if id(found) in said else found.findings
                said.add(id(found))
                one, _ = write(bound, options["to"], path, self.stdout, self.stderr, lost=lost)
                status = max(status, one)
        except Unusable as error:
            self.stderr.write(str(error))
            status = 2
        if status:
            sys.exit(status)
