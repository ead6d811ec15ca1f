"""`manage.py lint FILE…`: what the rules find in definition files. Exit 0: no error, 1: an error, 2: unreadable."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.gateway.definition import LIMITS, Api, DefinitionError, loads
from integrations.gateway.findings import Finding
from integrations.gateway.rules import check


class Unreadable(Exception):
    """A file that cannot be read as a definition: why."""


def read(name: str) -> Api:
    """The definition in a file, `-` for standard input. Raises Unreadable."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(LIMITS["bytes"] + 1)
        else:
            with open(name, "rb") as file:
                data = file.read(LIMITS["bytes"] + 1)
        return loads(data.decode())
    except OSError as error:
        raise Unreadable(f"{name}: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
    except DefinitionError as error:
        raise Unreadable(f"{name}: {error}") from error


def as_json(name: str, api: Api, finding: Finding) -> dict[str, Any]:
    """One finding for machines; `path` is within the definition, `route` the method and path it belongs to."""
    index = finding.path[1] if finding.path[:1] == ("routes",) else None
    route = api.routes[index] if isinstance(index, int) else None
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


class Command(BaseCommand):
    """Checks definition files."""

    help = "Say what AWS would refuse, fail at or ignore in definition files."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE… and --format."""
        parser.add_argument("files", nargs="+", metavar="FILE", help="a definition file; - is standard input")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the findings; leave with the exit status above."""
        found: list[dict[str, Any]] = []
        unreadable = False
        for name in options["files"]:
            try:
                api = read(name)
            except Unreadable as error:
                self.stderr.write(str(error))
                unreadable = True
                continue
            found += [as_json(name, api, finding) for finding in check(api)]
        if options["format"] == "json":
            self.stdout.write(json.dumps(found, indent=2))
        else:
            for row in found:
                where = ".".join(map(str, row["path"][2:]))
                self.stdout.write(f"{row['file']}: {row['route']}: {row['severity']} {row['rule']} at {where}: {row['message']}")
        if unreadable:
            sys.exit(2)
        if any(row["severity"] == "error" for row in found):
            sys.exit(1)
