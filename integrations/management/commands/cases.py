"""`manage.py cases TEAM/SLUG… [--junit PATH]`: runs the saved cases. Exit 0: all pass; 1: not; 2: no such integration."""

import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from xml.etree import ElementTree

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from integrations.gateway.cases import Outcome, run
from integrations.management.commands.export import find
from integrations.management.files import Unusable, shown


@dataclass(frozen=True, slots=True)
class Suite:
    """How the cases of one integration went."""

    name: str
    """TEAM/SLUG and the revision."""
    outcomes: tuple[tuple[Outcome, float], ...]
    """Each with its seconds."""

    @property
    def failed(self) -> int:
        """How many are not as expected."""
        return sum(not outcome.passed for outcome, _ in self.outcomes)


class Command(BaseCommand):
    """Runs the cases of integrations."""

    help = "Run the saved cases of integrations: simulated calls, compared with what is expected. Nothing is called."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """TEAM/SLUG…, --revision and --junit."""
        parser.add_argument("integrations", metavar="TEAM/SLUG", nargs="+")
        text = "which revision of each: latest (the default), published, or a number"
        parser.add_argument("--revision", default="latest", metavar="REVISION", help=text)
        parser.add_argument("--junit", type=Path, metavar="PATH", help="also write the result as JUnit XML")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each case, and a sum; leave with the exit status above."""
        try:
            suites = [suite(name, options["revision"]) for name in options["integrations"]]
            if options["junit"]:
                write(options["junit"], suites)
        except Unusable as error:
            self.stderr.write(str(error))
            sys.exit(2)
        except DatabaseError:
            self.stderr.write("The catalog's database does not answer as it should. Start it with manage.py up, then try again.")
            sys.exit(2)
        for each in suites:
            self.stdout.write(f"{each.name}: {len(each.outcomes)} cases" if each.outcomes else f"{each.name}: no cases")
            for outcome, _ in each.outcomes:
                self.stdout.write(f"  {'pass' if outcome.passed else 'FAIL'}  {shown(outcome.case.name)}")
                for difference in outcome.differences:
                    self.stdout.write(f"        {shown(str(difference))}")
        failed, run_ = sum(each.failed for each in suites), sum(len(each.outcomes) for each in suites)
        self.stdout.write(f"{run_ - failed} passed, {failed} failed.")
        if failed:
            sys.exit(1)


def suite(name: str, revision: str) -> Suite:
    """Run the cases of the integration TEAM/SLUG on a revision. Raises Unusable."""
    integration, found = find(name, revision)
    api = found.api
    outcomes = []
    for case in integration.cases.all():
        start = perf_counter()
        outcome = run(case.value, api)
        outcomes.append((outcome, perf_counter() - start))
    return Suite(f"{name} {found}", tuple(outcomes))


def write(path: Path, suites: Iterable[Suite]) -> None:
    """Write JUnit XML, a suite for each integration. Raises Unusable."""
    root = ElementTree.Element("testsuites")
    for each in suites:
        seconds = sum(took for _, took in each.outcomes)
        counts = {"tests": len(each.outcomes), "failures": each.failed, "errors": 0, "skipped": 0}
        attributes = {"name": each.name, **{name: str(count) for name, count in counts.items()}, "time": f"{seconds:.3f}"}
        found = ElementTree.SubElement(root, "testsuite", attributes)
        for outcome, took in each.outcomes:
            named = {"classname": each.name, "name": clean(outcome.case.name), "time": f"{took:.3f}"}
            test = ElementTree.SubElement(found, "testcase", named)
            if not outcome.passed:
                failure = ElementTree.SubElement(test, "failure", {"type": "difference", "message": clean(outcome.words)})
                failure.text = clean("\n".join(map(str, outcome.differences)))
    ElementTree.indent(root)
    try:
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}. Choose another path for --junit.") from error


NOT_IN_XML = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """What XML can hold of a text."""
    return NOT_IN_XML.sub("\ufffd", text)
