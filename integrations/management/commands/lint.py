"""`manage.py lint FILE…`: what the rules find in files. Exit 0: no error, 1: an error, 2: unreadable."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from integrations.gateway.definition import Api
from integrations.gateway.findings import Finding
from integrations.gateway.rules import check
from integrations.management.files import Unusable, read, shown


def as_json(name: str, api: Api | None, finding: Finding) -> dict[str, Any]:
    """One finding for machines; `path` is within the definition, `route` the method and path it belongs to."""
    index = finding.path[1] if finding.path[:1] == ("routes",) else None
    route = api.routes[index] if api and isinstance(index, int) else None
    return {
        "file": name,
        "route": f"{route.method} {route.path}" if route else None,
        "path": list(finding.path),
        "line": finding.line,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "aws": finding.aws,
        "docs": finding.docs,
    }


def as_text(row: dict[str, Any]) -> str:
    """The same finding on one line for people; the place is within its route."""
    path = row["path"][2:] if row["route"] else row["path"]
    where = f" at {'.'.join(map(str, path))}" if path else ""
    number = f" in line {row['line']}" if row["line"] else ""
    parts = (row["file"], row["route"], f"{row['severity']} {row['rule']}{where}{number}", row["message"])
    return shown(": ".join(part for part in parts if part))


class Command(BaseCommand):
    """Checks files."""

    help = "Say what AWS would refuse, fail at or ignore in these files."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE… and --format."""
        parser.add_argument(
            "files", nargs="+", metavar="FILE", help="a definition, CloudFormation or OpenAPI file; - is standard input"
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the findings; leave with the exit status above."""
        found: list[dict[str, Any]] = []
        unreadable = False
        for name in options["files"]:
            try:
                file = read(name)
            except Unusable as error:
                self.stderr.write(str(error))
                unreadable = True
                continue
            found += [as_json(name, None, finding) for finding in file.findings]
            for api in file.apis:
                where = str(Path(name).parent / api.beside) if api.beside else name
                found += [
                    as_json(where, api.api, replace(finding, line=file.line(api, finding.path))) for finding in check(api.api)
                ]
        if options["format"] == "json":
            self.stdout.write(json.dumps(found, indent=2))
        else:
            for row in found:
                self.stdout.write(as_text(row))
        if unreadable:
            sys.exit(2)
        if any(row["severity"] == "error" for row in found):
            sys.exit(1)
